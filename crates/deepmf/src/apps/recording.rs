//! What was recorded of a light and, in experiments, what is true of it.

use super::{FoundLight, LightBaseline, LightBaselines, LightTransport};
use crate::analysis::metrics::{
    VideoAgreement, compare_lines, compare_videos, static_correlation, transport_correlation,
};
use crate::data::{Video, words};
use crate::linalg::Mat;
use crate::model::VideoDecoders;
use crate::spec::{LightFit, LightMethod, TransportSettings};
use crate::{Error, Result};

/// What was observed.
#[derive(Clone, Debug)]
pub enum Observed {
    /// Z: observed x time.
    Matrix(Mat),
    /// A video.
    Video(Video),
}

/// What was observed of a hidden light and, where it is known, what is true.
#[derive(Clone, Debug)]
pub struct Recording {
    observed: Observed,
    /// Z of each channel, frames cut or repeated as for a fit.
    channels: Vec<Mat>,
    grid: (usize, usize),
    transport: Option<Mat>,
    light: Option<Vec<Mat>>,
}

impl Recording {
    /// A matrix, `inner` hidden pixels in a line, with the true transport (rows x inner) and light (inner x columns) where they are known.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit.
    pub fn matrix(
        observed: Mat,
        inner: usize,
        transport: Option<Mat>,
        light: Option<Mat>,
    ) -> Result<Self> {
        must_be("the true transport", transport.as_ref(), (observed.rows(), inner))?;
        must_be("the true light", light.as_ref(), (inner, observed.cols()))?;
        let (channels, light) = (vec![observed.clone()], light.map(|light| vec![light]));
        let observed = Observed::Matrix(observed);
        Ok(Self { observed, channels, grid: (inner, 1), transport, light })
    }

    /// A video, lit by a hidden one of height and width `hidden`, with the true transport (observed x hidden pixels, both row after row) and the true hidden
    /// video where they are known; that is resized, and of its colours the mean counts if the other one is grey.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit; [`Error::Parameter`] for a video of fewer than 8 frames.
    pub fn video(
        observed: Video,
        hidden: (usize, usize),
        transport: Option<Mat>,
        light: Option<&Video>,
    ) -> Result<Self> {
        let pixels = observed.height() * observed.width();
        must_be("the true transport", transport.as_ref(), (pixels, hidden.0 * hidden.1))?;
        let light = light.map(|light| fitting(light, &observed, hidden)).transpose()?;
        let (padded, _) = observed.in_multiples_of(VideoDecoders::MULTIPLE)?;
        let channels = (0..padded.channels()).map(|c| padded.channel(c)).collect();
        let observed = Observed::Video(observed);
        Ok(Self { observed, channels, grid: hidden, transport, light })
    }

    /// What was observed.
    pub fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Z of each channel, observed x time; of a video as many frames as are fitted.
    pub fn channels(&self) -> &[Mat] {
        &self.channels
    }

    /// Height and width of the hidden light; inner and 1 of a line.
    pub fn grid(&self) -> (usize, usize) {
        self.grid
    }

    /// The true transport, observed x hidden pixels.
    pub fn transport(&self) -> Option<&Mat> {
        self.transport.as_ref()
    }

    /// The true light of each channel, hidden x time.
    pub fn light(&self) -> Option<&[Mat]> {
        self.light.as_deref()
    }

    /// Fits images of least variation or a sparse light where these are the method, else decoders.
    ///
    /// # Errors
    /// As [`LightTransport::variation`], [`LightTransport::sparse`], [`LightTransport::matrix`] and [`LightTransport::video`]; [`Error::Parameter`] for settings of another one.
    pub fn fit(
        &self,
        app: &LightTransport<'_>,
        settings: &TransportSettings,
    ) -> Result<FoundLight> {
        let of_matrix = matches!(settings.method, LightMethod::Variation | LightMethod::Sparse);
        match (&self.observed, &settings.fit) {
            (Observed::Matrix(observed), LightFit::Matrix(fit)) if of_matrix => {
                match settings.method {
                    LightMethod::Sparse => app.sparse(&settings.sparse, fit.inner, observed),
                    _ => app.variation(&settings.variation, fit.inner, observed),
                }
            }
            (Observed::Video(_), _) if of_matrix => {
                Err(Error::parameter("what was observed", "a matrix", "a video"))
            }
            (Observed::Matrix(observed), LightFit::Matrix(settings)) => {
                app.matrix(settings, observed)
            }
            (Observed::Video(observed), LightFit::Video(settings)) => app.video(settings, observed),
            (Observed::Matrix(_), LightFit::Video(_)) => {
                Err(Error::parameter("what was observed", "a video", "a matrix"))
            }
            (Observed::Video(_), LightFit::Matrix(_)) => {
                Err(Error::parameter("what was observed", "a matrix", "a video"))
            }
        }
    }

    /// How near a light is to the true one; none where that is not known.
    ///
    /// # Errors
    /// As [`compare_videos`].
    pub fn agreement(&self, light: &[Mat]) -> Result<Option<VideoAgreement>> {
        let Some(truth) = &self.light else { return Ok(None) };
        match &self.observed {
            Observed::Matrix(_) => compare_lines(&light[0], &truth[0]),
            Observed::Video(_) => compare_videos(light, truth, self.grid),
        }
        .map(Some)
    }

