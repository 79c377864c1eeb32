//! A completed table: its answers, its errors, and what is needed to fill new rows.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::selection::Candidate;
use super::{Baselines, Intervals, Offsets, fold_in};
use crate::data::{Entries, Shape, write_whole};
use crate::linalg::Mat;
use crate::model::{DeepLinear, Model, Tensors};
use crate::spec::{CompletionSettings, Method};
use crate::train::{Run, StopReason, Trajectory};
use crate::{Error, Result};

const MODEL: &str = "model.safetensors";
const WORDS: &str = "completion.json";
const VERSION: u32 = 2;

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
    /// Root mean squared error on known entries that were kept apart; where none were, on entries that the fit of their fold did
    /// not see, in the stage that was chosen last; none if nothing was held out.
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

    /// Writes `model.safetensors` and `completion.json` to a folder, from which [`Completed::load`] reads them.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
        Tensors::of(self.model.params()).save(folder.join(MODEL))?;
        let words = Saved {
            version: VERSION,
            widths: self.model.widths().to_vec(),
            observed: self.observed,
            method: self.method,
            start: self.start.clone(),
            init_scale: self.init_scale,
            rate: self.rate,
            steps: self.steps,
            evaluations: self.evaluations,
            gap: self.gap,
            reason: self.reason,
            train_rmse: self.train_rmse,
            holdout_rmse: self.holdout_rmse,
            intervals: self.intervals.clone(),
            effective_rank: self.effective_rank,
            seconds: self.seconds,
            seed: self.seed,
            warnings: self.warnings.clone(),
            col_labels: self.col_labels.clone(),
            settings: self.settings.clone(),
            offsets: self.offsets.clone(),
        };
        let path = folder.join(WORDS);
        let text = serde_json::to_string_pretty(&words)
            .map_err(|e| Error::data(&path, format!("cannot be written: {e}")))?;
        write_whole(path, text.as_bytes())
    }

    /// Reads what [`Completed::save`] wrote: enough to predict and to fill new rows (without candidates and scatter).
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if a file is not a saved completion of this version.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(WORDS);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "read", e))?;
        let saved: Saved = serde_json::from_str(&text).map_err(|e| {
            let problem = format!("must be a saved completion, but it is not: {e}");
            Error::data_at(&path, e.line() as u64, e.column() as u64, problem)
        })?;
        if saved.version != VERSION {
            let problem = format!("must have version {VERSION}, but it has {}", saved.version);
            return Err(Error::data(path, problem));
        }
        let tensors = Tensors::load(folder.join(MODEL))?;
        let layers = tensors.layers();
        // Compared before anything is made of the claimed widths.
        let held: Vec<(usize, usize)> = layers.iter().map(|l| (l.rows(), l.cols())).collect();
        let claimed: Vec<(usize, usize)> = saved.widths.windows(2).map(|w| (w[1], w[0])).collect();
        if held != claimed {
            let problem = format!("must hold layers of shapes {claimed:?}, but it holds {held:?}");
            return Err(Error::data(folder.join(MODEL), problem));
        }
        let mut model = DeepLinear::new(&saved.widths)?;
        for (j, layer) in layers.iter().enumerate() {
            model.params_mut().set(j, layer)?;
        }
        let shape = model.shape();
        let (rows, cols) = (saved.offsets.rows.len(), saved.offsets.cols.len());
        if (rows, cols) != shape
            || saved.offsets.units.len() != shape.1
            || saved.offsets.centers.len() != shape.1
            || saved.intervals.as_ref().is_some_and(|i| (i.rows.len(), i.cols.len()) != shape)
        {
            let problem =
                format!("must have offsets for {} x {}, but has {rows} x {cols}", shape.0, shape.1);
            return Err(Error::data(path, problem));
        }
        let run = Run {
            reason: saved.reason,
            steps: saved.steps,
            loss: f64::NAN,
            best: None,
            params: model.params().clone(),
            trajectory: Trajectory::default(),
            seconds: saved.seconds,
        };
        Ok(Self {
            shape,
            observed: saved.observed,
            missing: (shape.0 * shape.1).saturating_sub(saved.observed),
            method: saved.method,
            start: saved.start,
            depth: model.depth(),
            width: saved.widths.get(1).copied().unwrap_or(shape.0),
            init_scale: saved.init_scale,
            rate: saved.rate,
            steps: saved.steps,
            evaluations: saved.evaluations,
            gap: saved.gap,
            reason: saved.reason,
            train_rmse: saved.train_rmse,
            holdout_rmse: saved.holdout_rmse,
            baselines: None,
            holdout: Vec::new(),
            intervals: saved.intervals,
            effective_rank: saved.effective_rank,
            seconds: saved.seconds,
            seed: saved.seed,
            warnings: saved.warnings,
            candidates: Vec::new(),
            col_labels: saved.col_labels,
            settings: saved.settings,
            offsets: saved.offsets,
            model,
            run,
        })
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    version: u32,
    widths: Vec<usize>,
    observed: usize,
    method: Method,
    start: String,
    init_scale: f64,
    rate: Option<f64>,
    steps: u64,
    evaluations: u64,
    gap: Option<f64>,
    reason: StopReason,
    train_rmse: f64,
    holdout_rmse: Option<f64>,
    intervals: Option<Intervals>,
    effective_rank: f64,
    seconds: f64,
    seed: u64,
    warnings: Vec<String>,
    col_labels: Option<Vec<String>>,
    settings: CompletionSettings,
    offsets: Offsets,
}
