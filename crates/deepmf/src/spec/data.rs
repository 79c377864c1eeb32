//! Where the numbers come from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::light::{ObservedMatrix, ObservedVideo, Pictures, SimulatedScene};
use crate::data::Duplicates;

/// Where the numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Data {
    /// A random matrix of low rank, drawn from the seed; it is the truth.
    LowRank(LowRank),
    /// A random matrix with given singular values, perhaps with noise; without the noise it is the truth.
    Spectrum(Spectrum),
    /// The product of the model at its start, which is so an exact minimum; it is the truth.
    Planted(Planted),
    /// Entries that are written in the experiment file.
    Cells(Cells),
    /// A table with holes.
    File(File),
    /// Entries of which the first ones are for training and the others for the test.
    EntriesOrder(EntriesOrder),
    /// Ratings, with what of them is for the test.
    Ratings(Ratings),
    /// Random ratings, of which a tenth is for the test.
    RandomRatings(RandomRatings),
    /// Views of the same samples.
    Views(Views),
    /// Random blobs of samples, seen in several views.
    RandomViews(RandomViews),
    /// A simulated scene, lit by a hidden screen.
    Scene(SimulatedScene),
    /// The product of two pictures, a transport and a light.
    Pictures(Pictures),
    /// A matrix whose columns are moments of time, lit by a hidden light.
    Matrix(ObservedMatrix),
    /// A video, lit by a hidden one.
    Video(ObservedVideo),
}

/// A random matrix of low rank with mean square 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LowRank {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Its rank.
    pub rank: usize,
}

/// A random matrix with given singular values, of which noise may be observed too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spectrum {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Its singular values, without zeros at the end; its eigenvalues, if it is symmetric.
    pub values: Vec<f64>,
    /// Whether matrix and noise are symmetric; no.
    #[serde(default)]
    pub symmetric: bool,
    /// The spectral norm of the gaussian noise that is added to what is observed; 0.
    #[serde(default)]
    pub noise: f64,
}

/// The product of a deep linear model as `init` and `layer-scales` say, before it is perturbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Planted {
    /// Rows and columns.
    pub shape: (usize, usize),
}

/// Entries that are written in the experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cells {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// Row, column and value of each, counted from 0.
    pub known: Vec<(u32, u32, f64)>,
}

/// A table with holes in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct File {
    /// The file, seen from the folder of the experiment file; `$NAME/…` begins with an environment variable.
    pub path: PathBuf,
    /// A file with the whole matrix, known only in experiments.
    pub truth: Option<PathBuf>,
    /// How the file is to be read.
    #[serde(default)]
    pub read: Reading,
}

/// Entries of which the first ones are for training and the others for the test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntriesOrder {
    /// The file, one entry a line, seen from the folder of the experiment file.
    pub path: PathBuf,
    /// How many entries are for training.
    pub train: usize,
    /// How the file is to be read.
    #[serde(default)]
    pub read: Reading,
}

/// Ratings, with what of them is for the test.
///
/// The test are the ratings under `test-mask`, or those of the cells in `test` (which are taken out of the others), or what `hold` draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ratings {
    /// The file, seen from the folder of the experiment file.
    pub path: PathBuf,
    /// Only the ratings in the cells of this file that are not zero are fitted.
    pub train_mask: Option<PathBuf>,
    /// Those in the cells of this one are for the test.
    pub test_mask: Option<PathBuf>,
    /// A file with ratings for the test.
    pub test: Option<PathBuf>,
    /// What is drawn for the test.
    pub hold: Option<Hold>,
    /// How the files are to be read.
    #[serde(default)]
    pub read: Reading,
}

/// What is drawn for the test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Hold {
    /// So large a share of the ratings.
    Share(f64),
    /// So large a share of the rows, and of the columns, is new: half of the ratings of each are its input, the others the test.
    Cold(f64),
}

