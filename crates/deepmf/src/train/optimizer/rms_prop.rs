//! RMSprop: q ← α q + (1 − α) ∇², θ ← θ − rate · ∇ / (√q + ε), entry by entry (Tieleman & Hinton 2012).

use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::model::Model;
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// RMSprop.
#[derive(Clone, Debug)]
pub struct RmsProp {
    rate: f64,
    alpha: f64,
    epsilon: f64,
    schedule: Schedule,
    steps: u64,
    squares: Vec<f64>,
}

impl RmsProp {
    /// RMSprop with α = 0.99 and ε = 1e-8.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        let schedule = Schedule::Constant;
        Ok(Self { rate, alpha: 0.99, epsilon: 1e-8, schedule, steps: 0, squares: Vec::new() })
    }

    /// Sets the memory α of the mean squares and the ε beside their roots.
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

impl Optimizer for RmsProp {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let gradient = room.gradient.values();
        self.squares.resize(gradient.len(), 0.0);
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let (alpha, epsilon) = (self.alpha, self.epsilon);
        let params = model.params_mut().values_mut();
        for ((x, q), g) in params.iter_mut().zip(&mut self.squares).zip(gradient) {
            *q = alpha * *q + (1.0 - alpha) * g * g;
            *x -= rate * g / (q.sqrt() + epsilon);
        }
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64]), ("squares", self.squares.clone())]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.squares = part(state, "squares")?;
        Ok(())
    }
}
