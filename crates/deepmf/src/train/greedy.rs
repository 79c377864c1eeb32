//! Greedy low-rank learning: train, append the direction of steepest descent, train again.

use std::time::Instant;

use super::{Run, StopReason, Trainer};
use crate::linalg::{Mat, Svd, leading_svd};
use crate::model::{DeepLinear, Model, Pass};
use crate::problem::{Evaluation, Problem};
use crate::{Error, Result};

/// The residual of a leading pair, relative to the leading value.
const RESIDUAL: f64 = 1e-10;

/// Greedy low-rank learning.
///
/// From W_0 = 0 on: (u, v) is the leading singular pair of −∇ℓ(W_r), each layer gets one more direction of size ε
/// (ε vᵀ in W_1, ε in the middle, ε u in W_N), and the network of width r + 1 is trained to W_{r+1}. It ends
/// when the leading singular value has fallen to `tolerance` times that at W = 0, or when the validation
/// error has grown.
///
/// At depth 2 this is what gradient flow does as the initial scale vanishes (under assumptions): Li, Luo and Lyu 2021, "Towards
/// resolving the implicit bias of gradient descent for matrix factorization: greedy low-rank learning".
#[derive(Clone, Debug)]
pub struct Greedy {
    depth: usize,
    scale: f64,
    tolerance: f64,
    ranks: usize,
}

/// One phase of a [`Greedy`] training.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The rank in this phase.
    pub rank: usize,
    /// The leading singular value of −∇ℓ that opened it.
    pub sigma: f64,
    /// Steps made in it.
    pub steps: u64,
    /// How it ended.
    pub reason: StopReason,
    /// The loss at its end.
    pub loss: f64,
    /// The best mean squared error on the validation, if there was one.
    pub validation: Option<f64>,
}

/// What came of a [`Greedy`] training.
#[derive(Clone, Debug)]
pub struct Grown {
    /// The network, of the width that it has grown to.
    pub model: DeepLinear,
    /// The phases, also one whose validation error had grown and that was taken back.
    pub phases: Vec<Phase>,
    /// The phases as one run: all steps, and what was recorded, with a column `rank`.
    pub run: Run,
}

impl Greedy {
    /// For networks of `depth` layers, with directions of size 1e-6 a layer, to 1e-4 of the first singular value.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the depth is below 2.
    pub fn new(depth: usize) -> Result<Self> {
        if depth < 2 {
            return Err(Error::parameter("depth", "2 or more", depth));
        }
        Ok(Self { depth, scale: 1e-6, tolerance: 1e-4, ranks: usize::MAX })
    }

    /// The size ε of a new direction in each layer. The stop rules of a phase must not hold at so small a start: its
    /// gradient is about ε^{N−1} times the leading singular value.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not above 0.
    pub fn scale(self, scale: f64) -> Result<Self> {
        if scale.is_finite() && scale > 0.0 {
            return Ok(Self { scale, ..self });
        }
        Err(Error::parameter("scale", "above 0", scale))
    }

    /// The part of the first leading singular value that ends the growth.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not from 0 to below 1.
    pub fn tolerance(self, tolerance: f64) -> Result<Self> {
        if (0.0..1.0).contains(&tolerance) {
            return Ok(Self { tolerance, ..self });
        }
        Err(Error::parameter("tolerance", "at least 0 and below 1", tolerance))
    }

    /// The largest rank.
    #[must_use]
    pub fn ranks(self, ranks: usize) -> Self {
        Self { ranks, ..self }
    }

