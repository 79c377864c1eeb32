//! `transport video`.

use std::path::Path;

use deepmf::analysis::metrics::{VideoAgreement, compare_videos, static_correlation};
use deepmf::apps::{CompareLight, FoundLight, LightBaselines};
use deepmf::data::{Video, read_video, write_video};
use deepmf::linalg::Mat;
use deepmf::model::VideoDecoders;
use deepmf::spec::VideoTransport;
use deepmf::{Error, Result};
use serde_json::json;

use super::{
    Judged, Repeats, ending, fitted, opened, page, read_as, tell, write_fit, write_matrix,
    write_model,
};
use crate::args::TransportVideo;
use crate::command::Ending;
use crate::failure::Failure;
use crate::output::{self, Talk};

/// Updates of the non-negative factors.
const UPDATES: usize = 200;
/// The most columns and rows of the sheet of the transport, in pixels.
const SHEET: usize = 2_048;

/// Runs what was typed.
pub(in crate::command) fn video(args: &TransportVideo, talk: Talk) -> Result<Ending, Failure> {
    let settings = args.settings();
    let observed = read_video(&args.observed)?;
    let observed = match args.crop {
        Some((x, y, width, height)) => observed.crop(x, y, width, height)?,
        None => observed,
    };
    observed.must_tell(settings.white)?;
    let truth = truth(args, &observed)?;
    let known = args.truth_transport.as_deref().map(|path| transport(path, &observed, args.hidden));
    let known = known.transpose()?;
    let lasting = VideoTransport { restarts: settings.restarts.without_limit(), ..settings };
    let repeats = Repeats {
        command: "transport video",
        seed: args.seed(),
        input: vec![args.observed.display().to_string(), format!("crop {:?}", args.crop)],
        settings: &lasting,
    };
    let spec = repeats.toml()?;
    let folder = opened(Some(&args.output), args.kept.resume, &spec)?;
    let found = fitted((args.seed(), args.kept.resume), folder.as_ref(), talk, |app| {
        app.video(&settings, &observed)
    })?;
    let compare = truth.as_ref().map(|truth| {
        move |light: &[Mat]| -> Result<VideoAgreement> { compare_videos(light, truth, args.hidden) }
    });
    let agreement = compare.as_ref().map(|compare| compare(&found.light)).transpose()?;
    let still = truth.as_deref().map(static_correlation);
    let (padded, _) = observed.in_multiples_of(VideoDecoders::MULTIPLE)?;
    let channels: Vec<Mat> = (0..padded.channels()).map(|c| padded.channel(c)).collect();
    let compared: Option<&CompareLight<'_>> = compare.as_ref().map(|it| it as &CompareLight<'_>);
    let inner = args.hidden.0 * args.hidden.1;
    let baselines = LightBaselines { observed: &channels, inner, compare: compared };
    let known = known.map(|known| vec![known; channels.len()]);
    let judged = Judged::new(&baselines, UPDATES, known.as_deref(), (agreement, still))?;
    let mut result = json!({
        "height": observed.height(),
        "width": observed.width(),
        "frames": padded.frames(),
        "colours": observed.channels(),
        "hidden": [args.hidden.0, args.hidden.1],
    });
    write_fit(&mut result, &found, compared)?;
    judged.write(&mut result);
    result["seed"] = json!(args.seed());
    if let Some(folder) = &folder {
        let path = folder.path();
        let mut pictures =
            vec![("what was observed", "observed.gif"), ("the hidden video", "hidden.gif")];
        write_video(path.join("observed.gif"), &padded)?;
        let hidden = shown(&found.light, args.hidden)?;
        write_video(path.join("hidden.gif"), &hidden)?;
        write_video(path.join("hidden.npy"), &hidden)?;
        if let Some(truth) = &truth {
            write_video(path.join("hidden-truth.gif"), &shown(truth, args.hidden)?)?;
            pictures.push(("the true hidden video", "hidden-truth.gif"));
        }
        write_video(path.join("transport.png"), &sheet(&found, &observed, args.hidden)?)?;
        pictures.push(("what each hidden pixel lights", "transport.png"));
        for (c, transport) in found.transport.iter().enumerate() {
            let name = if c == 0 { "transport.npy".into() } else { format!("transport-{c}.npy") };
            write_matrix(&path.join(name), transport)?;
        }
        write_model(path, &found)?;
        let subtitle = format!(
            "{} x {} pixels, {} frames, {} x {} hidden",
            observed.height(),
            observed.width(),
            padded.frames(),
            args.hidden.0,
            args.hidden.1
        );
        let page = page::page(&subtitle, &found, &result, &spec, (path, &pictures))?;
        folder.finish(&result, &page)?;
    }
    if args.kept.json {
        output::json(&result)?;
    }
    tell(&found, &judged, Some(&args.output), talk);
    Ok(ending(&found))
}

