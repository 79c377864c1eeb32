//! A sweep in shards: each is run by itself, on any machine, and their folders are merged to what one run would have written.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::sweep::{Outcome, TrialReport, found, head};
use super::{Experiment, RunOptions};
use crate::data::write_whole;
use crate::{Error, Result};

/// One of several shares of a sweep, of about the same size: of n shards, shard i has the trials i, i + n, i + 2n, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    place: usize,
    count: usize,
}

impl Shard {
    /// Shard `place` of `count`, counted from 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `place` is not from 1 to `count`.
    pub fn new(place: usize, count: usize) -> Result<Self> {
        if (1..=count).contains(&place) {
            return Ok(Self { place, count });
        }
        let found = format!("{place}/{count}");
        Err(Error::parameter("shard", "I/N with I from 1 to N", found))
    }

    /// The places of its trials among `trials` of them.
    pub fn places(self, trials: usize) -> Vec<usize> {
        (self.place - 1..trials).step_by(self.count).collect()
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let parts = word.split_once('/');
        let parts = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let Some((place, count)) = parts else {
            return Err(Error::parameter("shard", "I/N with I from 1 to N", word));
        };
        Self::new(place, count)
    }
}

impl Experiment {
    /// Puts the run folders of shards together in `folder`: the trials in their order, each as its shard wrote it.
    ///
    /// A trial that several shards have is taken from the first; one that none has finished is [`Outcome::Interrupted`], and
    /// [`Experiment::run`] with `resume` makes it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if nothing varies in this experiment; [`Error::Data`] if a folder has no results of it; [`Error::Io`].
    pub fn merge(&self, shards: &[PathBuf], folder: &Path) -> Result<Vec<TrialReport>> {
        if self.spec.vary.is_empty() {
            return Err(Error::parameter("an experiment in shards", "a sweep", "a single run"));
        }
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
        let mut text = head(self)?;
        let tables = shards
            .iter()
            .map(|shard| {
                let path = shard.join("results.csv");
                let before = fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
                found(self, &before).ok_or_else(|| {
                    Error::data(
                        &path,
                        "must be the results of this sweep, but it has other columns",
                    )
                })
            })
            .collect::<Result<Vec<_>>>()?;
        for trial in &self.trials {
            let mut all = tables.iter().zip(shards);
            let one = all.find_map(|(rows, shard)| {
                let row = rows.iter().find(|(_, row)| row.fingerprint == trial.fingerprint);
                Some((&row?.0, shard))
            });
            if let Some((row, shard)) = one {
                copy(&shard.join(&trial.fingerprint), &folder.join(&trial.fingerprint))?;
                text.push_str(row);
            }
        }
        write_whole(folder.join("results.csv"), text.as_bytes())?;
        let finished = found(self, text.as_bytes()).unwrap_or_default();
        let report = |(place, trial): (usize, &crate::spec::Trial)| {
            let mut rows = finished.iter();
            let row = rows.find(|(_, result)| result.fingerprint == trial.fingerprint);
            let outcome = match row {
                Some((_, result)) => Outcome::Found(Box::new(result.clone())),
                None => Outcome::Interrupted,
            };
            TrialReport::of(self, place, outcome).within(&folder.join(&trial.fingerprint))
        };
        Ok(self.trials.iter().enumerate().map(report).collect())
    }

    /// As [`Experiment::run`], for the trials of one shard.
    ///
    /// # Errors
    /// As [`Experiment::run`]; [`Error::Parameter`] if nothing varies in this experiment.
    pub fn run_shard(&self, shard: Shard, options: &RunOptions) -> Result<Vec<TrialReport>> {
        if self.spec.vary.is_empty() {
            return Err(Error::parameter("an experiment in shards", "a sweep", "a single run"));
        }
        self.run_some(&shard.places(self.trials.len()), options)
    }
}

/// Copies a run folder, whole or not at all.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::create_dir_all(&part).map_err(|e| Error::io(&part, "create", e))?;
    for entry in fs::read_dir(from).map_err(|e| Error::io(from, "read", e))? {
        let path = entry.map_err(|e| Error::io(from, "read", e))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, part.join(name)).map_err(|e| Error::io(&path, "copy", e))?;
        }
    }
    if to.exists() {
        fs::remove_dir_all(to).map_err(|e| Error::io(to, "replace", e))?;
    }
    fs::rename(&part, to).map_err(|e| Error::io(to, "write", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_out_all_trials_and_each_once() {
        for (count, trials) in [(1, 5), (3, 10), (4, 3)] {
            let mut all: Vec<usize> =
                (1..=count).flat_map(|i| Shard::new(i, count).unwrap().places(trials)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..trials).collect::<Vec<_>>());
        }
        assert_eq!("2/3".parse::<Shard>().unwrap().places(7), [1, 4]);
        for wrong in ["0/3", "4/3", "1", "1/", "a/b", "-1/2", "1/0"] {
            let told = wrong.parse::<Shard>().unwrap_err().to_string();
            assert_eq!(told, format!("shard must be I/N with I from 1 to N, but it is {wrong}"));
        }
    }
}
