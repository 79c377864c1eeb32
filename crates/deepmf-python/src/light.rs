//! A hidden light and the transport, from their product alone.

use deepmf::analysis::metrics;
use deepmf::apps::{FoundLight, LightTransport};
use deepmf::data::{Scene, SceneSettings, Video};
use deepmf::linalg::Mat;
use deepmf::spec::{
    MatrixTransport, SparseTransport, VariationTransport, VideoTransport, laid_over,
};
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::completion::recorded;
use crate::failure::raised;
use crate::numbers::{array, settings, view};
use crate::work::{detached, stoppable};

/// T and L of each colour, what is told, what was recorded.
type Light<'py> = (
    Vec<Bound<'py, PyArray2<f64>>>,
    Vec<Bound<'py, PyArray2<f64>>>,
    String,
    Vec<(String, Bound<'py, PyArray1<f64>>)>,
);

/// The settings of a preset, but for what is given.
fn over<T: Serialize + DeserializeOwned>(preset: &T, given: &str) -> PyResult<T> {
    settings(&laid_over(preset, settings(given)?).to_string())
}

fn preset<T: Default>(name: &str, fast: T) -> PyResult<T> {
    match name {
        "fast" => Ok(fast),
        "published" => Ok(T::default()),
        other => Err(raised(&Error::parameter("preset", "`fast` or `published`", other))),
    }
}

fn told<'py>(
    py: Python<'py>,
    found: &FoundLight,
    hidden: Option<(usize, usize)>,
) -> PyResult<Light<'py>> {
    let arrays = |matrices: &[Mat]| matrices.iter().map(|matrix| array(py, matrix)).collect();
    let kept = found.kept();
    let summary = json!({
        "hidden": hidden,
        "steps": kept.steps,
        "seconds": found.seconds,
        "stop_reason": kept.reason.name(),
        "stop_words": kept.reason.to_string(),
        "held_out_error": kept.held_out_error,
        "objective": kept.objective,
        "agreement": kept.agreement,
        "product_error": kept.product_error,
        "chosen_seed": kept.seed,
        "kept": kept.kept,
        "parameters": found.parameters,
        "trials": found.trials,
        "warnings": found.warnings,
    });
    let (transport, light): (PyResult<_>, PyResult<_>) =
        (arrays(&found.transport), arrays(&found.light));
    Ok((transport?, light?, summary.to_string(), recorded(py, &found.trajectory)))
}

fn fitted<'py>(
    py: Python<'py>,
    (seed, hidden): (u64, Option<(usize, usize)>),
    listener: Option<&Bound<'py, PyAny>>,
    fit: impl FnOnce(&LightTransport<'_>) -> Result<FoundLight> + Send,
) -> PyResult<(Light<'py>, bool)> {
    let listens = listener.is_some();
    let (found, stopped) = stoppable(py, listener, |desk| {
        let app = LightTransport::new(seed).interrupt(desk.flag());
        let app = if listens { app.watch(desk.watch()) } else { app };
        fit(&app)
    })?;
    Ok((told(py, &found, hidden)?, stopped))
}

/// T and L of a matrix, whose columns are moments of time; whether Ctrl-C stopped it is the last part of the answer.
#[pyfunction]
#[pyo3(signature = (observed, preset_name, settings_json, seed, listener=None))]
fn light_of_matrix<'py>(
    py: Python<'py>,
    observed: PyReadonlyArray2<'py, f64>,
    preset_name: &str,
    settings_json: &str,
    seed: u64,
    listener: Option<Bound<'py, PyAny>>,
) -> PyResult<(Light<'py>, bool)> {
    let settings = over(&preset(preset_name, MatrixTransport::fast())?, settings_json)?;
    let observed = view(&observed)?.to_mat();
    fitted(py, (seed, None), listener.as_ref(), |app| app.matrix(&settings, &observed))
}

