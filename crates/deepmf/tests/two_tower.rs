//! The two-tower network: sizes as published, its gradient, its blocks, its runs, and what it reaches on MovieLens 100K.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::sync::Arc;

use deepmf::data::Entries;
use deepmf::linalg::dot;
use deepmf::model::layer::Samples;
use deepmf::model::{DeepLinear, Mode, Model, Pass, Precision, Tensors, TowerSizes, TwoTower};
use deepmf::problem::{Block, Evaluation, Mask, Problem, RootMeanSquare};
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::train::optimizer::{Adam, GroupRmsProp};
use deepmf::train::{Blocks, Room, Stop, Trainer, Validation};

/// Ratings from 1 to 5 of a table with a hidden taste.
fn ratings((rows, cols): (usize, usize), share: f64) -> Entries {
    let mut random = stream(1, Purpose::Truth, 0);
    let (mut of_rows, mut of_cols, mut values) = (vec![], vec![], vec![]);
    for i in 0..rows {
        for j in 0..cols {
            if random.random_bool(share) {
                of_rows.push(i as u32);
                of_cols.push(j as u32);
                let taste = if (i % 2 == 0) == (j % 3 == 0) { 4.5 } else { 2.5 };
                values.push(f64::clamp((taste + normal(&mut random) / 2.0).round(), 1.0, 5.0));
            }
        }
    }
    Entries::new((rows, cols), of_rows, of_cols, values).unwrap()
}

fn rooted(entries: &Entries) -> Problem {
    let mask = Mask::sparse(entries);
    let targets = mask.order(entries.values());
    Problem::single(Arc::new(mask), targets, Arc::new(RootMeanSquare)).unwrap()
}

fn small<T: Precision>(entries: &Entries) -> TwoTower<T> {
    let sizes = TowerSizes { hidden: vec![12, 10], embedding: 6, keep: 0.7, shown: 1.0 };
    TwoTower::new(entries, (1.0, 5.0), &sizes, 3).unwrap()
}

#[test]
fn the_published_sizes_have_the_published_counts() {
    for (shape, count) in [((943, 1682), 9_588_736), ((6040, 3952), 24_676_352)] {
        let table = Entries::new(shape, vec![0], vec![0], vec![3.0]).unwrap();
        let model = TwoTower::<f32>::new(&table, (1.0, 5.0), &TowerSizes::default(), 0).unwrap();
        assert_eq!(model.params().numbers().len(), count);
        assert!(model.params().is_single());
    }
}

#[test]
fn the_gradient_is_that_of_difference_quotients_in_both_modes_and_on_a_block() {
    let entries = ratings((9, 11), 0.5);
    let model = small::<f64>(&entries);
    let problem = rooted(&entries);
    let block = Block::new(vec![7, 0, 3, 4, 8], vec![1, 9, 2, 5]).unwrap();
    let part = problem.block(&block).unwrap().unwrap();
    for mode in [Mode::Inference, Mode::Training { seed: 4, step: 9 }] {
        for (problem, block) in [(&problem, None), (&part, Some(block.clone()))] {
            let at = |model: &TwoTower<f64>| {
                let mut room = Room::new(model);
                (room.pass.mode, room.pass.block) = (mode, block.clone());
                room.evaluate(problem, model);
                (room.loss, room.gradient)
            };
            let gradient = at(&model).1;
            let mut random = stream(2, Purpose::Noise, 0);
            let mut along = gradient.zeros_like();
            along.values_mut().iter_mut().for_each(|x| *x = normal(&mut random));
            let h = 1e-6;
            let [up, down] = [h, -h].map(|h| {
                let mut moved = model.clone();
                deepmf::linalg::axpy(h, along.values(), moved.params_mut().values_mut());
                at(&moved).0
            });
            let (exact, quotient) =
                (dot(gradient.values(), along.values()), (up - down) / (2.0 * h));
            assert!((exact - quotient).abs() < 1e-7, "{mode:?} {exact} {quotient}");
            assert!(exact.abs() > 1e-3);
        }
    }
}

#[test]
fn single_precision_gives_the_gradient_of_double_precision() {
    let entries = ratings((9, 11), 0.5);
    let problem = rooted(&entries);
    let double = small::<f64>(&entries);
    let mut single = small::<f32>(&entries);
    // The same weights, to the last bit that single precision has.
    single.params_mut().numbers_mut().copy_from(double.params().numbers());
    let gradient = |model: &dyn Model| {
        let mut room = Room::new(model);
        room.pass.mode = Mode::Training { seed: 4, step: 9 };
        room.evaluate(&problem, model);
        room.gradient.numbers().to_double()
    };
    let (double, single) = (gradient(&double), gradient(&single));
    let largest = double.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    for (double, single) in double.iter().zip(&single) {
        assert!((double - single).abs() < 1e-4 * largest, "{double} {single}");
    }
}

#[test]
fn the_product_on_a_block_is_that_part_of_the_product() {
    let entries = ratings((9, 11), 0.5);
    let model = small::<f32>(&entries);
    let whole = model.forward(&mut Pass::default()).to_dense();
    assert!(whole.values().iter().all(|w| (1.0..=5.0).contains(w)));
    let block = Block::new(vec![7, 0, 3], vec![1, 9]).unwrap();
    let mut pass = Pass::default();
    pass.block = Some(block.clone());
    let part = model.forward(&mut pass).to_dense();
    for (i, row) in block.rows().iter().enumerate() {
        for (j, col) in block.cols().iter().enumerate() {
            assert!((part[(i, j)] - whole[(*row as usize, *col as usize)]).abs() < 1e-5);
        }
    }
}

