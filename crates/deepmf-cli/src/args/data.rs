//! What can be typed after `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Input, RatingsInput, Written, value};
use crate::fetch::{DataSet, PUBLISHER};

/// The commands about data.
#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    Describe(Box<Describe>),
    /// Make data of which the truth is known.
    #[command(subcommand)]
    Make(Make),
    Mask(Box<MaskTable>),
    Split(Box<Split>),
    Fetch(Fetch),
}

/// Split ratings into a part to fit and a part to judge by.
///
/// Writes train.csv and test.csv to the folder, one rating a line, and with --by row or cold also input.csv: what is told of new rows and columns
/// before they are predicted. With --by time the time is the fourth field unless --triplets says.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf data split u.data --by cold --share 0.1 --seed 0 -o split"
)]
pub(crate) struct Split {
    /// The ratings, as for recommend fit; - is stdin.
    pub(crate) ratings: PathBuf,
    /// What is held out.
    #[arg(long, value_enum, value_name = "WHAT", default_value = "entry")]
    pub(crate) by: SplitBy,
    /// How much is held out: of the ratings, of each row's, of the rows, of the rows and of the columns.
    #[arg(long, value_name = "SHARE", value_parser = value::fraction, allow_hyphen_values = true, default_value_t = 0.1)]
    pub(crate) share: f64,
    /// With --by time: hold out what came after this time, in place of a share of each row.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with = "share")]
    pub(crate) after: Option<f64>,
    /// The seed of what is held out.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    /// The folder to write to; made if it is not there.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: PathBuf,
}

/// What a split holds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitBy {
    /// Ratings at random.
    Entry,
    /// The latest ratings of each row.
    Time,
    /// Rows: half of the ratings of one are its input, the others are judged.
    Row,
    /// Rows and columns, likewise.
    Cold,
}

/// Download a data set from its publisher.
///
/// It goes to the cache (DEEPMF_CACHE, else deepmf in the user's cache) and is checked: the publisher's MD5 sum where there is one, and the counts. What
/// broke off is taken up. The publisher's terms go to stderr, the path of the ratings to stdout; with --json one JSON object with the keys path, ratings,
/// rows, cols, bytes, resumed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf data fetch ml-100k")]
pub(crate) struct Fetch {
    /// The data set.
    #[arg(value_enum, value_name = "SET")]
    pub(crate) set: DataSet,
    /// The folder of a server that has the archive.
    #[arg(long, value_name = "URL", default_value = PUBLISHER)]
    pub(crate) from: String,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Say what is in a file.
///
/// With --json stdout holds one JSON object with the keys path, format, form, rows, cols, observed, missing, min, max, mean,
/// row_labels, col_labels, other_columns, empty_rows, empty_cols, most_missing_in_a_row, most_missing_in_a_col.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf data describe ratings.csv --triplets user,item,rating")]
pub(crate) struct Describe {
    /// The file; - is stdin.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// What can be made.
#[derive(Debug, Subcommand)]
pub(crate) enum Make {
    LowRank(LowRank),
    Scene(Scene),
}

/// A room lit by a hidden screen, and what a camera sees of it.
///
/// Writes to the folder observed.npy (frames x height x width, from 0 to 1), hidden.npy (the same of the screen), transport.npy (observed pixels x hidden
/// pixels, both row after row, so that observed = transport times hidden but for the sensor), and observed.gif and hidden.gif to look at.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf data make scene --seed 0 -o scene")]
pub(crate) struct Scene {
    /// Height and width of the observed video.
    #[arg(long, value_name = "HxW", value_parser = value::shape, default_value = "64x64")]
    pub(crate) observed: (usize, usize),
    /// Height and width of the hidden video.
    #[arg(long, value_name = "HxW", value_parser = value::shape, default_value = "16x16")]
    pub(crate) hidden: (usize, usize),
    /// Frames of both.
    #[arg(long, value_name = "N", value_parser = value::count, default_value_t = 96)]
    pub(crate) frames: usize,
    /// The brightest value without noise; above 1 is over-exposed.
    #[arg(long, value_name = "SHARE", value_parser = value::positive, allow_hyphen_values = true, default_value_t = 0.9)]
    pub(crate) exposure: f64,
    /// Electrons at the value 1, which shot noise comes from.
    #[arg(long, value_name = "COUNT", value_parser = value::positive, allow_hyphen_values = true, default_value_t = 10_000.0)]
    pub(crate) electrons: f64,
    /// Standard deviation of the noise in the dark.
    #[arg(long, value_name = "SHARE", value_parser = value::not_negative, allow_hyphen_values = true, default_value_t = 0.001)]
    pub(crate) read_noise: f64,
    /// Bits of a recorded value.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16), default_value_t = 12)]
    pub(crate) bits: u32,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The folder to write to; made if it is not there.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: PathBuf,
}

/// A random matrix of low rank and some of its entries.
///
/// Writes truth.npy and observed.npy (NaN where unseen) to the folder. The mean square of the truth is 1.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf data make low-rank --shape 100x100 --rank 5 --observe 2000 --seed 0 -o lowrank"
)]
pub(crate) struct LowRank {
    /// Rows and columns.
    #[arg(long, value_name = "RxC", value_parser = value::shape)]
    pub(crate) shape: (usize, usize),
    /// Its rank.
    #[arg(long, value_name = "N", value_parser = value::count)]
    pub(crate) rank: usize,
    /// How many cells are seen, uniformly at random.
    #[arg(long, value_name = "COUNT", value_parser = value::count)]
    pub(crate) observe: usize,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The folder to write to; made if it is not there.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: PathBuf,
}

/// Hide entries of a table at random.
///
/// The table without the hidden entries goes to -o, else to stdout, in the form in which it came.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf data mask speeds.csv --fraction 0.4 --seed 0 -o masked.csv"
)]
pub(crate) struct MaskTable {
    /// The table; - is stdin.
    pub(crate) table: PathBuf,
    /// The share of the known entries to hide.
    #[arg(long, value_name = "SHARE", value_parser = value::fraction, allow_hyphen_values = true)]
    pub(crate) fraction: f64,
    /// The seed of what is hidden.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) written: Written,
}
