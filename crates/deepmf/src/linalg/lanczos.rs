//! The leading singular values and vectors of a matrix that is known by its products alone.

use super::{Mat, Svd, axpy, dot, norm, svd, unit};
use crate::Result;
use crate::random::{Purpose, normal, stream};

/// A matrix known by its products with vectors.
pub trait Operator {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
    /// `out ← A x`.
    fn apply(&self, x: &[f64], out: &mut [f64]);
    /// `out ← Aᵀ x`.
    fn apply_transposed(&self, x: &[f64], out: &mut [f64]);
}

/// The `count` largest singular values of `a`, descending, to a relative residual of 1e-10.
///
/// # Errors
/// As [`leading_svd`].
pub fn leading_singular(a: &dyn Operator, count: usize) -> Result<Vec<f64>> {
    Ok(leading_svd(a, count, 1e-10)?.s)
}

/// The `count` largest singular values of `a` with their vectors, descending, to a residual of `tolerance` times the largest.
///
/// Golub–Kahan–Lanczos bidiagonalisation with full reorthogonalisation from a seeded start; the
/// residual β |last row of the left vectors| bounds each error. Runs to the full size if need be, so the
/// answer does not depend on luck with the tolerance.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if products are not finite.
pub fn leading_svd(a: &dyn Operator, count: usize, tolerance: f64) -> Result<Svd> {
    let (rows, cols) = a.shape();
    let full = rows.min(cols);
    let count = count.min(full);
    if count == 0 {
        return Ok(Svd { u: Mat::zeros(rows, 0), s: Vec::new(), v: Mat::zeros(cols, 0) });
    }
    let mut random = stream(0, Purpose::Sketch, 0);
    let mut v: Vec<Vec<f64>> = vec![unit((0..cols).map(|_| normal(&mut random)).collect())];
    let mut u: Vec<Vec<f64>> = Vec::new();
    let (mut alphas, mut betas) = (Vec::new(), Vec::new());
    let mut look = count.next_multiple_of(5);
    loop {
        let step = alphas.len();
        let mut next = vec![0.0; rows];
        a.apply(&v[step], &mut next);
        orthogonalise(&mut next, &u);
        alphas.push(norm(&next));
        u.push(unit(next));
        let mut next = vec![0.0; cols];
        a.apply_transposed(&u[step], &mut next);
        orthogonalise(&mut next, &v);
        let beta = norm(&next);
        let done = step + 1;
        if done == full || done >= look || beta == 0.0 {
            // A decomposition costs done³: look less often as it grows.
            look = done + (done / 4).max(5);
            let b = Mat::from_fn(done, done, |i, j| match j.wrapping_sub(i) {
                0 => alphas[i],
                1 => betas[i],
                _ => 0.0,
            });
            let svd = svd(b.view())?;
            let settled = (0..count.min(done))
                .all(|k| beta * svd.u[(done - 1, k)].abs() <= tolerance * svd.s[0]);
            if done == full || settled && done >= count {
                return Ok(Svd {
                    u: combined(&u, &svd.u, count),
                    s: svd.s[..count].to_vec(),
                    v: combined(&v[..done], &svd.v, count),
                });
            }
        }
        betas.push(beta);
        // An invariant space was exhausted: go on from a fresh direction (its coefficient is zero).
        v.push(if beta > 0.0 {
            unit(next)
        } else {
            let mut fresh: Vec<f64> = (0..cols).map(|_| normal(&mut random)).collect();
            orthogonalise(&mut fresh, &v);
            unit(fresh)
        });
    }
}

/// The first `count` combinations of a basis.
fn combined(basis: &[Vec<f64>], weights: &Mat, count: usize) -> Mat {
    let mut out = Mat::zeros(basis[0].len(), count);
    for k in 0..count {
        for (b, weight) in basis.iter().zip(weights.col(k)) {
            axpy(*weight, b, out.col_mut(k));
        }
    }
    out
}

/// Twice is enough (Parlett).
fn orthogonalise(x: &mut [f64], basis: &[Vec<f64>]) {
    for _ in 0..2 {
        for b in basis {
            axpy(-dot(b, x), b, x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::singular_values;

    impl Operator for Mat {
        fn shape(&self) -> (usize, usize) {
            (self.rows(), self.cols())
        }
        fn apply(&self, x: &[f64], out: &mut [f64]) {
            out.fill(0.0);
            for (j, x) in x.iter().enumerate() {
                axpy(*x, self.col(j), out);
            }
        }
        fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
            for (j, out) in out.iter_mut().enumerate() {
                *out = dot(self.col(j), x);
            }
        }
    }

    #[test]
    fn leading_values_equal_those_of_the_full_decomposition() {
        let mut random = stream(4, Purpose::Sketch, 0);
        for (rows, cols) in [(30, 20), (20, 30), (6, 6)] {
            let a = Mat::from_fn(rows, cols, |_, _| normal(&mut random));
            let (all, some) =
                (singular_values(a.view()).unwrap(), leading_singular(&a, 5).unwrap());
            assert!(all.iter().zip(&some).all(|(x, y)| (x - y).abs() < 1e-9 * all[0]));
            let Svd { u, s, v } = leading_svd(&a, 5, 1e-10).unwrap();
            let image = Mat::from_fn(rows, 5, |i, j| u[(i, j)] * s[j]);
            assert!(a.times(&v).minus(&image).max_abs() < 1e-8 * all[0]);
        }
    }

    #[test]
    fn a_matrix_of_low_rank_has_zeros_after_its_rank() {
        let a = Mat::from_fn(10, 8, |i, j| f64::from(u8::from(i == 0 && j == 0)) * 3.0);
        let values = leading_singular(&a, 4).unwrap();
        assert!((values[0] - 3.0).abs() < 1e-12 && values[1] < 1e-12);
    }
}
