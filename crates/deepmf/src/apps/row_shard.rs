//! Completion of a table too large for one machine: rows in shards, each with its entries and its rows of W_N; the other layers are shared.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::data::{Entries, Shape};
use crate::linalg::{Mat, MatRef};
use crate::model::{DeepLinear, Init, Model};
use crate::problem::{Constant, Mask, Problem, Squared, Term};
use crate::random::{Purpose, RngExt, stream};
use crate::train::optimizer::Adam;
use crate::train::{Reduce, Run, Stop, Trainer, Validation};
use crate::{Error, Result};

/// How rows in shards are completed.
#[derive(Clone, Debug, PartialEq)]
pub struct RowShardSettings {
    /// Number of layers, 2 or more.
    pub depth: usize,
    /// Hidden width.
    pub width: usize,
    /// Initial scale.
    pub init_scale: f64,
    /// The rate of Adam.
    pub rate: f64,
    /// The share of the entries that says when to stop; 0 for none.
    pub validation: f64,
    /// Steps without a better validation error after which it stops.
    pub patience: u64,
    /// What is drawn: the split and the initial layers.
    pub seed: u64,
}

impl Default for RowShardSettings {
    fn default() -> Self {
        Self {
            depth: 2,
            width: 10,
            init_scale: 0.1,
            rate: 0.02,
            validation: 0.02,
            patience: 50,
            seed: 0,
        }
    }
}

/// What all shards add up to: entries that are fitted, entries that are held out, the sum of those that are fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowTotals {
    /// Entries that are fitted.
    pub fitted: f64,
    /// Entries that are held out.
    pub held: f64,
    /// The sum of the values that are fitted.
    pub sum: f64,
}

/// Shard `place` of `count` of the rows of a table: the rows `place`, `place` + `count`, …, counted from 0.
pub struct RowShard {
    settings: RowShardSettings,
    /// Its place, and how many shards there are.
    shard: (usize, usize),
    fitted: Entries,
    held: Entries,
    ready: Option<Ready>,
}

struct Ready {
    model: DeepLinear,
    problem: Problem,
    validation: Option<Problem>,
    mean: f64,
}

