//! Gradient flow dθ/dt = −∇ℓ(θ), solved with error control rather than stepped.
//!
//! From a balanced start of rank k the flow of a network of any width is that of a network of width k, so a narrow
//! [`DeepLinear`](crate::model::DeepLinear) from [`Init::Balanced`](crate::model::Init) costs
//! O((|Ω| + (rows + cols) k) k + depth k³) an evaluation and loses nothing (Arora et al. 2018, Theorem 1:
//! the end-to-end matrix moves as a function of itself).

mod chebyshev;
mod end_to_end;
mod event;
mod integrator;
mod tsitouras;

pub use crate::spec::FlowMethod;
pub use end_to_end::EndToEnd;
pub use event::{Event, Occurrence};

use integrator::Integrator;

use super::optimizer::{Clock, Optimizer, must_be_positive, part};
use super::{Room, StopReason};
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::{Error, Result};

/// Bisections of the interpolated path by which an event is found.
const BISECTIONS: u32 = 40;

/// Gradient flow as an optimizer: each step of the loop is one accepted step of the integrator.
///
/// The error of a step is held below `tolerance` · ‖θ‖. Times count in units of 1/rate: descent with a small rate η
/// is at time t after t/η steps.
///
/// ```
/// use deepmf::data;
/// use deepmf::model::{DeepLinear, Init};
/// use deepmf::problem::Problem;
/// use deepmf::train::{Event, Flow, Stop, Trainer};
///
/// let truth = data::low_rank((30, 30), 2, 0)?;
/// let seen = data::observe(&truth, &data::random_cells((30, 30), 500, 0)?)?;
/// let problem = Problem::completion(&seen)?;
/// let mut model = DeepLinear::new(&[30, 8, 8, 30])?.init(&Init::Balanced { scale: 1e-3 }, 0)?;
/// let mut flow = Flow::new(1e-6)?.event(Event::SingularValue { index: 1, level: 5.0 });
/// Trainer::new(&mut flow).stop(Stop::new().loss_below(1e-6)).fit(&problem, &mut model)?;
/// assert_eq!(flow.occurrences().len(), 1);
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    integrator: Integrator,
    end: f64,
    times: Vec<f64>,
    samples: Vec<(f64, Params)>,
    events: Vec<(Event, f64)>,
    occurrences: Vec<Occurrence>,
    stop_at_event: bool,
    state: Vec<f64>,
    slope: Vec<f64>,
}

impl Flow {
    /// A flow whose error a step is at most `tolerance` relative to the parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `tolerance` is not above 0.
    pub fn new(tolerance: f64) -> Result<Self> {
        must_be_positive("tolerance", tolerance)?;
        Ok(Self {
            integrator: Integrator::new(FlowMethod::Auto, tolerance),
            end: f64::INFINITY,
            times: Vec::new(),
            samples: Vec::new(),
            events: Vec::new(),
            occurrences: Vec::new(),
            stop_at_event: false,
            state: Vec::new(),
            slope: Vec::new(),
        })
    }

    /// Integrates by one method alone.
    #[must_use]
    pub fn method(mut self, method: FlowMethod) -> Self {
        let tolerance = self.integrator.tolerance();
        self.integrator = Integrator::new(method, tolerance);
        self
    }

    /// Ends exactly at this time; a run then stops with [`StopReason::Event`].
    ///
    /// # Errors
    /// [`Error::Parameter`] if `time` is not above 0.
    pub fn until(self, time: f64) -> Result<Self> {
        must_be_positive("until", time)?;
        Ok(Self { end: time, ..self })
    }

    /// Keeps the parameters at these times, interpolated: [`Flow::samples`].
    #[must_use]
    pub fn at(mut self, times: &[f64]) -> Self {
        self.times.extend(times);
        self.times.sort_by(f64::total_cmp);
        self
    }

