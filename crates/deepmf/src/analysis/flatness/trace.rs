//! The trace of the Hessian with respect to the layers, in closed form, and its gradient.

use crate::analysis::chains::{Chains, add, must_fit, weights};
use crate::linalg::{Mat, MatRef, axpy, dot, sum_of_squares};
use crate::model::Params;
use crate::problem::Problem;
use crate::{Error, Result};

/// tr H of the loss with respect to the layers of W = W_N … W_1, W_1 first: Σᵢ cᵢ Σ_j ‖L_jᵀ Aᵢ R_jᵀ‖_F² with the second
/// derivatives cᵢ of the loss (2c for a loss c · Σ r²), L_j = W_N … W_{j+1} and R_j = W_{j−1} … W_1.
///
/// It holds at every point, not only at a minimum: W is affine in each single layer, so the part of H that the residual carries has
/// zeros on its diagonal blocks. For a mask it costs the products and N numbers an entry. (Gatmiry et al. 2023.)
///
/// # Errors
/// [`Error::Parameter`] without layers, [`Error::Shape`] if they do not fit each other or the problem, [`Error::NotFinite`].
pub fn hessian_trace(problem: &Problem, layers: &[MatRef<'_>]) -> Result<f64> {
    let trace: f64 = layer_traces(problem, layers)?.iter().sum();
    if trace.is_finite() {
        return Ok(trace);
    }
    Err(Error::NotFinite { what: "the trace of the Hessian".into(), found: trace })
}

/// The traces of the diagonal blocks of H, one a layer, W_1 first; [`hessian_trace`] is their sum.
///
/// # Errors
/// As [`hessian_trace`].
pub fn layer_traces(problem: &Problem, layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    must_fit(problem, layers)?;
    let (weights, chains) = (weights(problem, layers), Chains::new(layers));
    let block = |j| {
        let terms = problem.terms().iter().zip(&weights);
        terms.map(|(t, w)| t.observation.block_trace(w, chains.left(j), chains.right(j))).sum()
    };
    Ok((1..=layers.len()).map(block).collect())
}

/// The trace for isotropic measurements: Σᵢ cᵢ ‖Aᵢ‖² / (rows · cols) times Σ_j ‖L_j‖_F² ‖R_j‖_F².
///
/// Under a restricted isometry it is near [`hessian_trace`]; where every entry is seen, equal.
///
/// # Errors
/// As [`hessian_trace`].
pub fn isotropic_trace(problem: &Problem, layers: &[MatRef<'_>]) -> Result<f64> {
    must_fit(problem, layers)?;
    let ((rows, cols), chains) = (problem.shape(), Chains::new(layers));
    let block = |j| square(chains.left(j), rows) * square(chains.right(j), cols);
    Ok(isotropic_scale(problem, layers) * (1..=layers.len()).map(block).sum::<f64>())
}

/// Writes ∇ tr H, the gradient of [`hessian_trace`] with respect to the layers, to the first matrices of `into`, and gives tr H.
///
/// The second derivatives of the loss count as constants, which they are for squared losses and almost everywhere for Huber's.
///
/// # Errors
/// As [`hessian_trace`], and [`Error::Shape`] if `into` has not the form of the layers.
pub fn hessian_trace_gradient(
    problem: &Problem,
    layers: &[MatRef<'_>],
    into: &mut Params,
) -> Result<f64> {
    must_fit(problem, layers)?;
    must_have_form(layers, into)?;
    let (weights, chains) = (weights(problem, layers), Chains::new(layers));
    let terms = || problem.terms().iter().zip(&weights);
    let mut trace = terms()
        .map(|(t, w)| t.observation.block_trace(w, None, chains.right(layers.len())))
        .sum::<f64>();
    back_propagate(
        layers,
        &chains,
        into,
        |j, left| {
            let own = sum(terms().map(|(t, w)| t.observation.left_slope(w, left, chains.right(j))));
            trace += dot(own.values(), left.to_mat().values());
            own
        },
        |j, right| sum(terms().map(|(t, w)| t.observation.right_slope(w, chains.left(j), right))),
    );
    Ok(trace)
}

/// As [`hessian_trace_gradient`], of [`isotropic_trace`].
///
/// # Errors
/// As [`hessian_trace_gradient`].
pub fn isotropic_trace_gradient(
    problem: &Problem,
    layers: &[MatRef<'_>],
    into: &mut Params,
) -> Result<f64> {
    must_fit(problem, layers)?;
    must_have_form(layers, into)?;
    let ((rows, cols), chains) = (problem.shape(), Chains::new(layers));
    let scale = isotropic_scale(problem, layers);
    back_propagate(
        layers,
        &chains,
        into,
        |j, left| left.to_mat().scaled(scale * square(chains.right(j), cols)),
        |j, right| right.to_mat().scaled(scale * square(chains.left(j), rows)),
    );
    isotropic_trace(problem, layers)
}

/// Writes the gradient of T with respect to the layers from half its derivatives with respect to every L_jᵀ and R_j: L_{j−1} = L_j W_j and
/// R_{j+1} = W_j R_j carry them from layer to layer.
fn back_propagate(
    layers: &[MatRef<'_>],
    chains: &Chains,
    into: &mut Params,
    mut to_left: impl FnMut(usize, MatRef<'_>) -> Mat,
    to_right: impl Fn(usize, MatRef<'_>) -> Mat,
) {
    into.values_mut().fill(0.0);
    let depth = layers.len();
    // λ = dT/dL_{j−1}, transposed.
    let mut lambda: Option<Mat> = None;
    for j in 1..=depth {
        if let Some(lambda) = &lambda {
            match chains.left(j) {
                Some(left) => add(into.matrix_mut(j - 1), left, lambda.t()),
                None => add_to(into, j - 1, lambda.t()),
            }
        }
        let Some(left) = chains.left(j) else { break };
        let mut next = to_left(j, left).scaled(2.0);
        if let Some(lambda) = &lambda {
            add(next.view_mut(), layers[j - 1], lambda.view());
        }
        lambda = Some(next);
    }
    // μ = dT/dR_{j+1}.
    let mut mu: Option<Mat> = None;
    for j in (1..=depth).rev() {
        if let Some(mu) = &mu {
            match chains.right(j) {
                Some(right) => add(into.matrix_mut(j - 1), mu.view(), right.t()),
                None => add_to(into, j - 1, mu.view()),
            }
        }
        let Some(right) = chains.right(j) else { break };
        let mut next = to_right(j, right).scaled(2.0);
        if let Some(mu) = &mu {
            add(next.view_mut(), layers[j - 1].t(), mu.view());
        }
        mu = Some(next);
    }
}

fn must_have_form(layers: &[MatRef<'_>], into: &Params) -> Result<()> {
    let fits = into.slots().len() == layers.len()
        && into.slots().iter().zip(layers).all(|(s, w)| (s.rows, s.cols) == (w.rows(), w.cols()));
    if fits {
        return Ok(());
    }
    Err(Error::shape("the gradient", "the form of the layers", "another form"))
}

/// Σᵢ cᵢ ‖Aᵢ‖² / (rows · cols).
fn isotropic_scale(problem: &Problem, layers: &[MatRef<'_>]) -> f64 {
    let (rows, cols) = problem.shape();
    let weights = weights(problem, layers);
    let terms = problem.terms().iter().zip(&weights);
    let sum: f64 = terms.map(|(term, w)| term.observation.block_trace(w, None, None)).sum();
    sum / (rows as f64 * cols as f64)
}

/// ‖factor‖_F², that of the identity where there is none.
fn square(factor: Option<MatRef<'_>>, side: usize) -> f64 {
    factor.map_or(side as f64, |factor| sum_of_squares(factor.stored().0))
}

fn add_to(into: &mut Params, place: usize, part: MatRef<'_>) {
    let mut out = into.matrix_mut(place);
    let one = Mat::eye(part.cols(), part.cols());
    add(out.reborrow(), part, one.view());
}

pub(super) fn sum(mut parts: impl Iterator<Item = Mat>) -> Mat {
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        axpy(1.0, part.values(), total.values_mut());
    }
    total
}
