//! `analyse`: the spectrum, the balance and the curvature of what was learned.

mod curvature;
mod factors;
mod page;

use deepmf::analysis::{
    effective_rank, frobenius_balance, max_balancedness_gap, nuclear_norm, numerical_rank,
    spectral_balance, stable_rank,
};
use deepmf::linalg::{Mat, MatRef, singular_values};
use deepmf::report::{Column, Table};
use deepmf::{Error, Result};
use serde_json::{Map, Value, json};

use super::Ending;
use crate::args::Analyse;
use crate::failure::Failure;
use crate::output::{self, Talk};
use crate::place;

/// Singular values below this part of the largest count as zero.
const TOLERANCE: f64 = 1e-10;
/// Singular values that a terminal shows.
const SHOWN: usize = 20;

/// Runs what was typed.
pub(crate) fn run(args: &Analyse, talk: Talk) -> Result<Ending, Failure> {
    if let Some(page) = &args.report {
        let inputs: Vec<_> = args.factors.iter().map(std::path::PathBuf::as_path).collect();
        place::check_file(page, &inputs)?;
    }
    if !(args.tolerance.is_finite() && args.tolerance > 0.0) {
        return Err(Error::parameter("tolerance", "above 0", args.tolerance).into());
    }
    let curved = args.sharpness || args.trace || args.density;
    if !curved && (args.problem.is_some() || args.constant.is_some()) {
        let what = "--problem or --constant";
        let expected = "given with --sharpness, --trace or --density";
        return Err(Error::parameter(what, expected, "given without").into());
    }
    let layers = factors::read(&args.factors)?;
    let views: Vec<_> = layers.iter().map(Mat::view).collect();
    let mut facts = facts(&views)?;
    let (mut density, mut told) = (None, Vec::new());
    if curved {
        let asked = curvature::Asked::of(args);
        let found = curvature::measure(&asked, &views)?;
        found.told.iter().for_each(|told| talk.warning(told));
        told = found.told;
        facts.extend(found.facts);
        density = found.density;
    }
    if let Some(path) = &args.report {
        page::made(args, &facts, density.as_ref(), &told)?.save(path)?;
    }
    if args.json {
        output::json(&Value::Object(facts))?;
    } else {
        let mut text = Vec::new();
        if args.spectrum || !curved {
            text.push(spectrum(&facts)?);
        }
        if curved {
            text.push(curvature::table(&facts)?.text());
        }
        output::stdout(text.join("\n").as_bytes())?;
    }
    Ok(Ending::Done)
}

fn facts(layers: &[MatRef<'_>]) -> Result<Map<String, Value>> {
    let first = layers[0].to_mat();
    let product = layers[1..].iter().fold(first, |product, layer| layer.times(product.view()));
    let values = singular_values(product.view())?;
    let mut widths: Vec<usize> = layers.iter().map(MatRef::cols).collect();
    widths.push(product.rows());
    let gap = if layers.len() > 1 { Some(max_balancedness_gap(layers)?) } else { None };
    // A product of zero has no balance.
    let balance = |found: Result<Vec<f64>>| found.ok();
    let facts = json!({
        "rows": product.rows(),
        "cols": product.cols(),
        "depth": layers.len(),
        "widths": widths,
        "singular_values": values,
        "effective_rank": effective_rank(&values),
        "stable_rank": stable_rank(&values),
        "numerical_rank": numerical_rank(&values, TOLERANCE),
        "nuclear_norm": nuclear_norm(&values),
        "frobenius_norm": product.frobenius(),
        "balancedness_gap": gap,
        "spectral_balance": balance(spectral_balance(layers)),
        "frobenius_balance": balance(frobenius_balance(layers)),
    });
    match facts {
        Value::Object(facts) => Ok(facts),
        _ => Ok(Map::new()),
    }
}

/// What the layers are, in words.
fn title(facts: &Map<String, Value>) -> String {
    let widths: Vec<String> =
        facts["widths"].as_array().into_iter().flatten().map(Value::to_string).collect();
    let depth = &facts["depth"];
    format!("W = product of {depth} layers, widths {} from the right", widths.join(", "))
}

fn spectrum(facts: &Map<String, Value>) -> Result<String> {
    let columns = vec![Column::left("quantity"), Column::right("value")];
    let mut table = Table::new(title(facts), columns);
    let keys =
        ["effective_rank", "stable_rank", "nuclear_norm", "frobenius_norm", "balancedness_gap"];
    for key in keys {
        table.push(vec![key.replace('_', " ").into(), facts[key].as_f64().into()])?;
    }
    table.push(vec!["numerical rank".into(), facts["numerical_rank"].as_u64().into()])?;
    let mut spectrum =
        Table::new("singular values", vec![Column::right("place"), Column::right("value")]);
    let values = facts["singular_values"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (place, value) in values.iter().take(SHOWN).enumerate() {
        spectrum.push(vec![(place + 1).into(), value.as_f64().into()])?;
    }
    let mut text = format!("{}\n{}", table.text(), spectrum.text());
    if values.len() > SHOWN {
        text += &format!("{} more; --json gives all\n", values.len() - SHOWN);
    }
    Ok(text)
}
