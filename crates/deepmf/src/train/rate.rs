//! A rate chosen from the problem: a fixed share of the largest one that the flattest solution can bear.

use crate::linalg::{Mat, MatRef, dot, norm};
use crate::problem::{Evaluation, Problem};
use crate::product::{Cotangent, Outer, Product};
use crate::random::{Purpose, normal, stream};

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
    let (u, v) = leading_pair(&evaluation.cotangent);
    let force = -evaluation.cotangent.along(&u, &v);
    problem.evaluate(&Product::Outer(Outer { left: u.view(), right: v.view() }), &mut evaluation);
    let curvature = force + evaluation.cotangent.along(&u, &v);
    let n = depth as f64;
    let top = (force / curvature).max(f64::MIN_POSITIVE);
    let rate = SHARE * 2.0 / (n * curvature * top.powf(2.0 - 2.0 / n));
    if rate.is_finite() && rate > 0.0 { rate } else { 1.0 }
}

/// The leading singular pair of −G as two 1 × n matrices, by power iterations that never form G.
fn leading_pair(g: &Cotangent) -> (Mat, Mat) {
    let (rows, cols) = g.shape();
    let mut random = stream(0, Purpose::Sketch, 1);
    let (mut u, mut v) = (Mat::from_fn(1, rows, |_, _| normal(&mut random)), Mat::zeros(1, cols));
    for _ in 0..40 {
        g.left_product(u.view(), &mut v);
        normalise(&mut v, -1.0);
        g.right_product(v.view(), &mut u);
        normalise(&mut u, -1.0);
    }
    (u, v)
}

fn normalise(x: &mut Mat, sign: f64) {
    let length = norm(x.values());
    if length > 0.0 {
        x.values_mut().iter_mut().for_each(|x| *x *= sign / length);
    }
}

impl Cotangent {
    /// ⟨G, u vᵀ⟩ for vectors given as 1 × n matrices.
    fn along(&self, u: &Mat, v: &Mat) -> f64 {
        let mut row = Mat::default();
        self.left_product(u.view(), &mut row);
        dot(row.values(), v.values())
    }
}