    /// Grows and trains a network; `trainer` makes the trainer of each phase, which says when the phase ends and what is
    /// recorded.
    ///
    /// The run ends as `GradientVanished` when nothing is left to learn, as `ValidationWorse` when the last phase was
    /// taken back, and as its last phase where that was interrupted, diverged or learned nothing or all ranks are used.
    ///
    /// # Errors
    /// What `trainer` and [`Trainer::fit`] give; [`Error::NotFinite`] if the gradient is not finite;
    /// [`Error::Parameter`] if the largest rank is 0 or nothing is to be learned.
    pub fn fit<'a>(
        &self,
        problem: &Problem,
        trainer: &mut dyn FnMut() -> Result<Trainer<'a>>,
    ) -> Result<Grown> {
        let begun = Instant::now();
        let (rows, cols) = problem.shape();
        let ranks = self.ranks.min(rows).min(cols);
        let mut grown: Option<Grown> = None;
        let mut first = f64::INFINITY;
        loop {
            let pair = leading(problem, grown.as_ref().map(|grown| &grown.model))?;
            let sigma = pair.s[0];
            if grown.is_none() {
                first = sigma;
            }
            let rank = grown.as_ref().map_or(0, |grown| grown.phases.len());
            let learned = sigma <= self.tolerance * first;
            if learned || rank >= ranks {
                let Some(mut grown) = grown else {
                    let found = if learned { "zero at W = 0" } else { "left at rank 0" };
                    return Err(Error::parameter("the gradient", "there to be followed", found));
                };
                if learned {
                    grown.run.reason = StopReason::GradientVanished;
                }
                return Ok(finished(grown, begun));
            }
            let before = grown.as_ref().map(|grown| &grown.model);
            let mut model = self.appended(before, &pair, (rows, cols))?;
            let run = trainer()?.fit(problem, &mut model)?;
            let phase = Phase {
                rank: rank + 1,
                sigma,
                steps: run.steps,
                reason: run.reason,
                loss: run.loss,
                validation: run.best.map(|(_, value)| value),
            };
            match followed(grown, model, phase, run) {
                (next, true) => return Ok(finished(next, begun)),
                (next, false) => grown = Some(next),
            }
        }
    }

    /// The network with one more direction of size ε in each layer.
    fn appended(
        &self,
        before: Option<&DeepLinear>,
        pair: &Svd,
        shape: (usize, usize),
    ) -> Result<DeepLinear> {
        let rank = before.map_or(0, |model| model.widths()[1]);
        let mut model = DeepLinear::with_width(shape, self.depth, rank + 1)?;
        let widths = model.widths().to_vec();
        for layer in 0..self.depth {
            let (first, last) = (layer == 0, layer + 1 == self.depth);
            let old = before.map(|model| model.layer(layer));
            let entry = |i: usize, j: usize| match old {
                Some(old) if i < old.rows() && j < old.cols() => old.at(i, j),
                _ if first => self.scale * pair.v[(j, 0)],
                // The pair (u, v) of −∇ℓ is (−u, v) of ∇ℓ.
                _ if last => -self.scale * pair.u[(i, 0)],
                _ if i == j => self.scale,
                _ => 0.0,
            };
            let grown = Mat::from_fn(widths[layer + 1], widths[layer], entry);
            model.params_mut().set(layer, &grown)?;
        }
        Ok(model)
    }
}

/// The leading singular pair of ∇ℓ at the model, at W = 0 without one.
fn leading(problem: &Problem, model: Option<&DeepLinear>) -> Result<Svd> {
    let mut evaluation = Evaluation::default();
    let zero = DeepLinear::with_width(problem.shape(), 2, 1)?;
    let model = model.unwrap_or(&zero);
    problem.evaluate(&model.forward(&mut Pass::default()), &mut evaluation);
    leading_svd(&evaluation.cotangent, 1, RESIDUAL)
}

/// What there is after a phase, and whether it was the last one.
fn followed(before: Option<Grown>, model: DeepLinear, phase: Phase, run: Run) -> (Grown, bool) {
    let rank = phase.rank as f64;
    let Some(mut grown) = before else {
        let mut all = run;
        let trajectory = std::mem::take(&mut all.trajectory);
        all.trajectory.append(trajectory.with_column("rank", rank), 0);
        let over = ended(phase.reason);
        return (Grown { model, phases: vec![phase], run: all }, over);
    };
    let worse = grown.run.best.zip(run.best).is_some_and(|(old, new)| new.1 >= old.1);
    let idle = run.loss >= grown.run.loss;
    let reason = run.reason;
    grown.run.trajectory.append(run.trajectory.clone().with_column("rank", rank), grown.run.steps);
    let best = run.best.map(|(step, value)| (grown.run.steps + step, value));
    grown.run.steps += run.steps;
    grown.phases.push(phase);
    if worse {
        grown.run.reason = StopReason::ValidationWorse;
        return (grown, true);
    }
    (grown.model, grown.run.params) = (model, run.params);
    (grown.run.best, grown.run.loss, grown.run.reason) = (best, run.loss, reason);
    (grown, idle || ended(reason))
}

