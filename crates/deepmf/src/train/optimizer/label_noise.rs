//! Label-noise descent: θ ← θ − rate · ∇ of the loss on a batch whose targets carry fresh noise.
//!
//! Once the loss is fitted, the noise lets θ drift along the zero-loss manifold towards a smaller trace of the Hessian: a
//! step of rate η with noise of size s and batch B moves it by −(η² s² / 2B) ∇ tr H in the mean, within the manifold, for the
//! mean loss (Gatmiry, Li, Chuang, Reddi, Ma and Jegelka 2023). A run has three phases: fit by plain descent, go on with
//! noise, come to rest by plain descent.

use super::{Optimizer, PhaseCount, must_be_double, must_be_positive, must_not_be_negative, part};
use crate::linalg::axpy;
use crate::model::Model;
use crate::problem::{Batch, Problem};
use crate::random::{Purpose, RngExt, normal, stream};
use crate::spec::NoiseLaw;
use crate::train::{Room, StopReason};
use crate::{Error, Result};

/// Descent with label noise, on request before and after it without.
#[derive(Clone, Debug)]
pub struct LabelNoise {
    rate: f64,
    noise: f64,
    batch: usize,
    law: NoiseLaw,
    seed: u64,
    steps: Option<u64>,
    fit: Option<Fit>,
    clean: Option<(f64, u64)>,
    phase: PhaseCount,
    /// Noisy steps so far: which stream comes next.
    drawn: u64,
    scratch: Scratch,
}

#[derive(Clone, Copy, Debug)]
struct Fit {
    rate: f64,
    steps: u64,
    loss_below: f64,
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    batch: Batch,
    taken: Vec<bool>,
}

const FIT: u32 = 1;
const NOISY: u32 = 2;
const CLEAN: u32 = 3;

impl LabelNoise {
    /// Noisy steps without end: each with a fresh batch, drawn without replacement, and a fresh noise of ± `noise` on each
    /// of its targets.
    ///
    /// A batch is never more than all measurements. Its gradient counts by the number of all over that of the batch.
    /// A bound on the loss among the stop rules of the run would end it in whichever phase it is; `fit` has a bound of its own.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a rate that is not above 0, a noise below 0 or an empty batch.
    pub fn new(rate: f64, noise: f64, batch: usize, seed: u64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        must_not_be_negative("noise", noise)?;
        if batch == 0 {
            return Err(Error::parameter("batch", "1 or more", batch));
        }
        Ok(Self {
            rate,
            noise,
            batch,
            law: NoiseLaw::Sign,
            seed,
            steps: None,
            fit: None,
            clean: None,
            phase: PhaseCount { phase: NOISY, steps: 0 },
            drawn: 0,
            scratch: Scratch::default(),
        })
    }

    /// The law of the noise; its standard deviation is `noise` under each.
    #[must_use]
    pub fn law(self, law: NoiseLaw) -> Self {
        Self { law, ..self }
    }

    /// Ends the noise after so many steps.
    #[must_use]
    pub fn steps(self, steps: u64) -> Self {
        Self { steps: Some(steps), ..self }
    }

    /// Before the noise, plain descent until the loss is at or below `loss_below`, `steps` steps at most.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the rate is not above 0 or the bound below 0.
    pub fn fit(self, rate: f64, steps: u64, loss_below: f64) -> Result<Self> {
        must_be_positive("fit.rate", rate)?;
        must_not_be_negative("fit.loss-below", loss_below)?;
        let phase = PhaseCount { phase: FIT, steps: 0 };
        Ok(Self { fit: Some(Fit { rate, steps, loss_below }), phase, ..self })
    }

    /// After the noise, plain descent for so many steps.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the rate is not above 0.
    pub fn clean(self, rate: f64, steps: u64) -> Result<Self> {
        must_be_positive("clean.rate", rate)?;
        Ok(Self { clean: Some((rate, steps)), ..self })
    }

    /// Goes to the phase to which a step from this loss belongs.
    fn advance(&mut self, loss: f64) {
        if let (FIT, Some(fit)) = (self.phase.phase, self.fit)
            && (loss <= fit.loss_below || self.phase.steps >= fit.steps)
        {
            self.phase = PhaseCount { phase: NOISY, steps: 0 };
        }
        if self.phase.phase == NOISY && self.clean.is_some() && self.noise_is_over() {
            self.phase = PhaseCount { phase: CLEAN, steps: 0 };
        }
    }

    fn noise_is_over(&self) -> bool {
        self.steps.is_some_and(|steps| self.phase.steps >= steps)
    }

