//! NumPy's .npy files: one array of numbers, of any byte order and layout.
//!
//! The header is read here and not by a library, so that a hostile one (nested a thousand deep, with a product of
//! axes beyond 64 bits) costs nothing.

use std::path::Path;

use super::{claim, collect};
use crate::data::{Array, Entries, ReadOptions, Table};
use crate::linalg::Mat;
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";

/// The header of an array, and what follows it.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    /// Type and bytes of a number as in the header, for example `f8`.
    pub(super) kind: String,
    /// The claimed shape.
    pub(super) shape: Vec<u64>,
    /// All that follows the header.
    pub(super) body: &'a [u8],
    big_endian: bool,
    fortran: bool,
}

/// The array at `path`; its values must be finite.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a whole .npy file of finite real numbers.
pub(crate) fn read_array(path: &Path) -> Result<Array> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    let array = array(&bytes, path)?;
    match array.values.iter().position(|v| !v.is_finite()) {
        None => Ok(array),
        Some(place) => {
            let found = array.values[place];
            Err(Error::data(path, format!("value {} must be finite, but it is {found}", place + 1)))
        }
    }
}

/// The array in `bytes` with whole numbers of 8 or 16 bits divided by the largest that their type holds.
///
/// # Errors
/// [`Error::Data`].
pub(in crate::data) fn samples(bytes: &[u8], path: &Path) -> Result<Array> {
    let white = match raw(bytes, path)?.kind.as_str() {
        "u1" => f64::from(u8::MAX),
        "u2" => f64::from(u16::MAX),
        _ => 1.0,
    };
    let mut array = array(bytes, path)?;
    array.values.iter_mut().for_each(|value| *value /= white);
    Ok(array)
}

/// The table in `bytes`: an array with two axes, or one axis for a single column.
///
/// # Errors
/// [`Error::Data`].
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    table(&array(bytes, path)?, path, options)
}

/// The table that an array with one or two axes holds.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn table(array: &Array, path: &Path, options: &ReadOptions) -> Result<Table> {
    let shape = match array.shape[..] {
        [rows] => (rows, 1),
        [rows, cols] => (rows, cols),
        _ => {
            let axes = array.shape.len();
            return Err(Error::data(
                path,
                format!("a table must have 1 or 2 axes, but the array has {axes}"),
            ));
        }
    };
    collect::dense(path, options, shape, |i, j| array.values[i * shape.1 + j])
}

/// The array in `bytes`.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn array(bytes: &[u8], path: &Path) -> Result<Array> {
    let raw = raw(bytes, path)?;
    let Some(size) = size(&raw.kind) else {
        let problem = format!("an array must hold real numbers, but its type is `{}`", raw.kind);
        return Err(Error::data(path, problem));
    };
    let cells = claim::cells(path, &raw.shape, size as u64, raw.body.len() as u64)?;
    if cells * size != raw.body.len() {
        let (expected, found) = (cells * size, raw.body.len());
        let problem =
            format!("{expected} bytes of numbers must follow the header, but {found} follow");
        return Err(Error::data(path, problem));
    }
    let shape: Vec<usize> = raw.shape.iter().map(|&axis| axis as usize).collect();
    let stored = numbers(&raw.kind, raw.big_endian, raw.body);
    let values = if raw.fortran && shape.len() > 1 { row_major(&stored, &shape) } else { stored };
    Ok(Array { shape, values })
}

/// Splits an array into its header and what follows it.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn raw<'a>(bytes: &'a [u8], path: &Path) -> Result<Raw<'a>> {
    let damaged =
        |what: &str| Error::data(path, format!("{what}: the file is truncated or damaged"));
    if !bytes.starts_with(MAGIC) {
        let problem = "a .npy file must begin with \\x93NUMPY, but this one does not";
        return Err(Error::data(path, problem));
    }
    let (length, start) = match bytes[MAGIC.len()..] {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 10_usize),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        [] | [1..=3, ..] => return Err(damaged("the header must be whole, but it ends too soon")),
        [version, ..] => {
            let problem =
                format!("the version of a .npy file must be 1, 2 or 3, but it is {version}");
            return Err(Error::data(path, problem));
        }
    };
    let header = bytes
        .get(start..start.saturating_add(length))
        .and_then(|header| std::str::from_utf8(header).ok());
    let header = header.ok_or_else(|| {
        damaged(&format!("the header must be {length} bytes of text, but it is not"))
    })?;
    let parsed = (|| {
        let descr = after(header, "descr")?.strip_prefix('\'')?.split('\'').next()?;
        let fortran = after(header, "fortran_order")?.starts_with("True");
        let shape = after(header, "shape")?.strip_prefix('(')?.split(')').next()?;
        let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty());
        let shape = axes.map(|axis| axis.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let kind = descr.trim_start_matches(['<', '>', '|', '=']).to_owned();
        let body = &bytes[start + length..];
        Some(Raw { kind, shape, body, big_endian: descr.starts_with('>'), fortran })
    })();
    parsed.ok_or_else(|| {
        let problem = "the header must name a simple type, an order and a shape, but it does not";
        Error::data(path, problem)
    })
}

