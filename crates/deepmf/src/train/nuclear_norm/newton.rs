//! Newton's method on the factors for ½(‖L‖² + ‖R‖²) + β/2 ‖shrink(t − A(Lᵀ R))‖², by conjugate gradients.
//!
//! The minimum over factors of a product X is ‖X‖_*, so at sufficient width this is the convex problem
//! ‖X‖_* + β/2 ‖shrink(t − A(X))‖², where shrink draws every residual towards zero by `within`.

use super::Guard;
use super::direct;
use super::elimination::Elimination;
use super::factors::{Factors, Pair};
use super::line::Line;
use super::measure::Measure;
use crate::Result;
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, multiply, sum_of_squares};
use crate::product::{Cotangent, Outer};

/// Draws `x` towards zero by `by`.
pub(super) fn shrink(x: f64, by: f64) -> f64 {
    x.signum() * (x.abs() - by).max(0.0)
}

/// What is minimised.
pub(super) struct Subproblem<'a> {
    /// t, one a measurement.
    pub(super) targets: &'a [f64],
    /// What residuals are shrunk by.
    pub(super) within: f64,
    pub(super) beta: f64,
    /// What one cell weighs on average in ‖A(·)‖².
    pub(super) density: f64,
}

/// Storage of the iteration, made once.
#[derive(Default)]
pub(super) struct Newton {
    /// β shrink(t − A(X)) at the last iterate: the multipliers that the subproblem proposes.
    pub(super) multipliers: Vec<f64>,
    /// A*(multipliers), the negative gradient of the smooth part.
    pub(super) pull: Cotangent,
    /// A(X) at the last iterate.
    pub(super) seen: Vec<f64>,
    bend: Cotangent,
    measured: Vec<f64>,
    trial: Pair,
    gradient: Pair,
    rest: Pair,
    softened: Pair,
    step: Pair,
    along: Pair,
    bent: Pair,
    stacked: Pair,
    line: Line,
    /// For a mask.
    elimination: Option<Elimination>,
    begun: bool,
    /// The measurements outside the box.
    bending: Vec<u32>,
    /// Their derivative with respect to the factors, where that is smaller than the operators.
    derivative: Option<Mat>,
    room: Mat,
}

/// Conjugate gradients in one step at most.
const INNER: usize = 500;
/// A step that moves the factors more than this share of themselves is followed by balancing them.
const FAR: f64 = 0.1;
/// Singular values below this share of the tolerance are dropped: what they hold is beyond what is asked for.
const IDLE: f64 = 1e-2;
const SUFFICIENT: f64 = 1e-4;

impl Newton {
    /// Moves the factors until the norm of the gradient is `tolerance` times that of the factors.
    pub(super) fn minimise(
        &mut self,
        problem: &Subproblem<'_>,
        factors: &mut Factors,
        tolerance: f64,
        measure: &mut Measure<'_>,
        guard: &mut Guard,
    ) -> Result<()> {
        factors.balance(0.0)?;
        let mut value = self.evaluate(problem, &factors.pair, measure);
        // The gradient before, and whether the step from there promised less than rounding of the value.
        let mut before = (f64::INFINITY, false);
        loop {
            self.slope(factors, measure);
            let size = factors.pair.norm();
            let gradient = self.gradient.norm();
            let rounded = before.1 && gradient > 0.5 * before.0;
            if gradient <= tolerance * size || rounded || factors.width() == 0 || guard.ended() {
                return factors.balance(IDLE * tolerance);
            }
            guard.iterations += 1;
            let forced = (gradient / size).sqrt().min(0.1) * gradient;
            let enough = forced.max(0.3 * tolerance * size);
            self.direction(problem, factors, enough, measure, guard);
            let slope = self.step.dot(&self.gradient);
            before = (gradient, slope.abs() <= 1e-14 * value.abs());
            self.line.start.clone_from(&self.seen);
            let mut length = 1.0;
            let next = loop {
                self.trial.reshape(factors.width(), factors.shape);
                self.trial.set(1.0, &factors.pair);
                self.trial.add(length, &self.step);
                let trial = std::mem::take(&mut self.trial);
                let next = self.evaluate(problem, &trial, measure);
                self.trial = trial;
                // Near the minimum the values agree to rounding, and the step is right all the same.
                if next <= value + SUFFICIENT * length * slope + 1e-13 * value.abs() {
                    break Some(next);
                }
                if length == 1.0 {
                    let along = (&factors.pair, &self.step);
                    length = self.line.length(problem, along, &self.seen, measure);
                } else {
                    length *= 0.5;
                }
                if length < 1e-9 {
                    break None;
                }
            };
            let Some(next) = next else {
                self.evaluate(problem, &factors.pair, measure);
                self.slope(factors, measure);
                return factors.balance(IDLE * tolerance);
            };
            value = next;
            std::mem::swap(&mut factors.pair, &mut self.trial);
            if length * self.step.norm() > FAR * size {
                factors.balance(IDLE * tolerance)?;
            }
        }
    }

