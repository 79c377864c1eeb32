//! How the matrix is written.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How the matrix is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Model {
    /// A product of matrices.
    DeepLinear(DeepLinear),
    /// A product of matrices I + `A_j` with `A_j` = 0 at the start.
    Residual(Residual),
    /// A product of matrices from an orthogonal start, compressed to the directions that descent moves.
    Compressed(Compressed),
    /// A product of matrices that grows by one direction at a time.
    Greedy(Greedy),
}

/// A product of matrices, `W = W_N … W_1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeepLinear {
    /// Number of layers N; 3 if neither it nor `widths` is given.
    pub depth: Option<usize>,
    /// Width of the hidden layers; min(rows, columns) if neither it nor `widths` is given.
    pub width: Option<usize>,
    /// Widths of the hidden layers `d_1 … d_{N−1}` from the right, instead of `depth` and `width`.
    pub widths: Option<Vec<usize>>,
    /// How the layers start.
    pub init: Init,
    /// The sign that the determinant of W has at the start, if it matters: the first column changes sign if need be.
    pub determinant: Option<Sign>,
    /// Factors by which the layers are then multiplied, one each from the right: an imbalance.
    pub layer_scales: Option<Vec<f64>>,
    /// A step away from there, if wanted.
    pub perturb: Option<Perturb>,
}

/// A step away from a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Perturb {
    /// How far.
    pub size: f64,
    /// In which direction; `random`.
    #[serde(default)]
    pub along: Direction,
}

/// A direction of the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Uniform on the sphere.
    #[default]
    Random,
    /// The leading eigenvector of the Hessian.
    Sharpest,
}

/// A product of matrices I + `A_j` with `A_j` = 0 at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Residual {
    /// Number of layers N; 3 if neither it nor `widths` is given.
    pub depth: Option<usize>,
    /// Width of the hidden layers; min(rows, columns) if neither it nor `widths` is given.
    pub width: Option<usize>,
    /// Widths of the hidden layers `d_1 … d_{N−1}` from the right, instead of `depth` and `width`.
    pub widths: Option<Vec<usize>>,
}

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// Above 0.
    Positive,
    /// Below 0.
    Negative,
}

/// A product of matrices of width min(rows, columns) from the orthogonal start of the same seed, compressed to the
/// directions that a target of `rank` needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Compressed {
    /// Number of layers N of the network that is compressed; 3.
    #[serde(default = "compressed_depth")]
    pub depth: usize,
    /// The rank of the truth, or more.
    pub rank: usize,
    /// The initial scale a of the network that is compressed.
    pub scale: f64,
}

/// A product of matrices that grows by the leading singular pair of −∇ℓ whenever it has been trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Greedy {
    /// Number of layers N; 2.
    #[serde(default = "greedy_depth")]
    pub depth: usize,
    /// The size of a new direction in each layer; 1e-6.
    #[serde(default = "greedy_scale")]
    pub scale: f64,
    /// It is done when the leading singular value of ∇ℓ has fallen to this part of that at W = 0; 1e-4.
    #[serde(default = "greedy_tolerance")]
    pub tolerance: f64,
    /// The largest rank; min(rows, columns).
    pub ranks: Option<usize>,
}

fn compressed_depth() -> usize {
    3
}

fn greedy_depth() -> usize {
    2
}

fn greedy_scale() -> f64 {
    1e-6
}

fn greedy_tolerance() -> f64 {
    1e-4
}

/// How the layers start; a is the initial scale ‖W(0)‖_F / √min(rows, columns).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Init {
    /// Independent normal entries.
    Gaussian {
        /// The initial scale a.
        scale: f64,
    },
    /// Independent uniform entries.
    Uniform {
        /// The initial scale a.
        scale: f64,
    },
    /// Multiples of the identity.
    Identity {
        /// The initial scale a.
        scale: f64,
    },
    /// Multiples of random orthogonal matrices.
    Orthogonal {
        /// The initial scale a.
        scale: f64,
    },
    /// A gaussian W(0), factored into balanced layers.
    Balanced {
        /// The initial scale a.
        scale: f64,
    },
    /// A given W(0), factored into balanced layers.
    BalancedFrom {
        /// The file of W(0), seen from the folder of the experiment file.
        path: PathBuf,
    },
    /// The leading singular vectors of what is observed.
    Spectral {
        /// The initial scale a.
        scale: f64,
    },
}

impl Init {
    /// Its key.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gaussian { .. } => "gaussian",
            Self::Uniform { .. } => "uniform",
            Self::Identity { .. } => "identity",
            Self::Orthogonal { .. } => "orthogonal",
            Self::Balanced { .. } => "balanced",
            Self::BalancedFrom { .. } => "balanced-from",
            Self::Spectral { .. } => "spectral",
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
            | Self::Spectral { scale } => Some(*scale),
            Self::BalancedFrom { .. } => None,
        }
    }
}
