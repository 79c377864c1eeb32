//! Sharpness, trace and density of the Hessian on the problem that was asked for.

use std::path::{Path, PathBuf};
use std::time::Instant;

use deepmf::analysis::{
    Density, Hessian, Kind, hessian_trace, induced_trace, isotropic_trace, layer_traces,
    least_sharpness, sharpness, sharpness_at_minimizer, sharpness_lower_bound,
    sharpness_upper_bound, spectral_density,
};
use deepmf::experiment::{Experiment, build};
use deepmf::linalg::{Mat, MatRef};
use deepmf::model::DeepLinear;
use deepmf::problem::{Constant, Problem};
use deepmf::report::{Column, Table};
use deepmf::train::Flattest;
use deepmf::{Result, data};
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
    constant: Constant,
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
    pub(super) told: Option<String>,
}

impl Asked {
    /// What was typed; without --problem that of the run, where its spec is an experiment.
    pub(super) fn of(args: &Analyse) -> Self {
        let spec = args.factors[0].join(SPEC);
        let source = match args.problem.as_deref() {
            Some(path) if path == Path::new("full") => Source::Full,
            Some(path) if path.extension().is_some_and(|it| it == "toml") => {
                Source::Experiment(path.into())
            }
            Some(path) => Source::Table(path.into()),
            // The spec of a completion is not an experiment: its problem has offsets taken out.
            None if spec.is_file() && Experiment::load(&spec).is_ok() => Source::Experiment(spec),
            None => Source::Full,
        };
        let constant = match args.constant {
            ConstantName::Sum => Constant::Sum,
            ConstantName::HalfSum => Constant::HalfSum,
            ConstantName::Mean => Constant::Mean,
            ConstantName::HalfMean => Constant::HalfMean,
        };
        let Analyse { sharpness, trace, density, tolerance, .. } = *args;
        Self { source, constant, sharpness, trace, density, tolerance }
    }

    fn problem(&self, product: &Mat) -> Result<(String, Problem)> {
        Ok(match &self.source {
            Source::Full => {
                ("every entry of the product".into(), Problem::full(product, self.constant)?)
            }
            Source::Table(path) => {
                let entries = data::read(path)?.entries;
                let problem = Problem::completion_with(&entries, self.constant)?;
                (format!("{} entries of {}", entries.len(), path.display()), problem)
            }
            Source::Experiment(path) => {
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
    let (mut facts, mut told, mut density) = (Map::new(), None, None);
    facts.insert("problem".into(), name.into());
    if asked.sharpness {
        let found = sharpness(&problem, layers, asked.tolerance)?;
        let least = least_sharpness(&problem, layers)?;
        facts.extend(object(json!({
            "residual": found.residual,
            "at_minimizer": found.at_minimizer,
            "sharpness": found.value,
            "sharpness_interval": [found.interval.0, found.interval.1],
            "sharpness_bound_upper": sharpness_upper_bound(&problem, layers)?,
            "sharpness_bound_lower": sharpness_lower_bound(&problem, product.view(), layers.len())?,
            "sharpness_minimum": least,
            "flatness_gap": least.map(|least| found.value / least),
        })));
        if !found.at_minimizer {
            told = Some(format!(
                "the layers are no minimum: the relative residual is {:.3e}, so the sharpness is that of the Hessian there; the bounds hold at minima",
                found.residual
            ));
        }
    } else {
        let residual = sharpness_at_minimizer(&problem, layers, 1.0)?.residual;
        facts.insert("residual".into(), json!(residual));
    }
    if asked.trace {
        let depth = layers.len();
        let mut induced = induced_trace(&problem, product.view(), depth)?;
        if induced.is_none() && depth > 1 && problem.measurements() <= SEARCHED {
            let search = Flattest::new(1e-9)?.sweeps(1_000);
            induced = Some(search.fit(&problem, product.view(), depth)?.trace);
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
    let caption = format!("curvature on {}", facts["problem"].as_str().unwrap_or_default());
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
            table.push(vec![key.replace('_', " ").into(), value.into()])?;
        }
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
