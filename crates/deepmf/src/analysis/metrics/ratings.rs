//! Errors of predicted ratings.

use crate::analysis::root_mean_squared_error;
use crate::linalg::MatRef;
use crate::{Error, Result};

fn must_pair(predicted: &[f64], truth: &[f64]) -> Result<()> {
    if predicted.len() != truth.len() {
        let expected = format!("{} numbers, one a rating,", truth.len());
        return Err(Error::shape("the list of predictions", expected, predicted.len()));
    }
    if truth.is_empty() {
        return Err(Error::parameter("the number of test ratings", "1 or more", 0));
    }
    Ok(())
}

/// The mean of |predicted − true|.
///
/// # Errors
/// [`Error::Shape`] unless there is one prediction a rating; [`Error::Parameter`] if there are none.
pub fn mean_absolute_error(predicted: &[f64], truth: &[f64]) -> Result<f64> {
    must_pair(predicted, truth)?;
    let sum: f64 = predicted.iter().zip(truth).map(|(p, t)| (p - t).abs()).sum();
    Ok(sum / truth.len() as f64)
}

/// The root of the mean of (predicted − true)².
///
/// # Errors
/// As [`mean_absolute_error`].
pub fn root_mean_square_error(predicted: &[f64], truth: &[f64]) -> Result<f64> {
    must_pair(predicted, truth)?;
    let column = |numbers| MatRef::new(truth.len(), 1, numbers);
    root_mean_squared_error(column(predicted), column(truth))
}

/// The share of predictions that are exactly right.
///
/// # Errors
/// As [`mean_absolute_error`].
pub fn exact_rate(predicted: &[f64], truth: &[f64]) -> Result<f64> {
    must_pair(predicted, truth)?;
    let hits = predicted.iter().zip(truth).filter(|(p, t)| p == t).count();
    Ok(hits as f64 / truth.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_as_by_hand() {
        let (predicted, truth) = ([1.0, 2.5, 4.0], [1.0, 3.0, 2.0]);
        assert!((mean_absolute_error(&predicted, &truth).unwrap() - 2.5 / 3.0).abs() < 1e-15);
        let root = root_mean_square_error(&predicted, &truth).unwrap();
        assert!((root - (4.25_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((exact_rate(&predicted, &truth).unwrap() - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_to_test_on_is_an_error() {
        let told = exact_rate(&[], &[]).unwrap_err().to_string();
        assert_eq!(told, "the number of test ratings must be 1 or more, but it is 0");
        assert!(mean_absolute_error(&[1.0], &[1.0, 2.0]).is_err());
    }
}
