//! The loop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::blocks::Walk;
use super::checkpoint::Checkpoint;
use super::reduce::{Reduce, Sums};
use super::run::{Log, Moment, Run};
use super::stop::Watch;
use super::validation::Best;
use super::{Blocks, Optimizer, Probe, Room, Stop, StopReason, Validation};
use crate::Result;
use crate::model::{Mode, Model, Params, Pass};
use crate::problem::Problem;

/// What a watcher of a run is told.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps made.
    pub step: u64,
    /// Steps at most.
    pub steps: u64,
    /// The loss.
    pub loss: f64,
    /// The best validation error (mean square) so far, if there is a validation.
    pub validation: Option<f64>,
}

/// What is called whenever something is recorded.
type Listener<'a> = Box<dyn FnMut(&Progress) + 'a>;

/// What is called with the present parameters.
type Look<'a> = Box<dyn FnMut(&Progress, &Params) + 'a>;

/// The same, and how often at most.
struct Looks<'a> {
    apart: Duration,
    last: Option<Instant>,
    look: Look<'a>,
}

/// Trains a model on a problem.
pub struct Trainer<'a> {
    optimizer: Box<dyn Optimizer + 'a>,
    stop: Stop,
    probes: Vec<Probe>,
    every: u64,
    validation: Option<Validation>,
    interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Listener<'a>>,
    looks: Option<Looks<'a>>,
    folder: Option<PathBuf>,
    checkpoint_every: Duration,
    resume: bool,
    blocks: Option<Blocks>,
    sums: Option<Sums<'a>>,
    seed: u64,
}

impl<'a> Trainer<'a> {
    /// A trainer that records the loss every 100 steps and stops as [`Stop::new`] says.
    pub fn new(optimizer: impl Optimizer + 'a) -> Self {
        Self::boxed(Box::new(optimizer))
    }

    /// As [`Trainer::new`], for an optimizer that is chosen at run time.
    pub fn boxed(optimizer: Box<dyn Optimizer + 'a>) -> Self {
        Self {
            optimizer,
            stop: Stop::new(),
            probes: Vec::new(),
            every: 100,
            validation: None,
            interrupt: None,
            watch: None,
            looks: None,
            folder: None,
            checkpoint_every: Duration::from_secs(30),
            resume: false,
            blocks: None,
            sums: None,
            seed: 0,
        }
    }

    /// When to stop.
    #[must_use]
    pub fn stop(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// Records a quantity along the run.
    #[must_use]
    pub fn record(mut self, probe: Probe) -> Self {
        self.probes.push(probe);
        self
    }

    /// Records every so many steps (and at the last one).
    #[must_use]
    pub fn every(self, steps: u64) -> Self {
        Self { every: steps.max(1), ..self }
    }

    /// Stops early on held-out entries and keeps the best iterate.
    #[must_use]
    pub fn validation(self, validation: Validation) -> Self {
        Self { validation: Some(validation), ..self }
    }

    /// Stops, with all that was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Calls `watch` whenever something is recorded.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(&Progress) + 'a) -> Self {
        Self { watch: Some(Box::new(watch)), ..self }
    }

    /// Calls `look` with the present parameters when something is recorded, calls being this far apart at least and none before the first step. The run is
    /// the same without it.
    #[must_use]
    pub fn look(self, apart: Duration, look: impl FnMut(&Progress, &Params) + 'a) -> Self {
        Self { looks: Some(Looks { apart, last: None, look: Box::new(look) }), ..self }
    }

    /// Writes `trajectory.csv` and `checkpoint.safetensors` to a folder as the run goes.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// The least time between two checkpoints; one is always written at the end.
    #[must_use]
    pub fn checkpoint_every(self, time: Duration) -> Self {
        Self { checkpoint_every: time, ..self }
    }

    /// Goes on from the checkpoint in the folder, if there is one.
    #[must_use]
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Shows a network one block a step instead of everything: losses and gradients are those of the block.
    #[must_use]
    pub fn blocks(self, blocks: Blocks) -> Self {
        Self { blocks: Some(blocks), ..self }
    }

