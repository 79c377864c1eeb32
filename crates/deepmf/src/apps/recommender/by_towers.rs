//! Two towers on ratings, with or without learned levels, and the unit vectors that come of them.

use std::sync::Arc;

use super::{Learned, Recommender};
use crate::apps::completion::LEAST_TO_SPLIT;
use crate::data::{Entries, Shape, split};
use crate::linalg::Mat;
use crate::model::{Annealing, Discretized, Discretizer, Factors, Model, TowerSizes, TwoTower};
use crate::problem::{Mask, Problem, RootMeanSquare};
use crate::spec::{Schedule, TowerSize};
use crate::train::optimizer::Adam;
use crate::train::{Blocks, Run, Stop, StopReason, Trainer, Validation};
use crate::{Error, Result};

/// The recipe of Nguyen, Tsiligianni and Deligiannis: the rate, by what it is multiplied, after how many epochs.
const RATE: f64 = 0.01;
const DECAY: f64 = 0.65;
const DECAY_EPOCHS: u64 = 50;
/// Epochs at most, where none are given: the error rests after about 250.
const EPOCHS: u64 = 300;
/// Epochs between two looks at what is held out, and without a lower error before the end.
const EVERY: u64 = 5;
const PATIENCE: u64 = 100;
/// Epochs on levels, at most, that follow those of the towers; the steepness of the levels in the first and the last of them; the weight of their boundaries.
const LEVEL_EPOCHS: u64 = 40;
const STEEPNESS: (f64, f64) = (2.0, 50.0);
const BOUNDARIES: f64 = 0.1;
/// Ratings from which a table is large: blocks are then a twentieth of each side instead of a tenth, and dropout keeps 0.2 instead of 0.1.
const LARGE: usize = 500_000;
/// Rows or columns of a block, at least, where there are as many.
const LEAST_OF_BLOCK: usize = 32;

/// Towers that were trained, with the levels that they learned.
struct Trained {
    towers: TwoTower<f32>,
    run: Run,
    /// Levels with their boundaries, and the run that learned them.
    learned: Option<(Discretizer, Run)>,
}

/// How many epochs of the towers, and of levels after them.
#[derive(Clone, Copy)]
struct Epochs {
    towers: u64,
    levels: u64,
}

impl Trained {
    /// The epochs that were best on what was held out.
    fn best(&self, steps: u64) -> Epochs {
        let of = |run: &Run| run.best.map_or(run.steps, |best| best.0).div_ceil(steps);
        let levels = self.learned.as_ref().map_or(0, |learned| of(&learned.1));
        Epochs { towers: of(&self.run).max(1), levels }
    }

    fn is_whole(&self) -> bool {
        let runs = std::iter::once(&self.run).chain(self.learned.iter().map(|learned| &learned.1));
        let mut reasons = runs.map(|run| run.reason);
        !reasons.any(|reason| matches!(reason, StopReason::Interrupted | StopReason::Diverged))
    }
}