/// The true hidden video in the frames and at the size of what is looked for, a matrix for each colour of the observed one.
fn truth(args: &TransportVideo, observed: &Video) -> Result<Option<Vec<Mat>>> {
    let Some(path) = &args.truth else { return Ok(None) };
    let truth = read_video(path)?;
    if truth.frames() != observed.frames() {
        let expected = format!("{} frames, as the observed one", observed.frames());
        return Err(Error::shape("the true hidden video", expected, truth.frames()));
    }
    let (truth, _) =
        truth.resized(args.hidden.0, args.hidden.1)?.in_multiples_of(VideoDecoders::MULTIPLE)?;
    let truth = if observed.channels() == truth.channels() { truth } else { truth.grey() };
    Ok(Some((0..observed.channels()).map(|c| truth.channel(c.min(truth.channels() - 1))).collect()))
}

/// A known transport, observed pixels x hidden pixels.
fn transport(path: &Path, observed: &Video, hidden: (usize, usize)) -> Result<Mat> {
    let shape = (observed.height() * observed.width(), hidden.0 * hidden.1);
    read_as(path, "the true transport", shape)
}

/// Light as a video, white where it is brightest.
fn shown(light: &[Mat], (height, width): (usize, usize)) -> Result<Video> {
    let largest = light.iter().map(Mat::max_abs).fold(f64::MIN_POSITIVE, f64::max);
    let (pixels, frames) = (light[0].rows(), light[0].cols());
    let cells = (0..frames).flat_map(|t| (0..pixels).map(move |pixel| (pixel, t)));
    let values = cells
        .flat_map(|cell| light.iter().map(move |light| (light[cell] / largest).clamp(0.0, 1.0)));
    Video::new([frames, height, width, light.len()], values.collect())
}

/// What each hidden pixel lights, side by side as the hidden pixels stand; every so many where there are too many.
fn sheet(found: &FoundLight, observed: &Video, hidden: (usize, usize)) -> Result<Video> {
    let (height, width) = (observed.height(), observed.width());
    let longest = hidden.0.max(hidden.1);
    let step = (1..longest).find(|step| {
        hidden.0.div_ceil(*step) * height <= SHEET && hidden.1.div_ceil(*step) * width <= SHEET
    });
    let step = step.unwrap_or(longest);
    let (rows, cols) = (hidden.0.div_ceil(step), hidden.1.div_ceil(step));
    let largest = found.transport.iter().map(Mat::max_abs).fold(f64::MIN_POSITIVE, f64::max);
    let colours = found.transport.len();
    let mut values = Vec::with_capacity(rows * height * cols * width * colours);
    for y in 0..rows * height {
        for x in 0..cols * width {
            let lamp = (y / height * step) * hidden.1 + x / width * step;
            let pixel = y % height * width + x % width;
            values.extend(
                found.transport.iter().map(|t| (t[(pixel, lamp)] / largest).clamp(0.0, 1.0)),
            );
        }
    }
    Video::new([1, rows * height, cols * width, colours], values)
}
