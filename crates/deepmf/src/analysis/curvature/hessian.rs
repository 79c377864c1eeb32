//! The Hessian of a loss with respect to the parameters, as an operator.

use super::GaussNewton;
use crate::linalg::{Eigenvalue, End, axpy, extreme_eigenvalue, normal_vector};
use crate::model::{Model, Params, Pass, Smooth};
use crate::problem::{Evaluation, Problem};
use crate::product::Cotangent;
use crate::{Error, Result};

/// Which second derivatives an operator carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All: H = Jᵀ ∇²ℓ J + Σ G ∂²W.
    Full,
    /// Jᵀ ∇²ℓ J alone, which is all where the gradient G with respect to W is zero, and never negative for a convex loss.
    GaussNewton,
}

/// H v = Jᵀ ∇²ℓ (J v) + (D Jᵀ\[v\]) G at one point: of any smooth model on any problem, never a matrix.
///
/// ```
/// use deepmf::analysis::{Hessian, Kind, extreme_curvature};
/// use deepmf::linalg::{End, Mat};
/// use deepmf::model::{DeepLinear, Init};
/// use deepmf::problem::{Constant, Problem};
///
/// // W = W_2 W_1 with both layers the identity fits the identity: λ_max = 2 (‖W_1‖₂² + ‖W_2‖₂²) = 4.
/// let problem = Problem::full(&Mat::eye(3, 3), Constant::Sum)?;
/// let model = DeepLinear::new(&[3, 3, 3])?.init(&Init::Identity { scale: 1.0 }, 0)?;
/// let mut hessian = Hessian::new(&problem, &model, Kind::Full)?;
/// let largest = extreme_curvature(&mut hessian, End::Largest, 1e-10)?;
/// assert!((largest.value - 4.0).abs() < 1e-9);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub struct Hessian<'a> {
    problem: &'a Problem,
    model: &'a dyn Smooth,
    kind: Kind,
    block: Option<usize>,
    core: GaussNewton,
    gradient: Cotangent,
    pass: Pass,
    along: Params,
    into: Params,
    products: usize,
}

impl<'a> Hessian<'a> {
    /// The operator at the model as it is.
    ///
    /// # Errors
    /// [`Error::Shape`] if model and problem differ in shape; [`Error::Parameter`] if the model has no second derivatives;
    /// [`Error::NotFinite`] if the loss is not finite.
    pub fn new(problem: &'a Problem, model: &'a dyn Model, kind: Kind) -> Result<Self> {
        let (expected, found) = (problem.shape(), model.shape());
        if expected != found {
            let words = crate::data::words;
            return Err(Error::shape("the model", words(expected), words(found)));
        }
        problem.must_be_separable()?;
        let Some(smooth) = model.smooth() else {
            let what = "the model whose curvature is asked for";
            return Err(Error::parameter(what, "one with second derivatives", "without them"));
        };
        let (mut pass, mut evaluation) = (Pass::default(), Evaluation::default());
        let loss = problem.evaluate(&model.forward(&mut pass), &mut evaluation);
        if !loss.is_finite() {
            return Err(Error::NotFinite { what: "the loss".into(), found: loss });
        }
        let mut core = GaussNewton::default();
        core.prepare(problem, model);
        let (along, into) = (model.params().zeros_like(), model.params().zeros_like());
        let gradient = evaluation.cotangent;
        let (block, products) = (None, 0);
        let model = smooth;
        Ok(Self { problem, model, kind, block, core, gradient, pass, along, into, products })
    }

    /// The diagonal block of one matrix among the parameters, counted from 0: `layers[0]` is W_1.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is no such matrix.
    pub fn block(self, place: usize) -> Result<Self> {
        let count = self.along.slots().len();
        if place >= count {
            let expected = format!("below {count}");
            return Err(Error::parameter("the place of a layer", expected, place));
        }
        Ok(Self { block: Some(place), ..self })
    }

    /// The side of the operator: parameters of the model, or of one block.
    pub fn size(&self) -> usize {
        own(&self.along, self.block).len()
    }

    /// Products made so far.
    pub fn products(&self) -> usize {
        self.products
    }

    /// `out ← H x`, in the order in which [`Params`] stores numbers.
    ///
    /// # Panics
    /// If `x` or `out` has not [`Hessian::size`] numbers.
    pub fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        self.products += 1;
        match self.block {
            Some(place) => self.along.stored_mut(place).copy_from_slice(x),
            None => self.along.values_mut().copy_from_slice(x),
        }
        self.core.multiply(self.problem, self.model, &self.along, &mut self.into);
        let Self { model, block, kind, along, gradient, pass, into, .. } = self;
        out.copy_from_slice(own(into, *block));
        if *kind == Kind::Full {
            model.pullback_along(along, gradient, pass, into);
            axpy(1.0, own(into, *block), out);
        }
    }
}

/// The numbers of one block, or all.
fn own(params: &Params, block: Option<usize>) -> &[f64] {
    block.map_or(params.values(), |place| params.stored(place))
}

/// One end of the spectrum of a Hessian, to a residual of `tolerance` times its size, from a seeded start.
///
/// # Errors
/// [`Error::NotFinite`] if a product is not finite.
pub fn extreme_curvature(
    hessian: &mut Hessian<'_>,
    end: End,
    tolerance: f64,
) -> Result<Eigenvalue> {
    let start = normal_vector(hessian.size(), 0, 0);
    extreme_eigenvalue(&mut |x, out| hessian.apply(x, out), &start, end, tolerance)
}
