//! An integrator of dy/dt = f(y) with error control: an explicit pair, and a stabilised method where the field is stiff.

use super::{chebyshev, tsitouras};
use crate::linalg::{axpy, norm};
use crate::spec::FlowMethod;

/// `out ← f(y)`.
pub(super) type Field<'a> = dyn FnMut(&[f64], &mut [f64]) + 'a;

/// States and slopes of one step, kept from one to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Stages {
    /// The state at the beginning of the step.
    pub(super) y: Vec<f64>,
    /// The state at its end.
    pub(super) trial: Vec<f64>,
    /// Slopes: `k[0]` at the beginning, `k[6]` at the end.
    pub(super) k: Vec<Vec<f64>>,
    /// Room for anything.
    pub(super) spare: Vec<f64>,
}

/// Numbers that an integrator carries from step to step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) time: f64,
    /// The length that the next step should have; 0 before the first.
    pub(super) next: f64,
    /// The length of the last step.
    pub(super) last: f64,
    /// The error of the last step, in tolerances.
    error: f64,
    /// Whether the stabilised method is at work.
    stabilised: bool,
    /// Steps in a row that speak for the other method.
    doubts: u32,
    radius: f64,
    /// Steps since the spectral radius was estimated.
    age: u32,
    /// Whether the next step is to be made by the other method.
    switch: bool,
    pub(super) evaluations: u64,
    pub(super) rejected: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Integrator {
    method: FlowMethod,
    tolerance: f64,
    pub(super) memory: Memory,
    pub(super) stages: Stages,
    along: Vec<f64>,
}

/// Past this product of step and Lipschitz constant the explicit pair is at the edge of its stability.
const EDGE: f64 = 3.0;
/// So many steps in a row must speak for the stabilised method.
const STIFF_AFTER: u32 = 4;
/// So many must speak for the explicit pair: the stabilised method first damps what the pair left at the edge of its stability.
const EXPLICIT_AFTER: u32 = 25;
/// Stages at most of one stabilised step.
const MOST_STAGES: usize = 250;
/// Stabilised steps for which an estimate of the spectral radius is good.
const GOOD_FOR: u32 = 20;

impl Integrator {
    pub(super) fn new(method: FlowMethod, tolerance: f64) -> Self {
        let memory = Memory {
            time: 0.0,
            next: 0.0,
            last: 0.0,
            error: 1.0,
            stabilised: method == FlowMethod::Chebyshev,
            doubts: 0,
            radius: 0.0,
            age: 0,
            switch: false,
            evaluations: 0,
            rejected: 0,
        };
        Self { method, tolerance, memory, stages: Stages::default(), along: Vec::new() }
    }

    /// The error that a step may have.
    pub(super) fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Whether the stabilised method is at work.
    pub(super) fn is_stabilised(&self) -> bool {
        self.memory.stabilised
    }

    /// One accepted step from `y` with the slope `slope`, at most to time `end`; both become those at its end.
    ///
    /// The last evaluation of `field` is at the accepted state. Where the field is not finite however short the step, the
    /// state that was tried is kept, so that the caller sees what happened.
    pub(super) fn step(
        &mut self,
        y: &mut [f64],
        slope: &mut [f64],
        end: f64,
        field: &mut Field<'_>,
    ) {
        self.fit(y.len());
        self.stages.y.copy_from_slice(y);
        self.stages.k[0].copy_from_slice(slope);
        if std::mem::take(&mut self.memory.switch) {
            self.change_method();
        }
        if self.memory.next == 0.0 {
            self.memory.next = self.first_length(field);
        }
        if self.memory.stabilised && (self.memory.age >= GOOD_FOR || self.memory.radius == 0.0) {
            self.estimate_radius(field);
        }
        let mut retried = false;
        loop {
            let left = end - self.memory.time;
            // A step that would leave a sliver is halved instead.
            let h = match self.memory.next {
                next if next >= left => left,
                next if next > 0.5 * left => 0.5 * left,
                next => next,
            };
            let (error, h) = self.attempt(h, field);
            let hopeless = h <= 1e-14 * self.memory.time.abs().max(1e-300);
            if error <= 1.0 || hopeless {
                self.accept(error, h, retried, left);
                break;
            }
            self.memory.rejected += 1;
            retried = true;
            let order = if self.memory.stabilised { 3.0 } else { 5.0 };
            let factor = if error.is_finite() { 0.9 * error.powf(-1.0 / order) } else { 0.1 };
            self.memory.next = h * factor.clamp(0.1, 0.9);
            if self.memory.stabilised {
                self.estimate_radius(field);
            }
        }
        y.copy_from_slice(&self.stages.trial);
        slope.copy_from_slice(&self.stages.k[6]);
    }

