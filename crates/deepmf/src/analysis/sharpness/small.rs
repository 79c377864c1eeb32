//! Operators on what is seen whose nonzero spectrum is that of the Gauss–Newton part of the Hessian.
//!
//! With J the derivative of W, A the observation and C the second derivatives, JᵀA*CAJ and C^{1/2} A J Jᵀ A* C^{1/2} have the same nonzero
//! eigenvalues; the second acts on measurements. Where every entry is seen it is X ↦ c Σ_j L_jL_jᵀ X R_jᵀR_j.

use crate::analysis::chains::Chains;
use crate::linalg::{
    Accumulate, Mat, MatMut, MatRef, axpy, dot, multiply, norm, normal_vector, scale, unit,
};
use crate::model::{DeepLinear, Model, Params, Pass, Smooth};
use crate::problem::Problem;
use crate::product::Cotangent;

/// How much of a start that is built from the structure is random, so that nothing is orthogonal to it.
const RANDOM: f64 = 1e-4;

/// X ↦ c Σ_j L_jL_jᵀ X R_jᵀR_j on rows × cols.
pub(super) struct Grams {
    shape: (usize, usize),
    curvature: f64,
    pairs: Vec<(Option<Mat>, Option<Mat>)>,
    room: Mat,
}

impl Grams {
    pub(super) fn new(chains: &Chains, shape: (usize, usize), curvature: f64) -> Self {
        let pair = |j| (chains.left_gram(j), chains.right_gram(j));
        let pairs = (1..=chains.depth()).map(pair).collect();
        Self { shape, curvature, pairs, room: Mat::default() }
    }

    pub(super) fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        let (rows, cols) = self.shape;
        let x = MatRef::new(rows, cols, x);
        out.fill(0.0);
        let c = self.curvature;
        for (left, right) in &self.pairs {
            let into = MatMut::new(rows, cols, out);
            match (left, right) {
                (None, None) => axpy(c, x.to_mat().values(), out),
                (Some(left), None) => multiply(into, Accumulate::Add, c, left.view(), x),
                (None, Some(right)) => multiply(into, Accumulate::Add, c, x, right.view()),
                (Some(left), Some(right)) => {
                    self.room.reshape(rows, cols);
                    let room = self.room.view_mut();
                    multiply(room, Accumulate::Replace, 1.0, left.view(), x);
                    multiply(into, Accumulate::Add, c, self.room.view(), right.view());
                }
            }
        }
    }

    /// u vᵀ with unit u and v that make Σ_j (uᵀL_jL_jᵀu)(vᵀR_jᵀR_jv) large, by alternating power steps, and a random part: the leading
    /// eigen-matrix is nearly of rank one.
    pub(super) fn start(&self) -> Vec<f64> {
        let (rows, cols) = self.shape;
        let mut u = unit(normal_vector(rows, 0, 1));
        let mut v = unit(normal_vector(cols, 0, 2));
        let turned = |gram: &Option<Mat>, x: &[f64]| match gram {
            Some(gram) => gram.view().times(MatRef::new(x.len(), 1, x)).values().to_vec(),
            None => x.to_vec(),
        };
        for _ in 0..POWER {
            let sides = self.pairs.iter().map(|(l, r)| (turned(l, &u), turned(r, &v)));
            let sides: Vec<_> = sides.collect();
            let (mut next_u, mut next_v) = (vec![0.0; rows], vec![0.0; cols]);
            for (gu, hv) in &sides {
                axpy(dot(&v, hv), gu, &mut next_u);
                axpy(dot(&u, gu), hv, &mut next_v);
            }
            let (next_u, next_v) = (unit(next_u), unit(next_v));
            let still = dot(&u, &next_u) * dot(&v, &next_v);
            (u, v) = (next_u, next_v);
            if still > 1.0 - 1e-10 {
                break;
            }
        }
        let mut start = normal_vector(rows * cols, 0, 3);
        scale(RANDOM / norm(&start), &mut start);
        for (column, v) in start.chunks_exact_mut(rows).zip(&v) {
            axpy(*v, &u, column);
        }
        start
    }
}

/// Alternating power steps for the start, at most.
const POWER: usize = 100;

/// z ↦ C^{1/2} A J Jᵀ A* C^{1/2} z on all measurements, term after term.
pub(super) struct Measurements<'a> {
    problem: &'a Problem,
    model: &'a DeepLinear,
    roots: Vec<Vec<f64>>,
    pass: Pass,
    /// J's own way overwrites what the way back needs.
    ahead: Pass,
    cotangent: Cotangent,
    params: Params,
    room: Mat,
}

impl<'a> Measurements<'a> {
    pub(super) fn new(problem: &'a Problem, model: &'a DeepLinear, weights: &[Vec<f64>]) -> Self {
        let root = |weights: &Vec<f64>| weights.iter().map(|w| w.max(0.0).sqrt()).collect();
        let mut pass = Pass::default();
        model.forward(&mut pass);
        Self {
            problem,
            model,
            roots: weights.iter().map(root).collect(),
            pass,
            ahead: Pass::default(),
            cotangent: Cotangent::default(),
            params: model.params().zeros_like(),
            room: Mat::default(),
        }
    }

    /// Jᵀ A* C^{1/2} z, left in what is given back.
    pub(super) fn back(&mut self, z: &[f64]) -> &Params {
        self.cotangent.clear(self.problem.shape());
        let mut rest = z;
        for (term, roots) in self.problem.terms().iter().zip(&self.roots) {
            let (own, others) = rest.split_at(roots.len());
            let scaled: Vec<f64> = own.iter().zip(roots).map(|(z, root)| z * root).collect();
            term.observation.adjoint(&scaled, &mut self.cotangent);
            rest = others;
        }
        self.model.pullback(&self.cotangent, &mut self.pass, &mut self.params);
        &self.params
    }

    pub(super) fn apply(&mut self, z: &[f64], out: &mut [f64]) {
        self.back(z);
        let product = self.model.pushforward(&self.params, &mut self.ahead);
        let mut rest = out;
        for (term, roots) in self.problem.terms().iter().zip(&self.roots) {
            let (own, others) = rest.split_at_mut(roots.len());
            term.observation.apply(&product, &mut self.room, own);
            own.iter_mut().zip(roots).for_each(|(out, root)| *out *= root);
            rest = others;
        }
    }
}