    /// Draws the batch of the next noisy step: Floyd's sample without replacement, then the noise in the order of the places.
    fn draw(&mut self, measurements: usize) {
        let mut random = stream(self.seed, Purpose::Train, self.drawn);
        self.drawn += 1;
        let Scratch { batch: Batch { places, noise }, taken } = &mut self.scratch;
        let count = self.batch.min(measurements);
        taken.resize(measurements, false);
        places.clear();
        for last in measurements - count..measurements {
            let drawn = random.random_range(0..=last);
            let place = if taken[drawn] { last } else { drawn };
            taken[place] = true;
            places.push(place);
        }
        for place in places.iter() {
            taken[*place] = false;
        }
        places.sort_unstable();
        noise.clear();
        noise.extend(places.iter().map(|_| {
            self.noise
                * match self.law {
                    NoiseLaw::Sign if random.random_bool(0.5) => 1.0,
                    NoiseLaw::Sign => -1.0,
                    NoiseLaw::Gaussian => normal(&mut random),
                }
        }));
    }
}

impl Optimizer for LabelNoise {
    fn check(&self, problem: &Problem, model: &dyn Model) -> Result<()> {
        must_be_double(model)?;
        problem.must_be_terms("the loss of which label noise draws measurements")
    }

    fn step(&mut self, problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        self.advance(room.loss);
        if self.outcome().is_some() {
            return;
        }
        let rate = match (self.phase.phase, self.fit, self.clean) {
            (FIT, Some(fit), _) => fit.rate,
            (CLEAN, _, Some((rate, _))) => rate,
            _ => {
                self.draw(problem.measurements());
                let Room { pass, evaluation, gradient, .. } = room;
                problem.evaluate_batch(&model.forward(pass), &self.scratch.batch, evaluation);
                model.pullback(&evaluation.cotangent, pass, gradient);
                self.rate
            }
        };
        axpy(-rate, room.gradient.values(), model.params_mut().values_mut());
        self.phase.steps += 1;
    }

    fn phase(&self) -> Option<PhaseCount> {
        Some(self.phase)
    }

    fn outcome(&self) -> Option<StopReason> {
        let over = match (self.phase.phase, self.clean) {
            (CLEAN, Some((_, steps))) => self.phase.steps >= steps,
            (NOISY, None | Some((_, 0))) => self.noise_is_over(),
            _ => false,
        };
        over.then_some(StopReason::StepsDone)
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        let PhaseCount { phase, steps } = self.phase;
        vec![("phase", vec![f64::from(phase), steps as f64, self.drawn as f64])]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        let found = part(state, "phase")?;
        let &[phase, steps, drawn] = &found[..] else {
            return Err(Error::parameter("a checkpoint", "of the same optimizer", "another"));
        };
        self.phase = PhaseCount { phase: phase as u32, steps: steps as u64 };
        self.drawn = drawn as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::{DeepLinear, Init};
    use crate::problem::Constant;
    use crate::train::{Stop, Trainer};

    /// (w₁w₂ − 1)² with the layers where they are put.
    fn scalars(layers: [f64; 2]) -> (Problem, DeepLinear) {
        let target = Mat::from_columns(1, 1, vec![1.0]);
        let problem = Problem::full(&target, Constant::Mean).unwrap();
        let mut model = DeepLinear::new(&[1, 1, 1]).unwrap();
        model.params_mut().values_mut().copy_from_slice(&layers);
        (problem, model)
    }

    #[test]
    fn the_imbalance_of_two_scalars_falls_as_the_drift_says() {
        // A step multiplies w₁² − w₂² by 1 − η²g² with g = 2(r ± s), so near r = 0 by 1 − 4η²s².
        let (problem, mut model) = scalars([2.0, 0.5]);
        let (rate, noise, steps) = (0.01, 0.5, 2_000);
        for law in [NoiseLaw::Sign, NoiseLaw::Gaussian] {
            model.params_mut().values_mut().copy_from_slice(&[2.0, 0.5]);
            let descent = LabelNoise::new(rate, noise, 1, 0).unwrap().law(law).steps(steps);
            let run = Trainer::new(descent).fit(&problem, &mut model).unwrap();
            assert_eq!((run.steps, run.reason), (steps, StopReason::StepsDone));
            let [w1, w2] = [0, 1].map(|place| model.params().values()[place]);
            let found = (w1 * w1 - w2 * w2) / 3.75;
            let drift = (-4.0 * (rate * noise).powi(2) * steps as f64).exp();
            assert!((found / drift - 1.0).abs() < 0.02, "{law:?}: {found} {drift}");
        }
    }

    #[test]
    fn measurements_that_a_batch_cannot_draw_are_refused() {
        let (problem, mut model) = scalars([2.0, 0.5]);
        let with_choices = problem.clone().one_of(problem.terms().to_vec()).unwrap();
        let descent = LabelNoise::new(0.01, 0.5, 1, 0).unwrap().steps(5);
        let refused = Trainer::new(descent).fit(&with_choices, &mut model).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the loss of which label noise draws measurements must be a sum of terms alone, but it is one with choices"
        );
        assert_eq!(model.params().values(), [2.0, 0.5]);
    }