    /// Sets the multipliers and their pull for factors that were found for another problem.
    pub(super) fn restart(
        &mut self,
        problem: &Subproblem<'_>,
        factors: &Factors,
        measure: &mut Measure<'_>,
    ) {
        self.evaluate(problem, &factors.pair, measure);
        measure.adjoint(&self.multipliers, &mut self.pull);
    }

    /// The value at a pair; leaves the measurements and the multipliers.
    fn evaluate(
        &mut self,
        problem: &Subproblem<'_>,
        pair: &Pair,
        measure: &mut Measure<'_>,
    ) -> f64 {
        let count = measure.len();
        self.seen.resize(count, 0.0);
        self.multipliers.resize(count, 0.0);
        measure.apply(pair, &mut self.seen);
        for ((out, seen), target) in
            self.multipliers.iter_mut().zip(&self.seen).zip(problem.targets)
        {
            *out = problem.beta * shrink(target - seen, problem.within);
        }
        0.5 * pair.dot(pair) + 0.5 / problem.beta * sum_of_squares(&self.multipliers)
    }

    /// The gradient L − R A*(z)ᵀ, R − L A*(z) at the factors that were evaluated last.
    fn slope(&mut self, factors: &Factors, measure: &Measure<'_>) {
        measure.adjoint(&self.multipliers, &mut self.pull);
        self.gradient.reshape(factors.width(), factors.shape);
        self.gradient.set(1.0, &factors.pair);
        add_turned(-1.0, &self.pull, &factors.pair, &mut self.gradient, &mut self.room);
    }

    /// Preconditioned conjugate gradients for the step, until the residual is `enough` or the curvature is not positive.
    fn direction(
        &mut self,
        problem: &Subproblem<'_>,
        factors: &Factors,
        enough: f64,
        measure: &mut Measure<'_>,
        guard: &Guard,
    ) {
        if !std::mem::replace(&mut self.begun, true) {
            self.elimination = measure.cells().map(|cells| Elimination::new(factors.shape, &cells));
        }
        if let Some(elimination) = &mut self.elimination {
            measure.evaluations += elimination.direction(
                problem,
                factors,
                &self.multipliers,
                (&self.gradient, enough),
                &mut self.step,
                guard,
            );
            return;
        }
        self.bending.clear();
        let pulling = self.multipliers.iter().zip(0..).filter(|(z, _)| **z != 0.0);
        self.bending.extend(pulling.map(|(_, place)| place));
        let seen_from = (&self.pull, &self.bending[..]);
        if direct::direction(problem, factors, seen_from, &self.gradient, &mut self.step, measure) {
            return;
        }
        let (width, shape) = (factors.width(), factors.shape);
        // For uniformly seen cells the Hessian is near this diagonal in balanced factors; cells inside the box are not seen.
        let share = self.bending.len() as f64 / self.multipliers.len() as f64;
        let density = problem.density * share;
        let weights: Vec<f64> =
            factors.values.iter().map(|s| 1.0 / (1.0 + problem.beta * density * s)).collect();
        for pair in [&mut self.step, &mut self.rest, &mut self.softened, &mut self.along] {
            pair.reshape(width, shape);
        }
        let (left, right) = (factors.pair.left.view(), factors.pair.right.view());
        self.derivative = measure.derivative(&Outer { left, right }, &self.bending);
        self.stack(factors);
        self.step.set(0.0, &self.gradient);
        self.rest.set(-1.0, &self.gradient);
        self.rest.weighted_into(&weights, &mut self.softened);
        self.along.set(1.0, &self.softened);
        let mut product = self.rest.dot(&self.softened);
        for round in 0..INNER {
            self.curve(problem, factors, measure);
            let curvature = self.along.dot(&self.bent);
            if curvature <= 1e-14 * self.along.dot(&self.along) {
                if round == 0 {
                    self.step.set(1.0, &self.along);
                }
                return;
            }
            let length = product / curvature;
            self.step.add(length, &self.along);
            self.rest.add(-length, &self.bent);
            if self.rest.norm() <= enough || guard.ended() {
                return;
            }
            self.rest.weighted_into(&weights, &mut self.softened);
            let next = self.rest.dot(&self.softened);
            self.along.renew(next / product, &self.softened);
            product = next;
        }
    }

