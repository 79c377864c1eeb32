//! Losses of measurements against targets, with their constant written out.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The constant c of a loss c · Σ r². Learning rates and curvature scale with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constant {
    /// c = 1.
    Sum,
    /// c = 1/2.
    HalfSum,
    /// c = 1/m for m measurements (1/Σ weights, if they have weights).
    #[default]
    Mean,
    /// c = 1/(2m).
    HalfMean,
}

impl Constant {
    /// c for m measurements, or measurements whose weights add up to m.
    pub fn value(self, m: f64) -> f64 {
        match self {
            Self::Sum => 1.0,
            Self::HalfSum => 0.5,
            Self::Mean => 1.0 / m,
            Self::HalfMean => 0.5 / m,
        }
    }
}

/// A loss of measurements against targets, with few exceptions a sum over them.
///
/// A new member must be listed in `tests/laws.rs`, where slope and curvature are held against difference quotients.
pub trait Loss: fmt::Debug + Send + Sync {
    /// The loss; its derivative with respect to each measurement takes the place of what was `seen`.
    fn value_and_slope(&self, seen: &mut [f64], targets: &[f64]) -> f64;

    /// `out` receives the second derivative with respect to each measurement.
    fn curvature(&self, seen: &[f64], targets: &[f64], out: &mut [f64]);

    /// The same loss of some of the measurements: a mean becomes the mean over these.
    fn take(&self, places: &[usize]) -> Arc<dyn Loss>;

    /// Whether it is a sum over measurements, so that its second derivatives are those of [`Loss::curvature`] alone.
    fn is_separable(&self) -> bool {
        true
    }

    /// Whether the second derivatives are the same everywhere.
    fn is_quadratic(&self) -> bool {
        false
    }
}

/// c · Σ wᵢ (seenᵢ − targetᵢ)².
#[derive(Clone, Debug, Default)]
pub struct Squared {
    /// Which c.
    pub constant: Constant,
    /// One weight a measurement, zero or more; none means ones.
    pub weights: Option<Vec<f64>>,
}

fn constant(constant: Constant, weights: Option<&Vec<f64>>, count: usize) -> f64 {
    constant.value(weights.map_or(count as f64, |w| w.iter().sum()))
}

/// Measurements above which several threads take a loss, and the parts that these are then split into.
const LONG: usize = 1 << 19;
const PARTS: usize = 32;

/// The sum of values over the residuals and weights of all measurements, each replaced by its slope.
fn summed(
    seen: &mut [f64],
    targets: &[f64],
    weights: Option<&[f64]>,
    rule: impl Fn(f64, f64) -> (f64, f64) + Sync,
) -> f64 {
    let part = |seen: &mut [f64], targets: &[f64], weights: Option<&[f64]>| {
        let mut sum = 0.0;
        let mut one = |seen: &mut f64, target: f64, weight: f64| {
            let (value, slope) = rule(*seen - target, weight);
            sum += value;
            *seen = slope;
        };
        let places = seen.iter_mut().zip(targets);
        match weights {
            None => places.for_each(|(seen, target)| one(seen, *target, 1.0)),
            Some(weights) => places.zip(weights).for_each(|((seen, y), w)| one(seen, *y, *w)),
        }
        sum
    };
    if seen.len() < LONG {
        return part(seen, targets, weights);
    }
    let (size, mut sums) = (seen.len().div_ceil(PARTS), [0.0; PARTS]);
    let parts = seen.par_chunks_mut(size).zip(targets.par_chunks(size)).zip(&mut sums);
    parts.enumerate().for_each(|(place, ((seen, targets), sum))| {
        let weights = weights.map(|weights| &weights[place * size..]);
        *sum = part(seen, targets, weights);
    });
    sums.iter().sum()
}

impl Loss for Squared {
    fn value_and_slope(&self, seen: &mut [f64], targets: &[f64]) -> f64 {
        let c = constant(self.constant, self.weights.as_ref(), seen.len());
        let rule = |r: f64, w: f64| (w * r * r, 2.0 * c * w * r);
        c * summed(seen, targets, self.weights.as_deref(), rule)
    }

    fn curvature(&self, seen: &[f64], _targets: &[f64], out: &mut [f64]) {
        let c = constant(self.constant, self.weights.as_ref(), seen.len());
        out.fill(2.0 * c);
        for (out, w) in out.iter_mut().zip(self.weights.iter().flatten()) {
            *out *= w;
        }
    }

    fn take(&self, places: &[usize]) -> Arc<dyn Loss> {
        let (constant, weights) = (self.constant, taken(self.weights.as_ref(), places));
        Arc::new(Self { constant, weights })
    }

    fn is_quadratic(&self) -> bool {
        true
    }
}

