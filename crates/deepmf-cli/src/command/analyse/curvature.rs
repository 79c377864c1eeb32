//! Sharpness, trace and density of the Hessian on the problem that was asked for.

use std::path::{Path, PathBuf};
use std::time::Instant;

use deepmf::analysis::{
    Density, Hessian, Kind, hessian_trace, induced_trace, isotropic_trace, layer_traces,
    least_sharpness, relative_residual, sharpness, sharpness_lower_bound, sharpness_upper_bound,
    spectral_density, unbalanced_layer,
};
use deepmf::experiment::{Experiment, build};
use deepmf::linalg::{Mat, MatRef};
use deepmf::model::DeepLinear;
use deepmf::problem::{Constant, Problem};
use deepmf::report::{Column, Table, number};
use deepmf::train::{Flattest, StopReason};
use deepmf::{Error, Result, data};
use serde_json::{Map, Value, json};

use crate::args::{Analyse, ConstantName};
use crate::run_folder::SPEC;

/// Random directions and Lanczos steps of a density.
const PROBES: usize = 10;
const STEPS: usize = 80;
/// Measurements up to which the least trace is searched where no closed form is known.
const SEARCHED: usize = 200_000;

/// What is asked for.
pub(super) struct Asked {
    source: Source,
    constant: Option<Constant>,
    /// What the user should know of the problem.
    told: Option<&'static str>,
    sharpness: bool,
    trace: bool,
    density: bool,
    tolerance: f64,
}

/// Where the problem is from.
enum Source {
    /// Every entry of the product itself.
    Full,
    Table(PathBuf),
    Experiment(PathBuf),
}

/// What was found.
pub(super) struct Found {
    pub(super) facts: Map<String, Value>,
    pub(super) density: Option<Density>,
    /// What the user should know.
    pub(super) told: Vec<String>,
}

impl Asked {
    /// What was typed; without --problem that of the run, where its spec is an experiment.
    pub(super) fn of(args: &Analyse) -> Self {
        let spec = args.factors[0].join(SPEC);
        let completion = spec.is_file() && Experiment::load(&spec).is_err();
        let source = match args.problem.as_deref() {
            Some(path) if path == Path::new("full") => Source::Full,
            Some(path) if path.extension().is_some_and(|it| it == "toml") => {
                Source::Experiment(path.into())
            }
            Some(path) => Source::Table(path.into()),
            // The spec of a completion is not an experiment: its problem has offsets taken out.
            None if spec.is_file() && !completion => Source::Experiment(spec),
            None => Source::Full,
        };
        let told = completion.then_some(match source {
            Source::Full => {
                "the spec of a completion is no experiment: every entry of the product of its layers counts as seen"
            }
            _ => {
                "the layers of a completion fit what is left of its table after offsets and scaling, not the table"
            }
        });
        let constant = args.constant.map(|name| match name {
            ConstantName::Sum => Constant::Sum,
            ConstantName::HalfSum => Constant::HalfSum,
            ConstantName::Mean => Constant::Mean,
            ConstantName::HalfMean => Constant::HalfMean,
        });
        let Analyse { sharpness, trace, density, tolerance, .. } = *args;
        Self { source, constant, told, sharpness, trace, density, tolerance }
    }

    /// The problem, and what it is in words.
    fn problem(&self, product: &Mat) -> Result<(String, Problem)> {
        let constant = self.constant.unwrap_or(Constant::Sum);
        let loss = match constant {
            Constant::Sum => "sum of squares",
            Constant::HalfSum => "half the sum of squares",
            Constant::Mean => "mean square",
            Constant::HalfMean => "half the mean square",
        };
        Ok(match &self.source {
            Source::Full => {
                (format!("every entry of the product, {loss}"), Problem::full(product, constant)?)
            }
            Source::Table(path) => {
                let entries = data::read(path)?.entries;
                let (expected, found) = ((product.rows(), product.cols()), entries.shape());
                if expected != found {
                    let problem = format!(
                        "must be a table of {} x {} like the product, but it is {} x {}",
                        expected.0, expected.1, found.0, found.1
                    );
                    return Err(Error::data(path, problem));
                }
                let problem = Problem::completion_with(&entries, constant)?;
                (format!("{} entries of {}, {loss}", entries.len(), path.display()), problem)
            }
            Source::Experiment(path) => {
                if self.constant.is_some() {
                    let expected = "left out where the problem is that of an experiment";
                    return Err(Error::parameter("--constant", expected, "given"));
                }
                let experiment = Experiment::load(path)?;
                let parts = build(&experiment.trials()[0].spec, &experiment.base)?;
                let count = parts.problem.measurements();
                (format!("{count} measurements of {}", path.display()), parts.problem)
            }
        })
    }
}

