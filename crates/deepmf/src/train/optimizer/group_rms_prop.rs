//! GroupRMSprop: gradient descent with one adaptive step for all layers together.
//!
//! q ← α q + (1 − α) Σ_j ‖∇_j‖², step = rate / (√(q / (1 − α^t)) + ε), t = 1, 2, … The path is that of gradient
//! flow, travelled at another speed. Source: Arora, Cohen, Hu, Luo 2019, experiments (their optimiser).

use super::{Optimizer, must_be_fraction, must_be_positive, number};
use crate::Result;
use crate::linalg::{axpy, sum_of_squares};
use crate::model::Model;
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// GroupRMSprop.
#[derive(Clone, Debug)]
pub struct GroupRmsProp {
    rate: f64,
    alpha: f64,
    epsilon: f64,
    schedule: Schedule,
    steps: u64,
    square: f64,
}

impl GroupRmsProp {
    /// The paper's setting: α = 0.99, ε = 1e-4.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        let schedule = Schedule::Constant;
        Ok(Self { rate, alpha: 0.99, epsilon: 1e-4, schedule, steps: 0, square: 0.0 })
    }

    /// Sets the memory α of the mean square and the ε beside its root.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for α outside [0, 1) or ε not above 0.
    pub fn smoothing(self, alpha: f64, epsilon: f64) -> Result<Self> {
        must_be_fraction("alpha", alpha)?;
        must_be_positive("epsilon", epsilon)?;
        Ok(Self { alpha, epsilon, ..self })
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

impl Optimizer for GroupRmsProp {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let gradient = room.gradient.values();
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        self.square = self.alpha * self.square + (1.0 - self.alpha) * sum_of_squares(gradient);
        let unbiased = self.square / (1.0 - self.alpha.powf(self.steps as f64));
        let step = rate / (unbiased.sqrt() + self.epsilon);
        axpy(-step, gradient, model.params_mut().values_mut());
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64]), ("square", vec![self.square])]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.square = number(state, "square")?;
        Ok(())
    }
}
