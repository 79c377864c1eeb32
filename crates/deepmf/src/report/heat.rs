//! Matrices as colours, and the bar that says what the colours mean.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use super::colour::{MISSING, diverging, sequential};
use super::figure::Axis;
use super::scale::{Range, Scale};
use crate::linalg::Mat;
use crate::{Error, Result};

/// More cells than this a side are shown as means of blocks.
const MOST_CELLS: usize = 1_024;

/// The colours of a matrix's values: from blue to red where there are both signs, else from dark to light.
pub(super) struct Shades {
    pub(super) scale: Scale,
    signed: bool,
}

impl Shades {
    /// The shades of what is finite in `matrix`; none if nothing is.
    pub(super) fn of(matrix: &Mat) -> Option<Self> {
        let mut range = Range::EMPTY;
        let (mut negative, mut positive) = (false, false);
        for &value in matrix.values().iter().filter(|x| x.abs() < 1e300) {
            range.include(value);
            (negative, positive) = (negative || value < 0.0, positive || value > 0.0);
        }
        if range.is_empty() {
            return None;
        }
        let signed = negative && positive;
        if signed {
            let mut other = Range::EMPTY;
            let (low, high) = Scale::over(&Axis::linear(""), range, 0.0).ends();
            let size = low.abs().max(high.abs());
            other.include(-size);
            other.include(size);
            range.merge(other);
        }
        Some(Self { scale: Scale::over(&Axis::linear(""), range, 0.0), signed })
    }

    fn at(&self, place: f64) -> [u8; 3] {
        let (r, g, b) = if self.signed { diverging(place) } else { sequential(place) };
        [r, g, b]
    }

    /// The bar as a `data:` address: the largest value on top.
    pub(super) fn bar(&self) -> Result<String> {
        let picture = RgbImage::from_fn(1, 128, |_, y| {
            image::Rgb(self.at(1.0 - (f64::from(y) + 0.5) / 128.0))
        });
        address(&picture)
    }

    /// `matrix` as a `data:` address: row 0 on top, what is not finite in grey.
    pub(super) fn picture(&self, matrix: &Mat) -> Result<String> {
        let step = |count: usize| count.div_ceil(MOST_CELLS).max(1);
        let (down, across) = (step(matrix.rows()), step(matrix.cols()));
        let side = |count: usize, step: usize| u32::try_from(count.div_ceil(step)).unwrap_or(0);
        let picture =
            RgbImage::from_fn(side(matrix.cols(), across), side(matrix.rows(), down), |x, y| {
                let mut sum = 0.0;
                let mut count = 0.0;
                let (i, j) = (y as usize * down, x as usize * across);
                for j in j..(j + across).min(matrix.cols()) {
                    for i in i..(i + down).min(matrix.rows()) {
                        let value = matrix[(i, j)];
                        if value.abs() < 1e300 {
                            sum += value;
                            count += 1.0;
                        }
                    }
                }
                let missing = [MISSING.0, MISSING.1, MISSING.2];
                image::Rgb(if count > 0.0 {
                    self.at(self.scale.place(sum / count))
                } else {
                    missing
                })
            });
        address(&picture)
    }
}

fn address(picture: &RgbImage) -> Result<String> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| Error::io("figure", "draw", std::io::Error::other(error.to_string())))?;
    Ok(format!("data:image/png;base64,{}", base64(bytes.get_ref())))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn zero_is_neutral_where_there_are_both_signs() {
        let shades = Shades::of(&Mat::from_columns(1, 3, vec![-1.0, f64::NAN, 3.0])).unwrap();
        assert_eq!(shades.scale.ends(), (-3.0, 3.0));
        assert_eq!(shades.at(shades.scale.place(0.0)), [0xf7, 0xf7, 0xf7]);
        assert!(Shades::of(&Mat::from_columns(1, 1, vec![f64::NAN])).is_none());
    }
}
