//! `transport`: a hidden light from what it does to what is seen.

mod matrix;
mod page;
mod video;

pub(super) use matrix::matrix;
pub(super) use video::video;

use std::path::Path;

use deepmf::analysis::metrics::VideoAgreement;
use deepmf::apps::{CompareLight, FoundLight, LightBaseline, LightBaselines, LightTransport};
use deepmf::data::{Entries, Table, Video, read_dense, write, write_video, write_whole};
use deepmf::linalg::Mat;
use deepmf::model::{Numbers, Tensors};
use deepmf::train::StopReason;
use deepmf::{Error, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::Ending;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Talk;
use crate::progress::Bar;
use crate::run_folder::{MODEL, RunFolder, TRAJECTORY};

/// What repeats a fit: the command, what it reads, and its settings but for the minutes, of which each call has its own.
#[derive(Serialize)]
struct Repeats<'a, S> {
    command: &'static str,
    seed: u64,
    input: Vec<String>,
    settings: &'a S,
}

impl<S: Serialize> Repeats<'_, S> {
    fn toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::parameter("the settings", "ones that TOML can hold", error.to_string())
        })
    }
}

/// Fits by `fit`, with a bar, an interrupt and, where there is a folder, checkpoints.
fn fitted(
    (seed, resume): (u64, bool),
    folder: Option<&RunFolder>,
    talk: Talk,
    fit: impl FnOnce(&LightTransport<'_>) -> Result<FoundLight>,
) -> Result<FoundLight> {
    let bar = Bar::new(talk);
    let mut app = LightTransport::new(seed).interrupt(interrupt::flag());
    app = app.watch(|stage| bar.stage(stage));
    if let Some(folder) = folder {
        app = app.folder(folder.path()).resume(resume);
    }
    fit(&app).inspect_err(|_| {
        if let Some(folder) = folder {
            folder.abandon();
        }
    })
}

/// How what was found compares with what is true.
struct Judged {
    agreement: Option<VideoAgreement>,
    /// What a light that never changes would correlate, its means left in.
    still: Option<f64>,
    transport: Option<f64>,
    non_negative: Option<LightBaseline>,
    singular: Option<LightBaseline>,
    known: Option<LightBaseline>,
}

impl Judged {
    /// The baselines on the same observed matrices.
    fn new(
        baselines: &LightBaselines<'_>,
        updates: usize,
        transport: Option<&[Mat]>,
        (agreement, still): (Option<VideoAgreement>, Option<f64>),
    ) -> Result<Self> {
        // Noise may leave entries below zero, which non-negative factors cannot meet.
        let clipped: Vec<Mat> = baselines.observed.iter().map(clipped).collect();
        let non_negative = LightBaselines {
            observed: &clipped,
            inner: baselines.inner,
            compare: baselines.compare,
        };
        Ok(Self {
            agreement,
            still,
            transport: None,
            non_negative: Some(non_negative.non_negative(updates, 0)?),
            singular: Some(baselines.singular()?),
            known: transport.map(|known| baselines.known_transport(known)).transpose()?,
        })
    }

    /// Adds to the keys of a result.
    fn write(&self, value: &mut Value) {
        let agreement = self.agreement.as_ref();
        value["correlation"] = json!(agreement.map(|it| it.correlation));
        value["psnr"] = json!(agreement.map(|it| it.psnr));
        value["ssim"] = json!(agreement.map(|it| it.ssim));
        value["flip"] = json!(agreement.map(|it| it.flip.name()));
        if let Some(transport) = self.transport {
            value["transport_correlation"] = json!(transport);
        }
        value["static_correlation"] = json!(self.still);
        value["baseline_nmf"] = json!(self.non_negative);
        value["baseline_singular"] = json!(self.singular);
        value["baseline_known_transport"] = json!(self.known);
    }
}

fn clipped(z: &Mat) -> Mat {
    Mat::from_fn(z.rows(), z.cols(), |i, j| z[(i, j)].max(0.0))
}

/// Adds the keys of the fit itself.
fn write_fit(
    value: &mut Value,
    found: &FoundLight,
    compare: Option<&CompareLight<'_>>,
) -> Result<()> {
    let kept = found.kept();
    value["steps"] = json!(kept.steps);
    value["seconds"] = json!(found.seconds);
    value["seconds_per_step"] = json!(kept.seconds / kept.steps.max(1) as f64);
    value["stop_reason"] = json!(kept.reason.name());
    value["held_out_error"] = json!(kept.held_out_error);
    value["product_error"] = json!(kept.product_error);
    value["chosen_seed"] = json!(kept.seed);
    value["kept"] = json!(kept.kept);
    value["parameters"] = json!(found.parameters);
    value["trials"] = json!(found.trials);
    if let (Some(compare), Some(trials)) = (compare, value["trials"].as_array_mut()) {
        for (value, trial) in trials.iter_mut().zip(&found.trials) {
            value["correlation"] = json!(compare(&trial.light)?.correlation);
        }
    }
    Ok(())
}

/// One that was interrupted or diverged spoils the answer.
fn ending(found: &FoundLight) -> Ending {
    let interrupted = found.trials.iter().any(|trial| trial.reason == StopReason::Interrupted);
    if interrupted { Ending::No } else { Ending::of(found.kept().reason) }
}

/// The parameters and what was recorded.
fn write_model(folder: &Path, found: &FoundLight) -> Result<()> {
    write_whole(folder.join(TRAJECTORY), found.trajectory.csv().as_bytes())?;
    let mut tensors = Tensors::of(&found.params);
    tensors.add_numbers("seed", Numbers::Double(vec![found.kept().seed as f64]));
    tensors.save(folder.join(MODEL))
}

/// A matrix from a file, which must have this shape.
fn read_as(path: &Path, what: &str, shape: (usize, usize)) -> Result<Mat> {
    let matrix = read_dense(path)?;
    let found = (matrix.rows(), matrix.cols());
    let words = |(rows, cols): (usize, usize)| format!("({rows}, {cols})");
    if found == shape {
        return Ok(matrix);
    }
    Err(Error::shape(what, words(shape), words(found)))
}

/// A matrix as .npy.
fn write_matrix(path: &Path, matrix: &Mat) -> Result<()> {
    write(path, &Table::new(Entries::from_dense(matrix)?))
}

/// A matrix as a picture, white where it is largest.
fn write_picture(path: &Path, matrix: &Mat) -> Result<()> {
    let largest = matrix.max_abs().max(f64::MIN_POSITIVE);
    let turned = matrix.t().to_mat();
    let values = turned.values().iter().map(|x| (x / largest).clamp(0.0, 1.0)).collect();
    write_video(path, &Video::new([1, matrix.rows(), matrix.cols(), 1], values)?)
}

/// Tells what came of it.
fn tell(found: &FoundLight, judged: &Judged, output: Option<&Path>, talk: Talk) {
    let kept = found.kept();
    talk.line(&format!(
        "{} parameters, seed {} of {} kept after {} steps: {}",
        found.parameters,
        kept.seed,
        found.trials.len(),
        kept.steps,
        kept.reason
    ));
    talk.line(&format!("error of the product: {:.4}", kept.product_error));
    if let Some(error) = kept.held_out_error {
        talk.line(&format!("error of what is held out: {error:.4}"));
    }
    if let Some(agreement) = &judged.agreement {
        talk.line(&format!(
            "correlation with the true light: {:.3} ({}), each pixel's mean over time taken off",
            agreement.correlation,
            agreement.flip.name()
        ));
        let named = [
            ("non-negative factors", &judged.non_negative),
            ("singular vectors", &judged.singular),
            ("the known transport", &judged.known),
        ];
        for (name, baseline) in named {
            if let Some(correlation) = baseline.as_ref().and_then(|it| it.correlation) {
                talk.line(&format!("  by {name}: {correlation:.3}"));
            }
        }
    }
    found.warnings.iter().for_each(|warning| talk.warning(warning));
    if ending(found) == Ending::No {
        let reason = found.trials.iter().find(|trial| trial.reason == StopReason::Interrupted);
        talk.warning(&reason.unwrap_or(kept).reason.to_string());
    }
    if let Some(output) = output {
        talk.line(&format!("what was found: {}", output.display()));
    }
}

/// Opens the folder, if one is asked for.
fn opened(path: Option<&Path>, resume: bool, spec: &str) -> Result<Option<RunFolder>, Failure> {
    path.map(|path| RunFolder::open(path, resume, spec)).transpose()
}
