//! Models that train codes of the columns with a linear last layer over the rows: an autoencoder, and free latents.
//!
//! What they fit are the residuals of ratings from their mean and offsets, in units of the residuals' own spread, by iRprop⁺ on everything at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Learned, Recommender};
use crate::apps::completion::LEAST_TO_SPLIT;
use crate::data::{Entries, split};
use crate::linalg::{Mat, MatRef, axpy, dot};
use crate::model::{Factors, Model, Pass};
use crate::problem::{Constant, Mask, Problem, Squared};
use crate::product::{Outer, Product};
use crate::train::optimizer::{Penalized, Rprop};
use crate::train::{Run, Stop, StopReason, Trainer, Validation, try_trials};
use crate::{Error, Result};

/// Steps between two looks at what is held out, and without a lower error before the end.
const EVERY: u64 = 5;
const PATIENCE: u64 = 40;
/// Steps at most, where none are given.
const STEPS: u64 = 500;
/// Steps where nothing is held out, and none are given.
const STEPS_UNSEEN: u64 = 60;

/// A model before its first step.
pub(super) struct Start {
    pub(super) model: Box<dyn Model>,
    /// One penalty a matrix of its parameters.
    pub(super) penalties: Vec<f64>,
    /// The length of its first steps.
    pub(super) length: f64,
    /// Whether it is one of the turned table, with the codes of its rows; else with those of its columns.
    pub(super) turned: bool,
}

/// One fit to residuals.
struct Fit {
    factors: Factors,
    parameters: usize,
    run: Run,
}

impl Recommender<'_> {
    /// Steps, and which of the candidates (seed and penalty), are chosen on what is held out; then all ratings are fitted with as many by the same one.
    pub(super) fn by_codes(
        &self,
        entries: &Entries,
        candidates: &[(u64, f64)],
        make: impl Fn(&Entries, (u64, f64)) -> Result<Start> + Sync,
    ) -> Result<Learned> {
        let settings = &self.settings;
        let (given, nothing) = (settings.epochs, entries.take(&[]));
        let first = candidates[0];
        if settings.validation == 0.0 || entries.len() < LEAST_TO_SPLIT {
            let steps = given.unwrap_or(STEPS_UNSEEN);
            let done = self.fit_codes(entries, &nothing, steps, &|e| make(e, first))?;
            return Ok(done.learned(vec![], None));
        }
        let (rest, held) = split(entries, settings.validation, self.seed)?;
        let try_one = |_: usize, one: &(u64, f64)| {
            self.fit_codes(&rest, &held, given.unwrap_or(STEPS), &|e| make(e, *one))
        };
        let tried = if candidates.len() == 1 {
            vec![Some(try_one(0, &first)?)]
        } else {
            let threads = Some(rayon::current_num_threads());
            try_trials(candidates, threads, self.interrupt.as_deref(), try_one)?
        };
        let error = |fit: &Fit| fit.run.best.map_or(f64::INFINITY, |best| best.1);
        let tried = tried.into_iter().zip(candidates).filter_map(|(fit, one)| Some((fit?, *one)));
        let best = tried.min_by(|a, b| error(&a.0).total_cmp(&error(&b.0)));
        let Some((chosen, one)) = best else {
            return Err(Error::parameter("the number of finished fits", "1 or more", 0));
        };
        let scores = held.iter().map(|(i, j, x)| (x, chosen.factors.at(i, j))).collect();
        let flag = self.interrupt.as_ref();
        if flag.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Ok(chosen.learned(scores, Some(StopReason::Interrupted)));
        }
        let steps = chosen.run.best.map_or(chosen.run.steps, |best| best.0);
        let done = self.fit_codes(entries, &nothing, steps, &|e| make(e, one))?;
        if done.run.reason == StopReason::Interrupted {
            // The fit of the rest had come to its end, that of all had not.
            return Ok(chosen.learned(scores, Some(StopReason::Interrupted)));
        }
        Ok(done.learned(scores, Some(chosen.run.reason)))
    }

    fn fit_codes(
        &self,
        entries: &Entries,
        held: &Entries,
        steps: u64,
        make: &(impl Fn(&Entries) -> Result<Start> + ?Sized),
    ) -> Result<Fit> {
        let offsets = self.offsets(entries)?;
        let rest = |entries: &Entries, unit: f64| {
            let rest = entries.iter().map(|(i, j, x)| (x - offsets.at(i, j)) / unit).collect();
            entries.with_values(rest)
        };
        let squares: f64 = rest(entries, 1.0)?.values().iter().map(|x| x * x).sum();
        // Ratings that offsets say exactly leave nothing to learn, in any unit.
        let spread = (squares / entries.len() as f64).sqrt().max(f64::MIN_POSITIVE.sqrt());
        let residuals = rest(entries, spread)?;
        let Start { mut model, penalties, length, turned } = make(&residuals)?;
        let optimizer = Penalized::new(Rprop::new(length)?, penalties)?;
        let mut trainer = Trainer::new(optimizer)
            .stop(Stop::new().steps(steps))
            .every(EVERY)
            .seed(self.seed)
            .watch(|progress| self.tell(!held.is_empty(), progress));
        if !held.is_empty() {
            let held = squared(&rest(held, spread)?, turned, Constant::Mean)?;
            trainer = trainer.validation(Validation::new(held).every(EVERY).patience(PATIENCE));
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        let problem = squared(&residuals, turned, Constant::HalfSum)?;
        let run = trainer.fit(&problem, &mut *model)?;
        let parameters = model.params().numbers().len() + offsets.len();
        let mut pass = Pass::default();
        let Product::Outer(Outer { left, right }) = model.forward(&mut pass) else {
            unreachable!("these models give one pair of thin factors")
        };
        let (codes, weights) = if turned { (left, right) } else { (right, left) };
        let (right, left, shifts) = centred(codes, weights, spread);
        let mut rows = offsets.rows;
        axpy(1.0, &shifts, &mut rows);
        let factors = Factors { rows, left, right, ..offsets };
        Ok(Fit { factors, parameters, run })
    }
}

