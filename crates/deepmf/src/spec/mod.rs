//! The plain description of a run: what an experiment file says, with every default filled in.
//!
//! The sections of the file follow the stages: data, problem, model, train, vary, report. Nothing here is alive: what a
//! description means is built by [`experiment`](crate::experiment).

mod clustering;
mod completion;
mod data;
mod light;
mod light_method;
mod model;
mod optimizer;
mod probe;
mod problem;
mod read;
mod recommender;
mod schedule;
mod sparse;
mod train;
mod transport;
mod variation;
mod vary;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use clustering::{
    ClusteringMethod, ClusteringSettings, FeatureWeights, NonNegativeSolver, PartitionStart,
};
pub use completion::{CompletionSettings, Method, Scaling, SensingSettings};
pub use data::{
    Cells, Data, EntriesOrder, File, Hold, LowRank, Planted, RandomRatings, RandomViews, Ratings,
    Reading, Spectrum, Views, expand,
};
pub use light::{ObservedMatrix, ObservedVideo, Pictures, SimulatedScene};
pub use light_method::{LightFit, LightMethod, TransportSettings, laid_over};
pub use model::{Compressed, DeepLinear, Direction, Greedy, Init, Model, Perturb, Residual, Sign};
pub use optimizer::{
    Adam, Clean, EndToEnd, Fit, Flow, FlowMethod, GradientDescent, GroupRmsProp, LabelNoise,
    LevenbergMarquardt, Momentum, NoiseLaw, Optimizer, RmsProp, Rprop, SharpnessAware,
    TraceRegularized,
};
pub use probe::Probe;
pub use problem::{Loss, Mask, Observe, Problem, Sensing};
pub(crate) use read::{error_at, place_of, placed, read};
pub use recommender::{RatingModel, RecommenderSettings, TowerSize};
pub use schedule::Schedule;
pub use sparse::SparseTransport;
pub use train::{Record, Settled, Stop, Train, Validation};
pub use transport::{MatrixTransport, Restarts, VideoTransport};
pub use variation::VariationTransport;
pub use vary::{Trial, Vary};

use crate::{Error, Result};

/// The version of the file format that this program writes.
pub const VERSION: u32 = 1;

/// A run, or a sweep of runs, as an experiment file describes it.
///
/// What is done is said either by `problem`, `model` and `train`, or by the section of one application.
///
/// | section | default | what it says |
/// |---|---|---|
/// | `version` | 1 | the version of the file format |
/// | `title` | empty | one line for reports |
/// | `seed` | 0 | the seed of the truth, the observations, the initial factors and all other draws |
/// | `data` | | where the numbers come from |
/// | `problem` | | what is observed of them, and the loss |
/// | `model` | | how the matrix is written |
/// | `train` | | optimizer, stop rules, what is recorded |
/// | `recommender` | | in place of these three: how ratings are predicted |
/// | `clustering` | | or in place of them: how samples are clustered by views |
/// | `transport` | | or in place of them: how a hidden light is found |
/// | `repeats` | 1 | with `clustering`: how often, each time with other draws |
/// | `vary` | nothing | keys with the values that they take in a sweep |
/// | `report` | nothing | the figure to draw |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Spec {
    /// The version of the file format.
    pub version: u32,
    /// One line for reports.
    pub title: String,
    /// The seed of all draws, below 2⁶³.
    pub seed: u64,
    /// Where the numbers come from.
    pub data: Data,
    /// What is done with them.
    pub work: Work,
    /// Grids of a sweep: every combination of the values in one table is a run.
    pub vary: Vec<Vary>,
    /// What a report of the runs shows.
    pub report: Report,
}

/// What is done with the data of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// A model is trained on a problem.
    Training(Box<Training>),
    /// A recommender is fitted and judged.
    Recommender(RecommenderSettings),
    /// Samples are clustered, several times, and the clusters judged by the classes.
    Clustering {
        /// How.
        settings: ClusteringSettings,
        /// How often, each time with other draws.
        repeats: usize,
    },
    /// A light is found from what it does to what is seen.
    Transport(Box<TransportSettings>),
}

/// A model that is trained on a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// What is observed of the data, and the loss.
    pub problem: Problem,
    /// How the matrix is written.
    pub model: Model,
    /// Optimizer, stop rules, what is recorded.
    pub train: Train,
}

/// The sections of a file, which of them are there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    #[serde(default = "version")]
    version: u32,
    #[serde(default)]
    title: String,
    #[serde(default)]
    seed: u64,
    // Before the tables, among which no number can stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<usize>,
    data: Data,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Train>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommender: Option<RecommenderSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clustering: Option<ClusteringSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<TransportSettings>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vary: Vec<Vary>,
    #[serde(default)]
    report: Report,
}

impl TryFrom<Written> for Spec {
    type Error = String;

    fn try_from(written: Written) -> std::result::Result<Self, String> {
        let work = written.work()?;
        let Written { version, title, seed, data, vary, report, .. } = written;
        Ok(Self { version, title, seed, data, work, vary, report })
    }
}

