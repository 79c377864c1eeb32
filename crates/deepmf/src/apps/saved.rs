//! A completed table in a folder: the network as tensors, all else as words.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Completed, Intervals, Offsets};
use crate::data::write_whole;
use crate::model::{DeepLinear, Model, Tensors};
use crate::spec::{CompletionSettings, Method};
use crate::train::{Run, StopReason, Trajectory};
use crate::{Error, Result};

const MODEL: &str = "model.safetensors";
const WORDS: &str = "completion.json";
const VERSION: u32 = 2;

impl Completed {
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
