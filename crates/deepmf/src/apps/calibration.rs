//! The errors that intervals are made of: fits of what was chosen to nearly all entries.
//!
//! The folds of the choice leave out much, and of a row that takes the holes of another one more still, so their errors are larger
//! than those of the fit to all entries. Here a fold leaves out a tenth or less.

use std::sync::atomic::AtomicUsize;

use super::cross_validation::{Choice, MANY, Search, is_dense};
use super::part::{Fit, Part};
use super::{holes, missingness};
use crate::Result;
use crate::data::{Entries, hole_folds, k_fold};

/// At least so many folds, at most so many, and as many between as fit about this many entries in all.
const FOLDS: (usize, usize) = (10, 40);
const FITTED: usize = 400_000;
/// The folds of the choice are good enough for more entries than this, where they are random fifths.
const FEW: usize = 20_000;

impl Search<'_> {
    /// What was chosen, fitted to all entries but a fold, for each fold in turn, and what the fold holds out; none where the folds
    /// of the choice are as good, where there are too many entries for that, or where it was interrupted.
    ///
    /// Folds are random, or, if holes come together, holes of the shape that the table has.
    ///
    /// # Errors
    /// As [`Search::choose`].
    pub(super) fn calibrate(
        &self,
        choice: &Choice,
        entries: &Entries,
        told: usize,
    ) -> Result<Option<(Vec<Part>, Vec<Fit>)>> {
        let count = entries.len();
        let dense = is_dense(entries);
        if count > MANY || !dense && count > FEW {
            return Ok(None);
        }
        let number = (FITTED / count).clamp(FOLDS.0, FOLDS.1).min(count);
        // Other folds than those of the choice.
        let seed = self.seed.wrapping_add(1);
        let folds = if choice.lent && holes::come_together(entries, seed) {
            hole_folds(entries, number, seed)?
        } else {
            k_fold(entries, number, seed)?
        };
        let folds: Vec<_> = folds.into_iter().filter(|(_, held)| !held.is_empty()).collect();
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
