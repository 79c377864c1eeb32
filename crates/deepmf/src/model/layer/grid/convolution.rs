//! Convolution over images and videos whose border is continued outwards.

use std::ops::Range;

use rayon::prelude::*;

use super::fixed::{self, Fixed};
use super::kernel::{Forward, Outer, STEP, Sums, TILE, pack, pack_more, padded, unpack_more};
use super::window::Phase;
use super::{Grid, one};
use crate::linalg::{Real, run_wide};
use crate::model::layer::{Input, Layer, Mode, Tape};
use crate::random::{Stream, normal};

/// Parts that positions and places of the window are split into: a property of the layer, never of the number of threads.
pub(super) const PARTS: usize = 16;

/// The window of a convolution along time, rows and columns, and how far it reaches before its own position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Positions that the window covers.
    pub window: [usize; 3],
    /// Positions of these that stand before the one that is computed; the rest stand at it and after.
    pub before: [usize; 3],
}

impl Padding {
    /// 3 x 3 around the position.
    pub const IMAGE: Self = Self { window: [1, 3, 3], before: [0, 1, 1] };
    /// 4 x 4, one before the position and two after.
    pub const EVEN: Self = Self { window: [1, 4, 4], before: [0, 1, 1] };
    /// 3 x 3 x 3 around the position.
    pub const VIDEO: Self = Self { window: [3, 3, 3], before: [1, 1, 1] };
}

/// y_p = b + Σ_t W_t x_(p + t − before), where positions outside of the grid are taken to the nearest inside (replicate padding).
///
/// The weight is after × (window · before) with the channels of one place in the window next to each other, and the places in the order of
/// positions. It starts with the variance 2 / (window · (before + after)) (Glorot and Bengio 2010).
#[derive(Clone, Debug)]
pub struct Convolution {
    grid: Grid,
    factors: [usize; 3],
    padding: Padding,
    before: usize,
    fixed: Fixed,
    after: usize,
    bias: (f64, f64),
}

impl Convolution {
    /// From `before` channels to `after`; biases start at zero.
    pub fn new(grid: Grid, padding: Padding, before: usize, after: usize) -> Self {
        Self {
            grid,
            factors: [1; 3],
            padding,
            before,
            fixed: Fixed::default(),
            after,
            bias: (0.0, 0.0),
        }
    }

    /// Draws biases with this mean and deviation.
    #[must_use]
    pub fn bias(self, mean: f64, deviation: f64) -> Self {
        Self { bias: (mean, deviation), ..self }
    }

    /// Over a grid so many times as fine along each axis, on which what is given is repeated ([`Upsampled`](super::Upsampled)).
    #[must_use]
    pub fn upsampled(self, factors: [usize; 3]) -> Self {
        Self { factors, ..self }
    }

    /// Sees fixed channels after the given ones, at each position of the (fine) grid.
    #[must_use]
    pub fn beside(self, fixed: Fixed) -> Self {
        Self { fixed, ..self }
    }

    /// Channels that each place of the window sees.
    fn seen(&self) -> usize {
        self.before + self.fixed.channels()
    }

    fn fine(&self) -> Grid {
        self.grid.times(self.factors)
    }

    fn window(&self) -> usize {
        self.padding.window.iter().product()
    }

    fn weights(&self) -> usize {
        self.window() * self.seen() * self.after
    }

    fn phases(&self) -> impl Iterator<Item = Phase> + Clone + use<> {
        Phase::all(self.grid, self.factors, self.padding)
    }

    fn taps(&self) -> usize {
        self.phases().map(|phase| phase.taps()).sum()
    }

    /// Positions that a part takes at least: those whose repetitions are contiguous.
    fn unit(&self) -> usize {
        match self.factors {
            [1, 1, _] => 1,
            [1, ..] => self.grid.cols,
            _ => self.grid.rows * self.grid.cols,
        }
    }

    /// Does `work` on tiles of positions, each with the `repeats` of each position in `out`, of `width` numbers, and room for `size` numbers.
    fn tiles<T: Real>(
        &self,
        (repeats, width): (usize, usize),
        out: &mut [T],
        (size, room): (usize, &mut Vec<T>),
        work: impl Fn(Range<usize>, usize, &mut [T], &mut [T]) + Sync,
    ) {
        let (positions, unit) = (self.grid.positions(), if repeats > 1 { self.unit() } else { 1 });
        let part = positions.div_ceil(PARTS);
        let part = part.next_multiple_of(if unit == 1 { TILE.min(positions) } else { unit });
        room.resize(PARTS * size, T::default());
        let parts = out.par_chunks_mut(part * repeats * width).zip(room.par_chunks_mut(size));
        parts.enumerate().for_each(|(place, (out, room))| {
            let first = place * part;
            let last = (first + part).min(positions);
            for start in (first..last).step_by(TILE) {
                work(start..(start + TILE).min(last), first * repeats, out, room);
            }
        });
    }

