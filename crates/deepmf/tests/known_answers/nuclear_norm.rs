//! Nuclear-norm minimisation against closed forms and against its own dual.

use std::sync::Arc;

use deepmf::data::{self, Entries};
use deepmf::linalg::{Mat, singular_values, svd};
use deepmf::problem::{Constant, Evaluation, Problem, Sensing};
use deepmf::product::Product;
use deepmf::random::{Purpose, normal, stream};
use deepmf::train::{NuclearNorm, Path, StopReason};

fn gaussian(rows: usize, cols: usize, item: u64) -> Mat {
    let mut random = stream(11, Purpose::Truth, item);
    Mat::from_fn(rows, cols, |_, _| normal(&mut random))
}

fn seen(side: usize, rank: usize, count: usize, seed: u64) -> Entries {
    let truth = data::low_rank((side, side), rank, seed).unwrap();
    data::observe(&truth, &data::random_cells((side, side), count, seed).unwrap()).unwrap()
}

fn nuclear_norm(w: &Mat) -> f64 {
    singular_values(w.view()).unwrap().iter().sum()
}

#[test]
fn with_every_entry_seen_the_penalised_minimiser_is_the_soft_threshold() {
    let y = gaussian(14, 9, 0);
    let parts = svd(y.view()).unwrap();
    for lambda in [0.5, 2.0, 1.1 * parts.s[0]] {
        let problem = Problem::completion(&Entries::from_dense(&y).unwrap()).unwrap();
        let found =
            NuclearNorm::new(&problem).unwrap().gap(1e-12).unwrap().penalised(lambda).unwrap();
        let shrunk = Mat::from_fn(14, 9, |i, j| {
            (0..9).map(|r| parts.u[(i, r)] * (parts.s[r] - lambda).max(0.0) * parts.v[(j, r)]).sum()
        });
        let gap = found.model.product().minus(&shrunk).max_abs();
        assert!(gap < 1e-6, "lambda {lambda}: {gap}");
        assert_eq!(found.reason, StopReason::GapClosed);
    }
}

#[test]
fn the_gap_closes_for_masks_and_operators_and_the_dual_point_is_feasible() {
    let side = 30;
    let mask = Problem::completion(&seen(side, 2, 420, 1)).unwrap();
    let operators = Sensing::gaussian((side, side), 300, 2).unwrap();
    let targets = operators.measure(&data::low_rank((side, side), 2, 2).unwrap()).unwrap();
    let sensing = Problem::sensing(operators, targets, Constant::HalfSum).unwrap();
    for (name, problem) in [("mask", mask), ("sensing", sensing)] {
        let mut values = Vec::new();
        for within in [0.0, 1e-3] {
            let found =
                NuclearNorm::new(&problem).unwrap().within(within).unwrap().constrained().unwrap();
            let bound = found.certificate;
            assert!((-1e-9..=1e-6).contains(&bound.gap), "{name}, {within}: {bound:?}");
            // What is claimed, computed again from the point itself.
            let term = &problem.terms()[0];
            let mut pull = deepmf::product::Cotangent::default();
            pull.clear(problem.shape());
            term.observation.adjoint(&found.multipliers, &mut pull);
            assert!(singular_values(pull.to_dense().view()).unwrap()[0] <= 1.0 + 1e-9);
            let dual: f64 = (term.targets.iter().zip(&found.multipliers))
                .map(|(y, z)| y * z - within * z.abs())
                .sum();
            assert!((dual / bound.dual - 1.0).abs() < 1e-9, "{name}: {dual} {bound:?}");
            let x = found.model.product();
            let mut out = vec![0.0; term.targets.len()];
            term.observation.apply(&Product::Dense(x.view()), &mut Mat::default(), &mut out);
            let far = out.iter().zip(&term.targets).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far <= within + 1e-5, "{name}, {within}: {far}");
            assert!((nuclear_norm(&x) / bound.primal - 1.0).abs() < 1e-5);
            values.push(bound.primal);
        }
        assert!(values[1] < values[0], "{name}: a box allows no more than an equality");
    }
}

#[test]
fn the_problems_of_the_paper_are_solved_to_a_relative_gap_of_1e_6() {
    for (count, ratio) in [(2_000, 0.9..1.0), (5_000, 0.9999..1.0001)] {
        let entries = seen(100, 5, count, 0);
        let truth = nuclear_norm(&data::low_rank((100, 100), 5, 0).unwrap());
        let found = NuclearNorm::new(&Problem::completion(&entries).unwrap())
            .unwrap()
            .constrained()
            .unwrap();
        let bound = found.certificate;
        assert!(bound.gap <= 1e-6, "{count} entries: {bound:?}");
        assert!(ratio.contains(&(bound.primal / truth)), "{count}: {} of {truth}", bound.primal);
    }
}

