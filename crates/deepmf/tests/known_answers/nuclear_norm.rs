//! Least nuclear norms that are known in closed form, and the certificate that proves the others.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use deepmf::data::{self, Entries};
use deepmf::linalg::{Mat, Svd, singular_values, svd};
use deepmf::problem::{Constant, Problem, Sensing};
use deepmf::product::Cotangent;
use deepmf::random::{Purpose, normal, stream};
use deepmf::train::{Minimizer, NuclearNorm, Path, StopReason};

fn entries(shape: (usize, usize), cells: &[(u32, u32, f64)]) -> Entries {
    let rows = cells.iter().map(|c| c.0).collect();
    let cols = cells.iter().map(|c| c.1).collect();
    Entries::new(shape, rows, cols, cells.iter().map(|c| c.2).collect()).unwrap()
}

fn completion(shape: (usize, usize), cells: &[(u32, u32, f64)]) -> Problem {
    Problem::completion(&entries(shape, cells)).unwrap()
}

fn low_rank(side: usize, rank: usize, count: usize, seed: u64) -> (Mat, Problem) {
    let truth = data::low_rank((side, side), rank, seed).unwrap();
    let cells = data::random_cells((side, side), count, seed).unwrap();
    let problem = Problem::completion(&data::observe(&truth, &cells).unwrap()).unwrap();
    (truth, problem)
}

fn nuclear(matrix: &Mat) -> f64 {
    singular_values(matrix.view()).unwrap().iter().sum()
}

/// The certificate computed again from the dual point and from X, both multiplied out.
fn proves(problem: &Problem, found: &Minimizer, within: f64) {
    let term = &problem.terms()[0];
    let mut pull = Cotangent::default();
    pull.clear(problem.shape());
    term.observation.adjoint(&found.multipliers, &mut pull);
    let norm = singular_values(pull.to_dense().view()).unwrap()[0];
    assert!(norm <= 1.0 + 1e-12, "the dual point is feasible: {norm}");
    let z = found.multipliers.iter();
    let dual: f64 = z.zip(&term.targets).map(|(z, y)| z * y - within * z.abs()).sum();
    let bound = found.certificate;
    assert!((dual - bound.dual).abs() <= 1e-12 * dual.abs());
    assert!(bound.gap >= -1e-12 && bound.gap <= 1e-6, "{bound:?}");
    let plain = nuclear(&found.model.product());
    assert!(plain <= bound.primal * (1.0 + 1e-12), "{plain} {bound:?}");
    assert!(plain >= bound.dual * (1.0 - 1e-6), "{plain} {bound:?}");
    assert_eq!(found.reason, StopReason::GapClosed);
}

#[test]
fn a_known_matrix_is_its_own_minimiser_and_its_penalised_one_has_shrunk_values() {
    let truth = data::low_rank((9, 7), 4, 3).unwrap();
    let problem = Problem::full(&truth, Constant::Mean).unwrap();
    let solver = NuclearNorm::new(&problem).unwrap().gap(1e-11).unwrap();
    let found = solver.constrained().unwrap();
    assert!((found.certificate.primal / nuclear(&truth) - 1.0).abs() < 1e-8);
    assert!(found.model.product().minus(&truth).max_abs() < 1e-7);

    let Svd { u, s, v } = svd(truth.view()).unwrap();
    assert!((solver.largest_penalty().unwrap() / s[0] - 1.0).abs() < 1e-9);
    for lambda in [0.9 * s[0], 0.5 * (s[1] + s[2]), 0.5 * s[3]] {
        let shrunk = Mat::from_fn(9, s.len(), |i, r| u[(i, r)] * (s[r] - lambda).max(0.0));
        let expected = shrunk.view().times(v.t());
        let found = solver.penalised(lambda).unwrap();
        assert!(found.model.product().minus(&expected).max_abs() < 1e-5);
        assert_eq!(found.singular_values.len(), s.iter().filter(|&&s| s > lambda).count());
    }
    let zero = solver.penalised(1.01 * s[0]).unwrap();
    assert!(zero.singular_values.is_empty() && zero.model.product().max_abs() == 0.0);
}

