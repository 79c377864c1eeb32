//! The memory that a fit needs, foreseen.

use crate::linalg::Real;
use crate::model::{Decoder, VideoDecoders};
use crate::spec::VideoTransport;
use crate::{Error, Result};

/// Bytes of a number of the networks and of one of the problem.
const SINGLE: usize = 4;
const DOUBLE: usize = 8;
/// How often a layer's output is there: itself, twice its slope, and the tiles of its convolution.
const COPIES: usize = 4;
/// Parameters, gradient, two or three moments, average and best iterate.
const STATES: usize = 8;

/// Bytes of so many fits side by side.
pub(super) fn needed<T: Real>(
    settings: &VideoTransport,
    sizes: &VideoDecoders,
    pixels: usize,
    decoders: [&Decoder<T>; 2],
    workers: usize,
) -> usize {
    let networks: usize = decoders
        .iter()
        .map(|decoder| {
            SINGLE * (COPIES * decoder.network().outputs() + STATES * decoder.parameters())
        })
        .sum();
    let rows = if settings.in_basis { sizes.vectors + 1 } else { pixels };
    let product = sizes.colours * rows * sizes.frames;
    // Targets, and whether each is fitted, of all lags; the product, its slope and what is seen of it, of each worker.
    let targets = 2 * (settings.longest_lag + 1) * product * DOUBLE;
    let passing = 4 * product * DOUBLE;
    let hidden = sizes.hidden.0 * sizes.hidden.1;
    let transport = 2 * sizes.colours * pixels * hidden * SINGLE;
    let whole = sizes.colours * pixels * (hidden + 3 * sizes.frames) * DOUBLE;
    targets + whole + workers * (networks + passing + transport)
}

/// Refuses a fit that needs more memory than there is free, where that is known.
pub(super) fn must_fit<T: Real>(
    settings: &VideoTransport,
    sizes: &VideoDecoders,
    pixels: usize,
    decoders: [&Decoder<T>; 2],
    workers: usize,
) -> Result<()> {
    let needed = needed(settings, sizes, pixels, decoders, workers);
    match free() {
        Some(free) if needed > free => Err(refusal(needed, free)),
        _ => Ok(()),
    }
}

pub(super) fn refusal(needed: usize, free: usize) -> Error {
    let words = |bytes: usize| format!("{:.1} GB", bytes as f64 / 1e9);
    let allowed = format!(
        "at most the {} that are free (fewer pixels by a crop, fewer frames, fewer threads or a smaller hidden size need less)",
        words(free)
    );
    Error::parameter("the memory that the fit needs", allowed, words(needed))
}

/// Bytes that are free, where the system says so.
fn free() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}
