//! Non-negative matrix factorization X ≈ W H by multiplicative updates (Lee and Seung 2001).

use crate::linalg::{Accumulate, Mat, MatRef, multiply};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// What a denominator is kept above: it is 0 only where the numerator is.
const TINY: f64 = 1e-300;

/// The settings of a non-negative factorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nmf {
    /// Columns of W and rows of H.
    pub inner: usize,
    /// Updates of both factors.
    pub updates: usize,
    /// The seed of the start: uniform entries, scaled to the mean of X.
    pub seed: u64,
}

/// X ≈ W H with factors of 0 or more.
#[derive(Clone, Debug)]
pub struct NonNegative {
    /// W: rows of X x inner.
    pub left: Mat,
    /// H: inner x columns of X.
    pub right: Mat,
    /// ‖X − W H‖_F / ‖X‖_F.
    pub relative_error: f64,
}

impl Nmf {
    /// Factors `x`: H ← H ∘ WᵀX / WᵀWH, then W ← W ∘ XHᵀ / WHHᵀ; no update raises the error.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an inner size of 0, or an entry below 0; [`Error::NotFinite`]; [`Error::Shape`] if `x` is empty.
    ///
    /// ```
    /// use deepmf::{linalg::Mat, train::Nmf};
    /// let x = Mat::from_fn(6, 5, |i, j| (i + 1) as f64 * (j + 2) as f64);
    /// let found = Nmf { inner: 1, updates: 50, seed: 0 }.factor(&x)?;
    /// assert!(found.relative_error < 1e-12);
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn factor(&self, x: &Mat) -> Result<NonNegative> {
        if self.inner == 0 {
            return Err(Error::parameter("the inner size", "1 or more", 0));
        }
        if x.values().is_empty() {
            let found = format!("({}, {})", x.rows(), x.cols());
            return Err(Error::shape("the matrix to factor", "one entry or more", found));
        }
        if let Some(found) = x.values().iter().find(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "an entry of the matrix".into(), found: *found });
        }
        if let Some(found) = x.values().iter().find(|value| **value < 0.0) {
            return Err(Error::parameter(
                "an entry of a matrix with non-negative factors",
                "0 or more",
                found,
            ));
        }
        let (mut left, mut right) = self.start(x);
        let mut room = Updates::new(&left, &right);
        for _ in 0..self.updates {
            room.update(x, &mut left, &mut right);
        }
        let error = left.times(&right).minus(x).frobenius();
        // A matrix of zeros is met exactly: its start is zero.
        let relative_error = if error > 0.0 { error / x.frobenius() } else { 0.0 };
        Ok(NonNegative { left, right, relative_error })
    }

    fn start(&self, x: &Mat) -> (Mat, Mat) {
        let mut draws = stream(self.seed, Purpose::Init, 0);
        let mean = x.values().iter().sum::<f64>() / x.values().len() as f64;
        // The mean of a product of `inner` pairs with means of 1.1/2 each.
        let scale = (mean / self.inner as f64).sqrt() / 0.55;
        let mut drawn =
            |rows, cols| Mat::from_fn(rows, cols, |_, _| scale * draws.random_range(0.1..1.0));
        (drawn(x.rows(), self.inner), drawn(self.inner, x.cols()))
    }
}

/// Scratch of the updates.
struct Updates {
    square: Mat,
    left: [Mat; 2],
    right: [Mat; 2],
}

impl Updates {
    fn new(left: &Mat, right: &Mat) -> Self {
        let like = |m: &Mat| [Mat::zeros(m.rows(), m.cols()), Mat::zeros(m.rows(), m.cols())];
        let inner = right.rows();
        Self { square: Mat::zeros(inner, inner), left: like(left), right: like(right) }
    }

    fn update(&mut self, x: &Mat, left: &mut Mat, right: &mut Mat) {
        let Self { square, left: of_left, right: of_right } = self;
        let product = |out: &mut Mat, a: MatRef<'_>, b: MatRef<'_>| {
            multiply(out.view_mut(), Accumulate::Replace, 1.0, a, b);
        };
        product(square, left.t(), left.view());
        product(&mut of_right[0], left.t(), x.view());
        product(&mut of_right[1], square.view(), right.view());
        scaled_by(right, of_right);
        product(square, right.view(), right.t());
        product(&mut of_left[0], x.view(), right.t());
        product(&mut of_left[1], left.view(), square.view());
        scaled_by(left, of_left);
    }
}

fn scaled_by(factor: &mut Mat, [above, below]: &[Mat; 2]) {
    let ratios = above.values().iter().zip(below.values());
    for (value, (above, below)) in factor.values_mut().iter_mut().zip(ratios) {
        *value *= above / below.max(TINY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted() -> Mat {
        let mut draws = stream(4, Purpose::Truth, 0);
        let mut drawn = |rows, cols| Mat::from_fn(rows, cols, |_, _| draws.random_range(0.0..1.0));
        let (w, h) = (drawn(30, 3), drawn(3, 20));
        w.times(&h)
    }

    #[test]
    fn no_update_raises_the_error_and_factors_stay_non_negative() {
        let x = planted();
        let error = |updates| {
            let found = Nmf { inner: 4, updates, seed: 1 }.factor(&x).unwrap();
            let signs = found.left.values().iter().chain(found.right.values());
            assert!(signs.copied().all(|value| value >= 0.0));
            found.relative_error
        };
        let errors: Vec<f64> = (0..40).map(error).collect();
        assert!(errors.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12)), "{errors:?}");
        assert!(error(3000) < 0.01);
    }

    #[test]
    fn zeros_are_met_exactly() {
        let zero = Mat::zeros(3, 4);
        let found = Nmf { inner: 2, updates: 5, seed: 0 }.factor(&zero).unwrap();
        assert_eq!(found.relative_error, 0.0);
    }

    #[test]
    fn what_has_no_such_factors_is_named() {
        let nmf = Nmf { inner: 2, updates: 5, seed: 0 };
        let message = |value| {
            let x = Mat::from_columns(1, 2, vec![1.0, value]);
            nmf.factor(&x).unwrap_err().to_string()
        };
        assert_eq!(
            message(-1.0),
            "an entry of a matrix with non-negative factors must be 0 or more, but it is -1"
        );
        assert_eq!(message(f64::NAN), "an entry of the matrix must be finite, but it is NaN");
        assert!(Nmf { inner: 0, ..nmf }.factor(&planted()).is_err());
        assert!(nmf.factor(&Mat::zeros(0, 3)).is_err());
    }
}