impl RowShard {
    /// A shard of its entries: `entries` has the rows of the shard by their places in it, in any order, and all columns.
    ///
    /// Which of them are held out is drawn row by row of the whole table, so that it is the same in any number of shards.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a setting that is out of its range.
    pub fn new(
        settings: RowShardSettings,
        entries: &Entries,
        (place, count): (usize, usize),
    ) -> Result<Self> {
        settings.check()?;
        if place >= count {
            let allowed = format!("below {count}");
            return Err(Error::parameter("the place of a shard", allowed, place));
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_unstable_by_key(|&e| (entries.rows()[e], entries.cols()[e]));
        let (mut fitted, mut held) = (Vec::with_capacity(order.len()), Vec::new());
        let mut draws = None;
        for e in order {
            let row = entries.rows()[e];
            let (_, draws) = match &mut draws {
                Some((of, draws)) if *of == row => (of, draws),
                other => {
                    let whole = (row as usize * count + place) as u64;
                    let (of, draws) =
                        other.insert((row, stream(settings.seed, Purpose::Split, whole)));
                    (of, draws)
                }
            };
            let drawn: f64 = draws.random();
            if drawn < settings.validation { held.push(e) } else { fitted.push(e) }
        }
        let (fitted, held) = (entries.take(&fitted), entries.take(&held));
        Ok(Self { settings, shard: (place, count), fitted, held, ready: None })
    }

    /// What this shard adds to the totals.
    pub fn totals(&self) -> RowTotals {
        RowTotals {
            fitted: self.fitted.len() as f64,
            held: self.held.len() as f64,
            sum: self.fitted.values().iter().sum(),
        }
    }

    /// Makes problem and model, by the totals of all shards and the number of rows of the whole table. The entries are given up to them.
    ///
    /// # Errors
    /// [`Error::Parameter`] if this shard has no entry to fit, or none that is held out where there should be some.
    pub fn begin(&mut self, totals: RowTotals, rows: usize) -> Result<()> {
        let (place, count) = self.shard;
        let (own, cols) = self.fitted.shape();
        if (place..rows).step_by(count).len() != own {
            let expected = format!("{} rows", (place..rows).step_by(count).len());
            return Err(Error::shape("a shard of the rows", expected, own));
        }
        let mean = totals.sum / totals.fitted;
        let problem = term(&self.fitted, mean, totals.fitted)?;
        let wanted = self.settings.validation > 0.0;
        let validation = if wanted { Some(term(&self.held, mean, totals.held)?) } else { None };
        let whole = DeepLinear::with_width((rows, cols), self.settings.depth, self.settings.width)?
            .init(&Init::Gaussian { scale: self.settings.init_scale }, self.settings.seed)?;
        let layers = whole.layers();
        let (last, shared) =
            layers.split_last().map_or((whole.layer(0), &[][..]), |(l, s)| (*l, s));
        let rows = Mat::from_fn(own, last.cols(), |i, j| last.at(place + i * count, j));
        let all: Vec<MatRef<'_>> = shared.iter().copied().chain([rows.view()]).collect();
        let model = DeepLinear::of_layers(&all)?;
        self.ready = Some(Ready { model, problem, validation, mean });
        let none = |shape: Shape| Entries::new(shape, vec![], vec![], vec![]);
        (self.fitted, self.held) = (none(self.fitted.shape())?, none(self.held.shape())?);
        Ok(())
    }

    /// Trains until so many steps are made in all, from the checkpoint in `folder` if there is one, and leaves one there. All shards must do so together.
    ///
    /// # Errors
    /// What a sum over the shards or the folder gives; [`Error::Parameter`] before [`RowShard::begin`].
    pub fn advance(
        &mut self,
        steps: u64,
        folder: &Path,
        reduce: impl Reduce,
        interrupt: Option<Arc<AtomicBool>>,
    ) -> Result<Run> {
        let settings = &self.settings;
        let ready = self.ready.as_mut().ok_or_else(unready)?;
        let mut trainer = Trainer::new(Adam::new(settings.rate)?)
            .stop(Stop::new().steps(steps))
            .every(10)
            .folder(folder)
            .resume(true)
            .checkpoint_every(Duration::MAX)
            .reduce(reduce);
        if let Some(validation) = &ready.validation {
            let validation = Validation::new(validation.clone()).patience(settings.patience);
            trainer = trainer.validation(validation);
        }
        if let Some(flag) = interrupt {
            trainer = trainer.interrupt(flag);
        }
        trainer.fit(&ready.problem, &mut ready.model)
    }

    /// The rows of W_N, own rows × width; the product of the other layers, width × columns; the mean. A cell is its row times its column plus the mean.
    ///
    /// # Errors
    /// [`Error::Parameter`] before [`RowShard::begin`].
    pub fn factors(&self) -> Result<(Mat, Mat, f64)> {
        let Ready { model, mean, .. } = self.ready.as_ref().ok_or_else(unready)?;
        let last = model.depth() - 1;
        let rest = (1..last)
            .fold(model.layer(0).to_mat(), |product, j| model.layer(j).times(product.view()));
        Ok((model.layer(last).to_mat(), rest, *mean))
    }

    /// How many numbers a sum over the shards has.
    pub fn shared(&self) -> usize {
        let Some(Ready { model, .. }) = &self.ready else { return 0 };
        let last = model.layer(model.depth() - 1);
        2 + model.params().numbers().len() - last.rows() * last.cols()
    }
}

impl RowShardSettings {
    fn check(&self) -> Result<()> {
        if self.depth < 2 {
            return Err(Error::parameter("depth", "2 or more", self.depth));
        }
        if self.width == 0 {
            return Err(Error::parameter("width", "1 or more", self.width));
        }
        for (name, found) in [("init_scale", self.init_scale), ("rate", self.rate)] {
            if !(found.is_finite() && found > 0.0) {
                return Err(Error::parameter(name, "above 0", found));
            }
        }
        if !(0.0..=0.9).contains(&self.validation) {
            return Err(Error::parameter("validation", "from 0 to 0.9", self.validation));
        }
        Ok(())
    }
}

fn unready() -> Error {
    Error::parameter("a shard", "made ready by its totals", "not")
}

/// The share of this shard in the mean squared error over all.
fn term(entries: &Entries, mean: f64, total: f64) -> Result<Problem> {
    let mask = Mask::sparse(entries);
    let targets = entries.values().iter().map(|x| x - mean).collect::<Vec<_>>();
    let targets = mask.order(&targets);
    let loss = Squared { constant: Constant::Sum, weights: None };
    let weight = 1.0 / total;
    Problem::sum(vec![Term { observation: Arc::new(mask), targets, loss: Arc::new(loss), weight }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::train::{LocalReduce, StopReason};

    fn entries() -> Entries {
        let truth = data::low_rank((60, 40), 2, 3).unwrap();
        let cells = data::random_cells((60, 40), 1_200, 3).unwrap();
        data::observe(&truth, &cells).unwrap()
    }

    fn shard(all: &Entries, place: usize, count: usize) -> RowShard {
        let own: Vec<usize> =
            (0..all.len()).filter(|&e| all.rows()[e] as usize % count == place).collect();
        let part = all.take(&own);
        let rows = part.rows().iter().map(|i| i / count as u32).collect();
        let shape = ((place..60).step_by(count).len(), 40);
        let part = Entries::new(shape, rows, part.cols().to_vec(), part.values().to_vec()).unwrap();
        let settings = RowShardSettings { width: 4, validation: 0.1, ..Default::default() };
        RowShard::new(settings, &part, (place, count)).unwrap()
    }

    /// Trains in so many shards up to these steps, one stop after another; the filled table and the last run.
    fn trained(count: usize, stops: &[u64]) -> (Mat, Run) {
        let all = entries();
        let mut shards: Vec<RowShard> = (0..count).map(|place| shard(&all, place, count)).collect();
        let add = |pick: fn(RowTotals) -> f64| shards.iter().map(|it| pick(it.totals())).sum();
        let totals =
            RowTotals { fitted: add(|t| t.fitted), held: add(|t| t.held), sum: add(|t| t.sum) };
        let folder = tempfile::tempdir().unwrap();
        for (place, one) in shards.iter_mut().enumerate() {
            std::fs::create_dir(folder.path().join(place.to_string())).unwrap();
            one.begin(totals, 60).unwrap();
        }
        let mut last = None;
        for &steps in stops {
            let handles = LocalReduce::new(count);
            let runs: Vec<Run> = std::thread::scope(|scope| {
                let threads: Vec<_> = shards
                    .iter_mut()
                    .zip(handles)
                    .enumerate()
                    .map(|(place, (shard, handle))| {
                        let folder = folder.path().join(place.to_string());
                        scope.spawn(move || shard.advance(steps, &folder, handle, None).unwrap())
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(runs.iter().all(|run| (run.steps, run.loss) == (runs[0].steps, runs[0].loss)));
            last = runs.into_iter().next();
        }
        let mut filled = Mat::zeros(60, 40);
        for (place, shard) in shards.iter().enumerate() {
            let (rows, cols, mean) = shard.factors().unwrap();
            let product = rows.times(&cols);
            for i in 0..product.rows() {
                (0..40).for_each(|j| filled[(place + i * count, j)] = product[(i, j)] + mean);
            }
        }
        (filled, last.unwrap())
    }

    #[test]
    fn the_answer_does_not_depend_on_the_number_of_shards() {
        let (one, run) = trained(1, &[400]);
        assert!(run.best.is_some());
        for count in [2, 3, 8] {
            let (many, other) = trained(count, &[400]);
            let difference = many.minus(&one).max_abs();
            assert!(difference < 1e-10, "{count}: {difference}");
            assert_eq!((run.steps, run.reason), (other.steps, other.reason));
        }
        let truth = data::low_rank((60, 40), 2, 3).unwrap();
        assert!(one.minus(&truth).max_abs() < 0.2 * truth.max_abs());
    }

    #[test]
    fn shards_that_stop_and_go_on_give_the_same_bits() {
        let (whole, run) = trained(3, &[90]);
        assert_eq!(run.reason, StopReason::StepsDone);
        let (parts, _) = trained(3, &[20, 50, 90]);
        assert_eq!(whole, parts);
    }

    #[test]
    fn settings_and_shards_that_do_not_fit_are_refused() {
        let all = entries();
        let wrong = |change: fn(&mut RowShardSettings)| {
            let mut settings = RowShardSettings::default();
            change(&mut settings);
            RowShard::new(settings, &all, (0, 1)).err().unwrap().to_string()
        };
        assert_eq!(wrong(|it| it.depth = 1), "depth must be 2 or more, but it is 1");
        assert_eq!(wrong(|it| it.rate = 0.0), "rate must be above 0, but it is 0");
        let mut one = shard(&all, 1, 3);
        let totals = one.totals();
        assert!(one.factors().is_err());
        let told = one.begin(totals, 90).unwrap_err().to_string();
        assert_eq!(told, "a shard of the rows must have 30 rows, but it has 20");
    }
}
