//! Dropout of whole channels.

use super::{Grid, one};
use crate::linalg::Real;
use crate::model::layer::{Input, Layer, Mode, Tape};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// Each channel at all positions is kept and divided by `keep` with probability `keep`, else it is zero; y = x at inference.
///
/// Which ones are kept depends on the seed, the step and the dropout's own number alone.
#[derive(Clone, Debug)]
pub struct ChannelDropout {
    grid: Grid,
    channels: usize,
    keep: f64,
    number: u32,
}

impl ChannelDropout {
    /// Keeps with probability `keep`; those of one run need different `number`s to draw different ones.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `keep` is not above 0 and at most 1.
    pub fn new(grid: Grid, channels: usize, keep: f64, number: u32) -> Result<Self> {
        if keep > 0.0 && keep <= 1.0 {
            return Ok(Self { grid, channels, keep, number });
        }
        Err(Error::parameter("keep", "above 0 and at most 1", keep))
    }
}

fn scale<T: Real>(from: &[T], factors: &[T], to: &mut Vec<T>) {
    to.resize(from.len(), T::default());
    let places = to.chunks_exact_mut(factors.len()).zip(from.chunks_exact(factors.len()));
    for (to, from) in places {
        to.iter_mut().zip(from).zip(factors).for_each(|((to, from), f)| *to = *f * *from);
    }
}

impl<T: Real> Layer<T> for ChannelDropout {
    fn widths(&self) -> (usize, usize) {
        let width = self.grid.positions() * self.channels;
        (width, width)
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        mode: Mode,
        tape: &mut Tape<T>,
    ) {
        tape.kept.clear();
        tape.kept.resize(self.channels, T::of(1.0));
        if let Mode::Training { seed, step } = mode {
            let mut draws = stream(seed, Purpose::Dropout, step);
            (0..self.number).for_each(|_| _ = draws.random::<u64>());
            let mut draws = stream(draws.random(), Purpose::Dropout, 0);
            for kept in &mut tape.kept {
                let keep = draws.random::<f64>() < self.keep;
                *kept = if keep { T::of(1.0 / self.keep) } else { T::default() };
            }
        }
        scale(one(input), &tape.kept, &mut tape.output);
    }

    fn backward(
        &self,
        _params: &[T],
        _input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        _into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        if let Some(back) = back {
            scale(slope, &tape.kept, back);
        }
    }
}
