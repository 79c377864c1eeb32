//! Experiments: run as a sweep, told as a table.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use deepmf::Result;
use deepmf::experiment::{Experiment, Outcome, RunOptions, Shard, TrialReport};
use deepmf::report::{Column, Table};
use deepmf::train::StopReason;
use serde_json::{Value, json};

use super::Ending;
use crate::output::Talk;
use crate::progress::Bar;

/// Numbers of a trial that are told, where any trial has them.
const TOLD: [&str; 13] = [
    "steps",
    "loss",
    "test_error",
    "effective_rank",
    "rmse",
    "acc",
    "nmi",
    "objective",
    "correlation",
    "product_error",
    "held_out_error",
    "agreement",
    "seconds",
];

/// Runs an experiment, or a shard of it; results go to `folder` as they come.
pub(super) fn run(
    experiment: &Experiment,
    shard: Option<Shard>,
    folder: &Path,
    resume: bool,
    interrupt: &Arc<AtomicBool>,
    talk: Talk,
) -> Result<Vec<TrialReport>> {
    let bar = Arc::new(Bar::new(talk));
    let total = experiment.trials().len();
    let total = shard.map_or(total, |shard| shard.places(total).len());
    let (shown, done) = (bar.clone(), std::sync::atomic::AtomicUsize::new(0));
    let options = RunOptions {
        folder: Some(folder.into()),
        threads: Some(rayon::current_num_threads()),
        interrupt: Some(interrupt.clone()),
        resume,
        on_trial: Some(Arc::new(move |report: &TrialReport| {
            let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            shown.count(&report.name, count + 1, total);
        })),
        on_progress: None,
    };
    match shard {
        Some(shard) => experiment.run_shard(shard, &options),
        None => experiment.run(&options),
    }
}

/// How an experiment ended: badly if a trial diverged or was interrupted.
pub(super) fn ending(reports: &[TrialReport]) -> Ending {
    let failed = |report: &TrialReport| match &report.outcome {
        Outcome::Done(result) | Outcome::Found(result) => result.reason == StopReason::Diverged,
        Outcome::Skipped(_) => false,
        Outcome::Interrupted => true,
    };
    if reports.iter().any(failed) { Ending::No } else { Ending::Done }
}

/// Tells of every trial.
pub(super) fn tell(title: &str, reports: &[TrialReport], talk: Talk) -> Result<()> {
    let number = |report: &TrialReport, name: &str| {
        report.result().and_then(|result| result.number(name)).filter(|x| x.is_finite())
    };
    let is_told = |name: &&&str| reports.iter().any(|report| number(report, name).is_some());
    let told: Vec<&str> = TOLD[1..].iter().filter(is_told).copied().collect();
    let mut columns = vec![Column::left("trial"), Column::left("ended"), Column::right("steps")];
    columns.extend(told.iter().map(|name| Column::right(name.replace('_', " "))));
    let mut table = Table::new(title, columns);
    for report in reports {
        let mut row = vec![report.name.as_str().into(), ended(&report.outcome).into()];
        row.push(report.result().map(|result| result.steps).into());
        row.extend(told.iter().map(|name| number(report, name).into()));
        table.push(row)?;
    }
    talk.table(&table);
    Ok(())
}

/// What came of every trial, as JSON.
pub(super) fn json(folder: &Path, reports: &[TrialReport]) -> Value {
    let trials = reports.iter().map(|report| {
        let mut value = json!({
            "trial": report.name,
            "folder": report.folder().map(|folder| folder.display().to_string()),
            "stop_reason": ended(&report.outcome),
            "steps": report.result().map(|result| result.steps),
        });
        for name in &TOLD[1..] {
            let number = report.result().and_then(|result| result.number(name));
            value[name] = json!(number.filter(|number| number.is_finite()));
        }
        value
    });
    json!({ "folder": folder.display().to_string(), "trials": trials.collect::<Vec<_>>() })
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(result) | Outcome::Found(result) => result.reason.name().into(),
        Outcome::Skipped(reason) => format!("skipped: {reason}"),
        Outcome::Interrupted => StopReason::Interrupted.name().into(),
    }
}
