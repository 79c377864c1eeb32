//! Recommenders: fitted to labelled ratings, asked by label.

use std::path::PathBuf;

use deepmf::apps::{self, Recommends};
use deepmf::data::{Duplicates, Table};
use deepmf::model::Discretizer;
use deepmf::spec::RecommenderSettings;
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::numbers::{Cells, Known, array, settings, word};
use crate::work::{detached, stoppable};

/// A fitted recommender.
#[pyclass(frozen, module = "deepmf._deepmf")]
struct Recommender(Recommends);

fn table(
    cells: Cells<'_>,
    labels: (Vec<String>, Vec<String>),
    duplicates: Duplicates,
) -> Result<Table> {
    let mut table = Table::new(cells.entries(duplicates)?);
    let shape = table.entries.shape();
    for (what, found, count) in
        [("row labels", labels.0.len(), shape.0), ("column labels", labels.1.len(), shape.1)]
    {
        if found != count {
            return Err(Error::shape(format!("the list of {what}"), count, found));
        }
    }
    (table.row_labels, table.col_labels) = (Some(labels.0), Some(labels.1));
    Ok(table)
}

/// Fits ratings; whether Ctrl-C stopped it is the second part of the answer.
#[pyfunction]
#[pyo3(signature = (known, labels, settings_json, seed, levels=None, duplicates="refuse"))]
fn recommend(
    py: Python<'_>,
    known: Known<'_>,
    labels: (Vec<String>, Vec<String>),
    settings_json: &str,
    seed: u64,
    levels: Option<Vec<f64>>,
    duplicates: &str,
) -> PyResult<(Recommender, bool)> {
    let settings: RecommenderSettings = settings(settings_json)?;
    let duplicates: Duplicates = word("duplicates", duplicates)?;
    let cells = known.cells()?;
    let (done, stopped) = stoppable(py, None, |desk| {
        let table = table(cells, labels, duplicates)?;
        let recommender = apps::Recommender::new(settings, seed).interrupt(desk.flag());
        let recommender = match levels {
            Some(levels) => recommender.scale(Discretizer::new(&levels)?),
            None => recommender,
        };
        recommender.fit(&table)
    })?;
    Ok((Recommender(done), stopped))
}

/// Predictions: values, on what they are based, lower and upper ends (NaN where there is no interval).
type Predictions<'py> = (
    Bound<'py, PyArray1<f64>>,
    Vec<&'static str>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