#[test]
fn the_missing_cell_of_two_by_two_is_the_smaller_of_corner_and_rank_one() {
    // ‖X‖_*² = ‖X‖_F² + 2 |det X|, least at x = min(a, b c / a) for positive a, b c.
    for (a, b, c) in [(1.0, 2.0, 2.0), (2.0, 1.0, 1.0), (1.5, 3.0, 0.4), (0.3, 1.0, 2.0_f64)] {
        let problem = completion((2, 2), &[(0, 0, a), (0, 1, b), (1, 0, c)]);
        let found = NuclearNorm::new(&problem).unwrap().gap(1e-9).unwrap().constrained().unwrap();
        let x = a.min(b * c / a);
        let norm = (a * a + b * b + c * c + x * x + 2.0 * (a * x - b * c).abs()).sqrt();
        assert!((found.certificate.primal / norm - 1.0).abs() < 1e-8, "{a} {b} {c}");
        assert!((found.model.product()[(1, 1)] - x).abs() < 1e-3, "{a} {b} {c}");
    }
}

#[test]
fn a_box_around_a_diagonal_matrix_takes_its_width_from_every_value() {
    let size = [3.0, -2.0, 0.7, 0.05];
    let cells: Vec<(u32, u32, f64)> = (0..16)
        .map(|k| (k / 4, k % 4, if k % 5 == 0 { size[(k / 5) as usize] } else { 0.0 }))
        .collect();
    let problem = completion((4, 4), &cells);
    let found = NuclearNorm::new(&problem).unwrap().within(0.1).unwrap().constrained().unwrap();
    proves(&problem, &found, 0.1);
    assert!((found.certificate.primal - (2.9 + 1.9 + 0.6)).abs() < 1e-5);
    let wide = NuclearNorm::new(&problem).unwrap().within(3.0).unwrap().constrained().unwrap();
    assert!(wide.certificate.primal == 0.0 && wide.certificate.gap == 0.0);
}

#[test]
fn commuting_operators_make_it_a_linear_program() {
    // min |w|₁ under w₁ + 0.6 w₃ = 1, w₂ + 0.6 w₃ = 1: w = (0, 0, 5/3), with the dual point (5/6, 5/6).
    let diagonal = |d: [f64; 3]| Mat::from_fn(3, 3, |i, j| if i == j { d[i] } else { 0.0 });
    let operators = [diagonal([1.0, 0.0, 0.6]), diagonal([0.0, 1.0, 0.6])];
    let numbers = operators.iter().flat_map(|a| a.values().to_vec()).collect();
    let sensing = Sensing::new((3, 3), numbers).unwrap();
    let problem = Problem::sensing(sensing, vec![1.0, 1.0], Constant::Mean).unwrap();
    let found = NuclearNorm::new(&problem).unwrap().gap(1e-9).unwrap().constrained().unwrap();
    proves(&problem, &found, 0.0);
    assert!((found.certificate.primal - 5.0 / 3.0).abs() < 1e-8);
    assert!(found.multipliers.iter().all(|z| (z - 5.0 / 6.0).abs() < 1e-5));
}

#[test]
fn what_cannot_be_met_ends_with_its_infeasibility_and_no_proof() {
    let operator = Mat::from_fn(3, 3, |i, j| (1 + i + 2 * j) as f64);
    let twice = [operator.values(), operator.values()].concat();
    let sensing = Sensing::new((3, 3), twice).unwrap();
    let problem = Problem::sensing(sensing, vec![1.0, 2.0], Constant::Mean).unwrap();
    let found = NuclearNorm::new(&problem).unwrap().steps(60).constrained().unwrap();
    assert_eq!(found.reason, StopReason::StepsDone);
    let bound = found.certificate;
    assert!(bound.infeasibility > 0.3 && bound.gap.is_infinite(), "{bound:?}");
    // A box that reaches from one target to the other can be met.
    let solver = NuclearNorm::new(&problem).unwrap().within(0.6).unwrap();
    proves(&problem, &solver.constrained().unwrap(), 0.6);
}

