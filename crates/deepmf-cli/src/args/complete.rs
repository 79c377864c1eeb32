//! What can be typed after `complete`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use deepmf::spec::{CompletionSettings, Method, Scaling};

use super::{Input, Written, value};

/// Fill the holes of a table.
///
/// Missing is an empty field, NaN, NA or what --missing names; a zero is a zero. The completed table goes to -o, else to
/// stdout, in the form in which it came; known cells keep their values. With --json stdout holds one JSON object with the
/// keys rows, cols, observed, missing, method, start, depth, width, init_scale, steps, evaluations, gap, stop_reason, train_rmse,
/// holdout_rmse, baseline_rmse {mean, row_mean, offsets}, interval_coverage, interval_width, effective_rank, seconds, seed,
/// and with --truth also truth_rmse, truth_mse, truth_coverage.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf complete ratings.csv --triplets user,item,rating --bounds 1,5 -o completed.csv"
)]
pub(crate) struct Complete {
    /// The table: text (also .gz), .npy, .npz, .mtx, .parquet, .mat or .png; - is stdin.
    #[arg(required_unless_present = "example")]
    pub(crate) table: Option<PathBuf>,
    /// Complete a table that is made on the spot: weekly temperatures of 48 towns, 35 % missing.
    #[arg(long, conflicts_with_all = ["table", "truth", "exclude", "model"])]
    pub(crate) example: bool,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Entries to leave out of the fit: a table, or triplets by the labels of the table.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) exclude: Option<PathBuf>,
    /// What is true, a table or triplets: the error is given, nothing is fitted to it.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) truth: Option<PathBuf>,
    /// Fill these rows by the completion in a run folder, without a new fit.
    #[arg(long, value_name = "DIR", help_heading = "Input", conflicts_with_all = ["run", "resume"])]
    pub(crate) model: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) kept: Kept,
    /// Replace known cells too.
    #[arg(long, help_heading = "Output")]
    pub(crate) denoise: bool,
    /// Write each filled cell with its prediction interval: row, column, value, lower, upper.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) intervals: Option<PathBuf>,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Where the result is kept.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Kept {
    /// Print one JSON object on stdout, and the matrix only where -o says.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with tables and figures.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Write the run folder: spec, trajectory, model, result, report.
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
    /// Go on from where the run folder ends.
    #[arg(long, requires = "run")]
    pub(crate) resume: bool,
}

/// The settings of a completion; what is not given is chosen from the data.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fit")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Settings {
    /// By what the table is completed.
    #[arg(long, value_enum, default_value = "auto")]
    method: MethodArg,
    /// Answer by the mean of the fits to the folds, in place of one fit to all entries.
    #[arg(long)]
    ensemble: bool,
    /// The share of the true values that the prediction intervals should hold [default: 0.9].
    #[arg(long, value_name = "SHARE", value_parser = value::fraction, allow_hyphen_values = true)]
    coverage: Option<f64>,
    /// The paper's setting: no offsets, no scaling, nothing held out, one depth and one scale.
    #[arg(long)]
    raw: bool,
    /// Depths to choose from [default: 2,3 by flow; 2,3,4 by descent; 3 if raw].
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = value::count)]
    depth: Vec<usize>,
    /// Hidden width [default: the shorter side, at most 300 by flow, 256 by descent].
    #[arg(long, value_name = "N", value_parser = value::count)]
    width: Option<usize>,
    /// Initial scales to choose from [default: 1e-3,1e-1; 1e-3 if raw].
    #[arg(long, value_name = "A", value_delimiter = ',', value_parser = value::positive, allow_hyphen_values = true)]
    init_scale: Vec<f64>,
    /// Take no row and column offsets out before the fit.
    #[arg(long)]
    no_offsets: bool,
    /// By what residuals are divided before the fit.
    #[arg(long, value_enum, default_value = "auto")]
    scaling: ScalingArg,
    /// The least and the largest value of an answer.
    #[arg(long, value_name = "LOW,HIGH", value_parser = value::bounds, allow_hyphen_values = true)]
    bounds: Option<(f64, f64)>,
    /// Answers are whole numbers.
    #[arg(long)]
    integer: bool,
    /// The share of the known entries that is kept apart for the error estimate [default: 0.1 by descent; else the folds
    /// give it].
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_hyphen_values = true)]
    holdout: Option<f64>,
    /// Descent: the share of the others that decides on stopping, depth and scale [default: 0.1].
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_hyphen_values = true)]
    validation: Option<f64>,
    /// The learning rate of descent [default: chosen from the data; 1e-3 if raw].
    #[arg(long, value_name = "RATE", value_parser = value::positive, allow_hyphen_values = true)]
    rate: Option<f64>,
    /// Steps at most, for each fit [default: 100000].
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Stop when the training loss (mean square, scaled) is at or below this [default: 1e-6].
    #[arg(long, value_name = "LOSS", value_parser = value::not_negative, allow_hyphen_values = true)]
    loss_below: Option<f64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodArg {
    /// Flows from starts that learn which lines are alike, chosen by cross-validation.
    Auto,
    /// Flows from gaussian starts, chosen by cross-validation.
    Flow,
    /// Descent with momentum, chosen on one split.
    Descent,
    /// Descent on compressed networks; rank and steps chosen on one split.
    Compressed,
    /// Greedy low-rank learning; the rank chosen on one split.
    Greedy,
    /// The least nuclear norm that agrees with the entries.
    Nuclear,
    /// The nuclear norm as a penalty, chosen on one split.
    SoftImpute,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScalingArg {
    /// By column if the columns differ more than tenfold, else by one number.
    Auto,
    /// By nothing.
    None,
    /// By one number for the table.
    Table,
    /// By one number for each column.
    Columns,
}

impl Settings {
    /// The same as a part of a spec.
    pub(crate) fn spec(&self) -> CompletionSettings {
        let default = CompletionSettings::default();
        CompletionSettings {
            method: match self.method {
                MethodArg::Auto => Method::Auto,
                MethodArg::Flow => Method::Flow,
                MethodArg::Descent => Method::Descent,
                MethodArg::Compressed => Method::Compressed,
                MethodArg::Greedy => Method::Greedy,
                MethodArg::Nuclear => Method::Nuclear,
                MethodArg::SoftImpute => Method::SoftImpute,
            },
            raw: self.raw,
            ensemble: self.ensemble,
            coverage: self.coverage.unwrap_or(default.coverage),
            depths: self.depth.clone(),
            init_scales: self.init_scale.clone(),
            width: self.width,
            offsets: !self.no_offsets,
            scaling: match self.scaling {
                ScalingArg::Auto => Scaling::Auto,
                ScalingArg::None => Scaling::None,
                ScalingArg::Table => Scaling::Table,
                ScalingArg::Columns => Scaling::Columns,
            },
            bounds: self.bounds,
            integer: self.integer,
            holdout: self.holdout,
            validation: self.validation.unwrap_or(default.validation),
            rate: self.rate,
            steps: self.steps.unwrap_or(default.steps),
            loss_below: self.loss_below.unwrap_or(default.loss_below),
            ..default
        }
    }
}
