//! MatrixMarket text files, gzipped or not: coordinate and array layout, with their symmetries.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::claim;
use super::collect::{self, Collector};
use crate::data::{ReadOptions, Table};
use crate::{Error, Result};

/// The longest line that is read, in bytes.
const LONGEST: u64 = 1 << 16;

/// Which half of a matrix the file leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    General,
    Symmetric,
    Skew,
}

/// What the first two lines say.
struct Header {
    coordinate: bool,
    pattern: bool,
    symmetry: Symmetry,
    /// Rows, columns and, in coordinate layout, entries.
    sizes: Vec<u64>,
}

/// Lines with their numbers, without comments and empty ones.
struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    number: u64,
    text: String,
    path: &'a Path,
    options: &'a ReadOptions,
}

/// The table in `bytes`. Entries that a coordinate file does not name are missing; a pattern is made of ones.
///
/// # Errors
/// [`Error::Data`] with the line.
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn BufRead> =
        if packed { Box::new(BufReader::new(MultiGzDecoder::new(bytes))) } else { Box::new(bytes) };
    let most = if packed { claim::inflated(bytes.len()) } else { bytes.len() as u64 };
    let mut lines = Lines { reader, number: 0, text: String::new(), path, options };
    let header = lines.header()?;
    let shape = (header.sizes[0] as usize, header.sizes[1] as usize);
    collect::must_be_shape(path, shape)?;
    if header.symmetry != Symmetry::General && shape.0 != shape.1 {
        let found = crate::data::words(shape);
        return Err(
            lines.error(0, format!("a symmetric matrix must be square, but it has shape {found}"))
        );
    }
    let mut collector = Collector::new(path, options);
    if header.coordinate {
        lines.coordinates(&header, most, &mut collector)?;
    } else {
        // A number and its line break take two bytes; a symmetric file leaves out less than half of them and a diagonal.
        let [rows, cols] = [header.sizes[0], header.sizes[1]];
        let least = if header.symmetry == Symmetry::General {
            rows
        } else {
            rows.saturating_sub(1).div_ceil(2)
        };
        claim::cells(path, &[least, cols], 2, most)?;
        lines.columns(&header, &mut collector)?;
    }
    if lines.next()? {
        return Err(lines.error(0, "the file must end after its last entry, but it goes on"));
    }
    Ok(Table::new(collector.finish(shape)?))
}

