//! Convolution over images and videos whose border is continued outwards.

use std::ops::Range;

use rayon::prelude::*;

use super::{Grid, one};
use crate::linalg::{Accumulate, MatMut, MatRef, Real, multiply};
use crate::model::layer::{Input, Layer, Mode, Tape};
use crate::random::{Stream, normal};

/// Most positions of one product: below what a product splits by itself, and few enough to stay in the cache.
const TILE: usize = 96;
/// Numbers that a tile should not hold more of.
const TILE_NUMBERS: usize = 1 << 17;
/// Parts that the positions are split into: a property of the layer, never of the number of threads.
const PARTS: usize = 8;

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
    padding: Padding,
    before: usize,
    after: usize,
    bias: (f64, f64),
}

impl Convolution {
    /// From `before` channels to `after`; biases start at zero.
    pub fn new(grid: Grid, padding: Padding, before: usize, after: usize) -> Self {
        Self { grid, padding, before, after, bias: (0.0, 0.0) }
    }

    /// Draws biases with this mean and deviation.
    #[must_use]
    pub fn bias(self, mean: f64, deviation: f64) -> Self {
        Self { bias: (mean, deviation), ..self }
    }

    fn window(&self) -> usize {
        self.padding.window.iter().product()
    }

    fn weights(&self) -> usize {
        self.window() * self.before * self.after
    }

    /// The position that place `tap` along an axis sees from `at`.
    fn source(&self, axis: usize, at: usize, tap: usize) -> usize {
        (at + tap).saturating_sub(self.padding.before[axis]).min(self.grid.sizes()[axis] - 1)
    }

    /// The positions that see `at` at place `tap` along an axis.
    fn seeing(&self, axis: usize, at: usize, tap: usize) -> Range<usize> {
        let (size, before) = (self.grid.sizes()[axis], self.padding.before[axis]);
        let start = if at == 0 { 0 } else { (at + before).saturating_sub(tap) };
        let end = if at + 1 == size { size } else { (at + before + 1).saturating_sub(tap) };
        // Before the last position there may be none, and the last one is seen by all that look beyond it.
        start.min(size)..end.min(size).max(start.min(size))
    }

    /// What the window of each position in `range` holds, a column each.
    fn columns<T: Real>(&self, x: &[T], range: Range<usize>, out: &mut [T]) {
        let ([frames, rows, cols], width) = (self.padding.window, self.before);
        let columns = out.chunks_exact_mut(self.window() * width);
        for (position, out) in range.zip(columns) {
            let [frame, row, col] = self.grid.at(position);
            let inside = col >= self.padding.before[2]
                && col + cols <= self.grid.cols + self.padding.before[2];
            let mut lines = out.chunks_exact_mut(cols * width);
            for f in 0..frames {
                let frame = self.source(0, frame, f);
                for r in 0..rows {
                    let Some(line) = lines.next() else { return };
                    let start = self.grid.position([frame, self.source(1, row, r), 0]);
                    if inside {
                        let first = (start + col - self.padding.before[2]) * width;
                        line.copy_from_slice(&x[first..first + cols * width]);
                        continue;
                    }
                    for (c, place) in line.chunks_exact_mut(width).enumerate() {
                        let first = (start + self.source(2, col, c)) * width;
                        place.copy_from_slice(&x[first..first + width]);
                    }
                }
            }
        }
    }

    /// The slopes of all positions that see each position in `range`, a column each, summed for each place of the window.
    fn seen_slopes<T: Real>(&self, slope: &[T], range: Range<usize>, out: &mut [T]) {
        let ([_, rows, cols], width) = (self.padding.window, self.after);
        for (position, out) in range.zip(out.chunks_exact_mut(self.window() * width)) {
            let at = self.grid.at(position);
            for (tap, place) in out.chunks_exact_mut(width).enumerate() {
                let taps = [tap / cols / rows, tap / cols % rows, tap % cols];
                let [of_frame, of_row, of_col] =
                    std::array::from_fn(|axis| self.seeing(axis, at[axis], taps[axis]));
                let mut first = true;
                for frame in of_frame {
                    for row in of_row.clone() {
                        for col in of_col.clone() {
                            let from = self.grid.position([frame, row, col]) * width;
                            let from = &slope[from..from + width];
                            if first {
                                place.copy_from_slice(from);
                            } else {
                                place.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                            }
                            first = false;
                        }
                    }
                }
                if first {
                    place.fill(T::default());
                }
            }
        }
    }

