//! Autoencoders and free latents: their gradients, their blocks, their runs, and a toy whose answer is known.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::sync::Arc;

use deepmf::data::Entries;
use deepmf::linalg::{Mat, axpy, dot};
use deepmf::model::layer::Samples;
use deepmf::model::{AutoEncoder, FreeLatent, Model, Pass};
use deepmf::problem::{Block, Constant, Evaluation, Mask, Problem, Squared, Term};
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::train::optimizer::{Adam, Penalized, Rprop};
use deepmf::train::{Blocks, Room, Stop, Trainer, trials};

/// Known entries of a table with a hidden taste, centred.
fn table(shape: (usize, usize), share: f64) -> Entries {
    let mut random = stream(1, Purpose::Truth, 0);
    let taste = |i: usize, j: usize| {
        if i.is_multiple_of(2) == j.is_multiple_of(3) { 1.0 } else { -1.0 }
    };
    let hidden = Mat::from_fn(shape.0, shape.1, |i, j| {
        let noise = 0.3 * normal(&mut random);
        if random.random_bool(share) { taste(i, j) + noise } else { f64::NAN }
    });
    Entries::from_dense(&hidden).unwrap()
}

fn problem(entries: &Entries) -> Problem {
    let mask = Mask::sparse(entries);
    let targets = mask.order(entries.values());
    let loss = Squared { constant: Constant::HalfSum, weights: None };
    Problem::single(Arc::new(mask), targets, Arc::new(loss)).unwrap()
}

/// Holds the gradient along a random direction to be the difference quotient.
fn must_be_the_slope<M: Model + Clone>(model: &M, problem: &Problem, block: Option<&Block>) {
    let at = |model: &M| {
        let mut room = Room::new(model);
        room.pass.block = block.cloned();
        // What was there before must not matter.
        room.gradient.values_mut().fill(f64::NAN);
        room.evaluate(problem, model);
        (room.loss, room.gradient)
    };
    let gradient = at(model).1;
    let mut random = stream(2, Purpose::Noise, 0);
    let mut along = gradient.zeros_like();
    along.values_mut().iter_mut().for_each(|x| *x = normal(&mut random));
    let h = 1e-5;
    let [up, down] = [h, -h].map(|h| {
        let mut moved = model.clone();
        axpy(h, along.values(), moved.params_mut().values_mut());
        at(&moved).0
    });
    let (exact, quotient) = (dot(gradient.values(), along.values()), (up - down) / (2.0 * h));
    assert!((exact - quotient).abs() < 1e-6 * exact.abs(), "{exact} {quotient}");
    assert!(exact.abs() > 1e-3);
}

#[test]
fn the_gradient_of_an_autoencoder_is_that_of_difference_quotients_on_everything_and_on_a_block() {
    let entries = table((9, 11), 0.5);
    let mut model = AutoEncoder::<f64>::new(&entries, 4, 3).unwrap();
    let mut random = stream(5, Purpose::Noise, 0);
    model.params_mut().values_mut().iter_mut().for_each(|x| *x += 0.1 * normal(&mut random));
    let all = problem(&entries);
    must_be_the_slope(&model, &all, None);
    let block = Block::new(vec![7, 0, 3, 4, 8], vec![1, 9, 2, 5]).unwrap();
    must_be_the_slope(&model, &all.block(&block).unwrap().unwrap(), Some(&block));
}

#[test]
fn the_gradient_of_free_latents_is_that_of_difference_quotients() {
    let entries = table((9, 11), 0.5);
    for hidden in [&[5][..], &[5, 6]] {
        let mut model = FreeLatent::<f64>::new((9, 11), 3, hidden, 3).unwrap();
        let mut random = stream(5, Purpose::Noise, 0);
        model.params_mut().values_mut().iter_mut().for_each(|x| *x += 0.1 * normal(&mut random));
        must_be_the_slope(&model, &problem(&entries), None);
    }
}