/// Random ratings: levels of offsets and a matrix of low rank with noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomRatings {
    /// Rows and columns.
    pub shape: (usize, usize),
    /// The rank.
    pub rank: usize,
    /// How many ratings.
    pub count: usize,
    /// What is drawn for the test.
    pub hold: Hold,
}

/// Views of the same samples: the variables of one MATLAB file, or a file each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Views {
    /// The MATLAB file, seen from the folder of the experiment file.
    pub mat: Option<PathBuf>,
    /// The files, one a view, in place of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
    /// The variable of the MATLAB file with the views, or several with commas between; `X` if not given.
    pub field: Option<String>,
    /// A file with the class of each sample.
    pub labels: Option<PathBuf>,
    /// The variable of the MATLAB file with the classes; `y`, `Y` or `truth` if not given and there.
    pub label_field: Option<String>,
    /// How the files, one a view, are to be read.
    pub read: Reading,
}

/// Random blobs of samples, seen in several views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomViews {
    /// How many samples.
    pub samples: usize,
    /// How many blobs.
    pub clusters: usize,
    /// The features of each view that tell blobs apart.
    pub widths: Vec<usize>,
    /// How many further features of each view say nothing; 0.
    #[serde(default)]
    pub noise: usize,
    /// The standard deviation of samples around the centre of their blob; centres have 1 around zero.
    pub spread: f64,
}

impl Views {
    fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        self.mat.iter_mut().chain(&mut self.files).chain(&mut self.labels).collect()
    }
}

/// How a file is to be read; what is not given is found out from the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reading {
    /// `user,item,value`: fields of one entry a line, by name or by place from 1.
    pub triplets: Option<String>,
    /// Further words that mean *missing*.
    #[serde(default)]
    pub missing: Vec<String>,
    /// What a cell counts for that is given twice.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// What separates fields.
    pub delimiter: Option<char>,
    /// Whether the first line holds names.
    pub header: Option<bool>,
    /// Whether the first column holds names.
    pub row_names: Option<bool>,
    /// Which variable of a file that holds several.
    pub variable: Option<String>,
}

impl Data {
    /// The files that are read.
    pub(super) fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::LowRank(_)
            | Self::Spectrum(_)
            | Self::Planted(_)
            | Self::Cells(_)
            | Self::RandomRatings(_)
            | Self::RandomViews(_)
            | Self::Scene(_) => vec![],
            Self::Pictures(it) => vec![&mut it.transport, &mut it.light],
            Self::Matrix(it) => light_files(&mut it.path, &mut it.transport, &mut it.light),
            Self::Video(it) => light_files(&mut it.path, &mut it.transport, &mut it.light),
            Self::File(file) => std::iter::once(&mut file.path).chain(&mut file.truth).collect(),
            Self::EntriesOrder(entries) => vec![&mut entries.path],
            Self::Ratings(it) => std::iter::once(&mut it.path)
                .chain(&mut it.train_mask)
                .chain(&mut it.test_mask)
                .chain(&mut it.test)
                .collect(),
            Self::Views(it) => it.files_mut(),
        }
    }
}

/// What is observed, and what is known to be true.
fn light_files<'a>(
    path: &'a mut PathBuf,
    transport: &'a mut Option<PathBuf>,
    light: &'a mut Option<PathBuf>,
) -> Vec<&'a mut PathBuf> {
    std::iter::once(path).chain(transport).chain(light).collect()
}

/// A path with its leading environment variable replaced by its value: `$DEEPMF_DATA/ratings/u.data`.
///
/// # Errors
/// The reason, as a sentence, if the variable is not set. It is an outcome and not an [`Error`](crate::Error): what
/// needs the file is to be skipped.
pub fn expand(path: &Path) -> Result<PathBuf, String> {
    let text = path.to_string_lossy();
    let Some(rest) = text.strip_prefix('$') else { return Ok(path.into()) };
    let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
    match std::env::var_os(name) {
        Some(value) if !value.is_empty() => Ok(Path::new(&value).join(below)),
        _ => Err(format!("{name} is not set")),
    }
}
