//! Clusters of samples that several views describe.

use std::path::PathBuf;

use deepmf::apps;
use deepmf::data::{Duplicates, Features, View};
use deepmf::spec::ClusteringSettings;
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::completion::recorded;
use crate::numbers::{Cells, Known, array, places, settings};
use crate::work::{detached, stoppable};

/// Samples in clusters.
#[pyclass(frozen, module = "deepmf._deepmf")]
struct Clustered(apps::Clustered);

/// Views by their names; what a list of entries does not hold is zero.
fn views(named: &[(String, Cells<'_>)]) -> Result<Vec<View>> {
    let of = |(name, cells): &(String, Cells<'_>)| {
        let features = match cells {
            Cells::Dense(values) => {
                let (rows, cols) = values.dim();
                let at = |i: usize, j: usize| values[[i, j]];
                Features::Dense(deepmf::linalg::Mat::from_fn(rows, cols, at))
            }
            Cells::Listed(..) => Features::Sparse(cells.entries(Duplicates::Refuse)?),
        };
        View::new(name, features)
    };
    named.iter().map(of).collect()
}

type Named<'py> = Vec<(String, Known<'py>)>;

fn seen<'a>(named: &'a Named<'_>) -> PyResult<Vec<(String, Cells<'a>)>> {
    named.iter().map(|(name, known)| Ok((name.clone(), known.cells()?))).collect()
}

/// Clusters samples; whether Ctrl-C stopped it is the second part of the answer.
#[pyfunction]
fn cluster(
    py: Python<'_>,
    named: Named<'_>,
    settings_json: &str,
    repeats: usize,
    seed: u64,
) -> PyResult<(Clustered, bool)> {
    let settings: ClusteringSettings = settings(settings_json)?;
    let cells = seen(&named)?;
    let (done, stopped) = stoppable(py, None, |desk| {
        let clustering = apps::Clustering::new(settings)?.interrupt(desk.flag());
        let all = clustering.repeated(&views(&cells)?, repeats, seed)?;
        apps::best_of(&all).cloned()
    })?;
    Ok((Clustered(done), stopped))
}

#[pymethods]
impl Clustered {
    /// The clusters of new samples, given in the same views.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        named: Named<'_>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let cells = seen(&named)?;
        let labels = detached(py, || self.0.predict(&views(&cells)?))?;
        Ok(places(py, &labels))
    }

    /// The cluster of each sample.
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        places(py, &self.0.labels)
    }

    /// What they were found by, samples x clusters.
    fn embedding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        array(py, &self.0.embedding)
    }

    /// The weights of the views, and those of the features of each view.
    fn weights<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyArray1<f64>>, Vec<Bound<'py, PyArray1<f64>>>) {
        let features = self.0.feature_weights.iter();
        let features = features.map(|weights| PyArray1::from_slice(py, weights)).collect();
        (PyArray1::from_slice(py, &self.0.view_weights), features)
    }

    /// What is told of the fit, as JSON; the keys are those of the program.
    fn summary(&self) -> String {
        let done = &self.0;
        let preparations: Vec<String> = done.preparations.iter().map(ToString::to_string).collect();
        json!({
            "method": done.method.name(),
            "n": done.labels.len(),
            "views": done.view_weights.len(),
            "clusters": done.clusters,
            "clusters_chosen": done.clusters_chosen,
            "objective": done.objective,
            "iterations": done.sweeps(),
            "stop_reason": done.reason.name(),
            "stop_words": done.reason.to_string(),
            "p": done.exponent,
            "best_view": done.best_view,
            "preparations": preparations,
        })
        .to_string()
    }

    /// Names of what was recorded, and its numbers.
    fn trajectory<'py>(&self, py: Python<'py>) -> Vec<(String, Bound<'py, PyArray1<f64>>)> {
        recorded(py, &self.0.trajectory)
    }

    /// Writes one file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.0.save(&path))
    }

    /// The bytes of this file.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let folder = crate::completion::temporary()?;
            let path = folder.path().join("clusters");
            self.0.save(&path)?;
            std::fs::read(&path).map_err(|e| Error::io(&path, "read", e))
        })?;
        Ok(PyBytes::new(py, &bytes))
    }
}

/// What [`Clustered::state`] gave.
#[pyfunction]
fn clustered_of(py: Python<'_>, bytes: &[u8]) -> PyResult<Clustered> {
    detached(py, || {
        let folder = crate::completion::temporary()?;
        let path = folder.path().join("clusters");
        deepmf::data::write_whole(&path, bytes)?;
        apps::Clustered::load(&path).map(Clustered)
    })
}

/// The clustering in a file.
#[pyfunction]
fn load_clustered(py: Python<'_>, path: PathBuf) -> PyResult<Clustered> {
    detached(py, || apps::Clustered::load(&path)).map(Clustered)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Clustered>()?;
    module.add_function(wrap_pyfunction!(cluster, module)?)?;
    module.add_function(wrap_pyfunction!(clustered_of, module)?)?;
    module.add_function(wrap_pyfunction!(load_clustered, module)?)
}
