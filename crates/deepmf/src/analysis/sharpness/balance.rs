//! Which minima are flat, and by which layer the others are not.

use super::bounds::{norms, sharpness_minimum, spectral_norm};
use super::sharpness;
use crate::analysis::chains::{Chains, network, weights};
use crate::linalg::MatRef;
use crate::problem::Problem;
use crate::{Error, Result};

/// ‖L_j‖₂ ‖R_j‖₂ / σ₁^{1−1/N} for j = 1 … N, with the largest singular value σ₁ of the product. All ones (or less: never all less) is enough for
/// a minimum to be the flattest where every entry is seen, at depth 2 and for scalars also necessary: there the layer furthest above 1 is the one
/// that is in excess of its share (Kamber and Parhi 2025). The constant is part of it: equal spectral norms above it are not flat.
///
/// # Errors
/// [`Error::Parameter`] without layers or for a product of zero, [`Error::Shape`] if neighbours do not fit, [`Error::NotFinite`].
pub fn spectral_balance(layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    let product = crate::model::DeepLinear::of_layers(layers)?.product();
    let largest = spectral_norm(product.view())?;
    if largest <= 0.0 {
        let what = "the largest singular value of the product";
        return Err(Error::parameter(what, "above 0", largest));
    }
    let share = largest.powf(1.0 - 1.0 / layers.len() as f64);
    Ok(norms(&Chains::new(layers))?.iter().map(|(l, r)| l * r / share).collect())
}

/// ‖W_j‖_F divided by the geometric mean over all layers, j = 1 … N. Balanced layers have ones; flat minima need not.
///
/// # Errors
/// [`Error::Parameter`] without layers or if one is zero.
pub fn frobenius_balance(layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    let norms: Vec<f64> = layers.iter().map(|layer| layer.to_mat().frobenius()).collect();
    if norms.is_empty() {
        return Err(Error::parameter("the number of layers", "1 or more", 0));
    }
    if let Some(&found) = norms.iter().find(|norm| **norm <= 0.0) {
        return Err(Error::parameter("the norm of every layer", "above 0", found));
    }
    let mean = norms.iter().map(|norm| norm.ln()).sum::<f64>() / norms.len() as f64;
    Ok(norms.iter().map(|norm| norm / mean.exp()).collect())
}

/// The layer, counted from 1, whose number in a [`spectral_balance`] or a [`frobenius_balance`] is furthest from 1 by factor, with that number; none if
/// all are within a part `tolerance` of 1.
pub fn unbalanced_layer(balance: &[f64], tolerance: f64) -> Option<(usize, f64)> {
    let excess = balance.iter().map(|x| x.max(1.0 / x)).enumerate();
    let (place, most) = excess.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (most > 1.0 + tolerance).then(|| (place + 1, balance[place]))
}

/// Whether the layers are a flattest minimum of a problem that sees every entry with one weight: whether the sharpness is within a part
/// `tolerance` of [`sharpness_minimum`]. Layers that are no minimum are not flat.
///
/// # Errors
/// As [`sharpness`]; [`Error::Parameter`] for another problem.
pub fn is_flat(problem: &Problem, layers: &[MatRef<'_>], tolerance: f64) -> Result<bool> {
    if least_sharpness(problem, layers)?.is_none() {
        return Err(Error::parameter("a problem of flat minima", "seen in every entry", "another"));
    }
    Ok(flatness_gap(problem, layers)?.is_some_and(|gap| gap <= 1.0 + tolerance))
}

/// The sharpness over [`sharpness_minimum`] of the product, at a minimum where every entry is seen with one weight; else none. 1 at the flattest minima.
///
/// # Errors
/// As [`sharpness`].
pub fn flatness_gap(problem: &Problem, layers: &[MatRef<'_>]) -> Result<Option<f64>> {
    let Some(minimum) = least_sharpness(problem, layers)? else { return Ok(None) };
    let found = sharpness(problem, layers, 1e-9)?;
    Ok(found.at_minimizer.then(|| if minimum > 0.0 { found.value / minimum } else { 1.0 }))
}

/// [`sharpness_minimum`] of the product of the layers, where every entry is seen with one weight.
///
/// # Errors
/// As [`sharpness`].
pub fn least_sharpness(problem: &Problem, layers: &[MatRef<'_>]) -> Result<Option<f64>> {
    let model = network(problem, layers)?;
    let [term] = problem.terms() else { return Ok(None) };
    let weights = weights(problem, layers).remove(0);
    if !term.observation.sees_all() || weights.iter().any(|w| *w != weights[0]) {
        return Ok(None);
    }
    let largest = spectral_norm(model.product().view())?;
    Ok(Some(sharpness_minimum(largest, layers.len(), weights[0])))
}
