//! One trial: its parts are built, trained, measured and written down.

use std::path::Path;
use std::sync::Arc;

use super::build::{self, DENSE_UP_TO, Parts, build};
use super::result::TrialResult;
use super::{Experiment, RunOptions, clustered, recommended, transported};
use crate::Result;
use crate::analysis::{effective_rank, nuclear_norm, stable_rank};
use crate::data::write_whole;
use crate::linalg::singular_values;
use crate::model::{Pass, Tensors};
use crate::spec::{Training, Work};
use crate::train::{Room, StopReason, Trainer, Trajectory};

/// Runs trial `place`, whatever its work is.
pub(super) fn run(
    experiment: &Experiment,
    place: usize,
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    match &experiment.trials[place].spec.work {
        Work::Training(training) => trained(experiment, place, training, folder, options),
        Work::Recommender(settings) => {
            recommended::run(experiment, place, settings, folder, options)
        }
        Work::Clustering { settings, repeats } => {
            clustered::run(experiment, place, (settings, *repeats), folder, options)
        }
        Work::Transport(settings) => transported::run(experiment, place, settings, folder, options),
    }
}

/// Trains a model; its files go to `folder`, from whose checkpoint it goes on if `options` say so.
fn trained(
    experiment: &Experiment,
    place: usize,
    training: &Training,
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    let trial = &experiment.trials[place];
    let Parts { problem, mut model, mut trainer, greedy, validation, facts } =
        build(&trial.spec, &experiment.base)?;
    let watched = |mut trainer: Trainer<'static>| {
        if let Some(flag) = &options.interrupt {
            trainer = trainer.interrupt(Arc::clone(flag));
        }
        if let Some(told) = options.on_progress.clone() {
            trainer = trainer.watch(move |progress| told(&(place, *progress)));
        }
        trainer
    };
    if let Some(folder) = folder {
        experiment.write_spec(trial, folder)?;
        trainer = trainer.folder(folder).resume(options.resume);
    }
    let run = if let Some(greedy) = greedy {
        let mut phase =
            || Ok(watched(build::trainer(training, trial.spec.seed, validation.as_ref())?));
        let grown = greedy.fit(&problem, &mut phase)?;
        if let Some(folder) = folder {
            write_whole(folder.join("trajectory.csv"), grown.run.trajectory.csv().as_bytes())?;
        }
        model = Box::new(grown.model);
        grown.run
    } else {
        watched(trainer).fit(&problem, &mut *model)?
    };

    let mut result = TrialResult::new(trial, run.steps, run.reason);
    for (name, value) in facts {
        result.set(name, value);
    }
    result.set("loss", run.loss);
    result.set("seconds", run.seconds);
    result.note(&run.trajectory);
    if let Some((step, error)) = run.best {
        result.set("validation_error", error);
        result.set("validation_step", step as f64);
    }
    if run.reason != StopReason::Diverged {
        if let Some(test) = problem.test() {
            result.set("test_error", Room::new(&*model).value(test, &*model));
        }
        let (rows, cols) = problem.shape();
        if rows.saturating_mul(cols) <= DENSE_UP_TO {
            let spectrum = singular_values(model.forward(&mut Pass::default()).to_dense().view())?;
            result.set("effective_rank", effective_rank(&spectrum));
            result.set("stable_rank", stable_rank(&spectrum));
            result.set("nuclear_norm", nuclear_norm(&spectrum));
            result.set("singular_value_1", spectrum.first().copied().unwrap_or(0.0));
        }
    }
    if let Some(folder) = folder {
        let mut tensors = Tensors::of(&run.params);
        // Layers that are not themselves the parameters.
        for (j, layer) in model.layers().into_iter().flatten().enumerate() {
            let name = format!("layers.{j}");
            if tensors.numbers(&name).is_none() {
                tensors.add_matrix(&name, &layer.to_mat());
            }
        }
        tensors.save(folder.join("model.safetensors"))?;
        write_whole(folder.join("result.json"), result.json(trial).as_bytes())?;
    }
    Ok((result, run.trajectory))
}
