//! Gradient descent: θ ← θ − rate · ∇.

use super::{Optimizer, must_be_positive, number};
use crate::Result;
use crate::linalg::axpy;
use crate::model::Model;
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// Gradient descent.
#[derive(Clone, Debug)]
pub struct GradientDescent {
    rate: f64,
    schedule: Schedule,
    steps: u64,
}

impl GradientDescent {
    /// Gradient descent with a constant rate.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        Ok(Self { rate, schedule: Schedule::Constant, steps: 0 })
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

impl Optimizer for GradientDescent {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        axpy(-rate, room.gradient.values(), model.params_mut().values_mut());
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64])]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        Ok(())
    }
}
