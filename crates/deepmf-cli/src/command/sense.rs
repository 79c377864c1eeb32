//! `sense`: recovers a matrix from linear measurements of it.

use std::path::Path;

use deepmf::analysis::mean_squared_error;
use deepmf::apps::{Sensed, Sensing};
use deepmf::data::{Array, Entries, Table, read_array, read_dense};
use deepmf::linalg::Mat;
use deepmf::model::{Model, Tensors};
use deepmf::report::{Block, Page, Section};
use deepmf::train::StopReason;
use deepmf::{Error, Result, problem};
use serde_json::Value;

use super::Ending;
use crate::args::{Kept, Sense, Written};
use crate::failure::Failure;
use crate::job::{Job, Measurements, Source};
use crate::output::{self, Talk};
use crate::page::Recorded;
use crate::place::{self, Place};
use crate::progress::Bar;
use crate::run_folder::{MODEL, RunFolder};
use crate::{interrupt, page, summary};

/// Runs what was typed.
pub(crate) fn run(args: &Sense, talk: Talk) -> Result<Ending, Failure> {
    recover(&Job::sense(args), &args.written, &args.kept, talk)
}

/// Recovers the matrix of a job.
pub(super) fn recover(
    job: &Job,
    written: &Written,
    kept: &Kept,
    talk: Talk,
) -> Result<Ending, Failure> {
    let Source::Measurements(files) = &job.data else {
        return Err(Error::parameter("the data of a sensing", "measurements", "a table").into());
    };
    let place = Place::checked(written, &job.inputs(), kept.json)?;
    if let Some(path) = &kept.report {
        place::check_file(path, &job.inputs())?;
    }
    let measured = Measured::read(files)?;
    let spec = job.toml()?;
    let folder =
        kept.run.as_ref().map(|path| RunFolder::open(path, kept.resume, &spec)).transpose()?;

    let bar = Bar::new(talk);
    let settings = job.sense.clone().unwrap_or_default();
    let mut sensing = Sensing::new(settings, job.seed)
        .interrupt(interrupt::flag())
        .watch(|stage| bar.stage(stage));
    if let Some(folder) = &folder {
        sensing = sensing.folder(folder.path()).resume(kept.resume);
    }
    let fitted = sensing.fit(measured.shape, &measured.operators, &measured.values);
    drop(sensing);
    drop(bar);
    let done = fitted.inspect_err(|_| {
        if let Some(folder) = &folder {
            folder.abandon();
        }
    })?;

    let truth = measured.truth.as_ref();
    let truth_mse =
        truth.map(|truth| mean_squared_error(done.matrix.view(), truth.view())).transpose()?;
    let result = summary::sensing(&done, truth_mse);
    let page = page(&done, &result, &spec)?;
    if let Some(folder) = &folder {
        Tensors::of(done.model.params()).save(folder.path().join(MODEL))?;
        folder.finish(&result, &page)?;
    }
    if let Some(path) = &kept.report {
        page.save(path)?;
    }
    if let Some(place) = place.as_ref().filter(|_| done.reason != StopReason::Diverged) {
        place.write(&Table::new(Entries::from_dense(&done.matrix)?))?;
    }
    if kept.json {
        output::json(&result)?;
    }
    tell(&done, truth_mse, talk);
    Ok(Ending::of(done.reason))
}

fn page(done: &Sensed, result: &Value, spec: &str) -> Result<Page> {
    let runs = [Recorded {
        name: "sensing".into(),
        result: result.clone(),
        trajectory: done.run.trajectory.clone(),
        spec: spec.into(),
    }];
    let mut what = Section::new("What was done").with(Block::text(summary::sensing_line(done)));
    for warning in &done.warnings {
        what = what.with(Block::warning(warning));
    }
    let (rows, cols) = done.shape;
    let subtitle = format!("{rows} x {cols} from {} measurements", done.measurements);
    let page = Page::new("Sensing", subtitle).with(what).with(page::results(&runs)?);
    Ok(page::along(page, &runs).with(page::again(&runs)))
}

fn tell(done: &Sensed, truth_mse: Option<f64>, talk: Talk) {
    let (rows, cols) = done.shape;
    talk.line(&format!("{rows} x {cols} from {} measurements", done.measurements));
    talk.line(&summary::sensing_line(done));
    talk.line(&format!("RMSE of the measurements that were fitted: {:.3e}", done.train_rmse));
    if let Some(rmse) = done.holdout_rmse {
        talk.line(&format!("RMSE of the measurements that were held out: {rmse:.3e}"));
    }
    if let Some(mse) = truth_mse {
        talk.line(&format!("RMSE of the matrix, by the truth: {:.3e}", mse.sqrt()));
    }
    done.warnings.iter().for_each(|warning| talk.warning(warning));
    if Ending::of(done.reason) == Ending::No {
        talk.warning(&done.reason.to_string());
    }
}

/// What was measured and how.
struct Measured {
    shape: (usize, usize),
    operators: problem::Sensing,
    values: Vec<f64>,
    truth: Option<Mat>,
}

impl Measured {
    fn read(files: &Measurements) -> Result<Self> {
        let array = read_array(&files.operators)?;
        let (count, shape) = axes(&array, files)?;
        let operators = problem::Sensing::new(shape, by_columns(&array.values, shape))?;
        let values = values(read_array(&files.values)?, &files.values, count)?;
        let truth = files.truth.as_deref().map(|path| truth(path, shape)).transpose()?;
        Ok(Self { shape, operators, values, truth })
    }
}

fn axes(array: &Array, files: &Measurements) -> Result<(usize, (usize, usize))> {
    match (array.shape.as_slice(), files.shape) {
        (&[count, rows, cols], None) => Ok((count, (rows, cols))),
        (&[count, rows, cols], Some(shape)) if shape == (rows, cols) => Ok((count, shape)),
        (&[count, cells], Some(shape)) if cells == shape.0 * shape.1 => Ok((count, shape)),
        (found, _) => {
            let problem = format!(
                "operators must have the axes m x rows x cols, or m x (rows cols) with --shape, but they have {}",
                words(found)
            );
            Err(Error::data(&files.operators, problem))
        }
    }
}

fn words(axes: &[usize]) -> String {
    axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}

/// Files keep a matrix row after row, the library column after column.
fn by_columns(values: &[f64], (rows, cols): (usize, usize)) -> Vec<f64> {
    let mut out = Vec::with_capacity(values.len());
    for operator in values.chunks_exact((rows * cols).max(1)) {
        out.extend((0..rows * cols).map(|k| operator[k % rows * cols + k / rows]));
    }
    out
}

fn values(array: Array, path: &Path, count: usize) -> Result<Vec<f64>> {
    let is_list = array.shape.iter().filter(|&&side| side != 1).count() <= 1;
    if is_list && array.values.len() == count {
        return Ok(array.values);
    }
    let problem = format!(
        "must hold {count} measurements, one an operator, but it holds {}",
        words(&array.shape)
    );
    Err(Error::data(path, problem))
}

fn truth(path: &Path, shape: (usize, usize)) -> Result<Mat> {
    let truth = read_dense(path)?;
    let found = (truth.rows(), truth.cols());
    if found == shape {
        return Ok(truth);
    }
    let words = |(rows, cols): (usize, usize)| format!("({rows}, {cols})");
    Err(Error::shape("the truth", words(shape), words(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_turned_from_rows_to_columns() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(by_columns(&values, (2, 3)), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
