//! Free latents of the rows of ratings, decoded by a network.

use super::by_codes::{Side, Start};
use super::{Learned, Recommender};
use crate::Result;
use crate::data::Entries;
use crate::model::FreeLatent;

/// The width of the hidden layer where none is given.
const HIDDEN: usize = 20;
/// The penalty of latents and weights where none is given.
const PENALTY: f64 = 10.0;
/// The length of the first steps.
const LENGTH: f64 = 0.0123;
/// Starts, of which the best is kept.
const STARTS: u64 = 2;

impl Recommender {
    /// Nonlinear factorization of the residuals.
    pub(super) fn by_latent(&self, entries: &Entries) -> Result<Learned> {
        let settings = &self.settings;
        let (hidden, latent) = (settings.hidden.unwrap_or(HIDDEN), settings.rank);
        let penalty = settings.penalty.unwrap_or(PENALTY);
        self.by_codes(entries, STARTS, |residuals, seed| {
            let model = FreeLatent::<f32>::new(residuals.shape(), latent, &[hidden], seed)?;
            let penalties = model.penalties(penalty, penalty);
            Ok(Start { model: Box::new(model), penalties, length: LENGTH, side: Side::Rows })
        })
    }
}
