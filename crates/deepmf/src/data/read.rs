//! The one door through which tables and arrays come in: the format by the name of the file.

use std::path::{Path, PathBuf};

use super::format;
use super::triplets::Triplets;
use super::{Duplicates, Table};
use crate::linalg::Mat;
use crate::{Error, Result};

/// How a file is to be read; what is `None` is found out from the file.
///
/// | field | default | what it does |
/// |---|---|---|
/// | `triplets` | none | reads one entry a line: row, column, value (text and Parquet) |
/// | `missing` | empty | further words that mean *missing*; `-999` also covers `-999.0` |
/// | `duplicates` | refuse | what a cell counts for that is given twice with different values |
/// | `header` | found out | whether the first line of a text holds names |
/// | `row_names` | found out | whether the first column of a wide table holds names |
/// | `delimiter` | found out | what separates the fields of a text; a space stands for any run of blanks, `:` for `::` |
/// | `variable` | the only one | which variable of a MAT or NPZ file |
/// | `mask` | none | an image that is black where the PNG is missing |
/// | `format` | by extension | the format of the file |
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Which fields hold the row, the column and the value of an entry; `None` reads a wide table.
    pub triplets: Option<Triplets>,
    /// Words that mean *missing*, beside the empty field, `NaN`, `NA`, `N/A` and `null`.
    pub missing: Vec<String>,
    /// What to do when one cell is given twice with different values.
    pub duplicates: Duplicates,
    /// Whether the first line holds names.
    pub header: Option<bool>,
    /// Whether the first column of a wide table holds the names of the rows.
    pub row_names: Option<bool>,
    /// What separates fields: a space stands for any run of blanks, `:` for the `::` of MovieLens.
    pub delimiter: Option<u8>,
    /// Which variable of a file that holds several (MAT, NPZ).
    pub variable: Option<String>,
    /// An image that says which pixels of a PNG are known.
    pub mask: Option<PathBuf>,
    /// The format, where the name of the file does not tell it.
    pub format: Option<Format>,
}

/// A file format that tables are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines of fields: CSV, TSV, blanks, `::`.
    Text,
    /// One array of `NumPy`.
    Npy,
    /// Several arrays of `NumPy`, or a sparse matrix of `SciPy`.
    Npz,
    /// MatrixMarket: coordinate or array.
    MatrixMarket,
    /// Apache Parquet.
    Parquet,
    /// MATLAB, version 5 or 7.3.
    Mat,
    /// A grey image.
    Png,
}

impl Format {
    /// Whether a line has fields, of which some may be the row, the column and the value of one entry.
    pub fn has_fields(self) -> bool {
        matches!(self, Self::Text | Self::Parquet)
    }

    /// The format that the extension of `path` tells; `.gz` is looked through; what is unknown is text.
    pub fn of(path: impl AsRef<Path>) -> Self {
        let extension =
            |path: &Path| path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let path = path.as_ref();
        let found = match extension(path) {
            Some(gz) if gz == "gz" => path.file_stem().and_then(|stem| extension(Path::new(stem))),
            other => other,
        };
        match found.as_deref() {
            Some("npy") => Self::Npy,
            Some("npz") => Self::Npz,
            Some("mtx") => Self::MatrixMarket,
            Some("parquet" | "pq") => Self::Parquet,
            Some("mat") => Self::Mat,
            Some("png") => Self::Png,
            _ => Self::Text,
        }
    }
}

/// Numbers with any number of axes; NaN where one is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The numbers, the last axis fastest.
    pub values: Vec<f64>,
}

/// Reads a table from `path` (`-` is standard input, as text), finding out what it can.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] with the place of what cannot be used,
/// and if nothing is observed.
pub fn read(path: impl AsRef<Path>) -> Result<Table> {
    read_with(path, &ReadOptions::default())
}

/// Reads a table from `path` as `options` say.
///
/// # Errors
/// As [`read`]; [`Error::Parameter`] for an option that the format does not have.
pub fn read_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Table> {
    let path = path.as_ref();
    let found = options.format.unwrap_or_else(|| Format::of(path));
    must_suit(found, options)?;
    format::read(found, path, options)
}