/// Whether a phase that ended so is the last one.
fn ended(reason: StopReason) -> bool {
    matches!(reason, StopReason::Interrupted | StopReason::Diverged | StopReason::TimeUp)
}

fn finished(mut grown: Grown, begun: Instant) -> Grown {
    grown.run.seconds = begun.elapsed().as_secs_f64();
    grown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::problem::Constant;
    use crate::train::optimizer::GradientDescent;
    use crate::train::{Probe, Stop, Validation};

    fn trainer() -> Result<Trainer<'static>> {
        let stop = Stop::new().steps(20_000).loss_below(1e-20).settled(1e-9, 200);
        Ok(Trainer::new(GradientDescent::new(0.1)?).stop(stop).record(Probe::NuclearNorm))
    }

    #[test]
    fn a_full_target_is_learned_one_singular_value_a_phase() {
        let target = data::with_spectrum((7, 5), &[3.0, 2.0, 1.0], false, 4).unwrap();
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        for depth in [2, 3] {
            let greedy = Greedy::new(depth).unwrap().scale(1e-2).unwrap();
            let grown = greedy.fit(&problem, &mut trainer).unwrap();
            let sigmas: Vec<f64> = grown.phases.iter().map(|phase| phase.sigma).collect();
            let losses: Vec<f64> = grown.phases.iter().map(|phase| phase.loss).collect();
            for (found, expected) in [(sigmas, [3.0, 2.0, 1.0]), (losses, [2.5, 0.5, 0.0])] {
                assert_eq!(found.len(), 3, "{:?}", grown.phases);
                let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
                assert!(close, "{found:?} {expected:?}");
            }
            assert_eq!(grown.run.reason, StopReason::GradientVanished);
            assert!(grown.model.product().minus(&target).max_abs() < 1e-4);
            let ranks = grown.run.trajectory.column("rank").unwrap();
            assert_eq!((ranks[0], *ranks.last().unwrap()), (1.0, 3.0));
            let steps: u64 = grown.phases.iter().map(|phase| phase.steps).sum();
            assert_eq!(
                (steps, grown.run.params.values()),
                (grown.run.steps, grown.model.params().values())
            );
        }
    }

    #[test]
    fn a_phase_that_hurts_the_validation_is_taken_back() {
        let truth = data::with_spectrum((12, 12), &[3.0, 2.0], false, 1).unwrap();
        let noisy = data::perturbed(&truth, 0.8, false, 1).unwrap();
        let all = data::Entries::from_dense(&noisy).unwrap();
        let (seen, held): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|e| e % 4 != 0);
        let problem = Problem::completion_with(&all.take(&seen), Constant::HalfSum).unwrap();
        let held = Problem::completion(&all.take(&held)).unwrap();
        let mut trainer = || Ok(trainer()?.validation(Validation::new(held.clone())));
        let greedy = Greedy::new(2).unwrap().scale(1e-2).unwrap();
        let grown = greedy.fit(&problem, &mut trainer).unwrap();
        assert_eq!(grown.run.reason, StopReason::ValidationWorse);
        let last = grown.phases.len();
        assert!(last >= 2 && grown.model.widths()[1] == last - 1, "{:?}", grown.phases);
        let best = |place: usize| grown.phases[place].validation.unwrap();
        assert!(best(last - 1) >= best(last - 2));
        assert!((0..last - 2).all(|place| best(place + 1) < best(place)));
    }

    #[test]
    fn growth_ends_at_the_largest_rank_and_needs_something_to_learn() {
        let target = data::with_spectrum((5, 5), &[3.0, 2.0, 1.0], false, 4).unwrap();
        let problem = |target| Problem::full(target, Constant::HalfSum).unwrap();
        let greedy = Greedy::new(2).unwrap().ranks(2);
        let grown = greedy.fit(&problem(&target), &mut trainer).unwrap();
        assert_eq!(grown.phases.len(), 2);
        let error = greedy.fit(&problem(&Mat::zeros(5, 5)), &mut trainer).unwrap_err().to_string();
        assert!(error.ends_with("but it is zero at W = 0"), "{error}");
        assert!(Greedy::new(1).is_err() && Greedy::new(2).unwrap().scale(0.0).is_err());
    }
}
