//! Bilinear upsampling of images to twice the rows and columns.

use rayon::prelude::*;

use super::{Grid, PART, one};
use crate::linalg::Real;
use crate::model::layer::{Input, Layer, Mode, Tape};

/// Linear between the middles of positions along rows and along columns: 3/4 of the nearest and 1/4 of the next, which beyond the border is the
/// nearest itself.
#[derive(Clone, Debug)]
pub struct Bilinear {
    grid: Grid,
    channels: usize,
}

const NEAR: f64 = 0.75;
const NEXT: f64 = 0.25;

impl Bilinear {
    /// From `grid`, frame by frame, to twice as many rows and columns.
    pub fn new(grid: Grid, channels: usize) -> Self {
        Self { grid, channels }
    }

    fn fine(&self) -> Grid {
        self.grid.times([1, 2, 2])
    }
}

/// The two positions that a fine one lies between, with their shares.
fn between(size: usize, fine: usize) -> [(usize, f64); 2] {
    let near = fine / 2;
    let next =
        if fine.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(size - 1) };
    [(near, NEAR), (next, NEXT)]
}

/// The fine positions that a position has a share in: as many for each, some at the border twice.
fn around(size: usize, at: usize) -> [(usize, f64); 4] {
    let (first, last) = (2 * at, 2 * at + 1);
    let before = if at == 0 { first } else { first - 1 };
    let after = if at + 1 == size { last } else { last + 1 };
    [(first, NEAR), (last, NEAR), (before, NEXT), (after, NEXT)]
}

fn add<T: Real>(to: &mut [T], from: &[T], share: f64) {
    let share = T::of(share);
    to.iter_mut().zip(from).for_each(|(to, from)| *to += share * *from);
}

impl<T: Real> Layer<T> for Bilinear {
    fn widths(&self) -> (usize, usize) {
        let positions = self.grid.positions();
        (positions * self.channels, 4 * positions * self.channels)
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let (x, fine, width) = (one(input), self.fine(), self.channels);
        tape.output.resize(fine.positions() * width, T::default());
        let places = tape.output.par_chunks_exact_mut(width).with_min_len(PART);
        places.enumerate().for_each(|(position, out)| {
            let [frame, row, col] = fine.at(position);
            out.fill(T::default());
            for (row, of_row) in between(self.grid.rows, row) {
                for (col, of_col) in between(self.grid.cols, col) {
                    let from = self.grid.position([frame, row, col]) * width;
                    add(out, &x[from..from + width], of_row * of_col);
                }
            }
        });
    }

    fn backward(
        &self,
        _params: &[T],
        _input: Input<'_, T>,
        _tape: &mut Tape<T>,
        slope: &[T],
        _into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        let Some(back) = back else { return };
        let (fine, width) = (self.fine(), self.channels);
        back.resize(self.grid.positions() * width, T::default());
        let places = back.par_chunks_exact_mut(width).with_min_len(PART);
        places.enumerate().for_each(|(position, back)| {
            let [frame, row, col] = self.grid.at(position);
            back.fill(T::default());
            for (row, of_row) in around(self.grid.rows, row) {
                for (col, of_col) in around(self.grid.cols, col) {
                    let from = fine.position([frame, row, col]) * width;
                    add(back, &slope[from..from + width], of_row * of_col);
                }
            }
        });
    }
}
