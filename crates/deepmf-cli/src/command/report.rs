//! `report`: run folders in one page.

use std::path::{Path, PathBuf};

use deepmf::report::Page;
use deepmf::{Error, Result};

use super::Ending;
use crate::against::against;
use crate::args::Report;
use crate::failure::Failure;
use crate::output::Talk;
use crate::page::{self, Recorded};
use crate::place;
use crate::run_folder::RESULT;

/// More runs are counted, not named, below the title of a page.
const NAMED: usize = 4;

/// Runs what was typed.
pub(crate) fn run(args: &Report, talk: Talk) -> Result<Ending, Failure> {
    place::check_file(&args.output, &[])?;
    let mut runs = Vec::new();
    for folder in &args.runs {
        let mut found = recorded(folder)?;
        if args.runs.len() > 1 {
            for run in found.iter_mut().filter(|run| run.name != folder.display().to_string()) {
                run.name = format!("{}: {}", folder.display(), run.name);
            }
        }
        runs.extend(found);
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
    let subtitle =
        if runs.len() <= NAMED { names.join("; ") } else { format!("{} runs", runs.len()) };
    let made = against(runs).into_iter().fold(Page::new("Runs", subtitle), Page::with);
    let made = made.with(page::results(runs)?);
    Ok(page::along(made, runs).with(page::again(runs)))
}

/// The run of a folder by its name, or the finished ones of a sweep in their order, by what varies.
///
/// # Errors
/// Those of reading them; [`Error::Data`] if there is none.
pub(super) fn recorded(folder: &Path) -> Result<Vec<Recorded>> {
    let mut runs =
        finished(folder)?.iter().map(|found| Recorded::read(found)).collect::<Result<Vec<_>>>()?;
    if folder.join(RESULT).is_file() {
        return Ok(runs);
    }
    runs.sort_by(page::by_varied);
    for run in &mut runs {
        run.name = page::varied(&run.result).unwrap_or_else(|| std::mem::take(&mut run.name));
    }
    Ok(runs)
}

/// The run folder itself, or the finished ones in the folder of a sweep.
fn finished(folder: &Path) -> Result<Vec<PathBuf>> {
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
