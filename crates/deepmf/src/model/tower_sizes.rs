//! How wide two towers are, and the networks that this makes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::layer::{BatchNorm, Dense, Dropout, Layer, Network, Relu, SparseDense};
use crate::Result;
use crate::data::Shape;
use crate::linalg::Real;

/// The sizes of both towers; as published by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TowerSizes {
    /// Widths of the hidden layers, each with batch norm, rectifier and dropout.
    pub hidden: Vec<usize>,
    /// Length of what a tower gives.
    pub embedding: usize,
    /// The probability with which dropout keeps a number (0.1 on MovieLens 100K, 0.2 on 1M).
    pub keep: f64,
    /// The least share of its known entries that a sample shows in training: each step draws between it and 1. As published all are shown, the entry that
    /// is to be predicted among them; towers that saw less of the known rows say more of new ones.
    pub shown: f64,
}

impl Default for TowerSizes {
    fn default() -> Self {
        Self { hidden: vec![2048], embedding: 1024, keep: 0.1, shown: 1.0 }
    }
}

impl TowerSizes {
    /// How many numbers both towers over a table of `shape` have: parameters, and running state.
    pub fn counts(&self, (rows, cols): Shape) -> (usize, usize) {
        let mut counts = (0_usize, 0_usize);
        for before in [cols, rows] {
            let mut width = before;
            for &after in self.hidden.iter().chain([&self.embedding]) {
                // Weights, bias, and the two of batch norm.
                let layer = after.saturating_mul(width.saturating_add(3));
                counts.0 = counts.0.saturating_add(layer);
                counts.1 = counts.1.saturating_add(after.saturating_mul(2));
                width = after;
            }
        }
        counts
    }

    /// The tower of a side over samples of `before` numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for `keep` outside (0, 1].
    pub(super) fn network<T: Real>(&self, before: usize, side: usize) -> Result<Network<T>> {
        let mut layers: Vec<Arc<dyn Layer<T>>> = Vec::new();
        let mut width = before;
        for (place, &after) in self.hidden.iter().chain([&self.embedding]).enumerate() {
            layers.push(if place == 0 {
                Arc::new(SparseDense::new(width, after))
            } else {
                Arc::new(Dense::new(width, after))
            });
            layers.push(Arc::new(BatchNorm::new(after)));
            if place < self.hidden.len() {
                let number = (2 * place + side) as u32;
                layers.push(Arc::new(Relu::new(after)));
                layers.push(Arc::new(Dropout::new(after, self.keep, number)?));
            }
            width = after;
        }
        Network::new(layers)
    }
}
