//! NumPy's .npz archives: one dense array, a SciPy sparse matrix, or three lists of triplets.

use std::io::Cursor;
use std::path::Path;

use zip::ZipArchive;

use super::collect::{self, Collector, Compressed};
use super::{claim, npy};
use crate::data::{Array, Field, ReadOptions, Table};
use crate::{Error, Result};

/// The arrays of one archive, read one at a time.
struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
    length: usize,
    path: &'a Path,
}

/// The table in `bytes`.
///
/// # Errors
/// [`Error::Data`].
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    let mut archive = Archive::open(bytes, path)?;
    if let Some(name) = &options.variable {
        return npy::table(&archive.array(name)?, path, options);
    }
    if archive.has(&["format", "data", "shape"]) {
        return sparse(&mut archive, options);
    }
    if let Some(fields) = &options.triplets {
        let Some(value) = &fields.value else {
            let problem = "the triplets of an archive must name a value, but they name none";
            return Err(Error::data(path, problem));
        };
        let lists = [&fields.row, &fields.col, value].map(|field| archive.name(field));
        let weight = fields.weight.as_ref().map(|field| archive.name(field)).transpose()?;
        let [row, col, value] = lists;
        return triplets(&mut archive, options, &[row?, col?, value?], weight.as_deref());
    }
    if archive.has(&["rows", "cols", "values"]) {
        return triplets(
            &mut archive,
            options,
            &["rows", "cols", "values"].map(String::from),
            None,
        );
    }
    match &archive.names.clone()[..] {
        [name] => npy::table(&archive.array(name)?, path, options),
        [] => Err(Error::data(path, "the archive must hold an array, but it holds none")),
        names => {
            let problem = format!(
                "the archive must hold one array, or its name must be given, but it holds {}",
                names.join(", ")
            );
            Err(Error::data(path, problem))
        }
    }
}

/// Whether an archive holds a matrix of which not every cell is stored.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is no archive.
pub(crate) fn is_sparse(path: &Path) -> Result<bool> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    let archive = Archive::open(&bytes, path)?;
    Ok(archive.has(&["format", "data", "shape"]) || archive.has(&["rows", "cols", "values"]))
}

/// All arrays of an archive with their names, in the order of the numbers that the names end with, or as they stand there.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a whole archive of arrays.
pub(crate) fn read_arrays(path: &Path) -> Result<Vec<(String, Array)>> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    let mut archive = Archive::open(&bytes, path)?;
    let mut names = archive.names.clone();
    let number = |name: &String| {
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        name[name.len() - digits..].parse::<u64>().ok()
    };
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(number);
    }
    names.into_iter().map(|name| Ok((name.clone(), archive.array(&name)?))).collect()
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8], path: &'a Path) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            Error::data(
                path,
                format!("a .npz file must be a whole zip archive, but it is not: {error}"),
            )
        })?;
        let names =
            zip.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned()));
        Ok(Self { names: names.collect(), zip, length: bytes.len(), path })
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.names.iter().any(|found| found == name))
    }

    /// The name of the array that `field` points to.
    fn name(&self, field: &Field) -> Result<String> {
        let found = match field {
            Field::Name(name) => Some(name),
            Field::Place(place) => place.checked_sub(1).and_then(|place| self.names.get(place)),
        };
        found.cloned().ok_or_else(|| {
            let problem =
                format!("there must be an array for {field:?}, but there are {}", self.names.len());
            Error::data(self.path, problem)
        })
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>> {
        if !self.has(&[name]) {
            let problem =
                format!("there must be an array `{name}`, but there are {}", self.names.join(", "));
            return Err(Error::data(self.path, problem));
        }
        let file = self.zip.by_name(&format!("{name}.npy")).map_err(|error| {
            Error::data(
                self.path,
                format!("the array `{name}` must be readable, but it is not: {error}"),
            )
        })?;
        claim::inflate(self.path, file, self.length)
    }

    fn array(&mut self, name: &str) -> Result<Array> {
        let bytes = self.bytes(name)?;
        npy::array(&bytes, &self.path.join(name))
    }

    /// A list, which may have one axis only.
    fn list(&mut self, name: &str) -> Result<Vec<f64>> {
        let array = self.array(name)?;
        if array.shape.len() == 1 {
            return Ok(array.values);
        }
        let axes = array.shape.len();
        Err(Error::data(
            self.path,
            format!("the array `{name}` must have 1 axis, but it has {axes}"),
        ))
    }

    /// The array `shape`: rows and columns.
    fn shape(&mut self) -> Result<(usize, usize)> {
        match self.list("shape")?[..] {
            [rows, cols] => {
                let most = u32::MAX as usize;
                let axis = |found| collect::id(self.path, "an axis in `shape`", found, most);
                Ok((axis(rows)? as usize, axis(cols)? as usize))
            }
            ref axes => {
                let problem =
                    format!("a sparse matrix must have 2 axes, but it has {}", axes.len());
                Err(Error::data(self.path, problem))
            }
        }
    }
}

