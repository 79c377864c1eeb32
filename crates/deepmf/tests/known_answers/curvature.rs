//! Curvature against the whole Hessian by difference quotients, and against closed forms.

use std::sync::Arc;

use deepmf::analysis::{
    Hessian, Kind, extreme_curvature, flatness_gap, frobenius_balance, hessian_trace,
    hessian_trace_gradient, hutch_plus_plus, induced_factors, induced_trace, is_flat,
    isotropic_factors, isotropic_minimum, isotropic_trace, isotropic_trace_gradient, layer_traces,
    scalar_sharpness, sharpness, sharpness_lower_bound, sharpness_minimum, sharpness_upper_bound,
    spectral_balance, spectral_density, two_layer_sharpness, unbalanced_layer,
};
use deepmf::data::{self, Entries};
use deepmf::linalg::{End, Mat, MatRef, eigen, svd};
use deepmf::model::{DeepLinear, Init, Model, Params};
use deepmf::problem::{Constant, Full, Huber, Mask, Observation, Problem, Sensing, Squared};
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::train::{Flattest, Room};

const SHAPES: [&[usize]; 7] = [
    &[5, 7],
    &[6, 4, 8],
    &[8, 9, 6],
    &[5, 6, 7, 5],
    &[1, 6, 6, 1],
    &[4, 5, 4, 5, 4],
    &[5, 3, 6, 3, 4],
];

fn network(widths: &[usize], seed: u64) -> DeepLinear {
    let mut model = DeepLinear::new(widths).unwrap();
    let mut random = stream(seed, Purpose::Init, 0);
    model.params_mut().values_mut().iter_mut().for_each(|x| *x = 0.6 * normal(&mut random));
    model
}

fn some_entries(w: &Mat, share: f64) -> Entries {
    let mut random = stream(4, Purpose::Observation, 0);
    let hide = |i, j| if random.random_bool(share) { w[(i, j)] } else { f64::NAN };
    let mut hidden = Mat::from_fn(w.rows(), w.cols(), hide);
    hidden[(0, 0)] = w[(0, 0)];
    Entries::from_dense(&hidden).unwrap()
}

/// Problems that `w` solves, moved away from it by `residual`: all entries, a mask, a weighted mask, operators.
fn problems(w: &Mat, residual: f64) -> Vec<Problem> {
    let mut random = stream(9, Purpose::Noise, 0);
    let mut target = w.clone();
    target.values_mut().iter_mut().for_each(|x| *x += residual * normal(&mut random));
    let shape = (w.rows(), w.cols());
    let entries = some_entries(&target, 0.6);
    let mask = Mask::new(&entries);
    let weights: Vec<f64> = (0..entries.len()).map(|i| 0.5 + (i % 3) as f64).collect();
    let weighted = Squared { constant: Constant::Sum, weights: Some(weights) };
    let sensing = Sensing::gaussian(shape, 9, 3).unwrap();
    let measured = sensing.measure(&target).unwrap();
    vec![
        Problem::full(&target, Constant::Sum).unwrap(),
        Problem::completion_with(&entries, Constant::Mean).unwrap(),
        Problem::single(Arc::new(mask.clone()), mask.order(entries.values()), Arc::new(weighted))
            .unwrap(),
        Problem::sensing(sensing, measured, Constant::HalfSum).unwrap(),
    ]
}

fn gradient(problem: &Problem, model: &DeepLinear) -> Params {
    let mut room = Room::new(model);
    room.evaluate(problem, model);
    room.gradient
}

/// The whole Hessian by central differences of the gradient.
fn whole(problem: &Problem, model: &DeepLinear) -> Mat {
    let size = model.params().values().len();
    let step = 1e-5;
    let moved = |place: usize, by: f64| {
        let mut model = model.clone();
        model.params_mut().values_mut()[place] += by;
        gradient(problem, &model)
    };
    let mut out = Mat::zeros(size, size);
    for place in 0..size {
        let (ahead, behind) = (moved(place, step), moved(place, -step));
        let pairs = ahead.values().iter().zip(behind.values());
        for (out, (a, b)) in out.col_mut(place).iter_mut().zip(pairs) {
            *out = (a - b) / (2.0 * step);
        }
    }
    Mat::from_fn(size, size, |i, j| 0.5 * (out[(i, j)] + out[(j, i)]))
}

fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * expected.abs()
}

fn diagonal_sum(a: &Mat) -> f64 {
    (0..a.rows()).map(|i| a[(i, i)]).sum()
}