fn must_suit(found: Format, options: &ReadOptions) -> Result<()> {
    let refuse = |name: &str, allowed: &str| {
        Err(Error::parameter(name, allowed, format!("given with {found:?}")))
    };
    if options.mask.is_some() && found != Format::Png {
        return refuse("a mask image", "given with a PNG");
    }
    if options.variable.is_some() && !matches!(found, Format::Npz | Format::Mat) {
        return refuse("a variable", "given with NPZ or MAT");
    }
    if options.triplets.is_some() && !matches!(found, Format::Text | Format::Npz | Format::Parquet)
    {
        return refuse("triplets", "given with text, NPZ or Parquet");
    }
    Ok(())
}

/// Reads a matrix in which nothing is missing.
///
/// # Errors
/// As [`read`]; [`Error::Data`] names the first hole, if there is one.
pub fn read_dense(path: impl AsRef<Path>) -> Result<Mat> {
    let path = path.as_ref();
    let table = read(path)?;
    let (rows, cols) = table.entries.shape();
    // Counted before anything is allocated: a sparse file may claim any shape.
    if rows.checked_mul(cols) == Some(table.entries.len()) {
        return Ok(table.entries.to_dense());
    }
    let (row, col) = first_hole(&table);
    let problem = format!(
        "a matrix of {rows} x {cols} must be known everywhere, but row {}, column {} is missing",
        row + 1,
        col + 1
    );
    Err(Error::data(path, problem))
}

/// The first cell, row after row, that is not among the entries.
fn first_hole(table: &Table) -> (usize, usize) {
    let cols = table.entries.shape().1.max(1);
    let mut cells: Vec<(usize, usize)> = table.entries.iter().map(|(i, j, _)| (i, j)).collect();
    cells.sort_unstable();
    let full = cells.iter().enumerate().take_while(|(k, cell)| **cell == (k / cols, k % cols));
    let known = full.count();
    (known / cols, known % cols)
}

/// Reads numbers with any number of axes: NPY as it is, anything else as two axes, text of one column as one.
///
/// # Errors
/// As [`read`].
pub fn read_array(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    let found = Format::of(path);
    if found == Format::Npy {
        return format::npy::read_array(path);
    }
    let entries = read(path)?.entries;
    let (rows, cols) = entries.shape();
    let shape = if found == Format::Text && cols == 1 { vec![rows] } else { vec![rows, cols] };
    let size = rows.checked_mul(cols).filter(|&size| u32::try_from(size).is_ok());
    let Some(size) = size else {
        let problem = format!("an array must have at most 2^32 numbers, but it is {rows} x {cols}");
        return Err(Error::data(path, problem));
    };
    let mut values = vec![f64::NAN; size];
    for (i, j, value) in entries.iter() {
        values[i * cols + j] = value;
    }
    Ok(Array { shape, values })
}

/// All arrays of a .npz archive with their names, in the order of the numbers that the names end with, or as they stand there.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a whole archive of arrays of numbers.
pub fn read_arrays(path: impl AsRef<Path>) -> Result<Vec<(String, Array)>> {
    format::npz::read_arrays(path.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format_also_through_gz() {
        let cases = [
            ("a.csv", Format::Text),
            ("a.CSV.gz", Format::Text),
            ("-", Format::Text),
            ("u.data", Format::Text),
            ("a.npy.gz", Format::Npy),
            ("a.mtx", Format::MatrixMarket),
            ("A.PNG", Format::Png),
        ];
        for (name, format) in cases {
            assert_eq!(Format::of(name), format, "{name}");
        }
    }

    #[test]
    fn an_option_that_the_format_does_not_have_is_refused() {
        let options = ReadOptions { mask: Some("m.png".into()), ..ReadOptions::default() };
        assert_eq!(
            read_with("a.csv", &options).unwrap_err().to_string(),
            "a mask image must be given with a PNG, but it is given with Text"
        );
    }

    #[test]
    fn a_hole_in_a_dense_matrix_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "1,2\n3,\n5,6\n").unwrap();
        let message = read_dense(&path).unwrap_err().to_string();
        assert!(message.ends_with(
            "a matrix of 3 x 2 must be known everywhere, but row 2, column 2 is missing"
        ));
        let array = read_array(&path).unwrap();
        assert_eq!((array.shape, array.values[4]), (vec![3, 2], 5.0));
        std::fs::write(&path, "1\n2\n5\n").unwrap();
        let array = read_array(&path).unwrap();
        assert_eq!((array.shape, array.values), (vec![3], vec![1.0, 2.0, 5.0]));
        assert_eq!(read_dense(&path).unwrap().values(), [1.0, 2.0, 5.0]);
    }
}
