//! Sharpness-aware minimisation (Foret, Kleiner, Mobahi and Neyshabur 2021): the gradient is taken at θ + radius · ∇/‖∇‖.

use super::{GradientDescent, Optimizer, must_be_double, must_be_positive};
use crate::Result;
use crate::linalg::{axpy, norm};
use crate::model::Model;
use crate::problem::Problem;
use crate::train::Room;

/// Lets another optimizer step with the gradient from a worse place nearby.
#[derive(Clone, Debug)]
pub struct SharpnessAware<O = GradientDescent> {
    inner: O,
    radius: f64,
    start: Vec<f64>,
}

impl<O: Optimizer> SharpnessAware<O> {
    /// Steps as `inner` does, from θ with the gradient at θ + `radius` · ∇/‖∇‖.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `radius` is not above 0.
    pub fn new(inner: O, radius: f64) -> Result<Self> {
        must_be_positive("radius", radius)?;
        Ok(Self { inner, radius, start: Vec::new() })
    }
}

impl<O: Optimizer> Optimizer for SharpnessAware<O> {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let length = norm(room.gradient.values());
        if length > 0.0 {
            let loss = room.loss;
            self.start.clear();
            self.start.extend_from_slice(model.params().values());
            let params = model.params_mut().values_mut();
            axpy(self.radius / length, room.gradient.values(), params);
            room.evaluate(problem, model);
            model.params_mut().values_mut().copy_from_slice(&self.start);
            room.loss = loss;
        }
        self.inner.step(problem, model, room);
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)?;
        self.inner.check(problem, model)
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        self.inner.state()
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
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
    fn the_gradient_is_that_of_the_worse_place() {
        // Scalar layers 1, 2 on the target 1: W = 2, ∂ℓ/∂W = 1, gradient (2, 1) of length √5; with radius √5 the worse
        // place is (3, 3), where ∂ℓ/∂W = 8 and the gradient is (24, 24).
        let target = Mat::from_columns(1, 1, vec![1.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[1, 1, 1]).unwrap();
        model.params_mut().values_mut().copy_from_slice(&[1.0, 2.0]);
        let inner = GradientDescent::new(0.01).unwrap();
        let mut optimizer = SharpnessAware::new(inner, 5.0_f64.sqrt()).unwrap();
        let mut room = Room::new(&model);
        room.evaluate(&problem, &model);
        optimizer.step(&problem, &mut model, &mut room);
        let found = model.params().values();
        assert!((found[0] - 0.76).abs() < 1e-14 && (found[1] - 1.76).abs() < 1e-14, "{found:?}");
        assert_eq!(room.loss, 0.5);
    }

    #[test]
    fn a_radius_of_zero_is_refused() {
        let error = SharpnessAware::new(GradientDescent::new(0.1).unwrap(), 0.0).unwrap_err();
        assert_eq!(error.to_string(), "radius must be above 0, but it is 0");
    }
}
