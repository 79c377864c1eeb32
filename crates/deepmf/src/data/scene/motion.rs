//! What the screen shows: bright discs that move over a dim ground.

use std::f64::consts::TAU;

use super::super::Video;
use crate::Result;
use crate::data::Shape;
use crate::random::{Purpose, RngExt, stream};

/// Discs.
const DISCS: usize = 3;
/// Width of a disc's edge, as a share of the frame.
const EDGE: f64 = 0.02;

/// One disc: all lengths as shares of the frame.
struct Disc {
    /// Whole turns over the video, across and down: so that it ends where it began.
    turns: [f64; 2],
    phases: [f64; 2],
    reach: [f64; 2],
    middle: [f64; 2],
    radius: f64,
    brightness: f64,
}

/// The hidden video of `seed`.
///
/// # Errors
/// As [`Video::new`].
pub(super) fn hidden(shape: Shape, frames: usize, seed: u64) -> Result<Video> {
    let mut draws = stream(seed, Purpose::Truth, 3);
    let discs: [Disc; DISCS] = std::array::from_fn(|_| Disc {
        turns: std::array::from_fn(|_| f64::from(draws.random_range(1..4_u32))),
        phases: std::array::from_fn(|_| draws.random_range(0.0..TAU)),
        reach: std::array::from_fn(|_| draws.random_range(0.2..0.36)),
        middle: std::array::from_fn(|_| draws.random_range(0.42..0.58)),
        radius: draws.random_range(0.09..0.16),
        brightness: draws.random_range(0.5..1.0),
    });
    let (height, width) = shape;
    let mut values = Vec::with_capacity(frames * height * width);
    for t in 0..frames {
        let time = t as f64 / frames as f64;
        let places = discs.each_ref().map(|disc| {
            let at = |axis: usize| {
                let angle = TAU * disc.turns[axis] * time + disc.phases[axis];
                disc.middle[axis] + disc.reach[axis] * angle.sin()
            };
            (at(0), at(1))
        });
        for y in 0..height {
            for x in 0..width {
                let (down, across) =
                    ((y as f64 + 0.5) / height as f64, (x as f64 + 0.5) / width as f64);
                let mut value = 0.08 + 0.06 * across;
                for (disc, (right, below)) in discs.iter().zip(places) {
                    let distance = (across - right).hypot(down - below);
                    let covers = 1.0 / (1.0 + ((distance - disc.radius) / EDGE).exp());
                    value += covers * (disc.brightness - value);
                }
                values.push(value);
            }
        }
    }
    Video::new([frames, height, width, 1], values)
}
