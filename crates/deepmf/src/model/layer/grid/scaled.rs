//! Factors: a window over the positions, and a trained factor for each channel.

use super::{Grid, one};
use crate::linalg::Real;
use crate::model::layer::{Input, Layer, Mode, Tape};
use crate::random::Stream;

/// y = w x with one fixed w for each position.
#[derive(Clone, Debug)]
pub struct Windowed {
    factors: Vec<f64>,
    channels: usize,
}

impl Windowed {
    /// √(h ⊗ h) over an image, where h_i = ½ − ½ cos(2π i / (n − 1)) is Hann's window, zero at both ends.
    pub fn hann(grid: Grid, channels: usize) -> Self {
        let hann = |at: usize, size: usize| {
            let last = size.saturating_sub(1).max(1) as f64;
            // The sine's square is exactly zero at the first end, and clipped at the other.
            let sine = (std::f64::consts::PI * at as f64 / last).sin();
            if at + 1 == size { 0.0 } else { sine * sine }
        };
        let factor = |position: usize| {
            let [_, row, col] = grid.at(position);
            (hann(row, grid.rows) * hann(col, grid.cols)).sqrt()
        };
        Self { factors: (0..grid.positions()).map(factor).collect(), channels }
    }

    fn scale<T: Real>(&self, from: &[T], to: &mut Vec<T>) {
        to.resize(from.len(), T::default());
        let places = to.chunks_exact_mut(self.channels).zip(from.chunks_exact(self.channels));
        for ((to, from), factor) in places.zip(&self.factors) {
            let factor = T::of(*factor);
            to.iter_mut().zip(from).for_each(|(to, from)| *to = factor * *from);
        }
    }
}

impl<T: Real> Layer<T> for Windowed {
    fn widths(&self) -> (usize, usize) {
        let width = self.factors.len() * self.channels;
        (width, width)
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        self.scale(one(input), &mut tape.output);
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
        if let Some(back) = back {
            self.scale(slope, back);
        }
    }
}

/// y = w x with one trained w for each channel, 1 at the start.
#[derive(Clone, Debug)]
pub struct ScaledChannels {
    grid: Grid,
    channels: usize,
}

impl ScaledChannels {
    /// Over `channels` channels of each position.
    pub fn new(grid: Grid, channels: usize) -> Self {
        Self { grid, channels }
    }
}

impl<T: Real> Layer<T> for ScaledChannels {
    fn widths(&self) -> (usize, usize) {
        let width = self.grid.positions() * self.channels;
        (width, width)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("factor", self.channels, 1)]
    }

    fn start(&self, params: &mut [T], _state: &mut [T], _random: &mut Stream) {
        params.fill(T::of(1.0));
    }

    fn forward(
        &self,
        params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let x = one(input);
        tape.output.resize(x.len(), T::default());
        let places = tape.output.chunks_exact_mut(self.channels).zip(x.chunks_exact(self.channels));
        for (out, x) in places {
            out.iter_mut().zip(x).zip(params).for_each(|((out, x), w)| *out = *w * *x);
        }
    }

    fn backward(
        &self,
        params: &[T],
        input: Input<'_, T>,
        _tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        into.fill(T::default());
        let slopes = slope.chunks_exact(self.channels);
        for (x, slope) in one(input).chunks_exact(self.channels).zip(slopes.clone()) {
            into.iter_mut().zip(x).zip(slope).for_each(|((into, x), slope)| *into += *x * *slope);
        }
        let Some(back) = back else { return };
        back.resize(slope.len(), T::default());
        for (back, slope) in back.chunks_exact_mut(self.channels).zip(slopes) {
            back.iter_mut().zip(slope).zip(params).for_each(|((back, s), w)| *back = *w * *s);
        }
    }
}
