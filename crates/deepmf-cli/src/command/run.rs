//! `run`: an experiment, a sweep, or the spec of a run folder.

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::Error;
use deepmf::data::write_whole;
use deepmf::experiment::{Experiment, Outcome};

use super::slurm::Array;
use super::{Ending, complete, experiment, report, sense};
use crate::args::{Parts, Run};
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
    if args.parts.shard.is_some() || !args.parts.merge.is_empty() || args.parts.emit.is_some() {
        let what = "what is run in shards";
        return Err(Error::parameter(what, "a sweep", "a completion or a sensing").into());
    }
    let job = Job::read(&text, path)?;
    match job.complete {
        Some(_) => complete::fill(&job, &args.written, &args.kept, None, talk),
        None => sense::recover(&job, &args.written, &args.kept, talk),
    }
}

fn sweep(args: &Run, talk: Talk) -> Result<Ending, Failure> {
    let folder = args.kept.run.clone().unwrap_or_else(|| PathBuf::from(RESULTS));
    if args.parts.emit.is_some() {
        return emit(args, &folder);
    }
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
    must_be_free(&folder, args.kept.resume)?;
    let Parts { shard, merge, .. } = &args.parts;
    let reports = if merge.is_empty() {
        let (resume, flag) = (args.kept.resume, interrupt::flag());
        experiment::run(&experiment, *shard, &folder, resume, &flag, talk)?
    } else {
        experiment.merge(merge, &folder)?
    };
    experiment::tell(&experiment.spec.title, &reports, talk)?;
    let missing = reports.iter().filter(|report| report.outcome == Outcome::Interrupted).count();
    if !merge.is_empty() && missing > 0 {
        let again = "deepmf run with --resume makes them";
        talk.warning(&format!("{missing} trials are in none of the shards; {again}"));
    }
    talk.line(&format!("the run folder: {}", folder.display()));
    if let Some(path) = &args.kept.report {
        report::compared(&report::recorded(&folder)?)?.save(path)?;
    }
    if args.kept.json {
        output::json(&experiment::json(&folder, &reports))?;
    }
    Ok(experiment::ending(&reports))
}

/// Writes the script of an array job.
fn emit(args: &Run, folder: &Path) -> Result<Ending, Failure> {
    let experiment = Experiment::load(&args.spec)?;
    let array = Array { spec: &args.spec, folder, shards: args.parts.shards };
    let script = array.script(&experiment)?;
    match args.written.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => {
            place::check_file(path, &[&args.spec])?;
            write_whole(path, script.as_bytes())?;
        }
        None => output::stdout(script.as_bytes())?,
    }
    Ok(Ending::Done)
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
