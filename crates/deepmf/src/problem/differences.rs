//! Differences of entries along rows or columns: what tells shapes where values are ill-conditioned.

use rayon::prelude::*;

use crate::data::Shape;
use crate::linalg::{Mat, axpy};
use crate::product::{Cotangent, Product};
use crate::{Error, Result};

use super::Observation;

/// Differences above which several threads take them, column by column.
const LONG: usize = 1 << 19;

/// Along which side of a matrix differences are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// From one row to another.
    Rows,
    /// From one column to another: of a video, over time.
    Cols,
}

/// W at an index and `lag` further on: W_(i+lag, j) − W_ij along rows, W_(i, j+lag) − W_ij along columns; column after column.
///
/// `trim` leaves out so many differences at both ends.
#[derive(Clone, Debug)]
pub struct Differences {
    shape: Shape,
    axis: Axis,
    lag: usize,
    trim: usize,
}

impl Differences {
    /// Differences over `lag` rows or columns, without `trim` of them at both ends.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a lag of 0 or if no difference is left.
    ///
    /// ```
    /// use deepmf::linalg::Mat;
    /// use deepmf::problem::{Axis, Differences, Observation};
    /// use deepmf::product::Product;
    /// let w = Mat::from_columns(2, 3, vec![1.0, 2.0, 4.0, 8.0, 9.0, 7.0]);
    /// let over = Differences::new((2, 3), Axis::Cols, 1, 0)?;
    /// let mut seen = vec![0.0; over.len()];
    /// over.apply(&Product::Dense(w.view()), &mut Mat::default(), &mut seen);
    /// assert_eq!(seen, [3.0, 6.0, 5.0, -1.0]);
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn new(shape: Shape, axis: Axis, lag: usize, trim: usize) -> Result<Self> {
        let side = if axis == Axis::Rows { shape.0 } else { shape.1 };
        if lag == 0 || lag + 2 * trim >= side {
            let allowed = format!("from 1, and with both trims below the {side} on this side");
            return Err(Error::parameter("the lag of differences", allowed, lag));
        }
        Ok(Self { shape, axis, lag, trim })
    }

    /// For each difference whether both of its cells are in `kept`, column after column.
    pub fn both_in(&self, kept: &[bool]) -> Vec<bool> {
        self.pairs().map(|(from, to)| kept[from] && kept[to]).collect()
    }

    /// The cells of each difference in order: what is taken off, and from what.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let (cols, rows, step) = self.runs();
        let place = move |i: usize, j: usize| (j * self.shape.0 + i, j * self.shape.0 + i + step);
        cols.flat_map(move |j| rows.clone().map(move |i| place(i, j)))
    }

    /// The columns that have differences, the rows of these, and how far on in store their second cells are.
    fn runs(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>, usize) {
        let ((rows, cols), lag, trim) = (self.shape, self.lag, self.trim);
        match self.axis {
            Axis::Rows => (0..cols, trim..rows - lag - trim, lag),
            Axis::Cols => (trim..cols - lag - trim, 0..rows, lag * rows),
        }
    }
}

impl Observation for Differences {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        let (cols, rows, _) = self.runs();
        cols.len() * rows.len()
    }

    fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]) {
        let dense = product.dense_in(room);
        let (values, transposed) = dense.stored();
        let turned;
        let values = if transposed {
            turned = dense.to_mat();
            turned.values()
        } else {
            values
        };
        let (cols, rows, step) = self.runs();
        let column = |(place, out): (usize, &mut [f64])| {
            let start = (cols.start + place) * self.shape.0 + rows.start;
            let (from, to) = (&values[start..], &values[start + step..]);
            for ((out, from), to) in out.iter_mut().zip(from).zip(to) {
                *out = to - from;
            }
        };
        if out.len() < LONG {
            out.chunks_exact_mut(rows.len()).enumerate().for_each(column);
        } else {
            out.par_chunks_exact_mut(rows.len()).enumerate().for_each(column);
        }
    }

    fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
        let (cols, rows, step) = self.runs();
        let along = |col: usize| cols.contains(&col).then(|| (col - cols.start) * rows.len());
        let column = |(col, values): (usize, &mut [f64])| {
            let y = |first: usize| &y[first..first + rows.len()];
            match self.axis {
                Axis::Rows => {
                    let Some(first) = along(col) else { return };
                    axpy(-1.0, y(first), &mut values[rows.clone()]);
                    axpy(1.0, y(first), &mut values[rows.start + step..rows.end + step]);
                }
                Axis::Cols => {
                    if let Some(first) = col.checked_sub(self.lag).and_then(along) {
                        axpy(1.0, y(first), values);
                    }
                    if let Some(first) = along(col) {
                        axpy(-1.0, y(first), values);
                    }
                }
            }
        };
        into.add_dense(|dense| {
            if y.len() < LONG {
                dense.values_mut().chunks_exact_mut(self.shape.0).enumerate().for_each(column);
            } else {
                dense.values_mut().par_chunks_exact_mut(self.shape.0).enumerate().for_each(column);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::problem::{Absolute, Evaluation, Problem, Term};

    #[test]
    fn trimmed_differences_leave_out_both_ends_and_know_their_cells() {
        let w = Mat::from_fn(6, 2, |i, j| (i * i + 10 * j) as f64);
        let over = Differences::new((6, 2), Axis::Rows, 2, 1).unwrap();
        let mut seen = vec![0.0; over.len()];
        over.apply(&Product::Dense(w.view()), &mut Mat::default(), &mut seen);
        // Rows 1 and 2 against rows 3 and 4.
        assert_eq!(seen, [8.0, 12.0, 8.0, 12.0]);
        let mut kept = vec![true; 12];
        kept[6 + 3] = false;
        assert_eq!(over.both_in(&kept), [true, true, false, true]);
        let refused = Differences::new((6, 2), Axis::Cols, 2, 0).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the lag of differences must be from 1, and with both trims below the 2 on this side, but it is 2"
        );
    }

    #[test]
    fn a_step_sees_one_of_the_choices_and_an_evaluation_their_mean() {
        let shape = (3, 5);
        let term = |lag| {
            let over = Differences::new(shape, Axis::Cols, lag, 0).unwrap();
            let targets = vec![lag as f64; over.len()];
            let loss = Arc::new(Absolute::default());
            Term { observation: Arc::new(over), targets, loss, weight: 2.0 }
        };
        let fixed = Problem::sum(vec![term(1)]).unwrap();
        let both = fixed.one_of(vec![term(2), term(3)]).unwrap();
        let zero = Mat::zeros(3, 5);
        let mut evaluation = Evaluation::default();
        let mut value = |draw| {
            evaluation.draw = draw;
            let product = Product::Dense(zero.view());
            let evaluated = both.evaluate(&product, &mut evaluation);
            assert_eq!(both.value(&product, &mut evaluation), evaluated);
            evaluated
        };
        // The mean absolute value of a target is its lag.
        assert_eq!(value(None), 2.0 + 5.0);
        let drawn: Vec<f64> = (0..20).map(|step| value(Some((0, step)))).collect();
        assert!(drawn.contains(&6.0) && drawn.contains(&8.0));
        assert!(drawn.iter().all(|value| [6.0, 8.0].contains(value)));
        assert_eq!(value(Some((0, 7))), drawn[7]);
        assert!(both.one_of(vec![term(1)]).is_err());
    }
}
