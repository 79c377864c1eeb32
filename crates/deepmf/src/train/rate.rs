//! A rate chosen from the problem: a fixed share of the largest one that the flattest solution can bear.

use crate::Result;
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
    // A rough pair is enough.
    let found = SlopeAtZero::of(problem, |gradient| leading_svd(gradient, 1, 1e-4));
    let Ok(SlopeAtZero { curvature, top, .. }) = found else { return 1.0 };
    let n = depth as f64;
    let top = top.max(f64::MIN_POSITIVE);
    let rate = SHARE * 2.0 / (n * curvature * top.powf(2.0 - 2.0 / n));
    if rate.is_finite() && rate > 0.0 { rate } else { 1.0 }
}

/// What the loss is near W = 0.
pub(super) struct SlopeAtZero {
    /// Leading triplets of −∇ℓ(0).
    pub(super) triplets: Svd,
    /// The curvature of ℓ along the leading pair.
    pub(super) curvature: f64,
    /// The step to the bottom along it: about the largest singular value of the solution.
    pub(super) top: f64,
}

impl SlopeAtZero {
    /// With the triplets of ∇ℓ(0) that `find` gives, one at least.
    pub(super) fn of(
        problem: &Problem,
        find: impl FnOnce(&Cotangent) -> Result<Svd>,
    ) -> Result<Self> {
        let (rows, cols) = problem.shape();
        let zero = Mat::zeros(1, rows.max(cols));
        let empty = |n: usize| MatRef::new(1, n, &zero.values()[..n]);
        let mut evaluation = Evaluation::default();
        let nothing = Product::Outer(Outer { left: empty(rows), right: empty(cols) });
        problem.evaluate(&nothing, &mut evaluation);
        let mut triplets = find(&evaluation.cotangent)?;
        // The sign of u makes u vᵀ the pair of −G.
        triplets.u = triplets.u.scaled(-1.0);
        let (u, v) = (triplets.u.col(0), triplets.v.col(0));
        let force = -along(&evaluation.cotangent, u, v);
        // Factors of one row are not transposed ones.
        let (left, right) = (MatRef::new(1, rows, u), MatRef::new(1, cols, v));
        problem.evaluate(&Product::Outer(Outer { left, right }), &mut evaluation);
        let curvature = force + along(&evaluation.cotangent, u, v);
        Ok(Self { triplets, curvature, top: force / curvature })
    }
}

/// ⟨G, u vᵀ⟩.
fn along(g: &Cotangent, u: &[f64], v: &[f64]) -> f64 {
    let mut row = vec![0.0; v.len()];
    g.apply_transposed(u, &mut row);
    dot(&row, v)
}
