//! Decoders: networks from trained latents to a matrix factor, fitted to one matrix and to nothing else.
//!
//! What they can write easily is what neighbours share: that is all that is known of the factors beforehand.

mod basis;
mod image;
mod penalty;
mod product;
mod stack;
#[cfg(test)]
mod tests;
mod video;

pub use basis::VideoBasis;
pub use image::ImageDecoder;
pub use penalty::{FactorPenalties, TransportMap};
pub use product::{ProductRoom, TransportLight};
pub use video::VideoDecoders;

use serde::{Deserialize, Serialize};

use super::layer::Network;
use super::layer::grid::Grid;
use crate::linalg::Real;

/// How wide a decoder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecoderSize {
    /// The published widths.
    #[default]
    Published,
    /// Half of them: about a quarter of the arithmetic.
    Half,
    /// A quarter of them: about a sixteenth of the arithmetic.
    Quarter,
    /// An eighth of them.
    Eighth,
}

impl DecoderSize {
    /// All of them, the widest first.
    pub const ALL: [Self; 4] = [Self::Published, Self::Half, Self::Quarter, Self::Eighth];

    /// The name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Half => "half",
            Self::Quarter => "quarter",
            Self::Eighth => "eighth",
        }
    }

    /// What a published width becomes.
    fn of(self, width: usize) -> usize {
        match self {
            Self::Published => width,
            Self::Half => width.div_ceil(2),
            Self::Quarter => width.div_ceil(4),
            Self::Eighth => width.div_ceil(8),
        }
    }
}

/// A network from latents that are among its parameters to some channels at each position of a grid.
#[derive(Clone, Debug)]
pub struct Decoder<T = f32> {
    network: Network<T>,
    grid: Grid,
    channels: usize,
    latents: usize,
}

impl<T: Real> Decoder<T> {
    /// The positions that it puts out.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The channels at each position.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How many numbers are trained, the latents among them.
    pub fn parameters(&self) -> usize {
        self.network.count()
    }

    /// How many of these are latents.
    pub fn latents(&self) -> usize {
        self.latents
    }

    /// Its layers.
    pub fn network(&self) -> &Network<T> {
        &self.network
    }
}
