//! Text: one line a row or an entry, plain or compressed, from a file or standard input.

mod blank;
mod cell;
mod merge;
mod sniff;
mod source;
mod triplets;
mod wide;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use self::cell::Meaning;
use self::source::{Source, line_of};
use crate::data::{ReadOptions, Table};
use crate::{Error, Result};

/// Reads a wide table, or triplets where `options` choose them, from text in UTF-8.
///
/// # Errors
/// [`Error::Io`]; [`Error::Data`] with the place of what cannot be used.
pub(in crate::data) fn read(path: &Path, options: &ReadOptions) -> Result<Table> {
    parse(path, &content(path)?, options)
}

/// Reads the text `bytes`; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub(in crate::data) fn parse(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let problem =
            format!("a text must be UTF-8, but it has the byte 0x{:02x}", bytes[valid.len()]);
        Error::data_at(path, line_of(valid, valid.len()), 0, problem)
    })?;
    if let Some(found) = options.delimiter.filter(|d| !d.is_ascii() || b"\"\r\n".contains(d)) {
        let allowed = "an ASCII character other than a quote or a line end";
        return Err(Error::parameter("a delimiter", allowed, format!("byte {found}")));
    }
    let meaning = Meaning::new(options);
    let delimiter = match options.delimiter {
        Some(given) => given,
        None => sniff::delimiter(|delimiter| Source::new(path, text, delimiter), &meaning)?,
    };
    let source = Source::new(path, text, delimiter);
    let table = match &options.triplets {
        Some(triplets) => triplets::read(source, &meaning, triplets, options)?,
        None => wide::read(source, &meaning, options)?,
    };
    if table.entries.is_empty() {
        return Err(source.problem("a table must have an observed entry, but it has none"));
    }
    Ok(table)
}

/// What is in the file, unpacked if it is gzip: by content, so that standard input may be compressed too.
fn content(path: &Path) -> Result<Vec<u8>> {
    let failed = |source| Error::io(path, "read", source);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    } else {
        bytes = fs::read(path).map_err(failed)?;
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).map_err(|error| {
            Error::data(path, format!("a compressed text must be whole gzip, but it has: {error}"))
        })?;
        return Ok(plain);
    }
    Ok(bytes)
}
