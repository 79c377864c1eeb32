//! Ratings: predicted, ranked and judged by any model that ends in thin factors.

mod by_autorec;
mod by_codes;
mod by_latent;
mod by_towers;
mod evaluation;
mod fold_in;
mod compare;
mod explain;
mod ids;
mod interval;
mod ranking;
mod recommends;
mod saved;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub use compare::{Compared, compare_recommenders};
pub use evaluation::Evaluation;
pub use explain::{Explanation, Share};
pub use fold_in::FoldedIn;
pub use ids::Ids;
pub use ranking::{Ranking, RankingSettings};
pub use recommends::{Known, Prediction, Recommends};

use super::completion::LEAST_TO_SPLIT;
use super::selection::{Watch, tell};
use super::{Completion, Stage};
use crate::data::{Entries, Table, split};
use crate::linalg::Mat;
use crate::model::{Discretizer, Factors, LevelProbabilities, Model, Pass, TwoTower};
use crate::spec::{CompletionSettings, RatingModel, RecommenderSettings, Scaling};
use crate::train::{LeastSquares, Progress, StopReason};
use crate::{Error, Result};

/// Ratings with more levels than this are numbers, not levels.
const MOST_LEVELS: usize = 50;
/// The ridge of the factors where none is given, in standard deviations of the ratings.
const RIDGE: f64 = 9.0;
/// Singular values below this share of the largest are left out.
const NEGLIGIBLE: f64 = 1e-10;

/// Fits a recommender to ratings.
///
/// ```
/// use deepmf::{apps::Recommender, data, spec::RecommenderSettings};
///
/// let truth = data::low_rank((60, 40), 2, 0)?;
/// let seen = data::observe(&truth, &data::random_cells((60, 40), 1_200, 0)?)?;
/// let ratings = seen.values().iter().map(|x| (3.0 + x).round().clamp(1.0, 5.0)).collect();
/// let table = data::Table::new(seen.with_values(ratings)?);
/// let fitted = Recommender::new(RecommenderSettings::default(), 0).fit(&table)?;
/// let best = fitted.recommend(Some(7), 3);
/// assert!(best.len() == 3 && best[0].1 >= best[2].1);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub struct Recommender<'a> {
    settings: RecommenderSettings,
    seed: u64,
    scale: Option<Discretizer>,
    interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Watch<'a>>,
}

/// What a model learned, in the form that all of them share.
struct Learned {
    factors: Factors,
    parameters: usize,
    /// Ratings that the fit which scored them did not see, and these scores.
    held: Vec<(f64, f64)>,
    steps: u64,
    reason: StopReason,
    /// What gives latents for new rows and columns, where it is a network.
    towers: Option<TwoTower<f32>>,
    /// Offsets for where row or column is unknown, if the factors have none.
    fallback: Option<Factors>,
    /// The levels with the boundaries that were learned.
    scale: Option<Discretizer>,
}

impl Learned {
    /// Factors that say all.
    fn plain(
        factors: Factors,
        parameters: usize,
        held: Vec<(f64, f64)>,
        steps: u64,
        reason: StopReason,
    ) -> Self {
        let (towers, fallback, scale) = (None, None, None);
        Self { factors, parameters, held, steps, reason, towers, fallback, scale }
    }
}

impl<'a> Recommender<'a> {
    /// A recommender with these settings; `seed` draws what is held out and where the fit begins.
    pub fn new(settings: RecommenderSettings, seed: u64) -> Self {
        Self { settings, seed, scale: None, interrupt: None, watch: None }
    }

