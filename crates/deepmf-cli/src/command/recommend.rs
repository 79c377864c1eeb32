//! `recommend`: fits a recommender to ratings, and lets it predict and recommend.

use std::path::Path;

use deepmf::apps::{Known, Prediction, Recommender, Recommends};
use deepmf::data::{self, Entries, Form, Format, Passthrough, Table, align, read_with};
use deepmf::linalg::Mat;
use deepmf::model::Discretizer;
use deepmf::{Error, Result};
use serde_json::{Value, json};

use super::Ending;
use crate::args::{RatingsInput, RecommendFit, RecommendFoldIn, RecommendPredict, RecommendTop};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Talk};
use crate::place::{self, Place};
use crate::progress::Bar;

/// Fits a recommender.
pub(crate) fn fit(args: &RecommendFit, talk: Talk) -> Result<Ending, Failure> {
    let mask = args.train_mask.as_deref();
    let inputs: Vec<&Path> = [Some(args.ratings.as_path()), mask].into_iter().flatten().collect();
    place::check_file(&args.output, &inputs)?;
    let table = ratings(&args.ratings, &args.input, mask, "the mask of the training ratings")?;
    let mut recommender = Recommender::new(args.settings(), args.seed).interrupt(interrupt::flag());
    if !args.levels.is_empty() {
        recommender = recommender.scale(Discretizer::new(&args.levels)?);
    }
    let bar = Bar::new(talk);
    let fitted = recommender.watch(|stage| bar.stage(stage)).fit(&table);
    drop(bar);
    let done = fitted?;
    done.save(&args.output)?;
    let (rows, cols) = table.entries.shape();
    let levels = done.scale.as_ref().map(|scale| scale.levels().len());
    if args.json {
        output::json(&json!({
            "model": done.settings.model.name(),
            "rows": rows,
            "cols": cols,
            "ratings": table.entries.len(),
            "levels": levels,
            "parameters": done.parameters,
            "steps": done.steps,
            "stop_reason": done.reason.name(),
            "holdout_rmse": done.held_rmse,
            "seconds": done.seconds,
            "seed": done.seed,
        }))?;
    }
    talk.line(&format!("{rows} x {cols}: {} ratings", table.entries.len()));
    if let Some(rmse) = done.held_rmse {
        talk.line(&format!("RMSE of ratings that were held out: {rmse:.4}"));
    }
    if levels.is_none() {
        talk.warning(
            "there are too many different ratings to be levels: neither rounding nor probabilities",
        );
    }
    talk.line(&format!("the recommender: {}", args.output.display()));
    Ok(Ending::of(done.reason))
}

/// Predicts pairs.
pub(crate) fn predict(args: &RecommendPredict, talk: Talk) -> Result<Ending, Failure> {
    let place = Place::checked(&args.written, &[&args.model, &args.pairs], false)?;
    let model = Recommends::load(&args.model)?;
    let table = read(&args.pairs, &args.input, "1,2")?;
    if table.entries.is_empty() {
        return Err(Error::data(&args.pairs, "there must be a pair, but there is none").into());
    }
    let predict = |pair| match args.interval {
        Some(coverage) => model.predict_within(pair, coverage),
        None => Ok(model.predict(pair)),
    };
    let predictions = model.pairs(&table).into_iter().map(predict).collect::<Result<Vec<_>>>()?;
    if let Some(place) = place {
        place.write(&listed(&table, &predictions, args.interval.is_some())?)?;
    }
    let known = predictions.iter().filter(|p| p.known == Known::Both).count();
    if known > 0 && args.interval.is_some() && predictions.iter().all(|p| p.interval.is_none()) {
        talk.warning("too few ratings were held out in the fit for intervals of this coverage");
    }
    tell_unknown(predictions.len() - known, predictions.len(), talk);
    Ok(Ending::Done)
}

/// Takes in what is new after the fit.
pub(crate) fn fold_in(args: &RecommendFoldIn, talk: Talk) -> Result<Ending, Failure> {
    place::check_file(&args.output, &[&args.model, &args.ratings])?;
    let model = Recommends::load(&args.model)?;
    let table = ratings(&args.ratings, &args.input, None, "")?;
    let done = model.fold_in(&table)?;
    done.recommends.save(&args.output)?;
    let (all, left_out) = (table.entries.len(), done.left_out);
    if args.json {
        output::json(&json!({
            "rows": done.rows,
            "cols": done.cols,
            "ratings": all - left_out,
            "left_out": left_out,
        }))?;
    }
    talk.line(&format!(
        "{} new rows and {} new columns by {} ratings",
        done.rows,
        done.cols,
        all - left_out
    ));
    if left_out > 0 {
        talk.warning(&format!(
            "of {all} ratings {left_out} are left out: their row and column were both known in the fit, or are both new"
        ));
    }
    talk.line(&format!("the recommender: {}", args.output.display()));
    Ok(Ending::Done)
}

