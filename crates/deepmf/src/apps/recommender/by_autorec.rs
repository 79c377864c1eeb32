//! An autoencoder over the columns of ratings.

use super::by_codes::Start;
use super::{Learned, Recommender};
use crate::Result;
use crate::data::Entries;
use crate::model::AutoEncoder;

/// The length of a code where none is given.
const HIDDEN: usize = 500;
/// The penalty of both weights where none is given.
const PENALTY: f64 = 60.0;
/// The length of the first steps.
const LENGTH: f64 = 1e-3;

impl Recommender<'_> {
    /// I-AutoRec on the residuals.
    pub(super) fn by_autorec(&self, entries: &Entries) -> Result<Learned> {
        let hidden = self.settings.hidden.unwrap_or(HIDDEN);
        let penalty = self.settings.penalty.unwrap_or(PENALTY);
        self.by_codes(entries, &[(self.seed, penalty)], |residuals, (seed, penalty)| {
            let model = AutoEncoder::<f32>::new(residuals, hidden, seed)?;
            let penalties = model.penalties(penalty);
            Ok(Start { model: Box::new(model), penalties, length: LENGTH, turned: false })
        })
    }
}
