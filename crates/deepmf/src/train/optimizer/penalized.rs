//! A squared penalty on the parameters: another optimizer steps on ℓ + Σ_s weight_s / 2 · ‖θ_s‖², matrix by matrix.

use super::{Optimizer, must_not_be_negative};
use crate::model::{Model, Numbers, Params, Precision};
use crate::problem::Problem;
use crate::train::Room;
use crate::{Error, Result};

/// Lets another optimizer step on ℓ + Σ_s `weight_s` / 2 · ‖θ_s‖² with one weight a matrix: what it is shown are the loss and the gradient of the sum.
///
/// The loss of the run stays ℓ. Weight decay is another thing: it moves θ, whatever the optimizer makes of the gradient.
#[derive(Clone, Debug)]
pub struct Penalized<O> {
    inner: O,
    weights: Vec<f64>,
}

impl<O: Optimizer> Penalized<O> {
    /// Steps as `inner` does, with one weight for each matrix of the parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a weight is below 0.
    pub fn new(inner: O, weights: Vec<f64>) -> Result<Self> {
        weights.iter().try_for_each(|weight| must_not_be_negative("penalty", *weight))?;
        Ok(Self { inner, weights })
    }
}

/// Adds the penalty to the gradient, and gives it.
fn add<T: Precision>(weights: &[f64], params: &Params, gradient: &mut Params) -> f64 {
    let mut penalty = 0.0;
    for (place, &weight) in weights.iter().enumerate() {
        if weight == 0.0 {
            continue;
        }
        let (factor, mut squares) = (T::of(weight), 0.0);
        for (g, x) in gradient.part_mut::<T>(place).iter_mut().zip(params.part::<T>(place)) {
            *g += factor * *x;
            squares += x.double() * x.double();
        }
        penalty += 0.5 * weight * squares;
    }
    penalty
}

impl<O: Optimizer> Optimizer for Penalized<O> {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let (loss, params) = (room.loss, model.params());
        room.loss += match params.numbers() {
            Numbers::Double(_) => add::<f64>(&self.weights, params, &mut room.gradient),
            Numbers::Single(_) => add::<f32>(&self.weights, params, &mut room.gradient),
        };
        self.inner.step(problem, model, room);
        room.loss = loss;
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        let (expected, found) = (model.params().slots().len(), self.weights.len());
        if expected != found {
            let expected = format!("{expected}, one a matrix");
            return Err(Error::shape("the list of penalties", expected, found));
        }
        self.inner.check(problem, model)
    }

    fn outcome(&self) -> Option<crate::train::StopReason> {
        self.inner.outcome()
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
    use crate::train::optimizer::GradientDescent;

    #[test]
    fn a_step_is_as_by_hand_and_the_loss_of_the_run_stays() {
        // Scalar layers 2, 3 on the target 5: W = 6, ∇ℓ = (3, 2), of the penalty (0.5 · 2, 0).
        let target = Mat::from_columns(1, 1, vec![5.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[1, 1, 1]).unwrap();
        model.params_mut().values_mut().copy_from_slice(&[2.0, 3.0]);
        let inner = GradientDescent::new(0.1).unwrap();
        let mut optimizer = Penalized::new(inner, vec![0.5, 0.0]).unwrap();
        optimizer.check(&problem, &model).unwrap();
        let mut room = Room::new(&model);
        room.evaluate(&problem, &model);
        optimizer.step(&problem, &mut model, &mut room);
        let found = model.params().values();
        assert!((found[0] - 1.6).abs() < 1e-14 && (found[1] - 2.8).abs() < 1e-14, "{found:?}");
        assert_eq!(room.loss, 0.5);
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let inner = || GradientDescent::new(0.1).unwrap();
        let error = Penalized::new(inner(), vec![-1.0]).unwrap_err();
        assert_eq!(error.to_string(), "penalty must be 0 or more, but it is -1");
        let problem = Problem::full(&Mat::zeros(1, 1), Constant::HalfSum).unwrap();
        let error = Penalized::new(inner(), vec![1.0]).unwrap();
        let error = error.check(&problem, &DeepLinear::new(&[1, 1, 1]).unwrap()).unwrap_err();
        let told = "the list of penalties must have 2, one a matrix, but it has 1";
        assert_eq!(error.to_string(), told);
    }
}
