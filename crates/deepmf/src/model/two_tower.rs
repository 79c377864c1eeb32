//! Two towers: a network over the rows of a table and one over its columns, compared by the cosine of what they give.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::layer::{
    BatchNorm, Dense, Dropout, Input, Layer, Network, Relu, Samples, SparseDense, Way,
};
use super::{Mode, Model, Numbers, Params, Pass, Precision};
use crate::data::{Entries, Shape};
use crate::linalg::{Mat, Real, dot, norm};
use crate::product::{Cotangent, Outer, Product};
use crate::random::{Purpose, stream};
use crate::{Error, Result};

/// The sizes of both towers; as published by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TowerSizes {
    /// Widths of the hidden layers, each with batch norm, rectifier and dropout.
    pub hidden: Vec<usize>,
    /// Length of what a tower gives.
    pub embedding: usize,
    /// The probability with which dropout keeps a number (0.1 on MovieLens 100K, 0.2 on 1M).
    pub keep: f64,
    /// The least share of its known entries that a sample shows in training: each step draws between it and 1. As published all are shown, the entry that
    /// is to be predicted among them; towers that saw less of the known rows say more of new ones.
    pub shown: f64,
}

impl Default for TowerSizes {
    fn default() -> Self {
        Self { hidden: vec![2048], embedding: 1024, keep: 0.1, shown: 1.0 }
    }
}

/// W_ij = mid + half · cos(u_i, v_j), with u_i = h(row i) and v_j = g(column j) of the table that the model is given as input.
///
/// h and g are networks over the known entries of a row and of a column, of widths `hidden`, then `embedding`, the last with batch norm alone.
/// Products are given for blocks, and need no more than the rows and columns of the block. New rows and columns need no training:
/// [`TwoTower::over`].
///
/// Source: Nguyen, Tsiligianni and Deligiannis 2018, "Extendable neural matrix completion".
#[derive(Clone, Debug)]
pub struct TwoTower<T = f32> {
    inputs: [Arc<Samples<T>>; 2],
    networks: [Network<T>; 2],
    params: Params,
    state: Params,
    /// The middle and half the width of the range.
    scale: (f64, f64),
    shown: f64,
}

/// What one tower leaves in a pass.
#[derive(Clone, Debug, Default)]
pub struct Branch<T> {
    pub(super) samples: Samples<T>,
    pub(super) way: Way<T>,
}

/// Samples that are embedded at once: what bounds the memory of inference.
const AT_ONCE: usize = 256;

/// Places on the tape: embeddings, their lengths, and the slopes with respect to them, each of rows and of columns.
const EMBEDDING: usize = 0;
const LENGTH: usize = 2;
const SLOPE: usize = 4;

fn network<T: Real>(before: usize, sizes: &TowerSizes, side: usize) -> Result<Network<T>> {
    let mut layers: Vec<Arc<dyn Layer<T>>> = Vec::new();
    let mut width = before;
    for (place, &after) in sizes.hidden.iter().chain([&sizes.embedding]).enumerate() {
        layers.push(if place == 0 {
            Arc::new(SparseDense::new(width, after))
        } else {
            Arc::new(Dense::new(width, after))
        });
        layers.push(Arc::new(BatchNorm::new(after)));
        if place < sizes.hidden.len() {
            let number = (2 * place + side) as u32;
            layers.push(Arc::new(Relu::new(after)));
            layers.push(Arc::new(Dropout::new(after, sizes.keep, number)?));
        }
        width = after;
    }
    Network::new(layers)
}

impl<T: Precision> TwoTower<T> {
    /// Towers with random weights over the rows and columns of `entries`, for entries in `range`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a width of zero, `keep` outside (0, 1], or a range that does not ascend.
    pub fn new(
        entries: &Entries,
        range: (f64, f64),
        sizes: &TowerSizes,
        seed: u64,
    ) -> Result<Self> {
        let mut model = Self::shell(entries, range, sizes)?;
        for side in 0..2 {
            let Self { networks, params, state, .. } = &mut model;
            let params = part_mut(networks, side, T::slice_mut(params.numbers_mut()), false);
            let state = part_mut(networks, side, T::slice_mut(state.numbers_mut()), true);
            networks[side].start(params, state, seed, side as u64);
        }
        Ok(model)
    }