/// What follows `'key':` in a Python dictionary.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// Bytes of one number of a kind that is read here.
fn size(kind: &str) -> Option<usize> {
    match kind {
        "b1" | "i1" | "u1" => Some(1),
        "f2" | "i2" | "u2" => Some(2),
        "f4" | "i4" | "u4" => Some(4),
        "f8" | "i8" | "u8" => Some(8),
        _ => None,
    }
}

/// The numbers in `body`, of a kind that has a size.
fn numbers(kind: &str, big_endian: bool, body: &[u8]) -> Vec<f64> {
    macro_rules! decode {
        ($number:ty, $convert:expr) => {{
            let (chunks, _) = body.as_chunks::<{ size_of::<$number>() }>();
            let decode =
                if big_endian { <$number>::from_be_bytes } else { <$number>::from_le_bytes };
            chunks.iter().map(|&chunk| $convert(decode(chunk))).collect()
        }};
    }
    match kind {
        "f8" => decode!(f64, |x: f64| x),
        "f4" => decode!(f32, f64::from),
        "f2" => decode!(u16, half),
        "i8" => decode!(i64, |x: i64| x as f64),
        "u8" => decode!(u64, |x: u64| x as f64),
        "i4" => decode!(i32, f64::from),
        "u4" => decode!(u32, f64::from),
        "i2" => decode!(i16, f64::from),
        "u2" => decode!(u16, f64::from),
        "i1" => decode!(i8, f64::from),
        "b1" => body.iter().map(|&byte| f64::from(u8::from(byte != 0))).collect(),
        _ => body.iter().map(|&byte| f64::from(byte)).collect(),
    }
}

/// The number that the 16 bits of an IEEE 754 half stand for.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Values stored with the first axis fastest, with the last axis fastest.
fn row_major(stored: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut place = vec![0; shape.len()];
    let mut values = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() {
        values.push(stored[place.iter().zip(shape).rev().fold(0, |at, (&i, &n)| at * n + i)]);
        for (i, &n) in place.iter_mut().zip(shape).rev() {
            *i = (*i + 1) % n;
            if *i > 0 {
                break;
            }
        }
    }
    values
}

/// `matrix` as a .npy file, row after row.
pub(crate) fn bytes(matrix: &Mat) -> Vec<u8> {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    let by_row = (0..rows).flat_map(|i| (0..cols).map(move |j| matrix[(i, j)]));
    array_bytes(&[rows, cols], by_row)
}

/// An array of two or more axes as a .npy file; `values` has the last axis fastest.
pub(in crate::data) fn array_bytes(shape: &[usize], values: impl Iterator<Item = f64>) -> Vec<u8> {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let axes = axes.join(", ");
    let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({axes}), }}");
    // NumPy wants the numbers to begin at a multiple of 64 bytes, after a line break.
    let length = (text.len() + 11).next_multiple_of(64) - 10;
    let mut bytes = Vec::with_capacity(10 + length + 8 * shape.iter().product::<usize>());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&(length as u16).to_le_bytes());
    bytes.extend_from_slice(format!("{text:<width$}\n", width = length - 1).as_bytes());
    bytes.extend(values.flat_map(f64::to_le_bytes));
    bytes
}

/// `entries` as a .npy file, NaN where nothing is known.
pub(crate) fn entries_bytes(entries: &Entries) -> Vec<u8> {
    bytes(&entries.to_dense())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/good").join(name)
    }

    #[test]
    fn an_array_of_three_axes_has_its_last_axis_fastest() {
        let array = read_array(&good("three-axes.npy")).unwrap();
        assert_eq!(array.shape, [2, 3, 4]);
        assert_eq!(array.values, (0..24).map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn an_array_must_be_finite() {
        let error = read_array(&good("c.npy")).unwrap_err().to_string();
        assert!(error.ends_with("c.npy: value 6 must be finite, but it is NaN"), "{error}");
    }

    #[test]
    fn what_is_written_is_read_again_and_is_what_numpy_writes() {
        let bytes_of_numpy = std::fs::read(good("c.npy")).unwrap();
        let path = Path::new("c.npy");
        let table = parse(&bytes_of_numpy, path, &ReadOptions::default()).unwrap();
        assert_eq!(entries_bytes(&table.entries), bytes_of_numpy);
    }

    #[test]
    fn halves_are_exact() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 2f64.powi(-24)), (0x7bff, 65504.0)]
        {
            assert_eq!(half(bits).to_bits(), f64::to_bits(value));
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