#[test]
fn operators_that_commute_with_a_diagonal_give_the_linear_program() {
    // Diagonal operators see the diagonal alone: the least nuclear norm is that of min Σ|w|, A w = y.
    let diagonal =
        |w: [f64; 3]| Mat::from_fn(3, 3, |i, j| if i == j { w[i] } else { 0.0 }).values().to_vec();
    // w₁ + w₂ = 1, w₂ + 2 w₃ = 3: the least sum |w₁| + |w₂| + |w₃| = 2 is at (0, 1, 1).
    let operators: Vec<f64> = [diagonal([1.0, 1.0, 0.0]), diagonal([0.0, 1.0, 2.0])].concat();
    let observed = Sensing::new((3, 3), operators).unwrap();
    let loss = Arc::new(deepmf::problem::Squared { constant: Constant::HalfSum, weights: None });
    let problem = Problem::single(Arc::new(observed), vec![1.0, 3.0], loss).unwrap();
    let found = NuclearNorm::new(&problem).unwrap().constrained().unwrap();
    assert!((found.certificate.primal - 2.0).abs() < 1e-5, "{:?}", found.certificate);
    let x = found.model.product();
    assert!((x[(1, 1)] - 1.0).abs() < 1e-3 && (x[(2, 2)] - 1.0).abs() < 1e-3, "{x:?}");
}

#[test]
fn permuted_rows_give_permuted_rows_and_threads_change_no_bit() {
    let entries = seen(30, 2, 500, 3);
    let solve = |entries: &Entries| {
        NuclearNorm::new(&Problem::completion(entries).unwrap()).unwrap().penalised(2.0).unwrap()
    };
    let found = solve(&entries).model.product();
    let turned: Vec<u32> = entries.rows().iter().map(|i| (i + 7) % 30).collect();
    let moved = Entries::new((30, 30), turned, entries.cols().to_vec(), entries.values().to_vec());
    let other = solve(&moved.unwrap()).model.product();
    let gap = Mat::from_fn(30, 30, |i, j| other[((i + 7) % 30, j)]).minus(&found).max_abs();
    assert!(gap < 1e-4 * found.max_abs(), "{gap}");
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| solve(&entries).model.product())
    };
    assert_eq!(with(1).values(), with(2).values());
}

#[test]
fn a_path_is_left_where_the_validation_has_grown() {
    let truth = data::low_rank((40, 40), 3, 5).unwrap();
    let noise = gaussian(40, 40, 9);
    let noisy = Mat::from_fn(40, 40, |i, j| truth[(i, j)] + 0.5 * noise[(i, j)]);
    let all = data::observe(&noisy, &data::random_cells((40, 40), 900, 5).unwrap()).unwrap();
    let (train, held) = data::split(&all, 0.2, 5).unwrap();
    let validation = Problem::completion(&held).unwrap();
    let path = Path::new(30, 1e-3).unwrap().validation(validation.clone(), 3);
    let points =
        NuclearNorm::new(&Problem::completion(&train).unwrap()).unwrap().path(&path).unwrap();
    assert!(points.len() < 30);
    assert!(points.windows(2).all(|pair| pair[0].lambda > pair[1].lambda));
    assert!(points.iter().all(|point| point.minimizer.certificate.gap <= 1e-6));
    assert!(points[0].minimizer.singular_values.is_empty());
    let best = points
        .iter()
        .min_by(|a, b| a.validation.unwrap().total_cmp(&b.validation.unwrap()))
        .unwrap();
    let again = validation
        .value(&Product::Dense(best.minimizer.model.product().view()), &mut Evaluation::default());
    assert!((again / best.validation.unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn settings_out_of_range_are_refused() {
    let problem = Problem::completion(&seen(10, 1, 60, 0)).unwrap();
    let fresh = || NuclearNorm::new(&problem).unwrap();
    assert!(fresh().within(-1.0).is_err());
    assert!(fresh().gap(0.0).is_err());
    assert!(fresh().penalised(0.0).is_err());
    assert!(Path::new(1, 0.1).is_err() && Path::new(5, 1.0).is_err());
}
