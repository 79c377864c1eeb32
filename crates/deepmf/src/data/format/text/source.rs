//! The lines of a text as records of fields, and the places of these for messages.

use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::blank::Plain;
use crate::{Error, Result};

/// The delimiter that stands for any run of blanks.
pub(super) const BLANKS: u8 = b' ';
/// The delimiter that stands for two colons.
pub(super) const COLONS: u8 = b':';

/// A text with its delimiter; records are read from it as often as needed.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    /// Where the data begins, after the byte order mark and the comments.
    start: usize,
    pub(super) delimiter: u8,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str, delimiter: u8) -> Self {
        Self { path, text, start: data_start(text), delimiter }
    }

    /// Records from the first on.
    pub(super) fn records(&self) -> Records<'a> {
        let text = data_end(&self.text[self.start..], self.delimiter);
        match self.delimiter {
            BLANKS | COLONS => Records::Plain(Plain::new(text, self.delimiter == COLONS)),
            delimiter => Records::Csv(Box::new(
                ReaderBuilder::new()
                    .delimiter(delimiter)
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(text.as_bytes()),
            )),
        }
    }

    /// The first `count` records, or all of them if there are fewer.
    pub(super) fn first(&self, count: usize) -> Result<Vec<StringRecord>> {
        let (mut records, mut record) = (self.records(), StringRecord::new());
        let mut first = Vec::new();
        while first.len() < count && records.read(self.path, &mut record)? {
            first.push(record.clone());
        }
        Ok(first)
    }

    /// Calls `visit` with the number, from 0, and the fields of each record.
    pub(super) fn each(
        &self,
        mut visit: impl FnMut(usize, &StringRecord) -> Result<()>,
    ) -> Result<()> {
        let (mut records, mut record) = (self.records(), StringRecord::new());
        let mut index = 0;
        while records.read(self.path, &mut record)? {
            visit(index, &record)?;
            index += 1;
        }
        Ok(())
    }

    /// An error at field `column` (from 1; 0 is the whole line) of record `index` (from 0).
    pub(super) fn error(&self, index: usize, column: usize, problem: impl Into<String>) -> Error {
        Error::data_at(self.path, self.line(index), column as u64, problem)
    }

    /// An error about the text as a whole.
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::data(self.path, problem)
    }

    /// That a record has another number of fields than those before it.
    pub(super) fn ragged(&self, index: usize, expected: usize, found: usize) -> Error {
        let fields = if expected == 1 { "field" } else { "fields" };
        self.error(index, 0, format!("a line must have {expected} {fields}, but it has {found}"))
    }

    /// The line, counted from 1, on which record `index` begins: read again, since only messages ask.
    pub(super) fn line(&self, index: usize) -> u64 {
        let (mut records, mut record) = (self.records(), StringRecord::new());
        for _ in 0..index {
            if !matches!(records.read(self.path, &mut record), Ok(true)) {
                break;
            }
        }
        let begin = self.start + records.offset();
        let skipped =
            self.text[begin..].len() - self.text[begin..].trim_start_matches(['\r', '\n']).len();
        line_of(self.text, begin + skipped)
    }
}

/// The line, counted from 1, of a byte of `text`.
pub(super) fn line_of(text: &str, byte: usize) -> u64 {
    let before = &text.as_bytes()[..byte];
    let ends = before.iter().enumerate().filter(|&(k, &b)| {
        b == b'\n' || (b == b'\r' && text.as_bytes().get(k + 1) != Some(&b'\n'))
    });
    ends.count() as u64 + 1
}

/// Where the data begins: after the byte order mark and the lines of comment at the top.
fn data_start(text: &str) -> usize {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        let line = rest.trim_start_matches(['\r', '\n']);
        if !line.starts_with('#') {
            return text.len() - rest.len();
        }
        rest = line.find(['\r', '\n']).map_or("", |end| &line[end..]);
    }
}

/// `text` without the lines of blanks at its end.
fn data_end(text: &str, delimiter: u8) -> &str {
    let mut rest = text;
    while let Some(begin) = rest.trim_end_matches(['\r', '\n']).rfind(['\r', '\n']) {
        let blank =
            |c: char| c == ' ' || (c == '\t' && delimiter != b'\t') || c == '\r' || c == '\n';
        let last = &rest[begin + 1..];
        if last.is_empty() || !last.chars().all(blank) {
            break;
        }
        rest = &rest[..=begin];
    }
    rest
}

/// What reads records: the `csv` crate where quotes and single delimiters are, our own for the rest.
pub(super) enum Records<'a> {
    Csv(Box<Reader<&'a [u8]>>),
    Plain(Plain<'a>),
}

impl Records<'_> {
    /// Reads the next record into `record`; false at the end.
    pub(super) fn read(&mut self, path: &Path, record: &mut StringRecord) -> Result<bool> {
        match self {
            Self::Csv(reader) => {
                reader.read_record(record).map_err(|error| Error::data(path, error.to_string()))
            }
            Self::Plain(plain) => Ok(plain.read(record)),
        }
    }

    /// Where the next record begins, in bytes from the start of the data.
    fn offset(&self) -> usize {
        match self {
            Self::Csv(reader) => reader.position().byte() as usize,
            Self::Plain(plain) => plain.offset(),
        }
    }
}
