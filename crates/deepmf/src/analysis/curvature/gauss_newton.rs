//! The Gauss–Newton operator JᵀCJ of any smooth model on any problem, as products with vectors.

use crate::model::{Model, Params, Pass, Smooth};
use crate::problem::{Curvature, Evaluation, Problem};

/// `v ↦ Jᵀ ∇²ℓ(W) J v` at one point, with J the derivative of W: the Hessian without the part that the residual carries.
///
/// Made once at a point by [`GaussNewton::prepare`], then applied often; it allocates only where a product does.
#[derive(Clone, Debug, Default)]
pub struct GaussNewton {
    curvature: Curvature,
    evaluation: Evaluation,
    pass: Pass,
}

impl GaussNewton {
    /// Takes the curvature of the loss at the model.
    pub fn prepare(&mut self, problem: &Problem, model: &dyn Model) {
        let product = model.forward(&mut self.pass);
        problem.curvature(&product, &mut self.evaluation, &mut self.curvature);
    }

    /// `into ← Jᵀ C J along`, at the model that it was prepared at.
    pub fn multiply(
        &mut self,
        problem: &Problem,
        model: &dyn Smooth,
        along: &Params,
        into: &mut Params,
    ) {
        let Self { curvature, evaluation, pass } = self;
        problem.curve(curvature, &model.pushforward(along, pass), evaluation);
        model.pullback(&evaluation.cotangent, pass, into);
    }
}
