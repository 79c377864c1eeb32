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

/// The `count` largest singular values of `a`, descending, to a relative residual of 1e-10.
///
/// # Errors
/// As [`leading_svd`].
pub fn leading_singular(a: &dyn Operator, count: usize) -> Result<Vec<f64>> {
    Ok(leading(a, count, 1e-10)?.decomposition.s)
}

/// The `count` largest singular values of `a`, descending, with their vectors, to a residual
/// ‖Aᵀu − s v‖ of `tolerance` times the largest value.
///
/// Golub–Kahan–Lanczos bidiagonalisation with full reorthogonalisation from a seeded start; the
/// residual β |last row of the left vectors| bounds each error. Runs to the full size if need be, so the
/// answer does not depend on luck with the tolerance.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) if products are not finite.
pub fn leading_svd(a: &dyn Operator, count: usize, tolerance: f64) -> Result<Svd> {
    let Leading { u, v, decomposition: Svd { u: left, s, v: right } } =
        leading(a, count, tolerance)?;
    let combined = |basis: &[Vec<f64>], turn: &Mat, length: usize| {
        let mut vectors = Mat::zeros(length, s.len());
        for k in 0..s.len() {
            for (place, vector) in basis[..turn.rows()].iter().enumerate() {
                axpy(turn[(place, k)], vector, vectors.col_mut(k));
            }
        }
        vectors
    };
    let (rows, cols) = a.shape();
    Ok(Svd { u: combined(&u, &left, rows), v: combined(&v, &right, cols), s })
}

/// The two bases, and the decomposition of the bidiagonal matrix between them.
struct Leading {
    u: Vec<Vec<f64>>,
    v: Vec<Vec<f64>>,
    decomposition: Svd,
}

fn leading(a: &dyn Operator, count: usize, tolerance: f64) -> Result<Leading> {
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
            let mut svd = svd(b.view())?;
            let settled = (0..count.min(done))
                .all(|k| beta * svd.u[(done - 1, k)].abs() <= tolerance * svd.s[0]);
            if done == full || settled && done >= count {
                svd.s.truncate(count);
                return Ok(Leading { u, v, decomposition: svd });
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
    fn a_matrix_of_low_rank_has_zeros_after_its_rank() {
        let a = Mat::from_fn(10, 8, |i, j| f64::from(u8::from(i == 0 && j == 0)) * 3.0);
        let values = leading_singular(&a, 4).unwrap();
        assert!((values[0] - 3.0).abs() < 1e-12 && values[1] < 1e-12);
    }

    #[test]
    fn leading_vectors_are_singular_vectors() {
        let mut random = stream(5, Purpose::Sketch, 0);
        let mut gaussian = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut random));
        for (rows, cols, rank) in [(30, 20, 20), (20, 30, 20), (40, 40, 3)] {
            let a = gaussian(rows, rank).times(&gaussian(rank, cols));
            let Svd { u, s, v } = leading_svd(&a, 3, 1e-13).unwrap();
            let all = singular_values(a.view()).unwrap();
            for k in 0..3 {
                let (mut av, mut au) = (vec![0.0; a.rows()], vec![0.0; a.cols()]);
                a.apply(v.col(k), &mut av);
                a.apply_transposed(u.col(k), &mut au);
                axpy(-s[k], u.col(k), &mut av);
                axpy(-s[k], v.col(k), &mut au);
                assert!(norm(&av) + norm(&au) < 1e-11 * all[0]);
                assert!((s[k] - all[k]).abs() < 1e-12 * all[0]);
            }
        }
    }
}
