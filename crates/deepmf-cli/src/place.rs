//! Where output goes: checked before any work, written after it.

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::data::{self, Entries, Table};
use deepmf::{Error, Result};

use crate::args::{OutFormat, Written};
use crate::failure::Failure;
use crate::output;

/// Where a matrix goes.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file, or none for stdout.
    file: Option<PathBuf>,
    /// What tells the format: the name of a file.
    name: Option<PathBuf>,
}

impl Place {
    /// Checks where `written` goes before anything is computed; `silent` writes nothing to stdout unless asked to.
    ///
    /// # Errors
    /// If the file is an input, a folder, in no folder or of a format that is only read.
    pub(crate) fn checked(
        written: &Written,
        inputs: &[&Path],
        silent: bool,
    ) -> Result<Option<Self>, Failure> {
        let named = |extension: &str| Some(PathBuf::from(format!("table.{extension}")));
        let by_format = match written.format {
            Some(OutFormat::Csv) => named("csv"),
            Some(OutFormat::Tsv) => named("tsv"),
            Some(OutFormat::Npy) => named("npy"),
            Some(OutFormat::Parquet) => named("parquet"),
            None => None,
        };
        match written.output.as_deref() {
            None if silent => Ok(None),
            None => Ok(Some(Self { file: None, name: by_format })),
            Some(path) if path == Path::new("-") => Ok(Some(Self { file: None, name: by_format })),
            Some(path) => {
                check_file(path, inputs)?;
                let name = match (path.extension(), by_format) {
                    (None, Some(name)) => name,
                    _ => path.to_owned(),
                };
                // A table of one cell is enough to find out whether the format is written at all.
                let cell = Entries::new((1, 1), vec![0], vec![0], vec![0.0])?;
                data::encoded(&name, &Table::new(cell))?;
                Ok(Some(Self { file: Some(path.to_owned()), name: Some(name) }))
            }
        }
    }

    /// Writes a table.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn write(&self, table: &Table) -> Result<()> {
        let bytes = match &self.name {
            Some(name) => data::encoded(name, table)?,
            None => data::text(table),
        };
        match &self.file {
            Some(path) => data::write_whole(path, &bytes),
            None => output::stdout(&bytes),
        }
    }

    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

/// A file that is to be written: not an input, not a folder, in a folder that is there.
///
/// # Errors
/// Which of these it is.
pub(crate) fn check_file(path: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(Error::parameter(
            "the file to write",
            "a file",
            format!("the folder {}", path.display()),
        )
        .into());
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let found = format!("not there: {}", folder.display());
        return Err(Error::parameter("the folder of the file to write", "there", found).into());
    }
    let real = |path: &Path| fs::canonicalize(path).ok();
    if let Some(path) = real(path)
        && inputs.iter().any(|input| real(input).as_ref() == Some(&path))
    {
        let error = Error::parameter("the file to write", "other than the input", path.display());
        return Err(Failure::with_hint(error, "-o NAME writes to another file"));
    }
    Ok(())
}
