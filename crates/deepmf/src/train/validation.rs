//! Validation: entries held out from training say when to stop and which iterate to keep.

use crate::model::{Model, Params};
use crate::problem::Problem;

/// Early stopping on a problem that is held out.
#[derive(Clone, Debug)]
pub struct Validation {
    pub(super) problem: Problem,
    pub(super) every: u64,
    patience: u64,
    at_start: u64,
    tolerance: f64,
}

impl Validation {
    /// Evaluates `problem` every 10 steps and stops after 500 steps without improvement.
    pub fn new(problem: Problem) -> Self {
        Self { problem, every: 10, patience: 500, at_start: ON_THE_START, tolerance: 0.0 }
    }

    /// Evaluates every so many steps.
    #[must_use]
    pub fn every(self, steps: u64) -> Self {
        Self { every: steps.max(1), ..self }
    }

    /// Stops after so many steps without improvement; before the first one, after eight times as many.
    #[must_use]
    pub fn patience(self, steps: u64) -> Self {
        Self { patience: steps, ..self }
    }

    /// Multiplies the patience before the first improvement by this instead of by eight.
    #[must_use]
    pub fn patience_at_start(self, factor: u64) -> Self {
        Self { at_start: factor, ..self }
    }

    /// Counts only relative improvements above `tolerance` against the patience (the best is kept anyway).
    #[must_use]
    pub fn tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }
}

/// The start is left when the value has fallen to this share of the first one …
const LEFT: f64 = 0.98;
/// … and until then the patience is so many times as long: a deep network with a small start first rests on a plateau.
const ON_THE_START: u64 = 8;

/// The best iterate so far.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) value: f64,
    pub(super) step: u64,
    pub(super) params: Params,
    /// What the model has beside its parameters.
    pub(super) state: Option<Params>,
    /// The value and step of the last improvement that counted against the patience.
    pub(super) mark: (f64, u64),
    /// The first value.
    pub(super) first: f64,
}

impl Best {
    pub(super) fn new(model: &dyn Model) -> Self {
        let (value, step) = (f64::INFINITY, 0);
        let (params, state) = (model.params().clone(), model.state().cloned());
        Self { value, step, params, state, mark: (value, step), first: f64::INFINITY }
    }

    /// Gives the model its best iterate.
    pub(super) fn give(&self, model: &mut dyn Model) {
        model.params_mut().numbers_mut().copy_from(self.params.numbers());
        if let (Some(to), Some(from)) = (model.state_mut(), &self.state) {
            to.numbers_mut().copy_from(from.numbers());
        }
    }

    /// Takes note of a value; says whether the patience is at its end.
    pub(super) fn note(
        &mut self,
        validation: &Validation,
        value: f64,
        step: u64,
        model: &dyn Model,
    ) -> bool {
        if self.first.is_infinite() {
            self.first = value;
        }
        if value < self.value {
            (self.value, self.step) = (value, step);
            self.params.numbers_mut().copy_from(model.params().numbers());
            if let (Some(to), Some(from)) = (&mut self.state, model.state()) {
                to.numbers_mut().copy_from(from.numbers());
            }
        }
        if value < self.mark.0 * (1.0 - validation.tolerance) {
            self.mark = (value, step);
        }
        let left = self.value <= LEFT * self.first;
        let patience =
            validation.patience.saturating_mul(if left { 1 } else { validation.at_start });
        step - self.mark.1 >= patience && self.mark.0.is_finite()
    }
}
