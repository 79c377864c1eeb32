//! A stack of layers over a grid, each given what the one before puts out.

use std::sync::Arc;

use crate::Result;
use crate::linalg::Real;
use crate::model::layer::grid::{
    Appended, Bilinear, ChannelDropout, Convolution, DarkHead, ExpHead, Grid, LeakyRelu, Padding,
    ScaledChannels, Tanh, Upsampled, Windowed,
};
use crate::model::layer::{Latents, Layer, Network};

/// Layers so far, with the grid and the channels that the next one is given.
pub(super) struct Stack<T> {
    pub(super) grid: Grid,
    pub(super) channels: usize,
    layers: Vec<Arc<dyn Layer<T>>>,
}

impl<T: Real> Stack<T> {
    /// Trained latents that start with this deviation.
    pub(super) fn latents(grid: Grid, channels: usize, deviation: f64) -> Self {
        let latents = Latents::drawn(1, grid.positions() * channels, deviation);
        Self { grid, channels, layers: vec![Arc::new(latents)] }
    }

    fn then(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    fn width(&self) -> usize {
        self.grid.positions() * self.channels
    }

    pub(super) fn dropout(self, keep: f64, number: u32) -> Result<Self> {
        let layer = ChannelDropout::new(self.grid, self.channels, keep, number)?;
        Ok(self.then(layer))
    }

    /// Coordinates beside the channels, and one more map where there is one.
    pub(super) fn coordinates(self, map: Option<Vec<f64>>) -> Self {
        let layer = Appended::coordinates(self.grid, self.channels);
        let layer = map.into_iter().fold(layer, Appended::and);
        let channels = layer.channels();
        Self { channels, ..self.then(layer) }
    }

    /// A convolution to `after` channels, with this mean and deviation of the biases.
    pub(super) fn convolution(self, padding: Padding, after: usize, bias: (f64, f64)) -> Self {
        let layer = Convolution::new(self.grid, padding, self.channels, after);
        Self { channels: after, ..self.then(layer.bias(bias.0, bias.1)) }
    }

    pub(super) fn leaky(self) -> Self {
        let layer = LeakyRelu::new(self.width());
        self.then(layer)
    }

    pub(super) fn tanh(self) -> Self {
        let layer = Tanh::new(self.width());
        self.then(layer)
    }

    pub(super) fn windowed(self) -> Self {
        let layer = Windowed::hann(self.grid, self.channels);
        self.then(layer)
    }

    pub(super) fn upsampled(self, factors: [usize; 3]) -> Self {
        let layer = Upsampled::new(self.grid, factors, self.channels);
        Self { grid: self.grid.times(factors), ..self.then(layer) }
    }

    pub(super) fn bilinear(self) -> Self {
        let layer = Bilinear::new(self.grid, self.channels);
        Self { grid: self.grid.times([1, 2, 2]), ..self.then(layer) }
    }

    pub(super) fn exp(self, shift: f64) -> Self {
        let layer = ExpHead::new(self.width(), shift);
        self.then(layer)
    }

    /// Light above a trained black level: half of the channels are left.
    pub(super) fn dark(self) -> Self {
        let colours = self.channels / 2;
        let layer = DarkHead::new(self.grid, colours);
        Self { channels: colours, ..self.then(layer) }
    }

    pub(super) fn scaled(self) -> Self {
        let layer = ScaledChannels::new(self.grid, self.channels);
        self.then(layer)
    }

    pub(super) fn network(self) -> Result<Network<T>> {
        Network::new(self.layers)
    }
}
