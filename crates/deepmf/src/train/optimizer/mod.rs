//! Optimizers: each moves a model one step, from the loss and gradient that the loop has just evaluated.

mod adam;
mod averaged;
mod elementwise;
mod gradient_descent;
mod group_rms_prop;
mod label_noise;
mod levenberg_marquardt;
mod momentum;
mod penalized;
mod rms_prop;
mod rprop;
mod sharpness_aware;
mod trace_regularized;

pub use adam::Adam;
pub use averaged::Averaged;
pub use gradient_descent::GradientDescent;
pub use group_rms_prop::GroupRmsProp;
pub use label_noise::LabelNoise;
pub use levenberg_marquardt::LevenbergMarquardt;
pub use momentum::Momentum;
pub use penalized::Penalized;
pub use rms_prop::RmsProp;
pub use rprop::Rprop;
pub use sharpness_aware::SharpnessAware;
pub use trace_regularized::TraceRegularized;

pub use crate::spec::NoiseLaw;

use super::{Room, StopReason};
use crate::model::Model;
use crate::problem::Problem;
use crate::{Error, Result};

/// How far an optimizer that has a time of its own has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The time of the flow.
    pub time: f64,
    /// Evaluations of the gradient.
    pub evaluations: u64,
}

/// In which of its phases an optimizer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseCount {
    /// The phase of the last step, counted from 1.
    pub phase: u32,
    /// Steps made in it.
    pub steps: u64,
}

/// Moves a model on a problem.
///
/// A new member must be listed in `tests/laws.rs`, where a run that is interrupted and resumed is held to give the same bits.
pub trait Optimizer: Send {
    /// Moves the model once. `room` holds loss and gradient at the model as it is.
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room);

    /// Whether it can fit this problem by this model; by one in single precision only if it says so itself.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it cannot.
    fn check(&self, _problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)
    }

    /// Whether a step moves each parameter by its own gradient and history alone, so that parameters may be moved apart.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Its own time, recorded along the run, if it has one.
    fn clock(&self) -> Option<Clock> {
        None
    }

    /// Its phase, recorded along the run, if it has phases.
    fn phase(&self) -> Option<PhaseCount> {
        None
    }

    /// How the run ends, if the optimizer is at its end by itself.
    fn outcome(&self) -> Option<StopReason> {
        None
    }

    /// What a resumed run must know, by name.
    fn state(&self) -> Vec<(&'static str, Vec<f64>)>;

    /// Takes up a state that [`Optimizer::state`] gave.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a part is missing.
    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()>;
}

impl<O: Optimizer + ?Sized> Optimizer for &mut O {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        (**self).step(problem, model, room);
    }

    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        (**self).check(problem, model)
    }

    fn is_elementwise(&self) -> bool {
        (**self).is_elementwise()
    }

    fn clock(&self) -> Option<Clock> {
        (**self).clock()
    }

    fn phase(&self) -> Option<PhaseCount> {
        (**self).phase()
    }

    fn outcome(&self) -> Option<StopReason> {
        (**self).outcome()
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        (**self).state()
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        (**self).restore(state)
    }
}

/// A part of a state that must be there.
pub(super) fn part(state: &dyn Fn(&str) -> Option<Vec<f64>>, name: &str) -> Result<Vec<f64>> {
    state(name).ok_or_else(|| {
        Error::parameter("a checkpoint", "of the same optimizer", format!("without `{name}`"))
    })
}

/// The first number of a part.
pub(super) fn number(state: &dyn Fn(&str) -> Option<Vec<f64>>, name: &str) -> Result<f64> {
    let part = part(state, name)?;
    part.first().copied().ok_or_else(|| Error::parameter(name, "a number", "nothing"))
}

pub(super) fn must_be_positive(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::parameter(name, "above 0", value))
}

/// Refuses parameters in single precision.
pub(super) fn must_be_double(model: &dyn Model) -> Result<()> {
    if model.params().is_single() {
        let what = "the precision of parameters that this optimizer moves";
        return Err(Error::parameter(what, "double", "single"));
    }
    Ok(())
}

fn must_not_be_negative(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::parameter(name, "0 or more", value))
}

fn must_be_fraction(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::parameter(name, "at least 0 and below 1", value))
}
