//! The choice among a few depths and initial scales on held-out measurements.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::start::Start;
use crate::model::{DeepLinear, Init};
use crate::problem::Problem;
use crate::train::optimizer::Momentum;
use crate::train::{Progress, Run, Stop, StopReason, Trainer, Validation, suggested_rate, trials};
use crate::{Error, Result};

/// How often a rate is halved after a fit that diverged.
const HALVINGS: u32 = 8;
const MOMENTUM: f64 = 0.9;

/// One setting of the choice, and what it reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where it began, such as `gaussian, depth 3, width 20, initial scale 0.001`.
    pub start: String,
    /// The rate that a descent ended with.
    pub rate: Option<f64>,
    /// Steps to the least validation error.
    pub steps: u64,
    /// The time of a flow to the least validation error.
    pub time: Option<f64>,
    /// The least validation error (root mean square, in the units of the fit or of its table).
    pub validation_rmse: f64,
}

/// Where a fit with several parts is.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The part, such as `depth 3, scale 1e-3`.
    pub what: String,
    /// Parts that are done.
    pub done: usize,
    /// Parts in all.
    pub total: usize,
    /// How far the part is.
    pub progress: Progress,
}

/// Whoever is told where a fit is, one at a time.
pub(super) type Watch<'a> = Mutex<Box<dyn FnMut(&Stage) + Send + 'a>>;

pub(super) fn tell(watch: Option<&Watch<'_>>, stage: &Stage) {
    if let Some(watch) = watch {
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch(stage);
    }
}

/// What all fits of one choice share.
pub(super) struct Fit<'a> {
    pub(super) width: usize,
    pub(super) steps: u64,
    pub(super) loss_below: f64,
    pub(super) rate: Option<f64>,
    pub(super) seed: u64,
    pub(super) interrupt: Option<&'a Arc<AtomicBool>>,
    pub(super) watch: &'a (dyn Fn(&Stage) + Sync),
}

impl Fit<'_> {
    pub(super) fn tell(&self, what: &str, done: usize, total: usize, progress: Progress) {
        (self.watch)(&Stage { what: what.into(), done, total, progress });
    }

    pub(super) fn start(&self, problem: &Problem, depth: usize, scale: f64) -> Result<DeepLinear> {
        DeepLinear::with_width(problem.shape(), depth, self.width)?
            .init(&Init::Gaussian { scale }, self.seed)
    }

    /// Fits `problem` with the rate halved until the loss stays finite.
    pub(super) fn train<'t>(
        &self,
        problem: &Problem,
        depth: usize,
        scale: f64,
        rate: f64,
        make: impl Fn(Trainer<'t>) -> Trainer<'t>,
    ) -> Result<(DeepLinear, Run, f64)> {
        let mut rate = rate;
        for halvings in 0.. {
            let mut model = self.start(problem, depth, scale)?;
            let mut trainer = Trainer::new(Momentum::new(rate, MOMENTUM)?)
                .stop(Stop::new().steps(self.steps).loss_below(self.loss_below));
            if let Some(flag) = self.interrupt {
                trainer = trainer.interrupt(flag.clone());
            }
            let run = make(trainer).fit(problem, &mut model)?;
            if run.reason != StopReason::Diverged || halvings == HALVINGS {
                return Ok((model, run, rate));
            }
            rate /= 2.0;
        }
        Err(Error::parameter("rate", "small enough", rate))
    }

    /// Fits every candidate, in parallel; the one with the least validation error comes first in `best`.
    pub(super) fn choose(
        &self,
        problem: &Problem,
        validation: &Problem,
        candidates: &[(usize, f64)],
    ) -> Result<(Chosen, Vec<Candidate>)> {
        let done = AtomicUsize::new(0);
        let tried = trials(candidates, |_, &(depth, scale)| -> Result<Chosen> {
            let rate = self.rate.unwrap_or_else(|| suggested_rate(problem, depth));
            let early =
                || Validation::new(validation.clone()).every(5).patience(300).tolerance(1e-3);
            let (model, run, rate) = self.train(problem, depth, scale, rate, |trainer| {
                trainer.validation(early()).every(u64::MAX)
            })?;
            let (steps, value) = run.best.unwrap_or((run.steps, f64::INFINITY));
            let start = Start::Gaussian { depth, width: self.width, scale }.words();
            let validation_rmse = value.sqrt();
            let candidate =
                Candidate { start, rate: Some(rate), steps, time: None, validation_rmse };
            let done = 1 + done.fetch_add(1, Ordering::Relaxed);
            let progress = Progress {
                step: run.steps,
                steps: self.steps,
                loss: run.loss,
                validation: Some(value),
            };
            let what = format!("depth {depth}, initial scale {scale}");
            self.tell(&what, done, candidates.len() + 1, progress);
            Ok(Chosen { candidate, depth, init_scale: scale, model, run })
        });
        let mut tried: Vec<Chosen> = tried.into_iter().collect::<Result<_>>()?;
        let table = tried.iter().map(|chosen| chosen.candidate.clone()).collect();
        let error = |chosen: &Chosen| chosen.candidate.validation_rmse;
        let best = (0..tried.len())
            .min_by(|&a, &b| error(&tried[a]).total_cmp(&error(&tried[b])))
            .ok_or_else(|| Error::parameter("the list of depths", "of 1 or more", "empty"))?;
        Ok((tried.swap_remove(best), table))
    }
}

/// The best candidate and its model, trained without the validation.
pub(super) struct Chosen {
    pub(super) candidate: Candidate,
    pub(super) depth: usize,
    pub(super) init_scale: f64,
    pub(super) model: DeepLinear,
    pub(super) run: Run,
}

impl Chosen {
    /// How it ended: if not at the best iterate, the validation decided.
    pub(super) fn reason(&self) -> StopReason {
        match self.run.reason {
            StopReason::LossReached | StopReason::StepsDone
                if self.candidate.steps < self.run.steps =>
            {
                StopReason::ValidationWorse
            }
            reason => reason,
        }
    }
}
