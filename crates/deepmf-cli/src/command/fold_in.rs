//! `complete --model DIR`: fills new rows by a completion that was fitted before.

use std::path::Path;
use std::time::Instant;

use deepmf::apps::{Completed, TruthErrors};
use deepmf::data::{Table, align, read_with};
use deepmf::{Error, Result};

use super::{Ending, complete};
use crate::args::Complete;
use crate::failure::Failure;
use crate::output::{self, Talk};
use crate::place::{self, Place};
use crate::{intervals, summary};

/// Runs what was typed.
pub(crate) fn run(args: &Complete, talk: Talk) -> Result<Ending, Failure> {
    let begun = Instant::now();
    let (Some(folder), Some(path)) = (&args.model, &args.table) else {
        return Err(Error::parameter("--model", "given with a table", "alone").into());
    };
    let inputs: Vec<&Path> = [Some(path), args.truth.as_ref(), args.exclude.as_ref()]
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .collect();
    let place = Place::checked(&args.written, &inputs, args.kept.json)?;
    if args.kept.report.is_some() {
        let hint = "deepmf report DIR -o FILE.html makes the page of the fit";
        return Err(Failure::with_hint(
            Error::parameter("--report", "given with a fit", "given with --model"),
            hint,
        ));
    }
    if let Some(path) = &args.intervals {
        place::check_file(path, &inputs)?;
        intervals::check(path)?;
    }
    let mut done = Completed::load(folder)?;
    let options = args.input.options()?;
    let table = on_columns_of(&done, read_with(path, &options)?)?;
    let beside = |path: &Path, what| align::read(path, what, &options, &table);
    let truth = args.truth.as_deref().map(|path| beside(path, "the truth")).transpose()?;
    let excluded =
        args.exclude.as_deref().map(|path| beside(path, "the excluded entries")).transpose()?;
    let known = match &excluded {
        Some(excluded) => align::without(&table.entries, excluded),
        None => table.entries.clone(),
    };
    complete::must_fit(known.shape())?;

    let filled = done.fold_in(&known)?;
    done.seconds = begun.elapsed().as_secs_f64();
    let holes = done.fold_in_holes(&known)?;
    let errors = truth.map(|truth| TruthErrors::measure(&holes, &truth, |i, j| filled[(i, j)]));
    if let Some(place) = &place {
        place.write(&complete::with_cells(&table, &filled)?)?;
    }
    if let Some(path) = &args.intervals {
        intervals::write(path, &Table { entries: known.clone(), ..table.clone() }, &holes)?;
    }
    if args.kept.json {
        output::json(&summary::completion(&done, known.shape(), known.len(), errors))?;
    }
    let (rows, cols) = known.shape();
    talk.line(&format!("{rows} x {cols}: {} known, filled by {}", known.len(), folder.display()));
    if let Some(errors) = errors {
        talk.line(&format!("RMSE where missing, by the truth: {:.6}", errors.rmse_missing));
    }
    Ok(Ending::Done)
}

/// The table on the columns of the completion: by their names where both have them, else by place.
fn on_columns_of(done: &Completed, table: Table) -> Result<Table> {
    let Some(labels) = done.col_labels.clone().filter(|_| table.col_labels.is_some()) else {
        return Ok(table);
    };
    let entries = align::onto_columns(&table, &labels)?;
    Ok(Table { entries, col_labels: Some(labels), ..table })
}
