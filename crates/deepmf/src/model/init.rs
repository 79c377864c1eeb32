//! Initialisations of a deep linear network.

use super::{DeepLinear, Model};
use crate::linalg::{Mat, Svd, random_orthogonal, svd};
use crate::random::{Purpose, RngExt, normal, stream};
use crate::{Error, Result};

/// How the layers start.
///
/// The initial scale a is ‖W(0)‖_F / √min(rows, cols), in expectation where layers are drawn independently.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// Independent entries N(0, σ²), one σ for all layers: σ = a^{1/N} n^{−1/2} if all widths are n
    /// (Arora et al. 2019).
    Gaussian {
        /// The initial scale a.
        scale: f64,
    },
    /// Independent entries uniform on [−√3 σ, √3 σ], with σ as for gaussian ones.
    Uniform {
        /// The initial scale a.
        scale: f64,
    },
    /// Every layer is a multiple of the (rectangular) identity, so that W(0) = a I: exactly balanced.
    Identity {
        /// The initial scale a.
        scale: f64,
    },
    /// Every layer is a multiple of a random matrix with orthonormal rows or columns: balanced.
    Orthogonal {
        /// The initial scale a.
        scale: f64,
    },
    /// A gaussian W(0), factored into balanced layers W_1 = S^{1/N} Vᵀ, …, W_N = U S^{1/N}.
    Balanced {
        /// The initial scale a.
        scale: f64,
    },
    /// A given W(0), of rank at most the smallest width, factored into balanced layers.
    BalancedFrom {
        /// W(0), rows × cols.
        matrix: Mat,
    },
    /// W(0) = a' U Vᵀ with the leading singular vectors of a surrogate of the truth, such as
    /// [`Problem::surrogate`](crate::problem::Problem::surrogate), as many as the smallest width (Kwon et al. 2024).
    Spectral {
        /// The initial scale a.
        scale: f64,
        /// The surrogate, rows × cols.
        surrogate: Mat,
    },
}

impl Init {
    /// Sets the layers of `model`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale that is not above 0 or a rank that does not fit the widths,
    /// [`Error::Shape`] for a matrix of another shape than W, [`Error::NotFinite`].
    pub fn fill(&self, model: &mut DeepLinear, seed: u64) -> Result<()> {
        let depth = model.depth();
        let widths = model.widths().to_vec();
        let (rows, cols) = model.shape();
        let side = rows.min(cols) as f64;
        let narrowest = widths.iter().copied().min().unwrap_or(1);
        if let Some(scale) = self.scale()
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::parameter("init-scale", "above 0", scale));
        }
        // The size of one layer when W(0) has `narrowest` equal singular values and Frobenius norm a √side.
        let layer_size =
            |scale: f64| (scale * (side / narrowest as f64).sqrt()).powf(1.0 / depth as f64);
        match self {
            Self::Gaussian { scale } | Self::Uniform { scale } => {
                let hidden: f64 = widths[1..depth].iter().map(|&d| (d as f64).ln()).sum();
                let log =
                    2.0 * scale.ln() + side.ln() - (rows as f64).ln() - (cols as f64).ln() - hidden;
                let sigma = (log / (2.0 * depth as f64)).exp();
                let uniform = matches!(self, Self::Uniform { .. });
                for j in 0..depth {
                    let mut random = stream(seed, Purpose::Init, j as u64);
                    let layer = Mat::from_fn(widths[j + 1], widths[j], |_, _| {
                        if uniform {
                            sigma * 3.0_f64.sqrt() * random.random_range(-1.0..=1.0)
                        } else {
                            sigma * normal(&mut random)
                        }
                    });
                    model.params_mut().set(j, &layer)?;
                }
                Ok(())
            }
            Self::Identity { scale } => {
                for j in 0..depth {
                    let layer = Mat::eye(widths[j + 1], widths[j]).scaled(layer_size(*scale));
                    model.params_mut().set(j, &layer)?;
                }
                Ok(())
            }
            Self::Orthogonal { scale } => {
                for j in 0..depth {
                    let mut random = stream(seed, Purpose::Init, j as u64);
                    let q = random_orthogonal(widths[j + 1], widths[j], &mut random);
                    model.params_mut().set(j, &q.scaled(layer_size(*scale)))?;
                }
                Ok(())
            }
            Self::Balanced { scale } => {
                let mut random = stream(seed, Purpose::Init, 0);
                let w = if narrowest < rows.min(cols) {
                    let left = Mat::from_fn(rows, narrowest, |_, _| normal(&mut random));
                    let right = Mat::from_fn(narrowest, cols, |_, _| normal(&mut random));
                    left.times(&right)
                } else {
                    Mat::from_fn(rows, cols, |_, _| normal(&mut random))
                };
                let factor = scale * side.sqrt() / w.frobenius();
                balance(model, &svd(w.scaled(factor).view())?, narrowest)
            }
            Self::BalancedFrom { matrix } => {
                expect_shape("the initial matrix", matrix, (rows, cols))?;
                let svd = svd(matrix.view())?;
                let rank = svd.s.iter().filter(|s| **s > 1e-12 * svd.s[0]).count();
                if rank > narrowest {
                    let allowed = format!("at most the smallest width {narrowest}");
                    return Err(Error::parameter("the rank of the initial matrix", allowed, rank));
                }
                balance(model, &svd, narrowest)
            }
            Self::Spectral { scale, surrogate } => {
                expect_shape("the surrogate", surrogate, (rows, cols))?;
                let mut svd = svd(surrogate.view())?;
                let size = scale * (side / narrowest as f64).sqrt();
                svd.s.iter_mut().enumerate().for_each(|(r, s)| {
                    *s = if r < narrowest { size } else { 0.0 };
                });
                balance(model, &svd, narrowest)
            }
        }
    }

    /// The initial scale a, where it is given.
    pub fn scale(&self) -> Option<f64> {
        match self {
            Self::Gaussian { scale }
            | Self::Uniform { scale }
            | Self::Identity { scale }
            | Self::Orthogonal { scale }
            | Self::Balanced { scale }
            | Self::Spectral { scale, .. } => Some(*scale),
            Self::BalancedFrom { .. } => None,
        }
    }
}

fn expect_shape(what: &str, matrix: &Mat, expected: (usize, usize)) -> Result<()> {
    let found = (matrix.rows(), matrix.cols());
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(what, crate::data::words(expected), crate::data::words(found)))
}

/// W_1 = S^{1/N} Vᵀ, W_j = S^{1/N}, W_N = U S^{1/N}, padded with zeros to the widths.
pub(super) fn balance(model: &mut DeepLinear, svd: &Svd, narrowest: usize) -> Result<()> {
    let depth = model.depth();
    let widths = model.widths().to_vec();
    let rank = narrowest.min(svd.s.len());
    let root: Vec<f64> = svd.s[..rank].iter().map(|s| s.powf(1.0 / depth as f64)).collect();
    for j in 0..depth {
        let layer = Mat::from_fn(widths[j + 1], widths[j], |a, b| match (j == 0, j + 1 == depth) {
            (true, true) => (0..rank).map(|r| svd.u[(a, r)] * root[r] * svd.v[(b, r)]).sum(),
            (true, false) if a < rank => root[a] * svd.v[(b, a)],
            (false, true) if b < rank => svd.u[(a, b)] * root[b],
            (false, false) if a == b && a < rank => root[a],
            _ => 0.0,
        });
        model.params_mut().set(j, &layer)?;
    }
    Ok(())
}
