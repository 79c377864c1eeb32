//! Balancedness of layers: how far `W_{j+1}ᵀ W_{j+1}` is from `W_j W_jᵀ`.
//!
//! Gradient flow on the layers of `W = W_N … W_1` conserves these differences for every loss of W, so layers that
//! start balanced stay so (Arora, Cohen and Hazan 2018, "On the optimization of deep networks", Theorem 1).
//! Layers are counted from the right: `layers[0]` is `W_1`, of shape `d_1 × d_0`.

use crate::data::words;
use crate::linalg::{Accumulate, Mat, MatRef, eigen, multiply};
use crate::{Error, Result};

/// `‖W_{j+1}ᵀ W_{j+1} − W_j W_jᵀ‖_F` for j = 1 … N−1; empty for a single layer.
///
/// # Errors
/// [`Error::Shape`] if two neighbours do not fit.
pub fn balancedness_gap(layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    gaps(layers, |difference| Ok(difference.frobenius()))
}

/// The largest of [`balancedness_gap`]; 0 for a single layer.
///
/// # Errors
/// [`Error::Shape`] if two neighbours do not fit.
pub fn max_balancedness_gap(layers: &[MatRef<'_>]) -> Result<f64> {
    let gaps = balancedness_gap(layers)?;
    // f64::max alone would hide the NaN of a run that diverged.
    let diverged = gaps.iter().copied().find(|gap| gap.is_nan());
    Ok(diverged.unwrap_or_else(|| gaps.into_iter().fold(0.0, f64::max)))
}

/// `‖W_{j+1}ᵀ W_{j+1} − W_j W_jᵀ‖₂`, the largest absolute eigenvalue, for j = 1 … N−1.
///
/// # Errors
/// [`Error::Shape`] if two neighbours do not fit, [`Error::NotFinite`] if an entry is not finite.
pub fn spectral_balancedness_gap(layers: &[MatRef<'_>]) -> Result<Vec<f64>> {
    gaps(layers, |difference| {
        let values = eigen(difference.view())?.values;
        Ok(values.into_iter().fold(0.0, |m: f64, x| m.max(x.abs())))
    })
}

fn gaps(layers: &[MatRef<'_>], size: impl Fn(&Mat) -> Result<f64>) -> Result<Vec<f64>> {
    let pairs = layers.windows(2).enumerate();
    pairs.map(|(j, pair)| size(&difference(j + 1, pair[0], pair[1])?)).collect()
}

/// `W_{j+1}ᵀ W_{j+1} − W_j W_jᵀ`, of shape `d_j × d_j`.
fn difference(j: usize, lower: MatRef<'_>, upper: MatRef<'_>) -> Result<Mat> {
    let width = lower.rows();
    if upper.cols() != width {
        return Err(Error::shape(
            format!("layer {}", j + 1),
            words((upper.rows(), width)),
            words((upper.rows(), upper.cols())),
        ));
    }
    let mut out = Mat::zeros(width, width);
    multiply(out.view_mut(), Accumulate::Replace, 1.0, upper.t(), upper);
    multiply(out.view_mut(), Accumulate::Add, -1.0, lower, lower.t());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random_orthogonal;
    use crate::random::{Purpose, stream};

    #[test]
    fn layers_of_one_decomposition_are_balanced() {
        let mut random = stream(1, Purpose::Init, 0);
        let bases = [3, 5, 4].map(|d| random_orthogonal(d, d, &mut random));
        let diagonal = |rows, cols| {
            Mat::from_fn(
                rows,
                cols,
                |i, j| if i == j && i < 3 { 1.0 / (1.0 + i as f64) } else { 0.0 },
            )
        };
        let layer = |j: usize, rows, cols| {
            bases[j + 1].times(&diagonal(rows, cols)).view().times(bases[j].t())
        };
        let (first, second) = (layer(0, 5, 3), layer(1, 4, 5));
        assert!(max_balancedness_gap(&[first.view(), second.view()]).unwrap() < 1e-14);
    }

    #[test]
    fn the_gaps_of_scalar_layers_are_differences_of_squares() {
        let layers = [1.0, 3.0, 2.0].map(|x| Mat::from_columns(1, 1, vec![x]));
        let views: Vec<_> = layers.iter().map(Mat::view).collect();
        for gaps in [balancedness_gap(&views), spectral_balancedness_gap(&views)] {
            let gaps = gaps.unwrap();
            assert!((gaps[0] - 8.0).abs() < 1e-14 && (gaps[1] - 5.0).abs() < 1e-14, "{gaps:?}");
        }
        assert!((max_balancedness_gap(&views).unwrap() - 8.0).abs() < 1e-14);
    }

    #[test]
    fn both_norms_of_a_diagonal_gap_are_as_by_hand() {
        let lower = Mat::zeros(2, 2);
        let upper = Mat::from_columns(2, 2, vec![2.0, 0.0, 0.0, 3.0_f64.sqrt()]);
        let layers = [lower.view(), upper.view()];
        assert!((balancedness_gap(&layers).unwrap()[0] - 5.0).abs() < 1e-14);
        assert!((spectral_balancedness_gap(&layers).unwrap()[0] - 4.0).abs() < 1e-14);
    }

    #[test]
    fn a_single_layer_is_balanced() {
        let layer = Mat::eye(2, 3);
        assert!(balancedness_gap(&[layer.view()]).unwrap().is_empty());
        assert!(max_balancedness_gap(&[layer.view()]).unwrap() <= 0.0);
    }

    #[test]
    fn a_layer_that_diverged_is_not_called_balanced() {
        let mut layer = Mat::eye(2, 2);
        layer[(1, 1)] = f64::NAN;
        let (other, last) = (Mat::eye(2, 2), Mat::eye(2, 2).scaled(3.0));
        let views = [layer.view(), other.view(), last.view()];
        assert!(max_balancedness_gap(&views).unwrap().is_nan());
    }

    #[test]
    fn a_layer_that_does_not_fit_is_named() {
        let layers = [Mat::eye(3, 2), Mat::eye(4, 3), Mat::eye(2, 5)];
        let views: Vec<_> = layers.iter().map(Mat::view).collect();
        assert_eq!(
            balancedness_gap(&views).unwrap_err().to_string(),
            "layer 3 must have shape (2, 4), but it has (2, 5)"
        );
    }
}
