//! The best length of a step: along it measurements are quadratic, so that lengths are tried without measuring again.

use super::factors::Pair;
use super::measure::Measure;
use super::newton::{Subproblem, shrink};

/// Measurements along a step: `start + t · rise + t² · bend`.
#[derive(Default)]
pub(super) struct Line {
    /// Measurements before the step.
    pub(super) start: Vec<f64>,
    rise: Vec<f64>,
    bend: Vec<f64>,
}

/// Lengths are divided by this until the slope along the step is negative …
const SHORTER: f64 = 4.0;
const SHORTEST: f64 = 1e-8;
/// … and so often is the interval halved then.
const HALVINGS: usize = 4;

impl Line {
    /// A length between 0 and 1 near a minimum along the step, where 1 is too long and leads to the measurements `seen`.
    pub(super) fn length(
        &mut self,
        problem: &Subproblem<'_>,
        (pair, step): (&Pair, &Pair),
        seen: &[f64],
        measure: &mut Measure<'_>,
    ) -> f64 {
        self.bend.resize(seen.len(), 0.0);
        measure.apply(step, &mut self.bend);
        self.rise.clear();
        let parts = seen.iter().zip(&self.start).zip(&self.bend);
        self.rise.extend(parts.map(|((seen, start), bend)| seen - start - bend));
        let (constant, linear) = (pair.dot(step), step.dot(step));
        let slope = |t: f64| constant + t * linear - self.pulled(problem, t);
        let (mut low, mut high) = (0.0, 1.0);
        while high > SHORTEST {
            let middle = high / SHORTER;
            if slope(middle) <= 0.0 {
                low = middle;
                break;
            }
            high = middle;
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if slope(middle) <= 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        if low > 0.0 { low } else { high }
    }

    /// How much the measurements pull forwards at a length.
    fn pulled(&self, problem: &Subproblem<'_>, t: f64) -> f64 {
        let parts = self.start.iter().zip(&self.rise).zip(&self.bend).zip(problem.targets);
        let sum: f64 = parts
            .map(|(((start, rise), bend), target)| {
                let rest = target - start - t * (rise + t * bend);
                shrink(rest, problem.within) * (rise + 2.0 * t * bend)
            })
            .sum();
        problem.beta * sum
    }
}
