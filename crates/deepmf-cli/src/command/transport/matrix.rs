//! `transport matrix`.

use std::path::{Path, PathBuf};

use deepmf::analysis::metrics::{VideoAgreement, compare_lines, correlation, static_correlation};
use deepmf::apps::{CompareLight, LightBaselines};
use deepmf::data::{Video, read_dense};
use deepmf::linalg::Mat;
use deepmf::random::{Purpose, normal, stream};
use deepmf::spec::MatrixTransport;
use deepmf::{Error, Result};
use serde_json::json;

use super::{
    Judged, Repeats, ending, fitted, opened, page, read_as, tell, write_fit, write_matrix,
    write_model, write_picture,
};
use crate::args::TransportMatrix;
use crate::command::Ending;
use crate::failure::Failure;
use crate::output::{self, Talk};

/// Updates of the non-negative factors.
const UPDATES: usize = 2_000;

/// What is observed and, where it is known, what is true.
struct Given {
    observed: Mat,
    transport: Option<Mat>,
    light: Option<Mat>,
}

/// Runs what was typed.
pub(in crate::command) fn matrix(args: &TransportMatrix, talk: Talk) -> Result<Ending, Failure> {
    let settings = args.settings();
    settings.restarts.check()?;
    let given = Given::read(args)?;
    let files = [&args.observed, &args.transport, &args.light];
    let input = files.into_iter().flatten().map(|path| path.display().to_string());
    let lasting = MatrixTransport { restarts: settings.restarts.without_limit(), ..settings };
    let repeats = Repeats {
        command: "transport matrix",
        seed: args.seed(),
        input: input.chain([format!("noise {}", args.noise)]).collect(),
        settings: &lasting,
    };
    let spec = repeats.toml()?;
    let folder = opened(args.output.as_deref(), args.kept.resume, &spec)?;
    let found = fitted((args.seed(), args.kept.resume), folder.as_ref(), talk, |app| {
        app.matrix(&settings, &given.observed)
    })?;
    let compare = given.light.as_ref().map(|truth| {
        move |light: &[Mat]| -> Result<VideoAgreement> { compare_lines(&light[0], truth) }
    });
    let agreement = compare.as_ref().map(|compare| compare(&found.light)).transpose()?;
    let still = given.light.as_ref().map(|light| static_correlation(std::slice::from_ref(light)));
    let observed = std::slice::from_ref(&given.observed);
    let compared: Option<&CompareLight<'_>> = compare.as_ref().map(|it| it as &CompareLight<'_>);
    let baselines = LightBaselines { observed, inner: args.inner, compare: compared };
    let known = given.transport.as_ref().filter(|_| given.light.is_some());
    let mut judged =
        Judged::new(&baselines, UPDATES, known.map(std::slice::from_ref), (agreement, still))?;
    judged.transport = given.transport.as_ref().map(|truth| {
        let reversed = |m: &Mat| Mat::from_fn(m.rows(), m.cols(), |i, j| m[(i, m.cols() - 1 - j)]);
        let own = &found.transport[0];
        correlation(own, truth).max(correlation(&reversed(own), truth))
    });
    let mut result = json!({
        "rows": given.observed.rows(),
        "cols": given.observed.cols(),
        "inner": args.inner,
    });
    write_fit(&mut result, &found, compared)?;
    judged.write(&mut result);
    result["transport_correlation"] = json!(judged.transport);
    result["seed"] = json!(args.seed());
    if let Some(folder) = &folder {
        let within = |name: &str| folder.path().join(name);
        for (name, matrix) in [("transport", &found.transport[0]), ("light", &found.light[0])] {
            write_matrix(&within(&format!("{name}.npy")), matrix)?;
            write_picture(&within(&format!("{name}.png")), matrix)?;
        }
        let mut pictures = vec![("the light", "light.png"), ("the transport", "transport.png")];
        if let Some(truth) = &given.light {
            write_picture(&within("light-truth.png"), truth)?;
            pictures.insert(1, ("the true light", "light-truth.png"));
        }
        write_model(folder.path(), &found)?;
        let subtitle = format!(
            "{} x {} from {} inside",
            given.observed.rows(),
            given.observed.cols(),
            args.inner
        );
        let page = page::page(&subtitle, &found, &result, &spec, (folder.path(), &pictures))?;
        folder.finish(&result, &page)?;
    }
    if args.kept.json {
        output::json(&result)?;
    }
    tell(&found, &judged, args.output.as_deref(), talk);
    Ok(ending(&found))
}

impl Given {
    fn read(args: &TransportMatrix) -> Result<Self> {
        if let (Some(transport), Some(light)) = (&args.transport, &args.light) {
            let frames = args.frames.unwrap_or(2 * args.inner);
            let transport = picture(transport, (args.inner, args.inner))?;
            let light = picture(light, (args.inner, frames))?;
            let mut observed = transport.times(&light);
            let mut draws = stream(args.seed(), Purpose::Noise, 0);
            let count = observed.values().len() as f64;
            let mean = observed.values().iter().sum::<f64>() / count;
            let squares = observed.values().iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let spread = args.noise * (squares / count).sqrt();
            observed.values_mut().iter_mut().for_each(|x| *x += spread * normal(&mut draws));
            return Ok(Self { observed, transport: Some(transport), light: Some(light) });
        }
        let Some(path) = &args.observed else {
            return Err(Error::parameter("the observed matrix", "given", "not"));
        };
        let observed = read_dense(path)?;
        let truth = |path: &Option<PathBuf>, what: &str, shape| {
            path.as_deref().map(|path| read_as(path, what, shape)).transpose()
        };
        let (rows, cols) = (observed.rows(), observed.cols());
        Ok(Self {
            transport: truth(&args.truth_transport, "the true transport", (rows, args.inner))?,
            light: truth(&args.truth_light, "the true light", (args.inner, cols))?,
            observed,
        })
    }
}

/// A picture as means over equal areas, its darkest value 0 and its brightest 1, in 256 levels.
fn picture(path: &Path, (rows, cols): (usize, usize)) -> Result<Mat> {
    let image = read_dense(path)?;
    let values = image.t().to_mat().values().to_vec();
    let small = Video::new([1, image.rows(), image.cols(), 1], values)?.resized(rows, cols)?;
    let (low, high) = small
        .values()
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    if low == high {
        return Err(Error::data(path, "must be a picture of two values or more, but it has one"));
    }
    let level = |x: f64| (255.0 * (x - low) / (high - low)).round() / 255.0;
    Ok(Mat::from_fn(rows, cols, |i, j| level(small.values()[i * cols + j])))
}
