//! The decoder of an image: a factor of which rows and columns are both lines of positions.
//!
//! Source: Aittala et al. 2019, "Computational Mirrors", the one-dimensional experiment.

use super::stack::Stack;
use super::{Decoder, DecoderSize};
use crate::linalg::Real;
use crate::model::layer::grid::{Grid, Padding};
use crate::{Error, Result};

/// Doublings from the latents to the image.
const DOUBLINGS: u32 = 5;
/// Published channels of the latents, after each of five convolutions, and before the last one.
const LATENT: usize = 64;
const WIDTHS: [usize; 5] = [32, 64, 64, 128, 128];
const LAST: usize = 64;
/// Where the biases of the first five start.
const BIAS: f64 = 0.001;

/// What the decoder of an image is made of.
#[derive(Clone, Debug)]
pub struct ImageDecoder {
    /// Rows of the image; rounded up to a multiple of 32 inside.
    pub rows: usize,
    /// Columns of the image; rounded up likewise.
    pub cols: usize,
    /// Its widths.
    pub size: DecoderSize,
    /// One number for each row that its last layers are told, such as its mean in what is observed.
    pub told: Option<Vec<f64>>,
    /// The probability with which a latent channel is kept in training; others are divided by it.
    pub keep: f64,
    /// Tells the dropouts of decoders of one model apart.
    pub number: u32,
}

impl ImageDecoder {
    /// Rows and columns of the latents.
    fn latents(&self) -> (usize, usize) {
        let multiple = 1_usize << DOUBLINGS;
        (self.rows.div_ceil(multiple), self.cols.div_ceil(multiple))
    }

    /// Five times: coordinates, 4 x 4 convolution, bilinear doubling, tanh; then coordinates and `told`, 3 x 3 convolution, leaky rectifier, coordinates,
    /// 3 x 3 convolution to one channel, e^(x − 2).
    ///
    /// # Errors
    /// [`Error::Parameter`] if a side is 0 or `keep` is not above 0 and at most 1; [`Error::Shape`] if `told` has not a number a row.
    ///
    /// ```
    /// use deepmf::model::{DecoderSize, ImageDecoder};
    /// let settings = ImageDecoder { rows: 128, cols: 256, size: DecoderSize::Published, told: None, keep: 0.5, number: 1 };
    /// let decoder = settings.build::<f32>()?;
    /// assert_eq!(decoder.parameters() - decoder.latents(), 613_555);
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn build<T: Real>(&self) -> Result<Decoder<T>> {
        if self.rows * self.cols == 0 {
            let found = format!("{} x {}", self.rows, self.cols);
            return Err(Error::parameter("the image of a decoder", "1 x 1 or more", found));
        }
        if let Some(told) = self.told.as_ref().filter(|told| told.len() != self.rows) {
            let expected = format!("{} numbers, one a row", self.rows);
            return Err(Error::shape("what the decoder is told", expected, told.len()));
        }
        let (rows, cols) = self.latents();
        let (size, start) = (self.size, Grid::image(rows, cols));
        let latents = start.positions() * size.of(LATENT);
        let mut stack = Stack::latents(start, size.of(LATENT), 1.0);
        stack = stack.dropout(self.keep, self.number)?;
        for width in WIDTHS {
            let convolved =
                stack.coordinates(None).convolution(Padding::EVEN, size.of(width), (BIAS, 0.0));
            stack = convolved.bilinear().tanh();
        }
        let told = self.told.as_ref().map(|told| {
            // Rows that are only there to fill the grid are told what the last one is.
            (0..stack.grid.rows).map(|row| told[row.min(told.len() - 1)]).collect()
        });
        let stack = stack
            .coordinates(told)
            .convolution(Padding::IMAGE, size.of(LAST), (0.0, 0.0))
            .leaky()
            .coordinates(None)
            .convolution(Padding::IMAGE, 1, (0.0, 0.0))
            .exp(2.0);
        let (grid, channels) = (stack.grid, stack.channels);
        Ok(Decoder { network: stack.network()?, grid, channels, latents })
    }
}
