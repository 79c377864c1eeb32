//! Sensing: a matrix from its inner products with known operators.

use deepmf::problem;
use deepmf::spec::SensingSettings;
use deepmf::{Error, Result, apps};
use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;
use serde_json::json;

use crate::numbers::{array, arrays, settings};
use crate::work::stoppable;

/// A recovered matrix, its layers, what is told, what was recorded.
type Sensed<'py> = (
    Bound<'py, PyArray2<f64>>,
    Vec<Bound<'py, PyArray2<f64>>>,
    String,
    Vec<(String, Bound<'py, numpy::PyArray1<f64>>)>,
);

/// Operators m x rows x cols, row after row, as the library keeps them: each column after column.
pub(crate) fn operators(
    values: &[f64],
    (count, rows, cols): (usize, usize, usize),
) -> Result<problem::Sensing> {
    if count == 0 {
        return Err(Error::parameter("the number of operators", "1 or more", count));
    }
    let cells = rows * cols;
    let mut turned = Vec::with_capacity(values.len());
    for operator in values.chunks_exact(cells.max(1)) {
        for j in 0..cols {
            turned.extend((0..rows).map(|i| operator[i * cols + j]));
        }
    }
    problem::Sensing::new((rows, cols), turned)
}

/// Recovers a matrix from operators (m x rows x cols) and m measurements.
#[pyfunction]
#[pyo3(signature = (operators_, measured, settings_json, seed, told=None))]
fn sense<'py>(
    py: Python<'py>,
    operators_: PyReadonlyArray3<'py, f64>,
    measured: PyReadonlyArray1<'py, f64>,
    settings_json: &str,
    seed: u64,
    told: Option<Bound<'py, PyAny>>,
) -> PyResult<(Sensed<'py>, bool)> {
    let settings: SensingSettings = settings(settings_json)?;
    let axes = operators_.shape();
    let axes = (axes[0], axes[1], axes[2]);
    let (values, measured) = (operators_.as_slice()?, measured.as_slice()?);
    let listens = told.is_some();
    let (done, stopped) = stoppable(py, told.as_ref(), |desk| {
        let operators = operators(values, axes)?;
        let sensing = apps::Sensing::new(settings, seed).interrupt(desk.flag());
        let sensing = if listens { sensing.watch(desk.watch()) } else { sensing };
        sensing.fit((axes.1, axes.2), &operators, measured)
    })?;
    let told = json!({
        "rows": done.shape.0,
        "cols": done.shape.1,
        "measurements": done.measurements,
        "depth": done.depth,
        "width": done.width,
        "init_scale": done.init_scale,
        "steps": done.steps,
        "stop_reason": done.reason.name(),
        "stop_words": done.reason.to_string(),
        "train_rmse": done.train_rmse,
        "holdout_rmse": done.holdout_rmse,
        "effective_rank": done.effective_rank,
        "seconds": done.seconds,
        "seed": done.seed,
        "warnings": done.warnings,
    });
    let recorded = crate::completion::recorded(py, &done.run.trajectory);
    let layers = arrays(py, &done.model.layers())?;
    Ok(((array(py, &done.matrix)?, layers, told.to_string(), recorded), stopped))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sense, module)?)
}
