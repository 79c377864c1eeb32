//! Studies: a folder a paper, with experiment files and the claims that they must show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::claim::Claim;
use super::measure::{Verdict, judge, selected};
use super::sweep::{Sweep, TrialReport};
use super::{Experiment, RunOptions};
use crate::train::try_trials;
use crate::{Error, Result};

/// A study as it is found in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// The name of its folder, such as `arora2019`.
    pub name: String,
    /// The first line of its README.
    pub title: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What it must show.
    pub claims: Vec<Claim>,
}

/// How a study is checked.
#[derive(Clone, Default)]
pub struct CheckOptions {
    /// Whether only the claims marked `quick` are checked.
    pub quick: bool,
    /// Where results are written and found again: a folder for each experiment file. Nothing is written if none
    /// is given.
    pub folder: Option<PathBuf>,
    /// Trials that run side by side; by default as many as the processor has threads.
    pub threads: Option<usize>,
    /// Stops, with all that was reached, when the flag is set.
    pub interrupt: Option<Arc<AtomicBool>>,
}

/// What is told while a study is checked.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A trial ended.
    Trial {
        /// The experiment file, without `.toml`.
        figure: &'a str,
        /// What came of it.
        report: &'a TrialReport,
        /// How many trials the check needs.
        of: usize,
    },
    /// A claim was judged.
    Verdict(&'a Verdict),
}

/// The studies in the folder `root`, by name: each folder with a `claims.toml`.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read; as [`Claim::load`].
pub fn list(root: impl AsRef<Path>) -> Result<Vec<Study>> {
    let root = root.as_ref();
    let found = std::fs::read_dir(root).map_err(|e| Error::io(root, "read", e))?;
    let folders = found.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> =
        folders.filter(|folder| folder.join("claims.toml").is_file()).collect();
    folders.sort();
    folders.into_iter().map(open).collect()
}

fn open(folder: PathBuf) -> Result<Study> {
    let claims = Claim::load(folder.join("claims.toml"))?;
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
    let title = readme.lines().next().unwrap_or_default().trim_start_matches('#').trim().into();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Study { name: name.unwrap_or_default(), title, folder, claims })
}

/// The study `name` in the folder `root`.
///
/// # Errors
/// [`Error::Parameter`] with the known names if there is none; as [`list`].
pub fn find(root: impl AsRef<Path>, name: &str) -> Result<Study> {
    let folder = root.as_ref().join(name);
    if !name.is_empty() && folder.join("claims.toml").is_file() {
        return open(folder);
    }
    let known: Vec<String> = list(root)?.into_iter().map(|study| study.name).collect();
    Err(Error::parameter("a study", format!("one of {}", known.join(", ")), name))
}

/// Checks the study `name` in the folder `root`: runs the trials that its claims need, and those alone, and judges
/// every claim, in their order. What cannot run here is skipped with its reason.
///
/// # Errors
/// As [`find`] and [`Experiment::run`]; [`Error::Parameter`] for a claim that selects no trial.
pub fn check(
    root: impl AsRef<Path>,
    name: &str,
    options: &CheckOptions,
    told: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Vec<Verdict>> {
    let study = find(root, name)?;
    let claims: Vec<&Claim> =
        study.claims.iter().filter(|claim| claim.quick || !options.quick).collect();
    let mut experiments = BTreeMap::new();
    for claim in &claims {
        if !experiments.contains_key(&claim.figure) {
            let experiment = Experiment::load(claim.experiment(&study.folder))?;
            experiments.insert(claim.figure.clone(), experiment);
        }
    }
    let jobs = jobs(&claims, &experiments)?;
    let settings = |figure: &str| RunOptions {
        folder: options.folder.as_ref().map(|folder| folder.join(figure)),
        threads: options.threads,
        interrupt: options.interrupt.clone(),
        resume: true,
        on_trial: None,
        on_progress: None,
    };
    let sweeps = experiments
        .iter()
        .map(|(figure, experiment)| {
            let settings = settings(figure);
            Ok((figure.as_str(), (Sweep::open(experiment, &settings)?, settings)))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    let flag = options.interrupt.as_deref();
    let reports = try_trials(&jobs, options.threads, flag, |_, (figure, place)| {
        let (sweep, settings) = &sweeps[figure.as_str()];
        let report = sweep.run(*place, settings)?;
        told(Event::Trial { figure, report: &report, of: jobs.len() });
        Ok(report)
    })?;
    let mut by_figure: BTreeMap<&str, Vec<TrialReport>> = BTreeMap::new();
    for ((figure, _), report) in jobs.iter().zip(reports) {
        by_figure.entry(figure).or_default().extend(report);
    }
    let mut verdicts = Vec::new();
    for claim in claims {
        let reports = by_figure.get(claim.figure.as_str()).map_or(&[][..], Vec::as_slice);
        let verdict = judge(claim, &experiments[&claim.figure], reports)?;
        told(Event::Verdict(&verdict));
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The trials that the claims need, in the order of the claims, each once.
fn jobs(
    claims: &[&Claim],
    experiments: &BTreeMap<String, Experiment>,
) -> Result<Vec<(String, usize)>> {
    let mut jobs: Vec<(String, usize)> = Vec::new();
    for claim in claims {
        let selected = selected(claim, &experiments[&claim.figure]);
        if selected.is_empty() {
            let what = format!("the selection of claim `{}`", claim.id);
            let found = "without one";
            return Err(Error::parameter(what, format!("of a trial of {}", claim.figure), found));
        }
        for place in selected.into_iter().flat_map(|(place, other)| [Some(place), other]).flatten()
        {
            let job = (claim.figure.clone(), place);
            if !jobs.contains(&job) {
                jobs.push(job);
            }
        }
    }
    Ok(jobs)
}