#[test]
fn the_product_of_an_autoencoder_is_as_by_hand() {
    // Column 0 is (2, ?), column 1 is (?, −1); V = (1, 3), μ = 0.5, w = (2, −1), b = (0, 4).
    let entries = Entries::new((2, 2), vec![0, 1], vec![0, 1], vec![2.0, -1.0]).unwrap();
    let mut model = AutoEncoder::<f64>::new(&entries, 1, 0).unwrap();
    model.params_mut().values_mut().copy_from_slice(&[1.0, 3.0, 0.5, 2.0, -1.0, 0.0, 4.0]);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let h = [sigmoid(2.5), sigmoid(-2.5)];
    let expected = [2.0 * h[0], 4.0 - h[0], 2.0 * h[1], 4.0 - h[1]];
    let mut pass = Pass::default();
    let product = model.forward(&mut pass).to_dense();
    for (found, expected) in product.values().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12);
    }
    assert_eq!(model.penalties(3.0), [3.0, 0.0, 3.0, 0.0]);
}

#[test]
fn new_columns_need_no_training() {
    let entries = table((9, 11), 0.5);
    let model = AutoEncoder::<f32>::new(&entries, 4, 0).unwrap();
    let whole = model.forward(&mut Pass::default()).to_dense();
    let mut new = Samples::default();
    new.take(&Samples::cols(&entries), &[10, 2]);
    let over = model.over(new).unwrap();
    let product = over.forward(&mut Pass::default()).to_dense();
    for i in 0..9 {
        assert!((product[(i, 0)] - whole[(i, 10)]).abs() < 1e-6);
        assert!((product[(i, 1)] - whole[(i, 2)]).abs() < 1e-6);
    }
    let error = model.over(Samples::rows(&entries)).unwrap_err().to_string();
    assert_eq!(error, "every column must have 9 entries, but it has 11");
}

