//! The flow of a diagonal model, where all measurements commute and every depth has the same limit.
//!
//! W = diag(w), each `w_i` a product of N equal positive numbers, the loss ℓ(w) = ½ ‖A w − y‖². From w = α·1 the
//! flow tends, as α → 0, to the solution of the linear program min 1ᵀw, A w = y, w ≥ 0, which is the nuclear
//! norm's least value, for every N ≥ 2 (Arora, Cohen, Hu and Luo 2019, "Implicit regularization in deep
//! matrix factorization", section 2; Gunasekar et al. 2017 for N = 2).

use super::check_depth;
use crate::linalg::MatRef;
use crate::{Error, Result};

/// `dw_i/dt = −N w_i^{2−2/N} (Aᵀ(A w − y))_i`.
///
/// Shapes: `a` is m × d, `y` has m numbers, `w` has d, each 0 or more.
///
/// # Errors
/// [`Error::Shape`] if lengths do not fit, [`Error::Parameter`] if `depth` is below 1 or a number of `w` is negative.
pub fn diagonal_velocity(a: MatRef<'_>, y: &[f64], w: &[f64], depth: f64) -> Result<Vec<f64>> {
    if let Some(found) = w.iter().find(|w| w.is_nan() || **w < 0.0) {
        return Err(Error::parameter("a number on the diagonal", "0 or more", found));
    }
    let slope = slope(a, y, w, depth)?;
    Ok(w.iter().zip(slope).map(|(w, g)| -depth * w.powf(2.0 - 2.0 / depth) * g).collect())
}

/// The same flow in z = ln w, where it stays positive: `dz_i/dt = −N w_i^{1−2/N} (Aᵀ(A w − y))_i`, `w = e^z`.
///
/// Shapes as for [`diagonal_velocity`], with `log_w` = z.
///
/// # Errors
/// [`Error::Shape`] if lengths do not fit, [`Error::Parameter`] if `depth` is below 1.
pub fn diagonal_log_velocity(
    a: MatRef<'_>,
    y: &[f64],
    log_w: &[f64],
    depth: f64,
) -> Result<Vec<f64>> {
    let w: Vec<f64> = log_w.iter().map(|z| z.exp()).collect();
    let slope = slope(a, y, &w, depth)?;
    let rates = log_w.iter().map(|z| -depth * (z * (1.0 - 2.0 / depth)).exp());
    Ok(rates.zip(slope).map(|(rate, g)| rate * g).collect())
}

/// Aᵀ(A w − y).
fn slope(a: MatRef<'_>, y: &[f64], w: &[f64], depth: f64) -> Result<Vec<f64>> {
    check_depth(depth)?;
    for (what, expected, found) in
        [("the list of measurements", a.rows(), y.len()), ("the diagonal", a.cols(), w.len())]
    {
        if expected != found {
            return Err(Error::shape(what, format!("{expected} numbers"), found));
        }
    }
    let mut residual = a.times(MatRef::new(w.len(), 1, w));
    residual.values_mut().iter_mut().zip(y).for_each(|(r, y)| *r -= y);
    Ok(a.t().times(residual.view()).values().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::theory::singular_value_velocity;
    use crate::linalg::{Mat, Svd};

    fn case() -> (Mat, [f64; 2], [f64; 3]) {
        (Mat::from_columns(2, 3, vec![1.0, 2.0, -1.0, 0.5, 3.0, 1.0]), [1.0, -2.0], [0.4, 0.2, 0.1])
    }

    #[test]
    fn it_is_the_law_of_singular_values_of_a_diagonal_matrix() {
        let (a, y, w) = case();
        let slope = slope(a.view(), &y, &w, 2.0).unwrap();
        let gradient = Mat::from_fn(3, 3, |i, j| if i == j { slope[i] } else { 0.0 });
        let svd = Svd { u: Mat::eye(3, 3), s: w.to_vec(), v: Mat::eye(3, 3) };
        for depth in [1.0, 2.0, 2.5, 4.0] {
            let found = diagonal_velocity(a.view(), &y, &w, depth).unwrap();
            let law = singular_value_velocity(&svd, gradient.view(), depth).unwrap();
            let log = diagonal_log_velocity(a.view(), &y, &w.map(f64::ln), depth).unwrap();
            for i in 0..3 {
                assert!((found[i] - law[i]).abs() < 1e-14);
                assert!((found[i] - w[i] * log[i]).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn nothing_moves_where_all_measurements_agree() {
        let (a, _, w) = case();
        let y = a.view().times(MatRef::new(3, 1, &w));
        let found = diagonal_velocity(a.view(), y.values(), &w, 3.0).unwrap();
        assert!(found.iter().all(|x| x.abs() < 1e-15));
    }

    #[test]
    fn lengths_that_do_not_fit_and_negative_numbers_are_refused() {
        let (a, y, w) = case();
        let error = diagonal_velocity(a.view(), &y[..1], &w, 2.0).unwrap_err();
        assert_eq!(error.to_string(), "the list of measurements must have 2 numbers, but it has 1");
        let error = diagonal_log_velocity(a.view(), &y, &w[..2], 2.0).unwrap_err();
        assert_eq!(error.to_string(), "the diagonal must have 3 numbers, but it has 2");
        assert!(diagonal_velocity(a.view(), &y, &[0.1, -0.1, 0.0], 2.0).is_err());
        assert!(diagonal_velocity(a.view(), &y, &w, 0.0).is_err());
    }
}
