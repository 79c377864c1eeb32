//! What is known: tables with holes, their labels, random truths, masks and splits.

mod entries;
mod file;
mod table;

pub use entries::{Duplicates, Entries};
pub use file::write_whole;
pub use table::{Form, Passthrough, Table};

/// Rows and columns of a matrix.
pub type Shape = (usize, usize);

/// A shape as messages write it: `(rows, cols)`.
pub(crate) fn words(shape: Shape) -> String {
    format!("({}, {})", shape.0, shape.1)
}