    /// Trains one of several shards of the rows: the loss and the gradient of every layer but the last one, W_N, are summed over the shards by
    /// `reduce` before each step, and a validation likewise. The problem of a shard is that of its rows, with a weight by which the losses of all shards add
    /// up to that of the whole; the model has their rows of W_N, and the same other layers in all shards.
    #[must_use]
    pub fn reduce(self, reduce: impl Reduce + 'a) -> Self {
        Self { sums: Some(Sums::new(reduce)), ..self }
    }

    /// The seed of what a network draws in training: its blocks and what dropout drops.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Trains `model` until a rule stops it; the model holds the last iterate, or the best one on the validation.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if model and problem differ in shape; [`Error::Parameter`](crate::Error::Parameter) if
    /// the optimizer cannot fit the problem by the model, blocks are asked for where it is no network or the problem has none, or rows are in shards and
    /// model, optimizer, probes or stop rules look at more than each has; what reading or writing the folder, or a sum over shards, gives.
    pub fn fit(&mut self, problem: &Problem, model: &mut dyn Model) -> Result<Run> {
        let (wanted, found) = (problem.shape(), model.shape());
        if wanted != found {
            let words = crate::data::words;
            return Err(crate::Error::shape("the model", words(wanted), words(found)));
        }
        self.optimizer.check(problem, model)?;
        if let Some(sums) = &mut self.sums {
            sums.check(model, &*self.optimizer)?;
            if !self.probes.is_empty() || self.blocks.is_some() || !self.stop.is_shared() {
                let what = "a run in shards";
                let allowed = "without probes, blocks, and bounds of gradient or time";
                return Err(crate::Error::parameter(what, allowed, "with one"));
            }
        }
        let begun = Instant::now();
        let mut room = Room::new(model);
        let mut state = State {
            step: 0,
            best: Best::new(model),
            watch: Watch::default(),
            log: Log::new(
                &self.probes,
                &*self.optimizer,
                self.validation.is_some(),
                problem,
                model,
            ),
            last_checkpoint: Instant::now(),
            measuring: Pass::default(),
        };
        let walk = |blocks| Walk::new(blocks, self.seed, problem, model);
        let mut walk = self.blocks.map(walk).transpose()?;
        if self.probes.contains(&Probe::Distance) {
            room.start = Some(model.params().clone());
        }
        self.restore(model, &mut state, room.start.as_mut())?;
        let reason = loop {
            if let Some(walk) = &mut walk {
                walk.draw(state.step, problem)?;
                room.pass.block = walk.block().cloned();
                room.fresh = false;
            }
            let shown = walk.as_ref().and_then(Walk::problem).unwrap_or(problem);
            if model.is_network() {
                room.pass.mode = Mode::Training { seed: self.seed, step: state.step };
                room.evaluation.draw = Some((self.seed, state.step));
            }
            if !std::mem::take(&mut room.fresh) {
                room.evaluate(shown, model);
            }
            let mut asked = self.interrupt.as_ref().is_some_and(|it| it.load(Ordering::Relaxed));
            if let Some(sums) = &mut self.sums {
                asked = sums.meet(&mut room, asked)?;
            }
            // What is measured goes a way of its own, so that a step finds that of its training.
            if model.is_network() {
                std::mem::swap(&mut room.pass, &mut state.measuring);
            }
            let worse = self.validate(model, &mut room, &mut state)?;
            let reason = self.reason(&mut state, &room, begun.elapsed(), (worse, asked));
            if reason.is_some() || state.step.is_multiple_of(self.every) {
                self.note(problem, model, &mut room, &mut state, reason.is_some())?;
            }
            if let Some(reason) = reason {
                break reason;
            }
            if model.is_network() {
                std::mem::swap(&mut room.pass, &mut state.measuring);
                model.learn(&mut room.pass);
            }
            self.optimizer.step(shown, model, &mut room);
            state.step += 1;
        };
        if reason != StopReason::Diverged {
            self.save(model, &mut state, room.start.as_ref())?;
        } else if let Some(folder) = &self.folder {
            // A diverged iterate is nothing to go on from, but how it came to that can be read.
            state.log.save(folder)?;
        }
        Ok(state.finish(reason, room.loss, model, self.validation.is_some(), begun.elapsed()))
    }

