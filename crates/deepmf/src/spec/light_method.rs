//! The settings of a light transport in an experiment: by which method, and how it is fitted.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::sparse::SparseTransport;
use super::transport::{MatrixTransport, Restarts, VideoTransport};
use super::variation::VariationTransport;
use crate::Result;

/// Updates of non-negative factors of a matrix, and of each channel of a video.
const UPDATES: (usize, usize) = (2_000, 200);

/// By what light and transport are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LightMethod {
    /// Both are written by untrained decoders (Aittala et al. 2019).
    #[default]
    Decoders,
    /// Both are images of least total variation in the singular subspaces of a matrix.
    Variation,
    /// A transport of least variation and a light that is dark at most places most of the time, of a matrix without noise.
    Sparse,
    /// Non-negative factors.
    Nmf,
    /// Singular vectors.
    Singular,
    /// The known transport with the ridge that comes nearest to the true light: no blind method is expected to pass it.
    Known,
}

impl LightMethod {
    /// The name in files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decoders => "decoders",
            Self::Variation => "variation",
            Self::Sparse => "sparse",
            Self::Nmf => "nmf",
            Self::Singular => "singular",
            Self::Known => "known",
        }
    }
}

/// How decoders are fitted: to a matrix, or to a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LightFit {
    /// To a matrix.
    Matrix(MatrixTransport),
    /// To a video.
    Video(VideoTransport),
}

impl LightFit {
    /// Hidden pixels.
    pub fn inner(&self) -> usize {
        match self {
            Self::Matrix(settings) => settings.inner,
            Self::Video(settings) => settings.hidden.0.saturating_mul(settings.hidden.1),
        }
    }

    /// Seeds, steps and rate.
    pub fn restarts(&self) -> &Restarts {
        match self {
            Self::Matrix(settings) => &settings.restarts,
            Self::Video(settings) => &settings.restarts,
        }
    }

    /// The same without a limit in time.
    #[must_use]
    pub fn without_limit(self) -> Self {
        let restarts = self.restarts().without_limit();
        match self {
            Self::Matrix(settings) => Self::Matrix(MatrixTransport { restarts, ..settings }),
            Self::Video(settings) => Self::Video(VideoTransport { restarts, ..settings }),
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for one that cannot be.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Matrix(settings) => settings.check(),
            Self::Video(settings) => settings.check(),
        }
    }
}

/// A light transport in an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub struct TransportSettings {
    /// By what light and transport are found.
    pub method: LightMethod,
    /// Updates of non-negative factors; 2,000 of a matrix and 200 of a video if none.
    pub updates: Option<usize>,
    /// How decoders are fitted; of the other methods, how many hidden pixels there are.
    pub fit: LightFit,
    /// How images of least variation are fitted.
    pub variation: VariationTransport,
    /// How a sparse light is searched for.
    pub sparse: SparseTransport,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    method: LightMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    updates: Option<usize>,
    #[serde(default, deserialize_with = "matrix", skip_serializing_if = "Option::is_none")]
    matrix: Option<MatrixTransport>,
    #[serde(default, deserialize_with = "video", skip_serializing_if = "Option::is_none")]
    video: Option<VideoTransport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variation: Option<VariationTransport>,
    #[serde(default, deserialize_with = "sparse", skip_serializing_if = "Option::is_none")]
    sparse: Option<SparseTransport>,
}

impl TransportSettings {
    /// By decoders.
    pub fn decoders(fit: LightFit) -> Self {
        Self::by(LightMethod::Decoders, fit)
    }

    /// By a method, with its default settings.
    pub fn by(method: LightMethod, fit: LightFit) -> Self {
        let (variation, sparse) = (VariationTransport::default(), SparseTransport::default());
        Self { method, updates: None, fit, variation, sparse }
    }

    /// Checks the numbers of all methods.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for one that cannot be.
    pub fn check(&self) -> Result<()> {
        self.fit.check()?;
        self.variation.check()?;
        self.sparse.check()
    }

    /// The same without a limit in time.
    #[must_use]
    pub fn without_limit(self) -> Self {
        Self { fit: self.fit.without_limit(), ..self }
    }

    /// Updates of non-negative factors, as given or by the kind.
    pub fn updates(&self) -> usize {
        let default = match self.fit {
            LightFit::Matrix(_) => UPDATES.0,
            LightFit::Video(_) => UPDATES.1,
        };
        self.updates.unwrap_or(default)
    }
}

impl TryFrom<Keys> for TransportSettings {
    type Error = &'static str;

