//! The leading singular values and vectors of a matrix that is known by its products alone.

use super::{Mat, Svd, axpy, dot, norm, svd};
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
/// Golub–Kahan–Lanczos bidiagonalisation with full reorthogonalisation from a seeded start; the
/// residual β |last row of the left vectors| bounds each error. Runs to the full size if need be, so the
/// answer does not depend on luck with the tolerance.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if products are not finite.
pub fn leading_singular(a: &dyn Operator, count: usize) -> Result<Vec<f64>> {
    let (_, bidiagonal, _) = bidiagonalise(a, count)?;
    Ok(bidiagonal.s[..count.min(a.shape().0).min(a.shape().1)].to_vec())
}

/// The `count` leading singular triplets of `a`, as [`leading_singular`] finds their values.
///
/// # Errors
/// As [`leading_singular`].
pub fn leading_svd(a: &dyn Operator, count: usize) -> Result<Svd> {
    let (rows, cols) = a.shape();
    let count = count.min(rows).min(cols);
    let (u, bidiagonal, v) = bidiagonalise(a, count)?;
    let turned = |basis: &[Vec<f64>], vectors: &Mat, length: usize| {
        let mut out = Mat::zeros(length, count);
        for r in 0..count {
            for (place, b) in basis.iter().enumerate().take(vectors.rows()) {
                axpy(vectors[(place, r)], b, out.col_mut(r));
            }
        }
        out
    };
    Ok(Svd {
        u: turned(&u, &bidiagonal.u, rows),
        v: turned(&v, &bidiagonal.v, cols),
        s: bidiagonal.s[..count].to_vec(),
    })
}

/// Vectors of a Lanczos basis, one after another.
type Basis = Vec<Vec<f64>>;

/// Left basis, decomposition of the bidiagonal matrix, right basis.
fn bidiagonalise(a: &dyn Operator, count: usize) -> Result<(Basis, Svd, Basis)> {
    let (rows, cols) = a.shape();
    let full = rows.min(cols);
    let count = count.min(full);
    let mut random = stream(0, Purpose::Sketch, 0);
    let mut v: Vec<Vec<f64>> = vec![unit((0..cols).map(|_| normal(&mut random)).collect())];
    let mut u: Vec<Vec<f64>> = Vec::new();
    let (mut alphas, mut betas) = (Vec::new(), Vec::new());
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
        if done == full || done >= count && done % 5 == 0 || beta == 0.0 {
            let b = Mat::from_fn(done, done, |i, j| match j.wrapping_sub(i) {
                0 => alphas[i],
                1 => betas[i],
                _ => 0.0,
            });
            let svd = svd(b.view())?;
            let settled =
                (0..count.min(done)).all(|k| beta * svd.u[(done - 1, k)].abs() <= 1e-10 * svd.s[0]);
            if done == full || settled && done >= count {
                return Ok((u, svd, v));
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

fn unit(mut x: Vec<f64>) -> Vec<f64> {
    let length = norm(&x);
    if length > 0.0 {
        for x in &mut x {
            *x /= length;
        }
    }
    x
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
        }
    }

    #[test]
    fn leading_triplets_meet_their_equations() {
        let mut random = stream(5, Purpose::Sketch, 0);
        for (rows, cols) in [(40, 25), (25, 40)] {
            let a = Mat::from_fn(rows, cols, |_, _| normal(&mut random));
            let Svd { u, s, v } = leading_svd(&a, 4).unwrap();
            let scaled = Mat::from_fn(rows, 4, |i, r| u[(i, r)] * s[r]);
            assert!(a.times(&v).minus(&scaled).max_abs() < 1e-8 * s[0]);
            assert!(u.t().times(u.view()).minus(&Mat::eye(4, 4)).max_abs() < 1e-10);
        }
    }

    #[test]
    fn a_matrix_of_low_rank_has_zeros_after_its_rank() {
        let a = Mat::from_fn(10, 8, |i, j| f64::from(u8::from(i == 0 && j == 0)) * 3.0);
        let values = leading_singular(&a, 4).unwrap();
        assert!((values[0] - 3.0).abs() < 1e-12 && values[1] < 1e-12);
    }
}
