//! Additive row and column offsets, and the scale of what they leave.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Entries;
use crate::spec::Scaling;

/// Weight of the prior that an offset is zero, in entries: a row with one entry keeps half of its offset.
const PRIOR: f64 = 1.0;
const ROUNDS: usize = 30;
/// Columns whose variances differ by more than this are measured in different units.
const DIFFERENT: f64 = 100.0;
/// Entries of a column whose variance is compared.
const ENOUGH: f64 = 10.0;

/// Which additive offsets are taken out of a table before a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Centring {
    /// None: scales alone.
    None,
    /// Means of the rows.
    Rows,
    /// Means of the columns.
    Cols,
    /// Offsets of rows and columns together.
    Both,
}

impl Centring {
    /// In entries, the weight of the prior that an offset is zero.
    pub(super) fn prior(self) -> f64 {
        if self == Self::Both { 5.0 } else { PRIOR }
    }

    /// What it is called in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "not centred",
            Self::Rows => "rows centred",
            Self::Cols => "columns centred",
            Self::Both => "offsets of rows and columns",
        }
    }
}

/// x_ij = center_j + unit_j (row_i + col_j + spread · w_ij).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offsets {
    /// What a column is counted from, one a column: the mean of the table, or of the column if it has a unit of its own.
    pub centers: Vec<f64>,
    /// What a column is measured in, one a column.
    pub units: Vec<f64>,
    /// One offset a row, in these units.
    pub rows: Vec<f64>,
    /// One offset a column, in these units.
    pub cols: Vec<f64>,
    /// The standard deviation of what the offsets leave, in these units.
    pub spread: f64,
}

impl Offsets {
    /// No offsets: w is x.
    pub fn none(shape: (usize, usize)) -> Self {
        let (zeros, ones) = (vec![0.0; shape.1], vec![1.0; shape.1]);
        let rows = vec![0.0; shape.0];
        Self { centers: zeros.clone(), units: ones, rows, cols: zeros, spread: 1.0 }
    }

    /// Row and column offsets by alternating least squares, each drawn towards zero as by one entry that is zero.
    pub fn fit(entries: &Entries, scaling: Scaling) -> Self {
        Self::centred(entries, scaling, Centring::Both, PRIOR)
    }

    /// The offsets of a centring, each drawn towards zero as by `prior` entries that are zero.
    pub(super) fn centred(
        entries: &Entries,
        scaling: Scaling,
        centring: Centring,
        prior: f64,
    ) -> Self {
        let mut offsets = Self::none(entries.shape()).centered(entries, scaling);
        let rounds = match centring {
            Centring::None => return Self::scales(entries, scaling),
            Centring::Rows | Centring::Cols => 1,
            Centring::Both => ROUNDS,
        };
        for _ in 0..rounds {
            let y =
                |i: usize, j: usize, x: f64| (i, j, (x - offsets.centers[j]) / offsets.units[j]);
            let y = || entries.iter().map(|(i, j, x)| y(i, j, x));
            let (mut rows, mut cols) = (offsets.rows.clone(), offsets.cols.clone());
            if centring != Centring::Cols {
                let left = y().map(|(i, j, y)| (i, y - offsets.cols[j]));
                rows = shrunk_means(left, rows.len(), prior);
            }
            if centring != Centring::Rows {
                cols = shrunk_means(y().map(|(i, j, y)| (j, y - rows[i])), cols.len(), prior);
            }
            (offsets.rows, offsets.cols) = (rows, cols);
        }
        offsets.spread_over(entries, scaling)
    }

    /// Scales alone, without row and column offsets.
    pub fn scales(entries: &Entries, scaling: Scaling) -> Self {
        let mut offsets = Self::none(entries.shape()).centered(entries, scaling);
        offsets.centers.fill(0.0);
        offsets.spread_over(entries, scaling)
    }