#[test]
fn new_rows_and_columns_need_no_training() {
    let entries = ratings((9, 11), 0.5);
    let model = small::<f32>(&entries);
    let whole = model.forward(&mut Pass::default()).to_dense();
    let (mut rows, mut cols) = (Samples::default(), Samples::default());
    rows.take(&Samples::rows(&entries), &[4, 2]);
    cols.take(&Samples::cols(&entries), &[10]);
    let new = model.over(rows, cols).unwrap();
    assert_eq!(new.shape(), (2, 1));
    let product = new.forward(&mut Pass::default()).to_dense();
    for (place, row) in [4, 2].into_iter().enumerate() {
        assert!((product[(place, 0)] - whole[(row, 10)]).abs() < 1e-5);
    }
    let turned = model.over(Samples::cols(&entries), Samples::rows(&entries)).unwrap_err();
    assert_eq!(turned.to_string(), "every row must have 11 entries, but it has 9");
}

fn trainer<'a>(steps: u64) -> Trainer<'a> {
    Trainer::new(Adam::new(0.01).unwrap())
        .stop(Stop::new().steps(steps))
        .blocks(Blocks::new(7, 6).unwrap())
        .seed(5)
        .every(10)
}

#[test]
fn a_run_on_blocks_that_is_resumed_gives_the_same_bits_as_one_that_was_not() {
    let entries = ratings((20, 16), 0.5);
    let (seen, held): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(|e| e % 4 != 0);
    let problem = rooted(&entries.take(&seen));
    let validation = Validation::new(Problem::completion(&entries.take(&held)).unwrap());
    let train = |steps, folder: Option<&std::path::Path>| {
        let mut model = small::<f32>(&entries.take(&seen));
        let mut trainer = trainer(steps).validation(validation.clone().every(7));
        if let Some(folder) = folder {
            trainer = trainer.folder(folder).resume(true);
        }
        let run = trainer.fit(&problem, &mut model).unwrap();
        let state = model.state().unwrap().numbers().clone();
        (model.params().numbers().clone(), state, run.trajectory.csv(), run.best)
    };
    let folder = tempfile::tempdir().unwrap();
    let whole = train(60, None);
    train(25, Some(folder.path()));
    assert_eq!(train(60, Some(folder.path())), whole);
    let saved = Tensors::load(folder.path().join("checkpoint.safetensors")).unwrap();
    assert!(matches!(saved.numbers("run.params"), Some(deepmf::model::Numbers::Single(_))));
    assert!(matches!(saved.numbers("optimizer.first"), Some(deepmf::model::Numbers::Single(_))));
}

#[test]
fn the_same_seed_gives_the_same_bits_at_one_and_two_threads() {
    let entries = ratings((200, 220), 0.3);
    let sizes = TowerSizes { hidden: vec![300], embedding: 200, keep: 0.5, shown: 1.0 };
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = TwoTower::<f32>::new(&entries, (1.0, 5.0), &sizes, 1).unwrap();
            let mut trainer = Trainer::new(Adam::new(0.01).unwrap())
                .stop(Stop::new().steps(4))
                .blocks(Blocks::new(150, 140).unwrap());
            trainer.fit(&rooted(&entries), &mut model).unwrap();
            model.params().numbers().clone()
        })
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn training_on_blocks_finds_the_taste() {
    let entries = ratings((60, 50), 0.5);
    let (seen, held): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(|e| e % 5 != 0);
    let test = Problem::completion(&entries.take(&held)).unwrap();
    let mut model = small::<f32>(&entries.take(&seen));
    let rmse = |model: &TwoTower| {
        let mut pass = Pass::default();
        test.value(&model.forward(&mut pass), &mut Evaluation::default()).sqrt()
    };
    let before = rmse(&model);
    let mut trainer = Trainer::new(Adam::new(0.01).unwrap())
        .stop(Stop::new().steps(300))
        .blocks(Blocks::new(20, 25).unwrap());
    trainer.fit(&rooted(&entries.take(&seen)), &mut model).unwrap();
    // The spread of a column about its mean is 1.1, that about the taste is 0.55.
    assert!(rmse(&model) < 0.75 && before > 1.0, "{before} {}", rmse(&model));
}

#[test]
fn what_cannot_be_trained_on_blocks_is_refused() {
    let entries = ratings((9, 11), 0.5);
    let problem = Problem::completion(&entries).unwrap();
    let mut linear = DeepLinear::new(&[11, 4, 9]).unwrap();
    let error = trainer(1).fit(&problem, &mut linear).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model that is trained on blocks must be a network, but it is another"
    );
    let mut trainer = Trainer::new(GroupRmsProp::new(0.01).unwrap());
    let error = trainer.fit(&problem, &mut small::<f32>(&entries)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the precision of parameters that this optimizer moves must be double, but it is single"
    );
    let sizes = TowerSizes { keep: 1.5, ..TowerSizes::default() };
    let error = TwoTower::<f32>::new(&entries, (1.0, 5.0), &sizes, 0).unwrap_err();
    assert_eq!(error.to_string(), "keep must be above 0 and at most 1, but it is 1.5");
    let error = TwoTower::<f32>::new(&entries, (5.0, 1.0), &TowerSizes::default(), 0).unwrap_err();
    assert_eq!(error.to_string(), "the range must be ascending, but it is 5 to 1");
    let linear = DeepLinear::new(&[11, 4, 9]).unwrap();
    let error = deepmf::analysis::hessian_trace(&rooted(&entries), &linear.layers()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the loss whose curvature is asked for must be a sum over measurements, but it is another"
    );
}
