//! Tests of semi-NMF.

use super::*;
use crate::data::{Entries, Features, View};
use crate::linalg::singular_values;
use crate::random::{Purpose, RngExt, normal, stream};

/// Non-negative and mostly zero, samples × features.
fn words(samples: usize, features: usize, seed: u64) -> Mat {
    let mut random = stream(seed, Purpose::Truth, 0);
    Mat::from_fn(samples, features, |i, j| {
        let rate = if i % 3 == j % 3 { 0.6 } else { 0.15 };
        if random.random::<f64>() < rate { 1.0 + random.random::<f64>() } else { 0.0 }
    })
}

fn signed(samples: usize, features: usize, seed: u64) -> Mat {
    let mut random = stream(seed, Purpose::Truth, 1);
    Mat::from_fn(samples, features, |_, _| normal(&mut random))
}

fn sparse(matrix: &Mat) -> Operand {
    let cells = (0..matrix.rows()).flat_map(|i| (0..matrix.cols()).map(move |j| (i, j)));
    let kept: Vec<(usize, usize)> = cells.filter(|cell| matrix[*cell] != 0.0).collect();
    let entries = Entries::new(
        (matrix.rows(), matrix.cols()),
        kept.iter().map(|cell| cell.0 as u32).collect(),
        kept.iter().map(|cell| cell.1 as u32).collect(),
        kept.iter().map(|cell| matrix[*cell]).collect(),
    );
    let features = Features::Sparse(entries.unwrap());
    let missing = vec![false; matrix.rows()];
    Operand::new(&View { name: "words".into(), features, missing })
}

/// The squared residual of the best basis for a start.
fn error_of(matrix: &Mat, rank: usize, start: PartitionStart) -> (f64, f64) {
    let operand = Operand::dense(matrix.clone());
    let shift = partition_start(&operand, rank, start, 0).unwrap().1;
    let fit = SemiNmfFit { start, sweeps: 0, ..SemiNmfFit::default() };
    (fit.fit(&operand, &[rank], 0).unwrap().objective[0][0], shift)
}

/// The squared residual of the best matrix of a rank.
fn best(matrix: &Mat, rank: usize) -> f64 {
    singular_values(matrix.view()).unwrap()[rank..].iter().map(|s| s * s).sum()
}

#[test]
fn the_svd_start_is_as_good_as_the_best_matrix_of_one_rank_less() {
    for (matrix, rank) in [(signed(40, 20, 1), 5), (words(40, 30, 1), 8), (signed(12, 9, 2), 1)] {
        let (found, bound) =
            (error_of(&matrix, rank, PartitionStart::Svd).0, best(&matrix, rank - 1));
        assert!(found <= bound + 1e-10 * bound, "{found} {bound}");
    }
}

#[test]
fn the_start_by_inequalities_is_as_good_as_the_best_matrix_where_nothing_is_shifted() {
    for rank in [1, 4, 10] {
        let matrix = words(60, 45, 3);
        let (found, shift) = error_of(&matrix, rank, PartitionStart::Lp);
        let bound = best(&matrix, rank);
        assert_eq!(shift, 0.0);
        assert!(found <= bound + 1e-9 * bound, "{found} {bound}");
    }
    let (found, shift) = error_of(&signed(60, 20, 3), 4, PartitionStart::Lp);
    assert!(shift > 0.0 && found.is_finite());
}

#[test]
fn sparse_and_dense_views_give_the_same_factors() {
    let matrix = words(50, 40, 4);
    for start in [PartitionStart::Lp, PartitionStart::Svd, PartitionStart::Random] {
        let fit = SemiNmfFit { start, sweeps: 10, tolerance: 0.0, ..SemiNmfFit::default() };
        let [dense, thin] = [Operand::dense(matrix.clone()), sparse(&matrix)]
            .map(|operand| fit.fit(&operand, &[6], 1).unwrap());
        let apart = dense.model.basis().minus(&thin.model.basis()).max_abs();
        assert!(apart < 1e-6 * dense.model.basis().max_abs(), "{start:?} {apart}");
        assert!(
            (dense.objective[0][0] - thin.objective[0][0]).abs() < 1e-9 * dense.objective[0][0]
        );
    }
}

#[test]
fn no_sweep_raises_the_residual_with_any_start_and_solver() {
    let operand = Operand::dense(signed(40, 15, 5));
    for solver in [NonNegativeSolver::Coordinate, NonNegativeSolver::Multiplicative] {
        for start in [
            PartitionStart::Lp,
            PartitionStart::Svd,
            PartitionStart::KMeans,
            PartitionStart::Random,
        ] {
            let fit = SemiNmfFit { start, solver, sweeps: 60, tolerance: 0.0 };
            let fitted = fit.fit(&operand, &[8, 4], 2).unwrap();
            assert_eq!(fitted.model.widths(), [8, 4]);
            for trace in &fitted.objective {
                let first = trace[0];
                assert!(trace.windows(2).all(|p| p[1] <= p[0] + 1e-10 * first), "{trace:?}");
            }
        }
    }
}

#[test]
fn clusters_that_are_apart_are_found_again() {
    let centres = signed(3, 10, 6).scaled(5.0);
    let noise = signed(90, 10, 7).scaled(0.1);
    let matrix = Mat::from_fn(90, 10, |i, j| centres[(i % 3, j)] + noise[(i, j)]);
    let fit = SemiNmfFit { start: PartitionStart::KMeans, ..SemiNmfFit::default() };
    let model = fit.fit(&Operand::dense(matrix), &[3], 0).unwrap().model;
    let top = |i: usize| {
        let column = model.partition().col(i);
        (0..3).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap()
    };
    assert!((0..90).all(|i| top(i) == top(i % 3)));
    assert!(top(0) != top(1) && top(1) != top(2) && top(0) != top(2));
}

#[test]
fn what_cannot_be_factored_is_refused() {
    let fit = SemiNmfFit::default();
    let refused =
        |operand: Operand, widths: &[usize]| fit.fit(&operand, widths, 0).unwrap_err().to_string();
    assert!(refused(Operand::dense(signed(5, 5, 1)), &[]).contains("number of layers"));
    assert!(refused(Operand::dense(signed(5, 5, 1)), &[0]).contains("1 or more"));
    assert!(refused(Operand::dense(signed(3, 5, 1)), &[5]).contains("number of samples"));
    assert!(refused(Operand::dense(Mat::zeros(5, 5)), &[2]).contains("above 0"));
}
