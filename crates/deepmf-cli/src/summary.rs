//! What is told of a result: JSON for programs, tables for people.

use deepmf::apps::{Completed, Sensed, TruthErrors};
use deepmf::report::{Column, Table};
use serde_json::{Value, json};

/// The JSON of a completion of a table of `shape` with `observed` known entries.
pub(crate) fn completion(
    done: &Completed,
    shape: (usize, usize),
    observed: usize,
    truth: Option<TruthErrors>,
) -> Value {
    let baselines = done.baselines;
    let intervals = done.intervals.as_ref();
    let mut value = json!({
        "rows": shape.0,
        "cols": shape.1,
        "observed": observed,
        "missing": shape.0 * shape.1 - observed,
        "method": done.method.name(),
        "start": done.start,
        "depth": done.depth,
        "width": done.width,
        "init_scale": done.init_scale,
        "steps": done.steps,
        "evaluations": done.evaluations,
        "gap": done.gap,
        "stop_reason": done.reason.name(),
        "train_rmse": done.train_rmse,
        "holdout_rmse": done.holdout_rmse,
        "baseline_rmse": {
            "mean": baselines.map(|b| b.mean),
            "row_mean": baselines.map(|b| b.row_mean),
            "offsets": baselines.map(|b| b.offsets),
        },
        "interval_coverage": intervals.map(|i| i.coverage),
        "interval_width": intervals.map(|i| i.width),
        "effective_rank": done.effective_rank,
        "seconds": done.seconds,
        "seed": done.seed,
    });
    if let Some(errors) = truth {
        value["truth_rmse"] = json!(errors.rmse_missing);
        value["truth_mse"] = json!(errors.mse_all);
        value["truth_coverage"] = json!(errors.coverage);
    }
    value
}

/// The JSON of a sensing.
pub(crate) fn sensing(done: &Sensed, truth_mse: Option<f64>) -> Value {
    let mut value = json!({
        "rows": done.shape.0,
        "cols": done.shape.1,
        "measurements": done.measurements,
        "depth": done.depth,
        "width": done.width,
        "init_scale": done.init_scale,
        "steps": done.steps,
        "stop_reason": done.reason.name(),
        "train_rmse": done.train_rmse,
        "holdout_rmse": done.holdout_rmse,
        "effective_rank": done.effective_rank,
        "seconds": done.seconds,
        "seed": done.seed,
    });
    if let Some(mse) = truth_mse {
        value["truth_rmse"] = json!(mse.sqrt());
        value["truth_mse"] = json!(mse);
    }
    value
}

/// The error of a completion beside those of simple predictors.
///
/// # Errors
/// None: every row has two cells.
pub(crate) fn errors(done: &Completed, truth: Option<TruthErrors>) -> deepmf::Result<Table> {
    let caption = match done.holdout.len() {
        0 => "nothing was held out, so the error is not known".into(),
        count => format!("error on {count} entries that were held out"),
    };
    let mut table = Table::new(caption, vec![Column::left("predictor"), Column::right("RMSE")]);
    table.push(vec!["this completion".into(), done.holdout_rmse.into()])?;
    if let Some(baselines) = done.baselines {
        table.push(vec!["row and column offsets".into(), baselines.offsets.into()])?;
        table.push(vec!["row means".into(), baselines.row_mean.into()])?;
        table.push(vec!["the mean".into(), baselines.mean.into()])?;
    }
    if let Some(errors) = truth {
        table.push(vec![
            "this completion, where missing, by the truth".into(),
            errors.rmse_missing.into(),
        ])?;
    }
    Ok(table)
}

/// What was tried before the last fit.
///
/// # Errors
/// None: every row has as many cells as there are columns.
pub(crate) fn candidates(done: &Completed) -> deepmf::Result<Table> {
    let right = ["steps", "time", "rate", "validation RMSE"].map(Column::right);
    let columns = [vec![Column::left("start")], right.to_vec()].concat();
    let mut table = Table::new("What was chosen from, on held-out entries", columns);
    for candidate in &done.candidates {
        table.push(vec![
            candidate.start.as_str().into(),
            candidate.steps.into(),
            candidate.time.into(),
            candidate.rate.into(),
            candidate.validation_rmse.into(),
        ])?;
    }
    Ok(table)
}

/// What was fitted and how it ended, in a sentence.
pub(crate) fn completion_line(done: &Completed) -> String {
    let Completed { method, start, depth, width, steps, effective_rank, seconds, reason, .. } =
        done;
    format!(
        "{}, {start}: depth {depth}, width {width}, {steps} steps, effective rank {effective_rank:.2}, {seconds:.1} s; {reason}",
        method.name()
    )
}

/// The same of a sensing.
pub(crate) fn sensing_line(done: &Sensed) -> String {
    let Sensed { depth, width, init_scale, steps, effective_rank, seconds, reason, .. } = done;
    format!(
        "depth {depth}, width {width}, initial scale {init_scale}: {steps} steps, effective rank {effective_rank:.2}, \
         {seconds:.1} s; {reason}"
    )
}
