//! Binary PGM (grey) and PPM (colour) images of 8 or 16 bits, alone or one after another.

use std::path::Path;

use super::still::{MOST, Still};
use crate::{Error, Result};

/// The first image in `bytes`, and what follows it.
///
/// # Errors
/// [`Error::Data`] if there is no whole one.
pub(super) fn first<'a>(bytes: &'a [u8], path: &Path) -> Result<(Still, &'a [u8])> {
    let channels = match bytes {
        [b'P', b'5', ..] => 1,
        [b'P', b'6', ..] => 3,
        _ => {
            let problem = "an image must begin with P5 or P6 (binary PGM or PPM), but it does not";
            return Err(Error::data(path, problem));
        }
    };
    let mut rest = &bytes[2..];
    let mut number = |name: &str, most: usize| {
        let (found, after) = number(rest);
        rest = after;
        found.filter(|&value| (1..=most).contains(&value)).ok_or_else(|| {
            let found = found.map_or_else(|| "none".into(), |value| value.to_string());
            let problem =
                format!("the {name} of an image must be from 1 to {most}, but is {found}");
            Error::data(path, problem)
        })
    };
    let (width, height) = (number("width", MOST)?, number("height", MOST)?);
    let white = number("largest value", 65535)?;
    // One blank ends the header.
    let body = rest.get(1..).unwrap_or_default();
    let size = if white < 256 { 1 } else { 2 };
    let samples = width.saturating_mul(height).saturating_mul(channels);
    let length = samples.saturating_mul(size);
    if samples > MOST || body.len() < length {
        let problem = format!(
            "{length} bytes of pixels must follow the header of an image of {width} x {height}, \
             but {} follow: the file is truncated or damaged",
            body.len()
        );
        return Err(Error::data(path, problem));
    }
    let (pixels, rest) = body.split_at(length);
    let scaled = |sample: usize| (sample as f64 / white as f64).min(1.0);
    let values = match size {
        1 => pixels.iter().map(|&byte| scaled(byte.into())).collect(),
        _ => pixels
            .chunks(2)
            .map(|pair| scaled(usize::from(pair[0]) << 8 | usize::from(pair[1])))
            .collect(),
    };
    Ok((Still { height, width, channels, values }, rest))
}

/// The number that `bytes` begin with, after blanks and comments, and what follows it.
fn number(mut bytes: &[u8]) -> (Option<usize>, &[u8]) {
    loop {
        match bytes {
            [b'#', ..] => {
                let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
                bytes = &bytes[end..];
            }
            [blank, rest @ ..] if blank.is_ascii_whitespace() => bytes = rest,
            _ => break,
        }
    }
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    let text = std::str::from_utf8(digits).unwrap_or_default();
    (text.parse().ok(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_and_sixteen_bits_are_read_one_image_after_another() {
        let mut bytes = b"P5 2 1\n# a comment\n255\n".to_vec();
        bytes.extend([0, 51]);
        bytes.extend(b"P6\n1 1 65535\n");
        bytes.extend([0x33, 0x33, 0, 0, 0xff, 0xff]);
        let path = Path::new("a.pgm");
        let (grey, rest) = first(&bytes, path).unwrap();
        assert_eq!((grey.width, grey.height, grey.values), (2, 1, vec![0.0, 0.2]));
        let (colour, rest) = first(rest, path).unwrap();
        assert_eq!((colour.channels, colour.values, rest.len()), (3, vec![0.2, 0.0, 1.0], 0));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (bytes, end) in [
            (&b"P2 1 1 255 7"[..], "begin with P5 or P6 (binary PGM or PPM), but it does not"),
            (b"P5 2 2 255\n\0\0\0", "but 3 follow: the file is truncated or damaged"),
            (b"P5 2 2 255", "but 0 follow: the file is truncated or damaged"),
            (b"P5 2 2", "the largest value of an image must be from 1 to 65535, but is none"),
            (b"P5 0 2 255\n", "the width of an image must be from 1 to 268435456, but is 0"),
            (b"P5 268435456 268435456 255\n", "but 0 follow: the file is truncated or damaged"),
        ] {
            let message = first(bytes, Path::new("a.pgm")).unwrap_err().to_string();
            assert!(message.ends_with(end), "{message}");
        }
    }
}
