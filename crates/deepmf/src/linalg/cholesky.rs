//! Small symmetric positive definite systems, many of one size after another.

use faer::Par;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::cholesky::llt::solve::solve_in_place;

use super::product::{backend, backend_mut};
use super::{MatMut, MatRef};
use crate::{Error, Result};

/// Solves systems A x = b with symmetric positive definite A of n × n by A = L Lᵀ; sequential, and without allocation from one to the next.
pub struct Cholesky {
    size: usize,
    room: MemBuffer,
}

impl Cholesky {
    /// Room for systems of `size` unknowns.
    pub fn new(size: usize) -> Self {
        let need = cholesky_in_place_scratch::<f64>(size, Par::Seq, faer::Spec::default());
        Self { size, room: MemBuffer::new(need) }
    }

    /// Puts the solution of A x = b in place of b, and L in place of the lower triangle of A, which alone is read.
    ///
    /// # Errors
    /// [`Error::Shape`] unless both have the size; [`Error::Parameter`] if A is not positive definite.
    pub fn solve(&mut self, a: &mut [f64], b: &mut [f64]) -> Result<()> {
        let n = self.size;
        for (what, expected, found) in
            [("the matrix of a system", n * n, a.len()), ("its right-hand side", n, b.len())]
        {
            if expected != found {
                return Err(Error::shape(what, format!("{expected} numbers"), found));
            }
        }
        if n == 0 {
            return Ok(());
        }
        self.solve_columns(a, MatMut::new(n, 1, b))?;
        Ok(())
    }

    /// The same for many right-hand sides at once, the columns of `b`.
    ///
    /// # Errors
    /// As [`Cholesky::solve`].
    ///
    /// # Panics
    /// If `a` does not hold n² numbers or `b` has not n rows.
    pub fn solve_columns(&mut self, a: &mut [f64], b: MatMut<'_>) -> Result<()> {
        let n = self.size;
        let stack = MemStack::new(&mut self.room);
        let matrix = backend_mut(MatMut::new(n, n, a));
        let default = faer::Spec::default();
        cholesky_in_place(matrix, LltRegularization::default(), Par::Seq, stack, default)
            .map_err(|_| Error::parameter("the matrix of a system", "positive definite", "not"))?;
        let stack = MemStack::new(&mut self.room);
        let (factor, right) = (backend(MatRef::new(n, n, a)), backend_mut(b));
        solve_in_place::<f64, f64>(factor, right, Par::Seq, stack);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn solutions_solve_their_systems_one_after_another() {
        let mut random = stream(3, Purpose::Init, 0);
        for n in [1, 2, 7, 33, 80] {
            let mut cholesky = Cholesky::new(n);
            for _ in 0..2 {
                let half = Mat::from_fn(n, n, |_, _| normal(&mut random));
                let matrix = half.t().times(half.view()).minus(&Mat::eye(n, n).scaled(-1.0));
                let x: Vec<f64> = (0..n).map(|_| normal(&mut random)).collect();
                let mut b = matrix.view().times(MatRef::new(n, 1, &x)).values().to_vec();
                let mut a = matrix.values().to_vec();
                // The upper triangle is not read.
                for j in 1..n {
                    a[j * n..j * n + j].fill(f64::NAN);
                }
                cholesky.solve(&mut a, &mut b).unwrap();
                assert!(b.iter().zip(&x).all(|(found, x)| (found - x).abs() < 1e-9), "{n}");
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_refused() {
        let told = Cholesky::new(2).solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0]);
        let told = told.unwrap_err().to_string();
        assert_eq!(told, "the matrix of a system must be positive definite, but it is not");
        assert!(Cholesky::new(2).solve(&mut [1.0], &mut [1.0, 1.0]).is_err());
    }
}