    /// `into` ← the slope with respect to the weight; each thread has places of the window of its own.
    fn weight_slope<T: Real>(&self, x: &[T], slope: &[T], into: &mut [T], tape: &mut Tape<T>) {
        let (before, after, blocks) = (self.before, self.after, padded(self.after));
        let (taps, positions) = (self.taps(), self.grid.positions());
        let phases = self.phases().count();
        // Each phase sees slopes of its own, which are then gone through once.
        let own = if phases < PARTS / 2 { taps.div_ceil(PARTS) } else { taps.div_ceil(phases) };
        tape.sums.clear();
        tape.sums.resize(taps * before * blocks, T::default());
        tape.kept.resize(PARTS * TILE * blocks, T::default());
        let jobs = tape.sums.par_chunks_mut(own * before * blocks);
        jobs.zip(tape.kept.par_chunks_mut(TILE * blocks)).enumerate().for_each(
            |(job, (sums, packed))| {
                let wanted = job * own..(job + 1) * own;
                for start in (0..positions).step_by(TILE) {
                    let range = start..(start + TILE).min(positions);
                    let (mut first, mut sums) = (0, sums.chunks_exact_mut(before * blocks));
                    for phase in self.phases() {
                        let taps = first..first + phase.taps();
                        first = taps.end;
                        if taps.end <= wanted.start || taps.start >= wanted.end {
                            continue;
                        }
                        let packed = &mut packed[..range.len() * blocks];
                        let fine = phase.fine(range.clone());
                        pack(range.len(), after, |p| &slope[fine[p] * after..][..after], packed);
                        for (tap, sums) in (taps.start.max(wanted.start)..taps.end).zip(&mut sums) {
                            let mut seen: [&[T]; TILE] = [&[]; TILE];
                            phase.sources(tap - taps.start, range.clone(), x, before, &mut seen);
                            let x = &seen[..range.len()];
                            run_wide(Outer { sums, x, slopes: packed, width: before });
                        }
                    }
                }
            },
        );
        into.fill(T::default());
        let mut sums = tape.sums.as_slice();
        for phase in self.phases() {
            let (own, rest) = sums.split_at(phase.taps() * before * blocks);
            for (place, into) in into.chunks_exact_mut(self.seen() * after).enumerate() {
                let tap = phase.tap_of(self.padding, place) * before * blocks;
                unpack_more(after, &own[tap..tap + before * blocks], &mut into[..before * after]);
            }
            sums = rest;
        }
    }

    /// `sums` ← the weights of the taps of all phases, block after block; `weight` has `width` rows of `channels` numbers, and perhaps more that
    /// are not looked at, for each place of the window.
    fn packed<T: Real>(&self, weight: &[T], (width, channels): (usize, usize), sums: &mut [T]) {
        let size = width * padded(channels);
        sums.fill(T::default());
        let mut rest = sums;
        for phase in self.phases() {
            let (own, after) = rest.split_at_mut(phase.taps() * size);
            for (place, weight) in weight.chunks_exact(weight.len() / self.window()).enumerate() {
                let tap = phase.tap_of(self.padding, place) * size;
                pack_more(channels, &weight[..width * channels], &mut own[tap..tap + size]);
            }
            rest = after;
        }
    }
}