    #[test]
    fn the_phases_follow_each_other_and_can_be_read_from_the_trajectory() {
        let (problem, mut model) = scalars([2.0, 0.1]);
        let descent = LabelNoise::new(0.01, 0.5, 1, 0).unwrap().steps(30);
        let descent = descent.fit(0.05, 1_000, 1e-6).unwrap().clean(0.05, 20).unwrap();
        let run = Trainer::new(descent).every(1).fit(&problem, &mut model).unwrap();
        let column = |name| run.trajectory.column(name).unwrap();
        let (losses, phases, steps) = (column("loss"), column("phase"), column("phase_step"));
        let last = phases.iter().rposition(|phase| *phase == 1.0).unwrap();
        assert!(losses[last] <= 1e-6 && losses[last - 1] > 1e-6);
        assert_eq!((phases[last + 1], steps[last + 1]), (2.0, 1.0));
        assert_eq!((phases[last + 30], steps[last + 30]), (2.0, 30.0));
        assert_eq!((phases[last + 50], steps[last + 50]), (3.0, 20.0));
        assert_eq!(run.steps as usize, last + 50);
        assert!(losses[last + 30] > 1e-6);
    }

    #[test]
    fn without_noisy_steps_it_is_descent() {
        let (problem, mut model) = scalars([2.0, 0.1]);
        let descent = LabelNoise::new(0.01, 0.5, 1, 0).unwrap().steps(0);
        let run = Trainer::new(descent.clone()).fit(&problem, &mut model).unwrap();
        assert_eq!(model.params().values(), [2.0, 0.1]);
        assert!(run.steps <= 1);
        let descent = descent.fit(0.05, 1_000, 1e-6).unwrap().clean(0.05, 20).unwrap();
        let run = Trainer::new(descent).every(1).fit(&problem, &mut model).unwrap();
        let losses = run.trajectory.column("loss").unwrap();
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]));
    }

    #[test]
    fn a_batch_is_drawn_without_replacement_and_evenly() {
        let mut descent = LabelNoise::new(0.1, 1.0, 3, 5).unwrap();
        let mut counts = [0; 8];
        for _ in 0..4_000 {
            descent.draw(8);
            let Batch { places, noise } = &descent.scratch.batch;
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]) && places.len() == 3);
            assert!(noise.iter().all(|x| x.abs() == 1.0));
            for place in places {
                counts[*place] += 1;
            }
        }
        // 1,500 each, with a standard deviation of 31.
        assert!(counts.iter().all(|count| (1_370..1_630).contains(count)), "{counts:?}");
        descent.draw(2);
        assert_eq!(descent.scratch.batch.places, [0, 1]);
    }

    #[test]
    fn the_same_seed_gives_the_same_noise_and_another_one_another() {
        let target = Mat::from_fn(4, 4, |i, j| (i + j) as f64);
        let problem = Problem::full(&target, Constant::Mean).unwrap();
        let moved = |seed| {
            let model = DeepLinear::with_width((4, 4), 2, 4).unwrap();
            let mut model = model.init(&Init::Gaussian { scale: 1.0 }, 0).unwrap();
            let descent = LabelNoise::new(0.01, 1.0, 2, seed).unwrap();
            Trainer::new(descent).stop(Stop::new().steps(5)).fit(&problem, &mut model).unwrap();
            model.params().values().to_vec()
        };
        assert!(moved(1) == moved(1) && moved(1) != moved(2));
    }

    #[test]
    fn an_empty_batch_is_refused() {
        let error = LabelNoise::new(0.1, 1.0, 0, 0).unwrap_err();
        assert_eq!(error.to_string(), "batch must be 1 or more, but it is 0");
        assert!(LabelNoise::new(0.1, -1.0, 1, 0).is_err());
        assert!(LabelNoise::new(0.1, 1.0, 1, 0).unwrap().clean(0.0, 1).is_err());
    }
}
