//! Gradient descent with momentum: v ← μ v + ∇, θ ← θ − rate · v (or Nesterov's look ahead).

use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::model::Model;
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// Heavy-ball or Nesterov momentum.
#[derive(Clone, Debug)]
pub struct Momentum {
    rate: f64,
    coefficient: f64,
    nesterov: bool,
    schedule: Schedule,
    steps: u64,
    velocity: Vec<f64>,
}

impl Momentum {
    /// Heavy-ball momentum with coefficient `momentum` in [0, 1).
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a rate or coefficient outside its range.
    pub fn new(rate: f64, momentum: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        must_be_fraction("momentum", momentum)?;
        let schedule = Schedule::Constant;
        Ok(Self {
            rate,
            coefficient: momentum,
            nesterov: false,
            schedule,
            steps: 0,
            velocity: Vec::new(),
        })
    }

    /// Steps along ∇ + μ v instead of v (Nesterov).
    #[must_use]
    pub fn nesterov(self, nesterov: bool) -> Self {
        Self { nesterov, ..self }
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

impl Optimizer for Momentum {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let gradient = room.gradient.values();
        self.velocity.resize(gradient.len(), 0.0);
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let (mu, nesterov) = (self.coefficient, self.nesterov);
        let params = model.params_mut().values_mut();
        for ((x, v), g) in params.iter_mut().zip(&mut self.velocity).zip(gradient) {
            *v = mu * *v + g;
            *x -= rate * if nesterov { g + mu * *v } else { *v };
        }
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64]), ("velocity", self.velocity.clone())]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.velocity = part(state, "velocity")?;
        Ok(())
    }
}
