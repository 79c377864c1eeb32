//! What can be typed after `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Input, Written, value};

/// The commands about data.
#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    Describe(Box<Describe>),
    /// Make data of which the truth is known.
    #[command(subcommand)]
    Make(Make),
    Mask(Box<MaskTable>),
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