impl Recommender<'_> {
    /// The sizes of the towers for so many ratings.
    pub(super) fn tower_sizes(&self, ratings: usize) -> TowerSizes {
        let published = TowerSizes::default();
        let (keep, shown) = (self.settings.keep, self.settings.shown);
        match self.settings.size {
            TowerSize::Published => {
                let usual = if ratings < LARGE { published.keep } else { 0.2 };
                TowerSizes { keep: keep.unwrap_or(usual), shown, ..published }
            }
            TowerSize::Small => {
                TowerSizes { hidden: vec![128], embedding: 32, keep: keep.unwrap_or(0.5), shown }
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
        let fallback = self.offsets(entries)?;
        let most = Epochs { towers: settings.epochs.unwrap_or(EPOCHS), levels: LEVEL_EPOCHS };
        let learned = |trained: Trained, held: Vec<(f64, f64)>, reason: StopReason| {
            let Trained { towers, run, learned } = trained;
            let more = learned.as_ref().map_or((0, 0), |(scale, run)| {
                (scale.boundaries().len(), run.best.map_or(run.steps, |best| best.0))
            });
            Ok(Learned {
                factors: factors(&towers, range),
                parameters: towers.params().numbers().len() + more.0,
                held,
                steps: run.steps + more.1,
                reason,
                towers: Some(towers),
                fallback: Some(fallback.clone()),
                scale: learned.map(|(scale, _)| scale),
            })
        };
        if settings.validation == 0.0 || entries.len() < LEAST_TO_SPLIT {
            let done = self.trained(entries, None, range, levels, most)?;
            let reason = done.run.reason;
            return learned(done, vec![], reason);
        }
        let (rest, held) = split(entries, settings.validation, self.seed)?;
        let chosen = self.trained(&rest, Some(&held), range, levels, most)?;
        let seen = factors(&chosen.towers, range);
        let held = held.iter().map(|(i, j, x)| (x, seen.at(i, j))).collect();
        let reason = chosen.run.reason;
        if !settings.refit || !chosen.is_whole() {
            return learned(chosen, held, reason);
        }
        let best = chosen.best(blocks(entries.shape(), entries.len())?.1);
        let done = self.trained(entries, None, range, levels, best)?;
        if !done.is_whole() {
            // The fit of the rest had come to its end, that of all had not.
            return learned(chosen, held, StopReason::Interrupted);
        }
        learned(done, held, reason)
    }

    /// The recipe of towers; then, if there are levels, both are trained on at the rate that was reached, the levels softly at first. Where something is
    /// held out and its squared errors do not fall by more than their standard error, what was before is kept: levels are then those of rounding.
    fn trained(
        &self,
        entries: &Entries,
        held: Option<&Entries>,
        range: (f64, f64),
        levels: Option<&Discretizer>,
        epochs: Epochs,
    ) -> Result<Trained> {
        let sizes = self.tower_sizes(entries.len());
        let mut towers = TwoTower::<f32>::new(entries, range, &sizes, self.seed)?;
        let (problem, unseen) = (ratings(entries)?, held.map(ratings).transpose()?);
        let (blocks, steps) = blocks(entries.shape(), entries.len())?;
        let trainer = |rate: f64, decay: Schedule, epochs: u64, every: u64| {
            let mut trainer = Trainer::new(Adam::new(rate)?.schedule(decay))
                .blocks(blocks)
                .seed(self.seed)
                .every(steps)
                .watch(move |progress| self.tell(held.is_some(), progress))
                .stop(Stop::new().steps(epochs * steps));
            if let Some(unseen) = &unseen {
                let validation = Validation::new(unseen.clone()).every(every * steps);
                trainer = trainer.validation(validation.patience(PATIENCE * steps));
            }
            if let Some(flag) = &self.interrupt {
                trainer = trainer.interrupt(flag.clone());
            }
            Ok::<_, Error>(trainer)
        };
        let schedule = Schedule::Decay { steps: DECAY_EPOCHS * steps, factor: DECAY };
        let run = trainer(RATE, schedule, epochs.towers, EVERY)?.fit(&problem, &mut towers)?;
        let Some(levels) = levels else { return Ok(Trained { towers, run, learned: None }) };
        let reached = run.best.map_or(run.steps, |best| best.0) / (DECAY_EPOCHS * steps);
        let rate = RATE * DECAY.powi(reached.min(100) as i32);
        let (start, end) = STEEPNESS;
        let factor = (end / start).powf(1.0 / LEVEL_EPOCHS as f64);
        let annealing = Annealing { start, factor, every: steps };
        let mut rounding = towers.clone();
        rounding.shed();
        let mut model = Discretized::new(towers, levels.clone(), annealing, BOUNDARIES)?;
        let mut trainer = trainer(rate, Schedule::Constant, epochs.levels, 1)?;
        let mut level_run = trainer.fit(&problem, &mut model)?;
        let scale = model.scale()?;
        let mut towers = model.into_inner();
        towers.shed();
        if let Some(held) = held {
            let before = squared_errors(&rounding, levels, held, range);
            let after = squared_errors(&towers, &scale, held, range);
            if !falls(&before, &after) {
                let error = (before.iter().sum::<f64>() / before.len() as f64).sqrt();
                level_run.best = Some((0, error));
                return Ok(Trained {
                    towers: rounding,
                    run,
                    learned: Some((levels.clone(), level_run)),
                });
            }
        }
        Ok(Trained { towers, run, learned: Some((scale, level_run)) })
    }
}

fn squared_errors(
    towers: &TwoTower<f32>,
    scale: &Discretizer,
    held: &Entries,
    range: (f64, f64),
) -> Vec<f64> {
    let factors = factors(towers, range);
    held.iter().map(|(i, j, x)| (scale.level(factors.at(i, j)) - x).powi(2)).collect()
}

/// Whether numbers fall in the mean by more than the standard error of their differences.
fn falls(before: &[f64], after: &[f64]) -> bool {
    let differences: Vec<f64> = before.iter().zip(after).map(|(b, a)| b - a).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean > (variance / count).sqrt()
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
pub(super) fn factors(towers: &TwoTower<f32>, range: (f64, f64)) -> Factors {
    let [rows, cols] = towers.embeddings();
    Factors {
        mean: 0.5 * (range.0 + range.1),
        rows: vec![0.0; rows.cols()],
        cols: vec![0.0; cols.cols()],
        left: scaled(rows, range),
        right: cols,
    }
}

/// Unit vectors of rows times half the width of the range.
pub(super) fn scaled(rows: Mat, range: (f64, f64)) -> Mat {
    rows.scaled(0.5 * (range.1 - range.0))
}
