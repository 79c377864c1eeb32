//! A completed table: its answers, its errors, and what is needed to fill new rows.

use super::cell::{Filled, HeldOut, TruthErrors, constrained, interval};
use super::selection::Candidate;
use super::{Baselines, Intervals, Offsets, fold_in};
use crate::data::{Entries, Shape};
use crate::linalg::Mat;
use crate::model::DeepLinear;
use crate::spec::{CompletionSettings, Method};
use crate::train::{Run, StopReason};
use crate::{Error, Result};

/// What came of a completion.
#[derive(Clone, Debug)]
pub struct Completed {
    /// Rows and columns.
    pub shape: Shape,
    /// Number of known entries.
    pub observed: usize,
    /// Number of missing entries.
    pub missing: usize,
    /// By what it was completed.
    pub method: Method,
    /// Where the last fit began, in words.
    pub start: String,
    /// Number of layers.
    pub depth: usize,
    /// Hidden width.
    pub width: usize,
    /// Initial scale; 0 for a start at W(0) = 0.
    pub init_scale: f64,
    /// Rate of the last fit, of a descent.
    pub rate: Option<f64>,
    /// Steps of the last fit.
    pub steps: u64,
    /// Evaluations of the gradient, of all fits of a flow and of the last fit of a descent.
    pub evaluations: u64,
    /// The relative gap to the optimum, of the convex methods.
    pub gap: Option<f64>,
    /// How the fit ended.
    pub reason: StopReason,
    /// Root mean squared error on all known entries.
    pub train_rmse: f64,
    /// Root mean squared error on known entries that were kept apart; where none were, on known entries that were each answered by
    /// a fit of what was chosen that did not see them; none if nothing was held out.
    pub holdout_rmse: Option<f64>,
    /// Errors of simple predictors on the same entries.
    pub baselines: Option<Baselines>,
    /// Every held-out entry and its answer.
    pub holdout: Vec<HeldOut>,
    /// Prediction intervals; none if too little was held out.
    pub intervals: Option<Intervals>,
    /// Effective rank of the fitted matrix (without offsets).
    pub effective_rank: f64,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// What the reader should know: lines without entries, missingness that looks informative.
    pub warnings: Vec<String>,
    /// What was tried before the last fit.
    pub candidates: Vec<Candidate>,
    /// Names of the columns, for new rows.
    pub col_labels: Option<Vec<String>>,
    /// The settings.
    pub settings: CompletionSettings,
    /// Offsets and scales.
    pub offsets: Offsets,
    /// The network.
    pub model: DeepLinear,
    /// The last fit.
    pub run: Run,
}

impl Completed {
    /// The answer at a cell where the network says `w`.
    fn value(&self, row: usize, col: usize, w: f64) -> f64 {
        constrained(&self.settings, self.offsets.restore(row, col, w))
    }

    /// The answer at every cell, the known ones too.
    pub fn predict(&self) -> Mat {
        let w = self.model.product();
        Mat::from_fn(self.shape.0, self.shape.1, |i, j| self.value(i, j, w[(i, j)]))
    }

    /// The table with its holes filled; known entries stay as they are.
    pub fn fill(&self, known: &Entries) -> Mat {
        let mut filled = self.predict();
        known.iter().for_each(|(i, j, x)| filled[(i, j)] = x);
        filled
    }

    /// Every missing cell with its answer and interval, row after row.
    pub fn holes(&self, known: &Entries) -> Vec<Filled> {
        let w = self.model.product();
        let raw = |i: usize, j: usize| self.offsets.restore(i, j, w[(i, j)]);
        let half =
            |i: usize, j: usize| self.intervals.as_ref().map(|intervals| intervals.half(i, j));
        self.filled(known, raw, half)
    }

    fn filled(
        &self,
        known: &Entries,
        raw: impl Fn(usize, usize) -> f64,
        half: impl Fn(usize, usize) -> Option<f64>,
    ) -> Vec<Filled> {
        let (rows, cols) = known.shape();
        let mut seen = vec![false; rows * cols];
        known.iter().for_each(|(i, j, _)| seen[i * cols + j] = true);
        let cells = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        cells
            .filter(|(i, j)| !seen[i * cols + j])
            .map(|(row, col)| {
                let raw = raw(row, col);
                let value = constrained(&self.settings, raw);
                let interval = half(row, col).map(|half| interval(&self.settings, raw, half));
                Filled { row, col, value, interval }
            })
            .collect()
    }

    /// Errors against `truth`, when `known` was fitted.
    ///
    /// # Errors
    /// [`Error::Shape`] if the truth has another shape.
    pub fn truth_errors(&self, truth: &Entries, known: &Entries) -> Result<TruthErrors> {
        truth.must_have_shape("the truth", self.shape)?;
        let answers = self.predict();
        let holes = self.holes(known);
        Ok(TruthErrors::measure(&holes, truth, |i, j| answers[(i, j)]))
    }

    /// Fills new rows of the same columns without fitting again; known entries stay as they are.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of columns differs.
    pub fn fold_in(&self, rows: &Entries) -> Result<Mat> {
        let mut filled = self.folded(rows)?;
        filled.values_mut().iter_mut().for_each(|x| *x = constrained(&self.settings, *x));
        rows.iter().for_each(|(i, j, x)| filled[(i, j)] = x);
        Ok(filled)
    }

    /// The missing cells of new rows with answers and intervals, as [`Completed::fold_in`] fills them.
    ///
    /// Of the errors of a new row nothing is known, so its factor is the mean of those of the fitted rows.
    ///
    /// # Errors
    /// As [`Completed::fold_in`].
    pub fn fold_in_holes(&self, rows: &Entries) -> Result<Vec<Filled>> {
        let raw = self.folded(rows)?;
        let half = |_, j: usize| self.intervals.as_ref().map(|intervals| intervals.half_of_new(j));
        Ok(self.filled(rows, |i, j| raw[(i, j)], half))
    }

    /// Answers in new rows, before bounds and whole numbers.
    fn folded(&self, rows: &Entries) -> Result<Mat> {
        if rows.shape().1 != self.shape.1 {
            let expected = format!("{} columns", self.shape.1);
            return Err(Error::shape("the table of new rows", expected, rows.shape().1));
        }
        fold_in::rows(&self.model, &self.offsets, self.holdout_noise(), rows)
    }

    /// Variance of what a prediction misses, in the units of the fit.
    fn holdout_noise(&self) -> f64 {
        let cols = self.shape.1;
        let scale = (0..cols).map(|j| self.offsets.divisor(j)).sum::<f64>() / cols as f64;
        (self.holdout_rmse.unwrap_or(self.train_rmse) / scale).powi(2).max(1e-12)
    }
}
