//! `complete`: fills the holes of a table.

use std::path::Path;

use deepmf::apps::{Completed, Completion, TruthErrors};
use deepmf::data::{Entries, Table, align, read_with};
use deepmf::linalg::Mat;
use deepmf::report::{Axis, Block, Figure, Layer, Page, Reference, Section};
use deepmf::train::StopReason;
use deepmf::{Error, Result};
use serde_json::Value;

use super::{Ending, example};
use crate::args::{Complete, Kept, Written};
use crate::failure::Failure;
use crate::job::{Job, Source};
use crate::output::{self, Talk};
use crate::page::Recorded;
use crate::place::{self, Place};
use crate::progress::Bar;
use crate::run_folder::RunFolder;
use crate::{interrupt, intervals, page, summary};

/// More cells than this are not written down one by one.
const MOST_CELLS: usize = 1_000_000_000;

/// Held-out entries that are drawn with their intervals.
const MOST_BARS: usize = 200;

/// Runs what was typed.
pub(crate) fn run(args: &Complete, talk: Talk) -> Result<Ending, Failure> {
    fill(&Job::complete(args), &args.written, &args.kept, args.intervals.as_deref(), talk)
}

/// Fills the table of a job.
pub(super) fn fill(
    job: &Job,
    written: &Written,
    kept: &Kept,
    intervals: Option<&Path>,
    talk: Talk,
) -> Result<Ending, Failure> {
    let is_example = matches!(job.data, Source::Example {});
    let place = Place::checked(written, &job.inputs(), kept.json || is_example)?;
    if let Some(path) = &kept.report {
        place::check_file(path, &job.inputs())?;
    }
    if let Some(path) = intervals {
        place::check_file(path, &job.inputs())?;
        intervals::check(path)?;
    }
    let known = Known::read(job)?;
    // A truth is compared cell by cell, too.
    if place.is_some() || intervals.is_some() || known.truth.is_some() {
        must_fit(known.table.entries.shape())?;
    }
    let spec = job.toml()?;
    let folder =
        kept.run.as_ref().map(|path| RunFolder::open(path, kept.resume, &spec)).transpose()?;

    let bar = Bar::new(talk);
    let settings = job.complete.clone().unwrap_or_default();
    let mut completion = Completion::new(settings, job.seed)
        .interrupt(interrupt::flag())
        .watch(|stage| bar.stage(stage));
    if let Some(folder) = &folder {
        completion = completion.folder(folder.path()).resume(kept.resume);
    }
    let fitted = completion.fit(&known.table.entries);
    drop(completion);
    drop(bar);
    let mut done = fitted.inspect_err(|_| {
        if let Some(folder) = &folder {
            folder.abandon();
        }
    })?;
    done.col_labels.clone_from(&known.table.col_labels);

    let Known { table, truth } = &known;
    let truth = truth.as_ref().map(|t| done.truth_errors(t, &table.entries)).transpose()?;
    let result = summary::completion(&done, table.entries.shape(), table.entries.len(), truth);
    let page = page(&done, &result, truth, &spec)?;
    if let Some(folder) = &folder {
        done.save(folder.path())?;
        folder.finish(&result, &page)?;
    }
    if let Some(path) = &kept.report {
        page.save(path)?;
    }
    if let Some(place) = place.as_ref().filter(|_| done.reason != StopReason::Diverged) {
        let matrix = if job.output.denoise { done.predict() } else { done.fill(&table.entries) };
        place.write(&with_cells(table, &matrix)?)?;
    }
    if let Some(path) = intervals.filter(|_| done.reason != StopReason::Diverged) {
        intervals::write(path, table, &done.holes(&table.entries))?;
    }
    if kept.json {
        output::json(&result)?;
    }
    tell(&done, table, truth, talk)?;
    tell_where(place.as_ref(), kept, intervals, is_example, talk);
    Ok(Ending::of(done.reason))
}

/// A table and, in experiments, what is true of it.
struct Known {
    table: Table,
    truth: Option<Entries>,
}

impl Known {
    fn read(job: &Job) -> Result<Self> {
        let Source::File(file) = &job.data else {
            let (table, truth) = example::table(job.seed)?;
            return Ok(Self { table, truth: Some(Entries::from_dense(&truth)?) });
        };
        let options = file.read.options()?;
        let mut table = read_with(&file.path, &options)?;
        let beside = |path, what| align::read(path, what, &options, &table);
        let truth = file.truth.as_ref().map(|path| beside(path, "the truth")).transpose()?;
        let excluded =
            file.exclude.as_ref().map(|path| beside(path, "the excluded entries")).transpose()?;
        if let Some(excluded) = excluded {
            table.entries = align::without(&table.entries, &excluded);
            if table.entries.is_empty() {
                let problem = "must leave an observed entry, but it leaves none";
                return Err(Error::data(file.exclude.as_deref().unwrap_or(&file.path), problem));
            }
        }
        Ok(Self { table, truth })
    }
}

