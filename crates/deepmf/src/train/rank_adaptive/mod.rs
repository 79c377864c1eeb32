//! A flow in the width that it really uses: it starts narrow, watches the gradient outside its spaces, and widens in time.
//!
//! The flow from a full-width start a · isometry keeps most of its directions near a for ever. A narrow network follows the
//! others exactly (its outer factors are whole, so its spaces turn as they must); what is left out is followed by the law of a
//! singular value under the strongest force outside, and where its size would pass the tolerance, the leading directions are
//! taken in. If such a direction then becomes a part of the solution, the flow is begun again with it, since its growth up to
//! then was only bounded, not followed. At depth 2 the outside grows exponentially, so more is taken in than at depth 3 or more.

mod outside;
mod start;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use start::FullStart;

use outside::Outside;
use start::{Isometries, Slope};

use super::flow::Flow;
use super::optimizer::{Clock, Optimizer, must_be_positive};
use super::{Room, Run, StopReason, Trainer};
use crate::linalg::{Mat, norm};
use crate::model::{DeepLinear, Model, Params, Pass};
use crate::problem::Problem;
use crate::{Error, Result};

/// Directions that are watched one by one and taken in together, at least; widths are multiples of it, for whole registers.
const BLOCK: usize = 8;
/// The outside is followed once in so many steps.
const FOLLOWED: u64 = 6;
/// The error of a step, in tolerances.
const STEP: f64 = 1.0;
/// Triplets of the first gradient that are looked at for the first width, at most.
const FIRST: usize = 64;
/// Directions whose size is below this part of what may be left out are given back when others are first taken in.
const DEAD: f64 = 0.001;
/// Late units that have grown by this factor, and beyond what may be left out, should have been there from the start …
const GROWN: f64 = 3.0;
/// … and the flow is begun again with them, so many times at most.
const RESTARTS: usize = 3;

/// Solves gradient flow from a full-width start in a network that is as wide as it must be.
#[derive(Clone, Debug)]
pub struct RankAdaptive {
    depth: usize,
    scale: f64,
    start: FullStart,
    tolerance: f64,
    step_tolerance: f64,
    widest: usize,
}

/// One width of a rank-adaptive flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// When it began.
    pub time: f64,
    /// The width.
    pub width: usize,
    /// Directions that were taken in at its beginning.
    pub added: usize,
    /// Directions that were given back at its beginning.
    pub dropped: usize,
}

/// What came of a rank-adaptive flow.
#[derive(Clone, Debug)]
pub struct Adapted {
    /// The network: of the best iterate on the validation, else of the last.
    pub model: DeepLinear,
    /// The run over all phases.
    pub run: Run,
    /// The widths.
    pub phases: Vec<Phase>,
    /// The time that was reached.
    pub time: f64,
    /// Evaluations of the gradient.
    pub evaluations: u64,
    /// A bound on the Frobenius norm of what was left out at the end.
    pub left_out: f64,
}

impl RankAdaptive {
    /// A flow of `depth` layers from W(0) = `scale` · isometry that leaves out at most about `tolerance` of the size of W.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the depth is below 2, or scale or tolerance are not above 0.
    pub fn new(depth: usize, scale: f64, tolerance: f64) -> Result<Self> {
        if depth < 2 {
            return Err(Error::parameter("the depth of a rank-adaptive flow", "2 or more", depth));
        }
        must_be_positive("init-scale", scale)?;
        must_be_positive("tolerance", tolerance)?;
        let step_tolerance = (STEP * tolerance).min(1e-3);
        let start = FullStart::Identity;
        Ok(Self { depth, scale, start, tolerance, step_tolerance, widest: usize::MAX })
    }

    /// Which full-width start; the identity by default.
    #[must_use]
    pub fn start(self, start: FullStart) -> Self {
        Self { start, ..self }
    }

    /// The error that a step of the integrator may have; 0.3 times the tolerance by default, at most 1e-3.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not above 0.
    pub fn step_tolerance(self, tolerance: f64) -> Result<Self> {
        must_be_positive("tolerance", tolerance)?;
        Ok(Self { step_tolerance: tolerance, ..self })
    }

    /// Takes in no more directions than this: beyond it the tolerance is given up.
    #[must_use]
    pub fn widest(self, width: usize) -> Self {
        Self { widest: width.max(1), ..self }
    }

