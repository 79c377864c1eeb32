//! The commands, one file each.

mod analyse;
mod complete;
mod describe;
mod doctor;
mod evaluate;
mod example;
mod experiment;
mod fetch;
mod fold_in;
mod make;
mod mask;
mod recommend;
mod cluster;
mod compare;
mod explain;
mod report;
mod run;
mod sense;
mod slurm;
mod split;
mod study;
mod transport;

use std::process::ExitCode;

use deepmf::train::StopReason;

use crate::args::{Command, Data, Make, Recommend, Study, Transport};
use crate::failure::Failure;
use crate::output::Talk;

/// How a command ended that did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done.
    Done,
    /// Done, but the answer is no.
    No,
}

impl Ending {
    /// The exit code.
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::No => ExitCode::FAILURE,
        }
    }

    /// A fit that diverged or was interrupted has no good answer.
    fn of(reason: StopReason) -> Self {
        match reason {
            StopReason::Diverged | StopReason::Interrupted => Self::No,
            _ => Self::Done,
        }
    }
}

/// Runs what was typed.
pub(crate) fn run(command: &Command, talk: Talk) -> Result<Ending, Failure> {
    match command {
        Command::Complete(args) if args.model.is_some() => fold_in::run(args, talk),
        Command::Complete(args) => complete::run(args, talk),
        Command::Sense(args) => sense::run(args, talk),
        Command::Recommend(Recommend::Fit(args)) => recommend::fit(args, talk),
        Command::Recommend(Recommend::Evaluate(args)) => evaluate::run(args, talk),
        Command::Recommend(Recommend::Predict(args)) => recommend::predict(args, talk),
        Command::Recommend(Recommend::Top(args)) => recommend::top(args, talk),
        Command::Recommend(Recommend::FoldIn(args)) => recommend::fold_in(args, talk),
        Command::Recommend(Recommend::Explain(args)) => explain::run(args, talk),
        Command::Recommend(Recommend::Compare(args)) => compare::run(args, talk),
        Command::Cluster(args) => cluster::run(args, talk),
        Command::Transport(Transport::Matrix(args)) => transport::matrix(args, talk),
        Command::Transport(Transport::Video(args)) => transport::video(args, talk),
        Command::Run(args) => run::run(args, talk),
        Command::Report(args) => report::run(args, talk),
        Command::Analyse(args) => analyse::run(args, talk),
        Command::Data(Data::Describe(args)) => describe::run(args),
        Command::Data(Data::Make(Make::LowRank(args))) => make::low_rank(args, talk),
        Command::Data(Data::Make(Make::Scene(args))) => make::scene(args, talk),
        Command::Data(Data::Mask(args)) => mask::run(args, talk),
        Command::Data(Data::Split(args)) => split::run(args, talk),
        Command::Data(Data::Fetch(args)) => fetch::run(args, talk),
        Command::Study(Study::List(args)) => study::list(args),
        Command::Study(Study::Run(args)) => study::run(args, talk),
        Command::Study(Study::Check(args)) => study::check(args, talk),
        Command::Doctor(args) => doctor::run(args),
    }
}
