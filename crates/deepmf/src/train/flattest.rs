//! The flattest factorization of a matrix: the least trace of the Hessian over all layers with one product.

use super::StopReason;
use crate::analysis::chains::{Chains, must_fit, weights};
use crate::analysis::{hessian_trace, numerical_rank};
use crate::linalg::{Mat, MatRef, axpy, eigen, svd};
use crate::model::{DeepLinear, Model};
use crate::problem::Problem;
use crate::{Error, Result};

/// Searches the factorization W_N … W_1 = M of least trace of the Hessian.
///
/// Between neighbours any invertible P may stand, W_j → P W_j and W_{j+1} → W_{j+1} P^{−1}: only the blocks of these two layers change, to
/// tr(S C) + tr(S^{−1} B) with S = PᵀP, and the best S is the geometric mean of C^{−1} and B. Sweeps over j with this exact step never
/// raise the trace, and in S the problem is convex along geodesics, so that they end at the least one. A width of rank M is enough:
/// what stands beside the ranges that M needs only adds to the trace.
///
/// ```
/// use deepmf::analysis::{hessian_trace, induced_trace};
/// use deepmf::data;
/// use deepmf::problem::{Constant, Problem};
/// use deepmf::train::Flattest;
///
/// let m = data::low_rank((8, 6), 2, 0)?;
/// let problem = Problem::full(&m, Constant::Sum)?;
/// let found = Flattest::new(1e-12)?.fit(&problem, m.view(), 3)?;
/// let least = induced_trace(&problem, m.view(), 3)?.unwrap(); // known here: every entry is seen
/// assert!((found.trace / least - 1.0).abs() < 1e-8);
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flattest {
    tolerance: f64,
    sweeps: usize,
}

/// What [`Flattest`] found.
#[derive(Clone, Debug)]
pub struct Flat {
    /// The layers, as wide as M has rank.
    pub model: DeepLinear,
    /// Their trace.
    pub trace: f64,
    /// Sweeps made.
    pub sweeps: usize,
    /// [`StopReason::ObjectiveSettled`] or [`StopReason::StepsDone`].
    pub reason: StopReason,
}

/// Eigenvalues below this part of the largest count as this part: what is not seen could be moved for ever.
const FLOOR: f64 = 1e-13;

impl Flattest {
    /// Ends when a sweep lowers the trace by no more than a part `tolerance`, or after 10,000 sweeps.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `tolerance` is not above 0.
    pub fn new(tolerance: f64) -> Result<Self> {
        super::optimizer::must_be_positive("tolerance", tolerance)?;
        Ok(Self { tolerance, sweeps: 10_000 })
    }

    /// Ends after so many sweeps at the latest.
    #[must_use]
    pub fn sweeps(self, sweeps: usize) -> Self {
        Self { sweeps, ..self }
    }

    /// Searches from balanced layers.
    ///
    /// # Errors
    /// [`Error::Shape`] if `product` has not the shape of the problem, [`Error::Parameter`] if it is zero or the depth is; [`Error::NotFinite`].
    pub fn fit(&self, problem: &Problem, product: MatRef<'_>, depth: usize) -> Result<Flat> {
        must_fit(problem, &[product])?;
        let weights = weights(problem, &[product]);
        let svd = svd(product)?;
        let largest = svd.s.first().copied().unwrap_or_default();
        if largest <= 0.0 {
            let what = "the largest singular value of the product";
            return Err(Error::parameter(what, "above 0", largest));
        }
        let rank = numerical_rank(&svd.s, 1e-12);
        let mut model = DeepLinear::balanced(&svd.first(rank), depth)?;
        let mut trace = hessian_trace(problem, &model.layers())?;
        let (mut sweeps, mut reason) = (0, StopReason::StepsDone);
        while sweeps < self.sweeps {
            for j in 1..depth {
                turn(problem, &weights, &mut model, j)?;
            }
            sweeps += 1;
            let next = hessian_trace(problem, &model.layers())?;
            let fall = trace - next;
            trace = next;
            if fall <= self.tolerance * trace {
                reason = StopReason::ObjectiveSettled;
                break;
            }
        }
        Ok(Flat { model, trace, sweeps, reason })
    }
}

/// Puts the best P between layers j and j + 1.
fn turn(problem: &Problem, weights: &[Vec<f64>], model: &mut DeepLinear, j: usize) -> Result<()> {
    let chains = Chains::new(&model.layers());
    let (Some(left), Some(right)) = (chains.left(j), chains.right(j + 1)) else { return Ok(()) };
    let (mut b, mut c) =
        (Mat::zeros(left.rows(), left.rows()), Mat::zeros(left.rows(), left.rows()));
    for (term, w) in problem.terms().iter().zip(weights) {
        let to_left = term.observation.left_slope(w, left, chains.right(j));
        axpy(1.0, to_left.view().times(left.t()).values(), b.values_mut());
        let to_right = term.observation.right_slope(w, chains.left(j + 1), right);
        axpy(1.0, to_right.view().times(right.t()).values(), c.values_mut());
    }
    // P = D^{1/4} Uᵀ C^{−1/2} with C^{1/2} B C^{1/2} = U D Uᵀ has PᵀP the geometric mean.
    let c = eigen(c.view())?;
    let above = floor(&c.values);
    let (root, inverse) = (c.map(|v| v.max(above).sqrt()), c.map(|v| 1.0 / v.max(above).sqrt()));
    let core = eigen(root.times(&b).times(&root).view())?;
    let turned = |x: f64| {
        let (u, above) = (&core.vectors, floor(&core.values));
        let power = |r: usize| core.values[r].max(above).powf(x);
        Mat::from_fn(u.rows(), u.cols(), |i, r| u[(i, r)] * power(r))
    };
    let (ahead, back) = (turned(0.25), root.times(&turned(-0.25)));
    let lower = ahead.t().times(inverse.times(&model.layer(j - 1).to_mat()).view());
    let upper = model.layer(j).times(back.view());
    model.params_mut().set(j - 1, &lower)?;
    model.params_mut().set(j, &upper)
}

/// The least that an eigenvalue counts as.
fn floor(values: &[f64]) -> f64 {
    FLOOR * values.iter().fold(f64::MIN_POSITIVE, |m: f64, v| m.max(*v))
}
