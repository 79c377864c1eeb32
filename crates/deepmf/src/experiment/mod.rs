//! Experiments: a file of the stages, turned into live parts, run, swept, and held against what a paper claims.

mod build;
mod claim;
mod clustered;
mod measure;
mod recommended;
mod result;
mod shard;
pub mod study;
mod sweep;
mod take;
mod transported;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use build::recording::load as recording;
pub use build::views::load as views;
pub use build::{Parts, build};
pub use claim::{Along, Bound, Claim, Origin, Within};
pub use measure::{Judgement, Verdict};
pub use result::TrialResult;
pub use shard::Shard;
pub use sweep::{Outcome, TrialReport};
pub use take::Take;

use crate::data::write_whole;
use crate::spec::{self, Spec, Trial};
use crate::train::{Progress, try_trials};
use crate::{Error, Result};
use sweep::Sweep;

/// An experiment file: a run, or a sweep of runs.
///
/// ```no_run
/// use deepmf::experiment::{Experiment, RunOptions};
/// let experiment = Experiment::load("studies/arora2019/fig1.toml")?;
/// let reports = experiment.run(&RunOptions { folder: Some("fig1".into()), ..RunOptions::default() })?;
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Experiment {
    /// What the file says.
    pub spec: Spec,
    /// The folder that its paths are seen from.
    pub base: PathBuf,
    trials: Vec<Trial>,
}

/// What is called while an experiment runs; from the thread of the trial.
pub type Callback<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// How an experiment is run.
#[derive(Clone, Default)]
pub struct RunOptions {
    /// Where results are written: `results.csv`, and a run folder for each trial under its fingerprint. An
    /// experiment of one trial writes its run folder here. Nothing is written if none is given.
    pub folder: Option<PathBuf>,
    /// Trials that run side by side; by default as many as the processor has threads.
    pub threads: Option<usize>,
    /// Stops, with all that was reached, when the flag is set.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// Skips what the folder holds finished and goes on from checkpoints; otherwise all is done anew.
    pub resume: bool,
    /// Told each trial as it ends.
    pub on_trial: Option<Callback<TrialReport>>,
    /// Told the progress within the trials whenever something is recorded.
    pub on_progress: Option<Callback<(usize, Progress)>>,
}

impl Experiment {
    /// Reads an experiment file and checks all that can be checked before work.
    ///
    /// # Errors
    /// As [`Spec::load`], also for a number out of its range.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let base = folder.unwrap_or(Path::new(".")).to_path_buf();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        Self::new(spec::parse(&text, path)?, base).map_err(|e| spec::placed(e, &text, path))
    }

    /// The experiment of a description; relative paths are seen from the folder `base`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a number out of its range.
    pub fn new(spec: Spec, base: impl Into<PathBuf>) -> Result<Self> {
        let trials = spec.trials()?;
        trials.iter().try_for_each(|trial| build::check(&trial.spec))?;
        Ok(Self { spec, base: base.into(), trials })
    }

    /// The runs in their order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Runs all trials, one a thread, and gives what came of each in their order; a trial that an interrupt left
    /// unfinished is [`Outcome::Interrupted`].
    ///
    /// # Errors
    /// What building a trial or writing its files gives; trials that are finished by then stay in the folder.
    pub fn run(&self, options: &RunOptions) -> Result<Vec<TrialReport>> {
        let places: Vec<usize> = (0..self.trials.len()).collect();
        self.run_some(&places, options)
    }

    /// Runs the trials at these places alone.
    ///
    /// # Errors
    /// As [`Experiment::run`].
    pub fn run_some(&self, places: &[usize], options: &RunOptions) -> Result<Vec<TrialReport>> {
        let sweep = Sweep::open(self, options)?;
        let flag = options.interrupt.as_deref();
        let reports =
            try_trials(places, options.threads, flag, |_, place| sweep.run(*place, options))?;
        let reports = reports.into_iter().zip(places);
        Ok(reports
            .map(|(report, place)| {
                let outcome = || TrialReport::of(self, *place, Outcome::Interrupted);
                report.unwrap_or_else(outcome)
            })
            .collect())
    }

    /// The reason why a trial cannot run on this machine, if there is one: a variable of a path that is not set.
    pub fn skipped(&self, place: usize) -> Option<String> {
        let spec = &self.trials[place].spec;
        spec.files().iter().find_map(|path| spec::expand(path).err())
    }

    fn write_spec(&self, trial: &Trial, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
        let base = std::path::absolute(&self.base).map_err(|e| Error::io(&self.base, "find", e))?;
        let text = trial.spec.seen_from(&base).toml()?;
        write_whole(folder.join("spec.toml"), text.as_bytes())
    }
}
