//! Synthetic truths: matrices of which everything is known.

use super::{Shape, words};
use crate::linalg::Mat;
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// A random matrix of `shape` and `rank` with mean square 1.
///
/// W = U Vᵀ / √rank with the entries of U (rows x rank) and V (cols x rank) from N(0, 1), rescaled so that
/// ‖W‖_F = √(rows · cols), which is n for a square one. Source: Arora et al. 2019, the data of the experiments.
///
/// # Errors
/// [`Error::Parameter`] if `rank` is 0 or above min(rows, cols), or for 2³² numbers or more.
///
/// ```
/// let truth = deepmf::data::low_rank((100, 80), 5, 0)?;
/// assert!((truth.frobenius() - 8000_f64.sqrt()).abs() < 1e-9);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn low_rank(shape: Shape, rank: usize, seed: u64) -> Result<Mat> {
    let (rows, cols) = shape;
    let most = rows.min(cols);
    if !(1..=most).contains(&rank) {
        return Err(Error::parameter("the rank", format!("from 1 to {most}"), rank));
    }
    if rows.checked_mul(cols).is_none_or(|size| u32::try_from(size).is_err()) {
        return Err(Error::parameter("a dense shape", "below 2^32 numbers", words(shape)));
    }
    let mut draws = stream(seed, Purpose::Truth, 0);
    let u = Mat::from_fn(rows, rank, |_, _| normal(&mut draws));
    let v = Mat::from_fn(cols, rank, |_, _| normal(&mut draws));
    let product = u.view().times(v.t());
    let factor = ((rows * cols) as f64).sqrt() / product.frobenius();
    // The division by √rank of the source cancels in the rescaling.
    Ok(product.scaled(factor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::singular_values;

    #[test]
    fn the_truth_has_its_rank_and_its_norm() {
        let truth = low_rank((60, 40), 5, 7).unwrap();
        let spectrum = singular_values(truth.view()).unwrap();
        assert!(spectrum[4] > 1.0 && spectrum[5] < 1e-10, "{spectrum:?}");
        assert!((truth.frobenius() - 2400_f64.sqrt()).abs() < 1e-10);
    }

    #[test]
    fn one_seed_gives_one_truth() {
        assert_eq!(low_rank((9, 7), 2, 1).unwrap(), low_rank((9, 7), 2, 1).unwrap());
        assert_ne!(low_rank((9, 7), 2, 1).unwrap(), low_rank((9, 7), 2, 2).unwrap());
    }

    #[test]
    fn a_rank_that_cannot_be_is_named() {
        for (rank, found) in [(0, "0"), (4, "4")] {
            assert_eq!(
                low_rank((3, 5), rank, 0).unwrap_err().to_string(),
                format!("the rank must be from 1 to 3, but it is {found}")
            );
        }
        let message = low_rank((1 << 40, 1 << 40), 1, 0).unwrap_err().to_string();
        assert!(message.starts_with("a dense shape must be below 2^32 numbers"), "{message}");
    }
}
