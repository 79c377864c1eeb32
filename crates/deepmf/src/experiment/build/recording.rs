//! What was recorded of a light, in a run.

use std::path::Path;

use super::source::file;
use crate::apps::Recording;
use crate::data::{PictureProduct, Scene, read_dense, read_video};
use crate::linalg::Mat;
use crate::spec::{self, Data, LightFit, MatrixTransport, VideoTransport};
use crate::{Error, Result};

/// Reads or makes the recording that `data` describes, for a fit as `fit` says; noise is drawn from `seed`.
///
/// # Errors
/// What reading gives; [`Error::Parameter`] for other data; [`Error::Shape`] for a truth that does not fit.
pub fn load(data: &Data, fit: &LightFit, seed: u64, base: &Path) -> Result<Recording> {
    check(data, fit)?;
    match (data, fit) {
        (Data::Pictures(pictures), LightFit::Matrix(_)) => of_pictures(pictures, seed, base),
        (Data::Matrix(matrix), LightFit::Matrix(settings)) => of_matrix(matrix, settings, base),
        (Data::Video(video), LightFit::Video(settings)) => of_video(video, settings, base),
        (Data::Scene(scene), LightFit::Video(settings)) => {
            let simulated = Scene::simulated(&scene.settings(), scene.seed.unwrap_or(seed))?;
            let Scene { observed, hidden, transport } = simulated;
            // A light of another size has no transport that is known.
            let transport = (scene.hidden == settings.hidden).then_some(transport);
            Recording::video(observed, settings.hidden, transport, Some(&hidden))
        }
        _ => Err(misfit(fit)),
    }
}

/// Whether the data is what is fitted, as far as can be told without reading it.
pub(in crate::experiment) fn check(data: &Data, fit: &LightFit) -> Result<()> {
    match (data, fit) {
        (Data::Pictures(pictures), LightFit::Matrix(settings)) => {
            if pictures.inner == settings.inner {
                return Ok(());
            }
            let allowed = format!("that of the pictures, {}", pictures.inner);
            Err(Error::parameter("transport.matrix.inner", allowed, settings.inner))
        }
        (Data::Matrix(_), LightFit::Matrix(_))
        | (Data::Video(_) | Data::Scene(_), LightFit::Video(_)) => Ok(()),
        _ => Err(misfit(fit)),
    }
}

fn misfit(fit: &LightFit) -> Error {
    let allowed = match fit {
        LightFit::Matrix(_) => "pictures or matrix where a matrix is fitted",
        LightFit::Video(_) => "scene or video where a video is fitted",
    };
    Error::parameter("data", allowed, "other data")
}

fn of_pictures(pictures: &spec::Pictures, seed: u64, base: &Path) -> Result<Recording> {
    let spec::Pictures { transport, light, inner, frames, noise } = pictures;
    let (transport, light) = (file(transport, base)?, file(light, base)?);
    let shape = (*inner, frames.unwrap_or(inner.saturating_mul(2)));
    let product = PictureProduct::read(&transport, &light, shape, *noise, seed)?;
    let PictureProduct { observed, transport, light } = product;
    Recording::matrix(observed, *inner, Some(transport), Some(light))
}

fn of_matrix(
    matrix: &spec::ObservedMatrix,
    settings: &MatrixTransport,
    base: &Path,
) -> Result<Recording> {
    let observed = read_dense(file(&matrix.path, base)?)?;
    let [transport, light] =
        [&matrix.transport, &matrix.light].map(|path| known(path.as_deref(), base));
    Recording::matrix(observed, settings.inner, transport?, light?)
}

fn of_video(
    video: &spec::ObservedVideo,
    settings: &VideoTransport,
    base: &Path,
) -> Result<Recording> {
    let mut observed = read_video(file(&video.path, base)?)?;
    if let Some((x, y, width, height)) = video.crop {
        observed = observed.crop(x, y, width, height)?;
    }
    observed.must_tell(settings.white)?;
    let light = video.light.as_ref().map(|path| read_video(file(path, base)?)).transpose()?;
    let transport = known(video.transport.as_deref(), base)?;
    Recording::video(observed, settings.hidden, transport, light.as_ref())
}

fn known(path: Option<&Path>, base: &Path) -> Result<Option<Mat>> {
    path.map(|path| read_dense(file(path, base)?)).transpose()
}
