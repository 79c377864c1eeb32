//! Variables of a MAT v5 file, as MATLAB up to version 7 and SciPy write them.
//!
//! Source: MATLAB's "MAT-File Format", chapter 1 (level 5 files).

use std::path::Path;

use flate2::read::ZlibDecoder;

use super::claim;
use super::mat::{Content, Variable};
use crate::{Error, Result};

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// How deep cells may lie in cells.
const DEEPEST: usize = 8;

/// Bytes of a file that remain to be read, and their order.
struct Source<'a> {
    rest: &'a [u8],
    big_endian: bool,
    path: &'a Path,
}

/// One element of the file: a type and what it holds.
struct Element<'a> {
    kind: u32,
    body: &'a [u8],
}

/// All variables; the elements of cells are variables of their own.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn variables(bytes: &[u8], path: &Path) -> Result<Vec<Variable>> {
    let big_endian = match bytes.get(124..128) {
        Some([0, 1, b'I', b'M']) => false,
        Some([1, 0, b'M', b'I']) => true,
        _ => {
            let problem = "a .mat file must be of version 5 or 7.3, but this one is neither";
            return Err(Error::data(path, problem));
        }
    };
    let mut source = Source { rest: &bytes[128..], big_endian, path };
    let mut found = Vec::new();
    // What the file can hold at most, so that it cannot unpack to ever more.
    let mut budget = claim::inflated(bytes.len());
    while !source.rest.is_empty() {
        let element = source.element(0)?;
        if element.kind != COMPRESSED {
            source.variable(&element, None, 0, &mut found)?;
            continue;
        }
        let unpacked = claim::inflate(path, ZlibDecoder::new(element.body), element.body.len())?;
        budget = budget
            .checked_sub(unpacked.len() as u64)
            .ok_or_else(|| source.damaged("packed variables"))?;
        let mut inner = Source { rest: &unpacked, ..source };
        let element = inner.element(0)?;
        inner.variable(&element, None, 0, &mut found)?;
    }
    Ok(found)
}

impl<'a> Source<'a> {
    fn damaged(&self, what: &str) -> Error {
        let problem = format!("{what} must be whole, but the file is truncated or damaged");
        Error::data(self.path, problem)
    }

    fn number(&self, bytes: &[u8]) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[..4]);
        if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    /// The next element, which must not be of another type than `kind` if that is not 0.
    fn element(&mut self, kind: u32) -> Result<Element<'a>> {
        if self.rest.len() < 8 {
            return Err(self.damaged("an element"));
        }
        let (first, second) = (self.number(self.rest), self.number(&self.rest[4..]));
        // Up to four bytes may be stored in the place of their length.
        let (found, length, start) = if first >> 16 == 0 {
            (first, second as usize, 8)
        } else {
            (first & 0xffff, (first >> 16) as usize, 4)
        };
        let end = start + length;
        if end > self.rest.len() || (start == 4 && length > 4) {
            return Err(self.damaged("an element"));
        }
        if kind != 0 && found != kind {
            return Err(self.damaged("the parts of a variable"));
        }
        let element = Element { kind: found, body: &self.rest[start..end] };
        // Elements begin at multiples of 8, except after packed ones.
        let next = if found == COMPRESSED { end } else { end.next_multiple_of(8) };
        self.rest = &self.rest[next.min(self.rest.len())..];
        Ok(element)
    }

    /// Adds the variable in `element`, called `name` if it is part of another.
    fn variable(
        &self,
        element: &Element<'_>,
        name: Option<String>,
        depth: usize,
        found: &mut Vec<Variable>,
    ) -> Result<()> {
        if element.kind != MATRIX {
            return Err(self.damaged("a variable"));
        }
        let mut parts = Source { rest: element.body, ..*self };
        if element.body.is_empty() {
            let name = name.unwrap_or_default();
            found.push(Variable { name, shape: vec![0, 0], content: Content::Dense(Vec::new()) });
            return Ok(());
        }
        let flags = parts.element(6)?;
        if flags.body.len() != 8 {
            return Err(self.damaged("the flags of a variable"));
        }
        let flags = self.number(flags.body);
        let axes = parts.element(5)?;
        let shape: Vec<u64> =
            axes.body.chunks_exact(4).map(|axis| u64::from(self.number(axis))).collect();
        let own = parts.element(1)?;
        let name = name.unwrap_or_else(|| String::from_utf8_lossy(own.body).into_owned());
        let (class, complex) = (flags & 0xff, flags & 0x800 != 0);
        if class == 1 {
            return parts.cells(&name, &shape, depth, found);
        }
        let content = match class {
            5..=15 if complex => Content::Other("complex"),
            5 => {
                let (ids, starts) = (parts.numbers()?, parts.numbers()?);
                Content::Sparse { starts, ids, values: parts.numbers()? }
            }
            6..=15 => {
                let values = parts.numbers()?;
                let cells = claim::cells(self.path, &shape, 1, values.len() as u64)?;
                if cells != values.len() {
                    return Err(self.damaged(&format!("the numbers of `{name}`")));
                }
                Content::Dense(values)
            }
            2 => Content::Other("a struct"),
            4 => Content::Other("text"),
            _ => Content::Other("an object"),
        };
        found.push(Variable { name, shape, content });
        Ok(())
    }

    fn cells(
        &mut self,
        name: &str,
        shape: &[u64],
        depth: usize,
        found: &mut Vec<Variable>,
    ) -> Result<()> {
        if depth == DEEPEST {
            return Err(self.damaged(&format!("`{name}`, {DEEPEST} cells deep,")));
        }
        // Each element has a tag of 8 bytes.
        let count = claim::cells(self.path, shape, 8, self.rest.len() as u64)?;
        let (name_of, shape) = (name.to_owned(), shape.to_vec());
        found.push(Variable {
            name: name_of,
            shape,
            content: Content::Other("a cell array; its elements have names"),
        });
        for k in 1..=count {
            let element = self.element(MATRIX)?;
            self.variable(&element, Some(format!("{name}{{{k}}}")), depth + 1, found)?;
        }
        Ok(())
    }

    /// The numbers of the next element, of any type that MATLAB stores them in.
    fn numbers(&mut self) -> Result<Vec<f64>> {
        let Element { kind, body } = self.element(0)?;
        macro_rules! decode {
            ($number:ty, $convert:expr) => {{
                let (chunks, rest) = body.as_chunks::<{ size_of::<$number>() }>();
                if !rest.is_empty() {
                    return Err(self.damaged("the numbers of a variable"));
                }
                let decode = if self.big_endian {
                    <$number>::from_be_bytes
                } else {
                    <$number>::from_le_bytes
                };
                chunks.iter().map(|&chunk| $convert(decode(chunk))).collect()
            }};
        }
        Ok(match kind {
            1 => decode!(i8, f64::from),
            2 => decode!(u8, f64::from),
            3 => decode!(i16, f64::from),
            4 => decode!(u16, f64::from),
            5 => decode!(i32, f64::from),
            6 => decode!(u32, f64::from),
            7 => decode!(f32, f64::from),
            9 => decode!(f64, |x: f64| x),
            12 => decode!(i64, |x: i64| x as f64),
            13 => decode!(u64, |x: u64| x as f64),
            _ => return Err(self.damaged("the numbers of a variable")),
        })
    }
}
