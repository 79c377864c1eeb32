//! How neighbouring layers fit each other, and the gains along the path of the strongest signal.
//!
//! At flat minima a left singular vector of a layer is a right singular vector of the next one, and the path of the strongest signal
//! has gain σ₁^{j/N} after layer j (Mulayoff and Michaeli 2020).

use crate::linalg::{MatRef, norm, svd};
use crate::model::DeepLinear;
use crate::{Error, Result};

/// How a layer is coupled to the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coupling {
    /// |u_1ᵀ v_1| of the leading left singular vector of the layer and the leading right one of the next.
    pub leading: f64,
    /// The greatest |u_aᵀ v_b| over all singular vectors …
    pub greatest: f64,
    /// … and its a and b, counted from 0.
    pub pair: (usize, usize),
}

/// The couplings of `layers`, W_1 first: one for each of the N − 1 pairs of neighbours.
///
/// # Errors
/// [`Error::Shape`] if two neighbours do not fit, [`Error::NotFinite`].
pub fn layer_coupling(layers: &[MatRef<'_>]) -> Result<Vec<Coupling>> {
    let couple = |(j, pair): (usize, &[MatRef<'_>])| {
        let (width, found) = (pair[0].rows(), pair[1].cols());
        if width != found {
            let what = format!("layer {}", j + 2);
            return Err(Error::shape(what, format!("{width} columns"), found));
        }
        let (u, v) = (svd(pair[0])?.u, svd(pair[1])?.v);
        let inner = u.t().times(v.view());
        let mut coupling = Coupling { leading: inner[(0, 0)].abs(), greatest: 0.0, pair: (0, 0) };
        for b in 0..inner.cols() {
            for a in 0..inner.rows() {
                if inner[(a, b)].abs() > coupling.greatest {
                    (coupling.greatest, coupling.pair) = (inner[(a, b)].abs(), (a, b));
                }
            }
        }
        Ok(coupling)
    };
    layers.windows(2).enumerate().map(couple).collect()
}

/// ‖W_j … W_1 v_1‖ for j = 1 … N with the leading right singular vector v_1 of the product: the last one is σ₁.
///
/// # Errors
/// As [`DeepLinear::of_layers`].
pub fn path_gains(layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    let product = DeepLinear::of_layers(layers)?.product();
    let mut signal = svd(product.view())?.first(1).v;
    let pass = |layer: &MatRef<'_>| {
        signal = layer.times(signal.view());
        norm(signal.values())
    };
    Ok(layers.iter().map(pass).collect())
}

/// The greatest |g_j / σ₁^{j/N} − 1| of the [`path_gains`] g_j; 0 at the flattest minima.
///
/// # Errors
/// As [`path_gains`]; [`Error::Parameter`] for a product of zero.
pub fn gain_deviation(layers: &[MatRef<'_>]) -> Result<f64> {
    let gains = path_gains(layers)?;
    let largest = gains.last().copied().unwrap_or_default();
    if largest <= 0.0 {
        let what = "the largest singular value of the product";
        return Err(Error::parameter(what, "above 0", largest));
    }
    let even = |j: usize| largest.powf((j + 1) as f64 / gains.len() as f64);
    Ok(gains.iter().enumerate().map(|(j, g)| (g / even(j) - 1.0).abs()).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::linalg::Mat;

    #[test]
    fn balanced_layers_are_coupled_and_have_even_gains() {
        let target = data::with_spectrum((6, 5), &[8.0, 3.0, 1.0], false, 1).unwrap();
        let model = DeepLinear::balanced(&svd(target.view()).unwrap().first(3), 3).unwrap();
        let couplings = layer_coupling(&model.layers()).unwrap();
        assert!(couplings.len() == 2 && couplings.iter().all(|c| c.leading > 1.0 - 1e-12));
        let gains = path_gains(&model.layers()).unwrap();
        assert!(gains.iter().zip([2.0, 4.0, 8.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(gain_deviation(&model.layers()).unwrap() < 1e-12);
    }

    #[test]
    fn turned_layers_are_coupled_by_the_angle_between_them() {
        let (c, s) = (0.6, 0.8);
        let lower = Mat::from_columns(2, 2, vec![2.0, 0.0, 0.0, 1.0]);
        let upper = Mat::from_columns(2, 2, vec![3.0 * c, -s, 3.0 * s, c]);
        let couplings = layer_coupling(&[lower.view(), upper.view()]).unwrap();
        // The right singular vectors of the upper layer are (c, s) and (−s, c).
        assert!((couplings[0].leading - 0.6).abs() < 1e-14);
        assert!((couplings[0].greatest - 0.8).abs() < 1e-14);
        let (a, b) = couplings[0].pair;
        assert_ne!(a, b);
    }

    #[test]
    fn layers_that_do_not_fit_are_refused() {
        let (a, b) = (Mat::eye(2, 3), Mat::eye(2, 3));
        let error = layer_coupling(&[a.view(), b.view()]).unwrap_err();
        assert_eq!(error.to_string(), "layer 2 must have 2 columns, but it has 3");
        assert!(gain_deviation(&[Mat::zeros(2, 2).view()]).is_err());
    }
}
