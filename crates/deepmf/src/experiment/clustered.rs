//! The trial of a clustering: fitted several times, judged by the classes where they are known.

use std::path::Path;
use std::sync::Arc;

use super::build::views;
use super::result::TrialResult;
use super::{Experiment, RunOptions};
use crate::Result;
use crate::analysis::metrics::Agreements;
use crate::apps::{ClusterFiles, Clustered, Clustering, best_of};
use crate::data::write_whole;
use crate::spec::{ClusteringSettings, Data};
use crate::train::{StopReason, Trajectory};

/// Clusters the views of trial `place`, `repeats` times; its files go to `folder`.
pub(super) fn run(
    experiment: &Experiment,
    place: usize,
    (settings, repeats): (&ClusteringSettings, usize),
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    let trial = &experiment.trials[place];
    let set = views::load(&trial.spec.data, trial.spec.seed, &experiment.base)?;
    let mut clustering = Clustering::new(settings.clone())?;
    if let Some(flag) = &options.interrupt {
        clustering = clustering.interrupt(Arc::clone(flag));
    }
    if let Some(folder) = folder {
        experiment.write_spec(trial, folder)?;
    }
    let begun = std::time::Instant::now();
    let all = clustering.repeated(&set.views, repeats, trial.spec.seed)?;
    let seconds = begun.elapsed().as_secs_f64();
    let best = best_of(&all)?;
    let is_stopped = |found: &&Clustered| found.reason == StopReason::Interrupted;
    let reason = all.iter().find(is_stopped).map_or(best.reason, |found| found.reason);
    let mut result = TrialResult::new(trial, best.sweeps() as u64, reason);
    if let Some(classes) = &set.classes {
        let found = Agreements::new(&classes.of, all.iter().map(|one| &one.labels[..]))?;
        for (name, scores) in found.named() {
            result.set(name, scores.mean);
            result.set(&format!("{name}_std"), scores.std);
            result.set(&format!("{name}_max"), scores.max);
        }
        result.set("classes", classes.names.len() as f64);
    }
    if let Data::RandomViews(drawn) = &trial.spec.data {
        result.set("noise_weight", noise_weight(best, &drawn.widths));
    }
    let fits = if best.only_labels_drawn { 1.0 } else { repeats as f64 };
    let numbers = [
        ("objective", best.objective),
        ("clusters", best.clusters as f64),
        ("samples", best.labels.len() as f64),
        ("views", set.views.len() as f64),
        ("fits", fits),
        ("exponent", best.exponent.unwrap_or(f64::NAN)),
        ("seconds", seconds),
    ];
    for (name, value) in numbers {
        result.set(name, value);
    }
    if let Some(folder) = folder.filter(|_| reason != StopReason::Interrupted) {
        ClusterFiles::new(best, &set).write(folder)?;
        let trajectory = best.trajectory.csv();
        write_whole(folder.join("trajectory.csv"), trajectory.as_bytes())?;
        write_whole(folder.join("result.json"), result.json(trial).as_bytes())?;
    }
    Ok((result, best.trajectory.clone()))
}

/// The mean weight of features that say nothing, which come after `widths` others, over that of the others; NaN if there are none.
fn noise_weight(found: &Clustered, widths: &[usize]) -> f64 {
    let sides =
        || found.feature_weights.iter().zip(widths).map(|(all, &width)| all.split_at(width));
    let mean = |weights: Vec<&f64>| weights.iter().copied().sum::<f64>() / weights.len() as f64;
    let silent = mean(sides().flat_map(|(_, silent)| silent).collect());
    silent / mean(sides().flat_map(|(telling, _)| telling).collect())
}
