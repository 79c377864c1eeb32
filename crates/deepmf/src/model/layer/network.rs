//! A network: layers one after another, their parameters one after another in one run of numbers.

use std::sync::Arc;

use super::{Input, Layer, Mode, Tape};
use crate::linalg::Real;
use crate::random::{Purpose, stream};
use crate::{Error, Result};

/// Layers one after another.
#[derive(Clone, Debug)]
pub struct Network<T> {
    layers: Vec<Arc<dyn Layer<T>>>,
    /// By what each is named, and draws its start.
    numbers: Vec<usize>,
    /// How many numbers the parameters and the running state of each layer are.
    counts: Vec<[usize; 2]>,
}

/// What one pass through a network leaves behind, kept so that no step allocates.
#[derive(Clone, Debug, Default)]
pub struct Way<T> {
    tapes: Vec<Tape<T>>,
    slope: Vec<T>,
    back: Vec<T>,
}

impl<T> Way<T> {
    /// The output of the last layer: samples × numbers, column after column.
    pub fn output(&self) -> &[T] {
        self.tapes.last().map_or(&[], |tape| &tape.output)
    }

    /// Where the slope with respect to the output is written before [`Network::backward`].
    pub fn slope_mut(&mut self) -> &mut Vec<T> {
        &mut self.slope
    }
}