/// # Errors
/// [`Error::Parameter`] if the completed table would be too large to be written down.
pub(super) fn must_fit(shape: (usize, usize)) -> Result<()> {
    match shape.0.checked_mul(shape.1) {
        Some(cells) if cells <= MOST_CELLS => Ok(()),
        _ => {
            let found = format!("{} x {}", shape.0, shape.1);
            Err(Error::parameter(
                "a completed table",
                format!("of at most {MOST_CELLS} cells"),
                found,
            ))
        }
    }
}

/// `table` with `matrix` in its cells.
pub(super) fn with_cells(table: &Table, matrix: &Mat) -> Result<Table> {
    Ok(Table { entries: Entries::from_dense(matrix)?, ..table.clone() })
}

/// The page of a completion.
fn page(done: &Completed, result: &Value, truth: Option<TruthErrors>, spec: &str) -> Result<Page> {
    let runs = [Recorded {
        name: "completion".into(),
        result: result.clone(),
        trajectory: done.run.trajectory.clone(),
        spec: spec.into(),
    }];
    let mut what = Section::new("What was done").with(Block::text(summary::completion_line(done)));
    for warning in &done.warnings {
        what = what.with(Block::warning(warning));
    }
    let mut errors =
        Section::new("Error on held-out entries").with(Block::Table(summary::errors(done, truth)?));
    if !done.holdout.is_empty() {
        errors = errors.with(held_out(done));
    }
    if !done.candidates.is_empty() {
        errors = errors.with(Block::Table(summary::candidates(done)?));
    }
    let subtitle = format!("{} x {} table", done.shape.0, done.shape.1);
    let page =
        Page::new("Completion", subtitle).with(what).with(errors).with(page::results(&runs)?);
    Ok(page::along(page, &runs).with(page::again(&runs)))
}

/// Held-out entries against their answers, some with their intervals.
fn held_out(done: &Completed) -> Block {
    let stride = done.holdout.len().div_ceil(MOST_BARS);
    let (truth, value) = done.holdout.iter().map(|cell| (cell.truth, cell.value)).unzip();
    let mut figure =
        Figure::new("Held-out entries", Axis::linear("true"), Axis::linear("predicted"));
    for cell in done.holdout.iter().step_by(stride.max(1)) {
        if let Some((lower, upper)) = cell.interval {
            let bar = Layer::line("interval", vec![cell.truth; 2], vec![lower, upper]);
            figure = figure.with(bar);
        }
    }
    let figure = figure
        .with(Layer::points("", truth, value))
        .with(Layer::rule("equal", Reference::Diagonal));
    let mut caption =
        "Every held-out entry: its true value, and the answer of a fit that did not see it."
            .to_string();
    if let Some(intervals) = &done.intervals {
        caption.push_str(&format!(
            " Of the {:.0} % intervals, drawn for some, {:.1} % hold the true value.",
            100.0 * intervals.asked,
            100.0 * intervals.coverage
        ));
    }
    Block::figure(figure, caption)
}

fn tell(done: &Completed, table: &Table, truth: Option<TruthErrors>, talk: Talk) -> Result<()> {
    let (rows, cols) = table.entries.shape();
    talk.line(&format!("{rows} x {cols}: {} known, {} missing", done.observed, done.missing));
    talk.line(&summary::completion_line(done));
    talk.line("");
    talk.table(&summary::errors(done, truth)?);
    done.warnings.iter().for_each(|warning| talk.warning(warning));
    if Ending::of(done.reason) == Ending::No {
        talk.warning(&done.reason.to_string());
    }
    Ok(())
}

fn tell_where(
    place: Option<&Place>,
    kept: &Kept,
    intervals: Option<&Path>,
    is_example: bool,
    talk: Talk,
) {
    let files = [
        ("the completed table", place.and_then(Place::file)),
        ("the intervals", intervals),
        ("the report", kept.report.as_deref()),
        ("the run folder", kept.run.as_deref()),
    ];
    for (what, path) in files {
        if let Some(path) = path {
            talk.line(&format!("{what}: {}", path.display()));
        }
    }
    if is_example {
        if place.is_none() {
            talk.line("-o deepmf-example.csv writes the completed table");
        }
        if kept.report.is_none() {
            talk.line("--report deepmf-example.html writes a page with figures");
        }
    }
}
