//! Many small normal equations, factored and solved eight at a time.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{Lines, Mat};

/// Blocks that are factored together, one a lane.
const LANES: usize = 8;
/// Rows that are reduced together; divides the lanes.
const TILE: usize = 4;
/// Multiply-adds below which one thread is faster than two.
const PARALLEL_FROM: usize = 2_000_000;

/// Groups that are solved by one thread: a property of the blocks, never of the number of threads.
const PART: usize = 4;

type Lane = [f64; LANES];

/// Lower Cholesky factors of the blocks 1 + weight Σ f_e f_eᵀ, one a line; each diagonal entry is stored inverted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    width: usize,
    count: usize,
    /// Group after group of eight lines, row after row of the triangle.
    numbers: Vec<Lane>,
}

fn triangle(width: usize) -> usize {
    width * (width + 1) / 2
}

impl Blocks {
    /// Factors the block of every line, where f_e are the first `width` numbers of the columns of `other` that the line meets.
    ///
    /// # Panics
    /// If a line meets a column that `other` does not have.
    pub(crate) fn fit(&mut self, width: usize, lines: &Lines, other: &Mat, weight: f64) {
        (self.width, self.count) = (width, lines.len());
        let size = triangle(width);
        self.numbers.resize(size * self.count.div_ceil(LANES), [0.0; LANES]);
        if size == 0 {
            return;
        }
        let arch = Arch::new();
        let factor = |(group, numbers): (usize, &mut [Lane])| {
            arch.dispatch(Factor { group, width, lines, other, weight, numbers });
        };
        let work = lines.cells() * size + lines.len() * size * width / 3;
        if work < PARALLEL_FROM {
            self.numbers.chunks_exact_mut(size).enumerate().for_each(factor);
        } else {
            self.numbers.par_chunks_exact_mut(size).enumerate().for_each(factor);
        }
    }

    /// Solves for every column of `x`, the first `width` numbers of it; the others are left as they are.
    ///
    /// # Panics
    /// If there are not as many columns as blocks.
    pub(crate) fn solve(&self, x: &mut Mat) {
        assert_eq!(x.cols(), self.count, "a column for each block");
        let (rows, size) = (x.rows(), triangle(self.width));
        if size == 0 {
            return;
        }
        let arch = Arch::new();
        let solve = |(x, numbers): (&mut [f64], &[Lane])| {
            arch.dispatch(Solve { rows, width: self.width, numbers, x });
        };
        if 2 * self.count * size < PARALLEL_FROM {
            solve((x.values_mut(), &self.numbers));
        } else {
            let parts = self.numbers.par_chunks(PART * size);
            x.values_mut().par_chunks_mut(PART * rows * LANES).zip(parts).for_each(solve);
        }
    }
}

struct Factor<'a> {
    group: usize,
    width: usize,
    lines: &'a Lines,
    other: &'a Mat,
    weight: f64,
    numbers: &'a mut [Lane],
}

impl WithSimd for Factor<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { group, width, lines, other, weight, numbers } = self;
        let registers = width.div_ceil(LANES);
        let (mut packed, mut square) = (Vec::new(), vec![[0.0; LANES]; width * registers]);
        for lane in 0..LANES {
            let line = group * LANES + lane;
            let ids = if line < lines.len() { lines.ids(line) } else { &[] };
            packed.clear();
            packed.resize(ids.len() * registers, [0.0; LANES]);
            for (packed, &id) in packed.chunks_exact_mut(registers).zip(ids) {
                let column = &other.col(id as usize)[..width];
                packed.as_flattened_mut()[..width].copy_from_slice(column);
            }
            gram(&packed, registers, width, &mut square);
            let mut rest = &mut *numbers;
            for (i, row) in square.chunks_exact(registers).enumerate() {
                let (line, after) = rest.split_at_mut(i + 1);
                line.iter_mut().zip(row.as_flattened()).for_each(|(n, g)| n[lane] = weight * g);
                line[i][lane] += 1.0;
                rest = after;
            }
        }
        cholesky(width, numbers);
    }
}

/// The lower triangle of Σ f fᵀ over packed columns f, in whole registers.
#[inline(always)]
fn gram(packed: &[Lane], registers: usize, width: usize, out: &mut [Lane]) {
    for first in (0..width).step_by(TILE) {
        let rows = TILE.min(width - first);
        for place in 0..=(first + rows - 1) / LANES {
            let mut sums = [[0.0; LANES]; TILE];
            for f in packed.chunks_exact(registers) {
                let right = f[place];
                let left = &f[first / LANES][first % LANES..first % LANES + TILE];
                for r in 0..TILE {
                    for lane in 0..LANES {
                        sums[r][lane] = left[r].mul_add(right[lane], sums[r][lane]);
                    }
                }
            }
            for r in 0..rows {
                out[(first + r) * registers + place] = sums[r];
            }
        }
    }
}

