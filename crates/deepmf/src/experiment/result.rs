//! What came of one trial, as a row of `results.csv` and as `result.json`.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::spec::{Trial, Work};
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// The numbers of a row of a training, in the order of its columns. Those that a trial does not have are NaN.
const TRAINING: [&str; 16] = [
    "loss",
    "test_error",
    "min_test_error",
    "min_test_error_step",
    "validation_error",
    "validation_step",
    "effective_rank",
    "stable_rank",
    "nuclear_norm",
    "singular_value_1",
    "zero_test_error",
    "observed_singular_value_1",
    "truth_effective_rank",
    "truth_nuclear_norm",
    "rate",
    "seconds",
];

/// The numbers of a row of a recommender.
const RECOMMENDER: [&str; 19] = [
    "rmse",
    "mae",
    "rmse_rounded",
    "mae_rounded",
    "rmse_discrete",
    "mae_discrete",
    "exact_rate",
    "log_loss",
    "rmse_seen_seen",
    "rmse_new_row",
    "rmse_new_column",
    "rmse_new_both",
    "holdout_rmse",
    "train_ratings",
    "input_ratings",
    "test_ratings",
    "parameters",
    "mean_rating",
    "seconds",
];

/// The numbers of a row of a clustering.
const CLUSTERING: [&str; 24] = [
    "acc",
    "acc_std",
    "acc_max",
    "nmi",
    "nmi_std",
    "nmi_max",
    "purity",
    "purity_std",
    "purity_max",
    "ari",
    "ari_std",
    "ari_max",
    "f_score",
    "f_score_std",
    "f_score_max",
    "objective",
    "clusters",
    "classes",
    "samples",
    "views",
    "fits",
    "exponent",
    "noise_weight",
    "seconds",
];

/// The numbers of a row of a light transport.
const TRANSPORT: [&str; 13] = [
    "correlation",
    "psnr",
    "ssim",
    "transport_correlation",
    "static_correlation",
    "product_error",
    "held_out_error",
    "objective",
    "agreement",
    "chosen_seed",
    "parameters",
    "ridge",
    "seconds",
];

/// The numbers of a row, in the order of its columns.
pub(super) fn numbers(work: &Work) -> &'static [&'static str] {
    match work {
        Work::Training(_) => &TRAINING,
        Work::Recommender(_) => &RECOMMENDER,
        Work::Clustering { .. } => &CLUSTERING,
        Work::Transport(_) => &TRANSPORT,
    }
}

/// Whether any trial has a number of this name.
pub(super) fn is_number(name: &str) -> bool {
    name == "steps" || all().contains(&name)
}

/// The numbers of all kinds of trials, each once.
pub(super) fn all() -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in [&TRAINING[..], &RECOMMENDER, &CLUSTERING, &TRANSPORT].concat() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What came of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// What tells the trial from every other one.
    pub fingerprint: String,
    /// Its seed.
    pub seed: u64,
    /// Steps made.
    pub steps: u64,
    /// How it ended.
    pub reason: StopReason,
    names: &'static [&'static str],
    numbers: Vec<f64>,
}

impl TrialResult {
    pub(super) fn new(trial: &Trial, steps: u64, reason: StopReason) -> Self {
        let (fingerprint, seed) = (trial.fingerprint.clone(), trial.spec.seed);
        let names = numbers(&trial.spec.work);
        let numbers = vec![f64::NAN; names.len()];
        Self { fingerprint, seed, steps, reason, names, numbers }
    }

    /// One of its numbers, NaN where the trial does not have it; `None` for a name that no trial has.
    ///
    /// `loss`, `test_error`, the spectrum (`effective_rank`, `stable_rank`, `nuclear_norm`, `singular_value_1`) belong
    /// to the model that was kept; `min_test_error` and its step to the best recorded one; `zero_test_error` to
    /// W = 0; `observed_singular_value_1` to the observed entries with zeros elsewhere; `truth_…` to the truth; `rate` is that of a descent
    /// whose rate was given as a multiple of the largest stable one.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.names.iter().position(|known| *known == name) {
            Some(place) => Some(self.numbers[place]),
            None if name == "steps" => Some(self.steps as f64),
            None => is_number(name).then_some(f64::NAN),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: f64) {
        if let Some(place) = self.names.iter().position(|known| *known == name) {
            self.numbers[place] = value;
        }
    }

    /// Notes the least recorded test error and its step.
    pub(super) fn note(&mut self, trajectory: &Trajectory) {
        let columns = (trajectory.column("test_error"), trajectory.column("step"));
        let (Some(errors), Some(steps)) = columns else { return };
        let least = errors.iter().zip(&steps).min_by(|a, b| a.0.total_cmp(b.0));
        if let Some((error, step)) = least {
            self.set("min_test_error", *error);
            self.set("min_test_error_step", *step);
        }
    }

    /// As JSON, `null` for what the trial does not have.
    pub(super) fn json(&self, trial: &Trial) -> String {
        let mut map = Map::new();
        map.insert("version".into(), json!(env!("CARGO_PKG_VERSION")));
        map.insert("title".into(), json!(trial.spec.title));
        map.insert("fingerprint".into(), json!(self.fingerprint));
        let values: Map<String, Value> =
            trial.values.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        map.insert("varied".into(), Value::Object(values));
        map.insert("seed".into(), json!(self.seed));
        map.insert("steps".into(), json!(self.steps));
        map.insert("stop_reason".into(), json!(self.reason));
        for (name, value) in self.names.iter().zip(&self.numbers) {
            map.insert((*name).into(), json!(value.is_finite().then_some(value)));
        }
        format!("{:#}\n", Value::Object(map))
    }

    /// The fields of a row, after the varied values.
    pub(super) fn fields(&self) -> Vec<String> {
        let numbers =
            self.numbers.iter().map(|x| if x.is_nan() { String::new() } else { format!("{x:?}") });
        [self.seed.to_string(), self.steps.to_string(), self.reason.name().to_string()]
            .into_iter()
            .chain(numbers)
            .collect()
    }

    /// Reads what [`TrialResult::fields`] wrote.
    pub(super) fn of_fields(work: &Work, fingerprint: &str, fields: &[&str]) -> Option<Self> {
        let [seed, steps, reason, rest @ ..] = fields else { return None };
        let reason = serde_json::from_value(json!(reason)).ok()?;
        let numbers: Option<Vec<f64>> = rest
            .iter()
            .map(|x| if x.is_empty() { Some(f64::NAN) } else { x.parse().ok() })
            .collect();
        let (names, numbers) = (self::numbers(work), numbers?);
        (numbers.len() == names.len()).then_some(())?;
        Some(Self {
            fingerprint: fingerprint.into(),
            seed: seed.parse().ok()?,
            steps: steps.parse().ok()?,
            reason,
            names,
            numbers,
        })
    }

    /// The recorded quantities of a finished trial, from its run folder.
    pub(super) fn trajectory(folder: &Path) -> Result<Trajectory> {
        let path = folder.join("trajectory.csv");
        if path.exists() {
            return Trajectory::read(path);
        }
        Err(Error::data(path, "must be there beside a finished result, but it is not"))
    }
}