    /// The levels that ratings may have, where not all of them need to occur.
    #[must_use]
    pub fn scale(self, scale: Discretizer) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Tells where the fit is; not of `als`, which is quick.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(&Stage) + Send + 'a) -> Self {
        Self { watch: Some(Mutex::new(Box::new(watch))), ..self }
    }

    /// Says how far the fit is that leaves ratings out, or the one of all ratings.
    fn tell(&self, leaves_out: bool, progress: &Progress) {
        let what = if leaves_out { "ratings that are not held out" } else { "all ratings" };
        let total = if self.settings.validation > 0.0 && self.settings.refit { 2 } else { 1 };
        let done = if leaves_out { 0 } else { total - 1 };
        tell(self.watch.as_ref(), &Stage { what: what.into(), done, total, progress: *progress });
    }

    /// Fits all ratings of a table.
    ///
    /// The levels are the values that occur, unless others were given. Of more than 50 there are none, and neither rounding nor probabilities.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a setting is outside its range, nothing is rated, all ratings are equal (unless levels were given), or one is not among the given levels;
    /// [`Error::NotFinite`] if the fit diverged.
    pub fn fit(&self, table: &Table) -> Result<Recommends> {
        let begun = Instant::now();
        let entries = &table.entries;
        if entries.is_empty() {
            return Err(Error::parameter("the number of ratings", "1 or more", 0));
        }
        if self.settings.epochs == Some(0) {
            return Err(Error::parameter("epochs", "1 or more", 0));
        }
        let share = self.settings.validation;
        if !(0.0..=0.9).contains(&share) {
            return Err(Error::parameter("validation", "from 0 to 0.9", share));
        }
        let scale = match &self.scale {
            None => Discretizer::of_ratings(entries.values())?,
            Some(given) => {
                entries.values().iter().try_for_each(|x| given.place_of(*x).map(drop))?;
                given.clone()
            }
        };
        let levels = scale.levels().to_vec();
        let range = (levels[0], levels[levels.len() - 1]);
        let scale = Some(scale).filter(|scale| scale.levels().len() <= MOST_LEVELS);
        let learned = match self.settings.model {
            RatingModel::Als => self.by_least_squares(entries)?,
            RatingModel::Linear => self.by_completion(entries)?,
            RatingModel::Autorec => self.by_autorec(entries)?,
            RatingModel::Latent => self.by_latent(entries)?,
            RatingModel::TwoTower => self.by_towers(entries, range, None)?,
            RatingModel::Discrete => {
                let Some(scale) = &scale else {
                    let allowed = format!("at most {MOST_LEVELS} for a discrete model");
                    let found = levels.len();
                    return Err(Error::parameter("the number of levels", allowed, found));
                };
                self.by_towers(entries, range, Some(scale))?
            }
        };
        let Learned { factors, parameters, held, steps, reason, towers, fallback, scale: learned } =
            learned;
        let all = [factors.left.values(), factors.right.values(), &factors.rows, &factors.cols];
        if let Some(&found) = all.into_iter().flatten().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "every fitted factor".into(), found });
        }
        let scores: Vec<f64> = held.iter().map(|h| h.1.clamp(range.0, range.1)).collect();
        let ratings: Vec<f64> = held.iter().map(|h| h.0).collect();
        let probabilities = match &scale {
            Some(scale) if !held.is_empty() => {
                Some(LevelProbabilities::fit(scale, &scores, &ratings)?)
            }
            _ => None,
        };
        let squares: f64 = scores.iter().zip(&ratings).map(|(s, r)| (s - r).powi(2)).sum();
        let held_rmse = (!held.is_empty()).then(|| (squares / held.len() as f64).sqrt());
        let mut fitted = Recommends::new(factors, entries, range);
        fitted.row_labels.clone_from(&table.row_labels);
        fitted.col_labels.clone_from(&table.col_labels);
        fitted.scale = scale;
        fitted.learned_scale = learned;
        fitted.towers = towers;
        fitted.fallback = fallback;
        fitted.probabilities = probabilities;
        fitted.held_rmse = held_rmse;
        fitted.held_errors = scores.iter().zip(&ratings).map(|(s, r)| (s - r).abs()).collect();
        fitted.held_errors.sort_by(f64::total_cmp);
        fitted.parameters = parameters;
        fitted.steps = steps;
        fitted.reason = reason;
        fitted.seed = self.seed;
        fitted.settings = self.settings.clone();
        fitted.seconds = begun.elapsed().as_secs_f64();
        Ok(fitted)
    }

    /// The mean and the offsets of rows and columns alone.
    fn offsets(&self, entries: &Entries) -> Result<Factors> {
        let solver = LeastSquares::new(0).offsets(Some(self.settings.offset_ridge));
        Ok(solver.fit(entries, &entries.take(&[]), self.seed)?.factors)
    }

    /// Sweeps are chosen on what is held out; then all ratings are fitted with as many.
    fn by_least_squares(&self, entries: &Entries) -> Result<Learned> {
        let settings = &self.settings;
        let solver = LeastSquares::new(settings.rank)
            .ridge(ridge(settings, entries.values()))
            .offsets(Some(settings.offset_ridge))
            .by_count(settings.by_count)
            .sweeps(settings.sweeps);
        let solver = match &self.interrupt {
            Some(flag) => solver.interrupt(flag.clone()),
            None => solver,
        };
        let nothing = entries.take(&[]);
        let splits = settings.validation > 0.0 && entries.len() >= LEAST_TO_SPLIT;
        if !splits {
            let done = solver.fit(entries, &nothing, self.seed)?;
            let parameters = done.factors.len();
            let (steps, reason) = (done.sweeps, done.reason);
            return Ok(Learned::plain(done.factors, parameters, vec![], steps, reason));
        }
        let (rest, held) = split(entries, settings.validation, self.seed)?;
        let chosen = solver.fit(&rest, &held, self.seed)?;
        let score = |(i, j, x)| (x, chosen.factors.at(i, j));
        let held = held.iter().map(score).collect();
        let done = solver.sweeps(chosen.sweeps).fit(entries, &nothing, self.seed)?;
        let interrupted = done.reason == StopReason::Interrupted;
        let parameters = done.factors.len();
        let reason = if interrupted { done.reason } else { chosen.reason };
        Ok(Learned::plain(done.factors, parameters, held, done.sweeps, reason))
    }

    /// The completion's network as two factors, from its singular values.
    fn by_completion(&self, entries: &Entries) -> Result<Learned> {
        // One unit for all columns, so that offsets mean the same everywhere.
        let settings = CompletionSettings { scaling: Scaling::Table, ..Default::default() };
        let completion =
            Completion::new(settings, self.seed).watch(|stage| tell(self.watch.as_ref(), stage));
        let completion = match &self.interrupt {
            Some(flag) => completion.interrupt(flag.clone()),
            None => completion,
        };
        let done = completion.fit(entries)?;
        let svd = done.model.forward(&mut Pass::default()).thin_svd()?;
        let largest = svd.s.first().copied().unwrap_or(0.0);
        let rank = svd.s.iter().take_while(|s| **s > NEGLIGIBLE * largest).count();
        let offsets = &done.offsets;
        let side = |vectors: &Mat, scale: f64| {
            Mat::from_fn(rank, vectors.rows(), |r, i| {
                scale.sqrt() * svd.s[r].sqrt() * vectors[(i, r)]
            })
        };
        let factors = Factors {
            mean: offsets.centers.first().copied().unwrap_or(0.0),
            rows: offsets.rows.clone(),
            cols: offsets.cols.clone(),
            left: side(&svd.u, offsets.spread),
            right: side(&svd.v, offsets.spread),
        };
        let (rows, cols) = entries.shape();
        let parameters = done.model.params().values().len() + rows + cols + 1;
        let held = done.holdout.iter().map(|held| (held.truth, held.value)).collect();
        Ok(Learned::plain(factors, parameters, held, done.steps, done.reason))
    }
}

/// The ridge of the latents of least squares.
fn ridge(settings: &RecommenderSettings, ratings: &[f64]) -> f64 {
    settings.ridge.unwrap_or_else(|| {
        let mean = ratings.iter().sum::<f64>() / ratings.len() as f64;
        let squares: f64 = ratings.iter().map(|x| (x - mean).powi(2)).sum();
        RIDGE * (squares / ratings.len() as f64).sqrt()
    })
}
