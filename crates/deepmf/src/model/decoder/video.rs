//! The decoders of a video: one of the hidden light over time, one of the transport in a basis of the observed frames.
//!
//! Source: Aittala et al. 2019, "Computational Mirrors" (the networks L and Q).

use super::stack::Stack;
use super::{Decoder, DecoderSize};
use crate::linalg::Real;
use crate::model::layer::grid::{Grid, Padding};
use crate::{Error, Result};

const MULTIPLE: usize = VideoDecoders::MULTIPLE;
/// Channels of the latents of both, and published widths.
const LIGHT_LATENT: usize = 4;
const TRANSPORT_LATENT: usize = 32;
const WIDTH: usize = 64;

/// What the decoders of a video are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoDecoders {
    /// Height and width of the hidden video, multiples of 8.
    pub hidden: (usize, usize),
    /// Frames, a multiple of 8.
    pub frames: usize,
    /// Colours: 1 or 3.
    pub colours: usize,
    /// Vectors of the basis of the transport, for each colour.
    pub vectors: usize,
    /// The widths of the light's decoder.
    pub light: DecoderSize,
    /// The widths of the transport's decoder.
    pub transport: DecoderSize,
}

impl VideoDecoders {
    /// How many hidden pixels along a side, and how many frames, stand for one position of the latents.
    pub const MULTIPLE: usize = 8;

    fn check(&self) -> Result<()> {
        let (height, width) = self.hidden;
        if [height, width].iter().any(|side| *side == 0 || !side.is_multiple_of(MULTIPLE)) {
            let up = |side: usize| side.max(1).next_multiple_of(MULTIPLE);
            let allowed = format!(
                "multiples of {MULTIPLE} on both sides, such as {} x {}",
                up(height),
                up(width)
            );
            let found = format!("{height} x {width}");
            return Err(Error::parameter("the size of the hidden video", allowed, found));
        }
        if self.frames == 0 || !self.frames.is_multiple_of(MULTIPLE) {
            let allowed = format!("a multiple of {MULTIPLE}");
            return Err(Error::parameter("the number of frames", allowed, self.frames));
        }
        if self.colours * self.vectors == 0 {
            return Err(Error::parameter("the number of basis vectors", "1 or more", 0));
        }
        Ok(())
    }

    /// The latents' rows and columns.
    fn start(&self) -> (usize, usize) {
        (self.hidden.0 / MULTIPLE, self.hidden.1 / MULTIPLE)
    }

    /// The hidden light: convolutions in space and time, doubled three times in both, above a trained black level.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a side or a number of frames that is not a multiple of 8.
    ///
    /// ```
    /// use deepmf::model::{DecoderSize::Published, VideoDecoders};
    /// let sizes = VideoDecoders { hidden: (16, 16), frames: 256, colours: 3, vectors: 32, light: Published, transport: Published };
    /// assert_eq!(sizes.light::<f32>()?.parameters(), 757_865);
    /// assert_eq!(sizes.transport::<f32>()?.parameters(), 810_400);
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn light<T: Real>(&self) -> Result<Decoder<T>> {
        self.check()?;
        let (rows, cols) = self.start();
        let start = Grid::video(self.frames / MULTIPLE, rows, cols);
        let width = self.light.of(WIDTH);
        let convolved =
            |stack: Stack<T>, after| stack.convolution(Padding::VIDEO, after, (0.0, 0.2));
        let told = |stack: Stack<T>| convolved(stack.coordinates(None), width).leaky();
        let plain = |stack: Stack<T>, after| convolved(stack, after).leaky();
        let stack = told(Stack::latents(start, LIGHT_LATENT, 1.0)).upsampled([2, 2, 2]);
        let stack = told(told(stack)).upsampled([2, 2, 2]);
        let stack = plain(told(told(stack)), width).upsampled([2, 2, 2]);
        let stack = plain(plain(stack, width), width.div_ceil(2));
        let stack = convolved(stack, 2 * self.colours).dark();
        let (grid, channels) = (stack.grid, stack.channels);
        let latents = start.positions() * LIGHT_LATENT;
        Ok(Decoder { network: stack.network()?, grid, channels, latents })
    }

    /// The transport: at each hidden pixel a number for each colour and basis vector (colour by colour), by convolutions over the hidden pixels.
    ///
    /// # Errors
    /// As [`VideoDecoders::light`].
    pub fn transport<T: Real>(&self) -> Result<Decoder<T>> {
        self.check()?;
        let (rows, cols) = self.start();
        let start = Grid::image(rows, cols);
        let (narrow, width) = (self.transport.of(32), self.transport.of(WIDTH));
        let convolved =
            |stack: Stack<T>, after| stack.convolution(Padding::IMAGE, after, (0.0, 0.001));
        let told = |stack: Stack<T>, after| convolved(stack.coordinates(None), after).leaky();
        let stack = told(Stack::latents(start, TRANSPORT_LATENT, 0.0), narrow);
        let mut stack = stack.upsampled([1, 2, 2]);
        for _ in 0..3 {
            stack = told(stack, width);
        }
        stack = stack.upsampled([1, 2, 2]);
        for _ in 0..3 {
            stack = told(stack, width).windowed();
        }
        stack = stack.upsampled([1, 2, 2]);
        let stack = convolved(stack, 2 * width).leaky();
        let stack = convolved(stack, 4 * width).leaky();
        let stack = convolved(stack, self.colours * self.vectors).scaled();
        let (grid, channels) = (stack.grid, stack.channels);
        let latents = start.positions() * TRANSPORT_LATENT;
        Ok(Decoder { network: stack.network()?, grid, channels, latents })
    }
}
