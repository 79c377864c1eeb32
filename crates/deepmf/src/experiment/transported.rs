//! The trial of a light transport: fitted by decoders or found by a simpler way, and judged by what is true where that is known.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::build::recording;
use super::result::TrialResult;
use super::{Experiment, RunOptions};
use crate::Result;
use crate::apps::{LightFiles, LightTransport, Recording};
use crate::data::write_whole;
use crate::spec::{LightMethod, TransportSettings};
use crate::train::{StopReason, Trajectory};

/// Finds the light of trial `place`; its files go to `folder`.
pub(super) fn run(
    experiment: &Experiment,
    place: usize,
    settings: &TransportSettings,
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    let trial = &experiment.trials[place];
    let (data, seed) = (&trial.spec.data, trial.spec.seed);
    let recording = recording::load(data, &settings.fit, seed, &experiment.base)?;
    if let Some(folder) = folder {
        experiment.write_spec(trial, folder)?;
    }
    let (mut result, trajectory) = match settings.method {
        LightMethod::Decoders | LightMethod::Variation | LightMethod::Sparse => {
            fitted(experiment, place, (settings, &recording), folder, options)?
        }
        method => {
            let updates = if method == LightMethod::Nmf { settings.updates() } else { 0 };
            let mut result = TrialResult::new(trial, updates as u64, StopReason::StepsDone);
            let begun = Instant::now();
            let found = recording.baseline(settings, seed)?;
            result.set("product_error", found.product_error);
            result.set("seconds", begun.elapsed().as_secs_f64());
            let numbers = [
                ("correlation", found.correlation),
                ("psnr", found.psnr),
                ("ssim", found.ssim),
                ("ridge", found.ridge),
            ];
            set(&mut result, &numbers);
            (result, Trajectory::default())
        }
    };
    set(&mut result, &[("static_correlation", recording.static_correlation())]);
    if let Some(folder) = folder.filter(|_| result.reason != StopReason::Interrupted) {
        write_whole(folder.join("trajectory.csv"), trajectory.csv().as_bytes())?;
        write_whole(folder.join("result.json"), result.json(trial).as_bytes())?;
    }
    Ok((result, trajectory))
}

/// Fits; goes on from the checkpoints in `folder` if `options` say so.
fn fitted(
    experiment: &Experiment,
    place: usize,
    (settings, recording): (&TransportSettings, &Recording),
    folder: Option<&Path>,
    options: &RunOptions,
) -> Result<(TrialResult, Trajectory)> {
    let trial = &experiment.trials[place];
    let mut app = LightTransport::new(trial.spec.seed);
    if let Some(flag) = &options.interrupt {
        app = app.interrupt(Arc::clone(flag));
    }
    if let Some(told) = options.on_progress.clone() {
        app = app.watch(move |stage| told(&(place, stage.progress)));
    }
    if let Some(folder) = folder {
        app = app.folder(folder).resume(options.resume);
    }
    let asked = || options.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
    let found = match recording.fit(&app, settings) {
        // Before the first step of any seed nothing was found.
        Err(_) if asked() => {
            let nothing = TrialResult::new(trial, 0, StopReason::Interrupted);
            return Ok((nothing, Trajectory::default()));
        }
        found => found?,
    };
    let kept = found.kept();
    let mut result = TrialResult::new(trial, kept.steps, found.reason());
    let agreement = recording.agreement(&found.light)?;
    let numbers = [
        ("correlation", agreement.map(|it| it.correlation)),
        ("psnr", agreement.map(|it| it.psnr)),
        ("ssim", agreement.map(|it| it.ssim)),
        ("transport_correlation", recording.transport_correlation(&found.transport)?),
        ("product_error", Some(kept.product_error)),
        ("held_out_error", kept.held_out_error),
        ("objective", kept.objective),
        ("agreement", kept.agreement),
        ("chosen_seed", Some(kept.seed as f64)),
        ("parameters", Some(found.parameters as f64)),
        ("seconds", Some(found.seconds)),
    ];
    set(&mut result, &numbers);
    let spoilt = [StopReason::Interrupted, StopReason::Diverged].contains(&result.reason);
    if let Some(folder) = folder.filter(|_| !spoilt) {
        LightFiles { recording, found: &found }.write(folder)?;
    }
    Ok((result, found.trajectory))
}

fn set(result: &mut TrialResult, numbers: &[(&str, Option<f64>)]) {
    for (name, value) in numbers {
        result.set(name, value.unwrap_or(f64::NAN));
    }
}
