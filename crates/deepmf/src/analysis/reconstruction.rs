//! Errors of a matrix against a truth: on all cells, or on given ones.

use crate::data::{Entries, words};
use crate::linalg::MatRef;
use crate::{Error, Result};

/// The mean of `(W_ab − T_ab)²` over all cells.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Parameter`] if there is no cell.
pub fn mean_squared_error(w: MatRef<'_>, truth: MatRef<'_>) -> Result<f64> {
    check_shapes(w, truth)?;
    mean(cells(w).map(|(i, j)| (w.at(i, j) - truth.at(i, j)).powi(2)))
}

/// The root of [`mean_squared_error`].
///
/// # Errors
/// As [`mean_squared_error`].
pub fn root_mean_squared_error(w: MatRef<'_>, truth: MatRef<'_>) -> Result<f64> {
    mean_squared_error(w, truth).map(f64::sqrt)
}

/// The mean of `(W_ab − t_ab)²` over the cells of `truth`. Each cell counts once: weights are for training.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Parameter`] if `truth` is empty.
pub fn mean_squared_error_at(w: MatRef<'_>, truth: &Entries) -> Result<f64> {
    truth.must_have_shape("the table of known entries", (w.rows(), w.cols()))?;
    mean(truth.iter().map(|(i, j, t)| (w.at(i, j) - t).powi(2)))
}

/// The root of [`mean_squared_error_at`].
///
/// # Errors
/// As [`mean_squared_error_at`].
pub fn root_mean_squared_error_at(w: MatRef<'_>, truth: &Entries) -> Result<f64> {
    mean_squared_error_at(w, truth).map(f64::sqrt)
}

/// The relative error `‖W − T‖_F / ‖T‖_F`.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Parameter`] if the truth is zero.
pub fn relative_error(w: MatRef<'_>, truth: MatRef<'_>) -> Result<f64> {
    check_shapes(w, truth)?;
    let scale = cells(w).fold(0.0, |m: f64, (i, j)| m.max(truth.at(i, j).abs()));
    if scale == 0.0 {
        let name = "the norm of the truth that a relative error is divided by";
        return Err(Error::parameter(name, "above 0", 0));
    }
    // Divided by the largest entry first, so that no square overflows or vanishes.
    let size = |entry: &dyn Fn(usize, usize) -> f64| {
        cells(w).map(|(i, j)| (entry(i, j) / scale).powi(2)).sum::<f64>().sqrt()
    };
    Ok(size(&|i, j| w.at(i, j) - truth.at(i, j)) / size(&|i, j| truth.at(i, j)))
}

fn cells(w: MatRef<'_>) -> impl Iterator<Item = (usize, usize)> {
    (0..w.cols()).flat_map(move |j| (0..w.rows()).map(move |i| (i, j)))
}

fn check_shapes(w: MatRef<'_>, truth: MatRef<'_>) -> Result<()> {
    let (expected, found) = ((w.rows(), w.cols()), (truth.rows(), truth.cols()));
    if expected == found {
        return Ok(());
    }
    Err(Error::shape("the truth", words(expected), words(found)))
}

fn mean(values: impl Iterator<Item = f64>) -> Result<f64> {
    let (count, sum) = values.fold((0_u64, 0.0), |(count, sum), x| (count + 1, sum + x));
    if count == 0 {
        return Err(Error::parameter("the number of cells of a mean error", "1 or more", 0));
    }
    Ok(sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;

    fn case() -> (Mat, Mat) {
        let truth = Mat::from_columns(2, 2, vec![3.0, 0.0, 0.0, 4.0]);
        let w = Mat::from_columns(2, 2, vec![3.0, 1.0, -2.0, 6.0]);
        (w, truth)
    }

    #[test]
    fn errors_on_all_cells_are_as_by_hand() {
        let (w, truth) = case();
        assert!((mean_squared_error(w.view(), truth.view()).unwrap() - 2.25).abs() < 1e-15);
        assert!((root_mean_squared_error(w.view(), truth.view()).unwrap() - 1.5).abs() < 1e-15);
        assert!((relative_error(w.view(), truth.view()).unwrap() - 0.6).abs() < 1e-15);
        assert!((mean_squared_error(w.t(), truth.t()).unwrap() - 2.25).abs() < 1e-15);
    }

    #[test]
    fn errors_on_given_cells_leave_out_the_others_and_the_weights() {
        let (w, _) = case();
        let seen = Entries::new((2, 2), vec![1, 0], vec![0, 1], vec![4.0, -2.0]).unwrap();
        for seen in [seen.clone(), seen.weighted(vec![5.0, 0.0]).unwrap()] {
            assert!((mean_squared_error_at(w.view(), &seen).unwrap() - 4.5).abs() < 1e-15);
            let root = root_mean_squared_error_at(w.view(), &seen).unwrap();
            assert!((root - 4.5_f64.sqrt()).abs() < 1e-15);
        }
    }

    #[test]
    fn a_relative_error_survives_tiny_and_huge_numbers() {
        let (w, truth) = case();
        for scale in [1e-200, 1e200] {
            let (w, truth) = (w.clone().scaled(scale), truth.clone().scaled(scale));
            assert!((relative_error(w.view(), truth.view()).unwrap() - 0.6).abs() < 1e-14);
        }
    }

    #[test]
    fn a_diverged_matrix_has_no_finite_error() {
        let (mut w, truth) = case();
        w[(0, 0)] = f64::NAN;
        assert!(mean_squared_error(w.view(), truth.view()).unwrap().is_nan());
        assert!(relative_error(w.view(), truth.view()).unwrap().is_nan());
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        let (w, truth) = case();
        let none = Entries::new((2, 2), vec![], vec![], vec![]).unwrap();
        assert!(mean_squared_error_at(w.view(), &none).is_err());
        assert!(mean_squared_error(Mat::zeros(0, 3).view(), Mat::zeros(0, 3).view()).is_err());
        assert!(relative_error(w.view(), Mat::zeros(2, 2).view()).is_err());
        assert!(mean_squared_error(w.view(), Mat::eye(2, 3).view()).is_err());
        let wide = Entries::new((2, 3), vec![], vec![], vec![]).unwrap();
        assert_eq!(
            mean_squared_error_at(truth.view(), &wide).unwrap_err().to_string(),
            "the table of known entries must have shape (2, 2), but it has (2, 3)"
        );
    }
}