    /// Waits for an event: [`Flow::occurrences`].
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push((event, f64::NAN));
        self
    }

    /// Ends the run at the first event, in the state of that moment.
    #[must_use]
    pub fn stop_at_event(self) -> Self {
        Self { stop_at_event: true, ..self }
    }

    /// The time that was reached.
    pub fn time(&self) -> f64 {
        self.integrator.memory.time
    }

    /// Evaluations of the gradient.
    pub fn evaluations(&self) -> u64 {
        self.integrator.memory.evaluations
    }

    /// Steps that were tried and not accepted.
    pub fn rejected(&self) -> u64 {
        self.integrator.memory.rejected
    }

    /// Whether the stabilised method is at work: the flow has become stiff.
    pub fn is_stiff(&self) -> bool {
        self.integrator.is_stabilised()
    }

    /// The parameters at the requested times that have passed.
    pub fn samples(&self) -> &[(f64, Params)] {
        &self.samples
    }

    /// The events that happened, in their order.
    pub fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// The last state, also where a run went back to an earlier one.
    pub(super) fn state(&self) -> &[f64] {
        &self.state
    }

    /// The next step begins at parameters of another form.
    pub(super) fn reshaped(&mut self) {
        self.state.clear();
        self.integrator.reshaped();
    }

    /// Keeps the samples of the last step, which began at `begun`.
    fn sample(&mut self, begun: f64, model: &dyn Model) {
        let now = self.integrator.memory.time;
        let taken = self.integrator.memory.last;
        let due = self.times.partition_point(|time| *time <= now);
        for time in self.times.drain(..due) {
            let mut params = model.params().clone();
            let theta = if taken > 0.0 { ((time - begun) / taken).clamp(0.0, 1.0) } else { 1.0 };
            self.integrator.interpolate(theta, params.values_mut());
            self.samples.push((time, params));
        }
    }

    /// Looks for events in the last step; the model may be moved back to the first of them.
    fn look(&mut self, begun: f64, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let (mut first, end) = (None::<f64>, self.integrator.memory.time);
        for place in 0..self.events.len() {
            let (event, before) = self.events[place];
            let after = event.height(model, room);
            self.events[place].1 = after;
            if !(before < 0.0 && after >= 0.0) {
                continue;
            }
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..BISECTIONS {
                let middle = f64::midpoint(low, high);
                self.integrator.interpolate(middle, model.params_mut().values_mut());
                room.evaluate(problem, model);
                self.integrator.memory.evaluations += 1;
                if event.height(model, room) < 0.0 {
                    low = middle;
                } else {
                    high = middle;
                }
                if high - low < 1e-9 {
                    break;
                }
            }
            model.params_mut().values_mut().copy_from_slice(&self.state);
            room.evaluate(problem, model);
            self.occurrences.push(Occurrence { event, time: begun + high * (end - begun) });
            first = Some(first.map_or(high, |f| f.min(high)));
        }
        self.occurrences.sort_by(|a, b| a.time.total_cmp(&b.time));
        if let Some(theta) = first.filter(|_| self.stop_at_event) {
            self.integrator.interpolate(theta, &mut self.state);
            self.integrator.memory.time = begun + theta * (end - begun);
            model.params_mut().values_mut().copy_from_slice(&self.state);
            room.evaluate(problem, model);
        }
    }
}

impl Optimizer for Flow {
    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let begun = self.integrator.memory.time;
        if self.state.is_empty() {
            self.state.resize(model.params().values().len(), 0.0);
            self.slope.resize(self.state.len(), 0.0);
            for place in 0..self.events.len() {
                self.events[place].1 = self.events[place].0.height(model, room);
            }
        }
        self.state.copy_from_slice(model.params().values());
        negated(room.gradient.values(), &mut self.slope);
        let mut field = |theta: &[f64], out: &mut [f64]| {
            model.params_mut().values_mut().copy_from_slice(theta);
            room.evaluate(problem, model);
            negated(room.gradient.values(), out);
        };
        self.integrator.step(&mut self.state, &mut self.slope, self.end, &mut field);
        model.params_mut().values_mut().copy_from_slice(&self.state);
        self.sample(begun, model);
        self.look(begun, problem, model, room);
        room.fresh = true;
    }

    fn clock(&self) -> Option<Clock> {
        Some(Clock { time: self.time(), evaluations: self.evaluations() })
    }

    fn outcome(&self) -> Option<StopReason> {
        let happened = self.stop_at_event && !self.occurrences.is_empty();
        (happened || self.time() >= self.end).then_some(StopReason::Event)
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        let (numbers, along) = self.integrator.save();
        vec![
            ("numbers", numbers),
            ("along", along),
            ("heights", self.events.iter().map(|(_, height)| *height).collect()),
        ]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        let (numbers, along) = (part(state, "numbers")?, part(state, "along")?);
        let count = along.len();
        if !self.integrator.restore(&numbers, along) {
            let found = format!("with {} numbers", numbers.len());
            return Err(Error::parameter("a checkpoint", "of the same optimizer", found));
        }
        for ((_, height), saved) in self.events.iter_mut().zip(part(state, "heights")?) {
            *height = saved;
        }
        let time = self.integrator.memory.time;
        self.times.retain(|t| *t > time);
        self.state = vec![0.0; count];
        self.slope = vec![0.0; count];
        Ok(())
    }
}

fn negated(x: &[f64], out: &mut [f64]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out = -x);
}