impl Lines<'_> {
    fn error(&self, column: u64, problem: impl Into<String>) -> Error {
        Error::data_at(self.path, self.number, column, problem)
    }

    /// Goes to the next line; false at the end.
    fn raw(&mut self) -> Result<bool> {
        self.text.clear();
        self.number += 1;
        let read = self.reader.by_ref().take(LONGEST).read_line(&mut self.text);
        match read {
            Ok(length) if length as u64 == LONGEST => Err(self
                .error(0, format!("a line must be shorter than {LONGEST} bytes, but it is not"))),
            Ok(length) => Ok(length > 0),
            Err(error) => {
                Err(self.error(0, format!("the line must be text, but it is not: {error}")))
            }
        }
    }

    /// Goes to the next line that is neither comment nor empty; false at the end.
    fn next(&mut self) -> Result<bool> {
        while self.raw()? {
            if !self.text.starts_with('%') && !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn header(&mut self) -> Result<Header> {
        self.raw()?;
        let text = self.text.to_ascii_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let ["%%matrixmarket", "matrix", layout @ ("coordinate" | "array"), kind, symmetry] =
            words[..]
        else {
            let problem = "the file must begin with `%%MatrixMarket matrix coordinate|array …`, but it does not";
            return Err(self.error(0, problem));
        };
        let coordinate = layout == "coordinate";
        let pattern = kind == "pattern" && coordinate;
        if !pattern && !["real", "double", "integer"].contains(&kind) {
            return Err(self.error(
                0,
                format!("the numbers must be real, integer or pattern, but they are {kind}"),
            ));
        }
        let symmetry = match symmetry {
            "general" => Symmetry::General,
            "symmetric" => Symmetry::Symmetric,
            "skew-symmetric" => Symmetry::Skew,
            _ => {
                let problem = format!(
                    "a matrix must be general, symmetric or skew-symmetric, but it is {symmetry}"
                );
                return Err(self.error(0, problem));
            }
        };
        self.next()?;
        let sizes: Option<Vec<u64>> =
            self.text.split_whitespace().map(|word| word.parse().ok()).collect();
        let expected = if coordinate { 3 } else { 2 };
        match sizes.filter(|sizes| sizes.len() == expected) {
            Some(sizes) => Ok(Header { coordinate, pattern, symmetry, sizes }),
            None => Err(self.error(
                0,
                format!("the line of sizes must have {expected} whole numbers, but it has not"),
            )),
        }
    }

    fn value(&self, column: u64, word: &str) -> Result<f64> {
        if self.options.missing.iter().any(|missing| missing == word) {
            return Ok(f64::NAN);
        }
        let value = word.parse().ok().filter(|value: &f64| !value.is_infinite());
        value.ok_or_else(|| {
            self.error(column, format!("a value must be a finite number, but it is `{word}`"))
        })
    }

    fn id(&self, column: u64, word: &str, bound: u64) -> Result<u32> {
        match word.parse::<u64>() {
            Ok(id) if (1..=bound).contains(&id) => Ok((id - 1) as u32),
            _ => {
                let what = if column == 1 { "row" } else { "column" };
                Err(self.error(
                    column,
                    format!("a {what} must be from 1 to {bound}, but it is `{word}`"),
                ))
            }
        }
    }

    fn coordinates(
        &mut self,
        header: &Header,
        most: u64,
        collector: &mut Collector<'_>,
    ) -> Result<()> {
        let count = header.sizes[2];
        // An entry is at least two digits with what separates them.
        if count > most / 3 {
            let problem = format!(
                "{count} entries must fit in the {most} bytes that can be there, but they do not"
            );
            return Err(self.error(3, problem));
        }
        let expected = if header.pattern { 2 } else { 3 };
        for found in 0..count {
            if !self.next()? {
                return Err(self.error(
                    0,
                    format!("{count} entries must follow the sizes, but {found} follow"),
                ));
            }
            let words: Vec<&str> = self.text.split_whitespace().collect();
            if words.len() != expected {
                return Err(self.error(
                    0,
                    format!("an entry must have {expected} fields, but it has {}", words.len()),
                ));
            }
            let i = self.id(1, words[0], header.sizes[0])?;
            let j = self.id(2, words[1], header.sizes[1])?;
            let value = if header.pattern { 1.0 } else { self.value(3, words[2])? };
            self.push(header.symmetry, i, j, value, collector)?;
        }
        Ok(())
    }

    fn columns(&mut self, header: &Header, collector: &mut Collector<'_>) -> Result<()> {
        for j in 0..header.sizes[1] as u32 {
            let first = match header.symmetry {
                Symmetry::General => 0,
                Symmetry::Symmetric => j,
                Symmetry::Skew => j + 1,
            };
            if header.symmetry == Symmetry::Skew {
                collector.push(j, j, 0.0)?;
            }
            for i in first..header.sizes[0] as u32 {
                if !self.next()? {
                    let problem = format!(
                        "a value for row {}, column {} must follow, but none does",
                        i + 1,
                        j + 1
                    );
                    return Err(self.error(0, problem));
                }
                let value = self.value(1, self.text.trim())?;
                self.push(header.symmetry, i, j, value, collector)?;
            }
        }
        Ok(())
    }

    fn push(
        &self,
        symmetry: Symmetry,
        i: u32,
        j: u32,
        value: f64,
        to: &mut Collector<'_>,
    ) -> Result<()> {
        if symmetry == Symmetry::Skew && i == j && value != 0.0 {
            return Err(self.error(
                3,
                format!("the diagonal of a skew-symmetric matrix must be 0, but it is {value}"),
            ));
        }
        to.push(i, j, value)?;
        match symmetry {
            Symmetry::Symmetric if i != j => to.push(j, i, value)?,
            Symmetry::Skew if i != j => to.push(j, i, -value)?,
            _ => true,
        };
        Ok(())
    }
}
