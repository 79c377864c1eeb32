//! What proves that a solution is near the optimum: a feasible dual point and the gap to it.

use super::factors::Factors;
use super::measure::Measure;
use super::newton::shrink;
use crate::Result;
use crate::linalg::{axpy, dot, leading_svd, norm, sum_of_squares};
use crate::product::Cotangent;

/// Values of a solution and of a feasible point of the dual problem: the optimum is between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Primal value: at most this much above what a feasible matrix costs.
    pub primal: f64,
    /// Value of a feasible dual point.
    pub dual: f64,
    /// (primal − dual) / primal; zero for a zero solution.
    pub gap: f64,
    /// Norm of what the solution misses of the constraints, over the norm of the targets; zero where there are none.
    pub infeasibility: f64,
}

impl Certificate {
    fn new(primal: f64, dual: f64, infeasibility: f64) -> Self {
        let gap = if primal == dual {
            0.0
        } else if primal.is_infinite() {
            f64::INFINITY
        } else {
            (primal - dual) / primal.abs()
        };
        Self { primal, dual, gap, infeasibility }
    }
}

/// An upper bound of ‖A*(z)‖₂, to a relative `tolerance`.
fn spectral_norm(pull: &Cotangent, tolerance: f64) -> Result<f64> {
    Ok(leading_svd(pull, 1, tolerance)?.s.first().copied().unwrap_or(0.0) * (1.0 + tolerance))
}

/// For min ‖X‖_* under |A(X) − y| ≤ within: the dual is max yᵀz − within ‖z‖₁ under ‖A*(z)‖₂ ≤ 1.
///
/// The primal value is that of X + C, where C is the smallest matrix with A(C) = what X misses: a feasible matrix of norm at most
/// ‖X‖_* + √min(rows, cols) ‖C‖_F.
pub(super) fn constrained(
    factors: &Factors,
    seen: &[f64],
    targets: &[f64],
    within: f64,
    (multipliers, pull): (&mut [f64], &Cotangent),
    tolerance: f64,
    measure: &mut Measure<'_>,
) -> Result<Certificate> {
    let scale = 1.0 / spectral_norm(pull, tolerance)?.max(1.0);
    for z in multipliers.iter_mut() {
        *z *= scale;
    }
    let dual =
        dot(targets, multipliers) - within * multipliers.iter().map(|z| z.abs()).sum::<f64>();
    let missed: Vec<f64> = targets.iter().zip(seen).map(|(y, s)| shrink(y - s, within)).collect();
    let infeasibility = norm(&missed) / norm(targets).max(f64::MIN_POSITIVE);
    let side = measure.shape().0.min(measure.shape().1) as f64;
    let correction = side.sqrt() * smallest_preimage(&missed, measure);
    Ok(Certificate::new(factors.nuclear_norm() + correction, dual, infeasibility))
}

/// For min ½‖A(X) − y‖² + λ‖X‖_*: the dual is max ½‖y‖² − ½‖y − u‖² under ‖A*(u)‖₂ ≤ λ, taken at a multiple of the residual.
///
/// `multipliers` are (y − A(X)) / λ and become u / λ.
pub(super) fn penalised(
    factors: &Factors,
    targets: &[f64],
    lambda: f64,
    (multipliers, pull): (&mut [f64], &Cotangent),
    tolerance: f64,
) -> Result<Certificate> {
    let squares = sum_of_squares(multipliers);
    let primal = 0.5 * lambda * lambda * squares + lambda * factors.nuclear_norm();
    let most = 1.0 / spectral_norm(pull, tolerance)?.max(f64::MIN_POSITIVE);
    let best = dot(targets, multipliers) / (lambda * squares).max(f64::MIN_POSITIVE);
    let scale = best.min(most);
    for z in multipliers.iter_mut() {
        *z *= scale;
    }
    // ½‖y‖² − ½‖y − u‖² without the difference of large numbers.
    let dual =
        lambda * dot(targets, multipliers) - 0.5 * lambda * lambda * sum_of_squares(multipliers);
    Ok(Certificate::new(primal, dual, 0.0))
}

/// Rounds of conjugate gradients at most; a mask needs one.
const ROUNDS: usize = 100;

/// ‖C‖_F of the smallest C with A(C) = `y`, that is C = A*(w) with A A*(w) = y; infinite if there is none.
fn smallest_preimage(y: &[f64], measure: &mut Measure<'_>) -> f64 {
    let start = norm(y);
    if start == 0.0 {
        return 0.0;
    }
    let mut w = vec![0.0; y.len()];
    let (mut rest, mut along) = (y.to_vec(), y.to_vec());
    let mut image = vec![0.0; y.len()];
    let mut squares = start * start;
    for _ in 0..ROUNDS {
        measure.gram(&along, &mut image);
        let bend = dot(&along, &image);
        if bend <= 0.0 {
            break;
        }
        axpy(squares / bend, &along, &mut w);
        axpy(-squares / bend, &image, &mut rest);
        let next = sum_of_squares(&rest);
        if next.sqrt() <= 1e-6 * start {
            return dot(&w, y).max(0.0).sqrt();
        }
        along.iter_mut().zip(&rest).for_each(|(a, r)| *a = next / squares * *a + r);
        squares = next;
    }
    f64::INFINITY
}