    fn try_from(keys: Keys) -> std::result::Result<Self, Self::Error> {
        let Keys { method, updates, matrix, video, variation, sparse } = keys;
        let fit = match (matrix, video) {
            (Some(matrix), None) => LightFit::Matrix(matrix),
            (None, Some(video)) => LightFit::Video(video),
            _ => return Err("`transport` must have exactly one of `matrix` and `video`"),
        };
        match (method, fit) {
            (LightMethod::Variation, LightFit::Video(_)) => {
                return Err("`transport.method` must be another one than `variation` for a video");
            }
            (LightMethod::Sparse, LightFit::Video(_)) => {
                return Err("`transport.method` must be another one than `sparse` for a video");
            }
            _ => {}
        }
        let (variation, sparse) = (variation.unwrap_or_default(), sparse.unwrap_or_default());
        Ok(Self { method, updates, fit, variation, sparse })
    }
}

impl From<TransportSettings> for Keys {
    fn from(settings: TransportSettings) -> Self {
        let TransportSettings { method, updates, fit, variation, sparse } = settings;
        let (matrix, video) = match fit {
            LightFit::Matrix(matrix) => (Some(matrix), None),
            LightFit::Video(video) => (None, Some(video)),
        };
        let variation = (method == LightMethod::Variation).then_some(variation);
        let sparse = (method == LightMethod::Sparse).then_some(sparse);
        Self { method, updates, matrix, video, variation, sparse }
    }
}

fn matrix<'de, D: Deserializer<'de>>(given: D) -> Result<Option<MatrixTransport>, D::Error> {
    over(&MatrixTransport::fast(), given).map(Some)
}

fn video<'de, D: Deserializer<'de>>(given: D) -> Result<Option<VideoTransport>, D::Error> {
    over(&VideoTransport::fast(), given).map(Some)
}

fn sparse<'de, D: Deserializer<'de>>(given: D) -> Result<Option<SparseTransport>, D::Error> {
    over(&SparseTransport::default(), given).map(Some)
}

/// A table of which what is not given is that of a preset, also in the tables within it.
fn over<'de, D: Deserializer<'de>, T: Serialize + DeserializeOwned>(
    preset: &T,
    given: D,
) -> Result<T, D::Error> {
    let given = Value::deserialize(given)?;
    serde_json::from_value(laid_over(preset, given)).map_err(D::Error::custom)
}

/// Settings with the values that are given in the place of their own, keys of tables one by one.
///
/// ```
/// use deepmf::spec::{MatrixTransport, laid_over};
/// let all = laid_over(&MatrixTransport::fast(), serde_json::json!({ "restarts": { "seeds": 1 } }));
/// assert_eq!((&all["restarts"]["seeds"], &all["restarts"]["last-rate"]), (&1.into(), &0.05.into()));
/// ```
pub fn laid_over(preset: &impl Serialize, given: Value) -> Value {
    let mut all = serde_json::json!(preset);
    lay(&mut all, given);
    all
}

fn lay(all: &mut Value, top: Value) {
    match (all, top) {
        (Value::Object(all), Value::Object(top)) => {
            for (key, value) in top {
                lay(all.entry(key).or_insert(Value::Null), value);
            }
        }
        (all, top) => *all = top,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_that_of_the_fast_preset() {
        let text = "matrix.inner = 12\nmatrix.restarts.seeds = 1";
        let settings: TransportSettings = toml::from_str(text).unwrap();
        let mut fast = MatrixTransport { inner: 12, ..MatrixTransport::fast() };
        fast.restarts.seeds = 1;
        assert_eq!(settings, TransportSettings::decoders(LightFit::Matrix(fast)));
        let again: TransportSettings =
            toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        assert_eq!(again, settings);
        assert_eq!((settings.updates(), settings.fit.inner()), (2_000, 12));
    }

    #[test]
    fn a_sparse_light_has_starts_of_its_own() {
        let text = "method = \"sparse\"\nmatrix = {}\nsparse.images.starts = 9";
        let settings: TransportSettings = toml::from_str(text).unwrap();
        let default = SparseTransport::default();
        assert_eq!(settings.sparse.images.starts, 9);
        assert_eq!(settings.sparse.images.refined, default.images.refined);
        assert_eq!(settings.sparse.rounds, default.rounds);
        let again: TransportSettings =
            toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        assert_eq!(again, settings);
        let video = text.replace("matrix", "video");
        assert!(toml::from_str::<TransportSettings>(&video).is_err());
    }

    #[test]
    fn what_is_unknown_or_given_twice_is_told() {
        let told = |text: &str| {
            let error = toml::from_str::<TransportSettings>(text).unwrap_err();
            super::super::read::explain(error.message())
        };
        assert!(
            told("video.hiden = [8, 8]").contains("unknown key `hiden`; did you mean `hidden`")
        );
        let both = "`transport` must have exactly one of `matrix` and `video`";
        assert_eq!(told("video = {}\nmatrix = {}"), both);
        assert_eq!(told("method = \"nmf\""), both);
    }
}