    /// Writes the factors into the halves of the stacked pair that stay.
    fn stack(&mut self, factors: &Factors) {
        let (width, shape) = (factors.width(), factors.shape);
        self.stacked.reshape(2 * width, shape);
        copy_half(&mut self.stacked.left, &factors.pair.left, 1);
        copy_half(&mut self.stacked.right, &factors.pair.right, 0);
    }

    /// `bent` ← Hessian · `along`.
    fn curve(&mut self, problem: &Subproblem<'_>, factors: &Factors, measure: &mut Measure<'_>) {
        self.bent.reshape(factors.width(), factors.shape);
        self.bent.set(1.0, &self.along);
        if let Some(derivative) = &self.derivative {
            self.along.gathered_into(&mut self.room);
            self.measured.resize(derivative.cols(), 0.0);
            let out = MatMut::new(1, derivative.cols(), &mut self.measured);
            multiply(out, Accumulate::Replace, 1.0, self.room.t(), derivative.view());
        } else {
            copy_half(&mut self.stacked.left, &self.along.left, 0);
            copy_half(&mut self.stacked.right, &self.along.right, 1);
            self.measured.resize(measure.len(), 0.0);
            measure.apply(&self.stacked, &mut self.measured);
        }
        if let Some(derivative) = &self.derivative {
            self.measured.iter_mut().for_each(|out| *out *= problem.beta);
            let measured = MatRef::new(derivative.cols(), 1, &self.measured);
            let room = self.room.view_mut();
            multiply(room, Accumulate::Replace, 1.0, derivative.view(), measured);
            self.bent.add_gathered(1.0, &self.room);
        } else {
            // A residual inside the box bends nothing.
            for (out, multiplier) in self.measured.iter_mut().zip(&self.multipliers) {
                *out *= if *multiplier == 0.0 { 0.0 } else { problem.beta };
            }
            measure.adjoint(&self.measured, &mut self.bend);
            add_turned(1.0, &self.bend, &factors.pair, &mut self.bent, &mut self.room);
        }
        add_turned(-1.0, &self.pull, &self.along, &mut self.bent, &mut self.room);
    }
}

/// `out ← out + factor · (R Gᵀ, L G)`.
fn add_turned(factor: f64, g: &Cotangent, pair: &Pair, out: &mut Pair, room: &mut Mat) {
    g.right_product(pair.right.view(), room);
    crate::linalg::axpy(factor, room.values(), out.left.values_mut());
    g.left_product(pair.left.view(), room);
    crate::linalg::axpy(factor, room.values(), out.right.values_mut());
}

/// Copies `from`, k × n, to the upper (0) or lower (1) half of `to`, 2k × n.
fn copy_half(to: &mut Mat, from: &Mat, half: usize) {
    let width = from.rows();
    let columns = to.values_mut().chunks_exact_mut(2 * width);
    for (to, from) in columns.zip(from.values().chunks_exact(width)) {
        to[half * width..(half + 1) * width].copy_from_slice(from);
    }
}
