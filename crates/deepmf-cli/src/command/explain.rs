//! `recommend explain`: says which ratings of a row carried a prediction.

use deepmf::apps::{Recommends, Share};
use deepmf::data::{self, Form, Passthrough};
use deepmf::{Error, Result};
use serde_json::{Value, json};

use super::Ending;
use super::recommend::columns;
use crate::args::RecommendExplain;
use crate::failure::Failure;
use crate::output::{self, Talk};

/// Runs what was typed.
pub(crate) fn run(args: &RecommendExplain, talk: Talk) -> Result<Ending, Failure> {
    let model = Recommends::load(&args.model)?;
    let known = |what: &str, id: &str, place: Option<usize>| -> Result<usize> {
        let found = || format!("{id:?}");
        place.ok_or_else(|| Error::parameter(what, "one with a rating in the fit", found()))
    };
    let row = known("--row", &args.row, model.rows().of(&args.row))?;
    let col = known("--column", &args.column, model.cols().of(&args.column))?;
    let prediction = model.predict((Some(row), Some(col))).value;
    let found = model.explain(row, col)?;
    let shares = &found.shares[..args.count.min(found.shares.len())];
    let label = |share: &Share| match &model.col_labels {
        Some(labels) => labels[share.col].clone(),
        None => share.col.to_string(),
    };
    if args.json {
        let ratings: Vec<Value> = shares
            .iter()
            .map(|s| json!({"column": label(s), "rating": s.rating, "share": s.share}))
            .collect();
        output::json(&json!({
            "row": args.row,
            "column": args.column,
            "prediction": prediction,
            "solved": found.value,
            "base": found.base,
            "ratings": ratings,
        }))?;
        return Ok(Ending::Done);
    }
    talk.line(&format!(
        "prediction {prediction:.4}; solved anew {:.4}, from {:.4} by the mean and the column",
        found.value, found.base
    ));
    let names = shares.iter().map(label).collect();
    let ratings: Vec<f64> = shares.iter().map(|share| share.rating).collect();
    let mut table = columns(vec![("column", names)], &ratings, b',')?;
    table.col_labels = Some(vec!["rating".into()]);
    if let Form::Wide { passthrough, .. } = &mut table.form {
        let fields = shares.iter().map(|share| share.share.to_string()).collect();
        passthrough.push(Passthrough { name: Some("share".into()), place: 2, fields });
    }
    output::stdout(&data::text(&table))?;
    Ok(Ending::Done)
}
