//! Pages of run folders: what is told of one run, and of several side by side.

use std::cmp::Ordering;
use std::fs;
use std::path::Path;

use deepmf::report::{self, Block, Cell, Column, Page, Section, Table};
use deepmf::train::Trajectory;
use deepmf::{Error, Result};
use serde_json::Value;

use crate::run_folder::{RESULT, SPEC, TRAJECTORY};

/// A run as its folder keeps it.
pub(crate) struct Recorded {
    /// What it is called beside others.
    pub(crate) name: String,
    /// What came of it.
    pub(crate) result: Value,
    /// What was recorded.
    pub(crate) trajectory: Trajectory,
    /// The spec that repeats it.
    pub(crate) spec: String,
}

impl Recorded {
    /// Reads a run folder.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Data`] for a folder without a finished run.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| Error::io(path, "read", error))
        };
        let result = serde_json::from_str(&text(RESULT)?).map_err(|error| {
            let problem = format!("must be JSON, but it is not: {error}");
            let (line, column) = (error.line() as u64, error.column() as u64);
            Error::data_at(folder.join(RESULT), line, column, problem)
        })?;
        // A run that was interrupted before its last fit has recorded nothing.
        let recorded = folder.join(TRAJECTORY);
        let trajectory =
            if recorded.exists() { Trajectory::read(recorded)? } else { Trajectory::default() };
        Ok(Self { name: folder.display().to_string(), result, trajectory, spec: text(SPEC)? })
    }
}

impl Recorded {
    /// The rate of plain gradient descent: as it was found where it was a multiple of the largest stable one.
    fn rate(&self) -> Option<f64> {
        self.result.get("rate").and_then(Value::as_f64).or_else(|| rate(&self.spec))
    }
}

/// The varied values of a run of a sweep as words: `depth = 3, seed = 0`; keys are cut to their last name.
pub(crate) fn varied(result: &Value) -> Option<String> {
    let words = pairs(result.get("varied")?.as_object()?);
    (!words.is_empty()).then_some(words)
}

/// Varied keys and their values as words.
pub(crate) fn pairs<'a>(varied: impl IntoIterator<Item = (&'a String, &'a Value)>) -> String {
    let word = |(key, value): (&String, &Value)| {
        let value =
            toml::Value::try_from(value).map_or_else(|_| value.to_string(), |it| it.to_string());
        format!("{} = {value}", last_name(key))
    };
    varied.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `depth` of `model.deep-linear.depth`.
pub(crate) fn last_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The order of two runs of a sweep by their varied values.
pub(crate) fn by_varied(a: &Recorded, b: &Recorded) -> Ordering {
    fn values(run: &Recorded) -> impl Iterator<Item = &Value> {
        run.result.get("varied").and_then(Value::as_object).into_iter().flat_map(|it| it.values())
    }
    let order = |(a, b): (&Value, &Value)| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.to_string().cmp(&b.to_string()),
    };
    values(a).zip(values(b)).map(order).fold(Ordering::Equal, Ordering::then)
}

/// The results of runs, a column a run.
///
/// # Errors
/// None: every row has as many cells as there are columns.
pub(crate) fn results(runs: &[Recorded]) -> Result<Section> {
    let mut columns = vec![Column::left("quantity")];
    columns.extend(runs.iter().map(|run| Column::right(&run.name)));
    let mut table = Table::new("What came of it", columns);
    let mut keys: Vec<String> = Vec::new();
    let flat: Vec<Vec<(String, Cell)>> = runs.iter().map(|run| flat("", &run.result)).collect();
    for (key, _) in flat.iter().flatten() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    for key in keys {
        let of = |run: &Vec<(String, Cell)>| {
            run.iter()
                .find(|(name, _)| *name == key)
                .map_or(Cell::Missing, |(_, cell)| cell.clone())
        };
        let mut row = vec![Cell::from(key.replace('_', " "))];
        row.extend(flat.iter().map(of));
        table.push(row)?;
    }
    Ok(Section::new("Results").with(Block::Table(table)))
}

/// Names and numbers of a JSON object, those of objects in it too.
fn flat(before: &str, value: &Value) -> Vec<(String, Cell)> {
    let mut cells = Vec::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let name = format!("{before}{key}");
        match value {
            Value::Object(_) => cells.extend(flat(&format!("{name} "), value)),
            Value::Number(number) => cells
                .push((name, number.as_u64().map_or_else(|| number.as_f64().into(), Cell::from))),
            Value::String(text) => cells.push((name, text.as_str().into())),
            Value::Array(numbers) if !numbers.is_empty() && numbers.iter().all(Value::is_u64) => {
                let words: Vec<String> = numbers.iter().map(Value::to_string).collect();
                cells.push((name, words.join(" x ").into()));
            }
            Value::Bool(_) | Value::Null | Value::Array(_) => cells.push((name, Cell::Missing)),
        }
    }
    cells
}

/// Curvature along runs, where it was recorded.
pub(crate) fn curvature(runs: &[Recorded]) -> Option<Section> {
    let runs: Vec<_> =
        runs.iter().map(|run| (run.name.as_str(), &run.trajectory, run.rate())).collect();
    report::curvature(&runs)
}

/// The page with what was recorded along runs: their course, and curvature where it was recorded.
pub(crate) fn along(page: Page, runs: &[Recorded]) -> Page {
    let courses: Vec<_> = runs.iter().map(|run| (run.name.as_str(), &run.trajectory)).collect();
    curvature(runs).into_iter().fold(page.with(report::course(&courses)), Page::with)
}

/// The rate of plain gradient descent, if that is the optimizer of a spec.
fn rate(spec: &str) -> Option<f64> {
    let spec: toml::Table = spec.parse().ok()?;
    spec.get("train")?.get("gradient-descent")?.get("rate")?.as_float()
}

/// How runs are repeated.
pub(crate) fn again(runs: &[Recorded]) -> Section {
    let mut section = Section::new("To repeat it");
    for run in runs {
        let caption = format!("{}: save this as spec.toml", run.name);
        section = section
            .with(Block::code("", "deepmf run spec.toml"))
            .with(Block::details(caption.clone(), vec![Block::code(caption, &run.spec)]));
    }
    section
}
