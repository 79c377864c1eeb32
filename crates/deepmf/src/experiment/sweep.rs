//! The sweep: results appended as they come, finished trials skipped.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::result::{TrialResult, numbers};
use super::{Experiment, RunOptions, trial};
use crate::data::write_whole;
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// What came of a trial, or why nothing did.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran to its end.
    Done(Box<TrialResult>),
    /// It was found finished in the folder.
    Found(Box<TrialResult>),
    /// It cannot run here: the reason.
    Skipped(String),
    /// An interrupt came before its end.
    Interrupted,
}

/// What is told of a trial as it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialReport {
    /// Its place among the trials of the experiment.
    pub place: usize,
    /// The varied values, as words.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    trajectory: Option<Trajectory>,
    folder: Option<PathBuf>,
}

impl TrialReport {
    pub(super) fn of(experiment: &Experiment, place: usize, outcome: Outcome) -> Self {
        let name = experiment.trials[place].name();
        Self { place, name, outcome, trajectory: None, folder: None }
    }

    /// With its run folder, if that is there.
    pub(super) fn within(self, folder: &Path) -> Self {
        Self { folder: folder.exists().then(|| folder.to_path_buf()), ..self }
    }

    /// Its result, if it has one.
    pub fn result(&self) -> Option<&TrialResult> {
        match &self.outcome {
            Outcome::Done(result) | Outcome::Found(result) => Some(result),
            Outcome::Skipped(_) | Outcome::Interrupted => None,
        }
    }

    /// Its run folder, if one was written.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What was recorded along it.
    ///
    /// # Errors
    /// [`Error::Data`] if a trial that was found finished has no readable `trajectory.csv`.
    pub fn trajectory(&self) -> Result<Trajectory> {
        match (&self.trajectory, &self.folder) {
            (Some(trajectory), _) => Ok(trajectory.clone()),
            (None, Some(folder)) => TrialResult::trajectory(folder),
            (None, None) => Ok(Trajectory::default()),
        }
    }
}

/// A sweep in progress.
pub(super) struct Sweep<'a> {
    experiment: &'a Experiment,
    table: Option<Mutex<PathBuf>>,
    finished: HashMap<String, TrialResult>,
}

impl<'a> Sweep<'a> {
    /// Opens the folder of a sweep: finds what is finished, or begins anew.
    pub(super) fn open(experiment: &'a Experiment, options: &RunOptions) -> Result<Self> {
        let Some(folder) = &options.folder else {
            return Ok(Self { experiment, table: None, finished: HashMap::new() });
        };
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
        let path = folder.join("results.csv");
        let mut text = head(experiment)?;
        let mut finished = HashMap::new();
        if options.resume && path.exists() {
            let before = fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
            for (row, result) in found(experiment, &before).unwrap_or_default() {
                text.push_str(&row);
                finished.insert(result.fingerprint.clone(), result);
            }
        }
        write_whole(&path, text.as_bytes())?;
        Ok(Self { experiment, table: Some(Mutex::new(path)), finished })
    }

    /// Runs one trial, unless it is finished or cannot run here.
    pub(super) fn run(&self, place: usize, options: &RunOptions) -> Result<TrialReport> {
        let trial = &self.experiment.trials[place];
        let alone = self.experiment.spec.vary.is_empty();
        let folder = options
            .folder
            .as_ref()
            .map(|folder| if alone { folder.clone() } else { folder.join(&trial.fingerprint) });
        let (mut trajectory, outcome) = if let Some(found) = self.finished.get(&trial.fingerprint) {
            (None, Outcome::Found(Box::new(found.clone())))
        } else if let Some(reason) = self.experiment.skipped(place) {
            (None, Outcome::Skipped(reason))
        } else {
            let (result, trajectory) =
                trial::run(self.experiment, place, folder.as_deref(), options)?;
            if result.reason == StopReason::Interrupted {
                (Some(trajectory), Outcome::Interrupted)
            } else {
                self.append(place, &result)?;
                (Some(trajectory), Outcome::Done(Box::new(result)))
            }
        };
        if folder.is_some() {
            trajectory = None;
        }
        let mut report = TrialReport::of(self.experiment, place, outcome);
        (report.trajectory, report.folder) = (trajectory, folder.filter(|folder| folder.exists()));
        if let Some(told) = &options.on_trial {
            told(&report);
        }
        Ok(report)
    }

    fn append(&self, place: usize, result: &TrialResult) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let values = self.experiment.trials[place].values.iter();
        let values = values.filter(|(key, _)| key != "seed").map(|(_, value)| match value {
            toml::Value::String(word) => word.clone(),
            other => other.to_string(),
        });
        let fields: Vec<String> = std::iter::once(result.fingerprint.clone())
            .chain(values)
            .chain(result.fields())
            .collect();
        let line = line(fields.iter().map(String::as_str))?;
        let path = table.lock().unwrap_or_else(PoisonError::into_inner);
        let written = OpenOptions::new()
            .append(true)
            .open(&*path)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_data()));
        written.map_err(|e| Error::io(&*path, "write", e))
    }
}

const FIELDS: [&str; 3] = ["seed", "steps", "stop_reason"];

/// The varied keys, which the first trial has in the order of the columns; the seed has a column in any case.
fn keys(experiment: &Experiment) -> impl Iterator<Item = &str> {
    let keys = experiment.trials.iter().take(1).flat_map(|trial| &trial.values);
    keys.map(|(key, _)| key.as_str()).filter(|key| *key != "seed")
}

fn line<'a>(fields: impl Iterator<Item = &'a str>) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).map_err(|e| Error::data("results.csv", e.to_string()))?;
    let bytes = writer.into_inner().map_err(|e| Error::data("results.csv", e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first line of `results.csv`.
pub(super) fn head(experiment: &Experiment) -> Result<String> {
    let numbers = numbers(&experiment.spec.work).iter().copied();
    line(std::iter::once("run").chain(keys(experiment)).chain(FIELDS).chain(numbers))
}

/// The whole rows of an earlier table of this experiment, if it is one; a row that was torn when the program ended is left out.
pub(super) fn found(experiment: &Experiment, before: &[u8]) -> Option<Vec<(String, TrialResult)>> {
    let (work, keys) = (&experiment.spec.work, keys(experiment).count());
    let text = String::from_utf8_lossy(before);
    let body = text.strip_prefix(&head(experiment).ok()?)?;
    let whole = body.rfind('\n').map_or("", |end| &body[..=end]);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(whole.as_bytes());
    let rows = reader.records().filter_map(|record| {
        let record = record.ok()?;
        let fields: Vec<&str> = record.iter().collect();
        let result = TrialResult::of_fields(work, fields.first()?, fields.get(keys + 1..)?)?;
        Some((line(record.iter()).ok()?, result))
    });
    Some(rows.collect())
}
