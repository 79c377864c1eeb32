//! `recommend compare`: models side by side on the same folds.

use deepmf::apps::{Compared, compare_recommenders};
use deepmf::report::{Cell, Column, Table};
use serde_json::{Value, json};

use super::Ending;
use super::recommend::ratings;
use crate::args::RecommendCompare;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Talk};

/// Runs what was typed.
pub(crate) fn run(args: &RecommendCompare, talk: Talk) -> Result<Ending, Failure> {
    let table = ratings(&args.ratings, &args.input, None, "the ratings")?;
    let (settings, flag) = (args.settings(), interrupt::flag());
    let found = compare_recommenders(&settings, &table, args.folds, args.seed, Some(&flag))?;
    if args.json {
        let models: Vec<Value> = found.iter().map(compared).collect();
        let (ratings, folds) = (table.entries.len(), args.folds);
        output::json(&json!({"ratings": ratings, "folds": folds, "models": models}))?;
    }
    let names = ["RMSE", "\u{b1}", "MAE", "exact", "log-loss", "seconds"].map(Column::right);
    let mut lines = Table::new("Compared", [vec![Column::left("model")], names.to_vec()].concat());
    for c in &found {
        let numbers = [
            Some(c.rmse),
            Some(c.rmse_error),
            Some(c.mae),
            c.exact_rate,
            c.log_loss,
            Some(c.seconds),
        ];
        let name = c.settings.model.name();
        lines.push([vec![name.into()], numbers.map(Cell::from).to_vec()].concat())?;
    }
    talk.table(&lines);
    Ok(if found.len() == settings.len() { Ending::Done } else { Ending::No })
}

fn compared(c: &Compared) -> Value {
    json!({
        "model": c.settings.model.name(),
        "rmse": c.rmse,
        "rmse_error": c.rmse_error,
        "mae": c.mae,
        "exact_rate": c.exact_rate,
        "log_loss": c.log_loss,
        "seconds": c.seconds,
    })
}
