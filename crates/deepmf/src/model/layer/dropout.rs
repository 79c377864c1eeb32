//! Dropout: in training, each number is kept with a fixed probability and enlarged for it.

use rayon::prelude::*;

use super::{Input, Layer, Mode, PART, Tape};
use crate::linalg::Real;
use crate::random::{Purpose, Rng, RngExt, stream};
use crate::{Error, Result};

/// y = x / keep with probability keep, else 0; y = x at inference (Srivastava et al. 2014).
///
/// Which ones are kept depends on the seed, the step, the dropout's own number, and the place in the batch alone.
#[derive(Clone, Debug)]
pub struct Dropout {
    width: usize,
    keep: f64,
    number: u32,
}

impl Dropout {
    /// Keeps with probability `keep`; those of one network need different `number`s to draw different ones.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `keep` is not above 0 and at most 1.
    pub fn new(width: usize, keep: f64, number: u32) -> Result<Self> {
        if keep > 0.0 && keep <= 1.0 {
            return Ok(Self { width, keep, number });
        }
        Err(Error::parameter("keep", "above 0 and at most 1", keep))
    }
}

impl<T: Real> Layer<T> for Dropout {
    fn widths(&self) -> (usize, usize) {
        (self.width, self.width)
    }

    fn forward(
        &self,
        _params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let (count, values) = input.dense();
        let Tape { output, kept, training, thin, .. } = tape;
        *thin = matches!(input, Input::Thin { .. });
        output.resize(values.len(), T::default());
        let Mode::Training { seed, step } = mode else {
            *training = false;
            output.copy_from_slice(values);
            return;
        };
        *training = true;
        kept.resize(values.len(), T::default());
        let mut keys = stream(seed, Purpose::Dropout, step);
        (0..self.number).for_each(|_| _ = keys.next_u64());
        let key = keys.random();
        let scale = T::of(1.0 / self.keep);
        let below = (self.keep * 4_294_967_296.0) as u64;
        let columns = output.par_chunks_mut(count.max(1)).zip(kept.par_chunks_mut(count.max(1)));
        let columns = columns.zip(values.par_chunks(count.max(1))).with_min_len(PART);
        columns.enumerate().for_each(|(place, ((output, kept), values))| {
            let mut draws = stream(key, Purpose::Dropout, place as u64);
            for ((y, kept), x) in output.iter_mut().zip(kept).zip(values) {
                let keep = u64::from(draws.next_u32()) < below;
                *kept = if keep { scale } else { T::default() };
                *y = *x * *kept;
            }
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
        back.resize(slope.len(), T::default());
        if !tape.training {
            back.copy_from_slice(slope);
            return;
        }
        let part = PART * input.dense().0.max(1);
        let chunks = back.par_chunks_mut(part).zip(slope.par_chunks(part));
        chunks.zip(tape.kept.par_chunks(part)).for_each(|((back, slope), kept)| {
            for ((back, slope), kept) in back.iter_mut().zip(slope).zip(kept) {
                *back = *slope * *kept;
            }
        });
    }
}
