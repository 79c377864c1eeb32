//! Batch normalisation: each number is centred and scaled over the samples of a batch.

use rayon::prelude::*;

use super::{Input, Layer, Mode, PART, Tape};
use crate::linalg::Real;
use crate::random::Stream;

/// What is added to a variance before its root is taken.
const EPSILON: f64 = 1e-3;
/// What is kept of a running mean at each step.
const DECAY: f64 = 0.9;
/// Numbers kept for each column: its mean, its variance over count − 1, and 1/√(variance + ε).
const SUMS: usize = 3;

/// y = γ (x − mean) / √(variance + 10⁻³) + β over the samples of a batch; at inference with running means (decay 0.9).
///
/// The batch is scaled by its variance over count, the running variance is that over count − 1. Source: Ioffe and Szegedy 2015.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    width: usize,
}

impl BatchNorm {
    /// Over `width` numbers a sample.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

fn mean<T: Real>(x: impl Iterator<Item = T>, count: usize) -> T {
    x.sum::<T>() / T::of(count as f64)
}

impl<T: Real> Layer<T> for BatchNorm {
    fn widths(&self) -> (usize, usize) {
        (self.width, self.width)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("gamma", self.width, 1), ("beta", self.width, 1)]
    }

    fn state_slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("mean", self.width, 1), ("variance", self.width, 1)]
    }

    fn start(&self, params: &mut [T], state: &mut [T], _random: &mut Stream) {
        params[..self.width].fill(T::of(1.0));
        state[self.width..].fill(T::of(1.0));
    }

    fn forward(
        &self,
        params: &[T],
        state: &[T],
        input: Input<'_, T>,
        mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let (count, values) = input.dense();
        let Tape { output, kept, sums, training, .. } = tape;
        *training = mode != Mode::Inference;
        let batch = *training;
        output.resize(values.len(), T::default());
        kept.resize(values.len(), T::default());
        sums.resize(SUMS * self.width, T::default());
        let epsilon = T::of(EPSILON);
        let columns = output.par_chunks_mut(count.max(1)).zip(kept.par_chunks_mut(count.max(1)));
        let columns = columns.zip(sums.par_chunks_mut(SUMS)).zip(values.par_chunks(count.max(1)));
        columns.with_min_len(PART).enumerate().for_each(|(place, (((y, normal), sums), x))| {
            let (centre, variance) = if batch {
                let centre = mean(x.iter().copied(), count);
                let variance = mean(x.iter().map(|x| (*x - centre) * (*x - centre)), count);
                let free = T::of(count.max(2) as f64 / (count.max(2) - 1) as f64);
                (sums[0], sums[1]) = (centre, variance * free);
                (centre, variance)
            } else {
                (state[place], state[self.width + place])
            };
            sums[2] = T::of(1.0) / (variance + epsilon).root();
            let (gamma, beta, scale) = (params[place], params[self.width + place], sums[2]);
            for ((y, normal), x) in y.iter_mut().zip(normal).zip(x) {
                *normal = (*x - centre) * scale;
                *y = gamma * *normal + beta;
            }
        });
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
        let count = input.dense().0;
        let (gamma, beta) = into.split_at_mut(self.width);
        let Tape { kept, sums, training, .. } = &*tape;
        let columns = slope.par_chunks(count.max(1)).zip(kept.par_chunks(count.max(1)));
        let into = gamma.par_iter_mut().zip(beta.par_iter_mut());
        columns.zip(into).with_min_len(PART).for_each(|((slope, normal), (gamma, beta))| {
            *beta = slope.iter().copied().sum();
            *gamma = slope.iter().zip(normal).map(|(slope, normal)| *slope * *normal).sum();
        });
        let Some(back) = back else { return };
        back.resize(slope.len(), T::default());
        let share = if *training { T::of(1.0 / count as f64) } else { T::default() };
        let columns = back.par_chunks_mut(count.max(1)).zip(slope.par_chunks(count.max(1)));
        let columns = columns.zip(kept.par_chunks(count.max(1))).with_min_len(PART);
        columns.enumerate().for_each(|(place, ((back, slope), normal))| {
            let scale = params[place] * sums[SUMS * place + 2];
            let (along, level) = (share * gamma[place], share * beta[place]);
            for ((back, slope), normal) in back.iter_mut().zip(slope).zip(normal) {
                *back = scale * (*slope - level - *normal * along);
            }
        });
    }

    fn learn(&self, state: &mut [T], tape: &Tape<T>) {
        let (kept, new) = (T::of(DECAY), T::of(1.0 - DECAY));
        let (means, variances) = state.split_at_mut(self.width);
        let seen = tape.sums.chunks_exact(SUMS);
        for ((mean, variance), seen) in means.iter_mut().zip(variances).zip(seen) {
            *mean = kept * *mean + new * seen[0];
            *variance = kept * *variance + new * seen[1];
        }
    }
}
