//! Dense products, split the same way at any number of threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use rayon::prelude::*;

use super::{MatMut, MatRef, Operator, Real};

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

pub(super) fn backend<T: Real>(m: MatRef<'_, T>) -> faer::MatRef<'_, T> {
    let (values, transposed) = m.stored();
    if transposed {
        faer::MatRef::from_column_major_slice(values, m.cols(), m.rows()).transpose()
    } else {
        faer::MatRef::from_column_major_slice(values, m.rows(), m.cols())
    }
}

pub(super) fn backend_mut<T: Real>(m: MatMut<'_, T>) -> faer::MatMut<'_, T> {
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
pub fn multiply<T: Real>(
    out: MatMut<'_, T>,
    accumulate: Accumulate,
    factor: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, of which single precision adds and multiplies thousands without rounding.
    fn whole<T: Real>(count: usize, shift: usize) -> Vec<T> {
        let whole = |e: usize| ((((e + 1) * 40_503 * shift) >> 7) % 5) as f64 - 2.0;
        (0..count).map(|e| T::of(whole(e))).collect()
    }

    fn products<T: Real>(threads: usize) -> Vec<f64> {
        let (m, n, k) = (130, 300, 150);
        let (a, b) = (whole::<T>(m * k, 1), whole::<T>(n * k, 2));
        let mut out = vec![T::default(); m * n];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (a, b) = (MatRef::new(k, m, &a).t(), MatRef::new(n, k, &b).t());
            let half = T::of(0.5);
            multiply(MatMut::new(m, n, &mut out), Accumulate::Replace, half, a, b);
            multiply(MatMut::new(m, n, &mut out), Accumulate::Add, T::of(1.0), a, b);
        });
        out.into_iter().map(Real::double).collect()
    }

    #[test]
    fn single_precision_gives_the_same_whole_numbers_at_any_number_of_threads() {
        let double = products::<f64>(1);
        assert!(double.iter().any(|x| x.abs() > 10.0));
        assert_eq!(products::<f32>(1), double);
        assert_eq!(products::<f32>(2), double);
    }
}