    /// Towers of which all numbers are zero.
    fn shell(entries: &Entries, range: (f64, f64), sizes: &TowerSizes) -> Result<Self> {
        let (rows, cols) = entries.shape();
        if sizes.hidden.iter().chain([&sizes.embedding, &rows, &cols]).any(|width| *width == 0) {
            return Err(Error::parameter("every width of a tower", "1 or more", 0));
        }
        if !(sizes.shown > 0.0 && sizes.shown <= 1.0) {
            return Err(Error::parameter("shown", "above 0 and at most 1", sizes.shown));
        }
        let (min, max) = range;
        if !(min.is_finite() && max.is_finite() && min < max) {
            return Err(Error::parameter("the range", "ascending", format!("{min} to {max}")));
        }
        let networks = [network::<T>(cols, sizes, 0)?, network::<T>(rows, sizes, 1)?];
        let named = |state: bool| {
            let sides = ["rows", "cols"].into_iter().zip(&networks);
            let slots = sides.flat_map(move |(side, network)| {
                let slots: Vec<_> =
                    if state { network.state_slots().collect() } else { network.slots().collect() };
                let full = move |name| format!("{side}.{name}");
                slots.into_iter().map(move |(name, rows, cols)| (full(name), rows, cols, false))
            });
            Params::of::<T>(slots)
        };
        let (params, state) = (named(false), named(true));
        let inputs = [Samples::rows(entries), Samples::cols(entries)].map(Arc::new);
        let scale = (0.5 * (min + max), 0.5 * (max - min));
        Ok(Self { inputs, networks, params, state, scale, shown: sizes.shown })
    }

    /// Towers with these parameters and this running state, in the order of [`Model::params`] and [`Model::state`]; what a link appended is left out.
    ///
    /// # Errors
    /// As [`TwoTower::new`]; [`Error::Shape`] if there are not as many numbers.
    pub fn of(
        entries: &Entries,
        range: (f64, f64),
        sizes: &TowerSizes,
        (params, state): (&Numbers, &Numbers),
    ) -> Result<Self> {
        let mut model = Self::shell(entries, range, sizes)?;
        let (expected, found) = (model.params.numbers().len(), params.len());
        if found < expected {
            return Err(Error::shape("the parameters of towers", expected, found));
        }
        let (expected, found) = (model.state.numbers().len(), state.len());
        if found != expected {
            return Err(Error::shape("the running state of towers", expected, found));
        }
        let own = model.params.numbers_mut();
        own.copy_from(&params.first(own.len()));
        model.state.numbers_mut().copy_from(state);
        Ok(model)
    }

    /// How many numbers towers of these sizes have: parameters, and running state.
    pub fn counts((rows, cols): Shape, sizes: &TowerSizes) -> (usize, usize) {
        let mut counts = (0_usize, 0_usize);
        for before in [cols, rows] {
            let mut width = before;
            for &after in sizes.hidden.iter().chain([&sizes.embedding]) {
                // Weights, bias, and the two of batch norm.
                let layer = after.saturating_mul(width.saturating_add(3));
                counts.0 = counts.0.saturating_add(layer);
                counts.1 = counts.1.saturating_add(after.saturating_mul(2));
                width = after;
            }
        }
        counts
    }

    /// The same towers over other rows (each over the columns of the table that they were made for) and other columns
    /// (each over its rows): nothing is trained.
    ///
    /// # Errors
    /// [`Error::Shape`] if a row or a column has another length.
    pub fn over(&self, rows: Samples<T>, cols: Samples<T>) -> Result<Self> {
        let sides = [("every row", &rows, 0), ("every column", &cols, 1)];
        for (what, samples, side) in sides {
            let (expected, found) = (self.inputs[side].width(), samples.width());
            if expected != found {
                return Err(Error::shape(what, format!("{expected} entries"), found));
            }
        }
        Ok(Self { inputs: [Arc::new(rows), Arc::new(cols)], ..self.clone() })
    }

