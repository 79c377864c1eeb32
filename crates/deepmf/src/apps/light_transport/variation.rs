//! A matrix as the product of two images of least variation: many random starts, of which the best are refined.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::matrix::must_tell;
use super::subspace::{noise_level, refinement, start};
use super::{FoundLight, LightLook, LightTransport, LightTrial, Stage};
use crate::analysis::metrics::compare_lines;
use crate::apps::selection::tell;
use crate::linalg::{Mat, Svd, svd};
use crate::model::{Continuation, FactorVariation, Model, Params, SubspaceFactors};
use crate::problem::{Constant, Full, Problem, Squared, Term};
use crate::spec::{Schedule, VariationTransport};
use crate::train::optimizer::Adam;
use crate::train::{Progress, Stop, StopReason, Trainer, Trajectory, try_trials};
use crate::{Error, Result};

/// Fits that are fewer do not vote.
const LEAST_TO_AGREE: usize = 3;
/// Steps between two records.
const LOOK: u64 = 100;
/// What the rate falls to.
const LAST: f64 = 0.05;
/// The width below which a difference counts by its square, at first and at last.
const WIDTHS: (f64, f64) = (0.1, 1e-3);

/// One fit: the factors, what is told of it, what was recorded.
type Fitted = (SubspaceFactors, LightTrial, Trajectory);

/// The fits of one stage, and what they share.
struct Phase<'a> {
    name: &'static str,
    settings: &'a VariationTransport,
    inner: usize,
    parts: &'a Svd,
    /// What Z was multiplied by.
    scale: f64,
    z: &'a Mat,
    steps: u64,
    rate: f64,
    continuation: Continuation,
}

impl LightTransport<'_> {
    /// Z ≈ T·L with T of rows x inner and L of inner x columns, both of least total variation: the columns of Z are moments of time.
    ///
    /// T = U diag(s) C and L = B Vᵀ in the leading singular subspaces of Z, as many as stand above its noise. C·B must be the identity, which
    /// tells the small singular values as well as the large ones; the variation of L over time and from row to row, that of T from column to column, and the
    /// sign of both tell the rest. Each start goes from the large singular values and a smooth measure of variation to all of them and a sharp one; those with
    /// the least objective are refined in more singular vectors, and that whose light agrees best with the others' is kept.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a matrix with fewer than 8 rows or columns, one of which all columns are the same or whose mean is not above 0, or a setting
    /// that cannot be; [`Error::NotFinite`].
    pub fn variation(
        &self,
        settings: &VariationTransport,
        inner: usize,
        z: &Mat,
    ) -> Result<FoundLight> {
        settings.check()?;
        let begun = Instant::now();
        let scale = settings.level * inner as f64 / must_tell(z)?;
        let z = &z.clone().scaled(scale);
        let all = svd(z.view())?;
        let least =
            (settings.above_noise * noise_level(&all.s, z.rows(), z.cols())).max(1e-7 * all.s[0]);
        let told = all.s.iter().filter(|s| **s > least).count().max(1);
        let [first, second] =
            [settings.vectors, settings.refined_vectors].map(|count| all.first(count.min(told)));

        let sharp = (WIDTHS.1, WIDTHS.1);
        let starts = Phase {
            name: "start",
            settings,
            inner,
            parts: &first,
            scale,
            z,
            steps: settings.steps,
            rate: settings.rate,
            continuation: Continuation {
                steps: settings.steps / 2,
                width: WIDTHS,
                power: (1.0, 0.0),
            },
        };
        let begins: Vec<usize> = (0..settings.starts).collect();
        let mut fitted =
            self.phase(&starts, &begins, |place| start(&first, inner, (self.seed, *place as u64)))?;
        fitted.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
        fitted.truncate(settings.refined);
        let refined = Phase {
            name: "refinement",
            parts: &second,
            steps: settings.refined_steps,
            rate: 0.5 * settings.rate,
            continuation: Continuation { steps: 0, width: sharp, power: (0.0, 0.0) },
            ..starts
        };
        let mut fitted = if self.interrupted() {
            // What was not refined did not come to its end.
            for (_, trial, _) in &mut fitted {
                trial.reason = StopReason::Interrupted;
            }
            fitted
        } else {
            self.phase(&refined, &fitted, |(model, ..)| refinement(model, z, &second))?
        };
        agree(&mut fitted)?;
        let best = (0..fitted.len()).min_by(|a, b| {
            let agreement = |place: &usize| fitted[*place].1.agreement.unwrap_or(0.0);
            let nearer = agreement(b).total_cmp(&agreement(a));
            nearer.then(worth(&fitted[*a]).total_cmp(&worth(&fitted[*b])))
        });
        let Some(chosen) = best else {
            return Err(Error::parameter("the fit", "let run for one step or more", "interrupted"));
        };
        let trials: Vec<LightTrial> = fitted.iter().map(|(_, trial, _)| trial.clone()).collect();
        let (model, trial, trajectory) = fitted.swap_remove(chosen);
        Ok(FoundLight {
            transport: vec![model.transport()],
            light: trial.light,
            trials,
            chosen,
            parameters: model.params().numbers().len(),
            trajectory,
            params: model.params().clone(),
            seconds: begun.elapsed().as_secs_f64(),
            warnings: Vec::new(),
        })
    }

    fn interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// One fit from each item.
    fn phase<I: Sync>(
        &self,
        phase: &Phase<'_>,
        items: &[I],
        cores: impl Fn(&I) -> Result<[Mat; 2]> + Sync,
    ) -> Result<Vec<Fitted>> {
        let threads = self.threads.unwrap_or_else(rayon::current_num_threads);
        let objectives = Mutex::new(vec![f64::INFINITY; items.len()]);
        let fitted = try_trials(items, Some(threads), self.interrupt.as_deref(), |place, item| {
            let mut model = phase.model()?;
            model.set(&cores(item)?)?;
            self.fitted(phase, model, (place, items.len()), &objectives)
        })?;
        Ok(fitted.into_iter().flatten().collect())
    }

    fn fitted(
        &self,
        phase: &Phase<'_>,
        mut model: SubspaceFactors,
        (place, total): (usize, usize),
        objectives: &Mutex<Vec<f64>>,
    ) -> Result<Fitted> {
        let cosine = Schedule::Cosine { steps: phase.steps.max(1), last: LAST };
        let adam = Adam::new(phase.rate)?.smoothing((0.9, 0.99), 1e-8)?.schedule(cosine);
        let stop = Stop::new().steps(phase.steps);
        let what = format!("{} {}", phase.name, place + 1);
        let mut copy = self.looks.is_some().then(|| model.clone());
        let mut trainer = Trainer::new(adam).stop(stop).every(LOOK).seed(place as u64);
        trainer = trainer.watch(|progress| {
            let stage = Stage { what: what.clone(), done: place, total, progress: *progress };
            tell(self.watch.as_ref(), &stage);
        });
        if let Some(looks) = &self.looks {
            let look = |progress: &Progress, params: &Params| {
                let Some(copy) = &mut copy else { return };
                copy.params_mut().numbers_mut().copy_from(params.numbers());
                let light = || vec![copy.light().scaled(1.0 / phase.scale)];
                let look = LightLook { seed: place as u64, progress: *progress, light: &light };
                looks.show(&look, place, objectives);
            };
            trainer = trainer.look(looks.apart, look);
        }
        if let Some(folder) = &self.folder {
            let own = folder.join(format!("{}-{place}", phase.name));
            std::fs::create_dir_all(&own).map_err(|error| Error::io(&own, "create", error))?;
            trainer = trainer.folder(own).resume(self.resume);
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        let problem = phase.problem()?;
        let run = trainer.fit(&problem, &mut model)?;
        drop(trainer);
        let light = model.light();
        let error = model.transport().times(&light).minus(phase.z).frobenius();
        let trial = LightTrial {
            seed: place as u64,
            steps: run.steps,
            reason: run.reason,
            held_out_error: None,
            objective: Some(run.loss),
            agreement: None,
            product_error: error / phase.z.frobenius(),
            kept: "last",
            seconds: run.seconds,
            light: vec![light.scaled(1.0 / phase.scale)],
        };
        Ok((model, trial, run.trajectory))
    }
}

