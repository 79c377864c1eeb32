//! What is known: tables with holes, their labels, random truths, masks and splits.

mod entries;
mod file;
mod table;
mod triplets;
mod read;
mod write;
mod format;
mod synthetic;
mod mask;
mod split;

pub use entries::{Duplicates, Entries};
pub use file::write_whole;
pub use mask::{hide, observe, random_cells};
pub use read::{Array, Format, ReadOptions, read, read_array, read_dense, read_with};
pub use split::{k_fold, split};
pub use synthetic::low_rank;
pub use table::{Form, Passthrough, Table};
pub use triplets::{Field, Triplets};
pub use write::{text, write};

/// Rows and columns of a matrix.
pub type Shape = (usize, usize);

/// A shape as messages write it: `(rows, cols)`.
pub(crate) fn words(shape: Shape) -> String {
    format!("({}, {})", shape.0, shape.1)
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn without_parquet(path: &std::path::Path) -> crate::Error {
    let allowed = "one that this program was built with";
    crate::Error::parameter(format!("the format of {}", path.display()), allowed, "Parquet")
}