    /// The state at the part `theta` of the last step.
    pub(super) fn interpolate(&self, theta: f64, out: &mut [f64]) {
        let (Stages { y, trial, k, .. }, h) = (&self.stages, self.memory.last);
        if !self.memory.stabilised {
            combine(y, h, &tsitouras::interpolant(theta), k, out);
            return;
        }
        // The cubic through states and slopes at both ends.
        let (x, rest) = (theta, 1.0 - theta);
        let (start, end) = (rest * rest * (1.0 + 2.0 * x), x * x * (3.0 - 2.0 * x));
        let (out_of, into) = (h * x * rest * rest, -h * x * x * rest);
        for i in 0..y.len() {
            out[i] = start * y[i] + end * trial[i] + out_of * k[0][i] + into * k[6][i];
        }
    }

    /// What a resumed run must know.
    pub(super) fn save(&self) -> (Vec<f64>, Vec<f64>) {
        let m = &self.memory;
        let flag = f64::from(u8::from(m.stabilised));
        let numbers = vec![
            m.time,
            m.next,
            m.last,
            m.error,
            flag,
            f64::from(m.doubts),
            m.radius,
            f64::from(m.age),
            f64::from(u8::from(m.switch)),
            m.evaluations as f64,
            m.rejected as f64,
        ];
        (numbers, self.along.clone())
    }

    /// Takes up what [`Integrator::save`] gave; whether it could.
    pub(super) fn restore(&mut self, numbers: &[f64], along: Vec<f64>) -> bool {
        let &[time, next, last, error, flag, doubts, radius, age, switch, evaluations, rejected] =
            numbers
        else {
            return false;
        };
        self.memory = Memory {
            time,
            next,
            last,
            error,
            stabilised: flag > 0.0,
            doubts: doubts as u32,
            radius,
            age: age as u32,
            switch: switch > 0.0,
            evaluations: evaluations as u64,
            rejected: rejected as u64,
        };
        self.along = along;
        true
    }

    /// The next step begins at a state of another form.
    pub(super) fn reshaped(&mut self) {
        self.memory.radius = 0.0;
        self.along.clear();
    }

    fn fit(&mut self, count: usize) {
        let Stages { y, trial, k, spare } = &mut self.stages;
        k.resize_with(7, Vec::new);
        for room in [y, trial, spare, &mut self.along].into_iter().chain(k) {
            room.resize(count, 0.0);
        }
    }

    /// A first length by Hairer, Nørsett and Wanner (Solving Ordinary Differential Equations I, II.4).
    fn first_length(&mut self, field: &mut Field<'_>) -> f64 {
        let Stages { y, trial, k, spare } = &mut self.stages;
        let (size, speed) = (norm(y), norm(&k[0]));
        if speed == 0.0 || !speed.is_finite() {
            return 1.0;
        }
        let scale = self.tolerance * size.max(f64::MIN_POSITIVE);
        let short = if size > 0.0 { 0.01 * size / speed } else { 1e-6 };
        trial.copy_from_slice(y);
        axpy(short, &k[0], trial);
        field(trial, spare);
        self.memory.evaluations += 1;
        axpy(-1.0, &k[0], spare);
        let bend = norm(spare) / short / scale;
        let long = (0.01 / bend.max(speed / scale)).powf(0.2);
        long.clamp(short, 100.0 * short)
    }

