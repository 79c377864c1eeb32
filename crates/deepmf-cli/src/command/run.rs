//! `run`: an experiment, a sweep, or the spec of a run folder.

use std::fs;

use deepmf::Error;

use super::{Ending, complete, sense};
use crate::args::Run;
use crate::failure::Failure;
use crate::job::Job;
use crate::output::Talk;

/// Runs what was typed.
pub(crate) fn run(args: &Run, talk: Talk) -> Result<Ending, Failure> {
    let path = &args.spec;
    let text = fs::read_to_string(path).map_err(|error| Error::io(path, "read", error))?;
    let job = Job::read(&text, path)?;
    match job.complete {
        Some(_) => complete::fill(&job, &args.written, &args.kept, talk),
        None => sense::recover(&job, &args.written, &args.kept, talk),
    }
}