/// Cholesky factors in place, column after column.
#[inline(always)]
fn cholesky(width: usize, numbers: &mut [Lane]) {
    for j in 0..width {
        let (upper, lower) = numbers.split_at_mut(triangle(j + 1));
        let (_, pivot) = upper.split_at_mut(triangle(j));
        let mut square = pivot[j];
        for x in &pivot[..j] {
            for lane in 0..LANES {
                square[lane] = (-x[lane]).mul_add(x[lane], square[lane]);
            }
        }
        for lane in 0..LANES {
            pivot[j][lane] = 1.0 / square[lane].sqrt();
        }
        let mut i = j + 1;
        let start = |i: usize| triangle(i) - triangle(j + 1);
        while i + TILE <= width {
            let mut sums: [Lane; TILE] = std::array::from_fn(|r| lower[start(i + r) + j]);
            let rows: [&[Lane]; TILE] =
                std::array::from_fn(|r| &lower[start(i + r)..start(i + r) + j]);
            for p in 0..j {
                for r in 0..TILE {
                    for lane in 0..LANES {
                        sums[r][lane] = (-pivot[p][lane]).mul_add(rows[r][p][lane], sums[r][lane]);
                    }
                }
            }
            for r in 0..TILE {
                for lane in 0..LANES {
                    lower[start(i + r) + j][lane] = sums[r][lane] * pivot[j][lane];
                }
            }
            i += TILE;
        }
        while i < width {
            let row = &mut lower[start(i)..=start(i) + j];
            let mut sum = row[j];
            for p in 0..j {
                for lane in 0..LANES {
                    sum[lane] = (-pivot[p][lane]).mul_add(row[p][lane], sum[lane]);
                }
            }
            for lane in 0..LANES {
                row[j][lane] = sum[lane] * pivot[j][lane];
            }
            i += 1;
        }
    }
}

struct Solve<'a> {
    rows: usize,
    width: usize,
    numbers: &'a [Lane],
    x: &'a mut [f64],
}

impl WithSimd for Solve<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, width, numbers, x } = self;
        let mut side = vec![[0.0; LANES]; width];
        let groups = numbers.chunks_exact(triangle(width));
        for (x, numbers) in x.chunks_mut(rows * LANES).zip(groups) {
            solve_group(rows, numbers, x, &mut side);
        }
    }
}

#[inline(always)]
fn solve_group(rows: usize, numbers: &[Lane], x: &mut [f64], side: &mut [Lane]) {
    let width = side.len();
    for (lane, column) in x.chunks_exact(rows).enumerate() {
        side.iter_mut().zip(column).for_each(|(side, x)| side[lane] = *x);
    }
    for i in 0..width {
        let row = &numbers[triangle(i)..=triangle(i) + i];
        // Two sums hide a part of the latency of the multiply-add.
        let (mut even, mut odd) = (side[i], [0.0; LANES]);
        for (pair, x) in row[..i].chunks_exact(2).zip(side[..i].chunks_exact(2)) {
            for lane in 0..LANES {
                even[lane] = (-pair[0][lane]).mul_add(x[0][lane], even[lane]);
                odd[lane] = (-pair[1][lane]).mul_add(x[1][lane], odd[lane]);
            }
        }
        if i % 2 == 1 {
            for lane in 0..LANES {
                even[lane] = (-row[i - 1][lane]).mul_add(side[i - 1][lane], even[lane]);
            }
        }
        for lane in 0..LANES {
            side[i][lane] = (even[lane] + odd[lane]) * row[i][lane];
        }
    }
    for i in (0..width).rev() {
        let row = &numbers[triangle(i)..=triangle(i) + i];
        let (before, own) = side.split_at_mut(i);
        for lane in 0..LANES {
            own[0][lane] *= row[i][lane];
        }
        for (x, l) in before.iter_mut().zip(row) {
            for lane in 0..LANES {
                x[lane] = (-l[lane]).mul_add(own[0][lane], x[lane]);
            }
        }
    }
    for (lane, column) in x.chunks_exact_mut(rows).enumerate() {
        column.iter_mut().zip(&*side).for_each(|(x, side)| *x = side[lane]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn what_is_solved_solves_every_block() {
        let mut random = stream(5, Purpose::Sketch, 0);
        for (width, rows) in [(1, 1), (3, 8), (6, 6), (13, 16)] {
            let other = Mat::from_fn(rows, 7, |_, _| normal(&mut random));
            let right = Mat::from_fn(rows, 11, |_, _| normal(&mut random));
            let mut lines = Lines::default();
            for line in 0..11_u32 {
                (0..line.min(7)).for_each(|id| lines.push((id * 3 + line) % 7, 0.0));
                lines.end();
            }
            let mut blocks = Blocks::default();
            blocks.fit(width, &lines, &other, 2.5);
            let mut x = right.clone();
            blocks.solve(&mut x);
            for line in 0..11 {
                let mut image = x.col(line).to_vec();
                for &id in lines.ids(line) {
                    let f = &other.col(id as usize)[..width];
                    let inner: f64 = f.iter().zip(x.col(line)).map(|(f, x)| f * x).sum();
                    image.iter_mut().zip(f).for_each(|(image, f)| *image += 2.5 * inner * f);
                }
                for (image, right) in image.iter().zip(right.col(line)) {
                    assert!((image - right).abs() < 1e-11, "{width} {line}");
                }
            }
        }
    }
}
