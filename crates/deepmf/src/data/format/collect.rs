//! From numbers to known entries: which are missing, and which must not be there.

use std::path::Path;

use crate::data::{Entries, ReadOptions, Shape, Table};
use crate::linalg::Mat;
use crate::{Error, Result};

/// Known entries of one matrix, as they come.
pub(super) struct Collector<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    missing: Vec<f64>,
    rows: Vec<u32>,
    cols: Vec<u32>,
    values: Vec<f64>,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub(super) fn new(path: &'a Path, options: &'a ReadOptions) -> Self {
        let missing = options.missing.iter().filter_map(|word| word.trim().parse().ok()).collect();
        Self { path, options, missing, rows: Vec::new(), cols: Vec::new(), values: Vec::new() }
    }

    /// Whether `value`, at a row and a column that count from 0, is known: neither NaN nor a number named as missing.
    ///
    /// # Errors
    /// [`Error::Data`] if it is infinite.
    pub(super) fn known(&self, row: usize, col: usize, value: f64) -> Result<bool> {
        if value.is_infinite() {
            let (row, col) = (row + 1, col + 1);
            let problem =
                format!("the value in row {row}, column {col} must be finite, but it is {value}");
            return Err(Error::data(self.path, problem));
        }
        Ok(!value.is_nan() && !self.missing.contains(&value))
    }

    /// Adds an entry, and says whether it is known.
    ///
    /// # Errors
    /// As [`Collector::known`].
    pub(super) fn push(&mut self, row: u32, col: u32, value: f64) -> Result<bool> {
        let known = self.known(row as usize, col as usize, value)?;
        if known {
            self.rows.push(row);
            self.cols.push(col);
            self.values.push(value);
        }
        Ok(known)
    }

    /// The entries, in the order in which they came, of a matrix of `shape`.
    ///
    /// # Errors
    /// [`Error::Data`] for an impossible shape, an id outside of it, or a cell that is given twice.
    pub(super) fn finish(self, shape: Shape) -> Result<Entries> {
        must_be_shape(self.path, shape)?;
        let duplicates = self.options.duplicates;
        Entries::merged(shape, self.rows, self.cols, self.values, duplicates)
            .map_err(|error| Error::data(self.path, error.to_string()))
    }
}

/// The table whose cell in row `i`, column `j` is `value(i, j)`, NaN where it is missing.
///
/// # Errors
/// [`Error::Data`] for an impossible shape or an infinity.
pub(super) fn dense(
    path: &Path,
    options: &ReadOptions,
    shape: Shape,
    value: impl Fn(usize, usize) -> f64,
) -> Result<Table> {
    must_be_shape(path, shape)?;
    let collector = Collector::new(path, options);
    let mut matrix = Mat::from_fn(shape.0, shape.1, value);
    for j in 0..shape.1 {
        for (i, value) in matrix.col_mut(j).iter_mut().enumerate() {
            if !collector.known(i, j, *value)? {
                *value = f64::NAN;
            }
        }
    }
    Ok(Table::new(Entries::from_dense(&matrix)?))
}

/// Columns of a sparse matrix as `jc` and `ir` give them; rows if `by_row`.
pub(super) struct Compressed<'a> {
    /// Where each column begins in the other lists, and where the last one ends; what follows is ignored.
    pub(super) starts: &'a [f64],
    /// The row of each entry.
    pub(super) ids: &'a [f64],
    /// The value of each entry.
    pub(super) values: &'a [f64],
    /// Whether rows and columns have changed places.
    pub(super) by_row: bool,
}

/// The known entries of a compressed sparse matrix of `shape`.
///
/// # Errors
/// [`Error::Data`] if the lists do not fit together.
pub(super) fn compressed(
    path: &Path,
    options: &ReadOptions,
    shape: Shape,
    lists: &Compressed<'_>,
) -> Result<Table> {
    must_be_shape(path, shape)?;
    let (major, minor) = if lists.by_row { shape } else { (shape.1, shape.0) };
    let most = lists.values.len().min(lists.ids.len()) as u64;
    let starts: Option<Vec<u64>> = lists.starts.iter().map(|&start| whole(start, most)).collect();
    let fits = |starts: &Vec<u64>| {
        starts.len() as u64 == major as u64 + 1 && starts[0] == 0 && starts.is_sorted()
    };
    let Some(starts) = starts.filter(fits) else {
        let problem =
            "the index lists of a sparse matrix must fit its shape and values, but they do not";
        return Err(Error::data(path, problem));
    };
    let mut collector = Collector::new(path, options);
    for line in 0..major {
        for e in starts[line] as usize..starts[line + 1] as usize {
            let id = id(path, "an index of a sparse matrix", lists.ids[e], minor)?;
            let (i, j) = if lists.by_row { (line as u32, id) } else { (id, line as u32) };
            collector.push(i, j, lists.values[e])?;
        }
    }
    Ok(Table::new(collector.finish(shape)?))
}

/// `found`, if it is a whole number from 0 to `most`.
#[expect(clippy::cast_sign_loss, reason = "it is not negative")]
fn whole(found: f64, most: u64) -> Option<u64> {
    (found >= 0.0 && found <= most as f64 && found.fract() == 0.0).then_some(found as u64)
}

/// An id that must be a whole number from 0 to below `bound`, which is at most 2^32.
///
/// # Errors
/// [`Error::Data`] if it is not.
pub(super) fn id(path: &Path, what: &str, found: f64, bound: usize) -> Result<u32> {
    match whole(found, bound as u64) {
        Some(id) if id < bound as u64 => Ok(id as u32),
        _ => {
            let problem =
                format!("{what} must be a whole number from 0 to below {bound}, but it is {found}");
            Err(Error::data(path, problem))
        }
    }
}

/// # Errors
/// [`Error::Data`] if a matrix of this shape is empty or too long for 32-bit ids.
pub(super) fn must_be_shape(path: &Path, shape: Shape) -> Result<()> {
    let most = u32::MAX as usize;
    if (1..=most).contains(&shape.0) && (1..=most).contains(&shape.1) {
        return Ok(());
    }
    let found = crate::data::words(shape);
    Err(Error::data(
        path,
        format!("a table must have 1 to {most} rows and columns, but it has shape {found}"),
    ))
}

/// Entries with a weight each.
///
/// # Errors
/// [`Error::Data`] if cells were given twice, so that it is unclear which weight counts, or a weight is impossible.
pub(super) fn weighted(path: &Path, entries: Entries, weights: Vec<f64>) -> Result<Entries> {
    entries.weighted(weights).map_err(|error| Error::data(path, error.to_string()))
}
