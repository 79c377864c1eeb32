//! Channels that are not computed but known: numbers along one axis, of which a convolution needs no more than sums of its weights.

use rayon::prelude::*;

use super::convolution::PARTS;
use super::{Grid, Padding};
use crate::linalg::Real;

/// Channels of which each is a function of the frame, of the row or of the column: coordinates, or what is known of rows.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// The axis and the number at each place along it.
    channels: Vec<(usize, Vec<f64>)>,
}

impl Fixed {
    /// Coordinates from −1 to 1: along rows and columns and, of a video, along time first.
    pub fn coordinates(grid: Grid) -> Self {
        let along = |axis: usize| {
            let size = grid.sizes()[axis];
            let last = size.saturating_sub(1).max(1) as f64;
            (axis, (0..size).map(|at| 2.0 * at as f64 / last - 1.0).collect())
        };
        Self { channels: (usize::from(grid.frames == 1)..3).map(along).collect() }
    }

    /// One more channel: a number for each row.
    #[must_use]
    pub fn of_rows(mut self, numbers: Vec<f64>) -> Self {
        self.channels.push((1, numbers));
        self
    }

    /// How many there are.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Numbers of the tables of [`Fixed::forward`] and, for each part, of [`Fixed::backward`].
    pub(super) fn tables(grid: Grid, after: usize) -> usize {
        grid.sizes().iter().sum::<usize>() * after
    }

    /// `tables` ← for each frame, each row and each column what it adds to the `after` channels of its positions; `weight` starts with the rows of these
    /// channels at the first of `window` places, `stride` apart.
    pub(super) fn forward<T: Real>(
        &self,
        grid: Grid,
        padding: Padding,
        (weight, stride): (&[T], usize),
        bias: &[T],
        tables: &mut [T],
    ) {
        let after = bias.len();
        tables.fill(T::default());
        for frame in tables.chunks_exact_mut(after).take(grid.frames) {
            frame.copy_from_slice(bias);
        }
        self.each(grid, padding, after, |first, place, channel, number| {
            let weight = &weight[place * stride + channel * after..][..after];
            let table = &mut tables[first..first + after];
            let number = T::of(number);
            table.iter_mut().zip(weight).for_each(|(sum, w)| *sum += number * *w);
        });
    }

    /// `into` ← the slopes with respect to the rows of [`Fixed::forward`] and to the bias.
    pub(super) fn backward<T: Real>(
        &self,
        grid: Grid,
        padding: Padding,
        slope: &[T],
        (into, stride): (&mut [T], usize),
        bias: &mut [T],
        room: &mut Vec<T>,
    ) {
        let (after, size) = (bias.len(), Self::tables(grid, bias.len()));
        Self::summed(grid, slope, after, room);
        let tables = &room[..size];
        bias.fill(T::default());
        for frame in tables.chunks_exact(after).take(grid.frames) {
            bias.iter_mut().zip(frame).for_each(|(bias, frame)| *bias += *frame);
        }
        for place in into.chunks_mut(stride) {
            place[..self.channels() * after].fill(T::default());
        }
        self.each(grid, padding, after, |first, place, channel, number| {
            let into = &mut into[place * stride + channel * after..][..after];
            let number = T::of(number);
            into.iter_mut().zip(&tables[first..]).for_each(|(into, sum)| *into += number * *sum);
        });
    }

    /// Where the table of a place along an axis starts, a place of the window, a channel, and the number that is seen there.
    fn each(
        &self,
        grid: Grid,
        padding: Padding,
        after: usize,
        mut work: impl FnMut(usize, usize, usize, f64),
    ) {
        let [frames, rows, cols] = padding.window;
        let sizes = grid.sizes();
        for (channel, (axis, numbers)) in self.channels.iter().enumerate() {
            let first: usize = sizes[..*axis].iter().sum();
            for place in 0..frames * rows * cols {
                let tap = [place / cols / rows, place / cols % rows, place % cols][*axis];
                for at in 0..sizes[*axis] {
                    let seen =
                        (at + tap).saturating_sub(padding.before[*axis]).min(sizes[*axis] - 1);
                    work((first + at) * after, place, channel, numbers[seen]);
                }
            }
        }
    }

    /// The first of `room` ← the sums of slopes over each frame, each row and each column.
    fn summed<T: Real>(grid: Grid, slope: &[T], after: usize, room: &mut Vec<T>) {
        let size = Self::tables(grid, after);
        room.clear();
        room.resize(PARTS * size, T::default());
        let lines = (grid.frames * grid.rows).div_ceil(PARTS);
        let parts = slope.par_chunks(lines * grid.cols * after).zip(room.par_chunks_mut(size));
        parts.enumerate().for_each(|(part, (slope, room))| {
            let (of_lines, of_cols) = room.split_at_mut((grid.frames + grid.rows) * after);
            let (of_frames, of_rows) = of_lines.split_at_mut(grid.frames * after);
            for (line, slope) in slope.chunks_exact(grid.cols * after).enumerate() {
                let (frame, row) =
                    ((part * lines + line) / grid.rows, (part * lines + line) % grid.rows);
                let frame = &mut of_frames[frame * after..(frame + 1) * after];
                let row = &mut of_rows[row * after..(row + 1) * after];
                for (col, slope) in of_cols.chunks_exact_mut(after).zip(slope.chunks_exact(after)) {
                    for (((col, row), frame), slope) in
                        col.iter_mut().zip(&mut *row).zip(&mut *frame).zip(slope)
                    {
                        *col += *slope;
                        *row += *slope;
                        *frame += *slope;
                    }
                }
            }
        });
        let (sum, rest) = room.split_at_mut(size);
        for part in rest.chunks_exact(size) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += *part);
        }
    }
}

/// `out` ← what the tables of [`Fixed::forward`] give at a position.
pub(super) fn at<T: Real>(grid: Grid, position: usize, tables: &[T], out: &mut [T]) {
    let ([frame, row, col], after) = (grid.at(position), out.len());
    let table = |first: usize| &tables[first * after..(first + 1) * after];
    let of_row = table(grid.frames + row);
    let of_col = table(grid.frames + grid.rows + col);
    for (((out, frame), row), col) in out.iter_mut().zip(table(frame)).zip(of_row).zip(of_col) {
        *out = *frame + *row + *col;
    }
}
