//! `analyse`: the spectrum and the balance of what was learned.

use std::path::Path;

use deepmf::analysis::{
    effective_rank, max_balancedness_gap, nuclear_norm, numerical_rank, stable_rank,
};
use deepmf::linalg::{Mat, singular_values};
use deepmf::model::Tensors;
use deepmf::report::{Column, Table};
use deepmf::{Error, Result};
use serde_json::{Value, json};

use super::Ending;
use crate::args::Analyse;
use crate::failure::Failure;
use crate::output;
use crate::run_folder::MODEL;

/// Singular values below this part of the largest count as zero.
const TOLERANCE: f64 = 1e-10;
/// Singular values that a terminal shows.
const SHOWN: usize = 20;

/// Runs what was typed.
pub(crate) fn run(args: &Analyse) -> Result<Ending, Failure> {
    let path = if args.factors.is_dir() { args.factors.join(MODEL) } else { args.factors.clone() };
    let layers = layers(&path)?;
    let facts = facts(&layers)?;
    if args.json {
        output::json(&facts)?;
    } else {
        output::stdout(text(&facts)?.as_bytes())?;
    }
    Ok(Ending::Done)
}

fn layers(path: &Path) -> Result<Vec<Mat>> {
    let layers = Tensors::load(path)?.layers();
    if layers.is_empty() {
        return Err(Error::data(
            path,
            "must hold `layers.0`, `layers.1` and so on, but it holds none",
        ));
    }
    for (place, pair) in layers.windows(2).enumerate() {
        if pair[0].rows() != pair[1].cols() {
            let problem = format!(
                "`layers.{}` must have {} columns, but it has {}",
                place + 1,
                pair[0].rows(),
                pair[1].cols()
            );
            return Err(Error::data(path, problem));
        }
    }
    Ok(layers)
}

fn facts(layers: &[Mat]) -> Result<Value> {
    let product =
        layers[1..].iter().fold(layers[0].clone(), |product, layer| layer.times(&product));
    let values = singular_values(product.view())?;
    let views: Vec<_> = layers.iter().map(Mat::view).collect();
    let mut widths: Vec<usize> = layers.iter().map(Mat::cols).collect();
    widths.push(product.rows());
    let gap = if layers.len() > 1 { Some(max_balancedness_gap(&views)?) } else { None };
    Ok(json!({
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
    }))
}

fn text(facts: &Value) -> Result<String> {
    let widths: Vec<String> =
        facts["widths"].as_array().into_iter().flatten().map(Value::to_string).collect();
    let mut table = Table::new(
        format!(
            "W = product of {} layers, widths {} from the right",
            facts["depth"],
            widths.join(", ")
        ),
        vec![Column::left("quantity"), Column::right("value")],
    );
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
