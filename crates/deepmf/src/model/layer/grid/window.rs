//! Which positions a convolution sees, where the grid may be several times as fine as what it is given.

use std::ops::Range;

use super::kernel::TILE;
use super::{Grid, Padding};
use crate::linalg::Real;

/// The positions of a fine grid that stand at one place within their coarse one, and what these see of the coarse grid.
///
/// Where each position is repeated, places of the window that fall on one position see one number: their weights are added before anything is
/// multiplied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    grid: Grid,
    factors: [usize; 3],
    own: [usize; 3],
    first: [isize; 3],
    count: [usize; 3],
}

impl Phase {
    /// All phases of a grid whose positions are repeated `factors` times along each axis.
    pub(super) fn all(
        grid: Grid,
        factors: [usize; 3],
        padding: Padding,
    ) -> impl Iterator<Item = Self> + Clone {
        let [_, rows, cols] = factors;
        (0..factors.iter().product()).map(move |place: usize| {
            let own = [place / cols / rows, place / cols % rows, place % cols];
            let coarse = |axis: usize, tap: usize| coarse(factors, padding, own, axis, tap);
            let first = std::array::from_fn(|axis| coarse(axis, 0));
            let last = |axis: usize| coarse(axis, padding.window[axis] - 1);
            let count = std::array::from_fn(|axis| (last(axis) - first[axis]) as usize + 1);
            Self { grid, factors, own, first, count }
        })
    }

    /// How many coarse positions each position sees.
    pub(super) fn taps(&self) -> usize {
        self.count.iter().product()
    }

    fn tap(&self, tap: usize) -> [isize; 3] {
        let [_, rows, cols] = self.count;
        let taps = [tap / cols / rows, tap / cols % rows, tap % cols];
        std::array::from_fn(|axis| self.first[axis] + taps[axis].cast_signed())
    }

    /// The tap of the phase that a place of the window belongs to.
    pub(super) fn tap_of(&self, padding: Padding, place: usize) -> usize {
        let [_, rows, cols] = padding.window;
        let place = [place / cols / rows, place / cols % rows, place % cols];
        let own = |axis: usize| {
            let at = coarse(self.factors, padding, self.own, axis, place[axis]);
            (at - self.first[axis]) as usize
        };
        (own(0) * self.count[1] + own(1)) * self.count[2] + own(2)
    }

    /// The fine position of each coarse one in `range`.
    pub(super) fn fine(&self, range: Range<usize>) -> [usize; TILE] {
        let mut fine = [0; TILE];
        let mut places = fine.iter_mut();
        for ([frame, row], run) in self.grid.runs(range) {
            let start = self.fine_at([frame, row, 0]);
            let cols = run.zip(&mut places);
            cols.for_each(|(col, place)| *place = start + col * self.factors[2]);
        }
        fine
    }

    fn fine_at(&self, at: [usize; 3]) -> usize {
        let at = std::array::from_fn(|axis| at[axis] * self.factors[axis] + self.own[axis]);
        self.grid.times(self.factors).position(at)
    }

    /// What each coarse position in `range` sees at a tap: `width` numbers of `x`.
    pub(super) fn sources<'a, T>(
        &self,
        tap: usize,
        range: Range<usize>,
        x: &'a [T],
        width: usize,
        seen: &mut [&'a [T]],
    ) {
        let [frame_off, row_off, col_off] = self.tap(tap);
        let Grid { frames, rows, cols } = self.grid;
        let near = |at: usize, off: isize, size: usize| at.saturating_add_signed(off).min(size - 1);
        let mut seen = seen.iter_mut();
        for ([frame, row], run) in self.grid.runs(range) {
            let start =
                self.grid.position([near(frame, frame_off, frames), near(row, row_off, rows), 0]);
            let line = &x[start * width..(start + cols) * width];
            for (col, seen) in run.zip(&mut seen) {
                let from = near(col, col_off, cols) * width;
                *seen = &line[from..from + width];
            }
        }
    }

    /// The sum of the slopes of all positions that see each coarse position in `range` at a tap: `width` numbers of `slope` where it is one position,
    /// else numbers in `room`, of which the first `width` are zeros.
    pub(super) fn seen_slopes<'a, T: Real>(
        &self,
        tap: usize,
        range: Range<usize>,
        (slope, width): (&'a [T], usize),
        room: &'a mut [T],
        seen: &mut [&'a [T]],
    ) {
        let off = self.tap(tap);
        let (nothing, room) = room.split_at_mut(width);
        let nothing: &'a [T] = nothing;
        let mut places = seen.iter_mut().zip(room.chunks_exact_mut(width));
        for ([frame, row], run) in self.grid.runs(range) {
            let (of_frame, of_row) = (self.seeing(0, frame, off[0]), self.seeing(1, row, off[1]));
            let lines = of_frame.len() * of_row.len();
            let start = self.fine_at([of_frame.start, of_row.start, 0]);
            for (col, (seen, room)) in run.zip(&mut places) {
                let of_col = self.seeing(2, col, off[2]);
                *seen = match lines * of_col.len() {
                    0 => nothing,
                    1 => {
                        let at = start + of_col.start * self.factors[2];
                        &slope[at * width..(at + 1) * width]
                    }
                    _ => {
                        let lines = of_frame.clone().flat_map(|frame| {
                            of_row.clone().map(move |row| self.fine_at([frame, row, 0]))
                        });
                        room.fill(T::default());
                        for start in lines {
                            for col in of_col.clone() {
                                let at = (start + col * self.factors[2]) * width;
                                let from = &slope[at..at + width];
                                room.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                            }
                        }
                        room
                    }
                };
            }
        }
    }

    /// The positions that see `at` along an axis, being `off` away or beyond the border.
    fn seeing(&self, axis: usize, at: usize, off: isize) -> Range<usize> {
        let size = self.grid.sizes()[axis];
        let from = at.cast_signed() - off;
        let inside = |position: isize| (position.max(0) as usize).min(size);
        let start = if at == 0 { 0 } else { inside(from) };
        let end = if at + 1 == size { size } else { inside(from + 1) };
        start..end.max(start)
    }
}

/// How many coarse positions away place `tap` of the window is along an axis.
fn coarse(
    factors: [usize; 3],
    padding: Padding,
    own: [usize; 3],
    axis: usize,
    tap: usize,
) -> isize {
    let fine = (own[axis] + tap).cast_signed() - padding.before[axis].cast_signed();
    fine.div_euclid(factors[axis].cast_signed())
}