/// Recommends columns to a row.
pub(crate) fn top(args: &RecommendTop, talk: Talk) -> Result<Ending, Failure> {
    let model = Recommends::load(&args.model)?;
    let row = model.rows().of(&args.row);
    let labels = model.col_labels.as_deref();
    let items: Vec<(String, f64)> = model
        .recommend(row, args.count)
        .into_iter()
        .map(|(col, value)| (labels.map_or_else(|| col.to_string(), |l| l[col].clone()), value))
        .collect();
    if row.is_none() {
        let id = &args.row;
        talk.warning(&format!("{id:?} has no rating in the fit: these are the best-liked columns"));
    }
    if args.json {
        let items: Vec<Value> =
            items.iter().map(|(col, value)| json!({"column": col, "value": value})).collect();
        output::json(&json!({"row": args.row, "known": row.is_some(), "items": items}))?;
        return Ok(Ending::Done);
    }
    let names = items.iter().map(|item| item.0.clone()).collect();
    let values: Vec<f64> = items.iter().map(|item| item.1).collect();
    let words = vec![("column", names)];
    if values.is_empty() {
        talk.warning("the row has rated every column");
        return Ok(Ending::Done);
    }
    output::stdout(&data::text(&columns(words, &values, b',')?))?;
    Ok(Ending::Done)
}

/// Says how many pairs are predicted by less than both sides.
pub(super) fn tell_unknown(new: usize, all: usize, talk: Talk) {
    if new > 0 {
        talk.warning(&format!(
            "of {all} pairs {new} have a row or column without a rating in the fit: predicted by the mean and the offset of the other one"
        ));
    }
}

/// Ratings as they were asked for; only those in the cells of a mask, if there is one.
pub(super) fn ratings(
    path: &Path,
    input: &RatingsInput,
    mask: Option<&Path>,
    what: &str,
) -> Result<Table> {
    let mut table = read(path, input, "1,2,3")?;
    if let Some(mask) = mask {
        let cells = align::read(mask, what, &input.input.options()?, &table)?;
        table.entries = align::within(&table.entries, &cells);
        if table.entries.is_empty() {
            return Err(Error::data(mask, "must leave a rating, but it leaves none"));
        }
    }
    Ok(table)
}

/// Reads one entry a line by `fields`, unless the format is a matrix or it was said otherwise.
pub(super) fn read(path: &Path, input: &RatingsInput, fields: &str) -> Result<Table> {
    let mut options = input.input.options()?;
    if options.triplets.is_none() && Format::of(path).has_fields() && !input.wide {
        options.triplets = Some(fields.parse()?);
    }
    read_with(path, &options)
}

/// Pairs with their predictions, and what was known of them.
fn listed(table: &Table, predictions: &[Prediction], with_intervals: bool) -> Result<Table> {
    let label = |labels: &Option<Vec<String>>, id: usize| match labels {
        Some(labels) => labels[id].clone(),
        None => id.to_string(),
    };
    let (names, delimiter) = match &table.form {
        Form::Triplets { names, delimiter } => (names.clone(), *delimiter),
        _ => (None, b','),
    };
    let [row, column, _] = names.unwrap_or_else(|| ["row", "column", "value"].map(String::from));
    let (rows, cols): (Vec<String>, Vec<String>) = table
        .entries
        .iter()
        .map(|(i, j, _)| (label(&table.row_labels, i), label(&table.col_labels, j)))
        .unzip();
    let values: Vec<f64> = predictions.iter().map(|p| p.value).collect();
    let known = predictions.iter().map(|p| p.known.name().into()).collect();
    let mut listed = columns(vec![(&row, rows), (&column, cols)], &values, delimiter)?;
    if let Form::Wide { passthrough, .. } = &mut listed.form {
        passthrough.push(Passthrough { name: Some("known".into()), place: 3, fields: known });
        let ends = [("lower", false), ("upper", true)];
        for (place, (name, is_upper)) in (4..).zip(ends).filter(|_| with_intervals) {
            let end = |(lower, upper): (f64, f64)| if is_upper { upper } else { lower };
            let word =
                |p: &Prediction| p.interval.map_or_else(String::new, |it| end(it).to_string());
            let fields = predictions.iter().map(word).collect();
            passthrough.push(Passthrough { name: Some(name.into()), place, fields });
        }
    }
    Ok(listed)
}

/// Columns of words, and then one of numbers that is called `value`.
pub(super) fn columns(
    words: Vec<(&str, Vec<String>)>,
    values: &[f64],
    delimiter: u8,
) -> Result<Table> {
    let numbers = Mat::from_columns(values.len(), 1, values.to_vec());
    let passthrough = words
        .into_iter()
        .enumerate()
        .map(|(place, (name, fields))| Passthrough { name: Some(name.into()), place, fields })
        .collect();
    Ok(Table {
        entries: Entries::from_dense(&numbers)?,
        row_labels: None,
        col_labels: Some(vec!["value".into()]),
        form: Form::Wide { delimiter, row_names: None, passthrough },
    })
}
