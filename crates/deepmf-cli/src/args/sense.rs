//! What can be typed after `sense`.

use std::path::PathBuf;

use clap::Args;
use deepmf::spec::SensingSettings;

use super::complete::Kept;
use super::{Written, value};

/// Recover a matrix from linear measurements of it.
///
/// Measurement i is the sum of OPERATORS[i] * W over all cells. The matrix goes to -o, else to stdout. With --json stdout
/// holds one JSON object with the keys rows, cols, measurements, depth, width, init_scale, steps, stop_reason, train_rmse,
/// holdout_rmse, effective_rank, seconds, seed, and with --truth also truth_rmse, truth_mse.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf sense operators.npy y.npy --truth truth.npy -o recovered.npy"
)]
pub(crate) struct Sense {
    /// The operators: an array of m x rows x cols, or of m x (rows cols) with --shape.
    pub(crate) operators: PathBuf,
    /// The m measurements.
    #[arg(value_name = "Y")]
    pub(crate) measurements: PathBuf,
    /// Rows and columns of the matrix, where the operators are flat (row after row).
    #[arg(long, value_name = "RxC", value_parser = value::shape, help_heading = "Input")]
    pub(crate) shape: Option<(usize, usize)>,
    /// The matrix that is true: the error is given, nothing is fitted to it.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) truth: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub(crate) seed: u64,
    /// Number of layers [default: 3].
    #[arg(long, value_name = "N", value_parser = value::count, help_heading = "Fit")]
    depth: Option<usize>,
    /// Hidden width [default: the shorter side].
    #[arg(long, value_name = "N", value_parser = value::count, help_heading = "Fit")]
    width: Option<usize>,
    /// The initial scale [default: 1e-3].
    #[arg(long, value_name = "A", value_parser = value::positive, allow_hyphen_values = true, help_heading = "Fit")]
    init_scale: Option<f64>,
    /// The share of the measurements that is held out for stopping and the error estimate [default: 0.05].
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_hyphen_values = true, help_heading = "Fit")]
    holdout: Option<f64>,
    /// The learning rate [default: 1e-3].
    #[arg(long, value_name = "RATE", value_parser = value::positive, allow_hyphen_values = true, help_heading = "Fit")]
    rate: Option<f64>,
    /// Steps at most [default: 100000].
    #[arg(long, value_name = "N", help_heading = "Fit")]
    steps: Option<u64>,
    /// Stop when the training loss (mean square) is at or below this [default: 1e-6].
    #[arg(long, value_name = "LOSS", value_parser = value::not_negative, allow_hyphen_values = true, help_heading = "Fit")]
    loss_below: Option<f64>,
}

impl Sense {
    /// The settings as a part of a spec.
    pub(crate) fn spec(&self) -> SensingSettings {
        let default = SensingSettings::default();
        SensingSettings {
            depth: self.depth.unwrap_or(default.depth),
            init_scale: self.init_scale.unwrap_or(default.init_scale),
            width: self.width,
            holdout: self.holdout.unwrap_or(default.holdout),
            rate: self.rate.unwrap_or(default.rate),
            steps: self.steps.unwrap_or(default.steps),
            loss_below: self.loss_below.unwrap_or(default.loss_below),
            ..default
        }
    }
}