impl Written {
    /// What is done: by the one section of an application, or by the three of a training.
    fn work(&self) -> std::result::Result<Work, String> {
        if self.repeats.is_some() && self.clustering.is_none() {
            return Err("`repeats` must stand with `clustering`".into());
        }
        let recommender = self.recommender.clone().map(Work::Recommender);
        let clustering = self.clustering.clone().map(|settings| {
            let repeats = self.repeats.unwrap_or(1);
            Work::Clustering { settings, repeats }
        });
        let transport = self.transport.clone().map(|it| Work::Transport(Box::new(it)));
        let all =
            [("recommender", recommender), ("clustering", clustering), ("transport", transport)];
        let mut given = all.into_iter().filter_map(|(name, work)| Some((name, work?)));
        let Some((name, work)) = given.next() else { return self.training() };
        if let Some((other, _)) = given.next() {
            return Err(format!("`{name}` must stand without `{other}`"));
        }
        if self.problem.is_some() || self.model.is_some() || self.train.is_some() {
            return Err(format!("`{name}` must stand without `problem`, `model` and `train`"));
        }
        Ok(work)
    }

    fn training(&self) -> std::result::Result<Work, String> {
        match (&self.problem, &self.model, &self.train) {
            (Some(problem), Some(model), Some(train)) => {
                let (problem, model, train) = (problem.clone(), model.clone(), train.clone());
                Ok(Work::Training(Box::new(Training { problem, model, train })))
            }
            (None, ..) => Err("missing field `problem`".into()),
            (_, None, _) => Err("missing field `model`".into()),
            (.., None) => Err("missing field `train`".into()),
        }
    }
}

impl From<Spec> for Written {
    fn from(spec: Spec) -> Self {
        let Spec { version, title, seed, data, work, vary, report } = spec;
        let mut written = Self {
            version,
            title,
            seed,
            data,
            problem: None,
            model: None,
            train: None,
            recommender: None,
            clustering: None,
            transport: None,
            repeats: None,
            vary,
            report,
        };
        match work {
            Work::Training(training) => {
                let Training { problem, model, train } = *training;
                (written.problem, written.model) = (Some(problem), Some(model));
                written.train = Some(train);
            }
            Work::Recommender(settings) => written.recommender = Some(settings),
            Work::Clustering { settings, repeats } => {
                (written.clustering, written.repeats) = (Some(settings), Some(repeats));
            }
            Work::Transport(settings) => written.transport = Some(*settings),
        }
        written
    }
}

/// What a report of the runs shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Report {
    /// The figure, if one is wanted.
    pub figure: Option<Figure>,
}

/// A figure over the runs of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Figure {
    /// A column of the trajectory (`step`) or a varied key.
    pub x: String,
    /// A probe.
    pub y: String,
    /// The varied key that tells the curves apart.
    pub by: Option<String>,
}

fn version() -> u32 {
    VERSION
}

/// Reads the text of an experiment file; `path` is what messages call it.
///
/// # Errors
/// [`Error::Spec`] with line and column: what is not TOML, an unknown key (with the nearest known one), a missing or
/// mistyped value, a `vary` table whose keys or values do not fit.
///
/// ```
/// let text = "
///     data.low-rank = { shape = [20, 20], rank = 2 }
///     problem.mask.count = 200
///     model.deep-linear = { depth = 3, init.gaussian.scale = 1e-3 }
///     train.gradient-descent.rate = 0.5";
/// let spec = deepmf::spec::parse(text, "quick.toml".as_ref())?;
/// assert_eq!(deepmf::spec::parse(&spec.toml()?, "again.toml".as_ref())?, spec);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn parse(text: &str, path: &Path) -> Result<Spec> {
    let spec: Spec = read(text, path)?;
    if spec.version != VERSION {
        let problem = format!("version must be {VERSION}, but it is {}", spec.version);
        return Err(error_at(path, text, place_of(text, "version"), problem));
    }
    vary::check(&spec, text, path)?;
    Ok(spec)
}

impl Spec {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; as [`parse`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        parse(&text, path)
    }

    /// The whole description as TOML, defaults included: what [`parse`] reads back as equal.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the seed is 2⁶³ or more, which TOML does not have.
    pub fn toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| {
            let allowed = "one that TOML can write, with all whole numbers below 2^63";
            Error::parameter("a spec", allowed, format!("not: {e}"))
        })
    }

    /// The files that are read, as they are written.
    pub fn files(&self) -> Vec<PathBuf> {
        self.clone().files_mut().into_iter().map(|path| path.clone()).collect()
    }

    /// The same with every relative path seen from `folder`; a path that begins with a variable stays.
    #[must_use]
    pub fn seen_from(&self, folder: &Path) -> Self {
        let mut spec = self.clone();
        for path in spec.files_mut() {
            if !path.to_string_lossy().starts_with('$') {
                *path = folder.join(&*path);
            }
        }
        spec
    }

    fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        let mut files = self.data.files_mut();
        if let Work::Training(training) = &mut self.work
            && let Model::DeepLinear(model) = &mut training.model
            && let Init::BalancedFrom { path } = &mut model.init
        {
            files.push(path);
        }
        files
    }

    /// 16 hexadecimal digits that tell this run from every other one: a hash (FNV-1a, 64 bits) of the whole
    /// description but its title, sweep and report.
    ///
    /// # Errors
    /// As [`Spec::toml`].
    pub fn fingerprint(&self) -> Result<String> {
        let plain = Self {
            title: String::new(),
            vary: Vec::new(),
            report: Report::default(),
            ..self.clone()
        };
        let hash = plain.toml()?.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Ok(format!("{hash:016x}"))
    }
}
