//! Adam, with AMSGrad's maximum on request (Kingma & Ba 2015; Reddi, Kale, Kumar 2018).

use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::model::Model;
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// Adam.
#[derive(Clone, Debug)]
pub struct Adam {
    rate: f64,
    betas: (f64, f64),
    epsilon: f64,
    amsgrad: bool,
    schedule: Schedule,
    steps: u64,
    first: Vec<f64>,
    second: Vec<f64>,
    largest: Vec<f64>,
}

impl Adam {
    /// Adam with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        Ok(Self {
            rate,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            amsgrad: false,
            schedule: Schedule::Constant,
            steps: 0,
            first: Vec::new(),
            second: Vec::new(),
            largest: Vec::new(),
        })
    }

    /// Sets the memories β₁, β₂ and ε.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a β outside [0, 1) or ε not above 0.
    pub fn smoothing(self, betas: (f64, f64), epsilon: f64) -> Result<Self> {
        must_be_fraction("beta1", betas.0)?;
        must_be_fraction("beta2", betas.1)?;
        must_be_positive("epsilon", epsilon)?;
        Ok(Self { betas, epsilon, ..self })
    }

    /// Divides by the largest second moment so far (AMSGrad).
    #[must_use]
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        Self { amsgrad, ..self }
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let gradient = room.gradient.values();
        self.first.resize(gradient.len(), 0.0);
        self.second.resize(gradient.len(), 0.0);
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let (b1, b2) = self.betas;
        let t = self.steps as f64;
        let (rate, root) = (rate / (1.0 - b1.powf(t)), (1.0 - b2.powf(t)).sqrt());
        let epsilon = self.epsilon;
        let moments = self.first.iter_mut().zip(&mut self.second).zip(gradient);
        let params = model.params_mut().values_mut().iter_mut();
        if self.amsgrad {
            self.largest.resize(gradient.len(), 0.0);
            for ((x, ((m, v), g)), most) in params.zip(moments).zip(&mut self.largest) {
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *most = most.max(*v);
                *x -= rate * *m / (most.sqrt() / root + epsilon);
            }
        } else {
            for (x, ((m, v), g)) in params.zip(moments) {
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *x -= rate * *m / (v.sqrt() / root + epsilon);
            }
        }
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("steps", vec![self.steps as f64]),
            ("first", self.first.clone()),
            ("second", self.second.clone()),
            ("largest", self.largest.clone()),
        ]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.first = part(state, "first")?;
        self.second = part(state, "second")?;
        self.largest = part(state, "largest")?;
        Ok(())
    }
}
