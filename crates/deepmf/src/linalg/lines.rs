//! Cells line by line, each with a number, and the products of a bilinear form's Hessian with them.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Mat;
use super::kernel::dot_with;

/// Multiply-adds below which one thread is faster than two.
const PARALLEL_FROM: usize = 2_000_000;
/// Lines of one part: a property of the cells, never of the number of threads.
const PART: usize = 16;

/// Cells of some lines, rows or columns: the other line that each is in, and a number.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    ids: Vec<u32>,
    values: Vec<f64>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { starts: vec![0], ids: Vec::new(), values: Vec::new() }
    }
}

impl Lines {
    /// No lines; the storage is kept.
    pub(crate) fn clear(&mut self) {
        self.starts.truncate(1);
        self.ids.clear();
        self.values.clear();
    }

    /// Adds a cell to the line that is not ended yet.
    pub(crate) fn push(&mut self, id: u32, value: f64) {
        self.ids.push(id);
        self.values.push(value);
    }

    /// Ends a line.
    pub(crate) fn end(&mut self) {
        self.starts.push(self.ids.len());
    }

    /// Number of ended lines.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The other lines that `line` meets.
    pub(super) fn ids(&self, line: usize) -> &[u32] {
        &self.ids[self.starts[line]..self.starts[line + 1]]
    }

    /// Multiply-adds of a pass over all cells for each number of a column.
    pub(super) fn cells(&self) -> usize {
        self.ids.len()
    }

    /// `out[:, i] ← Σ weight ⟨own[:, i], x[:, e]⟩ other[:, e] − value_e x[:, e]` over the cells e of line i: the mixed second
    /// derivative of Σ weight/2 ⟨own, other⟩² − value ⟨own, other⟩ where the first part is squared to first order.
    ///
    /// `own` and `out` are k × lines, `other` and `x` k × other lines.
    ///
    /// # Panics
    /// If these do not fit.
    pub(crate) fn mixed(&self, weight: f64, own: &Mat, other: &Mat, x: &Mat, out: &mut Mat) {
        let k = own.rows();
        assert_eq!((own.cols(), other.rows(), x.rows()), (self.len(), k, k), "factors of lines");
        assert_eq!(other.cols(), x.cols(), "factors of other lines");
        out.reshape(k, self.len());
        if k == 0 {
            return;
        }
        let arch = Arch::new();
        let part = |(part, out): (usize, &mut [f64])| {
            arch.dispatch(Mixed { lines: self, first: part * PART, weight, own, other, x, out });
        };
        if 3 * self.cells() * k < PARALLEL_FROM {
            out.values_mut().chunks_mut(k * PART).enumerate().for_each(part);
        } else {
            out.values_mut().par_chunks_mut(k * PART).enumerate().for_each(part);
        }
    }
}

struct Mixed<'a> {
    lines: &'a Lines,
    first: usize,
    weight: f64,
    own: &'a Mat,
    other: &'a Mat,
    x: &'a Mat,
    out: &'a mut [f64],
}

impl WithSimd for Mixed<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (registers, tail) = S::as_simd_f64s(self.own.col(0));
        match (registers.len(), tail.len()) {
            (1, 0) => self.in_registers::<S, 1>(simd),
            (2, 0) => self.in_registers::<S, 2>(simd),
            (4, 0) => self.in_registers::<S, 4>(simd),
            (6, 0) => self.in_registers::<S, 6>(simd),
            (8, 0) => self.in_registers::<S, 8>(simd),
            _ => self.in_memory(simd),
        }
    }
}

impl Mixed<'_> {
    /// For columns of so many registers: a line stays in them while its cells pass by.
    #[inline(always)]
    fn in_registers<S: Simd, const N: usize>(self, simd: S) {
        let Self { lines, first, weight, own, other, x, out } = self;
        let zero = simd.splat_f64s(0.0);
        for (line, out) in out.chunks_exact_mut(own.rows()).enumerate() {
            let line = first + line;
            let (mut fixed, mut sums) = ([zero; N], [zero; N]);
            fixed.copy_from_slice(S::as_simd_f64s(own.col(line)).0);
            let range = lines.starts[line]..lines.starts[line + 1];
            for (&id, value) in lines.ids[range.clone()].iter().zip(&lines.values[range]) {
                let other = &S::as_simd_f64s(other.col(id as usize)).0[..N];
                let x = &S::as_simd_f64s(x.col(id as usize)).0[..N];
                let mut inner = simd.mul_f64s(fixed[0], x[0]);
                for r in 1..N {
                    inner = simd.mul_add_e_f64s(fixed[r], x[r], inner);
                }
                let bend = simd.splat_f64s(weight * simd.reduce_sum_f64s(inner));
                let value = simd.splat_f64s(-value);
                for r in 0..N {
                    sums[r] = simd.mul_add_e_f64s(bend, other[r], sums[r]);
                    sums[r] = simd.mul_add_e_f64s(value, x[r], sums[r]);
                }
            }
            S::as_mut_simd_f64s(out).0.copy_from_slice(&sums);
        }
    }

    #[inline(always)]
    fn in_memory<S: Simd>(self, simd: S) {
        let Self { lines, first, weight, own, other, x, out } = self;
        for (line, out) in out.chunks_exact_mut(own.rows()).enumerate() {
            let line = first + line;
            let own = own.col(line);
            out.fill(0.0);
            let (sums, sums_tail) = S::as_mut_simd_f64s(out);
            for cell in lines.starts[line]..lines.starts[line + 1] {
                let id = lines.ids[cell] as usize;
                let (other, x, value) = (other.col(id), x.col(id), -lines.values[cell]);
                let bend = weight * dot_with(simd, own, x);
                let (wide_bend, wide_value) = (simd.splat_f64s(bend), simd.splat_f64s(value));
                let (other, other_tail) = S::as_simd_f64s(other);
                let (x, x_tail) = S::as_simd_f64s(x);
                for ((sum, other), x) in sums.iter_mut().zip(other).zip(x) {
                    *sum = simd.mul_add_e_f64s(wide_bend, *other, *sum);
                    *sum = simd.mul_add_e_f64s(wide_value, *x, *sum);
                }
                for ((sum, other), x) in sums_tail.iter_mut().zip(other_tail).zip(x_tail) {
                    *sum += bend * other + value * x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::dot;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn the_mixed_derivative_is_the_sum_over_its_cells() {
        let mut random = stream(3, Purpose::Sketch, 0);
        let mut draw = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut random));
        for k in [1, 4, 5, 8, 16, 19] {
            let (own, other, x) = (draw(k, 3), draw(k, 4), draw(k, 4));
            let cells = [(0, 1, 0.5), (0, 3, -2.0), (2, 0, 0.0), (2, 3, 1.0)];
            let mut lines = Lines::default();
            for line in 0..3 {
                cells.iter().filter(|c| c.0 == line).for_each(|c| lines.push(c.1, c.2));
                lines.end();
            }
            let mut expected = Mat::zeros(k, 3);
            for (i, j, value) in cells {
                let j = j as usize;
                let bend = 0.7 * dot(own.col(i), x.col(j));
                for r in 0..k {
                    expected[(r, i)] += bend * other[(r, j)] - value * x[(r, j)];
                }
            }
            let mut out = Mat::default();
            lines.mixed(0.7, &own, &other, &x, &mut out);
            assert!(out.minus(&expected).max_abs() < 1e-13);
        }
    }
}
