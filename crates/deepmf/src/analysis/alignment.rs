//! Alignment of the gradient with the singular vectors of the matrix that it belongs to.

use crate::data::words;
use crate::linalg::{Mat, MatRef, svd};
use crate::{Error, Result};

/// Mean and standard deviation (divided by the count) of some numbers; NaN where there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        Self { mean, std: variance.sqrt() }
    }
}

/// |Uᵀ G V| for W = U diag(s) Vᵀ and the gradient G at W; see [`alignment`].
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// `|u_aᵀ G v_b|` at row a, column b; r × r with r = min(rows, columns), in the order of falling s.
    pub entries: Mat,
    /// The r entries on the diagonal.
    pub diagonal: Spread,
    /// The r² − r entries off the diagonal.
    pub off_diagonal: Spread,
}

/// How far `gradient` (the gradient of a loss at `w`, of the same shape) is diagonal in the singular basis of `w`.
///
/// Where it is diagonal the singular vectors of a balanced deep linear model stand still, and only its
/// singular values move: see [`theory`](super::theory). All entries scale with the constant of the loss.
/// Where singular values coincide (or vanish) their vectors are not unique, nor are the entries.
///
/// Source: Arora, Cohen, Hu and Luo 2019, "Implicit regularization in deep matrix factorization", Figure 3.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::NotFinite`] if an entry of `w` is not finite.
pub fn alignment(w: MatRef<'_>, gradient: MatRef<'_>) -> Result<Alignment> {
    let (expected, found) = ((w.rows(), w.cols()), (gradient.rows(), gradient.cols()));
    if expected != found {
        return Err(Error::shape("the gradient", words(expected), words(found)));
    }
    let basis = svd(w)?;
    let mut entries = basis.u.t().times(gradient).times(&basis.v);
    entries.values_mut().iter_mut().for_each(|x| *x = x.abs());
    let r = basis.s.len();
    let split = |on_diagonal: bool| {
        let places = (0..r * r).filter(move |e| (e / r == e % r) == on_diagonal);
        Spread::of(places.map(|e| entries.values()[e]))
    };
    let (diagonal, off_diagonal) = (split(true), split(false));
    Ok(Alignment { entries, diagonal, off_diagonal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn a_gradient_with_the_same_singular_vectors_is_diagonal() {
        let mut random = stream(1, Purpose::Truth, 0);
        let w = Mat::from_fn(4, 6, |_, _| normal(&mut random));
        let basis = svd(w.view()).unwrap();
        let scaled = Mat::from_fn(4, 4, |i, j| basis.u[(i, j)] * [-2.0, 1.0, 0.5, 4.5][j]);
        let gradient = scaled.view().times(basis.v.t());
        let found = alignment(w.view(), gradient.view()).unwrap();
        assert!((found.entries[(0, 0)] - 2.0).abs() < 1e-13);
        assert!((found.diagonal.mean - 2.0).abs() < 1e-13);
        assert!((found.diagonal.std - 2.375_f64.sqrt()).abs() < 1e-13);
        assert!(found.off_diagonal.mean < 1e-14);
    }

    #[test]
    fn a_diagonal_matrix_leaves_the_absolute_gradient() {
        let w = Mat::from_columns(2, 2, vec![3.0, 0.0, 0.0, 1.0]);
        let gradient = Mat::from_columns(2, 2, vec![1.0, -2.0, 4.0, -3.0]);
        let found = alignment(w.view(), gradient.view()).unwrap();
        assert!(
            found.entries.minus(&Mat::from_columns(2, 2, vec![1.0, 2.0, 4.0, 3.0])).max_abs()
                < 1e-14
        );
        assert!(
            (found.diagonal.mean - 2.0).abs() < 1e-14 && (found.diagonal.std - 1.0).abs() < 1e-14
        );
        assert!((found.off_diagonal.mean - 3.0).abs() < 1e-14);
    }

    #[test]
    fn a_single_row_has_nothing_off_the_diagonal() {
        let w = Mat::from_columns(1, 2, vec![3.0, 4.0]);
        let found = alignment(w.view(), w.view()).unwrap();
        assert!((found.diagonal.mean - 5.0).abs() < 1e-14);
        assert!(found.off_diagonal.mean.is_nan());
    }

    #[test]
    fn a_gradient_of_another_shape_is_refused() {
        let error = alignment(Mat::eye(2, 3).view(), Mat::eye(3, 2).view()).unwrap_err();
        assert_eq!(error.to_string(), "the gradient must have shape (2, 3), but it has (3, 2)");
    }
}
