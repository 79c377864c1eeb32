//! MATLAB's .mat files: which of their variables is the table.

use std::path::Path;

use super::collect::{self, Compressed};
#[cfg(feature = "hdf5")]
use super::mat73;
use super::{claim, mat5};
use crate::data::{ReadOptions, Table};
use crate::{Error, Result};

/// A variable of a file; the elements of a cell array `X` are variables `X{1}`, `X{2}` …
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) shape: Vec<u64>,
    pub(crate) content: Content,
}

/// What a variable holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Numbers, first axis fastest.
    Dense(Vec<f64>),
    /// Where columns begin, the row of each entry, the entries.
    Sparse { starts: Vec<f64>, ids: Vec<f64>, values: Vec<f64> },
    /// Something that is not a table: its name in a sentence.
    Other(&'static str),
}

impl Variable {
    fn is_matrix(&self) -> bool {
        self.shape.len() == 2 && self.shape != [1, 1] && !matches!(self.content, Content::Other(_))
    }

    /// Its name with its shape, or with what it is.
    pub(crate) fn describe(&self) -> String {
        match self.content {
            Content::Dense(_) => format!("{} {}", self.name, claim::words(&self.shape)),
            Content::Sparse { .. } => format!("{} {} sparse", self.name, claim::words(&self.shape)),
            Content::Other(what) => format!("{} ({what})", self.name),
        }
    }
}

/// The table in `bytes`: the variable that the options name, or the only matrix. Of a sparse one, entries that are
/// not stored are missing.
///
/// # Errors
/// [`Error::Data`].
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    let variables = variables(bytes, path)?;
    let all = || variables.iter().map(Variable::describe).collect::<Vec<_>>().join(", ");
    let candidates: Vec<&Variable> = match &options.variable {
        Some(name) => variables.iter().filter(|variable| variable.name == *name).collect(),
        None => variables.iter().filter(|variable| variable.is_matrix()).collect(),
    };
    let variable = match (&candidates[..], &options.variable) {
        ([variable], _) => variable,
        ([], _) if variables.is_empty() => {
            return Err(Error::data(path, "the file must hold a variable, but it holds none"));
        }
        (_, Some(name)) => {
            return Err(Error::data(
                path,
                format!("there must be one variable `{name}`, but there are {}", all()),
            ));
        }
        (_, None) => {
            let problem = format!(
                "there must be one matrix, or its name must be given, but there are {}",
                all()
            );
            return Err(Error::data(path, problem));
        }
    };
    table(variable, path, options)
}

/// All variables of a file.
///
/// # Errors
/// [`Error::Data`] if it is not a whole .mat file.
pub(crate) fn variables(bytes: &[u8], path: &Path) -> Result<Vec<Variable>> {
    if is_hdf5(bytes) { hdf5(bytes, path) } else { mat5::variables(bytes, path) }
}

/// A variable as a table; see [`parse`].
///
/// # Errors
/// [`Error::Data`] if it is no matrix.
pub(crate) fn table(variable: &Variable, path: &Path, options: &ReadOptions) -> Result<Table> {
    let name = &variable.name;
    if let Content::Other(what) = variable.content {
        let problem = format!(
            "`{name}` must be a real numeric matrix, but it is {what}, which is not read here"
        );
        return Err(Error::data(path, problem));
    }
    let &[rows, cols] = &variable.shape[..] else {
        let found = claim::words(&variable.shape);
        return Err(Error::data(
            path,
            format!("`{name}` must be a matrix, but it has shape {found}"),
        ));
    };
    let shape = (rows as usize, cols as usize);
    match &variable.content {
        Content::Sparse { starts, ids, values } => {
            let lists = Compressed { starts, ids, values, by_row: false };
            collect::compressed(path, options, shape, &lists)
        }
        Content::Dense(values) if Some(values.len()) == shape.0.checked_mul(shape.1) => {
            collect::dense(path, options, shape, |i, j| values[j * shape.0 + i])
        }
        _ => Err(Error::data(
            path,
            format!("`{name}` must have as many numbers as cells, but it has not"),
        )),
    }
}

/// MATLAB puts 512 bytes of its own before an HDF5 file.
fn is_hdf5(bytes: &[u8]) -> bool {
    let signature = b"\x89HDF\r\n\x1a\n";
    [0, 512].iter().any(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(signature)))
}

#[cfg(feature = "hdf5")]
use mat73::variables as hdf5;

#[cfg(not(feature = "hdf5"))]
fn hdf5(_: &[u8], path: &Path) -> Result<Vec<Variable>> {
    Err(Error::data(path, claim::without("MAT v7.3", "hdf5")))
}