fn squared(entries: &Entries, turned: bool, constant: Constant) -> Result<Problem> {
    let turn = || {
        let ((rows, cols), values) = (entries.shape(), entries.values().to_vec());
        Entries::new((cols, rows), entries.cols().to_vec(), entries.rows().to_vec(), values)
    };
    let turned = turned.then(turn).transpose()?;
    let entries = turned.as_ref().unwrap_or(entries);
    let mask = Mask::sparse(entries);
    let targets = mask.order(entries.values());
    Problem::single(Arc::new(mask), targets, Arc::new(Squared { constant, weights: None }))
}

/// Codes (h | 1) without the 1 and about their mean, weights (w | b) without b and times `spread`, and the offset of each output that this makes.
///
/// So a line without a code is predicted as if it had the mean one, and cosines of codes say what is alike.
fn centred(codes: MatRef<'_>, weights: MatRef<'_>, spread: f64) -> (Mat, Mat, Vec<f64>) {
    let (width, count) = (codes.rows() - 1, codes.cols());
    let mut mean = vec![0.0; width + 1];
    (0..count).for_each(|s| axpy(1.0 / count as f64, codes.col(s), &mut mean));
    let shifts = (0..weights.cols()).map(|p| spread * dot(weights.col(p), &mean)).collect();
    let codes = Mat::from_fn(width, count, |r, s| codes.at(r, s) - mean[r]);
    let weights = Mat::from_fn(width, weights.cols(), |r, p| spread * weights.at(r, p));
    (codes, weights, shifts)
}

impl Fit {
    fn learned(self, held: Vec<(f64, f64)>, reason: Option<StopReason>) -> Learned {
        let Self { factors, parameters, run } = self;
        let steps = run.best.map_or(run.steps, |best| best.0);
        Learned::plain(factors, parameters, held, steps, reason.unwrap_or(run.reason))
    }
}
