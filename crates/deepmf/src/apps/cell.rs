//! Answers in single cells: their intervals, and their errors where the truth is known.

use crate::data::Entries;
use crate::spec::CompletionSettings;

/// Errors against a truth that is known only in experiments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthErrors {
    /// Root mean squared error over the cells that were missing; NaN if none was.
    pub rmse_missing: f64,
    /// Mean squared error of the model over all cells of the truth.
    pub mse_all: f64,
    /// The share of the cells that were missing whose true value the intervals hold.
    pub coverage: Option<f64>,
}

/// A held-out entry and what was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub col: usize,
    /// What it is.
    pub truth: f64,
    /// The answer of a fit that did not see it.
    pub value: f64,
    /// The interval around the answer, lower and upper end.
    pub interval: Option<(f64, f64)>,
}

impl HeldOut {
    /// Whether the interval holds the truth.
    pub fn is_held(&self) -> bool {
        self.interval.is_some_and(|(lower, upper)| lower <= self.truth && self.truth <= upper)
    }
}

/// A missing cell that was filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filled {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub col: usize,
    /// The answer.
    pub value: f64,
    /// The interval around the answer, lower and upper end.
    pub interval: Option<(f64, f64)>,
}

/// The interval of `half` the width around an answer before bounds and whole numbers, within both; it holds the answer.
pub(super) fn interval(settings: &CompletionSettings, raw: f64, half: f64) -> (f64, f64) {
    let value = constrained(settings, raw);
    let (mut lower, mut upper) = (raw - half, raw + half);
    if settings.integer {
        (lower, upper) = (lower.ceil(), upper.floor());
    }
    if let Some((low, high)) = settings.bounds {
        (lower, upper) = (lower.max(low), upper.min(high));
    }
    (lower.min(value), upper.max(value))
}

/// Applies bounds and whole numbers.
pub(super) fn constrained(settings: &CompletionSettings, value: f64) -> f64 {
    let value = if settings.integer { value.round() } else { value };
    match settings.bounds {
        Some((low, high)) if settings.integer => {
            value.clamp(low.ceil(), high.floor().max(low.ceil()))
        }
        Some((low, high)) => value.clamp(low, high),
        None => value,
    }
}

impl TruthErrors {
    /// The errors of filled cells and of the model's answers against a truth that is known in some cells.
    pub fn measure(
        filled: &[Filled],
        truth: &Entries,
        answer: impl Fn(usize, usize) -> f64,
    ) -> Self {
        let all = truth.to_dense();
        let (mut squares, mut count, mut held) = (0.0, 0.0, 0.0);
        let known = filled.iter().filter(|cell| !all[(cell.row, cell.col)].is_nan());
        for &Filled { row, col, value, interval } in known.clone() {
            let truth = all[(row, col)];
            squares += (value - truth).powi(2);
            count += 1.0;
            held += f64::from(u8::from(HeldOut { row, col, truth, value, interval }.is_held()));
        }
        let has_intervals = known.clone().any(|cell| cell.interval.is_some());
        let errors = truth.iter().map(|(i, j, x)| (x - answer(i, j)).powi(2));
        Self {
            rmse_missing: (squares / count).sqrt(),
            mse_all: errors.sum::<f64>() / truth.len() as f64,
            coverage: has_intervals.then_some(held / count),
        }
    }
}