    fn estimate_radius(&mut self, field: &mut Field<'_>) {
        let Self { stages, along, memory, .. } = self;
        let mut count = 0;
        memory.radius = chebyshev::spectral_radius(stages, along, &mut |y, out| {
            count += 1;
            field(y, out);
        });
        memory.evaluations += count;
        memory.age = 0;
    }

    /// Tries a step of at most `h`; gives the error in tolerances, and the length that was tried.
    fn attempt(&mut self, h: f64, field: &mut Field<'_>) -> (f64, f64) {
        let mut h = h;
        let error = if self.memory.stabilised {
            let radius = self.memory.radius;
            let mut count = chebyshev::stages_for(h, radius);
            if count > MOST_STAGES {
                count = MOST_STAGES;
                h = chebyshev::longest(count, radius).min(h);
            }
            self.memory.evaluations += count as u64;
            self.doubt(count <= 4);
            chebyshev::attempt(&mut self.stages, h, count, field)
        } else {
            self.memory.evaluations += 6;
            let (error, lipschitz) = tsitouras::attempt(&mut self.stages, h, field);
            self.doubt(h * lipschitz > EDGE);
            error
        };
        let size = norm(&self.stages.y).max(norm(&self.stages.trial));
        let error = error / (self.tolerance * size).max(f64::MIN_POSITIVE);
        (if error.is_nan() { f64::INFINITY } else { error }, h)
    }

    fn change_method(&mut self) {
        let memory = &mut self.memory;
        memory.error = 1.0;
        if memory.stabilised && memory.radius > 0.0 {
            memory.next = memory.next.min(EDGE / memory.radius);
        }
        memory.stabilised = !memory.stabilised;
        memory.radius = 0.0;
    }

    fn doubt(&mut self, here: bool) {
        self.memory.doubts = if here { self.memory.doubts + 1 } else { 0 };
    }

    fn accept(&mut self, error: f64, h: f64, retried: bool, left: f64) {
        let memory = &mut self.memory;
        let error = error.max(1e-10);
        let (now, before) =
            if memory.stabilised { (1.0 / 3.0, 0.0) } else { (0.7 / 5.0, 0.4 / 5.0) };
        let most = if retried { 1.0 } else { 5.0 };
        let factor = (0.9 * error.powf(-now) * memory.error.powf(before)).clamp(0.2, most);
        // A step that was cut short by its end says nothing against the length that was planned.
        let planned = memory.next;
        memory.next = h * factor;
        if h < planned && !retried {
            memory.next = memory.next.max(planned);
        }
        memory.time = if h >= left { memory.time + left } else { memory.time + h };
        (memory.last, memory.error) = (h, error);
        memory.age += 1;
        let certain = if memory.stabilised { EXPLICIT_AFTER } else { STIFF_AFTER };
        if self.method == FlowMethod::Auto && memory.doubts >= certain {
            memory.doubts = 0;
            memory.switch = true;
        }
    }
}

/// Numbers of one block of a sum: it stays in the first cache while the slopes pass by.
const BLOCK: usize = 1024;

/// `out ← y + h Σ weights · k`.
pub(super) fn combine(y: &[f64], h: f64, weights: &[f64], k: &[Vec<f64>], out: &mut [f64]) {
    for (block, (out, y)) in out.chunks_mut(BLOCK).zip(y.chunks(BLOCK)).enumerate() {
        out.copy_from_slice(y);
        let place = block * BLOCK;
        for (weight, k) in weights.iter().zip(k) {
            axpy(h * weight, &k[place..place + out.len()], out);
        }
    }
}
