//! The places of a sparse matrix, by rows and by columns, and the three products that training needs.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::kernel::dot_with;
use super::{MatMut, MatRef};

/// Multiply-adds below which one thread is faster than two.
const PARALLEL_FROM: usize = 2_000_000;
/// Registers of a block.
const BLOCK: usize = 4;
/// Rows (or columns) of one part: a property of the pattern, never of the number of threads.
const PART: usize = 16;

/// Which cells of a `rows × cols` matrix are stored. Values are kept apart, in row order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    by_row: Compressed,
    by_col: Compressed,
    /// Place in row order of each cell in column order.
    to_row_order: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Compressed {
    starts: Vec<usize>,
    ids: Vec<u32>,
}

impl Compressed {
    fn range(&self, line: usize) -> std::ops::Range<usize> {
        self.starts[line]..self.starts[line + 1]
    }
}

impl Pattern {
    /// The pattern of the cells `(rows[e], cols[e])`, and the place in row order of each of them.
    ///
    /// # Panics
    /// If an id is outside the shape, or there are 2³² cells or more.
    pub fn new(shape: (usize, usize), rows: &[u32], cols: &[u32]) -> (Self, Vec<u32>) {
        assert!(u32::try_from(rows.len()).is_ok(), "fewer than 2^32 cells");
        let key = |e: usize| (rows[e], cols[e]);
        let sorted = (1..rows.len()).all(|e| key(e - 1) <= key(e));
        let mut places: Vec<u32> = (0..rows.len() as u32).collect();
        let sorted_cols = if sorted {
            cols.to_vec()
        } else {
            let mut order = places.clone();
            order.sort_by_key(|&e| key(e as usize));
            for (place, &e) in order.iter().enumerate() {
                places[e as usize] = place as u32;
            }
            order.iter().map(|&e| cols[e as usize]).collect()
        };
        let row_starts = starts(shape.0, rows);
        // Cells in row order, dealt out to their columns, stay in the order of the rows there.
        let col_starts = starts(shape.1, &sorted_cols);
        let mut next = col_starts.clone();
        let mut to_row_order = vec![0; sorted_cols.len()];
        let mut col_ids = vec![0; sorted_cols.len()];
        for row in 0..shape.0 {
            for place in row_starts[row]..row_starts[row + 1] {
                let spot = &mut next[sorted_cols[place] as usize];
                (to_row_order[*spot], col_ids[*spot]) = (place as u32, row as u32);
                *spot += 1;
            }
        }
        let by_row = Compressed { starts: row_starts, ids: sorted_cols };
        let by_col = Compressed { starts: col_starts, ids: col_ids };
        (Self { by_row, by_col, to_row_order }, places)
    }

    /// Number of stored cells.
    pub fn len(&self) -> usize {
        self.by_row.ids.len()
    }

    /// Whether no cell is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows and columns of the whole matrix.
    pub fn shape(&self) -> (usize, usize) {
        (self.by_row.starts.len() - 1, self.by_col.starts.len() - 1)
    }

    /// Column ids of row `i`, ascending, and the place of the first of them in row order.
    pub fn row(&self, i: usize) -> (usize, &[u32]) {
        let range = self.by_row.range(i);
        (range.start, &self.by_row.ids[range])
    }

