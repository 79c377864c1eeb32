//! A fully connected layer over sparse samples: a sum of gathered columns, never a dense product.

use super::gather::{gather, spread, turn};
use super::{Input, Layer, Mode, Samples, Tape, glorot};
use crate::linalg::Real;
use crate::random::Stream;

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
        _ => unreachable!("this layer takes sparse samples"),
    }
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
        let (weight, bias) = params.split_at(self.after * self.before);
        gather(samples, weight, bias, tape);
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
        let (weight, bias) = into.split_at_mut(self.after * self.before);
        turn(sparse(input).count(), self.after, slope, &mut tape.kept);
        spread(sparse(input), &tape.kept, weight, bias);
    }
}
