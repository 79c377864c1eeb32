//! What can be seen of a matrix: a linear map and its adjoint.

use std::fmt;

use crate::data::Shape;
use crate::linalg::Mat;
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
