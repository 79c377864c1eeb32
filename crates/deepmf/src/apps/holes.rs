//! Whether holes come together, as blocks and shared gaps do, or each for itself.
//!
//! A line's companions are the sum of the squared correlations of its holes with those of all other lines of its side, averaged over
//! the lines. They are compared with those of tables whose rows and columns have as many holes each, drawn by swaps of two rows and
//! two columns that keep all counts: a test that is exact whatever the counts are (Besag and Clifford 1989).

use crate::data::Entries;
use crate::linalg::Mat;
use crate::random::{Purpose, RngExt, Stream, stream};

/// Tables that are drawn.
const DRAWS: usize = 8;
/// Swaps that are tried for a drawn table, a cell.
const SWAPS: usize = 5;
/// Lines of a side that are looked at.
const LINES: usize = 600;
/// So many companions more than in the drawn tables …
const LEAST: f64 = 0.25;
/// … and so many standard deviations of these are not chance.
const DEVIATIONS: f64 = 5.0;
/// The stream of the draws, beyond those of all folds.
const ITEM: u64 = 1 << 32;

/// Whether the holes of a table come together.
pub(super) fn come_together(entries: &Entries, seed: u64) -> bool {
    let mut draws = stream(seed, Purpose::Split, ITEM);
    let mut known = Known::of(entries, &mut draws);
    let expected = known.expected();
    let found = known.companions(&expected);
    let drawn: Vec<[f64; 2]> = (0..DRAWS)
        .map(|_| {
            known.swap(&mut draws);
            known.companions(&expected)
        })
        .collect();
    [0, 1].into_iter().any(|side| {
        let mean = drawn.iter().map(|of| of[side]).sum::<f64>() / DRAWS as f64;
        let squares = drawn.iter().map(|of| (of[side] - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (DRAWS - 1) as f64).sqrt();
        found[side] - mean > LEAST + DEVIATIONS * deviation
    })
}

/// Which cells are known, row after row.
struct Known {
    cells: Vec<bool>,
    rows: usize,
    cols: usize,
}

impl Known {
    /// Of a table, or of lines that are drawn where it has many.
    fn of(entries: &Entries, draws: &mut Stream) -> Self {
        let mut places = |lines: usize| {
            let mut order: Vec<usize> = (0..lines).collect();
            for place in 0..LINES.min(lines) {
                order.swap(place, draws.random_range(place..lines));
            }
            let mut places = vec![None; lines];
            order.iter().take(LINES).enumerate().for_each(|(to, &from)| places[from] = Some(to));
            places
        };
        let (rows, cols) = entries.shape();
        let (of_rows, of_cols) = (places(rows), places(cols));
        let (rows, cols) = (rows.min(LINES), cols.min(LINES));
        let mut cells = vec![false; rows * cols];
        for (i, j, _) in entries.iter() {
            if let (Some(i), Some(j)) = (of_rows[i], of_cols[j]) {
                cells[i * cols + j] = true;
            }
        }
        Self { cells, rows, cols }
    }

    /// The chance that a cell is known if rows and columns tell all.
    fn expected(&self) -> Mat {
        let (mut rows, mut cols) = (vec![0.0; self.rows], vec![0.0; self.cols]);
        for (place, _) in self.cells.iter().enumerate().filter(|(_, known)| **known) {
            rows[place / self.cols] += 1.0;
            cols[place % self.cols] += 1.0;
        }
        let all = rows.iter().sum::<f64>().max(1.0);
        Mat::from_fn(self.rows, self.cols, |i, j| f64::min(rows[i] * cols[j] / all, 1.0))
    }

    /// The mean number of companions of a row, and of a column.
    fn companions(&self, expected: &Mat) -> [f64; 2] {
        let surprise = |i: usize, j: usize| {
            f64::from(u8::from(self.cells[i * self.cols + j])) - expected[(i, j)]
        };
        let rows = Mat::from_fn(self.rows, self.cols, surprise);
        let cols = Mat::from_fn(self.cols, self.rows, |j, i| surprise(i, j));
        [rows, cols].map(companions)
    }

    /// Draws another table with the same counts.
    fn swap(&mut self, draws: &mut Stream) {
        for _ in 0..SWAPS * self.cells.len() {
            let (a, b) = (draws.random_range(0..self.rows), draws.random_range(0..self.rows));
            let (c, d) = (draws.random_range(0..self.cols), draws.random_range(0..self.cols));
            let (a, b) = (a * self.cols, b * self.cols);
            let cells = &mut self.cells;
            if cells[a + c] != cells[a + d]
                && cells[b + c] != cells[b + d]
                && cells[a + c] != cells[b + c]
            {
                cells.swap(a + c, a + d);
                cells.swap(b + c, b + d);
            }
        }
    }
}

/// The mean over rows of the sum of squared cosines with the other rows.
fn companions(mut lines: Mat) -> f64 {
    let norm = |i: usize| (0..lines.cols()).map(|j| lines[(i, j)].powi(2)).sum::<f64>().sqrt();
    let norms: Vec<f64> = (0..lines.rows()).map(norm).collect();
    for (i, norm) in norms.iter().enumerate().filter(|(_, norm)| **norm > 0.0) {
        (0..lines.cols()).for_each(|j| lines[(i, j)] /= norm);
    }
    // The inner products of rows and of columns have the same norm.
    let (wide, tall) = (lines.view(), lines.view().t());
    let inner = if lines.rows() <= lines.cols() { wide.times(tall) } else { tall.times(wide) };
    let counted = norms.iter().filter(|norm| **norm > 0.0).count() as f64;
    (inner.frobenius().powi(2) - counted) / counted.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(shape: (usize, usize), known: impl FnMut(usize, usize) -> bool) -> Entries {
        let mut known = known;
        let value = |i, j| if known(i, j) { 1.0 } else { f64::NAN };
        Entries::from_dense(&Mat::from_fn(shape.0, shape.1, value)).unwrap()
    }

    #[test]
    fn holes_that_are_drawn_one_by_one_do_not_come_together_whatever_the_rows_and_columns() {
        for (seed, shape) in [(60, 40), (30, 20), (400, 8), (9, 70)].into_iter().enumerate() {
            for share in [0.3, 0.6, 0.9] {
                let mut random = stream(seed as u64, Purpose::Observation, 0);
                let rows: Vec<f64> = (0..shape.0).map(|_| random.random_range(0.3..1.05)).collect();
                let holes = table(shape, |i, j| {
                    let share = share * rows[i] * if j % 3 == 0 { 0.6 } else { 1.05 };
                    random.random_bool(share.min(1.0))
                });
                assert!(!come_together(&holes, 1), "{shape:?} {share}");
            }
        }
    }

    #[test]
    fn blocks_come_together_along_rows_and_along_columns() {
        for flipped in [false, true] {
            let mut random = stream(3, Purpose::Observation, 0);
            let starts: Vec<[usize; 3]> =
                (0..60).map(|_| [0; 3].map(|_| random.random_range(0..72))).collect();
            let hidden = |i: usize, j: usize| starts[i].iter().any(|s| (*s..s + 8).contains(&j));
            let blocks = if flipped {
                table((80, 60), |i, j| !hidden(j, i))
            } else {
                table((60, 80), |i, j| !hidden(i, j))
            };
            assert!(come_together(&blocks, 1), "{flipped}");
        }
    }

    #[test]
    fn a_table_without_holes_has_none_that_come_together() {
        assert!(!come_together(&table((5, 4), |_, _| true), 0));
        assert!(!come_together(&table((1, 30), |_, j| j % 2 == 0), 0));
    }
}
