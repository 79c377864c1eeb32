//! The flow of the end-to-end matrix of a balanced deep linear network, for any real depth N ≥ 1.
//!
//! dW/dt = −Σ_j (WWᵀ)^{(j−1)/N} G (WᵀW)^{(N−j)/N} in the singular basis of W, where it has a meaning for every real N
//! ([`end_to_end_velocity`]). The flow keeps the rank of its start, so singular values beyond it, which rounding makes and
//! the equation of depth 2 would let grow exponentially, count as zero. The parameters are W itself: a [`DeepLinear`](crate::model::DeepLinear) of one layer.

use super::integrator::Integrator;
use crate::analysis::theory::end_to_end_velocity;
use crate::linalg::{MatRef, singular_values, svd};
use crate::model::Model;
use crate::problem::Problem;
use crate::spec::FlowMethod;
use crate::train::optimizer::{Clock, Optimizer, must_be_double, must_be_positive, number, part};
use crate::train::{Room, StopReason};
use crate::{Error, Result};

/// The end-to-end equation as an optimizer of a model that is one matrix.
#[derive(Clone, Debug)]
pub struct EndToEnd {
    depth: f64,
    integrator: Integrator,
    end: f64,
    /// The rank of the start; 0 before the first step.
    rank: usize,
    state: Vec<f64>,
    slope: Vec<f64>,
}

/// Singular values of the start below this part of the first are rounding errors.
const NEGLIGIBLE: f64 = 1e-12;

impl EndToEnd {
    /// The equation of depth N = `depth`, with an error a step of at most `tolerance` relative to W.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `depth` is below 1 or `tolerance` not above 0.
    pub fn new(depth: f64, tolerance: f64) -> Result<Self> {
        if !(depth.is_finite() && depth >= 1.0) {
            return Err(Error::parameter("depth", "finite and 1 or more", depth));
        }
        must_be_positive("tolerance", tolerance)?;
        // The Jacobian is not symmetric here, so the stabilised method has no business.
        let integrator = Integrator::new(FlowMethod::Tsitouras, tolerance);
        let (state, slope) = (Vec::new(), Vec::new());
        Ok(Self { depth, integrator, end: f64::INFINITY, rank: 0, state, slope })
    }

    /// Ends exactly at this time; a run then stops with [`StopReason::Event`].
    ///
    /// # Errors
    /// [`Error::Parameter`] if `time` is not above 0.
    pub fn until(self, time: f64) -> Result<Self> {
        must_be_positive("until", time)?;
        Ok(Self { end: time, ..self })
    }

    /// The time that was reached.
    pub fn time(&self) -> f64 {
        self.integrator.memory.time
    }
}

/// The rank of W, or its full size where rank means nothing: at depth 1.
fn rank(depth: f64, model: &dyn Model) -> usize {
    let (rows, cols) = model.shape();
    let full = rows.min(cols);
    if depth <= 1.0 {
        return full;
    }
    let s = singular_values(MatRef::new(rows, cols, model.params().values()));
    s.map_or(full, |s| s.iter().filter(|x| **x > NEGLIGIBLE * s[0]).count())
}

/// `out ←` the velocity of W, whose gradient is in the room; NaN where a decomposition fails.
fn velocity(depth: f64, rank: usize, model: &dyn Model, room: &Room, out: &mut [f64]) {
    let (rows, cols) = model.shape();
    let w = MatRef::new(rows, cols, model.params().values());
    let gradient = MatRef::new(rows, cols, room.gradient.values());
    let found = svd(w).and_then(|svd| end_to_end_velocity(&svd.first(rank), gradient, depth));
    match found {
        Ok(velocity) => out.copy_from_slice(velocity.values()),
        Err(_) => out.fill(f64::NAN),
    }
}

impl Optimizer for EndToEnd {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let depth = self.depth;
        if self.rank == 0 {
            self.rank = rank(depth, model);
        }
        let rank = self.rank;
        self.state.resize(model.params().values().len(), 0.0);
        self.slope.resize(self.state.len(), 0.0);
        self.state.copy_from_slice(model.params().values());
        velocity(depth, rank, model, room, &mut self.slope);
        let mut field = |w: &[f64], out: &mut [f64]| {
            model.params_mut().values_mut().copy_from_slice(w);
            room.evaluate(problem, model);
            velocity(depth, rank, model, room, out);
        };
        self.integrator.step(&mut self.state, &mut self.slope, self.end, &mut field);
        model.params_mut().values_mut().copy_from_slice(&self.state);
        room.fresh = true;
    }

    fn check(&self, _problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)?;
        match model.params().slots().len() {
            1 => Ok(()),
            layers => {
                let what = "the number of layers on which the end-to-end equation is solved";
                Err(Error::parameter(what, "1", layers))
            }
        }
    }

    fn clock(&self) -> Option<Clock> {
        let evaluations = self.integrator.memory.evaluations;
        Some(Clock { time: self.time(), evaluations })
    }

    fn outcome(&self) -> Option<StopReason> {
        (self.time() >= self.end).then_some(StopReason::Event)
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![("numbers", self.integrator.save().0), ("rank", vec![self.rank as f64])]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        let numbers = part(state, "numbers")?;
        self.rank = number(state, "rank")? as usize;
        if self.integrator.restore(&numbers, Vec::new()) {
            return Ok(());
        }
        let found = format!("with {} numbers", numbers.len());
        Err(Error::parameter("a checkpoint", "of the same optimizer", found))
    }
}
