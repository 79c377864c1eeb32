//! Folds: parts of the known entries, each held out from a fit that stops where it predicts them best.

use super::offsets::Centring;
use super::{Offsets, likeness::Distances};
use crate::Result;
use crate::data::{Entries, hole_folds, k_fold, split};
use crate::model::DeepLinear;
use crate::problem::{Constant, Problem};
use crate::spec::CompletionSettings;

/// Number of folds.
const FOLDS: usize = 5;
/// From this share of known cells on the folds have holes of the shape that the table has.
const HOLES_FROM: f64 = 0.15;
/// A fold holds out at least this share of the entries.
const LEAST_HELD: f64 = 0.02;
/// Held out of a table that is too large for folds.
const HELD_OF_LARGE: f64 = 0.1;
/// More entries than this …
const MANY: usize = 1_000_000;
/// … or longer sides are fitted once, narrowly.
const LONG: usize = 20_000;
/// Weights of the priors that an offset is zero, in entries.
const PRIOR: f64 = 1.0;
const PRIOR_OF_BOTH: f64 = 5.0;

/// Whether a table is so large that everything must be cheap.
pub(super) fn is_large(entries: &Entries) -> bool {
    let (rows, cols) = entries.shape();
    entries.len() > MANY || rows.max(cols) > LONG
}

/// Entries to fit and entries that are held out, fold by fold.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for fewer entries than folds.
pub(super) fn parts(entries: &Entries, seed: u64) -> Result<Vec<(Entries, Entries)>> {
    if is_large(entries) {
        return Ok(vec![split(entries, HELD_OF_LARGE, seed)?]);
    }
    let (rows, cols) = entries.shape();
    if entries.len() as f64 > HOLES_FROM * rows as f64 * cols as f64 {
        let folds = hole_folds(entries, FOLDS, seed)?;
        let least = (LEAST_HELD * entries.len() as f64).max(1.0);
        if folds.iter().all(|(rest, held)| held.len() as f64 >= least && held.len() < rest.len()) {
            return Ok(folds);
        }
    }
    k_fold(entries, FOLDS, seed)
}

/// The offsets that a centring takes out.
pub(super) fn offsets(
    entries: &Entries,
    settings: &CompletionSettings,
    centring: Centring,
) -> Offsets {
    let prior = if centring == Centring::Both { PRIOR_OF_BOTH } else { PRIOR };
    Offsets::centred(entries, settings.scaling, centring, prior)
}

/// A fit to come: what it sees, and what it must predict.
pub(super) struct Fold {
    pub(super) train: Entries,
    pub(super) held: Entries,
    pub(super) offsets: Offsets,
    /// ½ Σ r² of what the offsets leave, so that one unit of time moves as much from few entries as from many.
    pub(super) problem: Problem,
    /// The mean of r² over what is held out.
    pub(super) validation: Problem,
}

impl Fold {
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if a part is empty.
    pub(super) fn new((train, held): (Entries, Entries), offsets: Offsets) -> Result<Self> {
        let problem = problem(&offsets, &train)?;
        let validation = Problem::completion(&offsets.residuals(&held)?)?;
        Ok(Self { train, held, offsets, problem, validation })
    }
}

/// ½ Σ r² of what the offsets leave of `entries`.
pub(super) fn problem(offsets: &Offsets, entries: &Entries) -> Result<Problem> {
    Problem::completion_with(&offsets.residuals(entries)?, Constant::HalfSum)
}

/// Distances between the lines of a fit, of the sides that are asked for.
pub(super) struct Lines {
    pub(super) rows: Option<Distances>,
    pub(super) cols: Option<Distances>,
}

impl Lines {
    pub(super) fn of(model: &DeepLinear, rows: bool, cols: bool) -> Self {
        Self {
            rows: rows.then(|| Distances::rows(model)),
            cols: cols.then(|| Distances::cols(model)),
        }
    }
}