/// Measures what was asked for.
pub(super) fn measure(asked: &Asked, layers: &[MatRef<'_>]) -> Result<Found> {
    let model = DeepLinear::of_layers(layers)?;
    let product = model.product();
    let (name, problem) = asked.problem(&product)?;
    let begun = Instant::now();
    let (mut facts, mut told, mut density) =
        (Map::new(), Vec::from_iter(asked.told.map(String::from)), None);
    facts.insert("problem".into(), name.into());
    if asked.sharpness {
        let found = sharpness(&problem, layers, asked.tolerance)?;
        let bound = |found: Result<f64>| found.map(Some);
        let (upper, lower, least) = if found.at_minimizer {
            let lower = sharpness_lower_bound(&problem, product.view(), layers.len());
            (
                bound(sharpness_upper_bound(&problem, layers))?,
                bound(lower)?,
                least_sharpness(&problem, layers)?,
            )
        } else {
            (None, None, None)
        };
        facts.extend(object(json!({
            "residual": found.residual,
            "at_minimizer": found.at_minimizer,
            "sharpness": found.value,
            "sharpness_interval": [found.interval.0, found.interval.1],
            "sharpness_bound_upper": upper,
            "sharpness_bound_lower": lower,
            "sharpness_minimum": least,
            "flatness_gap": least.map(|least| found.value / least),
        })));
        if !found.at_minimizer {
            told.push(format!(
                "the loss is not near zero: the relative residual is {:.3e}, so the sharpness is that of the Hessian where the layers are; bounds are those of minima and are left out",
                found.residual
            ));
        }
    } else {
        facts.insert("residual".into(), json!(relative_residual(&problem, layers)?));
    }
    if asked.trace {
        let depth = layers.len();
        let mut induced = induced_trace(&problem, product.view(), depth)?;
        if induced.is_none() && depth > 1 && problem.measurements() <= SEARCHED {
            let found = Flattest::new(1e-9)?.sweeps(1_000).fit(&problem, product.view(), depth)?;
            induced = (found.reason == StopReason::ObjectiveSettled).then_some(found.trace);
        }
        facts.extend(object(json!({
            "trace": hessian_trace(&problem, layers)?,
            "trace_isotropic": isotropic_trace(&problem, layers)?,
            "layer_traces": layer_traces(&problem, layers)?,
            "induced_minimum": induced,
        })));
    }
    if asked.density {
        let mut hessian = Hessian::new(&problem, &model, Kind::Full)?;
        let found = spectral_density(&mut hessian, PROBES, STEPS, 0)?;
        facts.insert("density".into(), json!(found.nodes));
        density = Some(found);
    }
    facts.insert("seconds".into(), json!(begun.elapsed().as_secs_f64()));
    Ok(Found { facts, density, told })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What was measured, one quantity a line.
pub(super) fn table(facts: &Map<String, Value>) -> Result<Table> {
    let estimated = facts.contains_key("density");
    let drawn = format!("; shares are estimated from {PROBES} random directions");
    let drawn = if estimated { drawn.as_str() } else { "" };
    let caption = format!("curvature on {}{drawn}", facts["problem"].as_str().unwrap_or_default());
    let mut table = Table::new(caption, vec![Column::left("quantity"), Column::right("value")]);
    let keys = [
        "residual",
        "sharpness",
        "sharpness_bound_lower",
        "sharpness_bound_upper",
        "sharpness_minimum",
        "flatness_gap",
        "trace",
        "trace_isotropic",
        "induced_minimum",
    ];
    for key in keys {
        if let Some(value) = facts.get(key).and_then(Value::as_f64) {
            let exact = matches!(key, "sharpness" | "trace");
            let value = if exact { format!("{value:.10}").into() } else { value.into() };
            table.push(vec![key.replace('_', " ").into(), value])?;
        }
    }
    if let Some(at) = facts.get("at_minimizer").and_then(Value::as_bool) {
        table.push(vec!["at a minimum".into(), if at { "yes" } else { "no" }.into()])?;
    }
    if let Some([low, high]) =
        facts.get("sharpness_interval").and_then(Value::as_array).map(Vec::as_slice)
    {
        let ends = [low, high].map(|end| format!("{:.10}", end.as_f64().unwrap_or(f64::NAN)));
        table.push(vec!["sharpness interval".into(), ends.join(" to ").into()])?;
    }
    for (key, words) in [
        ("spectral_balance", "spectrally unbalanced"),
        ("frobenius_balance", "unbalanced in Frobenius norm"),
    ] {
        let values = facts.get(key).and_then(Value::as_array).into_iter().flatten();
        let values: Vec<f64> = values.filter_map(Value::as_f64).collect();
        let told = unbalanced_layer(&values, 1e-6).map_or_else(
            || "no layer".into(),
            |(layer, factor)| format!("layer {layer} most, {} of its share", number(factor)),
        );
        table.push(vec![words.into(), told.into()])?;
    }
    for (key, words) in [
        ("layer_traces", "trace of layer"),
        ("spectral_balance", "spectral balance of layer"),
        ("frobenius_balance", "Frobenius balance of layer"),
    ] {
        let values = facts.get(key).and_then(Value::as_array).into_iter().flatten();
        for (j, value) in values.enumerate() {
            table.push(vec![format!("{words} {}", j + 1).into(), value.as_f64().into()])?;
        }
    }
    if let Some(nodes) = facts.get("density").and_then(Value::as_array) {
        let share = |keep: &dyn Fn(f64) -> bool| {
            let pairs =
                nodes.iter().filter_map(|node| Some((node[0].as_f64()?, node[1].as_f64()?)));
            pairs.filter(|(x, _)| keep(*x)).map(|(_, weight)| weight).sum::<f64>()
        };
        let largest = nodes.last().and_then(|node| node[0].as_f64()).unwrap_or_default();
        let near = 1e-6 * largest.abs();
        table.push(vec!["eigenvalues below zero, share".into(), share(&|x| x < -near).into()])?;
        table
            .push(vec!["eigenvalues at zero, share".into(), share(&|x| x.abs() <= near).into()])?;
        table.push(vec![
            "eigenvalues above half of the largest, share".into(),
            share(&|x| x > 0.5 * largest).into(),
        ])?;
    }
    Ok(table)
}
