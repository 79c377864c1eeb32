//! `report`: run folders in one page.

use std::path::{Path, PathBuf};

use deepmf::report::Page;
use deepmf::{Error, Result};

use super::Ending;
use crate::args::Report;
use crate::failure::Failure;
use crate::output::Talk;
use crate::page::{self, Recorded};
use crate::place;
use crate::run_folder::RESULT;

/// Runs what was typed.
pub(crate) fn run(args: &Report, talk: Talk) -> Result<Ending, Failure> {
    place::check_file(&args.output, &[])?;
    let mut runs = Vec::new();
    for folder in &args.runs {
        for folder in finished(folder)? {
            runs.push(Recorded::read(&folder)?);
        }
    }
    compared(&runs)?.save(&args.output)?;
    talk.line(&format!("{} runs: {}", runs.len(), args.output.display()));
    Ok(Ending::Done)
}

/// The page of runs side by side.
///
/// # Errors
/// Those of its figures.
pub(super) fn compared(runs: &[Recorded]) -> Result<Page> {
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let mut made =
        Page::new("Runs", names.join(", ")).with(page::results(runs)?).with(page::course(runs));
    if let Some(section) = page::curvature(runs) {
        made = made.with(section);
    }
    Ok(made.with(page::again(runs)))
}

/// The run folder itself, or the finished ones in the folder of a sweep.
pub(super) fn finished(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.join(RESULT).is_file() {
        return Ok(vec![folder.into()]);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io(folder, "read", error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join(RESULT).is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Error::data(
            folder,
            "must be a run folder or hold some, but no result.json is there",
        ));
    }
    Ok(found)
}
