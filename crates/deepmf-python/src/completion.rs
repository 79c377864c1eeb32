//! Completion: what a fit needs, and what it leaves behind.

use std::path::PathBuf;

use deepmf::apps;
use deepmf::data::Duplicates;
use deepmf::model::{Model, Pass};
use deepmf::spec::CompletionSettings;
use deepmf::train::Trajectory;
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::numbers::{Known, array, arrays, settings};
use crate::work::{detached, stoppable};

const FILES: [&str; 2] = ["completion.json", "model.safetensors"];

/// A completed table.
#[pyclass(frozen, module = "deepmf._deepmf")]
struct Completed(apps::Completed);

/// Fills the holes of a table; whether Ctrl-C stopped it is the second part of the answer.
#[pyfunction]
#[pyo3(signature = (known, settings_json, seed, told=None, col_labels=None))]
fn complete(
    py: Python<'_>,
    known: Known<'_>,
    settings_json: &str,
    seed: u64,
    told: Option<Bound<'_, PyAny>>,
    col_labels: Option<Vec<String>>,
) -> PyResult<(Completed, bool)> {
    let settings: CompletionSettings = settings(settings_json)?;
    let cells = known.cells()?;
    let listens = told.is_some();
    let (mut done, stopped) = stoppable(py, told.as_ref(), |desk| {
        let entries = cells.entries(Duplicates::Refuse)?;
        let completion = apps::Completion::new(settings, seed).interrupt(desk.flag());
        let completion = if listens { completion.watch(desk.watch()) } else { completion };
        completion.fit(&entries)
    })?;
    done.col_labels = col_labels;
    Ok((Completed(done), stopped))
}

/// Lists of missing cells: rows, columns, answers, lower and upper ends (NaN where there is no interval).
type Holes<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

fn lists<'py>(py: Python<'py>, holes: &[apps::Filled]) -> Holes<'py> {
    let ends = |lower: bool| {
        holes.iter().map(move |hole| match hole.interval {
            Some((low, high)) => {
                if lower {
                    low
                } else {
                    high
                }
            }
            None => f64::NAN,
        })
    };
    (
        PyArray1::from_iter(py, holes.iter().map(|hole| hole.row as u32)),
        PyArray1::from_iter(py, holes.iter().map(|hole| hole.col as u32)),
        PyArray1::from_iter(py, holes.iter().map(|hole| hole.value)),
        PyArray1::from_iter(py, ends(true)),
        PyArray1::from_iter(py, ends(false)),
    )
}

