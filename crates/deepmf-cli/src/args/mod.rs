//! What can be typed.

mod cluster;
mod complete;
mod data;
mod experiment;
mod recommend;
mod sense;
mod table;
mod transport;
mod value;

use clap::{Parser, Subcommand};
use deepmf::Error;

pub(crate) use cluster::Cluster;
pub(crate) use complete::{Complete, Kept};
pub(crate) use data::{Data, Describe, Fetch, LowRank, Make, MaskTable, Scene, Split, SplitBy};
pub(crate) use experiment::{
    Analyse, ConstantName, Doctor, Parts, Place, Report, Run, Study, StudyCheck, StudyRun,
};
pub(crate) use recommend::{
    RatingsInput, Recommend, RecommendCompare, RecommendEvaluate, RecommendExplain, RecommendFit,
    RecommendFoldIn, RecommendPredict, RecommendTop,
};
pub(crate) use sense::Sense;
pub(crate) use table::{Input, OutFormat, Written};
pub(crate) use transport::{Transport, TransportKept, TransportMatrix, TransportVideo};

use crate::failure::Failure;

/// Deep matrix factorization: fill the holes of a table, recover a matrix from measurements, and see how training gets there.
#[derive(Debug, Parser)]
#[command(
    name = "deepmf",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Example:\n  deepmf complete --example --report example.html"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Threads to use; all processors if not given. The answer does not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = value::count)]
    pub(crate) threads: Option<usize>,
    /// Say nothing on stderr but errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The commands, in the order of the flow.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Complete(Box<Complete>),
    Sense(Box<Sense>),
    /// Fit, judge and use a recommender.
    #[command(subcommand)]
    Recommend(Recommend),
    Cluster(Box<Cluster>),
    /// Find a hidden light from what it does to what is seen.
    #[command(subcommand)]
    Transport(Transport),
    Run(Box<Run>),
    Report(Report),
    Analyse(Analyse),
    /// Describe, make, mask, split and fetch data.
    #[command(subcommand)]
    Data(Data),
    /// List, run and check the studies of papers.
    #[command(subcommand)]
    Study(Study),
    Doctor(Doctor),
}

impl Args {
    /// Sets the number of threads for all that follows.
    pub(crate) fn start_threads(&self) -> Result<(), Failure> {
        let Some(threads) = self.threads else { return Ok(()) };
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|error| {
            Error::parameter("--threads", "a number of threads that can be started", error).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        super::Args::command().debug_assert();
    }
}