    /// The unit vectors that the tower of a side (rows are side 0, columns side 1) gives, in inference, for other samples than its own: embedding × samples. A sample of nothing has some direction too.
    ///
    /// # Errors
    /// [`Error::Shape`] if a sample has another length.
    pub fn embedded(&self, side: usize, samples: &Samples<T>) -> Result<Mat> {
        let (expected, found) = (self.inputs[side].width(), samples.width());
        if expected != found {
            let what = if side == 0 { "every row" } else { "every column" };
            return Err(Error::shape(what, format!("{expected} entries"), found));
        }
        let params = part(&self.networks, side, T::slice(self.params.numbers()), false);
        let state = part(&self.networks, side, T::slice(self.state.numbers()), true);
        let width = self.networks[side].widths().1;
        let mut vectors = Mat::zeros(width, samples.count());
        let (mut some, mut way) = (Samples::default(), Way::default());
        let ids: Vec<u32> = (0..samples.count() as u32).collect();
        for (ids, vectors) in
            ids.chunks(AT_ONCE).zip(vectors.values_mut().chunks_mut(AT_ONCE * width))
        {
            some.take(samples, ids);
            let input = Input::Sparse(&some);
            self.networks[side].forward(params, state, input, Mode::Inference, &mut way);
            for (sample, vector) in vectors.chunks_mut(width).enumerate() {
                let given = way.output().iter().skip(sample).step_by(ids.len());
                vector.iter_mut().zip(given).for_each(|(x, given)| *x = given.double());
                let length = norm(vector).max(f64::MIN_POSITIVE);
                for x in vector {
                    *x /= length;
                }
            }
        }
        Ok(vectors)
    }

    /// Leaves out what a link appended to the parameters.
    pub fn shed(&mut self) {
        self.params = self.params.first(self.networks.iter().map(Network::count).sum());
    }

    /// How many entries a sample of a side could have: rows are side 0, columns side 1.
    pub fn input_width(&self, side: usize) -> usize {
        self.inputs[side].width()
    }

    /// [`TwoTower::embedded`] for the samples of its own.
    ///
    /// # Errors
    /// None here.
    pub fn embeddings(&self) -> Result<[Mat; 2]> {
        Ok([self.embedded(0, &self.inputs[0])?, self.embedded(1, &self.inputs[1])?])
    }

    /// What the tower of a side gave for one sample: a column of the factor, unit vectors times `length`, and one more number.
    fn embed(&self, side: usize, pass: &mut Pass) {
        let mode = pass.mode;
        let block = pass.block.take();
        let branch = &mut T::branches(pass)[side];
        let hides = self.hides(mode);
        let input = if block.is_some() || hides {
            let all: Vec<u32>;
            let ids = match (&block, side) {
                (Some(block), 0) => block.rows(),
                (Some(block), _) => block.cols(),
                (None, _) => {
                    all = (0..self.inputs[side].count() as u32).collect();
                    &all
                }
            };
            branch.samples.take(&self.inputs[side], ids);
            if let Mode::Training { seed, step } = mode
                && hides
            {
                let mut draws = stream(seed, Purpose::Shown, 2 * step + side as u64);
                branch.samples.show(self.shown, &mut draws);
            }
            &branch.samples
        } else {
            &*self.inputs[side]
        };
        let network = &self.networks[side];
        let params = part(&self.networks, side, T::slice(self.params.numbers()), false);
        let state = part(&self.networks, side, T::slice(self.state.numbers()), true);
        network.forward(params, state, Input::Sparse(input), mode, &mut branch.way);
        let count = input.count();
        pass.block = block;

        let tape = pass.tape(SLOPE + 2);
        let mut factor = std::mem::take(&mut tape[EMBEDDING + side]);
        let mut lengths = std::mem::take(&mut tape[LENGTH + side]);
        let output = T::branches(pass)[side].way.output();
        let width = output.len() / count.max(1);
        factor.reshape(width + 1, count);
        lengths.reshape(1, count);
        let (size, last) = if side == 0 { (self.scale.1, self.scale.0) } else { (1.0, 1.0) };
        let columns = factor.values_mut().par_chunks_mut(width + 1).zip(lengths.values_mut());
        columns.enumerate().for_each(|(sample, (column, length))| {
            let given = output.iter().skip(sample).step_by(count);
            column.iter_mut().zip(given).for_each(|(x, given)| *x = given.double());
            column[width] = last;
            // The direction of nothing is nothing.
            *length = norm(&column[..width]).max(f64::MIN_POSITIVE);
            let scale = size / *length;
            column[..width].iter_mut().for_each(|x| *x *= scale);
        });
        let tape = pass.tape(SLOPE + 2);
        (tape[EMBEDDING + side], tape[LENGTH + side]) = (factor, lengths);
    }

