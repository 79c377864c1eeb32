//! Full observation: every entry of W, column after column.

use std::sync::Arc;

use super::observation::{scaled, squares};
use super::{Block, Observation};
use crate::data::Shape;
use crate::linalg::{Mat, MatRef, axpy, dot};
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

    /// Σ_b w_ab q_b for each row a.
    fn row_sums(&self, weights: &[f64], q: &[f64]) -> Vec<f64> {
        let first = weights[0];
        if weights.iter().all(|w| *w == first) {
            return vec![first * q.iter().sum::<f64>(); self.shape.0];
        }
        let mut sums = vec![0.0; self.shape.0];
        for (weights, q) in weights.chunks_exact(self.shape.0).zip(q) {
            axpy(*q, weights, &mut sums);
        }
        sums
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

    fn block(&self, block: &Block) -> Option<(Arc<dyn Observation>, Vec<usize>)> {
        let column = |j: &u32| {
            let first = *j as usize * self.shape.0;
            block.rows().iter().map(move |i| first + *i as usize)
        };
        let places = block.cols().iter().flat_map(column).collect();
        Some((Arc::new(Self::new(block.shape())), places))
    }

    fn sees_all(&self) -> bool {
        true
    }

    fn block_trace(
        &self,
        weights: &[f64],
        left: Option<MatRef<'_>>,
        right: Option<MatRef<'_>>,
    ) -> f64 {
        dot(&squares(left, self.shape.0), &self.row_sums(weights, &squares(right, self.shape.1)))
    }

    fn left_slope(&self, weights: &[f64], left: MatRef<'_>, right: Option<MatRef<'_>>) -> Mat {
        scaled(left, &self.row_sums(weights, &squares(right, self.shape.1)))
    }

    fn right_slope(&self, weights: &[f64], left: Option<MatRef<'_>>, right: MatRef<'_>) -> Mat {
        let p = squares(left, self.shape.0);
        let sums: Vec<f64> = weights.chunks_exact(self.shape.0).map(|w| dot(w, &p)).collect();
        scaled(right, &sums)
    }
}
