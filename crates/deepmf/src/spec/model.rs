//! How the matrix is written.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How the matrix is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Model {
    /// A product of matrices.
    DeepLinear(DeepLinear),
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