#[test]
fn scarce_and_ample_entries_of_a_matrix_of_low_rank_are_certified() {
    for (count, seed) in [(2000, 0), (2000, 1), (5000, 0)] {
        let (truth, problem) = low_rank(100, 5, count, seed);
        let solver = NuclearNorm::new(&problem).unwrap();
        let equal = solver.constrained().unwrap();
        proves(&problem, &equal, 0.0);
        assert!(equal.certificate.infeasibility < 1e-9);
        let boxed = solver.within(1e-3).unwrap().constrained().unwrap();
        proves(&problem, &boxed, 1e-3);
        let norm = nuclear(&truth);
        assert!(boxed.certificate.dual <= equal.certificate.primal);
        assert!(equal.certificate.dual <= norm);
        if count == 5000 {
            // Ample entries: the truth itself is the minimiser.
            assert!(equal.model.product().minus(&truth).max_abs() < 1e-6);
            assert_eq!(equal.singular_values.len(), 5);
        } else {
            assert!(equal.certificate.primal < 0.99 * norm);
        }
    }
}

#[test]
fn a_box_of_any_width_is_certified_and_a_wider_one_costs_less() {
    // Entries are of size 1: from boxes that all but fix them to boxes in which most are free.
    let widths = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5];
    for (count, seed) in [(400, 0), (800, 1), (1400, 2)] {
        let (_, problem) = low_rank(40, 2, count, seed);
        let mut before = f64::INFINITY;
        for within in widths {
            let solver = NuclearNorm::new(&problem).unwrap().within(within).unwrap();
            let found = solver.constrained().unwrap();
            proves(&problem, &found, within);
            let bound = found.certificate;
            let size = problem.terms()[0].targets.iter().map(|y| y * y).sum::<f64>().sqrt();
            let missed = bound.infeasibility * size;
            let allowed = (1e-9 * size).max(1e-3 * within * (count as f64).sqrt());
            assert!(missed <= 1.001 * allowed, "{count} {within}: {bound:?}");
            assert!(bound.dual <= before, "{count} {within}: {bound:?}");
            before = bound.primal;
        }
    }
}

#[test]
fn a_box_around_operators_is_certified_at_any_width() {
    let truth = data::low_rank((20, 24), 2, 1).unwrap();
    for count in [100, 300] {
        let operators = Sensing::gaussian((20, 24), count, 1).unwrap();
        let targets = operators.measure(&truth).unwrap();
        let size = targets.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
        let problem = Problem::sensing(operators, targets, Constant::Mean).unwrap();
        for share in [1e-5, 1e-3, 1e-2, 0.1, 0.5] {
            let within = share * size;
            let solver = NuclearNorm::new(&problem).unwrap().within(within).unwrap();
            proves(&problem, &solver.constrained().unwrap(), within);
        }
    }
}

#[test]
fn gaussian_operators_are_certified() {
    let truth = data::low_rank((20, 24), 2, 0).unwrap();
    for (count, within) in [(120, 0.0), (120, 1e-2), (300, 0.0)] {
        let operators = Sensing::gaussian((20, 24), count, 0).unwrap();
        let targets = operators.measure(&truth).unwrap();
        let problem = Problem::sensing(operators, targets, Constant::Mean).unwrap();
        let solver = NuclearNorm::new(&problem).unwrap().within(within).unwrap();
        proves(&problem, &solver.constrained().unwrap(), within);
    }
}

#[test]
fn a_path_gives_what_each_penalty_gives_alone() {
    let (_, problem) = low_rank(30, 2, 400, 5);
    let solver = NuclearNorm::new(&problem).unwrap();
    let points = solver.path(&Path::new(6, 1e-3).unwrap()).unwrap();
    assert_eq!(points.len(), 6);
    assert!(points[0].minimizer.certificate.primal > 0.0);
    for pair in points.windows(2) {
        let norms = [&pair[0], &pair[1]].map(|p| p.minimizer.singular_values.iter().sum::<f64>());
        assert!(pair[1].lambda < pair[0].lambda && norms[1] >= norms[0]);
    }
    for point in &points {
        let alone = solver.penalised(point.lambda).unwrap().certificate;
        let warm = point.minimizer.certificate;
        assert!(warm.gap <= 1e-6 && alone.gap <= 1e-6 && warm.gap >= -1e-12);
        assert!((alone.primal / warm.primal - 1.0).abs() <= 1e-6);
    }
}

