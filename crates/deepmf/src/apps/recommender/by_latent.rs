//! Free latents of the columns of ratings, decoded by a network.

use super::by_codes::Start;
use super::{Learned, Recommender};
use crate::Result;
use crate::data::Entries;
use crate::model::FreeLatent;

/// The width of the hidden layer where none is given.
const HIDDEN: usize = 20;
/// The penalties of latents and weights that are tried where none is given; the first one where nothing is held out.
const PENALTIES: [f64; 2] = [25.0, 5.0];
/// The length of the first steps.
const LENGTH: f64 = 1e-3;
/// How wide weights are drawn, in units of Glorot's: wider ones fit ratings by chance before they learn of the latents.
const SPREAD: f64 = 1.0;
/// Starts with each penalty; the best of all is kept.
const STARTS: u64 = 2;

impl Recommender<'_> {
    /// Nonlinear factorization of the residuals.
    pub(super) fn by_latent(&self, entries: &Entries) -> Result<Learned> {
        let settings = &self.settings;
        let (hidden, latent) = (settings.hidden.unwrap_or(HIDDEN), settings.rank);
        let given = settings.penalty.map(|given| vec![given]);
        let penalties = given.unwrap_or_else(|| PENALTIES.to_vec());
        let seeds = (0..STARTS).map(|start| self.seed.wrapping_add(start));
        let candidates: Vec<(u64, f64)> =
            seeds.flat_map(|seed| penalties.iter().map(move |penalty| (seed, *penalty))).collect();
        self.by_codes(entries, &candidates, |residuals, (seed, penalty)| {
            let (rows, cols) = residuals.shape();
            let model = FreeLatent::<f32>::new((cols, rows), latent, &[hidden], seed)?;
            let model = model.spread(SPREAD, seed);
            let penalties = model.penalties(penalty, penalty);
            Ok(Start { model: Box::new(model), penalties, length: LENGTH, turned: true })
        })
    }
}
