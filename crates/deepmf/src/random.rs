//! Random streams: one seed and one purpose give one stream, whatever else is drawn and by which thread.

pub use rand::{Rng, RngExt};
pub use rand_chacha::ChaCha8Rng as Stream;

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// What a stream is drawn for; two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A synthetic truth.
    Truth = 1,
    /// Which cells or operators are observed.
    Observation = 2,
    /// Splits into training, validation and folds.
    Split = 3,
    /// Initial factors.
    Init = 4,
    /// Draws during training.
    Train = 5,
    /// Randomized linear algebra.
    Sketch = 6,
    /// Noise added to data.
    Noise = 7,
    /// What dropout drops.
    Dropout = 8,
    /// The order in which blocks walk rows and columns.
    Block = 9,
    /// What of its sample a network is shown.
    Shown = 10,
    /// Starts of clusters.
    Cluster = 11,
    /// Which of several terms a step sees.
    Term = 12,
}

/// The stream of `seed` for one `purpose`; `item` counts independent draws (trials, folds, layers).
pub fn stream(seed: u64, purpose: Purpose, item: u64) -> Stream {
    let mut stream = Stream::seed_from_u64(seed);
    stream.set_stream((purpose as u64) << 48 | (item & 0xffff_ffff_ffff));
    stream
}

/// One draw from N(0, 1).
pub fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}
