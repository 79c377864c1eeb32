//! `run`: an experiment, a sweep, or the spec of a run folder.

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::Error;
use deepmf::experiment::Experiment;

use super::{Ending, complete, experiment, report, sense};
use crate::args::Run;
use crate::failure::Failure;
use crate::job::Job;
use crate::output::{self, Talk};
use crate::{interrupt, place};

/// Where an experiment writes if no folder is named.
const RESULTS: &str = "results";

/// Runs what was typed.
pub(crate) fn run(args: &Run, talk: Talk) -> Result<Ending, Failure> {
    let path = &args.spec;
    let text = fs::read_to_string(path).map_err(|error| Error::io(path, "read", error))?;
    if !Job::is_in(&text) {
        return sweep(args, talk);
    }
    let job = Job::read(&text, path)?;
    match job.complete {
        Some(_) => complete::fill(&job, &args.written, &args.kept, None, talk),
        None => sense::recover(&job, &args.written, &args.kept, talk),
    }
}

fn sweep(args: &Run, talk: Talk) -> Result<Ending, Failure> {
    if args.written.output.is_some() || args.written.format.is_some() {
        let error = Error::parameter(
            "-o",
            "given with a completion or a sensing",
            "given with an experiment",
        );
        return Err(Failure::with_hint(
            error,
            "--run DIR names the folder that an experiment writes to",
        ));
    }
    if let Some(path) = &args.kept.report {
        place::check_file(path, &[&args.spec])?;
    }
    let experiment = Experiment::load(&args.spec)?;
    let folder = args.kept.run.clone().unwrap_or_else(|| PathBuf::from(RESULTS));
    must_be_free(&folder, args.kept.resume)?;
    let reports =
        experiment::run(&experiment, &folder, args.kept.resume, &interrupt::flag(), talk)?;
    experiment::tell(&experiment.spec.title, &reports, talk)?;
    talk.line(&format!("the run folder: {}", folder.display()));
    if let Some(path) = &args.kept.report {
        report::compared(&report::recorded(&folder)?)?.save(path)?;
    }
    if args.kept.json {
        output::json(&experiment::json(&folder, &reports))?;
    }
    Ok(experiment::ending(&reports))
}

/// A folder with results is gone on with only if that was asked for.
pub(super) fn must_be_free(folder: &Path, resume: bool) -> Result<(), Failure> {
    let filled = fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
    if filled && !resume {
        let error = Error::parameter("the run folder", "new or empty", folder.display());
        return Err(Failure::with_hint(error, "--resume goes on from where it ends"));
    }
    Ok(())
}
