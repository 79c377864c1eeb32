//! A stack of layers over a grid, each given what the one before puts out.

use std::sync::Arc;

use crate::Result;
use crate::linalg::Real;
use crate::model::layer::grid::{
    Bilinear, ChannelDropout, Convolution, DarkHead, ExpHead, Fixed, Grid, LeakyRelu, Padding,
    ScaledChannels, Tanh, Windowed,
};
use crate::model::layer::{Latents, Layer, Network};

/// Layers so far, with the grid and the channels that the next one is given.
pub(super) struct Stack<T> {
    pub(super) grid: Grid,
    pub(super) channels: usize,
    layers: Vec<(usize, Arc<dyn Layer<T>>)>,
    /// Layers before the next one, those that a convolution does with its own work among them.
    count: usize,
    /// What the next convolution does before its own work.
    factors: [usize; 3],
    fixed: Fixed,
}

impl<T: Real> Stack<T> {
    /// Trained latents that start with this deviation.
    pub(super) fn latents(grid: Grid, channels: usize, deviation: f64) -> Self {
        let latents = Latents::drawn(1, grid.positions() * channels, deviation);
        Self {
            grid,
            channels,
            layers: vec![(0, Arc::new(latents))],
            count: 1,
            factors: [1; 3],
            fixed: Fixed::default(),
        }
    }

    fn then(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.layers.push((self.count, Arc::new(layer)));
        self.count += 1;
        self
    }

    fn width(&self) -> usize {
        self.grid.positions() * self.channels
    }

    pub(super) fn dropout(self, keep: f64, number: u32) -> Result<Self> {
        let layer = ChannelDropout::new(self.grid, self.channels, keep, number)?;
        Ok(self.then(layer))
    }

    /// Coordinates beside the channels of the next convolution, and a number for each row where there is one.
    pub(super) fn coordinates(mut self, of_rows: Option<Vec<f64>>) -> Self {
        let fixed = Fixed::coordinates(self.grid);
        self.fixed = of_rows.into_iter().fold(fixed, Fixed::of_rows);
        self.count += 1;
        self
    }

    /// A convolution to `after` channels, with this mean and deviation of the biases.
    pub(super) fn convolution(mut self, padding: Padding, after: usize, bias: (f64, f64)) -> Self {
        let coarse = self.coarse();
        let (factors, fixed) =
            (std::mem::replace(&mut self.factors, [1; 3]), std::mem::take(&mut self.fixed));
        let layer = Convolution::new(coarse, padding, self.channels, after).upsampled(factors);
        Self { channels: after, ..self.then(layer.beside(fixed).bias(bias.0, bias.1)) }
    }

    /// The grid of what the last layer gives.
    fn coarse(&self) -> Grid {
        let (Grid { frames, rows, cols }, [f, r, c]) = (self.grid, self.factors);
        Grid { frames: frames / f, rows: rows / r, cols: cols / c }
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

    /// Repeats each position before the next convolution.
    pub(super) fn upsampled(self, factors: [usize; 3]) -> Self {
        Self { grid: self.grid.times(factors), factors, count: self.count + 1, ..self }
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
        Network::numbered(self.layers)
    }
}
