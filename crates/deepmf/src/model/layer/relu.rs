//! The rectifier: y = max(x, 0).

use rayon::prelude::*;

use super::{Input, Layer, Mode, PART, Tape};
use crate::linalg::Real;

/// y = max(x, 0), with slope 0 at 0.
#[derive(Clone, Debug)]
pub struct Relu {
    width: usize,
}

impl Relu {
    /// Over `width` numbers a sample.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

impl<T: Real> Layer<T> for Relu {
    fn widths(&self) -> (usize, usize) {
        (self.width, self.width)
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let (count, values) = input.dense();
        let part = PART * count.max(1);
        tape.thin = true;
        tape.output.resize(values.len(), T::default());
        tape.output.par_chunks_mut(part).zip(values.par_chunks(part)).for_each(|(out, x)| {
            let zero = T::default();
            out.iter_mut().zip(x).for_each(|(y, x)| *y = if *x > zero { *x } else { zero });
        });
    }

    fn backward(
        &self,
        _params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        _into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        let Some(back) = back else { return };
        let part = PART * input.dense().0.max(1);
        back.resize(slope.len(), T::default());
        let chunks = back.par_chunks_mut(part).zip(slope.par_chunks(part));
        chunks.zip(tape.output.par_chunks(part)).for_each(|((back, slope), y)| {
            for ((back, slope), y) in back.iter_mut().zip(slope).zip(y) {
                *back = if *y > T::default() { *slope } else { T::default() };
            }
        });
    }
}
