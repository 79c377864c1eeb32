//! What came of a training: how it ended, what was recorded on the way, and the parameters.

use std::path::Path;

use super::optimizer::PhaseCount;
use super::{Clock, Optimizer, Probe, Room, StopReason};
use crate::data::write_whole;
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::{Error, Result};

/// A finished training.
#[derive(Clone, Debug)]
pub struct Run {
    /// How it ended.
    pub reason: StopReason,
    /// Steps made.
    pub steps: u64,
    /// The loss at the last step.
    pub loss: f64,
    /// Step and mean squared error of the best iterate on the validation, if there was one.
    pub best: Option<(u64, f64)>,
    /// The parameters: of the best iterate on the validation, else of the last.
    pub params: Params,
    /// What was recorded.
    pub trajectory: Trajectory,
    /// Time taken, in seconds.
    pub seconds: f64,
}

/// What was recorded along a run: one row a recorded step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Trajectory {
    /// Nothing yet, in these columns.
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Of what knows only its end: the number of steps and the objective.
    pub(crate) fn of_end(steps: usize, objective: f64) -> Self {
        let columns = ["sweep", "objective"].map(String::from).into();
        Self { columns, rows: vec![vec![steps as f64, objective]] }
    }

    /// One more row.
    pub(super) fn push(&mut self, row: Vec<f64>) {
        self.rows.push(row);
    }

    /// Names of the columns; the first two are `step` and `loss`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Recorded rows, each with one number a column.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The numbers of one column, in the order of the steps.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().map(|row| row[place]).collect())
    }

    /// Appends what was recorded by a run that began after `steps` steps of this one.
    pub(super) fn append(&mut self, later: Self, steps: u64) {
        if self.columns.is_empty() {
            self.columns = later.columns;
        }
        self.rows.extend(later.rows.into_iter().map(|mut row| {
            row[0] += steps as f64;
            row
        }));
    }

    /// Forgets the last row, where the run that follows records the same state again.
    pub(super) fn forget_last(&mut self) {
        self.rows.pop();
    }

    /// The same with one more column of a fixed value.
    pub(super) fn with_column(mut self, name: &str, value: f64) -> Self {
        self.columns.push(name.into());
        for row in &mut self.rows {
            row.push(value);
        }
        self
    }

    /// As CSV text, numbers in the shortest form that reads back to the same bits.
    pub fn csv(&self) -> String {
        let mut text = self.columns.join(",");
        text.push('\n');
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(|x| format!("{x:?}")).collect();
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        text
    }

    /// Reads what [`Trajectory::csv`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Data`] with the place of what is not a number.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        let mut lines = text.lines();
        let columns: Vec<String> =
            lines.next().unwrap_or_default().split(',').map(String::from).collect();
        let mut rows = Vec::new();
        for (place, line) in lines.enumerate() {
            let line_number = place as u64 + 2;
            let row: Result<Vec<f64>> = line
                .split(',')
                .enumerate()
                .map(|(field, text)| {
                    text.parse().map_err(|_| {
                        let problem = format!("must be a number, but it is {text:?}");
                        Error::data_at(path, line_number, field as u64 + 1, problem)
                    })
                })
                .collect();
            let row = row?;
            if row.len() != columns.len() {
                let problem =
                    format!("must have {} fields, but it has {}", columns.len(), row.len());
                return Err(Error::data_at(path, line_number, 0, problem));
            }
            rows.push(row);
        }
        Ok(Self { columns, rows })
    }
}

/// When something is recorded, and what is known beside the model.
pub(super) struct Moment<'a> {
    pub(super) step: u64,
    pub(super) clock: Option<Clock>,
    pub(super) phase: Option<PhaseCount>,
    pub(super) validation: Option<f64>,
    /// Whether a probe that measures every so many rows is due.
    pub(super) due: &'a dyn Fn(usize) -> bool,
}

/// Writes down the probes along a run.
pub(super) struct Log {
    pub(super) trajectory: Trajectory,
}

impl Log {
    pub(super) fn new(
        probes: &[Probe],
        optimizer: &dyn Optimizer,
        validated: bool,
        problem: &Problem,
        model: &dyn Model,
    ) -> Self {
        let mut columns = vec!["step".to_string(), "loss".to_string()];
        if optimizer.clock().is_some() {
            columns.extend(["time".into(), "evaluations".into()]);
        }
        if optimizer.phase().is_some() {
            columns.extend(["phase".into(), "phase_step".into()]);
        }
        if validated {
            columns.push("best_validation_error".into());
        }
        for probe in probes {
            columns.extend(probe.columns(problem, model));
        }
        Self { trajectory: Trajectory { columns, rows: Vec::new() } }
    }

    pub(super) fn record(
        &mut self,
        probes: &[Probe],
        moment: &Moment<'_>,
        problem: &Problem,
        model: &dyn Model,
        room: &mut Room,
    ) -> Result<()> {
        let &Moment { step, clock, phase, validation, due } = moment;
        let mut row = Vec::with_capacity(self.trajectory.columns.len());
        row.extend([step as f64, room.loss]);
        row.extend(clock.into_iter().flat_map(|clock| [clock.time, clock.evaluations as f64]));
        row.extend(phase.into_iter().flat_map(|it| [f64::from(it.phase), it.steps as f64]));
        row.extend(validation);
        let finite = room.loss.is_finite();
        for probe in probes {
            if finite && due(probe.stride()) {
                probe.measure(problem, model, room, &mut row)?;
            } else {
                row.extend(probe.columns(problem, model).iter().map(|_| f64::NAN));
            }
        }
        self.trajectory.rows.push(row);
        Ok(())
    }

    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        write_whole(folder.join("trajectory.csv"), self.trajectory.csv().as_bytes())
    }

    /// Takes up what was recorded before step `reached`.
    pub(super) fn load(&mut self, folder: &Path, reached: u64) -> Result<()> {
        let path = folder.join("trajectory.csv");
        let before = Trajectory::read(&path)?;
        if before.columns != self.trajectory.columns {
            let problem = format!(
                "must have the columns {:?}, but it has {:?}",
                self.trajectory.columns.join(","),
                before.columns.join(",")
            );
            return Err(Error::data_at(path, 1, 0, problem));
        }
        self.trajectory.rows =
            before.rows.into_iter().filter(|row| row[0] < reached as f64).collect();
        Ok(())
    }
}
