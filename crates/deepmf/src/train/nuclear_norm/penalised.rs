//! min ½‖A(X) − y‖² + λ‖X‖_*, alone and along a decreasing path of λ.

use super::certificate;
use super::constrained::{SHARP, SHARPEN, SHARPEST, grow};
use super::factors::Factors;
use super::measure::Measure;
use super::newton::{Newton, Subproblem};
use super::{Guard, Minimizer, NuclearNorm, StopReason};
use crate::linalg::leading_singular;
use crate::problem::{Evaluation, Problem};
use crate::product::Cotangent;
use crate::{Error, Result};

/// A decreasing sequence of penalties, and when to leave it.
#[derive(Clone, Debug)]
pub struct Path {
    count: usize,
    least: f64,
    validation: Option<Problem>,
    patience: usize,
}

/// A point of a path.
#[derive(Clone, Debug)]
pub struct PathPoint {
    /// The penalty λ.
    pub lambda: f64,
    /// Value of the validation problem at the minimiser, if there is one.
    pub validation: Option<f64>,
    /// The minimiser.
    pub minimizer: Minimizer,
}

impl Path {
    /// `count` penalties in geometric sequence from λ_max, above which the minimiser is zero, to `least` times λ_max.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `count` is below 2 or `least` is not above 0 and below 1.
    pub fn new(count: usize, least: f64) -> Result<Self> {
        if count < 2 {
            return Err(Error::parameter("the number of penalties", "2 or more", count));
        }
        if !(least > 0.0 && least < 1.0) {
            return Err(Error::parameter("the least penalty", "above 0 and below 1", least));
        }
        Ok(Self { count, least, validation: None, patience: count })
    }

    /// Evaluates `problem` at each minimiser and leaves the path after `patience` points without improvement.
    #[must_use]
    pub fn validation(self, problem: Problem, patience: usize) -> Self {
        Self { validation: Some(problem), patience: patience.max(1), ..self }
    }
}

/// Relative gradient at which the first round of a penalty is done, and the last; each adds the directions that are missing.
const LOOSE: f64 = 3e-2;
const TIGHTEST: f64 = 1e-12;

/// What is kept from one penalty to the next.
struct Warm<'a> {
    factors: Factors,
    newton: Newton,
    measure: Measure<'a>,
    density: f64,
}

impl NuclearNorm {
    /// λ_max = ‖A*(y)‖₂, from which on the penalised minimiser is zero.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if numbers overflow.
    pub fn largest_penalty(&self) -> Result<f64> {
        let mut pull = Cotangent::default();
        Measure::new(&*self.observation).adjoint(&self.targets, &mut pull);
        Ok(leading_singular(&pull, 1)?[0])
    }

    /// The minimiser of ½‖A(X) − y‖² + λ‖X‖_*.
    ///
    /// # Errors
    /// [`Error::Parameter`] if λ is not above 0; [`Error::NotFinite`] if numbers overflow.
    pub fn penalised(&self, lambda: f64) -> Result<Minimizer> {
        if !(lambda.is_finite() && lambda > 0.0) {
            return Err(Error::parameter("lambda", "above 0", lambda));
        }
        self.warm().solve(self, lambda)
    }

    /// Minimisers for a decreasing sequence of penalties, each from the one before. With a validation the last ones may be left out.
    ///
    /// # Errors
    /// [`Error::Shape`] if the validation has another shape; [`Error::NotFinite`] if numbers overflow.
    pub fn path(&self, path: &Path) -> Result<Vec<PathPoint>> {
        if let Some(validation) = &path.validation
            && validation.shape() != self.shape()
        {
            let words = crate::data::words;
            let (wanted, found) = (words(self.shape()), words(validation.shape()));
            return Err(Error::shape("the validation", wanted, found));
        }
        let largest = self.largest_penalty()?;
        let mut warm = self.warm();
        let mut points: Vec<PathPoint> = Vec::new();
        let mut best = (f64::INFINITY, 0);
        for place in 0..path.count {
            let share = place as f64 / (path.count - 1) as f64;
            let lambda = largest * path.least.powf(share);
            if lambda == 0.0 {
                break;
            }
            let minimizer = warm.solve(self, lambda)?;
            let reason = minimizer.reason;
            let validation = path.validation.as_ref().map(|problem| {
                if warm.factors.width() == 0 {
                    let zero = minimizer.model.product();
                    let product = crate::product::Product::Dense(zero.view());
                    return problem.value(&product, &mut Evaluation::default());
                }
                problem.value(&warm.factors.product(), &mut Evaluation::default())
            });
            points.push(PathPoint { lambda, validation, minimizer });
            if validation.is_some_and(|value| value < best.0) {
                best = (validation.unwrap_or(best.0), place);
            }
            let worse = path.validation.is_some() && place - best.1 >= path.patience;
            if worse || matches!(reason, StopReason::Interrupted | StopReason::TimeUp) {
                break;
            }
        }
        Ok(points)
    }

    fn warm(&self) -> Warm<'_> {
        let mut measure = Measure::new(&*self.observation);
        let density = measure.density();
        Warm { factors: Factors::zero(self.shape()), newton: Newton::default(), measure, density }
    }
}

impl Warm<'_> {
    fn solve(&mut self, settings: &NuclearNorm, lambda: f64) -> Result<Minimizer> {
        let mut guard: Guard = settings.guard();
        let Self { factors, newton, measure, density } = self;
        let evaluations = measure.evaluations;
        let (targets, beta) = (&settings.targets[..], 1.0 / lambda);
        let problem = Subproblem { targets, within: 0.0, beta, density: *density };
        let (mut tolerance, mut sharp) = (LOOSE, SHARP);
        newton.restart(&problem, factors, measure);
        loop {
            grow(factors, newton, beta, (sharp, SHARP), measure)?;
            newton.minimise(&problem, factors, tolerance, measure, &mut guard)?;
            let mut point = newton.multipliers.clone();
            let certificate = certificate::penalised(
                factors,
                targets,
                lambda,
                (&mut point, &newton.pull),
                (0.1 * settings.gap).min(1e-8),
            )?;
            let closed = (certificate.gap <= settings.gap).then_some(StopReason::GapClosed);
            if let Some(reason) = closed.or(guard.reason()) {
                let evaluations = measure.evaluations - evaluations;
                return guard.finish(factors, certificate, &point, reason, evaluations);
            }
            tolerance = (0.1 * tolerance).max(TIGHTEST);
            sharp = (SHARPEN * sharp).max(SHARPEST);
        }
    }
}
