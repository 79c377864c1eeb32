//! A matrix as two balanced thin factors, X = leftᵀ · right, and pairs of factors as vectors.

use super::measure::Measure;
use crate::Result;
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, Svd, axpy, dot, multiply, orthonormal, svd};
use crate::model::{DeepLinear, Model};
use crate::product::{Cotangent, Outer, Product};

/// Two factors, k × rows and k × cols, as one vector.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    pub(super) left: Mat,
    pub(super) right: Mat,
}

impl Pair {
    pub(super) fn reshape(&mut self, width: usize, shape: Shape) {
        self.left.reshape(width, shape.0);
        self.right.reshape(width, shape.1);
    }

    pub(super) fn dot(&self, other: &Self) -> f64 {
        dot(self.left.values(), other.left.values())
            + dot(self.right.values(), other.right.values())
    }

    pub(super) fn norm(&self) -> f64 {
        self.dot(self).sqrt()
    }

    pub(super) fn add(&mut self, factor: f64, other: &Self) {
        axpy(factor, other.left.values(), self.left.values_mut());
        axpy(factor, other.right.values(), self.right.values_mut());
    }

    pub(super) fn set(&mut self, factor: f64, other: &Self) {
        for (out, from) in [(&mut self.left, &other.left), (&mut self.right, &other.right)] {
            out.values_mut().iter_mut().zip(from.values()).for_each(|(o, x)| *o = factor * x);
        }
    }

    /// `self ← factor · self + other`.
    pub(super) fn renew(&mut self, factor: f64, other: &Self) {
        for (out, from) in [(&mut self.left, &other.left), (&mut self.right, &other.right)] {
            out.values_mut().iter_mut().zip(from.values()).for_each(|(o, x)| *o = factor * *o + x);
        }
    }

    /// Both factors one after the other, as one column.
    pub(super) fn gathered_into(&self, out: &mut Mat) {
        let (left, right) = (self.left.values(), self.right.values());
        out.reshape(left.len() + right.len(), 1);
        out.values_mut()[..left.len()].copy_from_slice(left);
        out.values_mut()[left.len()..].copy_from_slice(right);
    }

    /// Adds what is gathered in one column.
    pub(super) fn add_gathered(&mut self, factor: f64, column: &Mat) {
        let (left, right) = column.values().split_at(self.left.values().len());
        axpy(factor, left, self.left.values_mut());
        axpy(factor, right, self.right.values_mut());
    }

    /// Multiplies row r of both factors by `weights[r]`, into `out`.
    pub(super) fn weighted_into(&self, weights: &[f64], out: &mut Self) {
        for (out, from) in [(&mut out.left, &self.left), (&mut out.right, &self.right)] {
            let width = weights.len();
            let columns = out.values_mut().chunks_exact_mut(width);
            for (out, from) in columns.zip(from.values().chunks_exact(width)) {
                out.iter_mut().zip(from).zip(weights).for_each(|((o, x), w)| *o = w * x);
            }
        }
    }
}

/// X = leftᵀ · right with left = √S Uᵀ and right = √S Vᵀ.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    pub(super) shape: Shape,
    pub(super) pair: Pair,
    /// The singular values when the factors were last balanced, descending, one a row of the factors.
    pub(super) values: Vec<f64>,
}

/// Singular values below this share of the largest are dropped in any case.
const DROPPED: f64 = 1e-11;
/// Factors have a multiple of so many rows, the last of them zero, and zero rows stay zero: whole registers are faster.
const REGISTER: usize = 8;

impl Factors {
    pub(super) fn zero(shape: Shape) -> Self {
        let pair = Pair { left: Mat::zeros(0, shape.0), right: Mat::zeros(0, shape.1) };
        Self { shape, pair, values: Vec::new() }
    }

    pub(super) fn width(&self) -> usize {
        self.values.len()
    }

    /// The rank when the factors were last balanced.
    pub(super) fn rank(&self) -> usize {
        self.values.iter().filter(|&&s| s > 0.0).count()
    }

    /// ‖X‖_* as it was when the factors were last balanced.
    pub(super) fn nuclear_norm(&self) -> f64 {
        self.values.iter().sum()
    }

