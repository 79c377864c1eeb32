//! What a completion is compared with: the mean, the row means, and row and column offsets.

use serde::Serialize;

use super::Offsets;
use crate::data::Entries;
use crate::spec::Scaling;

/// Root mean squared errors of simple predictors on held-out entries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Baselines {
    /// Everything is the mean of the known entries.
    pub mean: f64,
    /// Every row is the mean of its known entries.
    pub row_mean: f64,
    /// Mean plus row and column offsets.
    pub offsets: f64,
}

impl Baselines {
    /// Fits each to `known` and measures it on `held`.
    pub fn measure(known: &Entries, held: &Entries) -> Self {
        let mean = known.mean();
        let mut rows = vec![(0.0, 0.0); known.shape().0];
        for (i, _, x) in known.iter() {
            rows[i].0 += x;
            rows[i].1 += 1.0;
        }
        let row_mean = |i: usize| if rows[i].1 > 0.0 { rows[i].0 / rows[i].1 } else { mean };
        let offsets = Offsets::fit(known, Scaling::None);
        Self {
            mean: rmse(held, |_, _| mean),
            row_mean: rmse(held, |i, _| row_mean(i)),
            offsets: rmse(held, |i, j| offsets.additive(i, j)),
        }
    }
}

impl Baselines {
    /// The errors over all folds, each with what it fits and what it holds out.
    pub(super) fn pooled<'e>(folds: impl Iterator<Item = (&'e Entries, &'e Entries)>) -> Self {
        let (mut mean, mut row_mean, mut offsets, mut count) = (0.0, 0.0, 0.0, 0.0);
        for (known, held) in folds {
            let (here, n) = (Self::measure(known, held), held.len() as f64);
            mean += n * here.mean.powi(2);
            row_mean += n * here.row_mean.powi(2);
            offsets += n * here.offsets.powi(2);
            count += n;
        }
        let root = |squares: f64| (squares / count).sqrt();
        Self { mean: root(mean), row_mean: root(row_mean), offsets: root(offsets) }
    }
}

/// The root mean squared error of a predictor on entries; NaN if there are none.
pub(super) fn rmse(entries: &Entries, predict: impl Fn(usize, usize) -> f64) -> f64 {
    let squares = entries.iter().map(|(i, j, x)| (x - predict(i, j)).powi(2));
    (squares.sum::<f64>() / entries.len() as f64).sqrt()
}