/// The mean correlation of each light with those of the others: the objective tells the best of them no further, but what many starts come to is likelier
/// than what one does.
fn agree(fitted: &mut [Fitted]) -> Result<()> {
    let count = fitted.len();
    if count < LEAST_TO_AGREE {
        return Ok(());
    }
    let mut sums = vec![0.0; count];
    for (first, (_, a, _)) in fitted.iter().enumerate() {
        for (second, (_, b, _)) in fitted.iter().enumerate().skip(first + 1) {
            let found = compare_lines(&a.light[0], &b.light[0])?.correlation;
            let found = if found.is_nan() { 0.0 } else { found };
            sums[first] += found;
            sums[second] += found;
        }
    }
    for ((_, trial, _), sum) in fitted.iter_mut().zip(sums) {
        trial.agreement = Some(sum / (count - 1) as f64);
    }
    Ok(())
}

/// By what a start is refined, the least being the best.
fn worth((_, trial, _): &Fitted) -> f64 {
    trial.objective.filter(|it| !it.is_nan()).unwrap_or(f64::INFINITY)
}

impl Phase<'_> {
    fn model(&self) -> Result<SubspaceFactors> {
        let non_negative = self.settings.non_negative;
        let transport = FactorVariation {
            along: 0.0,
            across: self.settings.over_cols,
            non_negative,
            blunt: self.settings.blunt_cols,
        };
        let light = FactorVariation {
            along: self.settings.over_time,
            across: self.settings.over_rows,
            non_negative,
            blunt: self.settings.blunt_rows,
        };
        SubspaceFactors::new(self.parts, self.inner, [transport, light], self.continuation)
    }

    /// C·B is the identity.
    fn problem(&self) -> Result<Problem> {
        let count = self.parts.s.len();
        Problem::sum(vec![Term {
            observation: Arc::new(Full::new((count, count))),
            targets: vec![0.0; count * count],
            loss: Arc::new(Squared { constant: Constant::Mean, weights: None }),
            weight: self.settings.inverse,
        }])
    }
}
