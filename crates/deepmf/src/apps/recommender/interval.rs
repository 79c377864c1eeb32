//! Intervals around predictions, from errors on ratings that a fit did not see.

use super::{Known, Prediction, Recommends};
use crate::apps::conformal;
use crate::{Error, Result};

impl Recommends {
    /// The prediction with an interval that holds the rating with the probability `coverage` (split conformal prediction: the half width is the ⌈(n + 1) · coverage⌉-th
    /// of the n errors on ratings that were held out).
    ///
    /// There is none where the row or the column had no rating in the fit, whose errors are of another size, and where too few ratings were held out for the coverage.
    /// Ends are within the range, and not on levels: a level lies within exactly if the error is within the half width.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the coverage is not between 0 and 1.
    pub fn predict_within(
        &self,
        pair: (Option<usize>, Option<usize>),
        coverage: f64,
    ) -> Result<Prediction> {
        if !(coverage > 0.0 && coverage < 1.0) {
            return Err(Error::parameter("the coverage", "above 0 and below 1", coverage));
        }
        let prediction = self.predict(pair);
        let half = conformal::place(self.held_errors.len(), coverage)
            .map(|place| self.held_errors[place])
            .filter(|_| self.known_in_fit(pair) == Known::Both);
        let (least, most) = self.range;
        let ends =
            |half: f64| ((prediction.value - half).max(least), (prediction.value + half).min(most));
        Ok(Prediction { interval: half.map(ends), ..prediction })
    }
}
