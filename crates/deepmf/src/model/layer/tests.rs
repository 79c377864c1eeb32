//! Laws of the layers, each held over one table of cases, and numbers of another program.

use std::sync::Arc;

use super::*;
use crate::data::Entries;
use crate::random::{Purpose, normal, stream};

const COUNT: usize = 5;

/// Every layer, with the way it is used: from 6 numbers a sample.
fn layers<T: Real>() -> Vec<Arc<dyn Layer<T>>> {
    vec![
        Arc::new(Dense::new(6, 4)),
        Arc::new(SparseDense::new(6, 4)),
        Arc::new(BatchNorm::new(6)),
        Arc::new(Relu::new(6)),
        Arc::new(Sigmoid::new(6)),
        Arc::new(ScaledTanh::new(6)),
        Arc::new(Latents::new(COUNT, 4)),
        Arc::new(Dropout::new(6, 0.6, 1).unwrap()),
    ]
}

fn networks<T: Real>() -> Vec<Network<T>> {
    let one = |layer: Arc<dyn Layer<T>>| Network::new(vec![layer]).unwrap();
    // With the smaller share, so few numbers are left that the last product goes by sums.
    let towers = [(9, 0.7), (40, 0.2)].map(|(hidden, keep)| {
        let tower: Vec<Arc<dyn Layer<T>>> = vec![
            Arc::new(SparseDense::new(6, hidden)),
            Arc::new(BatchNorm::new(hidden)),
            Arc::new(Relu::new(hidden)),
            Arc::new(Dropout::new(hidden, keep, 0).unwrap()),
            Arc::new(Dense::new(hidden, 4)),
            Arc::new(BatchNorm::new(4)),
        ];
        Network::new(tower).unwrap()
    });
    layers().into_iter().map(one).chain(towers).collect()
}

fn numbers(count: usize, item: u64) -> Vec<f64> {
    let mut random = stream(3, Purpose::Noise, item);
    (0..count).map(|_| normal(&mut random)).collect()
}

/// Sparse samples and the same ones dense; one place is known of no sample.
fn batch(count: usize, width: usize) -> (Samples<f64>, Vec<f64>) {
    let known = |i: usize, j: usize| !(i * 7 + j * 3).is_multiple_of(4) && j != 4;
    let mut dense = numbers(count * width, 1);
    let (mut rows, mut cols, mut values) = (vec![], vec![], vec![]);
    for j in (0..width).rev() {
        for i in 0..count {
            if known(i, j) {
                rows.push(i as u32);
                cols.push(j as u32);
                values.push(dense[j * count + i]);
            } else {
                dense[j * count + i] = 0.0;
            }
        }
    }
    let entries = Entries::new((count, width), rows, cols, values).unwrap();
    (Samples::rows(&entries), dense)
}

struct Case {
    network: Network<f64>,
    params: Vec<f64>,
    state: Vec<f64>,
    sparse: bool,
}

fn cases() -> Vec<Case> {
    let make = |network: Network<f64>| {
        let total = |slots: Vec<(String, usize, usize)>| {
            slots.iter().map(|(_, rows, cols)| rows * cols).sum()
        };
        let (count, states): (usize, usize) =
            (total(network.slots().collect()), total(network.state_slots().collect()));
        let state = numbers(states, 5).iter().map(|x| 0.5 + x.abs()).collect();
        let sparse = format!("{network:?}").contains("SparseDense");
        Case { network, params: numbers(count, 4), state, sparse }
    };
    networks().into_iter().map(make).collect()
}

const MODES: [Mode; 2] = [Mode::Inference, Mode::Training { seed: 2, step: 7 }];

impl Case {
    fn at<'a>(&self, sparse: &'a Samples<f64>, dense: &'a [f64]) -> Input<'a, f64> {
        if self.sparse {
            Input::Sparse(sparse)
        } else {
            Input::Dense { count: COUNT, values: dense }
        }
    }

