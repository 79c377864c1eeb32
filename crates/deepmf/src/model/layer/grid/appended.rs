//! Fixed channels beside the given ones: coordinates, or what else is known of each position.

use super::{Grid, one};
use crate::linalg::Real;
use crate::model::layer::{Input, Layer, Mode, Tape};

/// The given channels of each position, and after them fixed ones.
#[derive(Clone, Debug)]
pub struct Appended {
    grid: Grid,
    channels: usize,
    maps: Vec<Vec<f64>>,
}

impl Appended {
    /// Coordinates from −1 to 1 after `channels` channels: along rows and columns and, of a video, along time first.
    pub fn coordinates(grid: Grid, channels: usize) -> Self {
        let sizes = grid.sizes();
        let along = |axis: usize| {
            let last = sizes[axis].saturating_sub(1).max(1) as f64;
            let place = |position| 2.0 * grid.at(position)[axis] as f64 / last - 1.0;
            (0..grid.positions()).map(place).collect()
        };
        let first = usize::from(grid.frames == 1);
        Self { grid, channels, maps: (first..3).map(along).collect() }
    }

    /// One more fixed channel: a number for each position, zeros where `map` has none.
    #[must_use]
    pub fn and(mut self, mut map: Vec<f64>) -> Self {
        map.resize(self.grid.positions(), 0.0);
        self.maps.push(map);
        self
    }

    /// Channels of each position, the fixed ones among them.
    pub fn channels(&self) -> usize {
        self.channels + self.maps.len()
    }
}

impl<T: Real> Layer<T> for Appended {
    fn widths(&self) -> (usize, usize) {
        let positions = self.grid.positions();
        (positions * self.channels, positions * self.channels())
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let x = one(input).chunks_exact(self.channels);
        tape.output.resize(self.grid.positions() * self.channels(), T::default());
        let places = tape.output.chunks_exact_mut(self.channels());
        for (position, (out, x)) in places.zip(x).enumerate() {
            let (given, fixed) = out.split_at_mut(self.channels);
            given.copy_from_slice(x);
            let maps = self.maps.iter();
            fixed.iter_mut().zip(maps).for_each(|(out, map)| *out = T::of(map[position]));
        }
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
        back.resize(self.grid.positions() * self.channels, T::default());
        let slopes = slope.chunks_exact(self.channels());
        for (back, slope) in back.chunks_exact_mut(self.channels).zip(slopes) {
            back.copy_from_slice(&slope[..self.channels]);
        }
    }
}
