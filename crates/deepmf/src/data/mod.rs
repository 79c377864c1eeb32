//! What is known: tables with holes, their labels, random truths, masks and splits.

pub mod align;
mod entries;
mod file;
mod format;
mod table;
mod triplets;
mod read;
mod write;
mod synthetic;
mod mask;
mod split;
mod split_lines;
mod view;
mod classes;
mod view_set;
mod synthetic_views;
mod prepare;
mod video;
mod scene;
mod picture_product;

pub use classes::Classes;
pub use entries::{Duplicates, Entries};
pub use file::write_whole;
pub use mask::{hide, observe, random_cells};
pub use picture_product::PictureProduct;
pub use prepare::{Preparation, ViewTransform};
pub use read::{Array, Format, ReadOptions, read, read_array, read_arrays, read_dense, read_with};
pub use scene::{Scene, SceneSettings, Sensor};
pub use split::{hole_folds, k_fold, split};
pub use split_lines::{ColdSplit, Latest, cold_split, split_by_time};
pub use synthetic::{low_rank, perturbed, random_ratings, with_spectrum};
pub use synthetic_views::random_views;
pub use table::{Form, Passthrough, Table};
pub use triplets::{Field, Triplets};
pub use video::{LEAST_FRAMES, Padding, Video, read_video, write_video};
pub use view::{Features, View};
pub use view_set::{MatViews, ViewSet};
pub use write::{encoded, text, write};

/// The table in `bytes`, which are in `format`; for fuzzing.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) if there is none.
#[doc(hidden)]
pub fn parse(format: Format, bytes: &[u8], options: &ReadOptions) -> crate::Result<Table> {
    format::parse(format, bytes, std::path::Path::new("-"), options)
}

/// Rows and columns of a matrix.
pub type Shape = (usize, usize);

/// A shape as messages write it: `(rows, cols)`.
pub(crate) fn words(shape: Shape) -> String {
    format!("({}, {})", shape.0, shape.1)
}