    /// Follows the flow until a rule of the trainer stops it.
    ///
    /// `prepare` is given the flow before it begins, to end it at a time or to wait for events; `configure` the trainer of
    /// each phase, to set its rules, probes and validation.
    ///
    /// # Errors
    /// As [`Trainer::fit`]; [`Error::NotFinite`] if the gradient at zero gives no direction.
    pub fn fit<'t>(
        &self,
        problem: &Problem,
        prepare: impl Fn(Flow) -> Result<Flow>,
        configure: impl Fn(Trainer<'t>) -> Trainer<'t>,
    ) -> Result<Adapted> {
        let hidden = problem.shape().0.min(problem.shape().1);
        let slope = Slope::at_zero(problem, FIRST.min(hidden))?;
        let allowed = self.tolerance * slope.top;
        let each = allowed / (hidden as f64).sqrt();
        let growing = slope.growing(self.depth, self.scale, allowed, hidden)?.clamp(1, self.widest);
        let isometries = Isometries::new(self.start, problem.shape());
        let mut directions =
            isometries.directions(&slope.triplets.first(growing.next_multiple_of(BLOCK / 2)));
        let (mut phases, mut spent) = (Vec::new(), 0);
        for attempt in 0.. {
            let mut model = isometries.narrow(&directions, self.depth, self.scale)?;
            let width = directions.cols();
            let outside = Outside::new(
                self.depth,
                hidden - width,
                (width / 8).next_multiple_of(BLOCK).max(BLOCK),
                self.scale,
            );
            let flow = prepare(Flow::new(self.step_tolerance)?)?;
            let allowed = if width < self.widest { allowed } else { f64::INFINITY };
            let watched = Watched {
                flow,
                outside,
                allowed,
                late: None,
                grown: false,
                spent,
                steps: 0,
                unfollowed: 0.0,
                failed: None,
            };
            let shared = Arc::new(Mutex::new(watched));
            phases.push(Phase { time: 0.0, width, added: width, dropped: 0 });
            let reached = self.follow(problem, &mut model, &shared, &mut phases, &configure)?;
            let watched = lock(&shared);
            spent = watched.evaluations();
            if attempt < RESTARTS && watched.has_missed_growth() {
                let svd = model.forward(&mut Pass::default()).thin_svd()?;
                let live = svd.s.iter().filter(|s| **s >= 0.1 * each).count().max(1);
                directions = isometries.directions(&svd.first(live));
                if directions.cols() > width {
                    continue;
                }
            }
            let (run, model) = reached;
            let (time, evaluations, left_out) =
                (watched.flow.time(), spent, watched.outside.size());
            return Ok(Adapted { model, run, phases, time, evaluations, left_out });
        }
        unreachable!("the last attempt returns")
    }

    /// One flow from its start on, wider and wider; gives the run and the best or last network.
    fn follow<'t>(
        &self,
        problem: &Problem,
        model: &mut DeepLinear,
        shared: &Arc<Mutex<Watched>>,
        phases: &mut Vec<Phase>,
        configure: &impl Fn(Trainer<'t>) -> Trainer<'t>,
    ) -> Result<(Run, DeepLinear)> {
        let mut whole: Option<(Run, DeepLinear)> = None;
        loop {
            let run = configure(Trainer::new(Shared(shared.clone()))).fit(problem, model)?;
            let mut watched = lock(shared);
            if let Some(error) = watched.failed.take() {
                return Err(error);
            }
            let wider = run.reason == StopReason::Event && watched.is_full();
            let reached = (run, model.clone());
            let joint = match whole.take() {
                None => reached,
                Some(before) => joined(before, reached),
            };
            if !wider || watched.has_missed_growth() {
                return Ok(joint);
            }
            whole = Some(joint);
            // A validated run leaves the model at its best iterate, but the flow goes on from its last.
            model.params_mut().values_mut().copy_from_slice(watched.flow.state());
            let watched = &mut *watched;
            // Once units are late, another basis would hide how they grow.
            let dead = if watched.late.is_some() { 0.0 } else { DEAD * watched.allowed };
            let dropped = give_back(model, &mut watched.outside, dead)?;
            let from = watched.late.as_ref().map_or(model.widths()[1], |late| late.from);
            let (added, size) = take_in(model, &mut watched.outside)?;
            let size = watched.late.as_ref().map_or(size, |late| late.size.hypot(size));
            watched.late = Some(Late { from, size });
            watched.flow.reshaped();
            let width = model.widths()[1];
            if width >= self.widest {
                watched.allowed = f64::INFINITY;
            }
            phases.push(Phase { time: watched.flow.time(), width, added, dropped });
        }
    }
}

/// A flow and what it leaves out.
struct Watched {
    flow: Flow,
    outside: Outside,
    allowed: f64,
    late: Option<Late>,
    grown: bool,
    /// Evaluations of attempts before this one.
    spent: u64,
    /// Steps of this attempt, and the time since the outside was last followed.
    steps: u64,
    unfollowed: f64,
    failed: Option<Error>,
}

/// Hidden units that were taken in on the way.
#[derive(Clone, Copy, Debug)]
struct Late {
    /// The first of them.
    from: usize,
    /// The Frobenius norm that they had then.
    size: f64,
}

impl Watched {
    /// Whether what is left out has become too large.
    fn is_full(&self) -> bool {
        self.outside.is_followed() && self.outside.size() > self.allowed
    }

    /// Whether late units have become a part of the solution: then their growth should have been followed from the start.
    fn has_missed_growth(&self) -> bool {
        self.grown
    }

