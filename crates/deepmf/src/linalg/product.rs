//! Dense products, split the same way at any number of threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use rayon::prelude::*;

use super::{MatMut, MatRef, Operator};

/// What becomes of the numbers that a product is written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

/// Below this many multiply-adds one thread is faster than two (measured at 150 x 150 x 150).
const PARALLEL_FROM: usize = 4_000_000;
/// Columns of one part: a property of the product, never of the number of threads.
const PART: usize = 64;

pub(super) fn backend(m: MatRef<'_>) -> faer::MatRef<'_, f64> {
    let (values, transposed) = m.stored();
    if transposed {
        faer::MatRef::from_column_major_slice(values, m.cols(), m.rows()).transpose()
    } else {
        faer::MatRef::from_column_major_slice(values, m.rows(), m.cols())
    }
}

pub(super) fn backend_mut(m: MatMut<'_>) -> faer::MatMut<'_, f64> {
    let (rows, cols) = (m.rows(), m.cols());
    let (values, transposed) = m.into_stored();
    if transposed {
        faer::MatMut::from_column_major_slice_mut(values, cols, rows).transpose_mut()
    } else {
        faer::MatMut::from_column_major_slice_mut(values, rows, cols)
    }
}

/// `out ← factor · a · b`, or `out ← out + factor · a · b`.
///
/// Shapes: `out` is m × n, `a` is m × k, `b` is k × n.
///
/// # Panics
/// If the shapes do not fit.
pub fn multiply(
    out: MatMut<'_>,
    accumulate: Accumulate,
    factor: f64,
    a: MatRef<'_>,
    b: MatRef<'_>,
) {
    assert_eq!(
        (out.rows(), out.cols(), a.cols()),
        (a.rows(), b.cols(), b.rows()),
        "shapes of a product"
    );
    // A transposed result is the product of the transposes: then the parts below are contiguous.
    let (m, n) = (out.rows(), out.cols());
    let (values, transposed) = out.into_stored();
    let (a, b, m, n) = if transposed { (b.t(), a.t(), n, m) } else { (a, b, m, n) };
    let out = MatMut::new(m, n, values);
    let accum = match accumulate {
        Accumulate::Replace => Accum::Replace,
        Accumulate::Add => Accum::Add,
    };
    let k = a.cols();
    if m * n * k < PARALLEL_FROM || n < 2 * PART {
        matmul(backend_mut(out), accum, backend(a), backend(b), factor, Par::Seq);
        return;
    }
    let (values, _) = out.into_stored();
    let (a, b) = (backend(a), backend(b));
    values.par_chunks_mut(m * PART).enumerate().for_each(|(part, values)| {
        let width = values.len() / m;
        let out = faer::MatMut::from_column_major_slice_mut(values, m, width);
        matmul(out, accum, a, b.subcols(part * PART, width), factor, Par::Seq);
    });
}

impl Operator for MatRef<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.rows(), self.cols())
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        let (x, out) = (MatRef::new(x.len(), 1, x), MatMut::new(out.len(), 1, out));
        multiply(out, Accumulate::Replace, 1.0, *self, x);
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        self.t().apply(x, out);
    }
}