#[pymethods]
impl Completed {
    /// The answer at every cell of the fitted table.
    fn predict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let answers = detached(py, || Ok(self.0.predict()))?;
        array(py, &answers)
    }

    /// The fitted table with its holes filled.
    fn fill<'py>(&self, py: Python<'py>, known: Known<'_>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let cells = known.cells()?;
        let filled = detached(py, || {
            let entries = cells.entries(Duplicates::Refuse)?;
            self.must_be_fitted(entries.shape())?;
            Ok(self.0.fill(&entries))
        })?;
        array(py, &filled)
    }

    /// Rows of the same columns, filled without a new fit.
    fn fold_in<'py>(
        &self,
        py: Python<'py>,
        known: Known<'_>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let cells = known.cells()?;
        let filled = detached(py, || self.0.fold_in(&cells.entries(Duplicates::Refuse)?))?;
        array(py, &filled)
    }

    /// The missing cells of the fitted table.
    fn holes<'py>(&self, py: Python<'py>, known: Known<'_>) -> PyResult<Holes<'py>> {
        let cells = known.cells()?;
        let holes = detached(py, || {
            let entries = cells.entries(Duplicates::Refuse)?;
            self.must_be_fitted(entries.shape())?;
            Ok(self.0.holes(&entries))
        })?;
        Ok(lists(py, &holes))
    }

    /// The missing cells of other rows.
    fn fold_in_holes<'py>(&self, py: Python<'py>, known: Known<'_>) -> PyResult<Holes<'py>> {
        let cells = known.cells()?;
        let holes = detached(py, || self.0.fold_in_holes(&cells.entries(Duplicates::Refuse)?))?;
        Ok(lists(py, &holes))
    }

    /// What is told of the fit, as JSON; the keys are those of the program.
    fn summary(&self) -> String {
        let done = &self.0;
        let baselines = done.baselines;
        let intervals = done.intervals.as_ref();
        json!({
            "rows": done.shape.0,
            "cols": done.shape.1,
            "observed": done.observed,
            "missing": done.missing,
            "method": done.method.name(),
            "start": done.start,
            "depth": done.depth,
            "width": done.width,
            "init_scale": done.init_scale,
            "steps": done.steps,
            "evaluations": done.evaluations,
            "gap": done.gap,
            "stop_reason": done.reason.name(),
            "stop_words": done.reason.to_string(),
            "train_rmse": done.train_rmse,
            "holdout_rmse": done.holdout_rmse,
            "baseline_rmse": {
                "mean": baselines.map(|b| b.mean),
                "row_mean": baselines.map(|b| b.row_mean),
                "offsets": baselines.map(|b| b.offsets),
            },
            "interval_coverage": intervals.map(|i| i.coverage),
            "interval_width": intervals.map(|i| i.width),
            "effective_rank": done.effective_rank,
            "seconds": done.seconds,
            "seed": done.seed,
            "warnings": done.warnings,
        })
        .to_string()
    }

    /// The layers, W_1 first.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyArray2<f64>>>> {
        arrays(py, &self.0.model.layers())
    }

    /// Singular values of the product of the layers, descending.
    fn singular_values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let svd = detached(py, || self.0.model.forward(&mut Pass::default()).thin_svd())?;
        Ok(PyArray1::from_vec(py, svd.s))
    }

    /// Names of what was recorded, and its numbers.
    fn trajectory<'py>(&self, py: Python<'py>) -> Vec<(String, Bound<'py, PyArray1<f64>>)> {
        recorded(py, &self.0.run.trajectory)
    }

    /// Writes the files that the program writes of a completion.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        detached(py, || self.0.save(&folder))
    }

    /// The bytes of these files.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let [words, tensors] = detached(py, || self.bytes())?;
        Ok((PyBytes::new(py, &words), PyBytes::new(py, &tensors)))
    }
}

impl Completed {
    fn must_be_fitted(&self, shape: (usize, usize)) -> Result<()> {
        if shape == self.0.shape {
            return Ok(());
        }
        let words = |shape: (usize, usize)| format!("({}, {})", shape.0, shape.1);
        Err(Error::shape("the fitted table", words(self.0.shape), words(shape)))
    }

    fn bytes(&self) -> Result<[Vec<u8>; 2]> {
        let folder = temporary()?;
        self.0.save(folder.path())?;
        let read = |name: &str| {
            let path = folder.path().join(name);
            std::fs::read(&path).map_err(|e| Error::io(&path, "read", e))
        };
        Ok([read(FILES[0])?, read(FILES[1])?])
    }
}

/// A folder that goes when it is dropped.
pub(crate) fn temporary() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), "write to", e))
}

/// What was recorded, column by column.
pub(crate) fn recorded<'py>(
    py: Python<'py>,
    trajectory: &Trajectory,
) -> Vec<(String, Bound<'py, PyArray1<f64>>)> {
    let names = trajectory.columns().iter();
    let column = |(place, name): (usize, &String)| {
        let numbers = trajectory.rows().iter().map(|row| row[place]);
        (name.clone(), PyArray1::from_iter(py, numbers))
    };
    names.enumerate().map(column).collect()
}

/// What [`Completed::state`] gave.
#[pyfunction]
fn completed_of(py: Python<'_>, words: &[u8], tensors: &[u8]) -> PyResult<Completed> {
    detached(py, || {
        let folder = temporary()?;
        for (name, bytes) in FILES.into_iter().zip([words, tensors]) {
            deepmf::data::write_whole(folder.path().join(name), bytes)?;
        }
        apps::Completed::load(folder.path()).map(Completed)
    })
}

/// The completion in a folder, and the names of its columns.
#[pyfunction]
fn load_completed(
    py: Python<'_>,
    folder: PathBuf,
) -> PyResult<(Completed, Option<Vec<String>>, String)> {
    let done = detached(py, || apps::Completed::load(&folder))?;
    let settings = serde_json::to_string(&done.settings).unwrap_or_default();
    let labels = done.col_labels.clone();
    Ok((Completed(done), labels, settings))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Completed>()?;
    module.add_function(wrap_pyfunction!(complete, module)?)?;
    module.add_function(wrap_pyfunction!(completed_of, module)?)?;
    module.add_function(wrap_pyfunction!(load_completed, module)?)
}
