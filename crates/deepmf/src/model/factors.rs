//! Thin factors with offsets on a rating scale: what every recommender comes down to.

use crate::data::Shape;
use crate::linalg::{Mat, dot};

/// x_ij = mean + row_i + col_j + ⟨left_i, right_j⟩.
///
/// Any model whose last step is linear is of this form once it is trained: the factors of a factorization, the latents of two towers, the hidden
/// layer of an autoencoder and the weights of its last one.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// What all cells have in common.
    pub mean: f64,
    /// One offset a row.
    pub rows: Vec<f64>,
    /// One offset a column.
    pub cols: Vec<f64>,
    /// k × rows: the latent of a row is contiguous.
    pub left: Mat,
    /// k × cols.
    pub right: Mat,
}

impl Factors {
    /// All zero but the mean.
    pub fn constant(shape: Shape, k: usize, mean: f64) -> Self {
        Self {
            mean,
            rows: vec![0.0; shape.0],
            cols: vec![0.0; shape.1],
            left: Mat::zeros(k, shape.0),
            right: Mat::zeros(k, shape.1),
        }
    }

    /// Rows and columns.
    pub fn shape(&self) -> Shape {
        (self.rows.len(), self.cols.len())
    }

    /// The length k of a latent.
    pub fn rank(&self) -> usize {
        self.left.rows()
    }

    /// How many numbers it has.
    pub fn len(&self) -> usize {
        1 + (self.rank() + 1) * (self.rows.len() + self.cols.len())
    }

    /// Whether it has no row and no column.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.cols.is_empty()
    }

    /// The value at a cell.
    pub fn at(&self, row: usize, col: usize) -> f64 {
        self.mean + self.rows[row] + self.cols[col] + dot(self.left.col(row), self.right.col(col))
    }

    /// The value at a cell whose row or column, where it is none, nothing is known of: what is left are the mean and the offset of the other.
    pub fn at_known(&self, row: Option<usize>, col: Option<usize>) -> f64 {
        match (row, col) {
            (Some(row), Some(col)) => self.at(row, col),
            (Some(row), None) => self.mean + self.rows[row],
            (None, Some(col)) => self.mean + self.cols[col],
            (None, None) => self.mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_by_hand_and_what_is_unknown_leaves_the_offsets() {
        let factors = Factors {
            mean: 3.0,
            rows: vec![0.5, -0.5],
            cols: vec![0.1, 0.2, 0.3],
            left: Mat::from_fn(2, 2, |r, i| (r + 2 * i) as f64),
            right: Mat::from_fn(2, 3, |r, j| (1 + r + j) as f64),
        };
        assert!((factors.at(1, 2) - (3.0 - 0.5 + 0.3 + 2.0 * 3.0 + 3.0 * 4.0)).abs() < 1e-12);
        assert_eq!(factors.at_known(Some(0), None), 3.5);
        assert_eq!(factors.at_known(None, Some(1)), 3.2);
        assert_eq!(factors.at_known(None, None), 3.0);
        assert_eq!((factors.shape(), factors.rank(), factors.len()), ((2, 3), 2, 16));
    }
}
