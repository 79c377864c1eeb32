//! A network on one side of W with a linear last layer: its codes and the weights of that layer are thin factors.

use rayon::prelude::*;

use super::layer::{Input, Network, Samples};
use super::{Branch, Params, Pass, Precision};
use crate::Result;
use crate::linalg::Mat;
use crate::random::{Purpose, RngExt, stream};

/// Places on the tape: codes, weights, and the slopes with respect to them.
const CODES: usize = 0;
const WEIGHTS: usize = 1;
const SLOPE: usize = 2;

/// What the network is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a, T> {
    /// Nothing: so many samples that a first layer holds.
    Nothing(usize),
    /// These samples.
    All(&'a Samples<T>),
    /// The samples that were taken into the branch of the pass.
    Taken,
}

impl<'a, T> Given<'a, T> {
    fn input(self, taken: &'a Samples<T>) -> Input<'a, T> {
        match self {
            Self::Nothing(count) => Input::Dense { count, values: &[] },
            Self::All(samples) => Input::Sparse(samples),
            Self::Taken => Input::Sparse(taken),
        }
    }
}

/// ⟨w_p, h_s⟩ + b_p for output p and sample s, with h_s the code that a network gives of sample s.
#[derive(Clone, Debug)]
pub(super) struct LinearOutput<T> {
    network: Network<T>,
    /// The length of a code.
    width: usize,
    /// How many outputs there are.
    outputs: usize,
}

impl<T: Precision> LinearOutput<T> {
    pub(super) fn new(network: Network<T>, width: usize, outputs: usize) -> Self {
        Self { network, width, outputs }
    }

    /// Zeros for the network, then `output.weight` (width × outputs) and `output.bias`.
    pub(super) fn params(&self) -> Params {
        let own = [("output.weight", self.width), ("output.bias", 1)];
        let own = own.map(|(name, rows)| (name.to_string(), rows, self.outputs, false));
        let network = self.network.slots().map(|(name, rows, cols)| (name, rows, cols, false));
        Params::of::<T>(network.chain(own))
    }

    /// Draws weights, and biases if `biases` is set, uniformly from ±`scale` √(6 / (before + after)); latents and other biases stay zero.
    pub(super) fn start(params: &mut Params, scale: f64, biases: bool, seed: u64) {
        let mut limit = 0.0;
        for place in 0..params.slots().len() {
            let slot = &params.slots()[place];
            let (is_weight, is_bias) = (slot.name.ends_with("weight"), slot.name.ends_with("bias"));
            if is_weight {
                limit = scale * (6.0 / (slot.rows + slot.cols) as f64).sqrt();
            }
            if is_weight || (is_bias && biases) {
                let mut random = stream(seed, Purpose::Init, place as u64);
                for x in params.part_mut::<T>(place) {
                    *x = T::of(random.random_range(-limit..limit));
                }
            }
        }
    }

    /// How many outputs there are.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The codes (h | 1) and the weights (w | b) that the last way forward has left: (width + 1) × count each.
    pub(super) fn factors(pass: &mut Pass) -> (&Mat, &Mat) {
        let tape = pass.tape(SLOPE + 2);
        (&tape[CODES], &tape[WEIGHTS])
    }

    fn split<'a>(&self, numbers: &'a [T]) -> (&'a [T], &'a [T], &'a [T]) {
        let (network, own) = numbers.split_at(self.network.count());
        let (weight, bias) = own.split_at(self.width * self.outputs);
        (network, weight, bias)
    }

    /// Leaves codes and weights in `pass`, the latter of the outputs `which`, or of all.
    pub(super) fn forward(
        &self,
        params: &Params,
        given: Given<'_, T>,
        which: Option<&[u32]>,
        pass: &mut Pass,
    ) {
        let (own, weight, bias) = self.split(T::slice(params.numbers()));
        let (mode, width) = (pass.mode, self.width);
        let Branch { samples, way, .. } = &mut T::branches(pass)[0];
        self.network.forward(own, &[], given.input(samples), mode, way);
        let tape = pass.tape(SLOPE + 2);
        let mut codes = std::mem::take(&mut tape[CODES]);
        let output = T::branches(pass)[0].way.output();
        let count = output.len() / width;
        codes.reshape(width + 1, count);
        codes.values_mut().par_chunks_mut(width + 1).enumerate().for_each(|(sample, code)| {
            let given = output.iter().skip(sample).step_by(count);
            code.iter_mut().zip(given).for_each(|(x, given)| *x = given.double());
            code[width] = 1.0;
        });
        let tape = pass.tape(SLOPE + 2);
        tape[CODES] = codes;
        let weights = &mut tape[WEIGHTS];
        weights.reshape(width + 1, which.map_or(self.outputs, <[u32]>::len));
        let columns = weights.values_mut().par_chunks_mut(width + 1).enumerate();
        columns.for_each(|(place, column)| {
            let output = which.map_or(place, |which| which[place] as usize);
            let from = &weight[output * width..(output + 1) * width];
            column.iter_mut().zip(from).for_each(|(x, w)| *x = w.double());
            column[width] = bias[output].double();
        });
    }

    /// `into` ← the slopes, where `slopes` writes those with respect to codes and weights, given both.
    pub(super) fn backward(
        &self,
        params: &Params,
        given: Given<'_, T>,
        which: Option<&[u32]>,
        pass: &mut Pass,
        slopes: impl FnOnce([&Mat; 2], [&mut Mat; 2]),
        into: &mut Params,
    ) {
        let width = self.width;
        let [codes, weights, of_codes, of_weights, ..] = pass.tape(SLOPE + 2) else {
            unreachable!("the tape of this model has four places or more")
        };
        slopes([codes, weights], [of_codes, of_weights]);
        let (network, own) = T::slice_mut(into.numbers_mut()).split_at_mut(self.network.count());
        let (weight, bias) = own.split_at_mut(width * self.outputs);
        if which.is_some() {
            weight.fill(T::default());
            bias.fill(T::default());
        }
        for (place, column) in of_weights.values().chunks_exact(width + 1).enumerate() {
            let output = which.map_or(place, |which| which[place] as usize);
            let to = weight[output * width..(output + 1) * width].iter_mut();
            to.zip(column).for_each(|(to, x)| *to = T::of(*x));
            bias[output] = T::of(column[width]);
        }
        let count = of_codes.cols();
        let of_codes = std::mem::take(of_codes);
        let Branch { samples, way, .. } = &mut T::branches(pass)[0];
        let back = way.slope_mut();
        back.resize(width * count, T::default());
        back.par_chunks_mut(count.max(1)).enumerate().for_each(|(r, back)| {
            let given = of_codes.values().iter().skip(r).step_by(width + 1);
            back.iter_mut().zip(given).for_each(|(back, x)| *back = T::of(*x));
        });
        let (own, ..) = self.split(T::slice(params.numbers()));
        self.network.backward(own, given.input(samples), way, network);
        pass.tape(SLOPE + 2)[SLOPE] = of_codes;
    }
}

/// Every width must be one.
pub(super) fn must_have_widths(what: &str, widths: &[usize]) -> Result<()> {
    if widths.contains(&0) {
        return Err(crate::Error::parameter(format!("every width of {what}"), "1 or more", 0));
    }
    Ok(())
}
