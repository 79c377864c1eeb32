//! Additive row and column offsets, and the scale of what they leave.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Entries;
use crate::spec::Scaling;

/// Weight of the prior that an offset is zero, in entries: a row with one entry keeps half of its offset.
const PRIOR: f64 = 1.0;
const ROUNDS: usize = 30;

/// x_ij ≈ mean + row_i + col_j + scale_j · w_ij.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offsets {
    /// The mean of all entries.
    pub mean: f64,
    /// One offset a row.
    pub rows: Vec<f64>,
    /// One offset a column.
    pub cols: Vec<f64>,
    /// What residuals are divided by, one a column.
    pub scales: Vec<f64>,
}

impl Offsets {
    /// No offsets: mean 0, scales 1.
    pub fn none(shape: (usize, usize)) -> Self {
        Self {
            mean: 0.0,
            rows: vec![0.0; shape.0],
            cols: vec![0.0; shape.1],
            scales: vec![1.0; shape.1],
        }
    }

    /// Offsets by alternating least squares, each drawn towards zero as by one entry that is zero.
    pub fn fit(entries: &Entries) -> Self {
        let mut offsets = Self::none(entries.shape());
        offsets.mean = entries.mean();
        for _ in 0..ROUNDS {
            let Self { mean, rows, cols, .. } = &mut offsets;
            let by_row = entries.iter().map(|(i, j, x)| (i, x - *mean - cols[j]));
            *rows = shrunk_means(by_row, rows.len());
            let by_col = entries.iter().map(|(i, j, x)| (j, x - *mean - rows[i]));
            *cols = shrunk_means(by_col, cols.len());
        }
        offsets
    }

    /// Sets the scales from the residuals of `entries`.
    #[must_use]
    pub fn scaled(mut self, entries: &Entries, scaling: Scaling) -> Self {
        if scaling == Scaling::None {
            return self;
        }
        let squares = |(i, j, x): (usize, usize, f64)| (j, (x - self.additive(i, j)).powi(2));
        let total: f64 = entries.iter().map(|e| squares(e).1).sum();
        let overall = total / entries.len() as f64;
        let (mut sums, mut counts) = (vec![0.0; self.cols.len()], vec![0.0; self.cols.len()]);
        for (j, square) in entries.iter().map(squares) {
            sums[j] += square;
            counts[j] += 1.0;
        }
        let of_column = |j: usize| if counts[j] > 2.0 { sums[j] / counts[j] } else { overall };
        let columns: Vec<f64> = (0..sums.len()).map(of_column).collect();
        let (least, most) = columns
            .iter()
            .filter(|v| **v > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
        // Variances that differ a hundredfold are those of different units.
        let by_column = match scaling {
            Scaling::Columns => true,
            Scaling::Auto => most > 100.0 * least,
            _ => false,
        };
        let root = |variance: f64| if variance > 0.0 { variance.sqrt() } else { 1.0 };
        self.scales = columns.iter().map(|&v| root(if by_column { v } else { overall })).collect();
        self
    }

    /// mean + row_i + col_j.
    pub fn additive(&self, row: usize, col: usize) -> f64 {
        self.mean + self.rows[row] + self.cols[col]
    }

    /// What the offsets leave of `entries`, divided by the scales.
    ///
    /// # Errors
    /// None for entries of the same shape.
    pub fn residuals(&self, entries: &Entries) -> Result<Entries> {
        let residual = |(i, j, x)| (x - self.additive(i, j)) / self.scales[j];
        entries.with_values(entries.iter().map(residual).collect())
    }

    /// The value whose residual is `w`.
    pub fn restore(&self, row: usize, col: usize, w: f64) -> f64 {
        self.additive(row, col) + self.scales[col] * w
    }
}

fn shrunk_means(values: impl Iterator<Item = (usize, f64)>, count: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, PRIOR); count];
    for (line, value) in values {
        sums[line].0 += value;
        sums[line].1 += 1.0;
    }
    sums.into_iter().map(|(sum, weight)| sum / weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;

    #[test]
    fn additive_tables_leave_little_and_come_back() {
        let table = Mat::from_fn(40, 30, |i, j| 5.0 + i as f64 - 2.0 * j as f64);
        let entries = Entries::from_dense(&table).unwrap();
        let offsets = Offsets::fit(&entries).scaled(&entries, Scaling::Table);
        let residuals = offsets.residuals(&entries).unwrap();
        let back = residuals.iter().map(|(i, j, w)| offsets.restore(i, j, w));
        assert!(back.zip(entries.values()).all(|(a, b)| (a - b).abs() < 1e-12));
        let left = entries.iter().map(|(i, j, x)| (x - offsets.additive(i, j)).abs());
        assert!(left.fold(0.0, f64::max) < 4.0);
    }

    #[test]
    fn columns_of_different_units_get_scales_of_their_own() {
        let unit = |j: usize| if j == 0 { 1000.0 } else { 1.0 };
        let table = Mat::from_fn(20, 3, |i, j| unit(j) * ((i * 7 + j * 3) % 11) as f64);
        let entries = Entries::from_dense(&table).unwrap();
        let offsets = Offsets::fit(&entries).scaled(&entries, Scaling::Auto);
        assert!(offsets.scales[0] > 50.0 * offsets.scales[1]);
    }
}