    fn value(&self, params: &[f64], mode: Mode) -> Vec<f64> {
        let ((sparse, dense), mut way) = (batch(COUNT, 6), Way::default());
        self.network.forward(params, &self.state, self.at(&sparse, &dense), mode, &mut way);
        way.output().to_vec()
    }
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn moved(x: &[f64], along: &[f64], by: f64) -> Vec<f64> {
    x.iter().zip(along).map(|(x, along)| x + by * along).collect()
}

#[test]
fn the_way_back_is_the_transpose_of_the_derivative_in_the_parameters() {
    for case in cases() {
        for mode in MODES {
            let ((sparse, dense), mut way) = (batch(COUNT, 6), Way::default());
            let input = case.at(&sparse, &dense);
            case.network.forward(&case.params, &case.state, input, mode, &mut way);
            let slope = numbers(way.output().len(), 6);
            way.slope_mut().clone_from(&slope);
            // What was there before must not matter.
            let mut into = vec![f64::NAN; case.params.len()];
            case.network.backward(&case.params, input, &mut way, &mut into);
            let along = numbers(case.params.len(), 7);
            let h = 1e-6;
            let [up, down] = [h, -h].map(|h| case.value(&moved(&case.params, &along, h), mode));
            let quotient = inner(&moved(&up, &down, -1.0), &slope) / (2.0 * h);
            let exact = inner(&into, &along);
            assert!((exact - quotient).abs() < 1e-7, "{:?} {exact} {quotient}", case.network);
        }
    }
}

#[test]
fn the_way_back_is_the_transpose_of_the_derivative_in_the_input() {
    for layer in layers::<f64>() {
        if format!("{layer:?}").contains("Sparse") {
            continue;
        }
        for mode in MODES {
            let total = |slots: Vec<(&'static str, usize, usize)>| {
                slots.iter().map(|(_, rows, cols)| rows * cols).sum()
            };
            let params = numbers(total(layer.slots()), 4);
            let state: Vec<f64> =
                numbers(total(layer.state_slots()), 5).iter().map(|x| 0.5 + x.abs()).collect();
            let (x, along) = (numbers(COUNT * 6, 8), numbers(COUNT * 6, 9));
            let value = |values: &[f64], tape: &mut Tape<f64>| {
                let input = Input::Dense { count: COUNT, values };
                layer.forward(&params, &state, input, mode, tape);
                tape.output.clone()
            };
            let mut tape = Tape::default();
            let slope = numbers(value(&x, &mut tape).len(), 6);
            let (mut into, mut back) = (params.clone(), Vec::new());
            let input = Input::Dense { count: COUNT, values: &x };
            layer.backward(&params, input, &mut tape, &slope, &mut into, Some(&mut back));
            let h = 1e-6;
            let [up, down] = [h, -h].map(|h| value(&moved(&x, &along, h), &mut Tape::default()));
            let quotient = inner(&moved(&up, &down, -1.0), &slope) / (2.0 * h);
            assert!((inner(&back, &along) - quotient).abs() < 1e-7, "{layer:?}");
        }
    }
}

#[test]
fn sparse_and_dense_samples_give_the_same_numbers() {
    let (sparse, dense) = batch(COUNT, 6);
    let params = numbers(6 * 4 + 4, 1);
    let (first, second) = (SparseDense::new(6, 4), Dense::new(6, 4));
    let mut tapes = [Tape::default(), Tape::default()];
    let input = Input::Dense { count: COUNT, values: &dense };
    first.forward(&params, &[], Input::Sparse(&sparse), Mode::Inference, &mut tapes[0]);
    second.forward(&params, &[], input, Mode::Inference, &mut tapes[1]);
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
    assert!(close(&tapes[0].output, &tapes[1].output));
    let slope = numbers(COUNT * 4, 2);
    let mut into = [params.clone(), params.clone()];
    let [sparse_into, dense_into] = &mut into;
    let [sparse_tape, dense_tape] = &mut tapes;
    first.backward(&params, Input::Sparse(&sparse), sparse_tape, &slope, sparse_into, None);
    second.backward(&params, input, dense_tape, &slope, dense_into, None);
    assert!(close(&into[0], &into[1]));
    // Place 4 is known of no sample.
    assert_eq!(into[0][16..20], [0.0; 4]);
}

#[test]
fn few_numbers_after_a_rectifier_give_what_the_dense_products_give() {
    let (count, before, after) = (7, 90, 35);
    let kept = |e: usize| e.is_multiple_of(11) && e / count != 5;
    let values = numbers(count * before, 1).into_iter().enumerate();
    let values: Vec<f64> = values.map(|(e, x)| if kept(e) { x } else { 0.0 }).collect();
    let params = numbers((before + 1) * after, 2);
    let slope = numbers(count * after, 3);
    let layer = Dense::new(before, after);
    let pass = |input| {
        let (mut tape, mut into, mut back) = (Tape::default(), params.clone(), vec![f64::NAN; 3]);
        // Twice, so that storage kept from one use to the next is held too.
        for _ in 0..2 {
            layer.forward(&params, &[], input, MODES[1], &mut tape);
            layer.backward(&params, input, &mut tape, &slope, &mut into, Some(&mut back));
        }
        (tape.output, into, back)
    };
    let dense = pass(Input::Dense { count, values: &values });
    let thin = pass(Input::Thin { count, values: &values });
    let close = |a: &[f64], b: &[f64]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13)
    };
    assert!(close(&thin.0, &dense.0) && close(&thin.1, &dense.1));
    let wanted = dense.2.iter().zip(&values).map(|(x, value)| if *value == 0.0 { 0.0 } else { *x });
    assert!(close(&thin.2, &wanted.collect::<Vec<_>>()));
}

