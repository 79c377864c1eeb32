//! What can be typed after `run`, `report`, `analyse`, `study` and `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use deepmf::experiment::Shard;

use super::{Kept, Written, value};

/// Run an experiment, a sweep or the spec of a run folder.
///
/// An experiment writes its results to the run folder (results if --run names no other) as they come. The spec.toml of a
/// completion or a sensing repeats it, with the output of deepmf complete or deepmf sense.
///
/// A sweep may be run in shards, on any machines; --merge then puts their run folders together to what one run would have written.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf run experiment.toml --run results\n  \
    deepmf run experiment.toml --shard 2/8 --run shards/2\n  \
    deepmf run experiment.toml --merge shards/* --run results\n  \
    deepmf run experiment.toml --emit slurm --shards 8 -o array.sh")]
pub(crate) struct Run {
    /// The file.
    #[arg(value_name = "SPEC.toml")]
    pub(crate) spec: PathBuf,
    #[command(flatten)]
    pub(crate) parts: Parts,
    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// A sweep in parts.
#[derive(Args, Debug)]
#[command(next_help_heading = "Shards")]
pub(crate) struct Parts {
    /// Run only this share of a sweep, such as 2/8: trials 2, 10, 18, …
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Run nothing: put the run folders of shards together in the run folder. The exit code is 1 if a trial is in none of them.
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["shard", "emit", "resume"])]
    pub(crate) merge: Vec<PathBuf>,
    /// Run nothing: write the script of an array job to -o, or to stdout.
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = ["shard", "resume", "json", "report", "format"])]
    pub(crate) emit: Option<Emit>,
    /// Of the script: how many shards [default: one a trial, at most 100].
    #[arg(long, value_name = "N", value_parser = value::count, requires = "emit")]
    pub(crate) shards: Option<usize>,
}

/// What can be written in place of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// A script for sbatch.
    Slurm,
}

fn shard(word: &str) -> Result<Shard, String> {
    word.parse().map_err(|_| "must be I/N with I from 1 to N, such as 2/8".into())
}

/// Put run folders into one page.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf report depth2 depth3 -o compared.html")]
pub(crate) struct Report {
    /// The run folders.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// The page.
    #[arg(long, short, value_name = "FILE.html", help_heading = "Output")]
    pub(crate) output: PathBuf,
}

/// Show the spectrum, the balance and the curvature of what was learned.
///
/// Without one of --spectrum, --sharpness, --trace, --density it shows the spectrum. The Hessian is taken with respect to the layers, on the problem of
/// the run where its spec.toml is an experiment, else on that of --problem.
///
/// With --json stdout holds one JSON object with the keys rows, cols, depth, widths, singular_values, effective_rank, stable_rank, numerical_rank,
/// nuclear_norm, frobenius_norm, balancedness_gap, spectral_balance, frobenius_balance; where the curvature is asked for also problem, residual and
/// seconds; with --sharpness sharpness, sharpness_interval, sharpness_bound_upper, sharpness_bound_lower, sharpness_minimum,
/// flatness_gap, at_minimizer; with --trace trace, trace_isotropic, layer_traces, induced_minimum; with --density density.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(after_help = "Example:\n  deepmf analyse results --json\n  \
    deepmf analyse W1.npy W2.npy W3.npy --sharpness --trace\n  \
    deepmf analyse factors.npz --problem table.csv --sharpness --density --report curvature.html")]
pub(crate) struct Analyse {
    /// A run folder, a file of factors (.safetensors, .npz), or one file a layer, W_1 (which meets a vector first) first. All arrays of a .npz file are
    /// layers, in the order of the numbers that their names end with.
    #[arg(required = true, value_name = "RUN|FACTORS")]
    pub(crate) factors: Vec<PathBuf>,
    /// What is seen and fitted: full (every entry of the product itself), a table, or an experiment file.
    #[arg(long, value_name = "full|TABLE|SPEC.toml", help_heading = "Curvature")]
    pub(crate) problem: Option<PathBuf>,
    /// The constant of the squared loss, for full and a table [default: sum].
    #[arg(long, value_name = "C", value_enum, help_heading = "Curvature")]
    pub(crate) constant: Option<ConstantName>,
    /// The largest eigenvalue of the Hessian with its bounds.
    #[arg(long, help_heading = "Curvature")]
    pub(crate) sharpness: bool,
    /// The trace of the Hessian, and the least over all factorizations of the product.
    #[arg(long, help_heading = "Curvature")]
    pub(crate) trace: bool,
    /// The density of the eigenvalues of the Hessian, estimated from 10 random directions.
    #[arg(long, help_heading = "Curvature")]
    pub(crate) density: bool,
    /// The singular values of the product.
    #[arg(long)]
    pub(crate) spectrum: bool,
    /// The relative residual of the sharpness; the relative error is its square over the relative distance to the next eigenvalue.
    #[arg(long, value_name = "TOL", default_value = "1e-8", help_heading = "Curvature")]
    pub(crate) tolerance: f64,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Write a page with figures.
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
}

/// The constant c of a loss c · Σ r².
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum ConstantName {
    /// 1.
    Sum,
    /// 1/2.
    HalfSum,
    /// 1/m for m measurements.
    Mean,
    /// 1/(2m).
    HalfMean,
}

/// The commands about studies.
#[derive(Debug, Subcommand)]
pub(crate) enum Study {
    /// List the studies.
    #[command(after_help = "Example:\n  deepmf study list")]
    List(Place),
    #[command(after_help = "Example:\n  deepmf study run arora2019 --quick --run results")]
    Run(StudyRun),
    #[command(after_help = "Example:\n  deepmf study check arora2019 --quick")]
    Check(StudyCheck),
}

/// Where studies are.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The folder of the studies.
    #[arg(long, value_name = "DIR", default_value = "studies")]
    pub(crate) studies: PathBuf,
}

/// Run the experiments that the claims of a study are about.
#[derive(Args, Debug)]
pub(crate) struct StudyRun {
    /// The study.
    pub(crate) name: String,
    /// Only the quick ones.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The folder to write to [default: the name of the study].
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) run: Option<PathBuf>,
    /// Go on from where the run folder ends.
    #[arg(long, help_heading = "Output")]
    pub(crate) resume: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Check what a study claims; the exit code is 1 if a claim fails.
///
/// With --json stdout holds one JSON object with the keys study and claims, each of these with id, says, source, origin,
/// bound, measured, judgement, reason.
#[derive(Args, Debug)]
pub(crate) struct StudyCheck {
    /// The study.
    pub(crate) name: String,
    /// Only the quick claims.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keep the runs in this folder, and take from it what is finished there.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) run: Option<PathBuf>,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Show versions, threads, processor features and what is missing.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf doctor")]
pub(crate) struct Doctor {
    /// Print one JSON object on stdout, with the keys version, threads, processors, cpu_features, features, missing.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}
