//! Singular value and symmetric eigenvalue decompositions, sequential so that bits do not depend on threads.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::householder;
use faer::linalg::qr::no_pivoting::factor;
use faer::linalg::svd::{self as backend_svd, ComputeSvdVectors};
use faer::{ColMut, Conj, Par, Spec};

use super::product::{backend, backend_mut};
use super::{Mat, MatRef};
use crate::random::{Stream, normal};
use crate::{Error, Result};

/// The thin singular value decomposition A = U diag(s) Vᵀ.
#[derive(Clone, Debug)]
pub struct Svd {
    /// Left singular vectors, rows × r with r = min(rows, cols).
    pub u: Mat,
    /// Singular values, descending.
    pub s: Vec<f64>,
    /// Right singular vectors, cols × r.
    pub v: Mat,
}

impl Svd {
    /// The `count` leading triplets.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let count = count.min(self.s.len());
        let leading =
            |m: &Mat| Mat::from_columns(m.rows(), count, m.values()[..m.rows() * count].to_vec());
        Self { u: leading(&self.u), s: self.s[..count].to_vec(), v: leading(&self.v) }
    }
}

/// The eigenvalue decomposition A = U diag(values) Uᵀ of a symmetric matrix.
#[derive(Clone, Debug)]
pub struct Eigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Eigenvectors, one a column.
    pub vectors: Mat,
}

impl Eigen {
    /// U diag(f(values)) Uᵀ: the function f of the matrix.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Mat {
        let (u, values): (_, Vec<f64>) =
            (&self.vectors, self.values.iter().map(|v| f(*v)).collect());
        let scaled = Mat::from_fn(u.rows(), values.len(), |i, r| u[(i, r)] * values[r]);
        scaled.view().times(u.t())
    }
}

fn check_finite(a: MatRef<'_>) -> Result<()> {
    match a.stored().0.iter().find(|x| !x.is_finite()) {
        Some(&found) => Err(Error::NotFinite { what: "every entry of the matrix".into(), found }),
        None => Ok(()),
    }
}

fn diagonal(values: &mut [f64]) -> DiagMut<'_, f64> {
    ColMut::from_slice_mut(values).as_diagonal_mut()
}

/// The thin singular value decomposition of `a`.
///
/// # Errors
/// [`Error::NotFinite`] if an entry is not finite or the iteration does not converge.
pub fn svd(a: MatRef<'_>) -> Result<Svd> {
    check_finite(a)?;
    let rank = a.rows().min(a.cols());
    let (mut u, mut v) = (Mat::zeros(a.rows(), rank), Mat::zeros(a.cols(), rank));
    let mut s = vec![0.0; rank];
    if rank > 0 {
        let thin = ComputeSvdVectors::Thin;
        let need = backend_svd::svd_scratch::<f64>(
            a.rows(),
            a.cols(),
            thin,
            thin,
            Par::Seq,
            Spec::default(),
        );
        backend_svd::svd(
            backend(a),
            diagonal(&mut s),
            Some(backend_mut(u.view_mut())),
            Some(backend_mut(v.view_mut())),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(need)),
            Spec::default(),
        )
        .map_err(|_| unconverged("the singular values"))?;
    }
    Ok(Svd { u, s, v })
}

/// The singular values of `a`, descending.
///
/// # Errors
/// As [`svd`].
pub fn singular_values(a: MatRef<'_>) -> Result<Vec<f64>> {
    check_finite(a)?;
    let mut s = vec![0.0; a.rows().min(a.cols())];
    if !s.is_empty() {
        let none = ComputeSvdVectors::No;
        let need = backend_svd::svd_scratch::<f64>(
            a.rows(),
            a.cols(),
            none,
            none,
            Par::Seq,
            Spec::default(),
        );
        backend_svd::svd(
            backend(a),
            diagonal(&mut s),
            None,
            None,
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(need)),
            Spec::default(),
        )
        .map_err(|_| unconverged("the singular values"))?;
    }
    Ok(s)
}

/// The eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read.
///
/// # Errors
/// [`Error::Shape`] if `a` is not square, [`Error::NotFinite`] as for [`svd`].
pub fn eigen(a: MatRef<'_>) -> Result<Eigen> {
    check_finite(a)?;
    let n = a.rows();
    if n != a.cols() {
        return Err(Error::shape(
            "a symmetric matrix",
            format!("({n}, {n})"),
            format!("({n}, {})", a.cols()),
        ));
    }
    let (mut values, mut vectors) = (vec![0.0; n], Mat::zeros(n, n));
    if n > 0 {
        let need = evd::self_adjoint_evd_scratch::<f64>(
            n,
            ComputeEigenvectors::Yes,
            Par::Seq,
            Spec::default(),
        );
        evd::self_adjoint_evd(
            backend(a),
            diagonal(&mut values),
            Some(backend_mut(vectors.view_mut())),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(need)),
            Spec::default(),
        )
        .map_err(|_| unconverged("the eigenvalues"))?;
    }
    Ok(Eigen { values, vectors })
}

