//! Prediction intervals from out-of-fold scores, scaled by the size of errors in each row and column.
//!
//! A score is |x − x̂|/s_ij with x̂ from a fit that did not see x, and s_ij = m r_i c_j from the errors of the other folds. The
//! interval x̂ ± q s_ij takes q as the ⌈(n + 1) · coverage⌉-th of n scores (the scale follows Papadopoulos et al. 2002).
//!
//! The scores are those of fits to nearly all entries, and x̂ of an interval is that of the fit to all: the jackknife with folds. Where
//! entries of the table and its holes are alike and leaving out a fold hardly changes a fit, this holds the share that was asked for; no
//! theorem bounds it otherwise, as one does for intervals around the answers of the folds (Barber et al. 2021), which are wider. Fits
//! to nearly all entries err a little more than that to all, so that the share is rather a little above.

use serde::{Deserialize, Serialize};

use super::Offsets;
use crate::data::Shape;

/// The scale of a line is drawn towards that of the table as by so many entries.
const PRIOR: f64 = 5.0;
const ROUNDS: usize = 20;

/// Half widths of intervals, and how well they held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervals {
    /// The share of the true values that the intervals should hold.
    pub asked: f64,
    /// The share that they held of entries, each with intervals from the other folds.
    pub coverage: f64,
    /// The mean width over these entries, in the units of the table.
    pub width: f64,
    /// The size of an error at the level asked for, in units of the fit.
    pub size: f64,
    /// A factor a row.
    pub rows: Vec<f64>,
    /// A factor a column, with its unit.
    pub cols: Vec<f64>,
}

/// An error on an entry that the fit of its fold did not see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Miss {
    pub(super) row: usize,
    pub(super) col: usize,
    /// |x − x̂| in the unit that all folds take for the column.
    pub(super) error: f64,
    pub(super) fold: usize,
}

impl Intervals {
    /// Intervals from the errors of all folds; none if there are too few errors for the level that is asked for.
    pub(super) fn fit(
        misses: &[Miss],
        shape: Shape,
        offsets: &Offsets,
        asked: f64,
    ) -> Option<Self> {
        let sizes = Sizes::fit(&misses.iter(), shape);
        let folds = misses.iter().map(|miss| miss.fold + 1).max()?;
        let mut scores = Vec::with_capacity(misses.len());
        for fold in 0..folds {
            let others = Sizes::fit(&misses.iter().filter(|m| m.fold != fold), shape);
            let here = misses.iter().filter(|miss| miss.fold == fold);
            scores.extend(here.map(|miss| (fold, miss.error / others.of(miss.row, miss.col))));
        }
        let level = level(scores.iter().map(|score| score.1), asked)?;
        let held = |fold: usize| {
            let others = scores.iter().filter(|score| score.0 != fold).map(|score| score.1);
            let within = self::level(others, asked).unwrap_or(f64::INFINITY);
            scores.iter().filter(|score| score.0 == fold && score.1 <= within).count()
        };
        let held = (0..folds).map(held).sum::<usize>();
        let coverage = held as f64 / scores.len() as f64;
        let size = level * sizes.mean;
        let Sizes { rows, mut cols, .. } = sizes;
        cols.iter_mut().zip(&offsets.units).for_each(|(col, unit)| *col *= unit);
        let mut intervals = Self { asked, coverage, width: 0.0, size, rows, cols };
        let widths = misses.iter().map(|m| 2.0 * intervals.half(m.row, m.col));
        intervals.width = widths.sum::<f64>() / misses.len() as f64;
        Some(intervals)
    }

    /// Half the width of the interval at a cell.
    pub fn half(&self, row: usize, col: usize) -> f64 {
        self.size * self.rows[row] * self.cols[col]
    }

    /// Half the width in a new row, of whose errors nothing is known.
    pub(super) fn half_of_new(&self, col: usize) -> f64 {
        let rows = self.rows.iter().sum::<f64>() / self.rows.len() as f64;
        self.size * rows * self.cols[col]
    }
}

/// The ⌈(n + 1) · asked⌉-th of n scores; none if there are fewer.
fn level(scores: impl Iterator<Item = f64>, asked: f64) -> Option<f64> {
    let mut scores: Vec<f64> = scores.collect();
    let place = place(scores.len(), asked)?;
    Some(*scores.select_nth_unstable_by(place, f64::total_cmp).1)
}

/// The place of that score among `count` in ascending order, from 0.
pub(super) fn place(count: usize, asked: f64) -> Option<usize> {
    let place = ((count + 1) as f64 * asked).ceil() as usize;
    place.checked_sub(1).filter(|place| *place < count)
}

