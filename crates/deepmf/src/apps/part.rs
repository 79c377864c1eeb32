//! A part of a table, made ready for a fit: a fold with what it holds out, or the whole.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Offsets;
use super::offsets::Centring;
use crate::Result;
use crate::data::Entries;
use crate::linalg::Mat;
use crate::model::{DeepLinear, Model, Pass};
use crate::problem::{Constant, Mask, Observation, Problem};
use crate::spec::CompletionSettings;
use crate::train::{Flow, Run, Stop, Trainer, Validation};

/// The error of a step of a flow, relative to the parameters.
const TOLERANCE: f64 = 1e-3;
/// Accepted steps of a flow without an improvement of the validation error.
const PATIENCE: u64 = 3;
/// An improvement is at least this large, relative to the error.
const IMPROVEMENT: f64 = 1e-4;

/// Entries to fit, with their offsets taken out, and entries to hold the fit against.
pub(super) struct Part {
    pub(super) known: Entries,
    pub(super) held: Entries,
    pub(super) offsets: Offsets,
    problem: Problem,
    validation: Option<Problem>,
}

/// What came of a flow on a part.
pub(super) struct Fit {
    pub(super) model: DeepLinear,
    pub(super) run: Run,
    /// The time of the least validation error, or of the end.
    pub(super) time: f64,
    pub(super) evaluations: u64,
    /// The least mean squared error on what is held out, in the units of the table or of its columns.
    pub(super) error: f64,
}

impl Part {
    pub(super) fn new(
        known: &Entries,
        held: &Entries,
        centring: Centring,
        settings: &CompletionSettings,
    ) -> Result<Self> {
        let offsets = Offsets::centred(known, settings.scaling, centring, centring.prior());
        let problem = Problem::completion_with(&offsets.residuals(known)?, Constant::HalfSum)?;
        let validation = if held.is_empty() {
            None
        } else {
            Some(Problem::completion(&offsets.residuals(held)?)?)
        };
        Ok(Self { known: known.clone(), held: held.clone(), offsets, problem, validation })
    }

    /// Flows from `model` until the validation error has passed its least value, or else until `until`; the network is that
    /// of this moment.
    pub(super) fn fit<'t>(
        &self,
        mut model: DeepLinear,
        until: Option<f64>,
        settings: &CompletionSettings,
        interrupt: Option<&Arc<AtomicBool>>,
        make: impl FnOnce(Trainer<'t>) -> Trainer<'t>,
    ) -> Result<Fit> {
        let mut flow = Flow::new(TOLERANCE)?;
        let nothing = until.is_some_and(|time| time <= 0.0);
        if let Some(time) = until.filter(|_| !nothing) {
            flow = flow.until(time)?;
        }
        let below = 0.5 * self.known.len() as f64 * settings.loss_below;
        let steps = if nothing { 0 } else { settings.steps };
        let mut trainer = Trainer::new(flow).stop(Stop::new().steps(steps).loss_below(below));
        if let Some(validation) = &self.validation {
            let validation = Validation::new(validation.clone()).every(1).patience(PATIENCE);
            let validation = validation.patience_at_start(2).tolerance(IMPROVEMENT);
            trainer = trainer.validation(validation).every(1);
        }
        if let Some(flag) = interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        let run = make(trainer).fit(&self.problem, &mut model)?;
        let clock = |name: &str| run.trajectory.column(name).unwrap_or_default();
        let (steps, times) = (clock("step"), clock("time"));
        let best = run.best.map_or(run.steps, |best| best.0);
        let place = steps.iter().position(|&step| step == best as f64);
        let time = place.or(times.len().checked_sub(1)).map_or(0.0, |place| times[place]);
        let evaluations = clock("evaluations").last().map_or(0, |&count| count as u64);
        let error = run.best.map_or(f64::INFINITY, |best| best.1) * self.offsets.spread.powi(2);
        Ok(Fit { model, run, time, evaluations, error })
    }

    /// The answers of a network at cells, without bounds.
    pub(super) fn answers(&self, model: &DeepLinear, cells: &Entries) -> Vec<f64> {
        answers(model, &self.offsets, cells)
    }
}

/// The answers of a network with offsets at cells, without bounds; W is not formed where it is thin.
pub(super) fn answers(model: &DeepLinear, offsets: &Offsets, cells: &Entries) -> Vec<f64> {
    if cells.is_empty() {
        return Vec::new();
    }
    let mask = Mask::sparse(cells);
    let mut seen = vec![0.0; cells.len()];
    mask.apply(&model.forward(&mut Pass::default()), &mut Mat::default(), &mut seen);
    let seen = mask.restore(&seen);
    cells.iter().zip(seen).map(|((i, j, _), w)| offsets.restore(i, j, w)).collect()
}
