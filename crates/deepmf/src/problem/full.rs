//! Full observation: every entry of W, column after column.

use super::Observation;
use crate::data::Shape;
use crate::linalg::{Mat, axpy};
use crate::product::{Cotangent, Product};

/// Sees every entry.
#[derive(Clone, Debug)]
pub struct Full {
    shape: Shape,
}

impl Full {
    /// Sees every entry of a matrix of `shape`.
    pub fn new(shape: Shape) -> Self {
        Self { shape }
    }
}

impl Observation for Full {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        self.shape.0 * self.shape.1
    }

    fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]) {
        let dense = product.dense_in(room);
        match dense.stored() {
            (values, false) => out.copy_from_slice(values),
            (_, true) => out.copy_from_slice(dense.to_mat().values()),
        }
    }

    fn cells(&self) -> Option<Vec<(u32, u32)>> {
        let (rows, cols) = (self.shape.0 as u32, self.shape.1 as u32);
        Some((0..cols).flat_map(|j| (0..rows).map(move |i| (i, j))).collect())
    }

    fn gram(&self, y: &[f64], out: &mut [f64]) {
        out.copy_from_slice(y);
    }

    fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
        into.add_dense(|dense| axpy(1.0, y, dense.values_mut()));
    }
}
