//! What can be typed after `run`, `report`, `analyse`, `study` and `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Kept, Written};

/// Run an experiment, a sweep or the spec of a run folder.
///
/// An experiment writes its results to the run folder (results if --run names no other) as they come. The spec.toml of a
/// completion or a sensing repeats it, with the output of deepmf complete or deepmf sense.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf run experiment.toml --run results")]
pub(crate) struct Run {
    /// The file.
    #[arg(value_name = "SPEC.toml")]
    pub(crate) spec: PathBuf,
    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) kept: Kept,
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

/// Show the spectrum and the balance of what was learned.
///
/// With --json stdout holds one JSON object with the keys rows, cols, depth, widths, singular_values, effective_rank,
/// stable_rank, numerical_rank, nuclear_norm, frobenius_norm, balancedness_gap.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf analyse results --json")]
pub(crate) struct Analyse {
    /// A run folder, or a file of factors (.safetensors).
    #[arg(value_name = "RUN|FACTORS.safetensors")]
    pub(crate) factors: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
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
