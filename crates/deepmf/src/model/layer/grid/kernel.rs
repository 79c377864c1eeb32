//! The inner loops of convolutions: sums of products that stay in registers.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use crate::linalg::{Kernel, Real};

/// Positions that both kernels take in whole steps.
pub(super) const STEP: usize = 12;
/// Positions of one tile; a multiple of the rows of both kernels.
pub(super) const TILE: usize = 48;
/// Channels of a block, and of a last one that needs no more than half of them.
const BLOCK: usize = 16;
const HALF: usize = 8;

/// Channels with those that fill up the last block.
pub(super) fn padded(channels: usize) -> usize {
    let rest = channels % BLOCK;
    channels - rest + if rest > HALF { BLOCK } else { rest.div_ceil(HALF) * HALF }
}

/// The first channel and the number of channels of each block.
fn blocks(padded: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..padded).step_by(BLOCK).map(move |first| (first, BLOCK.min(padded - first)))
}

/// Copies to the first numbers, a whole block without asking how many they are.
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    match (from.first_chunk::<BLOCK>(), to.first_chunk_mut::<BLOCK>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to[..from.len()].copy_from_slice(from),
    }
}

/// Writes rows of `channels` numbers block after block, each with its channels of all rows, and zeros where there are none.
pub(super) fn pack<'a, T: Real>(
    rows: usize,
    channels: usize,
    row: impl Fn(usize) -> &'a [T],
    to: &mut [T],
) {
    for (first, lanes) in blocks(padded(channels)) {
        let (block, own) =
            (&mut to[first * rows..(first + lanes) * rows], lanes.min(channels - first));
        for (k, to) in block.chunks_exact_mut(lanes).enumerate() {
            copy(&row(k)[first..first + own], to);
            to[own..].fill(T::default());
        }
    }
}

/// Adds rows of `channels` numbers to blocks.
pub(super) fn pack_more<T: Real>(channels: usize, from: &[T], to: &mut [T]) {
    let rows = from.len() / channels;
    for (first, lanes) in blocks(padded(channels)) {
        let to = to[first * rows..(first + lanes) * rows].chunks_exact_mut(lanes);
        for (to, from) in to.zip(from.chunks_exact(channels)) {
            to.iter_mut().zip(&from[first..]).for_each(|(to, from)| *to += *from);
        }
    }
}

/// Adds what stands in blocks to rows of `channels` numbers.
pub(super) fn unpack_more<T: Real>(channels: usize, from: &[T], to: &mut [T]) {
    let rows = to.len() / channels;
    for (first, lanes) in blocks(padded(channels)) {
        let from = from[first * rows..(first + lanes) * rows].chunks_exact(lanes);
        for (to, from) in to.chunks_exact_mut(channels).zip(from) {
            to[first..].iter_mut().zip(from).for_each(|(to, from)| *to += *from);
        }
    }
}

/// The sums of a tile, block after block with the numbers of each position next to each other.
pub(super) struct Sums<'a, T>(pub(super) &'a mut [T]);

impl<T: Real> Sums<'_, T> {
    /// Zeros.
    pub(super) fn clear(&mut self, channels: usize) {
        self.0[..TILE * padded(channels)].fill(T::default());
    }

    /// Takes the numbers at a position.
    pub(super) fn take(&mut self, position: usize, from: &[T]) {
        for (first, lanes) in blocks(padded(from.len())) {
            let own = &from[first..(first + lanes).min(from.len())];
            let to = first * TILE + position * lanes;
            copy(own, &mut self.0[to..to + own.len()]);
        }
    }

    /// The numbers at a position.
    pub(super) fn give(&self, position: usize, to: &mut [T]) {
        for (first, lanes) in blocks(padded(to.len())) {
            let own = lanes.min(to.len() - first);
            let from = first * TILE + position * lanes;
            copy(&self.0[from..from + own], &mut to[first..first + own]);
        }
    }
}