    /// Row ids of column `j`, ascending, each with its place in row order.
    pub fn col(&self, j: usize) -> impl Iterator<Item = (u32, usize)> + '_ {
        let range = self.by_col.range(j);
        let places = &self.to_row_order[range.clone()];
        self.by_col.ids[range].iter().zip(places).map(|(&i, &p)| (i, p as usize))
    }

    /// All cells `(row, column)` in row order.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.shape().0).flat_map(|i| self.row(i).1.iter().map(move |&j| (i, j as usize)))
    }

    /// The cells of (leftᵀ · right) at this pattern: `out[e] = ⟨left[:, i], right[:, j]⟩`.
    ///
    /// `left` is k × rows, `right` is k × cols, both not transposed: a step costs |Ω| k, never rows · cols · k.
    ///
    /// # Panics
    /// If the factors or `out` do not fit the pattern.
    pub fn inner_products(&self, left: MatRef<'_>, right: MatRef<'_>, out: &mut [f64]) {
        assert_eq!((left.cols(), right.cols()), self.shape(), "factors of a product");
        assert_eq!((left.rows(), out.len()), (right.rows(), self.len()), "cells of a product");
        let arch = Arch::new();
        if self.len() * left.rows() < PARALLEL_FROM {
            let rows = 0..left.cols();
            return arch.dispatch(InnerProducts { pattern: self, rows, left, right, out });
        }
        let mut parts = Vec::with_capacity(left.cols() / PART + 1);
        let mut rest = out;
        for first in (0..left.cols()).step_by(PART) {
            let rows = first..(first + PART).min(left.cols());
            let cells = self.by_row.starts[rows.end] - self.by_row.starts[first];
            let (part, after) = rest.split_at_mut(cells);
            rest = after;
            parts.push((rows, part));
        }
        parts.into_par_iter().for_each(|(rows, out)| {
            arch.dispatch(InnerProducts { pattern: self, rows, left, right, out });
        });
    }

    /// `out ← out + left · S`, where S holds `values` (in row order) at this pattern.
    ///
    /// `left` is k × rows, `out` is k × cols, both not transposed.
    pub fn add_left_product(&self, values: &[f64], left: MatRef<'_>, out: MatMut<'_>) {
        self.add_product(&self.by_col, Some(&self.to_row_order), values, left, out);
    }

    /// `out ← out + right · Sᵀ`, where S holds `values` (in row order) at this pattern.
    ///
    /// `right` is k × cols, `out` is k × rows, both not transposed.
    pub fn add_right_product(&self, values: &[f64], right: MatRef<'_>, out: MatMut<'_>) {
        self.add_product(&self.by_row, None, values, right, out);
    }

    fn add_product(
        &self,
        lines: &Compressed,
        places: Option<&[u32]>,
        values: &[f64],
        factor: MatRef<'_>,
        out: MatMut<'_>,
    ) {
        let k = out.rows();
        assert_eq!(values.len(), self.len(), "values of a pattern");
        assert_eq!(out.cols(), lines.starts.len() - 1, "columns of a product");
        assert_eq!(factor.rows(), k, "rows of a product");
        let (out, transposed) = out.into_stored();
        assert!(!transposed, "a sparse product is written column by column");
        if k == 0 {
            return;
        }
        let arch = Arch::new();
        let part = |(part, out): (usize, &mut [f64])| {
            arch.dispatch(AddProduct { lines, first: part * PART, places, values, factor, out });
        };
        if values.len() * k < PARALLEL_FROM {
            out.chunks_mut(k * PART).enumerate().for_each(part);
        } else {
            out.par_chunks_mut(k * PART).enumerate().for_each(part);
        }
    }
}

fn starts(lines: usize, ids: &[u32]) -> Vec<usize> {
    let mut starts = vec![0; lines + 1];
    for &id in ids {
        starts[id as usize + 1] += 1;
    }
    for line in 0..lines {
        starts[line + 1] += starts[line];
    }
    starts
}

struct InnerProducts<'a> {
    pattern: &'a Pattern,
    rows: std::ops::Range<usize>,
    left: MatRef<'a>,
    right: MatRef<'a>,
    out: &'a mut [f64],
}

impl WithSimd for InnerProducts<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut out = self.out.iter_mut();
        for i in self.rows {
            let left = self.left.col(i);
            for (&j, out) in self.pattern.row(i).1.iter().zip(&mut out) {
                *out = dot_with(simd, left, self.right.col(j as usize));
            }
        }
    }
}

struct AddProduct<'a> {
    lines: &'a Compressed,
    first: usize,
    places: Option<&'a [u32]>,
    values: &'a [f64],
    factor: MatRef<'a>,
    out: &'a mut [f64],
}

impl WithSimd for AddProduct<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let k = self.factor.rows();
        for (line, out) in self.out.chunks_exact_mut(k).enumerate() {
            let cells = self.lines.range(self.first + line);
            let (wide, tail) = S::as_mut_simd_f64s(out);
            let column = |cell: usize| {
                let value = match self.places {
                    Some(places) => self.values[places[cell] as usize],
                    None => self.values[cell],
                };
                (value, self.factor.col(self.lines.ids[cell] as usize))
            };
            // A block of the line stays in registers while the cells pass by.
            let blocks = wide.len() / BLOCK;
            let (whole, rest) = wide.split_at_mut(blocks * BLOCK);
            for (block, out) in whole.chunks_exact_mut(BLOCK).enumerate() {
                let mut sums = [simd.splat_f64s(0.0); BLOCK];
                sums.copy_from_slice(out);
                for cell in cells.clone() {
                    let (value, column) = column(cell);
                    let value = simd.splat_f64s(value);
                    let column = &S::as_simd_f64s(column).0[block * BLOCK..(block + 1) * BLOCK];
                    for lane in 0..BLOCK {
                        sums[lane] = simd.mul_add_e_f64s(value, column[lane], sums[lane]);
                    }
                }
                out.copy_from_slice(&sums);
            }
            for cell in cells {
                let (value, column) = column(cell);
                let (column, column_tail) = S::as_simd_f64s(column);
                let wide_value = simd.splat_f64s(value);
                for (out, x) in rest.iter_mut().zip(&column[blocks * BLOCK..]) {
                    *out = simd.mul_add_e_f64s(wide_value, *x, *out);
                }
                for (out, x) in tail.iter_mut().zip(column_tail) {
                    *out += value * x;
                }
            }
        }
    }
}
