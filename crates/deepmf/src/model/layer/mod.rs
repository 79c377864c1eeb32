//! Layers of networks: each maps a batch of samples forward, and the slope of a loss backward.
//!
//! A batch is a matrix of samples × numbers, stored column after column, so that all samples of one number are contiguous.

mod batch_norm;
mod dense;
mod dropout;
mod gather;
pub mod grid;
mod latents;
mod network;
mod relu;
mod samples;
mod smooth;
mod sparse_dense;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub use dropout::Dropout;
pub use latents::Latents;
pub use network::{Network, Way};
pub use relu::Relu;
pub use samples::Samples;
pub use smooth::{ScaledTanh, Sigmoid};
pub use sparse_dense::SparseDense;

use crate::linalg::Real;
use crate::random::{RngExt, Stream};

/// Numbers of a sample that one thread takes at a time: a property of the layer, never of the number of threads.
const PART: usize = 32;

/// Whether a pass is one of training, and what its draws depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is dropped, norms use their running means.
    #[default]
    Inference,
    /// Numbers are dropped, norms use the means of the batch.
    Training {
        /// The seed of the run.
        seed: u64,
        /// The step, which makes other draws than the one before.
        step: u64,
    },
}

/// A batch that a layer is given.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a, T> {
    /// All numbers.
    Dense {
        /// Number of samples.
        count: usize,
        /// Samples × numbers, column after column.
        values: &'a [T],
    },
    /// All numbers, where no slope is looked at that comes back to a zero: such as a rectifier leaves.
    Thin {
        /// Number of samples.
        count: usize,
        /// Samples × numbers, column after column.
        values: &'a [T],
    },
    /// The numbers that are not zero.
    Sparse(&'a Samples<T>),
}

impl<'a, T> Input<'a, T> {
    /// Number of samples, and all numbers.
    ///
    /// # Panics
    /// If the batch is sparse: only [`SparseDense`] takes such.
    fn dense(self) -> (usize, &'a [T]) {
        match self {
            Self::Dense { count, values } | Self::Thin { count, values } => (count, values),
            Self::Sparse(_) => unreachable!("only a first layer of its own takes sparse samples"),
        }
    }
}

/// What a layer leaves behind on the way forward.
#[derive(Clone, Debug, Default)]
pub struct Tape<T> {
    /// Samples × numbers, column after column.
    pub output: Vec<T>,
    kept: Vec<T>,
    sums: Vec<T>,
    training: bool,
    /// Whether a zero of the output passes no slope back.
    thin: bool,
    /// The input by sample, where few of its numbers are not zero.
    samples: Samples<T>,
}

/// A map from batches to batches, with parameters and, for some, a running state that training fills.
///
/// A new member must be listed in the laws of this module, where the way back is held to be the transpose of the derivative.
pub trait Layer<T: Real>: Debug + Send + Sync {
    /// How many numbers a sample has before, and after.
    fn widths(&self) -> (usize, usize);

    /// Name, rows and columns of each matrix of its parameters, which follow each other column after column.
    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        Vec::new()
    }

    /// The same of its running state.
    fn state_slots(&self) -> Vec<(&'static str, usize, usize)> {
        Vec::new()
    }

    /// Parameters and state before the first step; both come filled with zeros.
    fn start(&self, params: &mut [T], state: &mut [T], random: &mut Stream) {
        let _ = (params, state, random);
    }

    /// `tape.output` ← the layer at `input`.
    fn forward(
        &self,
        params: &[T],
        state: &[T],
        input: Input<'_, T>,
        mode: Mode,
        tape: &mut Tape<T>,
    );

    /// `into` ← the slope with respect to the parameters and, if asked for, `back` ← the one with respect to the input, where
    /// `slope` is the one with respect to the output. `tape` must come from [`Layer::forward`] with the same arguments.
    fn backward(
        &self,
        params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    );

    /// Takes what a training pass has seen into the running state.
    fn learn(&self, state: &mut [T], tape: &Tape<T>) {
        let _ = (state, tape);
    }
}

/// Draws weights uniformly from ±√(6 / (before + after)) (Glorot and Bengio 2010).
fn glorot<T: Real>((before, after): (usize, usize), weights: &mut [T], random: &mut Stream) {
    let limit = (6.0 / (before + after) as f64).sqrt();
    for w in weights {
        *w = T::of(random.random_range(-limit..limit));
    }
}
