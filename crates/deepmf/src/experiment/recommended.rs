//! The trial of a recommender: fitted, told of what is new, judged.

use std::path::Path;
use std::sync::Arc;

use super::build::ratings::Ratings;
use super::result::TrialResult;
use super::{Experiment, RunOptions};
use crate::Result;
use crate::apps::Recommender;
use crate::data::write_whole;
use crate::spec::RecommenderSettings;
use crate::train::{StopReason, Trajectory};

/// Fits and judges the recommender of trial `place`; its files go to `folder`.
pub(super) fn run(
    experiment: &Experiment,
    place: usize,
    settings: &RecommenderSettings,
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    let trial = &experiment.trials[place];
    let Ratings { train, inputs, test } =
        Ratings::load(&trial.spec.data, trial.spec.seed, &experiment.base)?;
    let mut recommender = Recommender::new(settings.clone(), trial.spec.seed);
    if let Some(flag) = &options.interrupt {
        recommender = recommender.interrupt(Arc::clone(flag));
    }
    if let Some(folder) = folder {
        experiment.write_spec(trial, folder)?;
    }
    let fitted = recommender.fit(&train)?;
    let mut result = TrialResult::new(trial, fitted.steps, fitted.reason);
    let knows = match &inputs {
        Some(inputs) => fitted.fold_in(inputs)?.recommends,
        None => fitted,
    };
    let found = knows.evaluate(&test)?;
    let [both, row, column, neither] = found.blocks.map(|block| block.2);
    let numbers = [
        ("rmse", Some(found.rmse)),
        ("mae", Some(found.mae)),
        ("rmse_rounded", found.rmse_rounded),
        ("mae_rounded", found.mae_rounded),
        ("rmse_discrete", found.rmse_discrete),
        ("mae_discrete", found.mae_discrete),
        ("exact_rate", found.exact_rate),
        ("log_loss", found.log_loss),
        ("rmse_seen_seen", both),
        // A row is new where the column alone is known.
        ("rmse_new_row", column),
        ("rmse_new_column", row),
        ("rmse_new_both", neither),
        ("holdout_rmse", knows.held_rmse),
        ("train_ratings", Some(train.entries.len() as f64)),
        ("input_ratings", inputs.map(|inputs| inputs.entries.len() as f64)),
        ("test_ratings", Some(test.entries.len() as f64)),
        ("parameters", Some(knows.parameters as f64)),
        ("mean_rating", Some(train.entries.mean())),
        ("seconds", Some(knows.seconds)),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            result.set(name, value);
        }
    }
    if let Some(folder) = folder.filter(|_| result.reason != StopReason::Interrupted) {
        knows.save(folder.join("model.safetensors"))?;
        write_whole(folder.join("result.json"), result.json(trial).as_bytes())?;
    }
    Ok((result, Trajectory::default()))
}
