//! RMSprop: q ← α q + (1 − α) ∇², θ ← θ − rate · ∇ / (√q + ε), entry by entry (Tieleman & Hinton 2012).

use super::elementwise::{Rule, each};
use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::linalg::Real;
use crate::model::{Model, Numbers};
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
    squares: Numbers,
}

impl RmsProp {
    /// RMSprop with α = 0.99 and ε = 1e-8.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        let schedule = Schedule::Constant;
        Ok(Self {
            rate,
            alpha: 0.99,
            epsilon: 1e-8,
            schedule,
            steps: 0,
            squares: Numbers::default(),
        })
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

struct Move {
    rate: f64,
    alpha: f64,
    epsilon: f64,
}

impl Rule<1> for Move {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], [q]: [&mut [T]; 1]) {
        let (rate, epsilon) = (T::of(self.rate), T::of(self.epsilon));
        let (alpha, new) = (T::of(self.alpha), T::of(1.0 - self.alpha));
        for ((x, q), g) in x.iter_mut().zip(q).zip(g) {
            *q = alpha * *q + new * *g * *g;
            *x -= rate * *g / (q.root() + epsilon);
        }
    }
}

impl Optimizer for RmsProp {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let rule = Move { rate, alpha: self.alpha, epsilon: self.epsilon };
        each(&rule, model.params_mut(), &room.gradient, [&mut self.squares]);
    }

    fn check(&self, _problem: &Problem, _model: &dyn Model) -> Result<()> {
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64]), ("squares", self.squares.to_double())]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.squares = Numbers::Double(part(state, "squares")?);
        Ok(())
    }
}
