//! What can be seen of a matrix: a linear map and its adjoint.

use std::fmt;
use std::sync::Arc;

use super::Block;
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, MatRef, dot, multiply};
use crate::product::{Cotangent, Outer, Product};

/// A linear map from matrices to measurements.
///
/// A new member must be listed in `tests/laws.rs`, where ⟨A(W), y⟩ = ⟨W, A*(y)⟩ is held.
pub trait Observation: fmt::Debug + Send + Sync {
    /// Rows and columns of the matrices that it sees.
    fn shape(&self) -> Shape;

    /// Number of measurements.
    fn len(&self) -> usize;

    /// Whether it sees nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `out ← A(W)`; `room` is storage for the entries of W, where they are needed.
    fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]);

    /// `into ← into + A*(y)`.
    fn adjoint(&self, y: &[f64], into: &mut Cotangent);

    /// As [`Observation::adjoint`], but may exchange the storage of `y` for other storage, so that nothing is copied.
    fn adjoint_taking(&self, y: &mut Vec<f64>, into: &mut Cotangent) {
        self.adjoint(y, into);
    }

    /// The derivative of A(leftᵀ · right) with respect to both factors, one measurement a column: first that of `left` (k × rows),
    /// then that of `right` (k × cols), each as it is stored. `None` where A itself costs no more than this, as for a mask.
    fn derivative(&self, _factors: &Outer<'_>) -> Option<Mat> {
        None
    }

    /// What it sees of a block, as an observation of matrices of its shape, and which measurements these are. `None` where
    /// measurements see more than one entry each.
    fn block(&self, _block: &Block) -> Option<(Arc<dyn Observation>, Vec<usize>)> {
        None
    }

    /// Whether it sees every entry of W, once and by itself.
    fn sees_all(&self) -> bool {
        false
    }

    /// Aᵢ, of which measurement i is the inner product with W.
    fn operator(&self, i: usize) -> Mat {
        let mut unit = vec![0.0; self.len()];
        unit[i] = 1.0;
        let mut back = Cotangent::default();
        back.clear(self.shape());
        self.adjoint(&unit, &mut back);
        back.to_dense()
    }

    /// Σᵢ wᵢ ‖L Aᵢ Rᵀ‖_F² with one weight a measurement, L of shape k × rows and R of shape k' × cols; none is the identity.
    fn block_trace(
        &self,
        weights: &[f64],
        left: Option<MatRef<'_>>,
        right: Option<MatRef<'_>>,
    ) -> f64 {
        let one = |(i, w): (usize, &f64)| {
            let sides = between(left, &self.operator(i), right);
            w * dot(sides.values(), sides.values())
        };
        weights.iter().enumerate().map(one).sum()
    }

    /// L Σᵢ wᵢ Aᵢ RᵀR Aᵢᵀ, of the shape of L: half the derivative of [`Observation::block_trace`] with respect to L.
    fn left_slope(&self, weights: &[f64], left: MatRef<'_>, right: Option<MatRef<'_>>) -> Mat {
        let mut out = Mat::zeros(left.rows(), left.cols());
        for (i, w) in weights.iter().enumerate() {
            let operator = self.operator(i);
            let sides = between(Some(left), &operator, right);
            let back = right.map(|right| operator.view().times(right.t()));
            let back = back.as_ref().unwrap_or(&operator);
            multiply(out.view_mut(), Accumulate::Add, *w, sides.view(), back.t());
        }
        out
    }

    /// R Σᵢ wᵢ Aᵢᵀ LᵀL Aᵢ, of the shape of R: half the derivative of [`Observation::block_trace`] with respect to R.
    fn right_slope(&self, weights: &[f64], left: Option<MatRef<'_>>, right: MatRef<'_>) -> Mat {
        let mut out = Mat::zeros(right.rows(), right.cols());
        for (i, w) in weights.iter().enumerate() {
            let operator = self.operator(i);
            let sides = between(left, &operator, Some(right));
            let back = left.map(|left| left.times(operator.view()));
            let back = back.as_ref().unwrap_or(&operator);
            multiply(out.view_mut(), Accumulate::Add, *w, sides.t(), back.view());
        }
        out
    }

    /// As [`Observation::derivative`], of some of the measurements alone, in the order in which they are given.
    fn derivative_of(&self, _factors: &Outer<'_>, _measurements: &[u32]) -> Option<Mat> {
        None
    }

    /// Row and column of the cell that each measurement is, where every one is a cell; otherwise `None`.
    fn cells(&self) -> Option<Vec<(u32, u32)>> {
        None
    }

    /// `out ← A(A*(y))`.
    fn gram(&self, y: &[f64], out: &mut [f64]) {
        let mut back = Cotangent::default();
        back.clear(self.shape());
        self.adjoint(y, &mut back);
        let dense = back.to_dense();
        self.apply(&Product::Dense(dense.view()), &mut Mat::default(), out);
    }
}

/// L A Rᵀ.
fn between(left: Option<MatRef<'_>>, a: &Mat, right: Option<MatRef<'_>>) -> Mat {
    match (left, right) {
        (None, None) => a.clone(),
        (Some(left), None) => left.times(a.view()),
        (None, Some(right)) => a.view().times(right.t()),
        (Some(left), Some(right)) => left.times(a.view()).view().times(right.t()),
    }
}

/// Squared lengths of the columns of a factor, ones for the identity.
pub(super) fn squares(factor: Option<MatRef<'_>>, count: usize) -> Vec<f64> {
    let Some(factor) = factor else { return vec![1.0; count] };
    match factor.stored() {
        (values, false) => values.chunks_exact(factor.rows()).map(|x| dot(x, x)).collect(),
        (values, true) => {
            let mut sums = vec![0.0; count];
            for row in values.chunks_exact(count) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * x);
            }
            sums
        }
    }
}

/// A factor with its columns multiplied by `scales`.
pub(super) fn scaled(factor: MatRef<'_>, scales: &[f64]) -> Mat {
    Mat::from_fn(factor.rows(), factor.cols(), |r, j| factor.at(r, j) * scales[j])
}
