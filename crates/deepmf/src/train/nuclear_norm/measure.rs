//! An observation that counts how often it is used, and what it needs.

use crate::data::Shape;
use crate::linalg::Mat;
use crate::problem::Observation;
use crate::product::{Cotangent, Outer, Product};
use crate::random::{Purpose, RngExt, stream};

use super::factors::Pair;

/// The observation of one solution.
pub(super) struct Measure<'a> {
    observation: &'a dyn Observation,
    room: Mat,
    /// How often the measurements of a matrix were taken.
    pub(super) evaluations: u64,
}

impl<'a> Measure<'a> {
    pub(super) fn new(observation: &'a dyn Observation) -> Self {
        Self { observation, room: Mat::default(), evaluations: 0 }
    }

    pub(super) fn shape(&self) -> Shape {
        self.observation.shape()
    }

    pub(super) fn len(&self) -> usize {
        self.observation.len()
    }

    /// `out ← A(leftᵀ · right)`.
    pub(super) fn apply(&mut self, pair: &Pair, out: &mut [f64]) {
        if pair.left.rows() == 0 {
            return out.fill(0.0);
        }
        let outer = Outer { left: pair.left.view(), right: pair.right.view() };
        self.evaluations += 1;
        self.observation.apply(&Product::Outer(outer), &mut self.room, out);
    }

    /// `into ← A*(y)`.
    pub(super) fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
        into.clear(self.shape());
        self.observation.adjoint(y, into);
    }

    /// See [`Observation::cells`].
    pub(super) fn cells(&self) -> Option<Vec<(u32, u32)>> {
        self.observation.cells()
    }

    /// See [`Observation::derivative_of`].
    pub(super) fn derivative(&self, factors: &Outer<'_>, measurements: &[u32]) -> Option<Mat> {
        self.observation.derivative_of(factors, measurements)
    }

    /// `out ← A(A*(y))`.
    pub(super) fn gram(&mut self, y: &[f64], out: &mut [f64]) {
        self.evaluations += 1;
        self.observation.gram(y, out);
    }

    /// Σ ‖A_i‖² over the number of cells: what one cell weighs on average; for a mask the share of seen cells.
    pub(super) fn density(&mut self) -> f64 {
        let (rows, cols) = self.shape();
        let mut random = stream(0, Purpose::Sketch, 1);
        let mut signs =
            |n| Mat::from_fn(1, n, |_, _| if random.random::<bool>() { 1.0 } else { -1.0 });
        let pair = Pair { left: signs(rows), right: signs(cols) };
        let mut seen = vec![0.0; self.len()];
        self.apply(&pair, &mut seen);
        crate::linalg::sum_of_squares(&seen) / (rows as f64 * cols as f64)
    }
}
