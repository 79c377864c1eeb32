//! Experiments from their files, and figures as SVG.

use std::path::PathBuf;

use deepmf::experiment::{Experiment, Outcome, RunOptions};
use deepmf::report::{Axis, Figure, Layer};
use deepmf::{Error, Result, spec};
use numpy::PyArray1;
use pyo3::prelude::*;
use serde_json::{Map, Value, json};

use crate::completion::recorded;
use crate::work::{detached, stoppable};

/// A spec with every default filled in, as TOML.
#[pyfunction]
fn complete_spec(py: Python<'_>, text: &str) -> PyResult<String> {
    detached(py, || spec::parse(text, "spec".as_ref())?.toml())
}

/// The trials of an experiment: the name and the fingerprint of each.
#[pyfunction]
fn trials(py: Python<'_>, text: &str, base: PathBuf) -> PyResult<Vec<(String, String)>> {
    detached(py, || {
        let experiment = Experiment::new(spec::parse(text, "spec".as_ref())?, &base)?;
        let trials = experiment.trials().iter();
        Ok(trials.map(|trial| (trial.name(), trial.fingerprint.clone())).collect())
    })
}

/// One trial: its numbers as JSON, and what was recorded along it.
type Trial<'py> = (String, Vec<(String, Bound<'py, PyArray1<f64>>)>);

/// Runs the text of an experiment file, or the trials at some places of it.
#[pyfunction]
#[pyo3(signature = (text, base, folder=None, threads=None, resume=false, places=None))]
fn run_experiment<'py>(
    py: Python<'py>,
    text: &str,
    base: PathBuf,
    folder: Option<PathBuf>,
    threads: Option<usize>,
    resume: bool,
    places: Option<Vec<usize>>,
) -> PyResult<(Vec<Trial<'py>>, bool)> {
    let (trials, stopped) = stoppable(py, None, |desk| {
        let experiment = Experiment::new(spec::parse(text, "spec".as_ref())?, &base)?;
        let options = RunOptions {
            folder,
            threads,
            interrupt: Some(desk.flag()),
            resume,
            ..RunOptions::default()
        };
        let all = experiment.trials();
        let places = places.unwrap_or_else(|| (0..all.len()).collect());
        if let Some(place) = places.iter().find(|place| **place >= all.len()) {
            return Err(Error::parameter("a place", format!("below {}", all.len()), place));
        }
        let reports = experiment.run_some(&places, &options)?;
        let names = numbers();
        let trials = places.iter().zip(reports).map(|(place, report)| {
            let trial = &all[*place];
            let mut map = Map::new();
            map.insert("name".into(), json!(report.name));
            map.insert("fingerprint".into(), json!(trial.fingerprint));
            map.insert("seed".into(), json!(trial.spec.seed));
            for (key, value) in &trial.values {
                map.insert(key.clone(), json!(value));
            }
            let outcome = match &report.outcome {
                Outcome::Done(_) => "done",
                Outcome::Found(_) => "found",
                Outcome::Skipped(_) => "skipped",
                Outcome::Interrupted => "interrupted",
            };
            map.insert("outcome".into(), json!(outcome));
            if let Some(result) = report.result() {
                map.insert("stop_reason".into(), json!(result.reason.name()));
                map.insert("steps".into(), json!(result.steps));
                for name in &names {
                    if let Some(x) = result.number(name).filter(|x| x.is_finite()) {
                        map.insert((*name).into(), json!(x));
                    }
                }
            }
            Ok((Value::Object(map).to_string(), report.trajectory()?))
        });
        trials.collect::<Result<Vec<_>>>()
    })?;
    let trials = trials.into_iter();
    Ok((trials.map(|(words, course)| (words, recorded(py, &course))).collect(), stopped))
}

/// The numbers that a trial may have.
fn numbers() -> Vec<&'static str> {
    vec![
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
        "rmse",
        "mae",
        "exact_rate",
        "log_loss",
        "holdout_rmse",
        "parameters",
        "seconds",
    ]
}

/// A figure as SVG: lines or bars over one axis; `log` names the axes that are logarithmic.
#[pyfunction]
fn figure(
    py: Python<'_>,
    title: &str,
    axes: (String, String),
    log: (bool, bool),
    layers: Vec<(String, Vec<f64>, Vec<f64>)>,
    bars: bool,
) -> PyResult<String> {
    let axis = |label: &String, log: bool| if log { Axis::log(label) } else { Axis::linear(label) };
    detached(py, || {
        let mut figure = Figure::new(title, axis(&axes.0, log.0), axis(&axes.1, log.1));
        for (name, x, y) in layers {
            figure =
                figure.with(if bars { Layer::bars(name, x, y) } else { Layer::line(name, x, y) });
        }
        figure.svg()
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(complete_spec, module)?)?;
    module.add_function(wrap_pyfunction!(trials, module)?)?;
    module.add_function(wrap_pyfunction!(run_experiment, module)?)?;
    module.add_function(wrap_pyfunction!(figure, module)?)
}
