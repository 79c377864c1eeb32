//! The method of Levenberg and Marquardt on the factors: (JᵀCJ + μ) δ = −∇ by conjugate gradients, without forming a matrix.
//!
//! J is the derivative of W with respect to the parameters and C the curvature of the loss. Near a minimum of zero loss this
//! ends in a few steps what flow and descent approach slowly. It moves to a minimum near where it begins, which is not exactly the one that
//! the flow tends to: a polish after a flow, never a part of it. The damping follows the gain ratio (Nielsen 1999).

use super::{Clock, Optimizer, must_be_double, must_be_positive, part};
use crate::analysis::GaussNewton;
use crate::linalg::{axpy, dot, norm};
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::train::Room;
use crate::{Error, Result};

/// Conjugate gradients at most in one step.
const INNER: usize = 400;
/// Steps that are tried before a step is given up.
const TRIES: u32 = 12;

/// Levenberg–Marquardt.
#[derive(Clone, Debug)]
pub struct LevenbergMarquardt {
    tolerance: f64,
    damping: f64,
    growth: f64,
    /// Gauss–Newton products, evaluations of the gradient, steps that were accepted.
    products: u64,
    evaluations: u64,
    accepted: u64,
    operator: GaussNewton,
    scratch: Option<Scratch>,
}

/// Vectors of one step.
#[derive(Clone, Debug)]
struct Scratch {
    start: Params,
    gradient: Params,
    step: Params,
    residual: Params,
    along: Params,
    turned: Params,
}

impl LevenbergMarquardt {
    /// Solves for each step to the relative accuracy `tolerance`; 0.1 is usual, less gives faster convergence at the end.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `tolerance` is not above 0.
    pub fn new(tolerance: f64) -> Result<Self> {
        must_be_positive("tolerance", tolerance)?;
        Ok(Self {
            tolerance,
            damping: 0.0,
            growth: 2.0,
            products: 0,
            evaluations: 0,
            accepted: 0,
            operator: GaussNewton::default(),
            scratch: None,
        })
    }

    /// Gauss–Newton products so far.
    pub fn products(&self) -> u64 {
        self.products
    }

    /// Conjugate gradients from zero; leaves the step in `scratch.step` and gives the decrease that the model promises.
    fn solve(&mut self, problem: &Problem, model: &dyn Model) -> f64 {
        let (Some(scratch), Some(smooth)) = (&mut self.scratch, model.smooth()) else { return 0.0 };
        let Scratch { gradient, step, residual, along, turned, .. } = scratch;
        step.values_mut().fill(0.0);
        for (r, g) in residual.values_mut().iter_mut().zip(gradient.values()) {
            *r = -g;
        }
        along.values_mut().copy_from_slice(residual.values());
        let mut square = dot(residual.values(), residual.values());
        let goal = self.tolerance.powi(2) * square;
        for _ in 0..INNER {
            self.operator.multiply(problem, smooth, along, turned);
            self.products += 1;
            axpy(self.damping, along.values(), turned.values_mut());
            let bend = dot(along.values(), turned.values());
            if bend <= 0.0 || !bend.is_finite() {
                break;
            }
            let length = square / bend;
            axpy(length, along.values(), step.values_mut());
            axpy(-length, turned.values(), residual.values_mut());
            let next = dot(residual.values(), residual.values());
            if next <= goal {
                break;
            }
            for (a, r) in along.values_mut().iter_mut().zip(residual.values()) {
                *a = r + next / square * *a;
            }
            square = next;
        }
        // With (H + μ) δ = −g − r: the promised decrease is −gᵀδ − ½ δᵀHδ = ½ δᵀ(μδ − g + r).
        let size = dot(step.values(), step.values());
        let descent = dot(gradient.values(), step.values());
        0.5 * (self.damping * size - descent + dot(residual.values(), step.values()))
    }
}

impl Optimizer for LevenbergMarquardt {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let like = || model.params().zeros_like();
        let scratch = self.scratch.get_or_insert_with(|| Scratch {
            start: like(),
            gradient: like(),
            step: like(),
            residual: like(),
            along: like(),
            turned: like(),
        });
        scratch.start.values_mut().copy_from_slice(model.params().values());
        scratch.gradient.values_mut().copy_from_slice(room.gradient.values());
        let loss = room.loss;
        self.operator.prepare(problem, model);
        if self.damping == 0.0 {
            // In units of the curvature along the gradient.
            let (Some(scratch), Some(smooth)) = (&mut self.scratch, model.smooth()) else { return };
            self.operator.multiply(problem, smooth, &scratch.gradient, &mut scratch.turned);
            self.products += 1;
            let size = norm(scratch.gradient.values()).powi(2).max(f64::MIN_POSITIVE);
            self.damping = 1e-3 * dot(scratch.gradient.values(), scratch.turned.values()) / size;
        }
        for _ in 0..TRIES {
            let promised = self.solve(problem, model);
            let Some(scratch) = &self.scratch else { return };
            axpy(1.0, scratch.step.values(), model.params_mut().values_mut());
            room.evaluate(problem, model);
            self.evaluations += 1;
            let gain = (loss - room.loss) / promised;
            if gain > 0.0 && room.loss.is_finite() {
                let shrink = (1.0 - (2.0 * gain - 1.0).powi(3)).max(1.0 / 3.0);
                self.damping = (self.damping * shrink).max(f64::MIN_POSITIVE);
                self.growth = 2.0;
                self.accepted += 1;
                room.fresh = true;
                return;
            }
            model.params_mut().values_mut().copy_from_slice(scratch.start.values());
            self.damping *= self.growth;
            self.growth *= 2.0;
        }
        // At the limit of rounding nothing lowers the loss; the model stays where it was.
        room.evaluate(problem, model);
        room.fresh = true;
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)?;
        problem.must_be_separable()?;
        if model.smooth().is_some() {
            return Ok(());
        }
        let what = "the model that Levenberg–Marquardt moves";
        Err(Error::parameter(what, "one with second derivatives", "without them"))
    }

    fn clock(&self) -> Option<Clock> {
        let evaluations = self.products + self.evaluations;
        Some(Clock { time: self.accepted as f64, evaluations })
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        let counts = [self.products, self.evaluations, self.accepted].map(|x| x as f64);
        vec![("damping", vec![self.damping, self.growth]), ("counts", counts.to_vec())]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        let (numbers, counts) = (part(state, "damping")?, part(state, "counts")?);
        let (&[damping, growth], &[products, evaluations, accepted]) = (&numbers[..], &counts[..])
        else {
            return Err(Error::parameter("a checkpoint", "of the same optimizer", "another"));
        };
        (self.damping, self.growth) = (damping, growth);
        (self.products, self.evaluations) = (products as u64, evaluations as u64);
        self.accepted = accepted as u64;
        Ok(())
    }
}