fn taken(weights: Option<&Vec<f64>>, places: &[usize]) -> Option<Vec<f64>> {
    weights.map(|weights| places.iter().map(|&place| weights[place]).collect())
}

/// c · Σ wᵢ h(seenᵢ − targetᵢ) with h(r) = r² up to |r| = δ and 2δ|r| − δ² beyond.
#[derive(Clone, Debug)]
pub struct Huber {
    delta: f64,
    constant: Constant,
    weights: Option<Vec<f64>>,
}

impl Huber {
    /// Huber's loss, linear beyond `delta`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `delta` is not above 0.
    pub fn new(delta: f64, constant: Constant) -> Result<Self> {
        if !(delta.is_finite() && delta > 0.0) {
            return Err(Error::parameter("delta", "above 0", delta));
        }
        Ok(Self { delta, constant, weights: None })
    }

    /// Gives each measurement a weight.
    #[must_use]
    pub fn weighted(self, weights: Option<Vec<f64>>) -> Self {
        Self { weights, ..self }
    }

    fn weight(&self, measurement: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[measurement])
    }
}

impl Loss for Huber {
    fn value_and_slope(&self, seen: &mut [f64], targets: &[f64]) -> f64 {
        let c = constant(self.constant, self.weights.as_ref(), seen.len());
        let delta = self.delta;
        let mut sum = 0.0;
        for (i, seen) in seen.iter_mut().enumerate() {
            let (r, w) = (*seen - targets[i], self.weight(i));
            let inside = r.abs() <= delta;
            sum += w * if inside { r * r } else { 2.0 * delta * r.abs() - delta * delta };
            *seen = 2.0 * c * w * if inside { r } else { delta * r.signum() };
        }
        c * sum
    }

    fn curvature(&self, seen: &[f64], targets: &[f64], out: &mut [f64]) {
        let c = constant(self.constant, self.weights.as_ref(), seen.len());
        for (i, out) in out.iter_mut().enumerate() {
            let inside = (seen[i] - targets[i]).abs() <= self.delta;
            *out = if inside { 2.0 * c * self.weight(i) } else { 0.0 };
        }
    }

    fn take(&self, places: &[usize]) -> Arc<dyn Loss> {
        let (delta, constant) = (self.delta, self.constant);
        Arc::new(Self { delta, constant, weights: taken(self.weights.as_ref(), places) })
    }
}

/// c · Σ wᵢ |seenᵢ − targetᵢ|; at a kink the slope is zero.
#[derive(Clone, Debug, Default)]
pub struct Absolute {
    /// Which c.
    pub constant: Constant,
    /// One weight a measurement, zero or more; none means ones.
    pub weights: Option<Vec<f64>>,
}

impl Loss for Absolute {
    fn value_and_slope(&self, seen: &mut [f64], targets: &[f64]) -> f64 {
        let c = constant(self.constant, self.weights.as_ref(), seen.len());
        let sign = |r: f64| if r == 0.0 { 0.0 } else { r.signum() };
        let rule = |r: f64, w: f64| (w * r.abs(), c * w * sign(r));
        c * summed(seen, targets, self.weights.as_deref(), rule)
    }

    fn curvature(&self, _seen: &[f64], _targets: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }

    fn take(&self, places: &[usize]) -> Arc<dyn Loss> {
        let (constant, weights) = (self.constant, taken(self.weights.as_ref(), places));
        Arc::new(Self { constant, weights })
    }
}

/// √(Σ (seenᵢ − targetᵢ)² / m) over m measurements: not a sum, so that its curvature is only the diagonal of the second derivatives.
#[derive(Clone, Copy, Debug, Default)]
pub struct RootMeanSquare;

impl Loss for RootMeanSquare {
    fn value_and_slope(&self, seen: &mut [f64], targets: &[f64]) -> f64 {
        let count = seen.len() as f64;
        let sum: f64 = seen.iter().zip(targets).map(|(seen, target)| (seen - target).powi(2)).sum();
        let value = (sum / count).sqrt();
        // At a fit the root has a kink; a slope of zero is as good as any.
        let share = if value > 0.0 { 1.0 / (count * value) } else { 0.0 };
        seen.iter_mut().zip(targets).for_each(|(seen, target)| *seen = share * (*seen - target));
        value
    }

    fn curvature(&self, seen: &[f64], targets: &[f64], out: &mut [f64]) {
        let count = seen.len() as f64;
        let value = self.value_and_slope(&mut seen.to_vec(), targets);
        for ((out, seen), target) in out.iter_mut().zip(seen).zip(targets) {
            let slope = (seen - target) / (count * value);
            *out = (1.0 / count - slope * slope) / value;
        }
    }

    fn take(&self, _places: &[usize]) -> Arc<dyn Loss> {
        Arc::new(*self)
    }

    fn is_separable(&self) -> bool {
        false
    }
}
