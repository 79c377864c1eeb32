//! What a file claims about its size, checked before any memory is given.

use std::io::Read;
use std::path::Path;

use crate::{Error, Result};

/// The most bytes that one deflated byte can stand for (258 bytes in two bits).
const DEFLATE: u64 = 1032;

/// The most bytes that `bytes` deflated bytes can hold.
pub(super) fn inflated(bytes: usize) -> u64 {
    DEFLATE.saturating_mul(bytes as u64)
}

/// The number of cells of an array of `shape`, each of `size` bytes, of which at most `most` bytes can be there.
///
/// # Errors
/// [`Error::Data`] if the shape claims more.
pub(super) fn cells(path: &Path, shape: &[u64], size: u64, most: u64) -> Result<usize> {
    let cells = shape.iter().try_fold(1u64, |product, &axis| product.checked_mul(axis));
    match cells.and_then(|cells| Some((cells, cells.checked_mul(size.max(1))?))) {
        Some((cells, claimed)) if claimed <= most => Ok(cells as usize),
        _ => {
            let problem = format!(
                "the claimed shape {} must fit in the {most} bytes that can be there, but it does \
                 not: the file is truncated or damaged",
                words(shape)
            );
            Err(Error::data(path, problem))
        }
    }
}

/// Inflates `packed`, which is `length` bytes long.
///
/// # Errors
/// [`Error::Data`] if that fails, or gives more than such bytes can hold.
pub(super) fn inflate(path: &Path, packed: impl Read, length: usize) -> Result<Vec<u8>> {
    let most = inflated(length);
    let mut bytes = Vec::new();
    match packed.take(most + 1).read_to_end(&mut bytes) {
        Ok(found) if found as u64 <= most => Ok(bytes),
        Ok(_) => Err(Error::data(
            path,
            format!("{length} packed bytes must not unpack to more than {most}, but they do"),
        )),
        Err(error) => Err(Error::data(
            path,
            format!("packed bytes must be whole, but unpacking them fails: {error}"),
        )),
    }
}

/// A shape of any number of axes as messages write it.
pub(super) fn words(shape: &[u64]) -> String {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("({})", axes.join(", "))
}

/// Says that this build leaves out what reads `format`.
#[cfg(not(all(feature = "parquet", feature = "hdf5")))]
pub(super) fn without(format: &str, feature: &str) -> String {
    format!(
        "{format} files must be read by a build with the feature `{feature}`, but this one is without it"
    )
}