#[pymethods]
impl Recommender {
    /// Ratings of pairs of labels, with intervals if a coverage is given.
    #[pyo3(signature = (rows, cols, coverage=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        rows: Vec<String>,
        cols: Vec<String>,
        coverage: Option<f64>,
    ) -> PyResult<Predictions<'py>> {
        let predictions = detached(py, || {
            self.pairs(&rows, &cols)?
                .map(|pair| match coverage {
                    Some(coverage) => self.0.predict_within(pair, coverage),
                    None => Ok(self.0.predict(pair)),
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let lower = predictions.iter().map(|p| p.interval.map_or(f64::NAN, |ends| ends.0));
        let upper = predictions.iter().map(|p| p.interval.map_or(f64::NAN, |ends| ends.1));
        Ok((
            PyArray1::from_iter(py, predictions.iter().map(|p| p.value)),
            predictions.iter().map(|p| p.known.name()).collect(),
            PyArray1::from_iter(py, lower),
            PyArray1::from_iter(py, upper),
        ))
    }

    /// The best columns for a row, by label; those of the highest offsets for an unknown one.
    fn recommend(&self, row: Option<&str>, count: usize) -> Vec<(String, f64)> {
        let row = row.and_then(|row| self.0.rows().of(row));
        self.named(self.0.recommend(row, count))
    }

    /// The columns nearest to one, by label.
    fn similar(&self, col: &str, count: usize) -> PyResult<Vec<(String, f64)>> {
        match self.0.cols().of(col) {
            Some(col) => Ok(self.named(self.0.similar(col, count))),
            None => Err(crate::failure::raised(&Error::parameter(
                "an item",
                "one that was rated in the fit",
                col,
            ))),
        }
    }

    /// The same with rows and columns that are new, and how many of each.
    fn fold_in(
        &self,
        py: Python<'_>,
        known: Known<'_>,
        labels: (Vec<String>, Vec<String>),
    ) -> PyResult<(Self, usize, usize)> {
        let cells = known.cells()?;
        let folded = detached(py, || self.0.fold_in(&table(cells, labels, Duplicates::Refuse)?))?;
        Ok((Self(folded.recommends), folded.rows, folded.cols))
    }

    /// What is told of the fit, as JSON.
    fn summary(&self) -> String {
        let done = &self.0;
        json!({
            "model": done.settings.model.name(),
            "rows": done.factors.shape().0,
            "cols": done.factors.shape().1,
            "range": [done.range.0, done.range.1],
            "levels": done.scale.as_ref().map(|scale| scale.levels().to_vec()),
            "mean": done.factors.mean,
            "holdout_rmse": done.held_rmse,
            "parameters": done.parameters,
            "steps": done.steps,
            "stop_reason": done.reason.name(),
            "stop_words": done.reason.to_string(),
            "seconds": done.seconds,
            "seed": done.seed,
        })
        .to_string()
    }

    /// Offsets of rows and columns, and the factors of both, a row a line.
    fn factors<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(
        Bound<'py, PyArray1<f64>>,
        Bound<'py, PyArray1<f64>>,
        Bound<'py, PyArray2<f64>>,
        Bound<'py, PyArray2<f64>>,
    )> {
        let factors = &self.0.factors;
        Ok((
            PyArray1::from_slice(py, &factors.rows),
            PyArray1::from_slice(py, &factors.cols),
            array(py, &factors.left.t().to_mat())?,
            array(py, &factors.right.t().to_mat())?,
        ))
    }

    /// Writes the file that the program writes of a recommender.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.0.save(&path))
    }

    /// The bytes of this file.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let file = temporary()?;
            self.0.save(file.path())?;
            std::fs::read(file.path()).map_err(|e| Error::io(file.path(), "read", e))
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Labels of rows and of columns.
    fn labels(&self) -> (Vec<String>, Vec<String>) {
        let (rows, cols) = self.0.factors.shape();
        let named = |labels: &Option<Vec<String>>, count: usize| {
            labels.clone().unwrap_or_else(|| (0..count).map(|id| id.to_string()).collect())
        };
        (named(&self.0.row_labels, rows), named(&self.0.col_labels, cols))
    }
}

impl Recommender {
    fn pairs(
        &self,
        rows: &[String],
        cols: &[String],
    ) -> Result<impl Iterator<Item = (Option<usize>, Option<usize>)>> {
        if rows.len() != cols.len() {
            return Err(Error::shape("the list of items", rows.len(), cols.len()));
        }
        let (row_ids, col_ids) = (self.0.rows(), self.0.cols());
        Ok(rows.iter().zip(cols).map(move |(i, j)| (row_ids.of(i), col_ids.of(j))))
    }

    fn named(&self, scored: Vec<(usize, f64)>) -> Vec<(String, f64)> {
        let label = |id: usize| match &self.0.col_labels {
            Some(labels) => labels[id].clone(),
            None => id.to_string(),
        };
        scored.into_iter().map(|(id, score)| (label(id), score)).collect()
    }
}

fn temporary() -> Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new().map_err(|e| Error::io(std::env::temp_dir(), "write to", e))
}

/// What [`Recommender::state`] gave.
#[pyfunction]
fn recommender_of(py: Python<'_>, bytes: &[u8]) -> PyResult<Recommender> {
    detached(py, || {
        let file = temporary()?;
        std::fs::write(file.path(), bytes).map_err(|e| Error::io(file.path(), "write", e))?;
        Recommends::load(file.path()).map(Recommender)
    })
}

/// The recommender in a file.
#[pyfunction]
fn load_recommender(py: Python<'_>, path: PathBuf) -> PyResult<Recommender> {
    detached(py, || Recommends::load(&path).map(Recommender))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Recommender>()?;
    module.add_function(wrap_pyfunction!(recommend, module)?)?;
    module.add_function(wrap_pyfunction!(recommender_of, module)?)?;
    module.add_function(wrap_pyfunction!(load_recommender, module)?)
}
