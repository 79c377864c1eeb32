//! Intervals around predictions, from errors on ratings that a fit did not see.

use super::{Known, Prediction, Recommends};
use crate::apps::conformal;
use crate::{Error, Result};

impl Recommends {
    /// The prediction with an interval that holds the rating with the probability `coverage` (split conformal prediction: the half width is the ⌈(n + 1) · coverage⌉-th
    /// of the n errors on ratings that were held out).
    ///
    /// There is none where the row or the column had no rating in the fit, whose errors are of another size, and where too few ratings were held out for the coverage.
    /// Of ratings with levels the ends move outward to the next level, so that the interval holds more than was asked for; all ends are within the range.
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
            .filter(|_| prediction.known == Known::Both);
        Ok(Prediction {
            interval: half.map(|half| self.outward(prediction.value, half)),
            ..prediction
        })
    }

    fn outward(&self, value: f64, half: f64) -> (f64, f64) {
        let (least, most) = self.range;
        let (lower, upper) = ((value - half).max(least), (value + half).min(most));
        let Some(scale) = &self.scale else { return (lower, upper) };
        let levels = scale.levels();
        let below = levels.iter().rev().find(|level| **level <= lower).copied();
        let above = levels.iter().find(|level| **level >= upper).copied();
        (below.unwrap_or(least), above.unwrap_or(most))
    }
}