#[test]
fn a_path_ends_when_the_validation_has_grown_for_long_enough() {
    let truth = data::low_rank((40, 30), 2, 1).unwrap();
    let mut noise = stream(1, Purpose::Noise, 0);
    let noisy = Mat::from_fn(40, 30, |i, j| truth[(i, j)] + 0.5 * normal(&mut noise));
    let cells = data::random_cells((40, 30), 700, 1).unwrap();
    let known = data::observe(&noisy, &cells).unwrap();
    let (known, hidden) = data::hide(&known, 0.3, 0).unwrap();
    let solver = NuclearNorm::new(&Problem::completion(&known).unwrap()).unwrap();
    let path = Path::new(30, 1e-3).unwrap();
    let path = path.validation(Problem::completion(&hidden).unwrap(), 3);
    let points = solver.path(&path).unwrap();
    let values: Vec<f64> = points.iter().map(|p| p.validation.unwrap()).collect();
    let best = values.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!(points.len(), best + 4, "{values:?}");
    assert!(values[best] < 0.7 * values[0]);
}

#[test]
fn permuted_rows_give_a_permuted_minimiser() {
    let (_, problem) = low_rank(20, 2, 150, 2);
    let truth = data::low_rank((20, 20), 2, 2).unwrap();
    let cells = data::random_cells((20, 20), 150, 2).unwrap();
    let turned: Vec<(u32, u32, f64)> =
        cells.iter().map(|&(i, j)| ((i + 7) % 20, j, truth[(i as usize, j as usize)])).collect();
    let solve = |problem: &Problem| {
        let solver = NuclearNorm::new(problem).unwrap().gap(1e-10).unwrap();
        solver.penalised(0.3).unwrap().model.product()
    };
    let (plain, turned) = (solve(&problem), solve(&completion((20, 20), &turned)));
    let back = Mat::from_fn(20, 20, |i, j| turned[((i + 7) % 20, j)]);
    assert!(back.minus(&plain).max_abs() < 1e-4 * plain.max_abs());
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    let (_, problem) = low_rank(300, 5, 30_000, 0);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let solver = NuclearNorm::new(&problem).unwrap().gap(1e-3).unwrap();
            let found = solver.infeasibility(1e-4).unwrap().constrained().unwrap();
            found.model.product().values().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        })
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn an_interrupt_gives_what_was_reached() {
    let (_, problem) = low_rank(20, 2, 150, 0);
    let flag = Arc::new(AtomicBool::new(true));
    let found = NuclearNorm::new(&problem).unwrap().interrupt(flag).constrained().unwrap();
    assert_eq!((found.reason, found.iterations), (StopReason::Interrupted, 0));
    assert!(found.certificate.dual <= found.certificate.primal);
}

#[test]
fn settings_that_cannot_be_are_named() {
    let (_, problem) = low_rank(6, 1, 20, 0);
    let solver = || NuclearNorm::new(&problem).unwrap();
    let message = |error: deepmf::Error| error.to_string();
    assert_eq!(
        message(solver().within(-1.0).unwrap_err()),
        "within must be 0 or above, but it is -1"
    );
    assert_eq!(message(solver().gap(0.0).unwrap_err()), "the gap must be above 0, but it is 0");
    assert_eq!(
        message(solver().penalised(0.0).unwrap_err()),
        "lambda must be above 0, but it is 0"
    );
    assert!(solver().infeasibility(f64::NAN).is_err());
    assert!(Path::new(1, 0.1).is_err() && Path::new(5, 1.0).is_err());
    let other = completion((3, 3), &[(0, 0, 1.0)]);
    let path = Path::new(3, 0.1).unwrap().validation(other, 1);
    assert_eq!(
        message(solver().path(&path).unwrap_err()),
        "the validation must have shape (6, 6), but it has (3, 3)"
    );
}
