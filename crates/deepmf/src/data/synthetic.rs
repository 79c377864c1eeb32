//! Synthetic truths: matrices of which everything is known.

use super::{Entries, Shape, observe, random_cells, words};
use crate::linalg::{Mat, random_orthogonal, singular_values};
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

/// Ratings from 1 to 5 of `count` random cells: a middle, an offset of each row and of each column, a matrix of `rank`, noise, rounded.
///
/// All four have standard deviations that together make about that of MovieLens' ratings: 0.4, 0.4, 0.7 and 0.5.
///
/// # Errors
/// As [`low_rank`] and [`random_cells`](super::random_cells).
///
/// ```
/// let ratings = deepmf::data::random_ratings((30, 20), 2, 200, 0)?;
/// assert!(ratings.len() == 200 && ratings.values().iter().all(|x| [1., 2., 3., 4., 5.].contains(x)));
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn random_ratings(shape: Shape, rank: usize, count: usize, seed: u64) -> Result<Entries> {
    let taste = low_rank(shape, rank, seed)?;
    let seen = observe(&taste, &random_cells(shape, count, seed)?)?;
    let mut draws = stream(seed, Purpose::Truth, 1);
    let mut offsets =
        |count: usize| -> Vec<f64> { (0..count).map(|_| 0.4 * normal(&mut draws)).collect() };
    let (rows, cols, noise) = (offsets(shape.0), offsets(shape.1), offsets(count));
    let rating = |((i, j, x), noise): ((usize, usize, f64), &f64)| {
        (3.5 + rows[i] + cols[j] + 0.7 * x + 1.25 * noise).round().clamp(1.0, 5.0)
    };
    seen.with_values(seen.iter().zip(&noise).map(rating).collect())
}

/// A random matrix of `shape` with the given singular values: U diag(values) Vᵀ with random orthonormal U and V.
///
/// A `symmetric` one is Q diag(values) Qᵀ, and the values are its eigenvalues.
///
/// # Errors
/// [`Error::Parameter`] if there are no values or more than min(rows, cols), one is not finite (or below 0, unless
/// `symmetric`), or a symmetric matrix is not square.
///
/// ```
/// let truth = deepmf::data::with_spectrum((4, 4), &[3.0, -1.0], true, 0)?;
/// assert!((truth.frobenius() - 10_f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn with_spectrum(shape: Shape, values: &[f64], symmetric: bool, seed: u64) -> Result<Mat> {
    let (rows, cols) = shape;
    must_be_square(shape, symmetric)?;
    let most = rows.min(cols);
    if !(1..=most).contains(&values.len()) {
        let allowed = format!("from 1 to {most}");
        return Err(Error::parameter("the number of values of a spectrum", allowed, values.len()));
    }
    if let Some(found) = values.iter().find(|x| !(x.is_finite() && (symmetric || **x >= 0.0))) {
        let allowed = if symmetric { "finite" } else { "finite and 0 or more" };
        return Err(Error::parameter("every value of a spectrum", allowed, found));
    }
    let mut draws = stream(seed, Purpose::Truth, 0);
    let left = random_orthogonal(rows, values.len(), &mut draws);
    let right =
        if symmetric { left.clone() } else { random_orthogonal(cols, values.len(), &mut draws) };
    let scaled = Mat::from_fn(rows, values.len(), |i, k| left[(i, k)] * values[k]);
    Ok(scaled.view().times(right.t()))
}

/// `matrix` + E with a gaussian E, symmetric on request, of spectral norm ‖E‖₂ = `norm`.
///
/// # Errors
/// [`Error::Parameter`] if `norm` is not 0 or more or a symmetric E is not square; [`Error::NotFinite`].
pub fn perturbed(matrix: &Mat, norm: f64, symmetric: bool, seed: u64) -> Result<Mat> {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    must_be_square((rows, cols), symmetric)?;
    if !(norm.is_finite() && norm >= 0.0) {
        return Err(Error::parameter("noise", "0 or more", norm));
    }
    let mut draws = stream(seed, Purpose::Noise, 0);
    let drawn = Mat::from_fn(rows, cols, |_, _| normal(&mut draws));
    let both = |i, j| if symmetric { drawn[(i, j)] + drawn[(j, i)] } else { drawn[(i, j)] };
    let noise = Mat::from_fn(rows, cols, both);
    let largest = singular_values(noise.view())?.first().copied().unwrap_or(1.0);
    Ok(matrix.clone().minus(&noise.scaled(-norm / largest)))
}

fn must_be_square((rows, cols): Shape, symmetric: bool) -> Result<()> {
    if !symmetric || rows == cols {
        return Ok(());
    }
    Err(Error::parameter("a symmetric matrix", "square", words((rows, cols))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::eigen;

    #[test]
    fn a_matrix_has_the_spectrum_that_was_asked_for() {
        let values = [3.0, 1.0, 0.5];
        let tall = with_spectrum((7, 5), &values, false, 1).unwrap();
        let found = singular_values(tall.view()).unwrap();
        assert!(found.iter().zip([3.0, 1.0, 0.5, 0.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-13));
        let symmetric = with_spectrum((5, 5), &[2.0, -1.0], true, 1).unwrap();
        assert!(symmetric.clone().minus(&symmetric.t().to_mat()).max_abs() < 1e-15);
        let found = eigen(symmetric.view()).unwrap().values;
        assert!((found[0] + 1.0).abs() < 1e-13 && (found[4] - 2.0).abs() < 1e-13, "{found:?}");
    }

    #[test]
    fn a_perturbation_has_its_norm_and_its_symmetry() {
        let zero = Mat::zeros(6, 6);
        for symmetric in [true, false] {
            let noise = perturbed(&zero, 0.3, symmetric, 2).unwrap();
            assert!((singular_values(noise.view()).unwrap()[0] - 0.3).abs() < 1e-14);
            let odd = noise.clone().minus(&noise.t().to_mat()).max_abs();
            assert_eq!(odd < 1e-15, symmetric);
        }
        assert_eq!(perturbed(&Mat::eye(3, 3), 0.0, true, 2).unwrap(), Mat::eye(3, 3));
    }

    #[test]
    fn a_spectrum_that_cannot_be_is_named() {
        let message = |shape, values: &[f64], symmetric| {
            with_spectrum(shape, values, symmetric, 0).unwrap_err().to_string()
        };
        assert!(message((3, 2), &[1.0; 3], false).ends_with("from 1 to 2, but it is 3"));
        assert!(message((3, 3), &[-1.0], false).ends_with("0 or more, but it is -1"));
        assert_eq!(
            message((3, 2), &[1.0], true),
            "a symmetric matrix must be square, but it is (3, 2)"
        );
    }

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
