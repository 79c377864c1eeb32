//! The run folder: the spec that repeats the run, and what came of it.

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::data::write_whole;
use deepmf::report::Page;
use deepmf::{Error, Result};
use serde_json::Value;

use crate::failure::Failure;

/// The spec that repeats a run.
pub(crate) const SPEC: &str = "spec.toml";
/// What came of it.
pub(crate) const RESULT: &str = "result.json";
/// The recorded steps.
pub(crate) const TRAJECTORY: &str = "trajectory.csv";
/// The parameters.
pub(crate) const MODEL: &str = "model.safetensors";
/// The page.
pub(crate) const REPORT: &str = "report.html";

/// A run folder that is being written.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Whether nothing was there before.
    is_new: bool,
}

impl RunFolder {
    /// Begins a run, or goes on with one of the same spec.
    ///
    /// # Errors
    /// If something else is in the folder.
    pub(crate) fn open(path: &Path, resume: bool, spec: &str) -> Result<Self, Failure> {
        Self::open_if(path, resume, spec, |before| before == spec)
    }

    /// Begins a run, or goes on with one of whose spec `is_same` says that it is of the same run; the folder then has the new one.
    ///
    /// # Errors
    /// As [`RunFolder::open`].
    pub(crate) fn open_if(
        path: &Path,
        resume: bool,
        spec: &str,
        is_same: impl Fn(&str) -> bool,
    ) -> Result<Self, Failure> {
        let filled = fs::read_dir(path).is_ok_and(|mut files| files.next().is_some());
        if filled && !resume {
            let error = Error::parameter("the run folder", "new or empty", path.display());
            return Err(Failure::with_hint(error, "--resume goes on from where it ends"));
        }
        if filled {
            let before = path.join(SPEC);
            let text = fs::read_to_string(&before).map_err(|e| Error::io(&before, "read", e))?;
            if !is_same(&text) {
                let problem = "must be the spec of this run, but it is of another";
                let hint = "--resume takes the same flags as the run that it goes on with";
                return Err(Failure::with_hint(Error::data(before, problem), hint));
            }
            if text != spec {
                write_whole(before, spec.as_bytes())?;
            }
            return Ok(Self { path: path.into(), is_new: false });
        }
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(|e| Error::io(path, "create", e))?;
        write_whole(path.join(SPEC), spec.as_bytes())?;
        Ok(Self { path: path.into(), is_new })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what came of the run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn finish(&self, result: &Value, page: &Page) -> Result<()> {
        write_whole(self.path.join(RESULT), format!("{result:#}\n").as_bytes())?;
        page.save(self.path.join(REPORT))
    }

    /// Takes back what [`RunFolder::open`] made, because nothing was done.
    pub(crate) fn abandon(&self) {
        // What cannot be removed was not made by `open`, or does no harm.
        if self.is_new {
            let _ = fs::remove_file(self.path.join(SPEC));
            let _ = fs::remove_dir(&self.path);
        }
    }
}