impl<T: Real> Layer<T> for Convolution {
    fn widths(&self) -> (usize, usize) {
        let (coarse, fine) = (self.grid.positions(), self.fine().positions());
        (coarse * self.before, fine * self.after)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("weight", self.after, self.window() * self.seen()), ("bias", self.after, 1)]
    }

    fn start(&self, params: &mut [T], _state: &mut [T], random: &mut Stream) {
        let (weight, bias) = params.split_at_mut(self.weights());
        let spread = (2.0 / (self.window() * (self.seen() + self.after)) as f64).sqrt();
        for w in weight.iter_mut() {
            *w = T::of(spread * normal(random));
        }
        for b in bias.iter_mut() {
            *b = T::of(self.bias.0 + self.bias.1 * normal(random));
        }
    }

    fn forward(
        &self,
        params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let x = one(input);
        let (weight, bias) = params.split_at(self.weights());
        let (before, after, blocks) = (self.before, self.after, padded(self.after));
        let Tape { output, kept, sums: packed, .. } = tape;
        let (fine, size) = (self.fine(), self.taps() * before * blocks);
        let tables = if self.fixed.channels() > 0 { Fixed::tables(fine, after) } else { 0 };
        packed.resize(size + tables, T::default());
        let (packed, tables) = packed.split_at_mut(size);
        self.packed(weight, (before, after), packed);
        if !tables.is_empty() {
            let weight = (&weight[before * after..], self.seen() * after);
            self.fixed.forward(fine, self.padding, weight, bias, tables);
        }
        let (packed, tables) = (&*packed, &*tables);
        let repeats = self.factors.iter().product();
        output.resize(self.grid.positions() * repeats * after, T::default());
        let room = ((TILE + 1) * blocks, kept);
        self.tiles((repeats, after), output, room, |range, first, out, room| {
            let (room, start) = room.split_at_mut(TILE * blocks);
            let start = &mut start[..after];
            start.copy_from_slice(bias);
            let mut weights = packed.chunks_exact(before * blocks);
            for phase in self.phases() {
                let mut sums = Sums(room);
                let places = phase.fine(range.clone());
                for (place, position) in places[..range.len()].iter().enumerate() {
                    if !tables.is_empty() {
                        fixed::at(fine, *position, tables, start);
                    }
                    sums.take(place, start);
                }
                for (tap, weights) in (0..phase.taps()).zip(&mut weights) {
                    let mut seen: [&[T]; TILE] = [&x[..before]; TILE];
                    phase.sources(tap, range.clone(), x, before, &mut seen);
                    let x = &seen[..steps(&range)];
                    run_wide(Forward { sums: &mut sums, x, weights, width: before });
                }
                for (place, position) in places[..range.len()].iter().enumerate() {
                    let at = (position - first) * after;
                    sums.give(place, &mut out[at..at + after]);
                }
            }
        });
    }

    fn backward(
        &self,
        params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        let (weight, bias) = into.split_at_mut(self.weights());
        self.weight_slope(one(input), slope, weight, tape);
        if self.fixed.channels() > 0 {
            let into = (&mut weight[self.before * self.after..], self.seen() * self.after);
            self.fixed.backward(self.fine(), self.padding, slope, into, bias, &mut tape.kept);
        } else {
            bias_slope(slope, bias, &mut tape.kept);
        }
        let Some(back) = back else { return };
        let (before, after, blocks) = (self.before, self.after, padded(self.before));
        let Tape { kept, sums, .. } = tape;
        let size = self.taps() * after * blocks;
        sums.resize(size + self.window() * before * after, T::default());
        let (packed, turned) = sums.split_at_mut(size);
        // The weight with before and after exchanged at each place of the window.
        let places =
            turned.chunks_exact_mut(before * after).zip(params.chunks_exact(self.seen() * after));
        for (turned, weight) in places {
            for (j, turned) in turned.chunks_exact_mut(before).enumerate() {
                turned
                    .iter_mut()
                    .zip(weight[j..before * after].iter().step_by(after))
                    .for_each(|(to, w)| *to = *w);
            }
        }
        self.packed(turned, (after, before), packed);
        back.resize(self.grid.positions() * before, T::default());
        let room = (TILE * blocks + (TILE + 1) * after, kept);
        self.tiles((1, before), back, room, |range, first, back, room| {
            let (sums, room) = room.split_at_mut(TILE * blocks);
            room[..after].fill(T::default());
            let mut sums = Sums(sums);
            sums.clear(before);
            let mut weights = packed.chunks_exact(after * blocks);
            for phase in self.phases() {
                for (tap, weights) in (0..phase.taps()).zip(&mut weights) {
                    let mut seen: [&[T]; TILE] = [&slope[..after]; TILE];
                    phase.seen_slopes(tap, range.clone(), (slope, after), room, &mut seen);
                    let x = &seen[..steps(&range)];
                    run_wide(Forward { sums: &mut sums, x, weights, width: after });
                }
            }
            for (place, position) in range.enumerate() {
                let at = (position - first) * before;
                sums.give(place, &mut back[at..at + before]);
            }
        });
    }
}

/// Positions of a tile that are computed: some more than there are, so that no register stays empty.
fn steps(range: &Range<usize>) -> usize {
    range.len().next_multiple_of(STEP)
}

/// `into` ← the sum over positions.
fn bias_slope<T: Real>(slope: &[T], into: &mut [T], room: &mut Vec<T>) {
    let after = into.len();
    room.clear();
    room.resize(PARTS * after, T::default());
    let part = (slope.len() / after).div_ceil(PARTS) * after;
    room.par_chunks_mut(after).zip(slope.par_chunks(part)).for_each(|(sum, slope)| {
        for slope in slope.chunks_exact(after) {
            sum.iter_mut().zip(slope).for_each(|(sum, slope)| *sum += *slope);
        }
    });
    into.fill(T::default());
    for sum in room.chunks_exact(after) {
        into.iter_mut().zip(sum).for_each(|(into, sum)| *into += *sum);
    }
}
