//! Explicit regularization by the trace of the Hessian: another optimizer steps on ℓ + weight · tr H (Gatmiry et al. 2023).
//!
//! The trace and its gradient are in closed form ([`hessian_trace_gradient`]). On the zero-loss manifold this goes where label
//! noise drifts, without noise; off it the minimum is that of the sum, not of ℓ, unless the weight is let fall to 0.

use super::{GradientDescent, Optimizer, must_be_double, must_not_be_negative, number};
use crate::analysis::hessian_trace_gradient;
use crate::linalg::axpy;
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::train::{Room, Schedule};
use crate::{Error, Result};

/// Lets another optimizer step with the gradient of ℓ + weight · tr H.
///
/// The loss of the run stays ℓ; the probe `hessian-trace` records the other part.
#[derive(Clone, Debug)]
pub struct TraceRegularized<O = GradientDescent> {
    inner: O,
    weight: f64,
    schedule: Schedule,
    steps: u64,
    slope: Option<Params>,
}

impl<O: Optimizer> TraceRegularized<O> {
    /// Steps as `inner` does, on ℓ + `weight` · tr H.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `weight` is below 0.
    pub fn new(inner: O, weight: f64) -> Result<Self> {
        must_not_be_negative("weight", weight)?;
        Ok(Self { inner, weight, schedule: Schedule::Constant, steps: 0, slope: None })
    }

    /// Multiplies the weight by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }
}

impl<O: Optimizer> Optimizer for TraceRegularized<O> {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let weight = self.weight * self.schedule.factor(self.steps);
        self.steps += 1;
        if weight > 0.0
            && let Some(layers) = model.layers()
        {
            let slope = self.slope.get_or_insert_with(|| model.params().zeros_like());
            // It fails for layers alone that are not finite, after which there is no step.
            if hessian_trace_gradient(problem, &layers, slope).is_ok() {
                axpy(weight, slope.values(), room.gradient.values_mut());
            }
        }
        self.inner.step(problem, model, room);
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)?;
        problem.must_be_separable()?;
        if model.layers().is_none() {
            let what = "the model of a trace-regularized descent";
            return Err(Error::parameter(what, "a product of layers", "another"));
        }
        self.inner.check(problem, model)
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        let own = [("trace-regularized", vec![self.steps as f64])];
        self.inner.state().into_iter().chain(own).collect()
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "trace-regularized")? as u64;
        self.inner.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::DeepLinear;
    use crate::problem::Constant;

    #[test]
    fn a_step_is_as_by_hand() {
        // Scalar layers 1, 2, 3 on the target 5: W = 6, tr H = (2·3)² + (1·3)² + (1·2)² with ∂/∂W₁ = 2·1·(3² + 2²) = 26,
        // ∂/∂W₂ = 2·2·(3² + 1²) = 40, ∂/∂W₃ = 2·3·(2² + 1²) = 30; ∇ℓ = (6, 3, 2).
        let target = Mat::from_columns(1, 1, vec![5.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[1, 1, 1, 1]).unwrap();
        model.params_mut().values_mut().copy_from_slice(&[1.0, 2.0, 3.0]);
        let inner = GradientDescent::new(0.01).unwrap();
        let mut optimizer = TraceRegularized::new(inner, 0.1).unwrap();
        let mut room = Room::new(&model);
        room.evaluate(&problem, &model);
        optimizer.step(&problem, &mut model, &mut room);
        let expected = [1.0 - 0.086, 2.0 - 0.07, 3.0 - 0.05];
        let found = model.params().values();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
    }
}
