//! A rate chosen from the problem: a fixed share of the largest one that the flattest solution can bear.

use crate::linalg::{Mat, MatRef, Operator, Svd, dot, leading_svd};
use crate::problem::{Evaluation, Problem};
use crate::product::{Cotangent, Outer, Product};

/// Share of the largest stable rate of plain descent. Small enough that training resembles the flow, so that
/// early stopping is fine-grained, large enough for a fit in some hundred steps with momentum.
const SHARE: f64 = 0.04;

/// A rate for gradient descent on a network of `depth` layers.
///
/// Let D = u vᵀ be the leading pair of −∇ℓ(0), h the curvature of ℓ along D and σ = ⟨−∇ℓ(0), D⟩/h the step to the
/// bottom along D. A balanced minimum with top singular value σ has curvature about N h σ^{2−2/N} (Kamber & Parhi 2025 give
/// equality for full observation), so descent is stable below 2/(N h σ^{2−2/N}).
pub fn suggested_rate(problem: &Problem, depth: usize) -> f64 {
    let (rows, cols) = problem.shape();
    let zero = Mat::zeros(1, rows.max(cols));
    let empty = |n: usize| MatRef::new(1, n, &zero.values()[..n]);
    let mut evaluation = Evaluation::default();
    let nothing = Product::Outer(Outer { left: empty(rows), right: empty(cols) });
    problem.evaluate(&nothing, &mut evaluation);
    // The sign of u makes u vᵀ the pair of −G. A rough pair is enough.
    let Ok(Svd { u, v, .. }) = leading_svd(&evaluation.cotangent, 1, 1e-4) else { return 1.0 };
    let u = u.scaled(-1.0);
    let force = -along(&evaluation.cotangent, &u, &v);
    // Factors of one row are not transposed ones.
    let (left, right) = (MatRef::new(1, rows, u.values()), MatRef::new(1, cols, v.values()));
    problem.evaluate(&Product::Outer(Outer { left, right }), &mut evaluation);
    let curvature = force + along(&evaluation.cotangent, &u, &v);
    let n = depth as f64;
    let top = (force / curvature).max(f64::MIN_POSITIVE);
    let rate = SHARE * 2.0 / (n * curvature * top.powf(2.0 - 2.0 / n));
    if rate.is_finite() && rate > 0.0 { rate } else { 1.0 }
}

/// ⟨G, u vᵀ⟩ for single columns u and v.
fn along(g: &Cotangent, u: &Mat, v: &Mat) -> f64 {
    let mut row = vec![0.0; v.rows()];
    g.apply_transposed(u.values(), &mut row);
    dot(&row, v.values())
}
