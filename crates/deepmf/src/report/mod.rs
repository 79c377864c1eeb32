//! From runs to tables, figures and one self-contained page.
//!
//! A [`Figure`] is axes and layers, a [`Table`] is columns and rows of numbers, and a [`Page`] puts both
//! among words in one HTML file. None of them reads a clock or draws at random: the same input gives the same bytes.

mod canvas;
mod clusters;
mod colour;
mod course;
mod curvature;
mod draw;
mod escape;
mod figure;
mod heat;
mod legend;
mod number;
mod page;
mod picture;
mod points;
#[cfg(feature = "png-figures")]
mod png;
mod scale;
mod table;
#[cfg(test)]
mod tests;

pub use clusters::clusters;
pub use course::{course, page};
pub use curvature::{curvature, density};
pub use figure::{Axis, Figure, Layer, Reference, Scaling};
pub use number::number;
pub use page::{Block, Page, Section};
pub use picture::Picture;
pub use table::{Align, Cell, Column, Table};