#[test]
fn a_zero_passes_no_slope_where_a_tape_says_so() {
    let (_, dense) = batch(COUNT, 6);
    let (relu, dropout) = (Relu::new(6), Dropout::new(6, 0.6, 1).unwrap());
    let input = |thin| {
        let (count, values) = (COUNT, &*dense);
        if thin { Input::Thin { count, values } } else { Input::Dense { count, values } }
    };
    let said = |layer: &dyn Layer<f64>, thin, mode| {
        let mut tape = Tape::default();
        layer.forward(&[], &[], input(thin), mode, &mut tape);
        tape.thin
    };
    for mode in MODES {
        assert!(said(&relu, false, mode) && said(&relu, true, mode) && said(&dropout, true, mode));
        assert!(!said(&dropout, false, mode));
    }
}

#[test]
fn taken_samples_are_those_of_the_table() {
    let (all, dense) = batch(COUNT, 6);
    let mut some = Samples::default();
    // Twice, so that storage kept from one use to the next is held too.
    some.take(&all, &[0, 1, 2, 3]);
    some.take(&all, &[4, 2]);
    assert_eq!((some.count(), some.width()), (2, 6));
    for (place, sample) in [(0, 4), (1, 2)] {
        let found: Vec<(usize, f64)> = some.sample(place).collect();
        let expected = (0..6).map(|j| (j, dense[j * COUNT + sample]));
        let expected: Vec<(usize, f64)> = expected.filter(|(_, x)| *x != 0.0).collect();
        assert_eq!(found, expected);
    }
}

/// Numbers of PyTorch, `torch.nn.BatchNorm1d(2, eps=1e-3, momentum=0.1)` in double precision with weight (1.5, −0.5) and bias
/// (0.25, 1) on [[1, 4], [2, −1], [4, 0.5]], `backward` of [[1, 2], [−1, 0.5], [3, 1]], then `eval()` on the same batch.
#[test]
fn batch_norm_is_that_of_pytorch() {
    let norm = BatchNorm::new(2);
    let (params, mut state) = ([1.5, -0.5, 0.25, 1.0], [0.0, 0.0, 1.0, 1.0]);
    let x = [1.0, 2.0, 4.0, 4.0, -1.0, 0.5];
    let input = Input::Dense { count: 3, values: &x };
    let mut tape = Tape::default();
    norm.forward(&params, &state, input, MODES[1], &mut tape);
    let close = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let gaps = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        assert!(gaps.fold(0.0, f64::max) < 1e-12, "{found:?} {expected:?}");
    };
    let first = [-1.353_052_267_458_420_9, -0.150_763_066_864_604_5, 2.253_815_334_323_025_6];
    let second = [0.323_853_333_430_457_98, 1.517_053_333_259_061_4, 1.159_093_333_310_480_5];
    close(&tape.output, &[first, second].concat());
    let (mut into, mut back) = ([0.0; 4], Vec::new());
    let slope = [1.0, -1.0, 3.0, 2.0, 0.5, 1.0];
    norm.backward(&params, input, &mut tape, &slope, &mut into, Some(&mut back));
    let first = [1.373_162_053_644_160_9, -2.061_287_887_776_590_6, 0.688_125_834_132_43];
    let second = [0.002_219_752_461_145_554, 0.005_321_365_763_998_125, -0.007_541_118_225_143_665];
    close(&back, &[first, second].concat());
    close(&into, &[3.206_104_534_916_841_3, 1.869_346_666_398_144_6, 3.0, 3.5]);
    norm.learn(&mut state, &tape);
    let means = [0.233_333_333_333_333_36, 0.116_666_666_666_666_68];
    close(&state, &[means, [1.133_333_333_333_333_3, 1.558_333_333_333_333_3]].concat());
    norm.forward(&params, &state, input, Mode::Inference, &mut tape);
    let first = [1.329_760_642_166_870_4, 2.738_144_088_471_484, 5.554_910_981_080_711];
    let second = [-0.554_909_774_373_259, 1.447_119_978_038_662_3, 0.846_511_052_315_085_9];
    close(&tape.output, &[first, second].concat());
}

