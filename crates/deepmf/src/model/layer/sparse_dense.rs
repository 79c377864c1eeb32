//! A fully connected layer over sparse samples: a sum of gathered columns, never a dense product.

use rayon::prelude::*;

use super::{Input, Layer, Mode, Samples, Tape, glorot};
use crate::linalg::Real;
use crate::random::Stream;

/// Samples that one thread takes at a time.
const SAMPLES: usize = 4;
/// Columns of a square that is turned at once.
const SQUARE: usize = 32;

/// As [`Dense`](super::Dense) over [`Samples`]: column j of W is added for each number at place j, and only the columns that
/// were gathered have a slope.
#[derive(Clone, Debug)]
pub struct SparseDense {
    before: usize,
    after: usize,
}

impl SparseDense {
    /// From samples with `before` places to `after` numbers.
    pub fn new(before: usize, after: usize) -> Self {
        Self { before, after }
    }
}

fn sparse<T: Copy>(input: Input<'_, T>) -> &Samples<T> {
    match input {
        Input::Sparse(samples) => samples,
        Input::Dense { .. } => unreachable!("this layer takes sparse samples"),
    }
}

/// `out` ← the transpose of `values`, which is rows × cols, column after column.
fn turn<T: Real>(rows: usize, cols: usize, values: &[T], out: &mut Vec<T>) {
    out.resize(rows * cols, T::default());
    if values.is_empty() {
        return;
    }
    out.par_chunks_mut(cols * SQUARE).enumerate().for_each(|(part, out)| {
        let first = part * SQUARE;
        for begin in (0..cols).step_by(SQUARE) {
            for (i, out) in out.chunks_exact_mut(cols).enumerate() {
                let end = (begin + SQUARE).min(cols);
                for (j, out) in out[begin..end].iter_mut().enumerate() {
                    *out = values[(begin + j) * rows + first + i];
                }
            }
        }
    });
}

impl<T: Real> Layer<T> for SparseDense {
    fn widths(&self) -> (usize, usize) {
        (self.before, self.after)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("weight", self.after, self.before), ("bias", self.after, 1)]
    }

    fn start(&self, params: &mut [T], _state: &mut [T], random: &mut Stream) {
        glorot((self.before, self.after), &mut params[..self.after * self.before], random);
    }

    fn forward(
        &self,
        params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let samples = sparse(input);
        let after = self.after;
        let (weight, bias) = params.split_at(after * self.before);
        // Each sample by itself is contiguous here; the output is the transpose.
        tape.kept.resize(after * samples.count(), T::default());
        tape.kept.par_chunks_mut(after).with_min_len(SAMPLES).enumerate().for_each(|(i, sum)| {
            sum.copy_from_slice(bias);
            for (place, value) in samples.sample(i) {
                let column = &weight[place * after..(place + 1) * after];
                sum.iter_mut().zip(column).for_each(|(sum, w)| *sum += value * *w);
            }
        });
        turn(after, samples.count(), &tape.kept, &mut tape.output);
    }

    fn backward(
        &self,
        _params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        assert!(back.is_none(), "sparse samples have no slope");
        let samples = sparse(input);
        let after = self.after;
        turn(samples.count(), after, slope, &mut tape.kept);
        let (weight, bias) = into.split_at_mut(after * self.before);
        let slopes: &[T] = &tape.kept;
        weight.par_chunks_mut(after).with_min_len(SAMPLES).enumerate().for_each(|(j, out)| {
            out.fill(T::default());
            let Ok(spot) = samples.places().binary_search(&(j as u32)) else { return };
            for (sample, value) in samples.having(spot) {
                let slope = &slopes[sample * after..(sample + 1) * after];
                out.iter_mut().zip(slope).for_each(|(out, slope)| *out += value * *slope);
            }
        });
        bias.fill(T::default());
        for slope in slopes.chunks_exact(after) {
            bias.iter_mut().zip(slope).for_each(|(bias, slope)| *bias += *slope);
        }
    }
}
