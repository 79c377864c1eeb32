//! Gradient descent with momentum: v ← μ v + ∇, θ ← θ − rate · v (or Nesterov's look ahead).

use super::elementwise::{Rule, each};
use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::linalg::Real;
use crate::model::{Model, Numbers};
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
    velocity: Numbers,
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
            velocity: Numbers::default(),
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

struct Move {
    rate: f64,
    mu: f64,
    nesterov: bool,
}

impl Rule<1> for Move {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], [v]: [&mut [T]; 1]) {
        let (rate, mu) = (T::of(self.rate), T::of(self.mu));
        for ((x, v), g) in x.iter_mut().zip(v).zip(g) {
            *v = mu * *v + *g;
            *x -= rate * if self.nesterov { *g + mu * *v } else { *v };
        }
    }
}

impl Optimizer for Momentum {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let rule = Move { rate, mu: self.coefficient, nesterov: self.nesterov };
        each(&rule, model.params_mut(), &room.gradient, [&mut self.velocity]);
    }

    fn check(&self, _problem: &Problem, _model: &dyn Model) -> Result<()> {
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64]), ("velocity", self.velocity.to_double())]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.velocity = Numbers::Double(part(state, "velocity")?);
        Ok(())
    }
}
