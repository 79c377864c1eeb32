//! Two towers on ratings, with or without learned levels, and the unit vectors that come of them.

use std::sync::Arc;

use super::{Learned, Recommender};
use crate::Result;
use crate::apps::completion::LEAST_TO_SPLIT;
use crate::data::{Entries, Shape, split};
use crate::linalg::Mat;
use crate::model::{Annealing, Discretized, Discretizer, Factors, TowerSizes, TwoTower};
use crate::problem::{Mask, Problem, RootMeanSquare};
use crate::spec::{Schedule, TowerSize};
use crate::train::optimizer::Adam;
use crate::train::{Blocks, LeastSquares, Run, Stop, StopReason, Trainer, Validation};

/// The recipe of Nguyen, Tsiligianni and Deligiannis: the rate, by what it is multiplied, after how many epochs.
const RATE: f64 = 0.01;
const DECAY: f64 = 0.65;
const DECAY_EPOCHS: u64 = 50;
/// Epochs at most, where none are given: the error rests after about 250.
const EPOCHS: u64 = 300;
/// Epochs between two looks at what is held out, and without a lower error before the end.
const EVERY: u64 = 5;
const PATIENCE: u64 = 100;
/// The steepness of the levels before the first step and after the last epoch, which the source reaches after 1000, and the weight of their boundaries.
const STEEPNESS: (f64, f64) = (0.1, 2.9e5);
const BOUNDARIES: f64 = 0.1;
/// Ratings from which a table is large: blocks are then a twentieth of each side instead of a tenth, and dropout keeps 0.2 instead of 0.1.
const LARGE: usize = 500_000;
/// Rows or columns of a block, at least, where there are as many.
const LEAST_OF_BLOCK: usize = 32;

/// Towers that were trained, with the levels that they learned.
struct Trained {
    towers: TwoTower<f32>,
    scale: Option<Discretizer>,
    run: Run,
}

impl Recommender {
    /// The sizes of the towers for so many ratings.
    pub(super) fn tower_sizes(&self, ratings: usize) -> TowerSizes {
        let published = TowerSizes::default();
        let keep = self.settings.keep;
        match self.settings.size {
            TowerSize::Published => {
                let usual = if ratings < LARGE { published.keep } else { 0.2 };
                TowerSizes { keep: keep.unwrap_or(usual), ..published }
            }
            TowerSize::Small => {
                TowerSizes { hidden: vec![128], embedding: 32, keep: keep.unwrap_or(0.5) }
            }
        }
    }

    /// The epochs are chosen on what is held out; then all ratings are fitted with as many.
    pub(super) fn by_towers(
        &self,
        entries: &Entries,
        range: (f64, f64),
        levels: Option<&Discretizer>,
    ) -> Result<Learned> {
        let settings = &self.settings;
        let ridge = Some(settings.offset_ridge);
        let offsets = LeastSquares::new(0).offsets(ridge);
        let fallback = offsets.fit(entries, &entries.take(&[]), self.seed)?.factors;
        let epochs = settings.epochs.unwrap_or(EPOCHS);
        let learned = |trained: Trained, held: Vec<(f64, f64)>, reason: StopReason| {
            let Trained { mut towers, scale, run } = trained;
            towers.shed();
            let levels = scale.as_ref().map_or(0, |scale| scale.boundaries().len());
            Ok(Learned {
                factors: factors(&towers, range)?,
                parameters: TwoTower::<f32>::counts(
                    entries.shape(),
                    &self.tower_sizes(entries.len()),
                )
                .0 + levels,
                held,
                steps: run.steps,
                reason,
                towers: Some(towers),
                fallback: Some(fallback.clone()),
                scale,
            })
        };
        if settings.validation == 0.0 || entries.len() < LEAST_TO_SPLIT {
            let done = self.trained(entries, None, range, levels, epochs)?;
            let reason = done.run.reason;
            return learned(done, vec![], reason);
        }
        let (rest, held) = split(entries, settings.validation, self.seed)?;
        let chosen = self.trained(&rest, Some(&held), range, levels, epochs)?;
        let seen = factors(&chosen.towers, range)?;
        let held = held.iter().map(|(i, j, x)| (x, seen.at(i, j))).collect();
        let reason = chosen.run.reason;
        if !settings.refit || matches!(reason, StopReason::Interrupted | StopReason::Diverged) {
            return learned(chosen, held, reason);
        }
        let steps = blocks(entries.shape(), entries.len())?.1;
        let best = chosen.run.best.map_or(chosen.run.steps, |best| best.0).max(1);
        drop(chosen);
        let done = self.trained(entries, None, range, levels, best.div_ceil(steps))?;
        let interrupted = done.run.reason == StopReason::Interrupted;
        learned(done, held, if interrupted { StopReason::Interrupted } else { reason })
    }