    /// Whether samples show less than they have.
    fn hides(&self, mode: Mode) -> bool {
        mode != Mode::Inference && self.shown < 1.0
    }

    /// Carries the slope with respect to the factor of a side back through the cosine and the tower.
    fn pull(&self, side: usize, slope: &Mat, pass: &mut Pass, into: &mut Params) {
        let tape = pass.tape(SLOPE + 2);
        let factor = std::mem::take(&mut tape[EMBEDDING + side]);
        let lengths = std::mem::take(&mut tape[LENGTH + side]);
        let (width, count) = (factor.rows() - 1, factor.cols());
        let size = if side == 0 { self.scale.1 } else { 1.0 };
        let taken = pass.block.is_some() || self.hides(pass.mode);
        let Branch { samples, way } = &mut T::branches(pass)[side];
        let back = way.slope_mut();
        back.resize(width * count, T::default());
        for sample in 0..count {
            let (x, g) = (&factor.col(sample)[..width], &slope.col(sample)[..width]);
            let along = dot(x, g) / size;
            let scale = 1.0 / lengths.values()[sample];
            for (place, (x, g)) in x.iter().zip(g).enumerate() {
                back[place * count + sample] = T::of(scale * (size * g - along * x));
            }
        }
        let input = if taken { &*samples } else { &*self.inputs[side] };
        let network = &self.networks[side];
        let params = part(&self.networks, side, T::slice(self.params.numbers()), false);
        let into = part_mut(&self.networks, side, T::slice_mut(into.numbers_mut()), false);
        network.backward(params, Input::Sparse(input), way, into);
        let tape = pass.tape(SLOPE + 2);
        (tape[EMBEDDING + side], tape[LENGTH + side]) = (factor, lengths);
    }
}

/// Where the numbers of a side stand: rows first, columns after them, whatever a link appends last.
fn range<T: Real>(networks: &[Network<T>; 2], side: usize, state: bool) -> Range<usize> {
    let count = |side: usize| {
        if state { networks[side].state_count() } else { networks[side].count() }
    };
    if side == 0 { 0..count(0) } else { count(0)..count(0) + count(1) }
}

fn part<'a, T: Real>(
    networks: &[Network<T>; 2],
    side: usize,
    all: &'a [T],
    state: bool,
) -> &'a [T] {
    &all[range(networks, side, state)]
}

fn part_mut<'a, T: Real>(
    networks: &[Network<T>; 2],
    side: usize,
    all: &'a mut [T],
    state: bool,
) -> &'a mut [T] {
    &mut all[range(networks, side, state)]
}

impl<T: Precision> Model for TwoTower<T> {
    fn shape(&self) -> Shape {
        (self.inputs[0].count(), self.inputs[1].count())
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    fn is_network(&self) -> bool {
        true
    }

    fn state(&self) -> Option<&Params> {
        Some(&self.state)
    }

    fn state_mut(&mut self) -> Option<&mut Params> {
        Some(&mut self.state)
    }

    fn learn(&mut self, pass: &mut Pass) {
        if pass.mode == Mode::Inference {
            return;
        }
        for (side, branch) in T::branches(pass).iter().enumerate() {
            let network = &self.networks[side];
            let state =
                part_mut(&self.networks, side, T::slice_mut(self.state.numbers_mut()), true);
            network.learn(state, &branch.way);
        }
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        self.embed(0, pass);
        self.embed(1, pass);
        let tape = pass.tape(SLOPE + 2);
        Product::Outer(Outer { left: tape[EMBEDDING].view(), right: tape[EMBEDDING + 1].view() })
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let tape = pass.tape(SLOPE + 2);
        let (factors, slopes) = tape.split_at_mut(SLOPE);
        let [left, right] = slopes else { unreachable!("two slopes at the end of the tape") };
        product.right_product(factors[EMBEDDING + 1].view(), left);
        product.left_product(factors[EMBEDDING].view(), right);
        for side in 0..2 {
            let slope = std::mem::take(&mut pass.tape(SLOPE + 2)[SLOPE + side]);
            self.pull(side, &slope, pass, into);
            pass.tape(SLOPE + 2)[SLOPE + side] = slope;
        }
    }
}
