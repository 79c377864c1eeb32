//! Nearest upsampling: each position becomes several.

use rayon::prelude::*;

use super::{Grid, PART, one};
use crate::linalg::Real;
use crate::model::layer::{Input, Layer, Mode, Tape};

/// Each position, repeated along each axis.
#[derive(Clone, Debug)]
pub struct Upsampled {
    grid: Grid,
    factors: [usize; 3],
    channels: usize,
}

impl Upsampled {
    /// From `grid` to `factors` times as many positions along time, rows and columns.
    pub fn new(grid: Grid, factors: [usize; 3], channels: usize) -> Self {
        Self { grid, factors, channels }
    }

    fn fine(&self) -> Grid {
        self.grid.times(self.factors)
    }
}

impl<T: Real> Layer<T> for Upsampled {
    fn widths(&self) -> (usize, usize) {
        (self.grid.positions() * self.channels, self.fine().positions() * self.channels)
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
            let at = fine.at(position);
            let from =
                self.grid.position(std::array::from_fn(|axis| at[axis] / self.factors[axis]));
            out.copy_from_slice(&x[from * width..(from + 1) * width]);
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
        let (fine, width, [frames, rows, cols]) = (self.fine(), self.channels, self.factors);
        back.resize(self.grid.positions() * width, T::default());
        let places = back.par_chunks_exact_mut(width).with_min_len(PART);
        places.enumerate().for_each(|(position, back)| {
            let at = self.grid.at(position);
            back.fill(T::default());
            for own in 0..frames * rows * cols {
                let own = [own / cols / rows, own / cols % rows, own % cols];
                let to = std::array::from_fn(|axis| at[axis] * self.factors[axis] + own[axis]);
                let from = fine.position(to) * width;
                let from = &slope[from..from + width];
                back.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
            }
        });
    }
}