    /// Evaluates the validation, if it is due; says whether it has not improved for too long.
    fn validate(&mut self, model: &dyn Model, room: &mut Room, state: &mut State) -> Result<bool> {
        let Some(validation) = &self.validation else { return Ok(false) };
        if !state.step.is_multiple_of(validation.every) || !room.loss.is_finite() {
            return Ok(false);
        }
        let (loss, mut value) = (room.loss, room.value(&validation.problem, model));
        room.loss = loss;
        if let Some(sums) = &mut self.sums {
            value = sums.one(value)?;
        }
        Ok(state.best.note(validation, value, state.step, model))
    }

    fn reason(
        &self,
        state: &mut State,
        room: &Room,
        elapsed: Duration,
        (worse, interrupted): (bool, bool),
    ) -> Option<StopReason> {
        let rule = state.watch.check(&self.stop, state.step, room, elapsed);
        rule.or(self.optimizer.outcome())
            .or(worse.then_some(StopReason::ValidationWorse))
            .or(interrupted.then_some(StopReason::Interrupted))
    }

    fn note(
        &mut self,
        problem: &Problem,
        model: &dyn Model,
        room: &mut Room,
        state: &mut State,
        last: bool,
    ) -> Result<()> {
        let validation = self.validation.as_ref().map(|_| state.best.value);
        let (step, loss) = (state.step, room.loss);
        let due = |rows: usize| last || step.is_multiple_of(self.every * rows as u64);
        let (clock, phase) = (self.optimizer.clock(), self.optimizer.phase());
        let moment = Moment { step, clock, phase, validation, due: &due };
        state.log.record(&self.probes, &moment, problem, model, room)?;
        room.loss = loss;
        let progress = Progress { step, steps: self.stop.steps, loss, validation };
        if let Some(watch) = &mut self.watch {
            watch(&progress);
        }
        if let Some(Looks { apart, last, look }) = &mut self.looks
            && step > 0
            && last.is_none_or(|last| last.elapsed() >= *apart)
        {
            look(&progress, model.params());
            *last = Some(Instant::now());
        }
        if state.last_checkpoint.elapsed() >= self.checkpoint_every {
            self.save(model, state, room.start.as_ref())?;
            state.last_checkpoint = Instant::now();
        }
        Ok(())
    }

    fn save(&self, model: &dyn Model, state: &mut State, start: Option<&Params>) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let State { step, best, watch, log, .. } = state;
        log.save(folder)?;
        let (step, optimizer) = (*step, &*self.optimizer);
        Checkpoint { step, model, start, best, watch, optimizer }.save(folder)
    }

    fn restore(
        &mut self,
        model: &mut dyn Model,
        state: &mut State,
        start: Option<&mut Params>,
    ) -> Result<()> {
        let Some(folder) = self.folder.as_ref().filter(|_| self.resume) else { return Ok(()) };
        let State { step, best, watch, log, .. } = state;
        let optimizer = &mut *self.optimizer;
        if let Some(reached) = Checkpoint::load(folder, (model, start), best, watch, optimizer)? {
            *step = reached;
            log.load(folder, reached)?;
        }
        Ok(())
    }
}

/// What a run carries from step to step, beside the model and the optimizer.
struct State {
    step: u64,
    best: Best,
    watch: Watch,
    log: Log,
    last_checkpoint: Instant,
    /// The pass of what is measured between the steps of a network.
    measuring: Pass,
}

impl State {
    fn finish(
        self,
        reason: StopReason,
        loss: f64,
        model: &mut dyn Model,
        validated: bool,
        elapsed: Duration,
    ) -> Run {
        let best = (validated && self.best.value.is_finite()).then(|| {
            self.best.give(model);
            (self.best.step, self.best.value)
        });
        Run {
            reason,
            steps: self.step,
            loss,
            best,
            params: model.params().clone(),
            trajectory: self.log.trajectory,
            seconds: elapsed.as_secs_f64(),
        }
    }
}