    /// Does `work` on tiles of positions: its columns of `height` numbers in `room`, its part of `out` with `width` numbers a position.
    fn tiles<T: Real>(
        &self,
        (height, width): (usize, usize),
        out: &mut [T],
        room: &mut Vec<T>,
        work: impl Fn(Range<usize>, &mut [T], &mut [T]) + Sync,
    ) {
        let tile = (TILE_NUMBERS / height.max(1)).clamp(TILE / 2, TILE);
        let positions = self.grid.positions();
        let part = positions.div_ceil(PARTS).next_multiple_of(tile).min(positions).max(1);
        room.resize(PARTS * height * tile, T::default());
        let rooms = room.par_chunks_mut(height * tile);
        out.par_chunks_mut(part * width).zip(rooms).enumerate().for_each(|(place, (out, room))| {
            for (own, out) in out.chunks_mut(tile * width).enumerate() {
                let (start, count) = (place * part + own * tile, out.len() / width);
                work(start..start + count, out, &mut room[..count * height]);
            }
        });
    }

    /// `into` ← the slope with respect to the weight; each thread has places of the window of its own.
    fn weight_slope<T: Real>(&self, x: &[T], slope: &[T], into: &mut [T], room: &mut Vec<T>) {
        let ([_, rows, cols], width) = (self.padding.window, self.before);
        room.resize(self.window() * width * TILE, T::default());
        let places = into.par_chunks_mut(width * self.after);
        places.zip(room.par_chunks_mut(width * TILE)).enumerate().for_each(
            |(tap, (into, room))| {
                let taps = [tap / cols / rows, tap / cols % rows, tap % cols];
                into.fill(T::default());
                for (tile, slope) in slope.chunks(TILE * self.after).enumerate() {
                    let count = slope.len() / self.after;
                    let room = &mut room[..count * width];
                    for (own, place) in room.chunks_exact_mut(width).enumerate() {
                        let at = self.grid.at(tile * TILE + own);
                        let source =
                            std::array::from_fn(|axis| self.source(axis, at[axis], taps[axis]));
                        let from = self.grid.position(source) * width;
                        place.copy_from_slice(&x[from..from + width]);
                    }
                    multiply(
                        MatMut::new(self.after, width, into),
                        Accumulate::Add,
                        T::of(1.0),
                        MatRef::new(self.after, count, slope),
                        MatRef::new(width, count, room).t(),
                    );
                }
            },
        );
    }
}

impl<T: Real> Layer<T> for Convolution {
    fn widths(&self) -> (usize, usize) {
        let positions = self.grid.positions();
        (positions * self.before, positions * self.after)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("weight", self.after, self.window() * self.before), ("bias", self.after, 1)]
    }

    fn start(&self, params: &mut [T], _state: &mut [T], random: &mut Stream) {
        let (weight, bias) = params.split_at_mut(self.weights());
        let spread = (2.0 / (self.window() * (self.before + self.after)) as f64).sqrt();
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
        let height = self.window() * self.before;
        let weight = MatRef::new(self.after, height, weight);
        tape.output.resize(self.grid.positions() * self.after, T::default());
        let sizes = (height, self.after);
        self.tiles(sizes, &mut tape.output, &mut tape.kept, |range, out, room| {
            let count = range.len();
            self.columns(x, range, room);
            out.chunks_exact_mut(self.after).for_each(|out| out.copy_from_slice(bias));
            let (out, room) =
                (MatMut::new(self.after, count, out), MatRef::new(height, count, room));
            multiply(out, Accumulate::Add, T::of(1.0), weight, room);
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
        bias.fill(T::default());
        for slope in slope.chunks_exact(self.after) {
            bias.iter_mut().zip(slope).for_each(|(bias, slope)| *bias += *slope);
        }
        self.weight_slope(one(input), slope, weight, &mut tape.kept);
        let Some(back) = back else { return };
        let height = self.window() * self.after;
        // The weight with before and after exchanged at each place of the window.
        tape.sums.resize(self.weights(), T::default());
        let size = self.before * self.after;
        let places = tape.sums.chunks_exact_mut(size).zip(params.chunks_exact(size));
        for (turned, weight) in places.take(self.window()) {
            let weight = MatRef::new(self.after, self.before, weight);
            for (j, turned) in turned.chunks_exact_mut(self.before).enumerate() {
                turned.iter_mut().enumerate().for_each(|(i, turned)| *turned = weight.at(j, i));
            }
        }
        let turned = MatRef::new(self.before, height, &tape.sums);
        back.resize(self.grid.positions() * self.before, T::default());
        self.tiles((height, self.before), back, &mut tape.kept, |range, back, room| {
            let count = range.len();
            self.seen_slopes(slope, range, room);
            let (back, room) =
                (MatMut::new(self.before, count, back), MatRef::new(height, count, room));
            multiply(back, Accumulate::Replace, T::of(1.0), turned, room);
        });
    }
}
