//! `data describe`: says what is in a file.

use deepmf::data::{Entries, Form, Format, Table, read_with};
use deepmf::report::{Column, Table as Words, number};
use serde_json::{Value, json};

use super::Ending;
use crate::args::Describe;
use crate::failure::Failure;
use crate::output;

/// Runs what was typed.
pub(crate) fn run(args: &Describe) -> Result<Ending, Failure> {
    let table = read_with(&args.file, &args.input.options()?)?;
    let facts = facts(args, &table);
    if args.json {
        output::json(&facts)?;
    } else {
        let mut words = Words::new("", vec![Column::left(""), Column::left("")]);
        for (key, value) in facts.as_object().into_iter().flatten() {
            words.push(vec![key.replace('_', " ").into(), shown(value).into()])?;
        }
        let text = words.text();
        // The head of a table of facts says nothing.
        let lines = text.lines().skip_while(|line| line.trim_matches(['-', ' ']).is_empty());
        let lines: Vec<&str> = lines.map(str::trim_end).collect();
        output::stdout(format!("{}\n", lines.join("\n")).as_bytes())?;
    }
    Ok(Ending::Done)
}

fn facts(args: &Describe, table: &Table) -> Value {
    let entries = &table.entries;
    let (rows, cols) = entries.shape();
    let range = entries
        .values()
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let (by_row, by_col) = known(entries);
    let least = |counts: &[usize]| counts.iter().copied().min().unwrap_or(0);
    let empty = |counts: &[usize]| counts.iter().filter(|&&count| count == 0).count();
    let (form, others) = match &table.form {
        Form::Wide { passthrough, .. } => ("wide", passthrough.len()),
        Form::Triplets { .. } => ("triplets", 0),
        Form::Matrix => ("matrix", 0),
    };
    json!({
        "path": args.file.display().to_string(),
        "format": format(Format::of(&args.file)),
        "form": form,
        "rows": rows,
        "cols": cols,
        "observed": entries.len(),
        "missing": rows.saturating_mul(cols) - entries.len(),
        "min": range.0,
        "max": range.1,
        "mean": entries.mean(),
        "row_labels": table.row_labels.is_some(),
        "col_labels": table.col_labels.is_some(),
        "other_columns": others,
        "empty_rows": empty(&by_row),
        "empty_cols": empty(&by_col),
        "most_missing_in_a_row": cols - least(&by_row),
        "most_missing_in_a_col": rows - least(&by_col),
    })
}

/// Known entries of every row and of every column.
fn known(entries: &Entries) -> (Vec<usize>, Vec<usize>) {
    let (rows, cols) = entries.shape();
    let (mut by_row, mut by_col) = (vec![0; rows], vec![0; cols]);
    for (i, j, _) in entries.iter() {
        by_row[i] += 1;
        by_col[j] += 1;
    }
    (by_row, by_col)
}

fn format(format: Format) -> &'static str {
    match format {
        Format::Text => "text",
        Format::Npy => "npy",
        Format::Npz => "npz",
        Format::MatrixMarket => "matrix-market",
        Format::Parquet => "parquet",
        Format::Mat => "mat",
        Format::Png => "png",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        Value::Number(count) if count.is_u64() => count.to_string(),
        other => other.as_f64().map_or_else(|| "none".into(), number),
    }
}
