//! The known entries of a matrix: 64-bit sizes, 32-bit ids, in the order in which they were given.

use serde::{Deserialize, Serialize};

use super::{Shape, words};
use crate::linalg::Mat;
use crate::{Error, Result};

/// What to do when one cell is given twice with different values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// An error.
    #[default]
    Refuse,
    /// The last one counts.
    Last,
    /// Their mean counts.
    Mean,
}

/// Known entries of a matrix of which the others are missing.
///
/// Ids count from 0. Every cell occurs at most once and every value is finite. A zero is a zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    shape: Shape,
    rows: Vec<u32>,
    cols: Vec<u32>,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    times: Option<Vec<f64>>,
}

impl Entries {
    /// Entries `values[e]` at `(rows[e], cols[e])` of a matrix of `shape`.
    ///
    /// # Errors
    /// [`Error::Shape`] if lengths differ, [`Error::Parameter`] for an id outside the shape or a cell that
    /// is given twice with different values, [`Error::NotFinite`] for a value that is not finite.
    pub fn new(shape: Shape, rows: Vec<u32>, cols: Vec<u32>, values: Vec<f64>) -> Result<Self> {
        Self::merged(shape, rows, cols, values, Duplicates::Refuse)
    }

    /// As [`Entries::new`]; `duplicates` says what a cell that is given twice counts for.
    ///
    /// # Errors
    /// As [`Entries::new`].
    pub fn merged(
        shape: Shape,
        rows: Vec<u32>,
        cols: Vec<u32>,
        values: Vec<f64>,
        duplicates: Duplicates,
    ) -> Result<Self> {
        for (what, found) in [("rows", rows.len()), ("cols", cols.len())] {
            if found != values.len() {
                return Err(Error::shape(
                    format!("the list of {what}"),
                    format!("{} ids", values.len()),
                    found,
                ));
            }
        }
        for (name, ids, bound) in [("row id", &rows, shape.0), ("column id", &cols, shape.1)] {
            if let Some(id) = ids.iter().find(|&&id| id as usize >= bound) {
                return Err(Error::parameter(format!("a {name}"), format!("below {bound}"), id));
            }
        }
        if let Some(&found) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::NotFinite { what: "an observed value".into(), found });
        }
        let entries = Self { shape, rows, cols, values, weights: None, times: None };
        entries.unique(duplicates)
    }

    fn unique(mut self, duplicates: Duplicates) -> Result<Self> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&e| (self.rows[e], self.cols[e]));
        let same =
            |a: usize, b: usize| (self.rows[a], self.cols[a]) == (self.rows[b], self.cols[b]);
        if order.windows(2).all(|w| !same(w[0], w[1])) {
            return Ok(self);
        }
        let mut keep = vec![true; self.len()];
        let mut values = self.values.clone();
        for group in order.chunk_by(|&a, &b| same(a, b)).filter(|group| group.len() > 1) {
            let (first, last) = (group[0], group[group.len() - 1]);
            let agree = group.iter().all(|&e| self.values[e] == self.values[first]);
            if duplicates == Duplicates::Refuse && !agree {
                return Err(Error::parameter(
                    format!("the entry at row {}, column {}", self.rows[first], self.cols[first]),
                    "given once",
                    format!("{} and {}", self.values[first], self.values[last]),
                ));
            }
            values[first] = match duplicates {
                Duplicates::Mean => {
                    group.iter().map(|&e| self.values[e]).sum::<f64>() / group.len() as f64
                }
                _ => self.values[last],
            };
            group[1..].iter().for_each(|&e| keep[e] = false);
        }
        self.values = values;
        let kept: Vec<usize> = (0..self.len()).filter(|&e| keep[e]).collect();
        Ok(self.take(&kept))
    }

    /// The entries of `matrix` that are not NaN, row after row.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an infinity.
    pub fn from_dense(matrix: &Mat) -> Result<Self> {
        let (mut rows, mut cols, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..matrix.rows() {
            for j in 0..matrix.cols() {
                let value = matrix[(i, j)];
                if !value.is_nan() {
                    rows.push(i as u32);
                    cols.push(j as u32);
                    values.push(value);
                }
            }
        }
        if let Some(&found) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::NotFinite { what: "an observed value".into(), found });
        }
        Ok(Self {
            shape: (matrix.rows(), matrix.cols()),
            rows,
            cols,
            values,
            weights: None,
            times: None,
        })
    }

    /// The dense matrix, NaN where nothing is known.
    pub fn to_dense(&self) -> Mat {
        let mut dense = Mat::zeros(self.shape.0, self.shape.1);
        dense.values_mut().fill(f64::NAN);
        for (i, j, value) in self.iter() {
            dense[(i, j)] = value;
        }
        dense
    }

    /// Gives each entry a weight, zero or more.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many weights as entries, [`Error::Parameter`] for a negative one.
    pub fn weighted(mut self, weights: Vec<f64>) -> Result<Self> {
        if weights.len() != self.len() {
            return Err(Error::shape(
                "the list of weights",
                format!("{} numbers", self.len()),
                weights.len(),
            ));
        }
        if let Some(found) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(Error::parameter("a weight", "finite and 0 or more", found));
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The entries with these places in the list, in this order.
    #[must_use]
    pub fn take(&self, places: &[usize]) -> Self {
        Self {
            shape: self.shape,
            rows: places.iter().map(|&e| self.rows[e]).collect(),
            cols: places.iter().map(|&e| self.cols[e]).collect(),
            values: places.iter().map(|&e| self.values[e]).collect(),
            weights: self.weights.as_ref().map(|w| places.iter().map(|&e| w[e]).collect()),
            times: self.times.as_ref().map(|t| places.iter().map(|&e| t[e]).collect()),
        }
    }

    /// The same cells with other values.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many values as entries.
    pub fn with_values(&self, values: Vec<f64>) -> Result<Self> {
        if values.len() != self.len() {
            let expected = format!("{} numbers", self.len());
            return Err(Error::shape("the list of values", expected, values.len()));
        }
        Ok(Self { values, ..self.clone() })
    }

    /// Number of known entries.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Rows and columns of the whole matrix.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Row ids.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Column ids.
    pub fn cols(&self) -> &[u32] {
        &self.cols
    }

    /// Values.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Gives each entry the time at which it became known, in any unit; where none is known, −∞.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many times as entries, [`Error::Parameter`] for one that is no number.
    pub fn timed(mut self, times: Vec<f64>) -> Result<Self> {
        if times.len() != self.len() {
            let expected = format!("{} times", self.len());
            return Err(Error::shape("the list of times", expected, times.len()));
        }
        if let Some(time) = times.iter().find(|time| time.is_nan()) {
            return Err(Error::parameter("a time", "a number", time));
        }
        self.times = Some(times);
        Ok(self)
    }

    /// Times, if any were given.
    pub fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// Weights, if any were given.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// `(row, column, value)` of every entry.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let ids = self.rows.iter().zip(&self.cols);
        ids.zip(&self.values).map(|((&i, &j), &value)| (i as usize, j as usize, value))
    }

    /// The mean value, NaN if nothing is known.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.len() as f64
    }

    /// # Errors
    /// [`Error::Shape`] if the shape is not `expected`.
    pub(crate) fn must_have_shape(&self, what: &str, expected: Shape) -> Result<()> {
        if self.shape == expected {
            return Ok(());
        }
        Err(Error::shape(what, words(expected), words(self.shape)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_given_twice_is_refused_unless_told_otherwise() {
        let make =
            |d| Entries::merged((2, 2), vec![0, 1, 0], vec![1, 1, 1], vec![3.0, 5.0, 4.0], d);
        assert_eq!(
            make(Duplicates::Refuse).unwrap_err().to_string(),
            "the entry at row 0, column 1 must be given once, but it is 3 and 4"
        );
        assert_eq!(make(Duplicates::Last).unwrap().values(), [4.0, 5.0]);
        assert_eq!(make(Duplicates::Mean).unwrap().values(), [3.5, 5.0]);
    }

    #[test]
    fn an_id_outside_the_shape_is_named() {
        let error = Entries::new((2, 2), vec![2], vec![0], vec![1.0]).unwrap_err();
        assert_eq!(error.to_string(), "a row id must be below 2, but it is 2");
    }

    #[test]
    fn a_dense_matrix_comes_back() {
        let dense = Mat::from_fn(2, 3, |i, j| if i == j { f64::NAN } else { i as f64 });
        let entries = Entries::from_dense(&dense).unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!(format!("{:?}", entries.to_dense()), format!("{dense:?}"));
    }
}