    pub(super) fn product(&self) -> Product<'_> {
        Product::Outer(Outer { left: self.pair.left.view(), right: self.pair.right.view() })
    }

    /// Turns the factors so that they are those of a singular value decomposition, and drops values below `share` of the largest.
    pub(super) fn balance(&mut self, share: f64) -> Result<()> {
        if self.width() == 0 {
            return Ok(());
        }
        let [u, v] =
            [&self.pair.left, &self.pair.right].map(|f| orthonormal(f.t().to_mat().view()));
        let core = self.pair.left.times(&u).t().times(self.pair.right.times(&v).view());
        let Svd { u: a, s, v: b } = svd(core.view())?;
        let kept = s.iter().take_while(|&&x| x > share.max(DROPPED) * s[0]).count();
        let side = self.shape.0.min(self.shape.1);
        let width = kept.next_multiple_of(REGISTER).min(side);
        let half = |basis: &Mat, turn: &Mat| {
            let turn = Mat::from_fn(width, turn.rows(), |i, j| {
                if i < kept { turn[(j, i)] * s[i].sqrt() } else { 0.0 }
            });
            turn.view().times(basis.t())
        };
        self.pair = Pair { left: half(&u, &a), right: half(&v, &b) };
        self.values = s[..kept].to_vec();
        self.values.resize(width, 0.0);
        Ok(())
    }

    /// Adds `factor` · Σ (σ_r − 1) u_r v_rᵀ for singular values above one of a gradient: the proximal step in new directions.
    pub(super) fn grow(&mut self, new: &Svd, count: usize, factor: f64) -> Result<()> {
        let old = self.rank();
        let size = |r: usize| (factor * (new.s[r] - 1.0)).sqrt();
        let stack = |from: &Mat, basis: &Mat, n: usize| {
            Mat::from_fn(old + count, n, |r, i| {
                if r < old { from[(r, i)] } else { size(r - old) * basis[(i, r - old)] }
            })
        };
        self.pair = Pair {
            left: stack(&self.pair.left, &new.u, self.shape.0),
            right: stack(&self.pair.right, &new.v, self.shape.1),
        };
        self.values.resize(old + count, 0.0);
        self.balance(0.0)
    }

    /// The leading directions of a gradient outside the spaces of X.
    pub(super) fn outside(
        &self,
        gradient: &Cotangent,
        count: usize,
        tolerance: f64,
    ) -> Result<Svd> {
        let bases = [&self.pair.left, &self.pair.right].map(|factor| {
            Mat::from_fn(self.rank(), factor.cols(), |r, i| factor[(r, i)] / self.values[r].sqrt())
        });
        let [left, right] = bases;
        crate::linalg::leading_svd(&Outside { gradient, left, right }, count, tolerance)
    }

    /// X as a balanced network of depth 2.
    pub(super) fn model(&self) -> Result<DeepLinear> {
        let mut model = DeepLinear::with_width(self.shape, 2, self.rank().max(1))?;
        if self.rank() > 0 {
            let (left, right) = (&self.pair.left, &self.pair.right);
            let first = Mat::from_fn(self.rank(), self.shape.1, |r, j| right[(r, j)]);
            let second = Mat::from_fn(self.shape.0, self.rank(), |i, r| left[(r, i)]);
            model.params_mut().set(0, &first)?;
            model.params_mut().set(1, &second)?;
        }
        Ok(model)
    }
}

/// A gradient between the complements of two spaces, given by orthonormal rows.
struct Outside<'a> {
    gradient: &'a Cotangent,
    left: Mat,
    right: Mat,
}

fn project_out(rows: &Mat, x: &mut [f64]) {
    if rows.rows() == 0 {
        return;
    }
    let n = x.len();
    let inner = rows.view().times(crate::linalg::MatRef::new(n, 1, x));
    let out = crate::linalg::MatMut::new(n, 1, x);
    multiply(out, Accumulate::Add, -1.0, rows.t(), inner.view());
}

impl crate::linalg::Operator for Outside<'_> {
    fn shape(&self) -> (usize, usize) {
        self.gradient.shape()
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        let mut x = x.to_vec();
        project_out(&self.right, &mut x);
        crate::linalg::Operator::apply(self.gradient, &x, out);
        project_out(&self.left, out);
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        let mut x = x.to_vec();
        project_out(&self.left, &mut x);
        crate::linalg::Operator::apply_transposed(self.gradient, &x, out);
        project_out(&self.right, out);
    }
}

/// The step along Σ (σ_r − 1) u_r v_rᵀ that lowers ‖X‖_* + β/2 ‖t − A(X)‖² most, for as many values above one as there are.
pub(super) fn best_step(new: &Svd, count: usize, beta: f64, measure: &mut Measure<'_>) -> f64 {
    let stack = |basis: &Mat| {
        Mat::from_fn(count, basis.rows(), |r, i| (new.s[r] - 1.0).sqrt() * basis[(i, r)])
    };
    let direction = Pair { left: stack(&new.u), right: stack(&new.v) };
    let gain: f64 = new.s[..count].iter().map(|s| (s - 1.0).powi(2)).sum();
    let mut seen = vec![0.0; measure.len()];
    measure.apply(&direction, &mut seen);
    let bend = beta * crate::linalg::sum_of_squares(&seen);
    if bend > 0.0 { gain / bend } else { 1.0 }
}