fn count(slots: Vec<(&'static str, usize, usize)>) -> usize {
    slots.into_iter().map(|(_, rows, cols)| rows * cols).sum()
}

impl<T: Real> Network<T> {
    /// These layers, the first one first.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is none; [`Error::Shape`] if one does not take as many numbers as the one before gives.
    pub fn new(layers: Vec<Arc<dyn Layer<T>>>) -> Result<Self> {
        Self::numbered(layers.into_iter().enumerate().collect())
    }

    /// These layers, each with a number of its own by which it is named and draws its start: one that does the work of several has that of the last.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn numbered(layers: Vec<(usize, Arc<dyn Layer<T>>)>) -> Result<Self> {
        let (numbers, layers): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
        if layers.is_empty() {
            return Err(Error::parameter("the number of layers", "1 or more", 0));
        }
        for (place, pair) in layers.windows(2).enumerate() {
            let (given, taken) = (pair[0].widths().1, pair[1].widths().0);
            if given != taken {
                let (what, given) = (format!("layer {}", place + 2), format!("{given} inputs"));
                return Err(Error::shape(what, given, taken));
            }
        }
        let counts = |layer: &Arc<dyn Layer<T>>| [layer.slots(), layer.state_slots()].map(count);
        let counts = layers.iter().map(counts).collect();
        Ok(Self { layers, numbers, counts })
    }

    /// Name, rows and columns of each matrix of the parameters: `0.weight`, …
    pub fn slots(&self) -> impl Iterator<Item = (String, usize, usize)> + '_ {
        named(self, |layer| layer.slots())
    }

    /// The same of the running state.
    pub fn state_slots(&self) -> impl Iterator<Item = (String, usize, usize)> + '_ {
        named(self, |layer| layer.state_slots())
    }

    /// How many numbers a sample has before the first layer, and after the last.
    pub fn widths(&self) -> (usize, usize) {
        let end = |layer: Option<&Arc<dyn Layer<T>>>| layer.map_or((0, 0), |layer| layer.widths());
        (end(self.layers.first()).0, end(self.layers.last()).1)
    }

    /// How many numbers all layers put out for a sample.
    pub fn outputs(&self) -> usize {
        self.layers.iter().map(|layer| layer.widths().1).sum()
    }

    /// How many numbers the parameters are.
    pub fn count(&self) -> usize {
        self.counts.iter().map(|[params, _]| params).sum()
    }

    /// How many numbers the running state is.
    pub fn state_count(&self) -> usize {
        self.counts.iter().map(|[_, state]| state).sum()
    }

    /// Draws all parameters and sets the state as before the first step; `item` tells networks of one seed apart.
    pub fn start(&self, params: &mut [T], state: &mut [T], seed: u64, item: u64) {
        params.fill(T::default());
        state.fill(T::default());
        let (mut params, mut state) = (params, state);
        for ((number, layer), [own, own_state]) in
            self.numbers.iter().zip(&self.layers).zip(&self.counts)
        {
            let (own, rest) = params.split_at_mut(*own);
            let (own_state, rest_state) = state.split_at_mut(*own_state);
            let mut random = stream(seed, Purpose::Init, (item << 16) + *number as u64);
            layer.start(own, own_state, &mut random);
            (params, state) = (rest, rest_state);
        }
    }

    /// Leaves the network at `input` in `way`.
    pub fn forward(
        &self,
        params: &[T],
        state: &[T],
        input: Input<'_, T>,
        mode: Mode,
        way: &mut Way<T>,
    ) {
        way.tapes.resize_with(self.layers.len(), Tape::default);
        let samples = samples(input);
        let (mut params, mut state) = (params, state);
        for (place, layer) in self.layers.iter().enumerate() {
            let [own, own_state] = self.counts[place];
            let (own, rest) = params.split_at(own);
            let (own_state, rest_state) = state.split_at(own_state);
            let (before, tapes) = way.tapes.split_at_mut(place);
            let input = between(samples, before, input);
            layer.forward(own, own_state, input, mode, &mut tapes[0]);
            (params, state) = (rest, rest_state);
        }
    }

    /// `into` ← the slope with respect to the parameters, where [`Way::slope_mut`] holds that with respect to the output.
    /// `way` must come from [`Network::forward`] with the same arguments.
    pub fn backward(&self, params: &[T], input: Input<'_, T>, way: &mut Way<T>, into: &mut [T]) {
        let samples = samples(input);
        let Way { tapes, slope, back } = way;
        let (mut params, mut into) = (params, into);
        for (place, layer) in self.layers.iter().enumerate().rev() {
            let first = params.len() - self.counts[place][0];
            let (rest, own) = params.split_at(first);
            let (rest_into, own_into) = into.split_at_mut(first);
            let (before, tapes) = tapes.split_at_mut(place);
            let input = between(samples, before, input);
            let wanted = (place > 0).then_some(&mut *back);
            layer.backward(own, input, &mut tapes[0], slope, own_into, wanted);
            std::mem::swap(slope, back);
            (params, into) = (rest, rest_into);
        }
    }

    /// Takes what a training pass has seen into the running state.
    pub fn learn(&self, state: &mut [T], way: &Way<T>) {
        let mut state = state;
        for ((layer, tape), [_, own]) in self.layers.iter().zip(&way.tapes).zip(&self.counts) {
            let (own, rest) = state.split_at_mut(*own);
            layer.learn(own, tape);
            state = rest;
        }
    }
}

fn samples<T: Real>(input: Input<'_, T>) -> usize {
    match input {
        Input::Dense { count, .. } | Input::Thin { count, .. } => count,
        Input::Sparse(samples) => samples.count(),
    }
}

/// What a layer is given: the input of the network, or the output of the layer before it.
fn between<'a, T>(count: usize, before: &'a [Tape<T>], input: Input<'a, T>) -> Input<'a, T> {
    match before.last() {
        Some(tape) if tape.thin => Input::Thin { count, values: &tape.output },
        Some(tape) => Input::Dense { count, values: &tape.output },
        None => input,
    }
}

fn named<'a, T: Real>(
    network: &'a Network<T>,
    slots: impl Fn(&dyn Layer<T>) -> Vec<(&'static str, usize, usize)> + 'a,
) -> impl Iterator<Item = (String, usize, usize)> + 'a {
    network.numbers.iter().zip(&network.layers).flat_map(move |(number, layer)| {
        let own = slots(&**layer).into_iter();
        own.map(move |(name, rows, cols)| (format!("{number}.{name}"), rows, cols))
    })
}