#[test]
fn dropout_keeps_its_share_and_draws_anew_for_each_step_and_number() {
    let ones = vec![1.0; 40 * 500];
    let drawn = |number, step, mode: fn(u64) -> Mode| {
        let dropout = Dropout::new(500, 0.1, number).unwrap();
        let mut tape = Tape::default();
        let input = Input::Dense { count: 40, values: &ones };
        dropout.forward(&[], &[], input, mode(step), &mut tape);
        tape.output
    };
    let training = |step| Mode::Training { seed: 1, step };
    let first = drawn(0, 0, training);
    let kept = first.iter().filter(|x| **x == 10.0).count();
    // 2000 expected, with a standard deviation of 42.
    assert!(first.iter().all(|x| *x == 0.0 || *x == 10.0) && kept.abs_diff(2000) < 170, "{kept}");
    assert_eq!(drawn(0, 0, training), first);
    for other in [drawn(1, 0, training), drawn(0, 1, training)] {
        let both = first.iter().zip(&other).filter(|(a, b)| **a > 0.0 && **b > 0.0).count();
        // 200 expected, with a standard deviation of 14.
        assert!(both.abs_diff(200) < 60, "{both}");
    }
    assert_eq!(drawn(0, 0, |_| Mode::Inference), ones);
}

#[test]
fn the_same_seed_gives_the_same_bits_of_a_network_at_one_and_two_threads() {
    let (count, width, hidden) = (130, 300, 400);
    let (samples, _) = batch(count, width);
    let samples = {
        let mut all = Samples::<f32>::default();
        let values: Vec<f64> = (0..count).flat_map(|i| samples.sample(i).map(|x| x.1)).collect();
        let cells = (0..count).flat_map(|i| samples.sample(i).map(move |x| (i, x.0)));
        let (rows, cols): (Vec<usize>, Vec<usize>) = cells.unzip();
        let ids = |ids: Vec<usize>| ids.into_iter().map(|id| id as u32).collect();
        let table = Entries::new((count, width), ids(rows), ids(cols), values).unwrap();
        all.take(&Samples::rows(&table), &(0..count as u32).collect::<Vec<_>>());
        all
    };
    for keep in [0.5, 0.1] {
        let layers: Vec<Arc<dyn Layer<f32>>> = vec![
            Arc::new(SparseDense::new(width, hidden)),
            Arc::new(BatchNorm::new(hidden)),
            Arc::new(Relu::new(hidden)),
            Arc::new(Dropout::new(hidden, keep, 0).unwrap()),
            Arc::new(Dense::new(hidden, hidden)),
        ];
        let network = Network::new(layers).unwrap();
        let total = |slots: Vec<(String, usize, usize)>| slots.iter().map(|s| s.1 * s.2).sum();
        let bits = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut params: Vec<f32> = vec![0.0; total(network.slots().collect())];
                let mut state = vec![0.0; total(network.state_slots().collect())];
                network.start(&mut params, &mut state, 1, 0);
                let (mut way, mut into) = (Way::default(), params.clone());
                let input = Input::Sparse(&samples);
                network.forward(&params, &state, input, MODES[1], &mut way);
                way.slope_mut().resize(count * hidden, 0.25);
                network.backward(&params, input, &mut way, &mut into);
                network.learn(&mut state, &way);
                let numbers = way.output().iter().chain(&into).chain(&state);
                numbers.map(|x| x.to_bits()).collect::<Vec<_>>()
            })
        };
        assert!(bits(1) == bits(2));
    }
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let message = |layers: Vec<Arc<dyn Layer<f64>>>| Network::new(layers).unwrap_err().to_string();
    assert_eq!(message(vec![]), "the number of layers must be 1 or more, but it is 0");
    assert_eq!(
        message(vec![Arc::new(Dense::new(3, 4)), Arc::new(Relu::new(5))]),
        "layer 2 must have 4 inputs, but it has 5"
    );
    let keep = Dropout::new(3, 0.0, 0).unwrap_err().to_string();
    assert_eq!(keep, "keep must be above 0 and at most 1, but it is 0");
}
