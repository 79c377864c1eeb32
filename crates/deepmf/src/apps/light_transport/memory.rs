//! The memory that a fit needs, foreseen.

use crate::linalg::Real;
use crate::model::{Decoder, VideoDecoders};
use crate::problem::ROWS_AT_ONCE;
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
    let (frames, colours) = (sizes.frames, sizes.colours);
    let reduced = colours * (sizes.vectors + 1) * frames;
    // Of the reduced video targets, and whether each is fitted, of all lags; of all pixels the video, and some rows of what is left of it.
    let (targets, strips) = if settings.in_basis {
        (2 * (settings.longest_lag + 1) * reduced * DOUBLE, 0)
    } else {
        (colours * pixels * frames * DOUBLE, 3 * ROWS_AT_ONCE.min(pixels) * frames * DOUBLE)
    };
    // The product, its slope and what is seen of it, of each worker.
    let passing = 4 * reduced * DOUBLE + strips;
    let hidden = sizes.hidden.0 * sizes.hidden.1;
    let transport = 2 * colours * pixels * hidden * SINGLE;
    // The transport that is given, and the video that is observed, in the multiple of frames, and of a colour.
    let whole = colours * pixels * (hidden + 3 * frames) * DOUBLE;
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
