//! Sensing: inner products of W with dense operators.

use rayon::prelude::*;

use super::Observation;
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, axpy, dot, multiply, scale};
use crate::product::{Cotangent, Outer, Product};
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// Cells of one part of the adjoint: a property of the operators, never of the number of threads.
const PART: usize = 1024;
/// Numbers below which one thread is faster than two.
const PARALLEL_FROM: usize = 1_000_000;

/// Dense operators A₁ … Aₘ; measurement i is ⟨Aᵢ, W⟩.
#[derive(Clone, Debug)]
pub struct Sensing {
    shape: Shape,
    /// Operator after operator, each column after column.
    operators: Vec<f64>,
}

impl Sensing {
    /// Takes `operators` one after another, each stored column after column.
    ///
    /// # Errors
    /// [`Error::Shape`] if the numbers do not make whole operators; [`Error::NotFinite`].
    pub fn new(shape: Shape, operators: Vec<f64>) -> Result<Self> {
        let cells = shape.0 * shape.1;
        if cells == 0 || operators.is_empty() || !operators.len().is_multiple_of(cells) {
            let expected = format!("a positive multiple of {cells} numbers");
            return Err(Error::shape("the list of operators", expected, operators.len()));
        }
        if let Some(&found) = operators.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "every entry of an operator".into(), found });
        }
        Ok(Self { shape, operators })
    }

    /// `count` operators with entries N(0, 1)/√(rows · cols) (Arora et al. 2019: N(0, 1)/n).
    ///
    /// # Errors
    /// [`Error::Parameter`] if `count` or the shape is zero.
    pub fn gaussian(shape: Shape, count: usize, seed: u64) -> Result<Self> {
        let cells = shape.0 * shape.1;
        if count == 0 || cells == 0 {
            return Err(Error::parameter("the number of operators", "1 or more", count));
        }
        let scale = 1.0 / (cells as f64).sqrt();
        let mut operators = vec![0.0; count * cells];
        operators.par_chunks_mut(cells).enumerate().for_each(|(item, operator)| {
            let mut stream = stream(seed, Purpose::Observation, item as u64);
            for x in operator {
                *x = scale * normal(&mut stream);
            }
        });
        Ok(Self { shape, operators })
    }

    /// All entries multiplied by a factor.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not above 0.
    pub fn scaled(mut self, factor: f64) -> Result<Self> {
        if !(factor.is_finite() && factor > 0.0) {
            return Err(Error::parameter("the factor of the operators", "above 0", factor));
        }
        self.operators.iter_mut().for_each(|x| *x *= factor);
        Ok(self)
    }

    /// What is measured of `truth`.
    ///
    /// # Errors
    /// [`Error::Shape`] if its shape is not that of the operators.
    pub fn measure(&self, truth: &Mat) -> Result<Vec<f64>> {
        let found = (truth.rows(), truth.cols());
        if found != self.shape {
            let words = crate::data::words;
            return Err(Error::shape(
                "the matrix that is measured",
                words(self.shape),
                words(found),
            ));
        }
        let mut out = vec![0.0; self.len()];
        self.apply(&Product::Dense(truth.view()), &mut Mat::default(), &mut out);
        Ok(out)
    }

    /// All operators, one after another, each column after column.
    pub fn operators(&self) -> &[f64] {
        &self.operators
    }
}