    fn trained(
        &self,
        entries: &Entries,
        held: Option<&Entries>,
        range: (f64, f64),
        levels: Option<&Discretizer>,
        epochs: u64,
    ) -> Result<Trained> {
        let sizes = self.tower_sizes(entries.len());
        let mut towers = TwoTower::<f32>::new(entries, range, &sizes, self.seed)?;
        let (blocks, steps) = blocks(entries.shape(), entries.len())?;
        let schedule = Schedule::Decay { steps: DECAY_EPOCHS * steps, factor: DECAY };
        let mut trainer = Trainer::new(Adam::new(RATE)?.schedule(schedule))
            .blocks(blocks)
            .seed(self.seed)
            .every(steps)
            .stop(Stop::new().steps(epochs * steps));
        if let Some(held) = held {
            let validation = Validation::new(ratings(held)?);
            trainer =
                trainer.validation(validation.every(EVERY * steps).patience(PATIENCE * steps));
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        let problem = ratings(entries)?;
        let Some(levels) = levels else {
            let run = trainer.fit(&problem, &mut towers)?;
            return Ok(Trained { towers, scale: None, run });
        };
        let (start, end) = STEEPNESS;
        // As steep in the last epoch whether there are many or few.
        let factor = (end / start).powf(1.0 / self.settings.epochs.unwrap_or(EPOCHS).max(1) as f64);
        let annealing = Annealing { start, factor, every: steps };
        let mut model = Discretized::new(towers, levels.clone(), annealing, BOUNDARIES)?;
        let run = trainer.fit(&problem, &mut model)?;
        Ok(Trained { scale: Some(model.scale()?), towers: model.into_inner(), run })
    }
}

fn ratings(entries: &Entries) -> Result<Problem> {
    let mask = Mask::sparse(entries);
    let targets = mask.order(entries.values());
    Problem::single(Arc::new(mask), targets, Arc::new(RootMeanSquare))
}

/// The blocks of a table, and the steps of an epoch.
fn blocks(shape: Shape, ratings: usize) -> Result<(Blocks, u64)> {
    let parts = if ratings < LARGE { 10 } else { 20 };
    let part = |count: usize| count.div_ceil(parts).max(LEAST_OF_BLOCK.min(count));
    let blocks = Blocks::new(part(shape.0), part(shape.1))?;
    let (rows, cols) = blocks.steps_per_epoch(shape);
    Ok((blocks, rows.min(cols)))
}

/// The product of towers as factors: mid + ⟨half · u, v⟩.
pub(super) fn factors(towers: &TwoTower<f32>, range: (f64, f64)) -> Result<Factors> {
    let [rows, cols] = towers.embeddings()?;
    Ok(Factors {
        mean: 0.5 * (range.0 + range.1),
        rows: vec![0.0; rows.cols()],
        cols: vec![0.0; cols.cols()],
        left: scaled(rows, range),
        right: cols,
    })
}

/// Unit vectors of rows times half the width of the range.
pub(super) fn scaled(rows: Mat, range: (f64, f64)) -> Mat {
    rows.scaled(0.5 * (range.1 - range.0))
}
