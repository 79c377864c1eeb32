//! Two towers: a network over the rows of a table and one over its columns, compared by the cosine of what they give.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::layer::{Input, Network, Samples, Way};
use super::{FactorRoom, Mode, Model, Numbers, Params, Pass, Precision, ProductRoom, TowerSizes};
use crate::data::{Entries, Shape};
use crate::linalg::{Mat, Real, dot, norm};
use crate::product::{Cotangent, Outer, Product};
use crate::random::{Purpose, stream};
use crate::{Error, Result};

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
    sizes: TowerSizes,
}

/// What one tower leaves in a pass.
#[derive(Clone, Debug, Default)]
pub struct Branch<T> {
    pub(super) samples: Samples<T>,
    pub(super) way: Way<T>,
    pub(super) product: ProductRoom<T>,
    pub(super) factors: FactorRoom<T>,
}

/// Samples that are embedded at once: what bounds the memory of inference.
const AT_ONCE: usize = 256;

/// Places on the tape: embeddings, their lengths, and the slopes with respect to them, each of rows and of columns.
const EMBEDDING: usize = 0;
const LENGTH: usize = 2;
const SLOPE: usize = 4;

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
        let networks = [sizes.network(cols, 0)?, sizes.network(rows, 1)?];
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
        Ok(Self { inputs, networks, params, state, scale, sizes: sizes.clone() })
    }

    /// Towers with these parameters and this running state, in the order of [`Model::params`] and [`Model::state`].
    ///
    /// # Errors
    /// As [`TwoTower::new`]; [`Error::Shape`] if there are not as many numbers.
    pub fn of(
        entries: &Entries,
        range: (f64, f64),
        sizes: &TowerSizes,
        (params, state): (&Numbers, &Numbers),
    ) -> Result<Self> {
        let (expected, found) = (sizes.counts(entries.shape()), (params.len(), state.len()));
        if expected != found {
            let (expected, found) = (format!("{expected:?} numbers"), format!("{found:?}"));
            return Err(Error::shape("the pair of parameters and state", expected, found));
        }
        let mut model = Self::shell(entries, range, sizes)?;
        model.params.numbers_mut().copy_from(params);
        model.state.numbers_mut().copy_from(state);
        Ok(model)
    }

    /// The same towers over other rows (each over the columns of the table that they were made for) and other columns
    /// (each over its rows): nothing is trained.
    ///
    /// # Errors
    /// [`Error::Shape`] if a row or a column has another length.
    pub fn over(&self, rows: Samples<T>, cols: Samples<T>) -> Result<Self> {
        self.fits(0, &rows)?;
        self.fits(1, &cols)?;
        Ok(Self { inputs: [Arc::new(rows), Arc::new(cols)], ..self.clone() })
    }

    /// That samples are as long as those of a side.
    fn fits(&self, side: usize, samples: &Samples<T>) -> Result<()> {
        let (expected, found) = (self.inputs[side].width(), samples.width());
        if expected == found {
            return Ok(());
        }
        let what = if side == 0 { "every row" } else { "every column" };
        Err(Error::shape(what, format!("{expected} entries"), found))
    }

    /// The unit vectors that the tower of a side (rows are side 0, columns side 1) gives, in inference, for other samples than its own: embedding ×
    /// samples. A sample of nothing has some direction too.
    ///
    /// # Errors
    /// [`Error::Shape`] if a sample has another length.
    pub fn embedded(&self, side: usize, samples: &Samples<T>) -> Result<Mat> {
        self.fits(side, samples)?;
        Ok(self.vectors(side, samples))
    }

    /// [`TwoTower::embedded`] for the rows and the columns of its own.
    pub fn embeddings(&self) -> [Mat; 2] {
        [self.vectors(0, &self.inputs[0]), self.vectors(1, &self.inputs[1])]
    }

    fn vectors(&self, side: usize, samples: &Samples<T>) -> Mat {
        let params = part(&self.networks, side, T::slice(self.params.numbers()), false);
        let state = part(&self.networks, side, T::slice(self.state.numbers()), true);
        let mut vectors = Mat::zeros(self.sizes.embedding, samples.count());
        let (mut some, mut way) = (Samples::default(), Way::default());
        let ids: Vec<u32> = (0..samples.count() as u32).collect();
        for ids in ids.chunks(AT_ONCE) {
            some.take(samples, ids);
            let input = Input::Sparse(&some);
            self.networks[side].forward(params, state, input, Mode::Inference, &mut way);
            for (sample, id) in ids.iter().enumerate() {
                unit(way.output(), (sample, ids.len()), 1.0, vectors.col_mut(*id as usize));
            }
        }
        vectors
    }

    /// Leaves out what a link appended to the parameters.
    pub fn shed(&mut self) {
        self.params = self.params.first(self.networks.iter().map(Network::count).sum());
    }

    /// The sizes of both towers.
    pub fn sizes(&self) -> &TowerSizes {
        &self.sizes
    }

    /// How many entries a sample of a side could have: rows are side 0, columns side 1.
    pub fn input_width(&self, side: usize) -> usize {
        self.inputs[side].width()
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
                branch.samples.show(self.sizes.shown, &mut draws);
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
            column[width] = last;
            *length = unit(output, (sample, count), size, &mut column[..width]);
        });
        let tape = pass.tape(SLOPE + 2);
        (tape[EMBEDDING + side], tape[LENGTH + side]) = (factor, lengths);
    }

    /// Whether samples show less than they have.
    fn hides(&self, mode: Mode) -> bool {
        mode != Mode::Inference && self.sizes.shown < 1.0
    }

    /// Carries the slope with respect to the factor of a side back through the cosine and the tower.
    fn pull(&self, side: usize, slope: &Mat, pass: &mut Pass, into: &mut Params) {
        let tape = pass.tape(SLOPE + 2);
        let factor = std::mem::take(&mut tape[EMBEDDING + side]);
        let lengths = std::mem::take(&mut tape[LENGTH + side]);
        let (width, count) = (factor.rows() - 1, factor.cols());
        let size = if side == 0 { self.scale.1 } else { 1.0 };
        let taken = pass.block.is_some() || self.hides(pass.mode);
        let Branch { samples, way, .. } = &mut T::branches(pass)[side];
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

/// `vector` ← what a tower gave for one of `count` samples, `size` long; gives the length that it had.
fn unit<T: Real>(
    output: &[T],
    (sample, count): (usize, usize),
    size: f64,
    vector: &mut [f64],
) -> f64 {
    let given = output.iter().skip(sample).step_by(count);
    vector.iter_mut().zip(given).for_each(|(x, given)| *x = given.double());
    // The direction of nothing is nothing.
    let length = norm(vector).max(f64::MIN_POSITIVE);
    let scale = size / length;
    for x in vector {
        *x *= scale;
    }
    length
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
