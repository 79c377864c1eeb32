//! File formats: each turns bytes that nobody vouches for into a [`Table`], or says what is wrong with them.

mod claim;
mod mat5;
#[cfg(feature = "hdf5")]
mod mat73;
mod collect;

pub(crate) mod mat;
pub(crate) mod matrix_market;
pub(crate) mod npy;
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(feature = "parquet")]
pub(crate) mod parquet_write;
pub(crate) mod png;
pub(crate) mod text;

use std::path::Path;

use super::{Format, ReadOptions, Table};
use crate::{Error, Result};

/// Reads `path`, which must be in `format`.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it does not hold a table in this format.
pub(crate) fn read(format: Format, path: &Path, options: &ReadOptions) -> Result<Table> {
    if format == Format::Text {
        return text::read(path, options);
    }
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, "read", source))?;
    parse(format, &bytes, path, options)
}

/// The table in `bytes`; `path` is for messages.
///
/// # Errors
/// [`Error::Data`] if there is none in this format.
pub(crate) fn parse(
    format: Format,
    bytes: &[u8],
    path: &Path,
    options: &ReadOptions,
) -> Result<Table> {
    let has_columns = matches!(format, Format::Text | Format::Npz | Format::Parquet);
    if options.triplets.is_some() && !has_columns {
        let problem = "triplets must come from text, Parquet or .npz, but this is none of them";
        return Err(Error::data(path, problem));
    }
    match format {
        Format::Text => text::parse(path, bytes, options),
        Format::Npy => npy::parse(bytes, path, options),
        Format::Npz => npz::parse(bytes, path, options),
        Format::MatrixMarket => matrix_market::parse(bytes, path, options),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::parse(bytes, path, options),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(without_parquet(path)),
        Format::Mat => mat::parse(bytes, path, options),
        Format::Png => png::parse(bytes, path, options),
    }
}

/// The error for a file in a format that this build leaves out.
#[cfg(not(feature = "parquet"))]
pub(super) fn without_parquet(path: &Path) -> Error {
    Error::data(path, claim::without("Parquet", "parquet"))
}