/// |error| ≈ mean · row · col.
struct Sizes {
    mean: f64,
    rows: Vec<f64>,
    cols: Vec<f64>,
}

impl Sizes {
    /// Alternating means of ratios, each drawn towards 1.
    fn fit<'m>(misses: &(impl Iterator<Item = &'m Miss> + Clone), shape: Shape) -> Self {
        let count = misses.clone().count();
        let mean = misses.clone().map(|miss| miss.error).sum::<f64>() / count.max(1) as f64;
        let mean = if mean > 0.0 { mean } else { f64::MIN_POSITIVE };
        let (mut rows, mut cols) = (vec![1.0; shape.0], vec![1.0; shape.1]);
        let means = |ratios: &mut dyn Iterator<Item = (usize, f64)>, lines: &mut [f64]| {
            let mut sums = vec![(PRIOR, PRIOR); lines.len()];
            for (line, ratio) in ratios {
                sums[line].0 += ratio;
                sums[line].1 += 1.0;
            }
            lines.iter_mut().zip(sums).for_each(|(line, (sum, weight))| *line = sum / weight);
        };
        for _ in 0..ROUNDS {
            let mut ratios = misses.clone().map(|m| (m.col, m.error / mean / rows[m.row]));
            means(&mut ratios, &mut cols);
            let mut ratios = misses.clone().map(|m| (m.row, m.error / mean / cols[m.col]));
            means(&mut ratios, &mut rows);
        }
        Self { mean, rows, cols }
    }

    fn of(&self, row: usize, col: usize) -> f64 {
        self.mean * self.rows[row] * self.cols[col]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, RngExt, normal, stream};

    #[test]
    fn intervals_hold_the_share_that_was_asked_for_and_follow_the_size_of_errors() {
        let shape = (60, 40);
        let mut random = stream(1, Purpose::Noise, 0);
        let size = |i: usize, j: usize| (1.0 + (i % 3) as f64) * (0.5 + (j % 2) as f64);
        let mut draw = |i: usize, j: usize| (size(i, j) * normal(&mut random)).abs();
        let all: Vec<(usize, usize, f64)> = (0..60)
            .flat_map(|i| (0..40).map(move |j| (i, j)))
            .map(|(i, j)| (i, j, draw(i, j)))
            .collect();
        let mut folds = stream(2, Purpose::Split, 0);
        let misses: Vec<Miss> = all
            .iter()
            .map(|&(row, col, error)| Miss { row, col, error, fold: folds.random_range(0..5) })
            .collect();
        let offsets = Offsets::none(shape);
        let intervals = Intervals::fit(&misses, shape, &offsets, 0.9).unwrap();
        assert!((intervals.coverage - 0.9).abs() < 0.02, "{:?}", intervals.coverage);
        let fresh = (0..60).flat_map(|i| (0..40).map(move |j| (i, j)));
        let mut held = 0;
        for (i, j) in fresh {
            held += usize::from(draw(i, j) <= intervals.half(i, j));
        }
        assert!((held as f64 / 2400.0 - 0.9).abs() < 0.025, "{held}");
        // Nine to one, drawn together to (65/25)(95/35) = 7.1 by the prior.
        let mean = |row: usize, col: usize| -> f64 {
            let rows = (row..60).step_by(3).flat_map(|i| (col..40).step_by(2).map(move |j| (i, j)));
            rows.map(|(i, j)| intervals.half(i, j)).sum::<f64>() / 400.0
        };
        let ratio = mean(2, 1) / mean(0, 0);
        assert!((6.0..8.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn too_few_errors_give_no_interval() {
        let miss = Miss { row: 0, col: 0, error: 1.0, fold: 0 };
        assert!(Intervals::fit(&[miss; 5], (1, 1), &Offsets::none((1, 1)), 0.9).is_none());
        assert!(Intervals::fit(&[], (1, 1), &Offsets::none((1, 1)), 0.9).is_none());
    }

    #[test]
    fn errors_of_zero_give_intervals_of_no_width() {
        let misses: Vec<Miss> =
            (0..40).map(|e| Miss { row: e % 8, col: e / 8, error: 0.0, fold: e % 5 }).collect();
        let intervals = Intervals::fit(&misses, (8, 5), &Offsets::none((8, 5)), 0.9).unwrap();
        assert_eq!((intervals.width, intervals.coverage), (0.0, 1.0));
    }
}