#[test]
fn trace_and_largest_eigenvalue_are_those_of_the_whole_hessian() {
    for widths in SHAPES {
        let model = network(widths, 2);
        for residual in [0.0, 0.7] {
            for problem in problems(&model.product(), residual) {
                let whole = whole(&problem, &model);
                let values = eigen(whole.view()).unwrap().values;
                let found = sharpness(&problem, &model.layers(), 1e-9).unwrap();
                let largest = values[values.len() - 1];
                assert!(close(found.value, largest, 1e-6), "{widths:?}: {found:?} {largest}");
                // The quotients themselves are good to about 1e-9.
                let slack = 1e-8 * largest;
                assert!(found.interval.0 - slack <= largest && largest <= found.interval.1 + slack);
                assert_eq!(found.at_minimizer, residual == 0.0, "{widths:?}");
                let trace = hessian_trace(&problem, &model.layers()).unwrap();
                assert!(close(trace, diagonal_sum(&whole), 1e-6), "{widths:?}: {trace}");
                let mut hessian = Hessian::new(&problem, &model, Kind::Full).unwrap();
                let least = extreme_curvature(&mut hessian, End::Smallest, 1e-9).unwrap();
                assert!((least.value - values[0]).abs() < 1e-6 * largest, "{widths:?}");
            }
        }
    }
}

#[test]
fn the_leading_direction_is_an_eigenvector_of_the_hessian() {
    let model = network(&[5, 6, 7, 5], 2);
    for problem in problems(&model.product(), 0.0) {
        let found = sharpness(&problem, &model.layers(), 1e-9).unwrap();
        let mut hessian = Hessian::new(&problem, &model, Kind::Full).unwrap();
        let mut image = vec![0.0; hessian.size()];
        hessian.apply(found.direction.values(), &mut image);
        let pairs = image.iter().zip(found.direction.values());
        let off = pairs.map(|(x, v)| (x - found.value * v).powi(2)).sum::<f64>().sqrt();
        assert!(off < 1e-6 * found.value, "{off}");
    }
}

#[test]
fn blocks_are_those_of_the_whole_hessian() {
    let model = network(&[5, 3, 6, 3, 4], 2);
    for problem in problems(&model.product(), 0.7) {
        let whole = whole(&problem, &model);
        let traces = layer_traces(&problem, &model.layers()).unwrap();
        let mut offset = 0;
        for (place, trace) in traces.iter().enumerate() {
            let mut block =
                Hessian::new(&problem, &model, Kind::Full).unwrap().block(place).unwrap();
            let size = block.size();
            let own = Mat::from_fn(size, size, |i, j| whole[(offset + i, offset + j)]);
            let largest = eigen(own.view()).unwrap().values[size - 1];
            let found = extreme_curvature(&mut block, End::Largest, 1e-9).unwrap().value;
            assert!(close(found, largest, 1e-6) && close(*trace, diagonal_sum(&own), 1e-6));
            offset += size;
        }
    }
}