    /// Sets centers and units.
    fn centered(mut self, entries: &Entries, scaling: Scaling) -> Self {
        let mean = entries.mean();
        self.centers.fill(mean);
        let mut columns = vec![(0.0, 0.0, 0.0); self.cols.len()];
        for (_, j, x) in entries.iter() {
            let (count, sum, squares) = &mut columns[j];
            *count += 1.0;
            *sum += x - mean;
            *squares += (x - mean).powi(2);
        }
        // Mean and variance of the columns with enough entries to have them.
        let moments: Vec<Option<(f64, f64)>> = columns
            .iter()
            .map(|&(count, sum, squares)| {
                let centre: f64 = sum / count;
                (count > 2.0).then(|| (mean + centre, (squares / count - centre * centre).max(0.0)))
            })
            .collect();
        // A variance of a few entries says nothing about units.
        let variances = || {
            let enough = moments.iter().zip(&columns).filter(|(_, column)| column.0 >= ENOUGH);
            enough.filter_map(|(moments, _)| moments.map(|m| m.1)).filter(|v| *v > 0.0)
        };
        let (least, most) =
            variances().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
        let by_column = match scaling {
            Scaling::Columns => true,
            Scaling::Auto => most > DIFFERENT * least,
            Scaling::None | Scaling::Table => false,
        };
        if by_column {
            for (j, moments) in moments.iter().enumerate() {
                if let Some((centre, variance)) = moments {
                    self.centers[j] = *centre;
                    self.units[j] = if *variance > 0.0 { variance.sqrt() } else { 1.0 };
                }
            }
        }
        self
    }

    /// Sets the spread.
    fn spread_over(mut self, entries: &Entries, scaling: Scaling) -> Self {
        let squares: f64 = entries
            .iter()
            .map(|(i, j, x)| ((x - self.additive(i, j)) / self.units[j]).powi(2))
            .sum();
        let spread = (squares / entries.len() as f64).sqrt();
        // Where the offsets leave nothing at all, nothing is added to them.
        if scaling != Scaling::None || spread == 0.0 {
            self.spread = spread;
        }
        self
    }

    /// The value where w is zero.
    pub fn additive(&self, row: usize, col: usize) -> f64 {
        self.centers[col] + self.units[col] * (self.rows[row] + self.cols[col])
    }

    /// What w is multiplied by in a column.
    pub fn scale(&self, col: usize) -> f64 {
        self.units[col] * self.spread
    }

    /// What residuals of a column are divided by: its scale, or 1 where that is zero.
    pub fn divisor(&self, col: usize) -> f64 {
        if self.spread > 0.0 { self.scale(col) } else { self.units[col] }
    }

    /// What the offsets leave of `entries`, divided by the scales.
    ///
    /// # Errors
    /// None for entries of the same shape.
    pub fn residuals(&self, entries: &Entries) -> Result<Entries> {
        let residual = |(i, j, x)| (x - self.additive(i, j)) / self.divisor(j);
        entries.with_values(entries.iter().map(residual).collect())
    }

    /// The value whose residual is `w`.
    pub fn restore(&self, row: usize, col: usize, w: f64) -> f64 {
        self.additive(row, col) + self.scale(col) * w
    }
}

fn shrunk_means(values: impl Iterator<Item = (usize, f64)>, count: usize, prior: f64) -> Vec<f64> {
    let mut sums = vec![(0.0, prior); count];
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
        let offsets = Offsets::fit(&entries, Scaling::Table);
        let residuals = offsets.residuals(&entries).unwrap();
        let back = residuals.iter().map(|(i, j, w)| offsets.restore(i, j, w));
        assert!(back.zip(entries.values()).all(|(a, b)| (a - b).abs() < 1e-12));
        let left = entries.iter().map(|(i, j, x)| (x - offsets.additive(i, j)).abs());
        assert!(left.fold(0.0, f64::max) < 4.0);
    }

    #[test]
    fn columns_of_different_units_do_not_disturb_each_other() {
        let unit = |j: usize| if j == 0 { 1000.0 } else { 1.0 };
        let table = Mat::from_fn(20, 3, |i, j| unit(j) * (((i * 7 + j * 3) % 11) as f64 + 300.0));
        let entries = Entries::from_dense(&table).unwrap();
        let offsets = Offsets::fit(&entries, Scaling::Auto);
        assert!(offsets.units[0] > 500.0 * offsets.units[1]);
        let inside =
            |(i, j, x): (usize, usize, f64)| (x - offsets.additive(i, j)).abs() < 12.0 * unit(j);
        assert!(entries.iter().all(inside));
    }
}
