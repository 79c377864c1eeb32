//! What a found light is compared with: factors that know nothing of pictures, and what a known transport would give.

use serde::Serialize;

use crate::analysis::metrics::VideoAgreement;
use crate::linalg::{Mat, svd};
use crate::train::{Inversion, Nmf};
use crate::{Error, Result};

/// How near one simple way comes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LightBaseline {
    /// ‖Z − T·L‖_F / ‖Z‖_F over all channels.
    pub product_error: f64,
    /// Of the light with the true one, up to flips, each pixel's mean over time taken off; none without a truth.
    pub correlation: Option<f64>,
    /// Peak signal to noise ratio in dB, likewise.
    pub psnr: Option<f64>,
    /// Structural similarity, likewise.
    pub ssim: Option<f64>,
    /// The ridge as a share of the largest singular value, the same for all channels; of the known transport alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ridge: Option<f64>,
}

/// How a light, one matrix of hidden pixels x frames a channel, compares with the truth.
pub type CompareLight<'a> = dyn Fn(&[Mat]) -> Result<VideoAgreement> + 'a;

/// What is asked of the baselines.
pub struct LightBaselines<'a> {
    /// Z: pixels x frames, one matrix a channel.
    pub observed: &'a [Mat],
    /// Number of hidden pixels.
    pub inner: usize,
    /// The comparison with the truth; none without a truth.
    pub compare: Option<&'a CompareLight<'a>>,
}

impl LightBaselines<'_> {
    /// Non-negative factors of every channel from a random start.
    ///
    /// # Errors
    /// As [`Nmf::factor`]; what the comparison refuses.
    pub fn non_negative(&self, updates: usize, seed: u64) -> Result<LightBaseline> {
        let nmf = Nmf { inner: self.inner, updates, seed };
        let factored = |z: &Mat| nmf.factor(z).map(|found| (found.left, found.right));
        self.measured(self.observed.iter().map(factored).collect::<Result<Vec<_>>>()?)
    }

    /// The truncated singular value decomposition of every channel, light being diag(s) Vᵀ; rows beyond the rank are zero.
    ///
    /// # Errors
    /// As [`svd`]; what the comparison refuses.
    pub fn singular(&self) -> Result<LightBaseline> {
        let factored =
            |z: &Mat| -> Result<(Mat, Mat)> {
                let parts = svd(z.view())?.first(self.inner);
                let rank = parts.s.len();
                let light = Mat::from_fn(self.inner, z.cols(), |k, t| {
                    if k < rank { parts.s[k] * parts.v[(t, k)] } else { 0.0 }
                });
                let left = Mat::from_fn(z.rows(), self.inner, |i, k| {
                    if k < rank { parts.u[(i, k)] } else { 0.0 }
                });
                Ok((left, light))
            };
        self.measured(self.observed.iter().map(factored).collect::<Result<Vec<_>>>()?)
    }

    /// The known transport inverted with the ridge that comes nearest to the truth: what no blind method is expected to pass.
    ///
    /// # Errors
    /// [`Error::Parameter`] without a truth; [`Error::Shape`] if there is not one transport a channel, or its rows are not
    /// the pixels; as [`Inversion::new`].
    pub fn known_transport(&self, transport: &[Mat]) -> Result<LightBaseline> {
        let Some(compare) = self.compare else {
            let allowed = "given for the ridge of a known transport";
            return Err(Error::parameter("the true light", allowed, "not"));
        };
        let channels = transport.iter().map(Inversion::new).collect::<Result<Vec<_>>>()?;
        let judge = |light: &[Mat]| compare(light).map(|agreement| agreement.correlation);
        let best = Inversion::best(&channels, self.observed, judge)?;
        let found = transport.iter().cloned().zip(best.light).collect();
        Ok(LightBaseline { ridge: Some(best.ridge), ..self.measured(found)? })
    }

    fn measured(&self, found: Vec<(Mat, Mat)>) -> Result<LightBaseline> {
        let squares =
            found.iter().zip(self.observed).fold((0.0, 0.0), |(off, all), ((t, l), z)| {
                let error = t.times(l).minus(z).frobenius();
                (off + error * error, all + z.frobenius().powi(2))
            });
        let light: Vec<Mat> = found.into_iter().map(|(_, light)| light).collect();
        let agreement = self.compare.map(|compare| compare(&light)).transpose()?;
        Ok(LightBaseline {
            product_error: (squares.0 / squares.1).sqrt(),
            correlation: agreement.map(|it| it.correlation),
            psnr: agreement.map(|it| it.psnr),
            ssim: agreement.map(|it| it.ssim),
            ridge: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::compare_videos;
    use crate::data::{Scene, SceneSettings};

    fn small() -> Scene {
        let settings = SceneSettings {
            observed: (20, 24),
            hidden: (6, 6),
            frames: 40,
            ..SceneSettings::default()
        };
        Scene::simulated(&settings, 2).unwrap()
    }

    #[test]
    fn factors_that_know_nothing_of_pictures_miss_the_light_and_the_transport_finds_it() {
        let scene = small();
        let (truth, observed) = ([scene.hidden.channel(0)], [scene.observed.channel(0)]);
        let compare = |light: &[Mat]| compare_videos(light, &truth, (6, 6));
        let baselines = LightBaselines { observed: &observed, inner: 36, compare: Some(&compare) };
        let blind = baselines.non_negative(200, 0).unwrap();
        assert!(blind.product_error < 0.03 && blind.correlation.unwrap() < 0.4, "{blind:?}");
        let singular = baselines.singular().unwrap();
        assert!(singular.product_error < blind.product_error, "{singular:?}");
        assert!(singular.correlation.unwrap() < 0.4, "{singular:?}");
        let known = baselines.known_transport(std::slice::from_ref(&scene.transport)).unwrap();
        assert!(known.correlation.unwrap() > 0.75 && known.ridge.unwrap() > 1e-4, "{known:?}");
        let blind = LightBaselines { compare: None, ..baselines };
        assert_eq!(blind.singular().unwrap().correlation, None);
        assert_eq!(
            blind.known_transport(&[scene.transport]).unwrap_err().to_string(),
            "the true light must be given for the ridge of a known transport, but it is not"
        );
    }
}