    fn evaluations(&self) -> u64 {
        self.spent + self.flow.evaluations()
    }

    fn look_at_late_units(&mut self, params: &Params) {
        let Some(late) = self.late else { return };
        let last = params.slots().len() - 1;
        let (first, outer) = (params.matrix(0), params.matrix(last));
        let power = 0.5 * params.slots().len() as f64;
        let squares = |count: usize, at: &dyn Fn(usize) -> f64| -> f64 {
            (0..count).map(|i| at(i).powi(2)).sum()
        };
        let sum: f64 = (late.from..first.rows())
            .map(|unit| {
                let row = squares(first.cols(), &|j| first.at(unit, j));
                let col = squares(outer.rows(), &|i| outer.at(i, unit));
                (row * col).powf(power)
            })
            .sum();
        self.grown |= sum.sqrt() > GROWN * late.size.max(self.allowed.min(f64::MAX));
    }
}

fn lock(shared: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same as the optimizer of one phase after another.
struct Shared(Arc<Mutex<Watched>>);

impl Optimizer for Shared {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let watched = &mut *lock(&self.0);
        let begun = watched.flow.time();
        watched.flow.step(problem, model, room);
        let passed = watched.flow.time() - begun;
        watched.unfollowed += passed;
        watched.steps += 1;
        if watched.steps.is_multiple_of(FOLLOWED) {
            let time = std::mem::take(&mut watched.unfollowed);
            let followed = watched.outside.follow(model.params(), &room.evaluation.cotangent, time);
            watched.failed = followed.err().or(watched.failed.take());
        }
        watched.look_at_late_units(model.params());
    }

    fn clock(&self) -> Option<Clock> {
        let watched = lock(&self.0);
        Some(Clock { time: watched.flow.time(), evaluations: watched.evaluations() })
    }

    fn outcome(&self) -> Option<StopReason> {
        let watched = lock(&self.0);
        let ended = watched.failed.is_some() || watched.is_full() || watched.has_missed_growth();
        watched.flow.outcome().or(ended.then_some(StopReason::Event))
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        Optimizer::state(&lock(&self.0).flow)
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        lock(&self.0).flow.restore(state)
    }
}

/// Hands directions smaller than `dead` back to the outside; gives their number.
fn give_back(model: &mut DeepLinear, outside: &mut Outside, dead: f64) -> Result<usize> {
    let svd = model.forward(&mut Pass::default()).thin_svd()?;
    let kept = svd.s.iter().filter(|s| **s >= dead).count().max(1);
    let width = model.widths()[1];
    if kept == width {
        return Ok(0);
    }
    let gone: Vec<f64> = (kept..width).map(|r| svd.s.get(r).copied().unwrap_or(0.0)).collect();
    *model = DeepLinear::balanced(&svd.first(kept), model.depth())?;
    outside.give_back(&gone);
    Ok(gone.len())
}

/// Takes the leading directions of the outside into the network, each as a balanced unit; gives their number and norm.
fn take_in(model: &mut DeepLinear, outside: &mut Outside) -> Result<(usize, f64)> {
    let (left, right, sizes) = outside.take(model.params());
    let (depth, width, added) = (model.depth(), model.widths()[1], sizes.len());
    let root: Vec<f64> = sizes.iter().map(|s| s.powf(1.0 / depth as f64)).collect();
    let mut wider = DeepLinear::with_width(model.shape(), depth, width + added)?;
    for j in 0..depth {
        let old = model.layer(j);
        let inside = |i: usize, k: usize| i < old.rows() && k < old.cols();
        let layer = Mat::from_fn(wider.widths()[j + 1], wider.widths()[j], |i, k| {
            match (j == 0, j + 1 == depth) {
                _ if inside(i, k) => old.at(i, k),
                (true, _) => root[i - width] * right[(k, i - width)],
                (_, true) => root[k - width] * left[(i, k - width)],
                _ if i == k => root[i - width],
                _ => 0.0,
            }
        });
        wider.params_mut().set(j, &layer)?;
    }
    *model = wider;
    Ok((added, norm(&sizes)))
}

/// Two runs, one after the other, as one; the model is that of the better iterate where a validation judges.
fn joined(before: (Run, DeepLinear), after: (Run, DeepLinear)) -> (Run, DeepLinear) {
    let ((first, best), (second, last)) = (before, after);
    let shifted = second.best.map(|(step, value)| (first.steps + step, value));
    let earlier = match (first.best, shifted) {
        (Some((_, a)), Some((_, b))) => a <= b,
        _ => false,
    };
    let mut trajectory = first.trajectory;
    trajectory.forget_last();
    trajectory.append(second.trajectory, first.steps);
    let model = if earlier { best } else { last };
    let run = Run {
        reason: second.reason,
        steps: first.steps + second.steps,
        loss: second.loss,
        best: if earlier { first.best } else { shifted },
        params: model.params().clone(),
        trajectory,
        seconds: first.seconds + second.seconds,
    };
    (run, model)
}