impl Observation for Sensing {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        self.operators.len() / (self.shape.0 * self.shape.1)
    }

    fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]) {
        let dense = product.dense_in(room);
        let copy;
        let values = if let (values, false) = dense.stored() {
            values
        } else {
            copy = dense.to_mat();
            copy.values()
        };
        if self.operators.len() < PARALLEL_FROM {
            let operators = self.operators.chunks_exact(values.len());
            out.iter_mut().zip(operators).for_each(|(out, a)| *out = dot(a, values));
        } else {
            let operators = self.operators.par_chunks_exact(values.len());
            out.par_iter_mut().zip(operators).for_each(|(out, a)| *out = dot(a, values));
        }
    }

    fn derivative(&self, factors: &Outer<'_>) -> Option<Mat> {
        let all: Vec<u32> = (0..self.len() as u32).collect();
        self.derivative_of(factors, &all)
    }

    // ∂⟨A, LᵀR⟩ is R Aᵀ for L and L A for R.
    fn derivative_of(&self, factors: &Outer<'_>, measurements: &[u32]) -> Option<Mat> {
        let (rows, cols) = self.shape;
        let (left, right) = (factors.left, factors.right);
        let size = left.rows() * (rows + cols);
        if size >= rows * cols {
            return None;
        }
        let mut out = Mat::zeros(size, measurements.len());
        let columns = out.values_mut().par_chunks_exact_mut(size.max(1));
        columns.zip(measurements).for_each(|(out, &place)| {
            let cells = place as usize * rows * cols..(place as usize + 1) * rows * cols;
            let operator = MatRef::new(rows, cols, &self.operators[cells]);
            let (to_left, to_right) = out.split_at_mut(left.rows() * rows);
            let to_left = MatMut::new(left.rows(), rows, to_left);
            multiply(to_left, Accumulate::Replace, 1.0, right, operator.t());
            let to_right = MatMut::new(left.rows(), cols, to_right);
            multiply(to_right, Accumulate::Replace, 1.0, left, operator);
        });
        Some(out)
    }

    fn operator(&self, i: usize) -> Mat {
        let (rows, cols) = self.shape;
        let cells = rows * cols;
        Mat::from_columns(rows, cols, self.operators[i * cells..(i + 1) * cells].to_vec())
    }

    // All operators beside each other are one matrix, rows × (m · cols).
    fn left_slope(&self, weights: &[f64], left: MatRef<'_>, right: Option<MatRef<'_>>) -> Mat {
        let (rows, cols) = self.shape;
        let all = MatRef::new(rows, cols * weights.len(), &self.operators);
        let mut sides = left.times(all);
        let gram = right.map(|right| right.t().times(right));
        let size = left.rows() * cols;
        let mut room = Mat::zeros(left.rows(), cols);
        for (side, w) in sides.values_mut().chunks_exact_mut(size).zip(weights) {
            if let Some(gram) = &gram {
                let one = MatRef::new(left.rows(), cols, side);
                multiply(room.view_mut(), Accumulate::Replace, *w, one, gram.view());
                side.copy_from_slice(room.values());
            } else {
                scale(*w, side);
            }
        }
        sides.view().times(all.t())
    }

    fn right_slope(&self, weights: &[f64], left: Option<MatRef<'_>>, right: MatRef<'_>) -> Mat {
        let (rows, cols) = self.shape;
        let all = MatRef::new(rows, cols * weights.len(), &self.operators);
        let sides = left.map(|left| left.times(all));
        let (height, sides) = match (&sides, left) {
            (Some(sides), Some(left)) => (left.rows(), sides.values()),
            _ => (rows, &self.operators[..]),
        };
        let mut sum = Mat::zeros(cols, cols);
        for (side, w) in sides.chunks_exact(height * cols).zip(weights) {
            let side = MatRef::new(height, cols, side);
            multiply(sum.view_mut(), Accumulate::Add, *w, side.t(), side);
        }
        right.times(sum.view())
    }

    fn block_trace(
        &self,
        weights: &[f64],
        left: Option<MatRef<'_>>,
        right: Option<MatRef<'_>>,
    ) -> f64 {
        let with = |factor: MatRef<'_>, slope: &Mat| dot(factor.to_mat().values(), slope.values());
        match (left, right) {
            (Some(left), _) => with(left, &self.left_slope(weights, left, right)),
            (None, Some(right)) => with(right, &self.right_slope(weights, None, right)),
            (None, None) => {
                let operators = self.operators.chunks_exact(self.shape.0 * self.shape.1);
                operators.zip(weights).map(|(a, w)| w * dot(a, a)).sum()
            }
        }
    }

    fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
        let cells = self.shape.0 * self.shape.1;
        let part = |(part, out): (usize, &mut [f64])| {
            let operators = self.operators.chunks_exact(cells).zip(y);
            // Most of a batch, and most measurements of a box, pull at nothing.
            for (operator, y) in operators.filter(|(_, y)| **y != 0.0) {
                axpy(*y, &operator[part * PART..part * PART + out.len()], out);
            }
        };
        into.add_dense(|dense| {
            if self.operators.len() < PARALLEL_FROM {
                dense.values_mut().chunks_mut(PART).enumerate().for_each(part);
            } else {
                dense.values_mut().par_chunks_mut(PART).enumerate().for_each(part);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same operators, by what every observation has.
    #[derive(Debug)]
    struct Plain(Sensing);

    impl Observation for Plain {
        fn shape(&self) -> Shape {
            self.0.shape
        }

        fn len(&self) -> usize {
            self.0.len()
        }

        fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]) {
            self.0.apply(product, room, out);
        }

        fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
            self.0.adjoint(y, into);
        }
    }

    #[test]
    fn traces_and_slopes_of_all_operators_at_once_are_those_of_one_after_another() {
        let sensing = Sensing::gaussian((5, 4), 6, 1).unwrap();
        let plain = Plain(sensing.clone());
        let mut random = stream(4, Purpose::Sketch, 0);
        let mut draw = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut random));
        let weights = [0.5, 1.0, 0.0, 2.0, 3.0, 0.1];
        for (k, l) in [(2, 3), (7, 6)] {
            let (left, right) = (draw(k, 5), draw(l, 4));
            for other in [None, Some(right.view())] {
                let found = sensing.left_slope(&weights, left.view(), other);
                let expected = plain.left_slope(&weights, left.view(), other);
                assert!(found.minus(&expected).max_abs() < 1e-13);
            }
            for other in [None, Some(left.view())] {
                let found = sensing.right_slope(&weights, other, right.view());
                let expected = plain.right_slope(&weights, other, right.view());
                assert!(found.minus(&expected).max_abs() < 1e-13);
            }
            for left in [None, Some(left.view())] {
                for right in [None, Some(right.view())] {
                    let found = sensing.block_trace(&weights, left, right);
                    assert!((found - plain.block_trace(&weights, left, right)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn the_derivative_is_that_of_the_measurements() {
        let mut random = stream(3, Purpose::Sketch, 0);
        let mut draw = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut random));
        let (left, right) = (draw(2, 7), draw(2, 5));
        let (left_along, right_along) = (draw(2, 7), draw(2, 5));
        let sensing = Sensing::gaussian((7, 5), 6, 0).unwrap();
        let outer = Outer { left: left.view(), right: right.view() };
        let derivative = sensing.derivative(&outer).unwrap();
        let along = [left_along.values(), right_along.values()].concat();
        let moved = left_along.t().times(right.view()).values().to_vec();
        let mut sum = left.t().times(right_along.view());
        axpy(1.0, &moved, sum.values_mut());
        for (i, expected) in sensing.measure(&sum).unwrap().iter().enumerate() {
            assert!((dot(derivative.col(i), &along) - expected).abs() < 1e-13);
        }
        let some = sensing.derivative_of(&outer, &[4, 1]).unwrap();
        assert_eq!([some.col(0), some.col(1)], [derivative.col(4), derivative.col(1)]);
        // With many directions the operators themselves are smaller.
        let wide = draw(3, 7);
        let outer = Outer { left: wide.view(), right: wide.view() };
        assert!(sensing.derivative(&outer).is_none());
    }
}
