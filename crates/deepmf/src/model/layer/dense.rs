//! A fully connected layer: Y = X Wᵀ + b.

use rayon::prelude::*;

use super::gather::{back_where_kept, gather, spread, turn};
use super::{Input, Layer, Mode, PART, Tape, glorot};
use crate::linalg::{Accumulate, MatMut, MatRef, Real, multiply, wide};
use crate::random::Stream;

/// A thin input goes by sums if less than one number of so many is not zero.
const SPARSE_BELOW: usize = 6;

/// Fully connected: Y = X Wᵀ + b with W of shape after × before.
#[derive(Clone, Debug)]
pub struct Dense {
    before: usize,
    after: usize,
}

impl Dense {
    /// From `before` numbers a sample to `after`.
    pub fn new(before: usize, after: usize) -> Self {
        Self { before, after }
    }
}

/// Whether sums over the numbers that are not zero are faster than a dense product.
fn is_sparse<T: Real>(input: Input<'_, T>) -> bool {
    let Input::Thin { values, .. } = input else { return false };
    let zero = T::default();
    let full = wide(|| values.iter().map(|x| usize::from(*x != zero)).sum::<usize>());
    full * SPARSE_BELOW < values.len()
}

impl<T: Real> Layer<T> for Dense {
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
        let (count, values) = input.dense();
        let (weight, bias) = params.split_at(self.after * self.before);
        if is_sparse(input) {
            let mut samples = std::mem::take(&mut tape.samples);
            samples.thin(count, values);
            gather(&samples, weight, bias, tape);
            tape.samples = samples;
            return;
        }
        tape.output.resize(count * self.after, T::default());
        multiply(
            MatMut::new(count, self.after, &mut tape.output),
            Accumulate::Replace,
            T::of(1.0),
            MatRef::new(count, self.before, values),
            MatRef::new(self.after, self.before, weight).t(),
        );
        let columns = tape.output.par_chunks_mut(count.max(1)).with_min_len(PART);
        columns.zip(bias).for_each(|(column, bias)| column.iter_mut().for_each(|y| *y += *bias));
    }

    fn backward(
        &self,
        params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        let (count, values) = input.dense();
        let (weight, bias) = into.split_at_mut(self.after * self.before);
        if is_sparse(input) {
            turn(count, self.after, slope, &mut tape.kept);
            spread(&tape.samples, &tape.kept, weight, bias);
            if let Some(back) = back {
                let weight = &params[..self.after * self.before];
                back_where_kept(&tape.samples, &tape.kept, weight, back);
            }
            return;
        }
        let slope = MatRef::new(count, self.after, slope);
        let (replace, one) = (Accumulate::Replace, T::of(1.0));
        let x = MatRef::new(count, self.before, values);
        multiply(MatMut::new(self.after, self.before, weight), replace, one, slope.t(), x);
        (0..self.after).for_each(|j| bias[j] = slope.col(j).iter().copied().sum());
        if let Some(back) = back {
            back.resize(count * self.before, T::default());
            let w = MatRef::new(self.after, self.before, &params[..self.after * self.before]);
            multiply(MatMut::new(count, self.before, back), replace, one, slope, w);
        }
    }
}
