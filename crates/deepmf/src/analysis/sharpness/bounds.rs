//! Closed forms and bounds of the sharpness.

use crate::analysis::chains::{Chains, must_fit, weights};
use crate::linalg::{
    End, Mat, MatRef, extreme_eigenvalue, leading_singular, normal_vector, singular_values,
};
use crate::model::DeepLinear;
use crate::problem::Problem;
use crate::product::Product;
use crate::{Error, Result};

/// Sides up to which the full decomposition is faster than the leading value alone.
const FULL_UP_TO: usize = 64;

/// ‖A‖₂.
pub(super) fn spectral_norm(a: MatRef<'_>) -> Result<f64> {
    if a.rows().min(a.cols()) <= FULL_UP_TO {
        return Ok(singular_values(a)?.first().copied().unwrap_or_default());
    }
    Ok(leading_singular(&Product::Dense(a), 1)?.first().copied().unwrap_or_default())
}

/// ‖L_j‖₂ and ‖R_j‖₂ for j = 1 … N.
pub(super) fn norms(chains: &Chains) -> Result<Vec<(f64, f64)>> {
    let size = |factor: Option<MatRef<'_>>| factor.map_or(Ok(1.0), spectral_norm);
    (1..=chains.depth()).map(|j| Ok((size(chains.left(j))?, size(chains.right(j))?))).collect()
}

/// λ_max = c (‖W_1‖₂² + ‖W_2‖₂²) at a minimum of depth 2 where every entry is seen, with the second derivative c of the loss (2 for a
/// loss Σ r²): the Kronecker sum of two Gram matrices (Kamber and Parhi 2025).
///
/// # Errors
/// [`Error::NotFinite`].
pub fn two_layer_sharpness(first: MatRef<'_>, second: MatRef<'_>, curvature: f64) -> Result<f64> {
    Ok(curvature * (spectral_norm(first)?.powi(2) + spectral_norm(second)?.powi(2)))
}

/// λ_max = tr H = c Σ_j ‖L_j‖² ‖R_j‖² at a minimum of a scalar factorization (one row, one column, any hidden widths): the Hessian has
/// rank one (Kamber and Parhi 2025).
///
/// # Errors
/// [`Error::Shape`] if the product is not a scalar or neighbours do not fit.
pub fn scalar_sharpness(layers: &[MatRef<'_>], curvature: f64) -> Result<f64> {
    DeepLinear::must_chain(layers)?;
    let found = (layers[layers.len() - 1].rows(), layers[0].cols());
    if found != (1, 1) {
        let words = crate::data::words;
        return Err(Error::shape("the product of the layers", words((1, 1)), words(found)));
    }
    let chains = Chains::new(layers);
    let square =
        |factor: Option<MatRef<'_>>| factor.map_or(1.0, |f| f.to_mat().frobenius().powi(2));
    let terms = (1..=layers.len()).map(|j| square(chains.left(j)) * square(chains.right(j)));
    Ok(curvature * terms.sum::<f64>())
}

/// c N σ₁^{2−2/N}: the least sharpness of all minima whose product has the largest singular value σ₁, where every entry is seen, with the
/// second derivative c of the loss. Balanced factorizations attain it (Mulayoff and Michaeli 2020; Kamber and Parhi 2025).
pub fn sharpness_minimum(largest: f64, depth: usize, curvature: f64) -> f64 {
    let n = depth as f64;
    curvature * n * largest.powf(2.0 - 2.0 / n)
}

/// ‖A‖² max cᵢ Σ_j ‖L_j‖₂² ‖R_j‖₂²: no sharpness of a minimum is above it. From depth 3 on it is a bound and not the value, which it is only
/// where the leading singular directions of all layers are aligned.
///
/// # Errors
/// As [`hessian_trace`](crate::analysis::hessian_trace).
pub fn sharpness_upper_bound(problem: &Problem, layers: &[MatRef<'_>]) -> Result<f64> {
    must_fit(problem, layers)?;
    let sum: f64 = norms(&Chains::new(layers))?.iter().map(|(l, r)| (l * r).powi(2)).sum();
    let mut scale = 0.0;
    for (term, weights) in problem.terms().iter().zip(weights(problem, layers)) {
        let largest = weights.iter().copied().fold(0.0, f64::max);
        scale += largest * observation_norm(term.observation.as_ref())?;
    }
    Ok(scale * sum)
}

/// ‖A A*‖₂, by Lanczos; 1 where every measurement sees a cell of its own.
fn observation_norm(observation: &dyn crate::problem::Observation) -> Result<f64> {
    let count = observation.len();
    let start = normal_vector(count, 0, 0);
    let apply = &mut |x: &[f64], out: &mut [f64]| observation.gram(x, out);
    let found = extreme_eigenvalue(apply, &start, End::Largest, 1e-8)?;
    Ok(found.value + found.residual)
}

/// A lower bound of the sharpness of every minimum of `depth` layers with this product, whatever is seen of it: at a minimum λ_max is at least
/// Σ_j ‖L_jᵀ Z R_jᵀ‖² for every Z = A*(√c z) of a unit z, and that at least N ‖(ZᵀM)^{N−1} Zᵀ‖ to the power 2/N in the
/// Schatten quasi-norm of order 2/N, of which the leading singular value is taken here, for the z along what is seen of the leading singular pair. Where every entry
/// is seen it is [`sharpness_minimum`], and attained.
///
/// # Errors
/// [`Error::Shape`] if `product` has not the shape of the problem, [`Error::NotFinite`].
pub fn sharpness_lower_bound(problem: &Problem, product: MatRef<'_>, depth: usize) -> Result<f64> {
    must_fit(problem, &[product])?;
    let weights = weights(problem, &[product]);
    let leading = crate::linalg::leading_svd(&Product::Dense(product), 1, 1e-10)?;
    if leading.s.first().is_none_or(|&s| s <= 0.0) {
        return Ok(0.0);
    }
    let (u, v) = (leading.u.view(), leading.v.view());
    let direction = u.times(v.t());
    let mut images: Vec<Vec<f64>> = Vec::new();
    for (term, weights) in problem.terms().iter().zip(&weights) {
        let mut seen = vec![0.0; weights.len()];
        term.observation.apply(&Product::Dense(direction.view()), &mut Mat::default(), &mut seen);
        seen.iter_mut().zip(weights).for_each(|(seen, w)| *seen *= w.sqrt());
        images.push(seen);
    }
    let length = images.iter().flatten().map(|x| x * x).sum::<f64>().sqrt();
    if length == 0.0 {
        return Ok(0.0);
    }
    let mut back = crate::product::Cotangent::default();
    back.clear(problem.shape());
    for ((term, weights), image) in problem.terms().iter().zip(&weights).zip(&images) {
        let turned: Vec<f64> =
            image.iter().zip(weights).map(|(x, w)| x * w.sqrt() / length).collect();
        term.observation.adjoint(&turned, &mut back);
    }
    let back = back.to_dense().t().to_mat();
    let turned = back.view().times(product);
    let chain = (1..depth).fold(back, |chain, _| turned.times(&chain));
    let n = depth as f64;
    // The other singular values only add; where they are rounding, their roots are not small.
    Ok(n * spectral_norm(chain.view())?.powf(2.0 / n))
}
