//! PNG images as grey matrices, from 0 (black) to 1 (white).
//!
//! Samples of 1 to 8 bits are divided by 255 after widening, those of 16 bits by 65535. Colour becomes luma; alpha
//! is ignored. An optional mask, another PNG of the same size, hides every pixel where it is darker than one half.

use std::io::Cursor;
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, Limits};

use super::{claim, collect};
use crate::data::{ReadOptions, Shape, Table, words};
use crate::linalg::Mat;
use crate::{Error, Result};

/// The table in `bytes`, one row for each line of pixels.
///
/// # Errors
/// [`Error::Data`] if this or the mask is not a whole PNG, or their sizes differ; [`Error::Io`] for the mask.
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    let image = grey(bytes, path)?;
    let shape = (image.rows(), image.cols());
    let Some(mask_path) = &options.mask else {
        return collect::dense(path, options, shape, |i, j| image[(i, j)]);
    };
    let bytes = std::fs::read(mask_path).map_err(|source| Error::io(mask_path, "read", source))?;
    let mask = grey(&bytes, mask_path)?;
    let found: Shape = (mask.rows(), mask.cols());
    if found != shape {
        let problem = format!(
            "the mask must have the image's shape {}, but it has {}",
            words(shape),
            words(found)
        );
        return Err(Error::data(mask_path, problem));
    }
    collect::dense(
        path,
        options,
        shape,
        |i, j| if mask[(i, j)] < 0.5 { f64::NAN } else { image[(i, j)] },
    )
}

fn grey(bytes: &[u8], path: &Path) -> Result<Mat> {
    let image = decoded(bytes, path)?;
    let (cols, rows) = (image.width() as usize, image.height() as usize);
    Ok(if is_deep(&image) {
        let samples = image.into_luma16().into_raw();
        Mat::from_fn(rows, cols, |i, j| f64::from(samples[i * cols + j]) / 65535.0)
    } else {
        let samples = image.into_luma8().into_raw();
        Mat::from_fn(rows, cols, |i, j| f64::from(samples[i * cols + j]) / 255.0)
    })
}

/// Whether the samples have 16 bits.
pub(in crate::data) fn is_deep(image: &DynamicImage) -> bool {
    image.color().bytes_per_pixel() > image.color().channel_count()
}

/// The image in `bytes`.
///
/// # Errors
/// [`Error::Data`] if it is not a whole PNG, or claims more than the bytes can hold.
pub(in crate::data) fn decoded(bytes: &[u8], path: &Path) -> Result<DynamicImage> {
    let damaged =
        |error| Error::data(path, format!("the image must be a whole PNG, but it is not: {error}"));
    let mut limits = Limits::default();
    limits.max_alloc = Some(claim::inflated(bytes.len()).saturating_mul(16));
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(damaged)?;
    let (cols, rows) = decoder.dimensions();
    // Eight pixels of one bit fit in a byte.
    claim::cells(
        path,
        &[u64::from(rows), u64::from(cols).div_ceil(8)],
        1,
        claim::inflated(bytes.len()),
    )?;
    DynamicImage::from_decoder(decoder).map_err(damaged)
}
