//! What came of one trial, as a row of `results.csv` and as `result.json`.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::spec::Trial;
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// The numbers of a row, in the order of its columns. Those that a trial does not have are NaN.
pub(super) const NUMBERS: [&str; 16] = [
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
    numbers: [f64; NUMBERS.len()],
}

impl TrialResult {
    pub(super) fn new(trial: &Trial, steps: u64, reason: StopReason) -> Self {
        let (fingerprint, seed) = (trial.fingerprint.clone(), trial.spec.seed);
        Self { fingerprint, seed, steps, reason, numbers: [f64::NAN; NUMBERS.len()] }
    }

    /// One of its numbers, NaN where the trial does not have it; `None` for a name that no trial has.
    ///
    /// `loss`, `test_error`, the spectrum (`effective_rank`, `stable_rank`, `nuclear_norm`, `singular_value_1`) belong
    /// to the model that was kept; `min_test_error` and its step to the best recorded one; `zero_test_error` to
    /// W = 0; `observed_singular_value_1` to the observed entries with zeros elsewhere; `truth_…` to the truth; `rate` is that of a descent
    /// whose rate was given as a multiple of the largest stable one.
    pub fn number(&self, name: &str) -> Option<f64> {
        let place = NUMBERS.iter().position(|known| *known == name);
        match name {
            "steps" => Some(self.steps as f64),
            _ => place.map(|place| self.numbers[place]),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: f64) {
        if let Some(place) = NUMBERS.iter().position(|known| *known == name) {
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
        for (name, value) in NUMBERS.iter().zip(self.numbers) {
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
    pub(super) fn of_fields(fingerprint: &str, fields: &[&str]) -> Option<Self> {
        let [seed, steps, reason, rest @ ..] = fields else { return None };
        let reason = serde_json::from_value(json!(reason)).ok()?;
        let numbers: Option<Vec<f64>> = rest
            .iter()
            .map(|x| if x.is_empty() { Some(f64::NAN) } else { x.parse().ok() })
            .collect();
        Some(Self {
            fingerprint: fingerprint.into(),
            seed: seed.parse().ok()?,
            steps: steps.parse().ok()?,
            reason,
            numbers: numbers?.try_into().ok()?,
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