/// A matrix as `scipy.sparse.save_npz` writes it; what it stores is known, zeros too, and the rest is missing.
fn sparse(archive: &mut Archive<'_>, options: &ReadOptions) -> Result<Table> {
    let path = archive.path;
    let bytes = archive.bytes("format")?;
    let format = String::from_utf8_lossy(npy::raw(&bytes, path)?.body).replace('\0', "");
    if !["csr", "csc", "coo"].contains(&format.as_str()) {
        let problem =
            format!("a sparse matrix must be in csr, csc or coo format, but it is in {format:?}");
        return Err(Error::data(path, problem));
    }
    let shape = archive.shape()?;
    let values = archive.list("data")?;
    if format == "coo" {
        let (rows, cols) = (archive.list("row")?, archive.list("col")?);
        return lists(path, options, [&rows, &cols, &values], Some(shape), None);
    }
    let (ids, starts) = (archive.list("indices")?, archive.list("indptr")?);
    let by_row = format == "csr";
    let compressed = Compressed { starts: &starts, ids: &ids, values: &values, by_row };
    collect::compressed(path, options, shape, &compressed)
}

fn triplets(
    archive: &mut Archive<'_>,
    options: &ReadOptions,
    names: &[String; 3],
    weight: Option<&str>,
) -> Result<Table> {
    let [rows, cols] = [archive.list(&names[0])?, archive.list(&names[1])?];
    let values = archive.list(&names[2])?;
    let shape = if archive.has(&["shape"]) { Some(archive.shape()?) } else { None };
    let weights = weight.map(|name| archive.list(name)).transpose()?;
    lists(archive.path, options, [&rows, &cols, &values], shape, weights.as_deref())
}

/// Ids count from 0; without a shape, it is just large enough.
fn lists(
    path: &Path,
    options: &ReadOptions,
    [rows, cols, values]: [&[f64]; 3],
    shape: Option<(usize, usize)>,
    weights: Option<&[f64]>,
) -> Result<Table> {
    let lengths = [rows.len(), cols.len(), weights.map_or(values.len(), <[f64]>::len)];
    if lengths.iter().any(|&length| length != values.len()) {
        let problem = format!(
            "rows, columns and values must be equally many, but there are {lengths:?} for {} values",
            values.len()
        );
        return Err(Error::data(path, problem));
    }
    let most = u32::MAX as usize;
    let bound = shape.unwrap_or((most, most));
    let mut collector = Collector::new(path, options);
    let (mut found, mut kept) = ((0, 0), Vec::new());
    for (e, &value) in values.iter().enumerate() {
        let i = collect::id(path, "a row id", rows[e], bound.0)?;
        let j = collect::id(path, "a column id", cols[e], bound.1)?;
        found = (found.0.max(i as usize + 1), found.1.max(j as usize + 1));
        if collector.push(i, j, value)? {
            kept.extend(weights.map(|weights| weights[e]));
        }
    }
    let entries = collector.finish(shape.unwrap_or(found))?;
    Ok(Table::new(if weights.is_some() {
        collect::weighted(path, entries, kept)?
    } else {
        entries
    }))
}