/// T and L of a matrix, whose columns are moments of time, both of least variation or L sparse; otherwise as `light_of_matrix`.
#[pyfunction]
#[pyo3(signature = (observed, inner, sparse, settings_json, seed, listener=None))]
fn light_of_images<'py>(
    py: Python<'py>,
    observed: PyReadonlyArray2<'py, f64>,
    inner: usize,
    sparse: bool,
    settings_json: &str,
    seed: u64,
    listener: Option<Bound<'py, PyAny>>,
) -> PyResult<(Light<'py>, bool)> {
    let observed = view(&observed)?.to_mat();
    if sparse {
        let settings = over(&SparseTransport::default(), settings_json)?;
        return fitted(py, (seed, None), listener.as_ref(), |app| {
            app.sparse(&settings, inner, &observed)
        });
    }
    let settings = over(&VariationTransport::default(), settings_json)?;
    fitted(py, (seed, None), listener.as_ref(), |app| app.variation(&settings, inner, &observed))
}

/// T and L of a video of frames x height x width x channels, its values one after another.
#[pyfunction]
#[pyo3(signature = (shape, values, preset_name, settings_json, seed, listener=None))]
fn light_of_video<'py>(
    py: Python<'py>,
    shape: [usize; 4],
    values: PyReadonlyArray1<'py, f64>,
    preset_name: &str,
    settings_json: &str,
    seed: u64,
    listener: Option<Bound<'py, PyAny>>,
) -> PyResult<(Light<'py>, bool)> {
    let settings: VideoTransport =
        over(&preset(preset_name, VideoTransport::fast())?, settings_json)?;
    let values = values.as_slice()?.to_vec();
    let fit = |app: &LightTransport<'_>| app.video(&settings, &Video::new(shape, values)?);
    fitted(py, (seed, Some(settings.hidden)), listener.as_ref(), fit)
}

/// Correlation, PSNR, SSIM and the flip of a light of pixels x time beside the true one, a matrix for each colour; without a grid the pixels are a line.
#[pyfunction]
#[pyo3(signature = (found, truth, grid=None))]
fn compare_light(
    py: Python<'_>,
    found: Vec<PyReadonlyArray2<'_, f64>>,
    truth: Vec<PyReadonlyArray2<'_, f64>>,
    grid: Option<(usize, usize)>,
) -> PyResult<(f64, f64, f64, String)> {
    let matrices = |all: &[PyReadonlyArray2<'_, f64>]| -> PyResult<Vec<Mat>> {
        all.iter().map(|matrix| Ok(view(matrix)?.to_mat())).collect()
    };
    let (found, truth) = (matrices(&found)?, matrices(&truth)?);
    let agreement = detached(py, || match (grid, &found[..], &truth[..]) {
        (None, [found], [truth]) => metrics::compare_lines(found, truth),
        (grid, ..) => metrics::compare_videos(&found, &truth, grid.unwrap_or_default()),
    })?;
    Ok((agreement.correlation, agreement.psnr, agreement.ssim, agreement.flip.name().into()))
}

/// Observed and hidden video as their shapes and values, and the transport, of a simulated scene.
#[pyfunction]
fn make_scene(
    py: Python<'_>,
    observed: (usize, usize),
    hidden: (usize, usize),
    frames: usize,
    seed: u64,
) -> PyResult<(Bound<'_, PyArray1<f64>>, Bound<'_, PyArray1<f64>>, Bound<'_, PyArray2<f64>>)> {
    let settings = SceneSettings { observed, hidden, frames, ..SceneSettings::default() };
    let scene = detached(py, || Scene::simulated(&settings, seed))?;
    let numbers = |video: &Video| PyArray1::from_slice(py, video.values());
    Ok((numbers(&scene.observed), numbers(&scene.hidden), array(py, &scene.transport)?))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(light_of_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(light_of_images, module)?)?;
    module.add_function(wrap_pyfunction!(light_of_video, module)?)?;
    module.add_function(wrap_pyfunction!(compare_light, module)?)?;
    module.add_function(wrap_pyfunction!(make_scene, module)?)
}