fn unconverged(what: &str) -> Error {
    Error::NotFinite {
        what: format!("{what} of the matrix (the iteration did not converge)"),
        found: f64::NAN,
    }
}

/// An orthonormal basis of the columns of `a` (rows ≥ cols, full rank), by Householder reflections.
///
/// Column signs are such that R of A = QR has a positive diagonal, so Q is a function of A alone.
pub fn orthonormal(a: MatRef<'_>) -> Mat {
    let (rows, cols) = (a.rows(), a.cols());
    if cols == 0 {
        return Mat::zeros(rows, 0);
    }
    let block = factor::recommended_block_size::<f64>(rows, cols);
    let mut reflections = a.to_mat();
    let mut weights = Mat::zeros(block, cols);
    let need = factor::qr_in_place_scratch::<f64>(rows, cols, block, Par::Seq, Spec::default()).or(
        householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(
            rows, block, cols,
        ),
    );
    let mut room = MemBuffer::new(need);
    factor::qr_in_place(
        backend_mut(reflections.view_mut()),
        backend_mut(weights.view_mut()),
        Par::Seq,
        MemStack::new(&mut room),
        Spec::default(),
    );
    let mut q = Mat::eye(rows, cols);
    householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
        backend(reflections.view()),
        backend(weights.view()),
        Conj::No,
        backend_mut(q.view_mut()),
        Par::Seq,
        MemStack::new(&mut room),
    );
    for j in 0..cols {
        if reflections[(j, j)] < 0.0 {
            q.col_mut(j).iter_mut().for_each(|x| *x = -*x);
        }
    }
    q
}

/// The determinant of a square matrix, by its triangular factors.
///
/// # Errors
/// [`Error::Shape`] if `a` is not square.
pub fn determinant(a: MatRef<'_>) -> Result<f64> {
    let (rows, cols) = (a.rows(), a.cols());
    if rows == cols {
        return Ok(backend(a).determinant());
    }
    Err(Error::shape(
        "a matrix with a determinant",
        format!("({rows}, {rows})"),
        format!("({rows}, {cols})"),
    ))
}

/// A `rows × cols` matrix with orthonormal columns (rows, if there are fewer rows), drawn uniformly (Haar).
pub fn random_orthogonal(rows: usize, cols: usize, stream: &mut Stream) -> Mat {
    let (tall, wide) = (rows.max(cols), rows.min(cols));
    let q = orthonormal(Mat::from_fn(tall, wide, |_, _| normal(stream)).view());
    if rows >= cols { q } else { q.t().to_mat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn a_decomposition_multiplies_back() {
        let mut random = stream(1, Purpose::Sketch, 0);
        for (rows, cols) in [(7, 4), (4, 7), (5, 5), (1, 3)] {
            let a = Mat::from_fn(rows, cols, |_, _| normal(&mut random));
            let Svd { u, s, v } = svd(a.view()).unwrap();
            let us = Mat::from_fn(rows, s.len(), |i, j| u[(i, j)] * s[j]);
            assert!(us.view().times(v.t()).minus(&a).max_abs() < 1e-13);
            assert!(s.windows(2).all(|p| p[0] >= p[1]));
            assert_eq!(singular_values(a.view()).unwrap().len(), s.len());
        }
    }

    #[test]
    fn a_symmetric_matrix_is_diagonalised() {
        let mut random = stream(2, Purpose::Sketch, 0);
        let b = Mat::from_fn(6, 6, |_, _| normal(&mut random));
        let a = b.view().times(b.t());
        let Eigen { values, vectors } = eigen(a.view()).unwrap();
        let scaled = Mat::from_fn(6, 6, |i, j| vectors[(i, j)] * values[j]);
        assert!(scaled.view().times(vectors.t()).minus(&a).max_abs() < 1e-12);
    }

    #[test]
    fn a_random_orthogonal_matrix_is_orthogonal() {
        for (rows, cols) in [(5, 5), (6, 3), (3, 6)] {
            let q = random_orthogonal(rows, cols, &mut stream(3, Purpose::Init, 0));
            let gram = if rows >= cols { q.t().times(q.view()) } else { q.view().times(q.t()) };
            assert!(gram.minus(&Mat::eye(rows.min(cols), rows.min(cols))).max_abs() < 1e-14);
        }
    }

    #[test]
    fn determinants_are_as_by_hand() {
        let a = Mat::from_columns(2, 2, vec![0.0, 2.0, 3.0, 5.0]);
        assert!((determinant(a.view()).unwrap() + 6.0).abs() < 1e-14);
        assert!((determinant(a.t()).unwrap() + 6.0).abs() < 1e-14);
        assert!(determinant(Mat::eye(2, 3).view()).is_err());
    }

    #[test]
    fn a_matrix_with_a_hole_is_refused() {
        let mut a = Mat::eye(3, 3);
        a[(1, 1)] = f64::NAN;
        assert!(svd(a.view()).unwrap_err().to_string().contains("must be finite"));
    }
}