#[test]
fn the_gradient_of_the_trace_is_its_derivative() {
    for widths in SHAPES {
        let model = network(widths, 5);
        for problem in problems(&model.product(), 0.4) {
            type Value = fn(&Problem, &[MatRef<'_>]) -> deepmf::Result<f64>;
            type Slope = fn(&Problem, &[MatRef<'_>], &mut Params) -> deepmf::Result<f64>;
            let both: [(Value, Slope); 2] = [
                (hessian_trace, hessian_trace_gradient),
                (isotropic_trace, isotropic_trace_gradient),
            ];
            for (value, slope) in both {
                let mut found = model.params().zeros_like();
                let trace = slope(&problem, &model.layers(), &mut found).unwrap();
                assert!(close(trace, value(&problem, &model.layers()).unwrap(), 1e-12));
                let size = found.values().iter().fold(1.0, |m: f64, x| m.max(x.abs()));
                for place in 0..found.values().len() {
                    let moved = |by: f64| {
                        let mut model = model.clone();
                        model.params_mut().values_mut()[place] += by;
                        value(&problem, &model.layers()).unwrap()
                    };
                    let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    assert!((found.values()[place] - expected).abs() < 1e-6 * size, "{widths:?}");
                }
            }
        }
    }
}

#[test]
fn hubers_trace_counts_what_is_inside() {
    let model = network(&[5, 6, 4], 1);
    let (w, shape) = (model.product(), (4, 5));
    let mut target = w.clone();
    target[(1, 2)] += 3.0;
    let loss = Arc::new(Huber::new(0.5, Constant::Sum).unwrap());
    let problem =
        Problem::single(Arc::new(Full::new(shape)), target.values().to_vec(), loss).unwrap();
    let whole = whole(&problem, &model);
    assert!(close(hessian_trace(&problem, &model.layers()).unwrap(), diagonal_sum(&whole), 1e-6));
}

#[test]
fn depth_two_and_scalars_have_closed_forms() {
    for seed in 0..20 {
        let model = network(&[6, 5, 8], seed);
        let problem = Problem::full(&model.product(), Constant::Sum).unwrap();
        let found = sharpness(&problem, &model.layers(), 1e-11).unwrap().value;
        let expected = two_layer_sharpness(model.layer(0), model.layer(1), 2.0).unwrap();
        assert!(close(found, expected, 1e-10), "{found} {expected}");
        for widths in [&[1, 6, 1][..], &[1, 4, 7, 1], &[1, 3, 3, 3, 1]] {
            let model = network(widths, seed);
            let problem = Problem::full(&model.product(), Constant::HalfSum).unwrap();
            let found = sharpness(&problem, &model.layers(), 1e-11).unwrap().value;
            let expected = scalar_sharpness(&model.layers(), 1.0).unwrap();
            assert!(close(found, expected, 1e-10));
            assert!(close(hessian_trace(&problem, &model.layers()).unwrap(), expected, 1e-12));
        }
    }
}

#[test]
fn balanced_minima_are_the_flattest_and_bounds_are_never_violated() {
    for seed in 0..2000 {
        let widths: &[usize] = [&[4, 5, 6][..], &[5, 4, 6, 3], &[4, 4, 5, 4, 4]][seed as usize % 3];
        let depth = widths.len() - 1;
        let model = network(widths, seed);
        let w = model.product();
        let s = svd(w.view()).unwrap();
        let problem = Problem::full(&w, Constant::Sum).unwrap();
        let found = sharpness(&problem, &model.layers(), 1e-10).unwrap().value;
        let minimum = sharpness_minimum(s.s[0], depth, 2.0);
        let most = sharpness_upper_bound(&problem, &model.layers()).unwrap();
        assert!(found >= minimum * (1.0 - 1e-12) && found <= most * (1.0 + 1e-7), "{seed}");
        let isotropic = isotropic_trace(&problem, &model.layers()).unwrap();
        let trace = hessian_trace(&problem, &model.layers()).unwrap();
        let least = 2.0 * isotropic_minimum(&s.s, (w.rows(), w.cols()), depth);
        assert!(close(isotropic, trace, 1e-12) && trace >= least * (1.0 - 1e-12), "{seed}");
        if seed % 20 == 0 {
            let balanced = DeepLinear::balanced(&s, depth).unwrap();
            assert!(close(
                flatness_gap(&problem, &balanced.layers()).unwrap().unwrap(),
                1.0,
                1e-10
            ));
        }
        for problem in &problems(&w, 0.0)[1..] {
            let found = sharpness(problem, &model.layers(), 1e-10).unwrap();
            let least = sharpness_lower_bound(problem, w.view(), depth).unwrap();
            let most = sharpness_upper_bound(problem, &model.layers()).unwrap();
            assert!(least <= found.interval.1 && found.interval.0 <= most, "{seed}");
        }
    }
}

#[test]
fn at_balanced_minima_of_any_depth_the_bounds_meet() {
    for (rows, cols) in [(10, 8), (60, 60)] {
        let w = data::low_rank((rows, cols), 5, 1).unwrap();
        let s = svd(w.view()).unwrap();
        let problem = Problem::full(&w, Constant::Sum).unwrap();
        for depth in [2, 3, 5, 8, 12, 20] {
            let balanced = DeepLinear::balanced(&s, depth).unwrap();
            let found = sharpness(&problem, &balanced.layers(), 1e-10).unwrap();
            let least = sharpness_lower_bound(&problem, w.view(), depth).unwrap();
            assert!(close(least, sharpness_minimum(s.s[0], depth, 2.0), 1e-10), "{depth}");
            assert!(close(found.value, least, 1e-8), "{depth}: {} {least}", found.value);
            assert!(is_flat(&problem, &balanced.layers(), 1e-6).unwrap());
        }
    }
}

#[test]
fn the_layer_in_excess_is_named() {
    let w = data::low_rank((6, 5), 2, 3).unwrap();
    let s = svd(w.view()).unwrap().first(2);
    let problem = Problem::full(&w, Constant::Sum).unwrap();
    let unbalanced = DeepLinear::unbalanced(&s, &[1.0, 3.0, 1.0]).unwrap();
    assert!(unbalanced.product().minus(&w).max_abs() < 1e-12 * w.max_abs());
    let found = flatness_gap(&problem, &unbalanced.layers()).unwrap().unwrap();
    // Aligned layers: the outer terms grow by 3^{2/3}, the middle one falls by 3^{4/3}.
    let expected = (2.0 * 3.0_f64.powf(2.0 / 3.0) + 3.0_f64.powf(-4.0 / 3.0)) / 3.0;
    assert!(
        close(found, expected, 1e-8) && !is_flat(&problem, &unbalanced.layers(), 1e-6).unwrap()
    );
    let balance = frobenius_balance(&unbalanced.layers()).unwrap();
    let (layer, factor) = unbalanced_layer(&balance, 1e-6).unwrap();
    assert!(layer == 2 && close(factor, 3.0_f64.powf(2.0 / 3.0), 1e-10), "{balance:?}");
    let even = DeepLinear::unbalanced(&s, &[2.0, 2.0, 2.0]).unwrap();
    assert_eq!(unbalanced_layer(&frobenius_balance(&even.layers()).unwrap(), 1e-6), None);
    assert!(DeepLinear::unbalanced(&s, &[1.0, -1.0]).is_err());
}

#[test]
fn what_does_not_fit_is_neither_a_minimum_nor_flat() {
    let one = Mat::eye(1, 1);
    let problem = Problem::full(&Mat::eye(1, 1).scaled(2.0), Constant::Sum).unwrap();
    let layers = [one.view(), one.view()];
    assert!(!is_flat(&problem, &layers, 1e-6).unwrap());
    assert_eq!(flatness_gap(&problem, &layers).unwrap(), None);
    let told = sharpness(&problem, &layers, f64::NAN).unwrap_err().to_string();
    assert_eq!(told, "the tolerance of a sharpness must be above 0, but it is NaN");
}

#[test]
fn equal_spectral_norms_are_not_enough() {
    let diagonal = |a: f64, b: f64| Mat::from_columns(2, 2, vec![a, 0.0, 0.0, b]);
    let (first, second) = (diagonal(10.0, 0.1), diagonal(0.1, 10.0));
    let layers = [first.view(), second.view()];
    let problem = Problem::full(&Mat::eye(2, 2), Constant::Sum).unwrap();
    assert!(close(sharpness(&problem, &layers, 1e-10).unwrap().value, 400.0, 1e-10));
    assert!(!is_flat(&problem, &layers, 1e-6).unwrap());
    assert!(spectral_balance(&layers).unwrap().iter().all(|x| close(*x, 10.0, 1e-10)));
}

#[test]
fn a_leading_mode_that_is_split_evenly_is_flat_whatever_the_others_do() {
    // Modes 3 and 1; the second is split 2 : 1/2 between the layers.
    let layer = |second: f64| Mat::from_columns(2, 2, vec![3.0_f64.sqrt(), 0.0, 0.0, second]);
    let (first, last) = (layer(1.5), layer(1.0 / 1.5));
    let layers = [first.view(), last.view()];
    let target = Mat::from_columns(2, 2, vec![3.0, 0.0, 0.0, 1.0]);
    let problem = Problem::full(&target, Constant::Sum).unwrap();
    assert!(is_flat(&problem, &layers, 1e-9).unwrap());
}

#[test]
fn factors_of_least_trace_give_the_matrix_back_and_attain_it() {
    let w = data::low_rank((6, 5), 2, 3).unwrap();
    let s = svd(w.view()).unwrap().first(2);
    for depth in [2, 3, 4, 5] {
        let model = isotropic_factors(&s, depth).unwrap();
        assert!(model.product().minus(&w).max_abs() < 1e-12 * w.max_abs());
        let problem = Problem::full(&w, Constant::Sum).unwrap();
        let trace = hessian_trace(&problem, &model.layers()).unwrap();
        assert!(close(trace, induced_trace(&problem, w.view(), depth).unwrap().unwrap(), 1e-12));
    }
    let cases =
        problems(&w, 0.0).into_iter().map(|problem| (problem, 2)).chain([2, 3, 4].map(|depth| {
            let operator = Sensing::gaussian((6, 5), 1, 8).unwrap();
            let seen = operator.measure(&w).unwrap();
            (Problem::sensing(operator, seen, Constant::Sum).unwrap(), depth)
        }));
    for (problem, depth) in cases {
        let model = induced_factors(&problem, w.view(), depth).unwrap().unwrap();
        assert!(model.product().minus(&w).max_abs() < 1e-9 * w.max_abs(), "{depth}");
        let (trace, least) = (
            hessian_trace(&problem, &model.layers()).unwrap(),
            induced_trace(&problem, w.view(), depth).unwrap().unwrap(),
        );
        assert!(close(trace, least, 1e-9), "{depth}: {trace} {least}");
    }
}

#[test]
fn no_factorization_is_below_the_induced_regularizer() {
    for seed in 0..200 {
        let model = network(&[5, 7, 6], seed);
        for problem in problems(&model.product(), 0.0) {
            let least = induced_trace(&problem, model.product().view(), 2).unwrap().unwrap();
            let trace = hessian_trace(&problem, &model.layers()).unwrap();
            assert!(trace >= least * (1.0 - 1e-10), "{seed}: {trace} {least}");
        }
    }
}

#[test]
fn the_search_finds_what_closed_forms_know() {
    let w = data::low_rank((6, 5), 2, 3).unwrap();
    let operator = Sensing::gaussian((6, 5), 1, 8).unwrap();
    let seen = operator.measure(&w).unwrap();
    let single = Problem::sensing(operator, seen, Constant::Sum).unwrap();
    let two = problems(&w, 0.0).into_iter().map(|problem| (problem, 2));
    let full = || Problem::full(&w, Constant::Mean).unwrap();
    let deep = [(full(), 3), (full(), 4), (single.clone(), 3), (single, 4)];
    for (problem, depth) in two.chain(deep) {
        let found = Flattest::new(1e-13).unwrap().fit(&problem, w.view(), depth).unwrap();
        assert!(found.model.product().minus(&w).max_abs() < 1e-10 * w.max_abs());
        let least = induced_trace(&problem, w.view(), depth).unwrap().unwrap();
        assert!(close(found.trace, least, 1e-8), "{depth}: {} {least}", found.trace);
    }
}

#[test]
fn the_search_ends_where_the_trace_cannot_fall_along_any_gauge() {
    let w = data::low_rank((6, 5), 2, 3).unwrap();
    for problem in problems(&w, 0.0) {
        let found = Flattest::new(1e-13).unwrap().fit(&problem, w.view(), 4).unwrap();
        for (place, seed) in [(0, 1), (1, 2), (2, 3)] {
            // W_j → (I + t X) W_j, W_{j+1} → W_{j+1} (I + t X)^{−1}, to second order in t.
            let x = network(&[2, 2], seed).product();
            let moved = |t: f64| {
                let mut model = found.model.clone();
                let one = Mat::eye(2, 2);
                let ahead = one.clone().minus(&x.clone().scaled(-t));
                let back = one.minus(&x.clone().scaled(t)).minus(&x.times(&x).scaled(-t * t));
                let lower = ahead.times(&model.layer(place).to_mat());
                let upper = model.layer(place + 1).times(back.view());
                model.params_mut().set(place, &lower).unwrap();
                model.params_mut().set(place + 1, &upper).unwrap();
                hessian_trace(&problem, &model.layers()).unwrap()
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(slope.abs() < 1e-5 * found.trace, "{slope} {}", found.trace);
            assert!(moved(0.05) > found.trace && moved(-0.05) > found.trace);
        }
    }
}

#[test]
fn no_factorization_is_below_the_least_trace_of_one_measurement() {
    for seed in 0..2000 {
        let widths: &[usize] =
            [&[5, 4, 6][..], &[5, 4, 4, 6], &[4, 3, 3, 3, 4], &[4, 3, 3, 3, 3, 4]]
                [seed as usize % 4];
        let (depth, model) = (widths.len() - 1, network(widths, seed));
        let shape = Model::shape(&model);
        let operator = Sensing::gaussian(shape, 1, seed).unwrap();
        let seen = operator.measure(&model.product()).unwrap();
        let problem = Problem::sensing(operator, seen, Constant::Sum).unwrap();
        let trace = hessian_trace(&problem, &model.layers()).unwrap();
        // Where the powers fall below rounding, that is said.
        match induced_trace(&problem, model.product().view(), depth) {
            Ok(least) => assert!(trace >= least.unwrap() * (1.0 - 1e-10), "{seed}"),
            Err(error) => assert!(error.to_string().contains("1e-12 or more"), "{error}"),
        }
    }
}

#[test]
fn estimates_are_near_what_they_estimate() {
    let model = network(&[9, 8, 8, 9], 3);
    let problem = Problem::full(&model.product(), Constant::Sum).unwrap();
    let exact = hessian_trace(&problem, &model.layers()).unwrap();
    let mut hessian = Hessian::new(&problem, &model, Kind::Full).unwrap();
    let found = hutch_plus_plus(&mut hessian, 90, 1).unwrap();
    assert!((found.value - exact).abs() < 4.0 * found.standard_error, "{found:?} {exact}");
    assert!(found.standard_error < 0.02 * exact && found.products == 90);
    let density = spectral_density(&mut hessian, 8, 25, 1).unwrap();
    let size = hessian.size() as f64;
    assert!(close(density.mean(|_| 1.0), 1.0, 1e-12));
    assert!(close(density.mean(|x| x) * size, exact, 0.1));
    let largest = sharpness(&problem, &model.layers(), 1e-10).unwrap().value;
    let last = density.nodes[density.nodes.len() - 1].0;
    assert!(last <= largest * (1.0 + 1e-9) && close(last, largest, 1e-3));
}

#[test]
fn wrong_layers_are_told() {
    let problem = Problem::full(&Mat::eye(3, 3), Constant::Sum).unwrap();
    let (a, b) = (Mat::eye(3, 2), Mat::eye(4, 3));
    let told = |layers: &[MatRef<'_>]| sharpness(&problem, layers, 1e-6).unwrap_err().to_string();
    assert_eq!(told(&[]), "depth must be 1 or more, but it is 0");
    assert_eq!(told(&[a.view(), a.view()]), "layer 2 must have shape (3, 3), but it has (3, 2)");
    assert_eq!(
        told(&[a.view(), b.view()]),
        "the product of the layers must have shape (3, 3), but it has (4, 2)"
    );
}

#[test]
fn every_observation_gives_the_same_block_trace_as_its_operators() {
    let shape = (5, 4);
    let w = network(&[4, 5], 3).product();
    let entries = some_entries(&w, 0.5);
    let all: Vec<Box<dyn Observation>> = vec![
        Box::new(Full::new(shape)),
        Box::new(Mask::sparse(&entries)),
        Box::new(Mask::dense(&entries)),
        Box::new(Sensing::gaussian(shape, 6, 1).unwrap()),
    ];
    let (left, right) = (network(&[5, 3], 1).product(), network(&[4, 2], 2).product());
    for observation in all {
        let weights: Vec<f64> = (0..observation.len()).map(|i| 1.0 + (i % 4) as f64).collect();
        let (mut trace, mut to_left) = (0.0, Mat::zeros(3, 5));
        let mut to_right = Mat::zeros(2, 4);
        for (i, w) in weights.iter().enumerate() {
            let a = observation.operator(i);
            let sides = left.times(&a).view().times(right.t());
            trace += w * sides.frobenius().powi(2);
            let gram_right = right.t().times(right.view());
            let gram_left = left.t().times(left.view());
            let l = left.times(&a).times(&gram_right).view().times(a.t()).scaled(-w);
            to_left = to_left.minus(&l);
            let r = right.view().times(a.t()).times(&gram_left).times(&a).scaled(-w);
            to_right = to_right.minus(&r);
        }
        let (l, r) = (left.view(), right.view());
        assert!(close(observation.block_trace(&weights, Some(l), Some(r)), trace, 1e-12));
        let found = observation.left_slope(&weights, l, Some(r));
        assert!(found.minus(&to_left).max_abs() < 1e-12 * to_left.max_abs(), "{observation:?}");
        let found = observation.right_slope(&weights, Some(l), r);
        assert!(found.minus(&to_right).max_abs() < 1e-12 * to_right.max_abs(), "{observation:?}");
    }
}

#[test]
fn a_start_of_the_identity_is_as_flat_as_can_be() {
    let model = DeepLinear::new(&[4, 4, 4, 4]).unwrap();
    let model = model.init(&Init::Identity { scale: 1.0 }, 0).unwrap();
    let problem = Problem::full(&Mat::eye(4, 4), Constant::Sum).unwrap();
    assert!(close(sharpness(&problem, &model.layers(), 1e-10).unwrap().value, 6.0, 1e-10));
}
