//! The errors that intervals are made of: fits of what was chosen to nearly all entries.
//!
//! The folds of the choice leave out much, and of a row that takes the holes of another one more still, so their errors are larger
//! than those of the fit to all entries. Here a fold leaves out a tenth or less.

use std::sync::atomic::AtomicUsize;

use super::cross_validation::{Choice, Search};
use super::folds::of_intervals;
use super::missingness;
use super::part::{Fit, Part};
use crate::Result;
use crate::data::Entries;

impl Search<'_> {
    /// What was chosen, fitted to all entries but a fold, for each fold in turn, and what the fold holds out; none where the folds
    /// of the choice are as good, where there are too many entries for that, or where it was interrupted.
    ///
    /// # Errors
    /// As [`Search::choose`].
    pub(super) fn calibrate(
        &self,
        choice: &Choice,
        entries: &Entries,
        told: usize,
    ) -> Result<Option<(Vec<Part>, Vec<Fit>)>> {
        let Some(folds) = of_intervals(entries, choice.lent, self.seed)? else { return Ok(None) };
        let told = AtomicUsize::new(told);
        let fits = self.batch("fits for the intervals", &folds, &told, |(known, held)| {
            let Some((mut part, mut fit)) = self.refit(choice, known, |trainer| trainer)? else {
                return Ok(None);
            };
            missingness::silence_empty_lines(&mut fit.model, known)?;
            part.held = held.clone();
            Ok(Some((part, fit)))
        })?;
        if self.is_interrupted() {
            return Ok(None);
        }
        Ok(Some(fits.into_iter().flatten().unzip()))
    }
}
