//! Nuclear-norm minimisation with a certificate: the convex baseline, on factors that are never multiplied out.
//!
//! - [`NuclearNorm::constrained`]: min ‖X‖_* under |A(X) − y| ≤ within (equality for 0), by the method of multipliers, each round of
//!   which is a penalised problem with moved targets;
//! - [`NuclearNorm::penalised`]: min ½‖A(X) − y‖² + λ‖X‖_* (soft-impute, for a mask);
//! - [`NuclearNorm::path`]: the same for a decreasing sequence of λ, each from the solution before.
//!
//! All are solved by Newton's method on balanced factors X = U √S · √S Vᵀ whose width follows the rank: directions in
//! which A*(z) has a singular value above one are added, those that vanish are dropped. Only measurements outside the box bend the
//! objective, and only these are looked at for a step: for a mask one factor is eliminated block by block, for operators the Hessian is
//! factored where it is small; otherwise the step is left to conjugate gradients. The factors may be stationary
//! without being optimal; the certificate, which knows nothing of factors, tells.

mod certificate;
mod constrained;
mod direct;
mod elimination;
mod factors;
mod line;
mod measure;
mod newton;
mod penalised;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use certificate::Certificate;
pub use penalised::{Path, PathPoint};

use super::StopReason;
use crate::data::Shape;
use crate::model::DeepLinear;
use crate::problem::{Observation, Problem};
use crate::{Error, Result};

use factors::Factors;

/// Minimises the nuclear norm of a matrix that was observed.
///
/// ```
/// use deepmf::data;
/// use deepmf::problem::Problem;
/// use deepmf::train::NuclearNorm;
///
/// let truth = data::low_rank((40, 40), 2, 0)?;
/// let seen = data::observe(&truth, &data::random_cells((40, 40), 800, 0)?)?;
/// let found = NuclearNorm::new(&Problem::completion(&seen)?)?.constrained()?;
/// assert!(found.certificate.gap <= 1e-6 && found.singular_values.len() == 2);
/// assert!(found.model.product().minus(&truth).max_abs() < 1e-4);
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NuclearNorm {
    observation: Arc<dyn Observation>,
    targets: Vec<f64>,
    within: f64,
    gap: f64,
    infeasibility: Option<f64>,
    steps: u64,
    time: Option<Duration>,
    interrupt: Option<Arc<AtomicBool>>,
}

/// A minimiser, with the proof of how near it is.
#[derive(Clone, Debug)]
pub struct Minimizer {
    /// X as a balanced network of depth 2: W_2 = U √S, W_1 = √S Vᵀ.
    pub model: DeepLinear,
    /// Singular values of X, descending, without zeros.
    pub singular_values: Vec<f64>,
    /// Values of X and of a feasible dual point.
    pub certificate: Certificate,
    /// The feasible dual point, one number a measurement.
    pub multipliers: Vec<f64>,
    /// Steps of Newton's method.
    pub iterations: u64,
    /// How often the measurements of a matrix were taken.
    pub evaluations: u64,
    /// How the iteration ended.
    pub reason: StopReason,
    /// Time taken, in seconds.
    pub seconds: f64,
}

impl NuclearNorm {
    /// Takes observation and targets of a problem of one term; its loss is not used.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the problem has several terms, choices or known factors.
    pub fn new(problem: &Problem) -> Result<Self> {
        problem.must_be_terms("the problem of which the nuclear norm is minimized")?;
        let [term] = problem.terms() else {
            return Err(Error::parameter("the number of terms", "1", problem.terms().len()));
        };
        if let Some(&found) = term.targets.iter().find(|y| !y.is_finite()) {
            return Err(Error::NotFinite { what: "every target".into(), found });
        }
        Ok(Self {
            observation: term.observation.clone(),
            targets: term.targets.clone(),
            within: 0.0,
            gap: 1e-6,
            infeasibility: None,
            steps: 2000,
            time: None,
            interrupt: None,
        })
    }

    /// How far measurements may be from their targets; 0, an equality, unless it is set.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is below 0.
    pub fn within(self, within: f64) -> Result<Self> {
        if !(within.is_finite() && within >= 0.0) {
            return Err(Error::parameter("within", "0 or above", within));
        }
        Ok(Self { within, ..self })
    }

    /// The relative gap at which to stop; 1e-6 unless it is set.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not above 0.
    pub fn gap(self, gap: f64) -> Result<Self> {
        if !(gap.is_finite() && gap > 0.0) {
            return Err(Error::parameter("the gap", "above 0", gap));
        }
        Ok(Self { gap, ..self })
    }

    /// How far the solution may be from the constraints, relative to the norm of the targets. Unless it is set, an equality is met
    /// to 1e-9 and a box to a thousandth of its size.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not above 0.
    pub fn infeasibility(self, infeasibility: f64) -> Result<Self> {
        if !(infeasibility.is_finite() && infeasibility > 0.0) {
            return Err(Error::parameter("the infeasibility", "above 0", infeasibility));
        }
        Ok(Self { infeasibility: Some(infeasibility), ..self })
    }

    /// Newton steps at most; 2000 unless it is set (on a path: for each penalty).
    #[must_use]
    pub fn steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// Stops after so much time. Where it stops then depends on the machine.
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    fn shape(&self) -> Shape {
        self.observation.shape()
    }

    fn guard(&self) -> Guard {
        Guard {
            begun: Instant::now(),
            iterations: 0,
            steps: self.steps,
            time: self.time,
            interrupt: self.interrupt.clone(),
        }
    }
}

/// What may end an iteration from outside.
struct Guard {
    begun: Instant,
    iterations: u64,
    steps: u64,
    time: Option<Duration>,
    interrupt: Option<Arc<AtomicBool>>,
}

impl Guard {
    fn reason(&self) -> Option<StopReason> {
        if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            Some(StopReason::Interrupted)
        } else if self.time.is_some_and(|time| self.begun.elapsed() >= time) {
            Some(StopReason::TimeUp)
        } else {
            (self.iterations >= self.steps).then_some(StopReason::StepsDone)
        }
    }

    fn ended(&self) -> bool {
        self.reason().is_some()
    }

    fn finish(
        &self,
        factors: &Factors,
        certificate: Certificate,
        multipliers: &[f64],
        reason: StopReason,
        evaluations: u64,
    ) -> Result<Minimizer> {
        Ok(Minimizer {
            model: factors.model()?,
            singular_values: factors.values[..factors.rank()].to_vec(),
            certificate,
            multipliers: multipliers.to_vec(),
            iterations: self.iterations,
            evaluations,
            reason,
            seconds: self.begun.elapsed().as_secs_f64(),
        })
    }
}
