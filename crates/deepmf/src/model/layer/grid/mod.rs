//! Layers over the positions of an image or a video, at each of which stand some channels.
//!
//! Here the numbers of a sample go position after position, the channels of one position being contiguous; the positions go row after row,
//! and frame after frame. The networks of these layers are fitted to one sample, and take no more than one.

mod appended;
mod bilinear;
mod channel_dropout;
mod convolution;
mod fixed;
mod heads;
mod kernel;
mod scaled;
#[cfg(test)]
mod tests;
mod upsampled;
mod window;

pub use appended::Appended;
pub use bilinear::Bilinear;
pub use channel_dropout::ChannelDropout;
pub use convolution::{Convolution, Padding};
pub use fixed::Fixed;
pub use heads::{DarkHead, ExpHead, LeakyRelu, Tanh};
pub use scaled::{ScaledChannels, Windowed};
pub use upsampled::Upsampled;

use std::ops::Range;

use super::Input;
use crate::linalg::Real;

/// Positions that one thread takes at a time: a property of the grid, never of the number of threads.
const PART: usize = 64;

/// How many positions a video has along time, from top to bottom, and from left to right; an image has one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Frames.
    pub frames: usize,
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub cols: usize,
}

impl Grid {
    /// The grid of an image.
    pub fn image(rows: usize, cols: usize) -> Self {
        Self { frames: 1, rows, cols }
    }

    /// The grid of a video.
    pub fn video(frames: usize, rows: usize, cols: usize) -> Self {
        Self { frames, rows, cols }
    }

    /// Number of positions.
    pub fn positions(self) -> usize {
        self.frames * self.rows * self.cols
    }

    /// The grid with so many positions for each one, along each axis.
    #[must_use]
    pub fn times(self, [frames, rows, cols]: [usize; 3]) -> Self {
        Self { frames: self.frames * frames, rows: self.rows * rows, cols: self.cols * cols }
    }

    /// Frame, row and columns of the lines that the positions in `range` stand in.
    fn runs(self, range: Range<usize>) -> impl Iterator<Item = ([usize; 2], Range<usize>)> {
        let mut start = range.start;
        std::iter::from_fn(move || {
            let [frame, row, col] = self.at(start);
            let end = (col + range.end - start).min(self.cols);
            (start < range.end).then(|| {
                start += end - col;
                ([frame, row], col..end)
            })
        })
    }

    fn sizes(self) -> [usize; 3] {
        [self.frames, self.rows, self.cols]
    }

    fn at(self, position: usize) -> [usize; 3] {
        let (line, col) = (position / self.cols, position % self.cols);
        [line / self.rows, line % self.rows, col]
    }

    fn position(self, [frame, row, col]: [usize; 3]) -> usize {
        (frame * self.rows + row) * self.cols + col
    }
}

/// The numbers of the one sample.
///
/// # Panics
/// If there are several.
fn one<T: Real>(input: Input<'_, T>) -> &[T] {
    let (count, values) = input.dense();
    assert_eq!(count, 1, "layers over a grid take one sample");
    values
}
