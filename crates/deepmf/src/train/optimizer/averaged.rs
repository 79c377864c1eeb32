//! An average of the iterates of another optimizer, which forgets the early ones (Polyak and Juditsky 1992, with a memory).

use super::{Optimizer, number, part};
use crate::model::{Model, Numbers};
use crate::problem::Problem;
use crate::train::{Room, StopReason};
use crate::{Error, Result};

/// Steps as another optimizer does, and keeps Σ β^(n−i) θ_i / Σ β^(n−i) over the iterates θ_1 … θ_n with β = 1 − 1/`steps`: about the mean of the
/// last `steps`. The run itself is not changed.
#[derive(Clone, Debug)]
pub struct Averaged<O> {
    inner: O,
    memory: f64,
    count: u64,
    mean: Numbers,
}

impl<O: Optimizer> Averaged<O> {
    /// Averages about the last `steps` iterates of `inner`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `steps` is 0.
    pub fn new(inner: O, steps: u64) -> Result<Self> {
        if steps == 0 {
            return Err(Error::parameter("the steps of an average", "1 or more", steps));
        }
        let memory = 1.0 - 1.0 / steps as f64;
        Ok(Self { inner, memory, count: 0, mean: Numbers::default() })
    }

    /// The average so far; none before the first step.
    pub fn mean(&self) -> Option<&Numbers> {
        (self.count > 0).then_some(&self.mean)
    }

    /// Gives the model the average, if there is one.
    pub fn give(&self, model: &mut dyn Model) {
        if let Some(mean) = self.mean() {
            model.params_mut().numbers_mut().copy_from(mean);
        }
    }
}

impl<O: Optimizer> Optimizer for Averaged<O> {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        self.inner.step(problem, model, room);
        let numbers = model.params().numbers();
        let kind = std::mem::discriminant(numbers);
        if self.mean.len() != numbers.len() || std::mem::discriminant(&self.mean) != kind {
            // The first step, or the first one after a checkpoint, which gives the mean in double precision.
            let before = std::mem::replace(&mut self.mean, numbers.zeros_like());
            if before.len() == numbers.len() {
                self.mean.copy_from(&before);
            }
        }
        self.count += 1;
        // The weights of all iterates so far add up to one from the first on.
        let share = (1.0 - self.memory) / (1.0 - self.memory.powf(self.count as f64));
        match (&mut self.mean, numbers) {
            (Numbers::Double(mean), Numbers::Double(x)) => {
                mean.iter_mut().zip(x).for_each(|(mean, x)| *mean += share * (x - *mean));
            }
            (Numbers::Single(mean), Numbers::Single(x)) => {
                let share = share as f32;
                mean.iter_mut().zip(x).for_each(|(mean, x)| *mean += share * (x - *mean));
            }
            (mean, x) => mean.copy_from(x),
        }
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        self.inner.check(problem, model)
    }

    fn outcome(&self) -> Option<StopReason> {
        self.inner.outcome()
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        let own = [("averaged", vec![self.count as f64]), ("mean", self.mean.to_double())];
        self.inner.state().into_iter().chain(own).collect()
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.count = number(state, "averaged")? as u64;
        self.mean = Numbers::Double(part(state, "mean")?);
        self.inner.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::DeepLinear;
    use crate::problem::Constant;
    use crate::train::optimizer::GradientDescent;

    #[test]
    fn the_average_is_that_of_the_iterates_and_the_run_stays() {
        let target = Mat::from_columns(1, 1, vec![5.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[1, 1]).unwrap();
        model.params_mut().values_mut()[0] = 1.0;
        let inner = GradientDescent::new(0.5).unwrap();
        let mut optimizer = Averaged::new(inner, 2).unwrap();
        assert!(optimizer.mean().is_none());
        let mut room = Room::new(&model);
        let mut iterates = Vec::new();
        for _ in 0..3 {
            room.evaluate(&problem, &model);
            optimizer.step(&problem, &mut model, &mut room);
            iterates.push(model.params().values()[0]);
        }
        assert_eq!(iterates, [3.0, 4.0, 4.5]);
        // With β = 1/2 the weights are 1, 2 and 4 of 7.
        let mean = optimizer.mean().unwrap().to_double()[0];
        assert!((mean - (3.0 + 2.0 * 4.0 + 4.0 * 4.5) / 7.0).abs() < 1e-15);
        optimizer.give(&mut model);
        assert_eq!(model.params().values()[0], mean);
        let refused = Averaged::new(GradientDescent::new(0.5).unwrap(), 0).unwrap_err();
        assert_eq!(refused.to_string(), "the steps of an average must be 1 or more, but it is 0");
    }
}
