//! Newton's step for operators where the factors are small: the Hessian is formed and factored.

use super::factors::{Factors, Pair};
use super::measure::Measure;
use super::newton::Subproblem;
use crate::linalg::{Accumulate, Cholesky, Mat, multiply};
use crate::product::{Cotangent, Outer};

/// Numbers in both factors up to which the Hessian is formed.
const LARGEST: usize = 2048;
/// What is added to the curvature: next to nothing for the turns of the factors that change nothing, or more where it is negative.
const SHIFTS: [f64; 4] = [1e-8, 1e-3, 1e-1, 2.0];

/// Newton's step, if the Hessian is small enough and a positive one is near it. The pull is that of the factors and `bending` are the
/// measurements outside the box.
pub(super) fn direction(
    problem: &Subproblem<'_>,
    factors: &Factors,
    (pull, bending): (&Cotangent, &[u32]),
    gradient: &Pair,
    step: &mut Pair,
    measure: &Measure<'_>,
) -> bool {
    let (rank, (rows, cols)) = (factors.rank(), factors.shape);
    let size = rank * (rows + cols);
    if size > LARGEST {
        return false;
    }
    let [left, right] = [&factors.pair.left, &factors.pair.right].map(|f| first_rows(f, rank));
    let outer = Outer { left: left.view(), right: right.view() };
    let Some(derivative) = measure.derivative(&outer, bending) else { return false };
    let mut hessian = Mat::zeros(size, size);
    let view = hessian.view_mut();
    multiply(view, Accumulate::Replace, problem.beta, derivative.view(), derivative.t());
    let pull = pull.to_dense();
    // The lower triangle is enough.
    for i in 0..rows {
        for j in 0..cols {
            for r in 0..rank {
                hessian[((rows + j) * rank + r, i * rank + r)] -= pull[(i, j)];
            }
        }
    }
    let slope = [&gradient.left, &gradient.right].map(|g| first_rows(g, rank));
    let right: Vec<f64> = slope.iter().flat_map(|g| g.values().iter().map(|x| -x)).collect();
    let mut cholesky = Cholesky::new(size);
    for shift in SHIFTS {
        let (mut shifted, mut solved) = (hessian.clone(), right.clone());
        (0..size).for_each(|i| shifted[(i, i)] += 1.0 + shift);
        let positive = cholesky.solve(shifted.values_mut(), &mut solved).is_ok();
        if !positive || solved.iter().any(|x| !x.is_finite()) {
            continue;
        }
        step.reshape(factors.width(), factors.shape);
        let (to_left, to_right) = solved.split_at(rank * rows);
        for (out, from) in [(&mut step.left, to_left), (&mut step.right, to_right)] {
            let width = out.rows();
            out.values_mut().fill(0.0);
            let columns = out.values_mut().chunks_exact_mut(width.max(1));
            for (out, from) in columns.zip(from.chunks_exact(rank.max(1))) {
                out[..rank].copy_from_slice(from);
            }
        }
        return true;
    }
    false
}

fn first_rows(factor: &Mat, rank: usize) -> Mat {
    Mat::from_fn(rank, factor.cols(), |r, i| factor[(r, i)])
}