#[test]
fn an_autoencoder_learns_the_taste_on_everything_and_on_blocks() {
    let entries = table((60, 50), 0.5);
    let (seen, held): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(|e| e % 5 != 0);
    let test = Problem::completion(&entries.take(&held)).unwrap();
    let train = entries.take(&seen);
    for blocks in [None, Some(Blocks::new(60, 20).unwrap())] {
        let mut model = AutoEncoder::<f32>::new(&train, 20, 0).unwrap();
        let penalties = model.penalties(0.3);
        let mut trainer = match blocks {
            None => Trainer::new(Penalized::new(Rprop::new(1e-3).unwrap(), penalties).unwrap()),
            Some(blocks) => {
                let adam = Adam::new(0.01).unwrap();
                Trainer::new(Penalized::new(adam, penalties).unwrap()).blocks(blocks)
            }
        }
        .stop(Stop::new().steps(200));
        trainer.fit(&problem(&train), &mut model).unwrap();
        let mut pass = Pass::default();
        let error = test.value(&model.forward(&mut pass), &mut Evaluation::default()).sqrt();
        // The spread of the noise is 0.3, that of the taste 1.
        assert!(error < 0.5, "{error}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_at_one_and_two_threads() {
    let entries = table((150, 160), 0.3);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = AutoEncoder::<f32>::new(&entries, 300, 1).unwrap();
            let penalties = model.penalties(1.0);
            let rprop = Penalized::new(Rprop::new(1e-3).unwrap(), penalties).unwrap();
            let mut trainer = Trainer::new(rprop).stop(Stop::new().steps(5));
            trainer.fit(&problem(&entries), &mut model).unwrap();
            model.params().numbers().clone()
        })
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn sizes_that_are_none_are_refused() {
    let entries = table((9, 11), 0.5);
    let told = AutoEncoder::<f32>::new(&entries, 0, 0).unwrap_err().to_string();
    assert_eq!(told, "every width of an autoencoder must be 1 or more, but it is 0");
    let told = |latent, hidden: &[usize]| {
        FreeLatent::<f64>::new((9, 11), latent, hidden, 0).unwrap_err().to_string()
    };
    assert_eq!(told(0, &[3]), "every width of a decoder must be 1 or more, but it is 0");
    assert_eq!(told(2, &[3, 0]), "every width of a decoder must be 1 or more, but it is 0");
    assert_eq!(told(2, &[]), "the number of hidden layers must be 1 or more, but it is 0");
}

/// The toy of Fan and Cheng: 100 samples of 20 variables, X = P₁ x + P₂ x² + P₃ x³ of a latent x of length 2; half of each sample is missing.
fn toy(seed: u64) -> (Mat, Entries) {
    let mut random = stream(seed, Purpose::Truth, 0);
    let powers = Mat::from_fn(6, 20, |_, _| normal(&mut random));
    let latent = Mat::from_fn(2, 100, |_, _| random.random_range(-1.0..1.0));
    let truth = Mat::from_fn(100, 20, |i, j| {
        let part = |r: usize| {
            let x = latent[(r % 2, i)];
            powers[(r, j)] * [x, x * x, x * x * x][r / 2]
        };
        (0..6).map(part).sum()
    });
    let (mut rows, mut cols) = (Vec::new(), Vec::new());
    for i in 0..100 {
        let mut ids: Vec<u32> = (0..20).collect();
        (1..20).rev().for_each(|last| ids.swap(last, random.random_range(0..=last)));
        rows.extend([i; 10]);
        cols.extend(&ids[..10]);
    }
    let values = rows.iter().zip(&cols).map(|(i, j)| truth[(*i as usize, *j as usize)]).collect();
    let entries = Entries::new((100, 20), rows, cols, values).unwrap();
    (truth, entries)
}

/// ‖found − truth‖ over ‖truth‖ on the cells that are not known.
fn missing_error(found: &Mat, truth: &Mat, entries: &Entries) -> f64 {
    let mut hidden = Mat::from_fn(100, 20, |_, _| 1.0);
    entries.iter().for_each(|(i, j, _)| hidden[(i, j)] = 0.0);
    let squares = |value: &dyn Fn(usize) -> f64| -> f64 {
        (0..truth.values().len()).map(|e| hidden.values()[e] * value(e).powi(2)).sum()
    };
    let gap = squares(&|e| found.values()[e] - truth.values()[e]);
    (gap / squares(&|e| truth.values()[e])).sqrt()
}

/// The best of ranks 1 to 6 of iterated truncated decompositions: hard-impute that is told the error.
fn hard_impute(truth: &Mat, entries: &Entries) -> f64 {
    let errors = (1..=6).map(|rank| {
        let mut filled = Mat::zeros(100, 20);
        for _ in 0..500 {
            entries.iter().for_each(|(i, j, x)| filled[(i, j)] = x);
            let svd = deepmf::linalg::svd(filled.view()).unwrap();
            filled = Mat::from_fn(100, 20, |i, j| {
                (0..rank).map(|r| svd.u[(i, r)] * svd.s[r] * svd.v[(j, r)]).sum()
            });
        }
        missing_error(&filled, truth, entries)
    });
    errors.fold(f64::INFINITY, f64::min)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        0.5 * (numbers[middle - 1] + numbers[middle])
    }
}

#[test]
fn free_latents_fill_the_toy_of_fan_and_cheng_better_than_the_best_rank() {
    let seeds: Vec<u64> = (0..20).collect();
    let errors = trials(&seeds, |_, &seed| {
        let (truth, entries) = toy(seed);
        let mask = Mask::sparse(&entries);
        let targets = mask.order(entries.values());
        let loss = Arc::new(Squared { constant: Constant::HalfSum, weights: None });
        let term = Term { observation: Arc::new(mask), targets, loss, weight: 0.01 };
        let problem = Problem::sum(vec![term]).unwrap();
        let mut model = FreeLatent::<f64>::new((100, 20), 2, &[10], seed).unwrap();
        let penalties = model.penalties(0.01 / 100.0, 0.01);
        let rprop = Penalized::new(Rprop::new(0.0123).unwrap(), penalties).unwrap();
        let mut trainer = Trainer::new(rprop).stop(Stop::new().steps(1_000));
        trainer.fit(&problem, &mut model).unwrap();
        let found = model.forward(&mut Pass::default()).to_dense();
        (missing_error(&found, &truth, &entries), hard_impute(&truth, &entries))
    });
    let (ours, best): (Vec<f64>, Vec<f64>) = errors.into_iter().unzip();
    let (ours, best) = (median(ours), median(best));
    assert!((ours - 0.09).abs() < 0.02 && ours < best, "{ours} {best}");
}
