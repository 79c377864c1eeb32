//! Free latents: a first layer that is given nothing and puts out its parameters, one latent a sample.

use super::{Input, Layer, Mode, Tape};
use crate::linalg::Real;
use crate::random::{Stream, normal};

/// The output is the parameters themselves: `count` latents of `width` numbers, all zero at the start unless they are drawn.
#[derive(Clone, Debug)]
pub struct Latents {
    count: usize,
    width: usize,
    deviation: f64,
}

impl Latents {
    /// `count` latents of `width` numbers.
    pub fn new(count: usize, width: usize) -> Self {
        Self::drawn(count, width, 0.0)
    }

    /// Latents that start with independent normal numbers of this deviation.
    pub fn drawn(count: usize, width: usize, deviation: f64) -> Self {
        Self { count, width, deviation }
    }
}

impl<T: Real> Layer<T> for Latents {
    fn widths(&self) -> (usize, usize) {
        (0, self.width)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("latents", self.count, self.width)]
    }

    fn start(&self, params: &mut [T], _state: &mut [T], random: &mut Stream) {
        if self.deviation > 0.0 {
            for x in params.iter_mut() {
                *x = T::of(self.deviation * normal(random));
            }
        }
    }

    fn forward(
        &self,
        params: &[T],
        _state: &[T],
        _input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        tape.output.resize(params.len(), T::default());
        tape.output.copy_from_slice(params);
    }

    fn backward(
        &self,
        _params: &[T],
        input: Input<'_, T>,
        _tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        into.copy_from_slice(slope);
        if let Some(back) = back {
            back.clear();
            back.resize(input.dense().1.len(), T::default());
        }
    }
}
