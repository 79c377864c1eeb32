//! Gradient descent: θ ← θ − rate · ∇, on request with weight decay and a rate of its own for the outer layers.

use super::elementwise::{Rule, each};
use super::{Optimizer, must_be_positive, must_not_be_negative, number};
use crate::Result;
use crate::linalg::{Real, axpy};
use crate::model::{Model, Numbers, Params, Precision};
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// Gradient descent.
#[derive(Clone, Debug)]
pub struct GradientDescent {
    rate: f64,
    decay: f64,
    outer: f64,
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
        Ok(Self { rate, decay: 0.0, outer: 1.0, schedule: Schedule::Constant, steps: 0 })
    }

    /// Weight decay: θ ← θ − rate · (∇ + decay · θ).
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `decay` is below 0.
    pub fn decay(self, decay: f64) -> Result<Self> {
        must_not_be_negative("decay", decay)?;
        Ok(Self { decay, ..self })
    }

    /// Multiplies the rate of the first and of the last matrix by `factor`: γ in Yaras, Wang, Balzano and Qu
    /// 2024, "Compressible dynamics in deep overparameterized low-rank learning & adaptation" (0.01 there; 0
    /// freezes them), α in Kwon, Zhang, Song and Qu 2024, "Efficient low-dimensional compression of overparameterized models".
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `factor` is below 0.
    pub fn outer(self, factor: f64) -> Result<Self> {
        must_not_be_negative("outer", factor)?;
        Ok(Self { outer: factor, ..self })
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

/// x ← x − rate · g.
struct Plain(f64);

impl Rule<0> for Plain {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], _moments: [&mut [T]; 0]) {
        let rate = T::of(self.0);
        x.iter_mut().zip(g).for_each(|(x, g)| *x -= rate * *g);
    }
}

impl GradientDescent {
    fn by_matrix<T: Precision>(&self, rate: f64, params: &mut Params, gradient: &Params) {
        let last = params.slots().len() - 1;
        for place in 0..=last {
            let outer = place == 0 || place == last;
            let rate = T::of(if outer { rate * self.outer } else { rate });
            let decay = T::of(self.decay);
            let numbers = params.part_mut::<T>(place).iter_mut();
            for (x, slope) in numbers.zip(gradient.part::<T>(place)) {
                *x -= rate * (*slope + decay * *x);
            }
        }
    }
}

impl Optimizer for GradientDescent {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let params = model.params_mut();
        if self.decay == 0.0 && self.outer == 1.0 {
            match room.gradient.numbers() {
                Numbers::Double(gradient) => axpy(-rate, gradient, params.values_mut()),
                Numbers::Single(_) => each(&Plain(rate), params, &room.gradient, []),
            }
            return;
        }
        match params.numbers() {
            Numbers::Double(_) => self.by_matrix::<f64>(rate, params, &room.gradient),
            Numbers::Single(_) => self.by_matrix::<f32>(rate, params, &room.gradient),
        }
    }

    fn check(&self, _problem: &Problem, _model: &dyn Model) -> Result<()> {
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("steps", vec![self.steps as f64])]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::DeepLinear;
    use crate::problem::Constant;

    /// Scalar layers 2, 3, 5 on the target 20: W = 30, ∂ℓ/∂W = 10 and the gradient is (150, 100, 60).
    fn moved(optimizer: GradientDescent) -> Vec<f64> {
        let target = Mat::from_columns(1, 1, vec![20.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[1, 1, 1, 1]).unwrap();
        model.params_mut().values_mut().copy_from_slice(&[2.0, 3.0, 5.0]);
        let (mut room, mut optimizer) = (Room::new(&model), optimizer);
        room.evaluate(&problem, &model);
        optimizer.step(&problem, &mut model, &mut room);
        model.params().values().to_vec()
    }

    #[test]
    fn decay_and_outer_rates_are_as_by_hand() {
        let plain = || GradientDescent::new(0.01).unwrap();
        let close = |found: Vec<f64>, expected: [f64; 3]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
        };
        close(moved(plain()), [0.5, 2.0, 4.4]);
        close(moved(plain().decay(0.5).unwrap()), [0.49, 1.985, 4.375]);
        close(moved(plain().outer(0.1).unwrap()), [1.85, 2.0, 4.94]);
        close(moved(plain().outer(0.0).unwrap().decay(0.5).unwrap()), [2.0, 1.985, 5.0]);
    }

    #[test]
    fn a_negative_decay_is_refused() {
        let error = GradientDescent::new(0.1).unwrap().decay(-1.0).unwrap_err();
        assert_eq!(error.to_string(), "decay must be 0 or more, but it is -1");
        assert!(GradientDescent::new(0.1).unwrap().outer(f64::NAN).is_err());
    }
}