    /// Correlation of a transport with the true one, the mean over channels; none where that is not known.
    ///
    /// # Errors
    /// As [`transport_correlation`].
    pub fn transport_correlation(&self, found: &[Mat]) -> Result<Option<f64>> {
        let Some(truth) = &self.transport else { return Ok(None) };
        let of = |found| transport_correlation(found, truth, self.grid);
        let all = found.iter().map(of).collect::<Result<Vec<_>>>()?;
        Ok(Some(all.iter().sum::<f64>() / all.len() as f64))
    }

    /// What the means of the true light over time alone would correlate with it, were they not taken off.
    pub fn static_correlation(&self) -> Option<f64> {
        self.light.as_deref().map(static_correlation)
    }

    /// What a method without decoders finds. Entries below zero, which noise may leave, count as zero to non-negative factors.
    ///
    /// # Errors
    /// As the methods of [`LightBaselines`]; [`Error::Parameter`] for decoders, or where what the method needs is not known.
    pub fn baseline(&self, settings: &TransportSettings, seed: u64) -> Result<LightBaseline> {
        let truth = self.light.is_some();
        let compare = |light: &[Mat]| -> Result<VideoAgreement> {
            let missing = || Error::parameter("the true light", "known", "not");
            self.agreement(light)?.ok_or_else(missing)
        };
        let above: Vec<Mat>;
        let observed = if settings.method == LightMethod::Nmf {
            above = self.channels.iter().map(not_negative).collect();
            &above
        } else {
            &self.channels
        };
        let inner = self.grid.0 * self.grid.1;
        let baselines = LightBaselines { observed, inner, compare: truth.then_some(&compare as _) };
        match settings.method {
            LightMethod::Nmf => baselines.non_negative(settings.updates(), seed),
            LightMethod::Singular => baselines.singular(),
            LightMethod::Known => {
                let missing = || Error::parameter("the true transport", "known", "not");
                let known = self.transport.clone().ok_or_else(missing)?;
                baselines.known_transport(&vec![known; observed.len()])
            }
            fitted @ (LightMethod::Decoders | LightMethod::Variation | LightMethod::Sparse) => {
                Err(Error::parameter("the method of a baseline", "another one", fitted.name()))
            }
        }
    }
}

fn must_be(what: &str, matrix: Option<&Mat>, shape: (usize, usize)) -> Result<()> {
    match matrix.map(|matrix| (matrix.rows(), matrix.cols())).filter(|found| *found != shape) {
        Some(found) => Err(Error::shape(what, words(shape), words(found))),
        None => Ok(()),
    }
}

/// A true hidden video in the frames of the observed one and at the size of what is looked for, a matrix for each colour of the observed one.
fn fitting(light: &Video, observed: &Video, (height, width): (usize, usize)) -> Result<Vec<Mat>> {
    if light.frames() != observed.frames() {
        let expected = format!("{} frames, as the observed one", observed.frames());
        return Err(Error::shape("the true hidden video", expected, light.frames()));
    }
    let (light, _) = light.resized(height, width)?.in_multiples_of(VideoDecoders::MULTIPLE)?;
    let light = if observed.channels() == light.channels() { light } else { light.grey() };
    Ok((0..observed.channels()).map(|c| light.channel(c.min(light.channels() - 1))).collect())
}

fn not_negative(z: &Mat) -> Mat {
    Mat::from_fn(z.rows(), z.cols(), |i, j| z[(i, j)].max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Scene, SceneSettings};
    use crate::spec::{MatrixTransport, VideoTransport};

    #[test]
    fn a_recording_of_a_scene_knows_what_is_true() {
        let settings = SceneSettings {
            observed: (12, 14),
            hidden: (8, 8),
            frames: 17,
            ..SceneSettings::default()
        };
        let scene = Scene::simulated(&settings, 0).unwrap();
        let video = || scene.observed.clone();
        let known = scene.transport.clone();
        let recording =
            Recording::video(video(), (8, 8), Some(known.clone()), Some(&scene.hidden)).unwrap();
        assert_eq!((recording.channels()[0].rows(), recording.channels()[0].cols()), (168, 16));
        let light = recording.light().unwrap().to_vec();
        assert!(recording.agreement(&light).unwrap().unwrap().correlation > 1.0 - 1e-12);
        let told = recording.transport_correlation(std::slice::from_ref(&known)).unwrap().unwrap();
        assert!(told > 1.0 - 1e-12 && recording.static_correlation().unwrap() < 1.0);
        let mut settings = TransportSettings::decoders(LightFit::Video(VideoTransport::fast()));
        assert!(recording.baseline(&settings, 0).is_err());
        settings.method = LightMethod::Known;
        assert!(recording.baseline(&settings, 0).unwrap().correlation.unwrap() > 0.5);
        let blind = Recording::video(video(), (8, 8), None, None).unwrap();
        assert!(blind.agreement(&light).unwrap().is_none());
        assert_eq!(
            blind.baseline(&settings, 0).unwrap_err().to_string(),
            "the true transport must be known, but it is not"
        );
        settings.method = LightMethod::Singular;
        assert_eq!(blind.baseline(&settings, 0).unwrap().correlation, None);
        let other = TransportSettings::decoders(LightFit::Matrix(MatrixTransport::fast()));
        assert_eq!(
            blind.fit(&LightTransport::new(0), &other).unwrap_err().to_string(),
            "what was observed must be a matrix, but it is a video"
        );
        assert_eq!(
            Recording::video(video(), (8, 16), Some(known), None).unwrap_err().to_string(),
            "the true transport must have shape (168, 128), but it has (168, 64)"
        );
    }
}