/// sums ← sums + Σ_k x_k w_k at the positions whose numbers are given: sums and weights block after block.
pub(super) struct Forward<'a, 'b, T> {
    pub(super) sums: &'b mut Sums<'a, T>,
    pub(super) x: &'b [&'b [T]],
    pub(super) weights: &'b [T],
    pub(super) width: usize,
}

impl<T: Real> Kernel for Forward<'_, '_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { sums, x, weights, width } = self;
        for (first, lanes) in blocks(weights.len() / width) {
            let weights = &weights[first * width..(first + lanes) * width];
            let sums = &mut sums.0[first * TILE..(first + lanes) * TILE];
            if lanes == BLOCK {
                block::<T, BLOCK, 6>(sums, x, weights);
            } else {
                block::<T, HALF, 12>(sums, x, weights);
            }
        }
    }
}

#[inline(always)]
fn block<T: Real, const L: usize, const R: usize>(sums: &mut [T], x: &[&[T]], weights: &[T]) {
    let (sums, weights) = (sums.as_chunks_mut::<L>().0, weights.as_chunks::<L>().0);
    for (sums, x) in sums.chunks_exact_mut(R).zip(x.chunks_exact(R)) {
        let mut own: [[T; L]; R] = std::array::from_fn(|r| sums[r]);
        let x: [&[T]; R] = std::array::from_fn(|r| &x[r][..weights.len()]);
        for (k, w) in weights.iter().enumerate() {
            for r in 0..R {
                let x = x[r][k];
                for l in 0..L {
                    own[r][l] = x.times_plus(w[l], own[r][l]);
                }
            }
        }
        sums.copy_from_slice(&own);
    }
}

/// sums ← sums + Σ_p x_p s_pᵀ over the positions of a tile: sums (channels of x times those of s) and `slopes` come block after block.
pub(super) struct Outer<'a, T> {
    pub(super) sums: &'a mut [T],
    pub(super) x: &'a [&'a [T]],
    pub(super) slopes: &'a [T],
    pub(super) width: usize,
}

/// Channels of x that are taken together.
const TOGETHER: usize = 6;

impl<T: Real> Kernel for Outer<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { sums, x, slopes, width } = self;
        // Parts of nearly one size: a small rest would leave registers empty.
        let parts = width.div_ceil(TOGETHER);
        for (first, lanes) in blocks(slopes.len() / x.len()) {
            let slopes = &slopes[first * x.len()..(first + lanes) * x.len()];
            let sums = &mut sums[first * width..(first + lanes) * width];
            for part in 0..parts {
                let (from, to) = (part * width / parts, (part + 1) * width / parts);
                let sums = &mut sums[from * lanes..to * lanes];
                if lanes == BLOCK {
                    outer::<T, BLOCK>(sums, (x, from), slopes);
                } else {
                    outer::<T, HALF>(sums, (x, from), slopes);
                }
            }
        }
    }
}

#[inline(always)]
fn outer<T: Real, const L: usize>(sums: &mut [T], x: (&[&[T]], usize), slopes: &[T]) {
    let (sums, slopes) = (sums.as_chunks_mut::<L>().0, slopes.as_chunks::<L>().0);
    match sums.len() {
        6 => rows::<T, L, 6>(sums, x, slopes),
        5 => rows::<T, L, 5>(sums, x, slopes),
        4 => rows::<T, L, 4>(sums, x, slopes),
        3 => rows::<T, L, 3>(sums, x, slopes),
        2 => rows::<T, L, 2>(sums, x, slopes),
        _ => rows::<T, L, 1>(sums, x, slopes),
    }
}

#[inline(always)]
fn rows<T: Real, const L: usize, const R: usize>(
    sums: &mut [[T; L]],
    (x, from): (&[&[T]], usize),
    slopes: &[[T; L]],
) {
    let mut own: [[T; L]; R] = std::array::from_fn(|r| sums[r]);
    for (x, slope) in x.iter().zip(slopes) {
        let x = &x[from..from + R];
        for r in 0..R {
            for l in 0..L {
                own[r][l] = x[r].times_plus(slope[l], own[r][l]);
            }
        }
    }
    sums.copy_from_slice(&own);
}
