//! The fits of one stage in the singular subspaces of a matrix.

use std::sync::{Arc, Mutex};

use super::trial::{Fitted, LOOK};
use super::{LightLook, LightTransport, LightTrial};
use crate::Result;
use crate::linalg::{Mat, Svd};
use crate::model::{Continuation, FactorVariation, Model, Params, SubspaceFactors};
use crate::problem::{Constant, Full, Problem, Squared, Term};
use crate::spec::{Schedule, VariationTransport};
use crate::train::optimizer::Adam;
use crate::train::{Progress, Stop, Trainer, try_trials};

/// What the rate falls to.
const LAST: f64 = 0.05;

/// The fits of one stage, and what they share.
pub(super) struct Phase<'a> {
    pub(super) name: &'static str,
    pub(super) settings: &'a VariationTransport,
    pub(super) inner: usize,
    pub(super) parts: &'a Svd,
    /// What Z was multiplied by.
    pub(super) scale: f64,
    pub(super) z: &'a Mat,
    pub(super) steps: u64,
    pub(super) rate: f64,
    pub(super) continuation: Continuation,
}

impl Phase<'_> {
    fn model(&self) -> Result<SubspaceFactors> {
        let non_negative = self.settings.non_negative;
        let transport = FactorVariation {
            along: 0.0,
            across: self.settings.over_cols,
            non_negative,
            blunt: self.settings.blunt_cols,
            ..FactorVariation::default()
        };
        let light = FactorVariation {
            along: self.settings.over_time,
            across: self.settings.over_rows,
            non_negative,
            blunt: self.settings.blunt_rows,
            ..FactorVariation::default()
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

impl LightTransport<'_> {
    /// One fit from each item.
    pub(super) fn phase<I: Sync>(
        &self,
        phase: &Phase<'_>,
        items: &[I],
        cores: impl Fn(&I) -> Result<[Mat; 2]> + Sync,
    ) -> Result<Vec<Fitted<SubspaceFactors>>> {
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
    ) -> Result<Fitted<SubspaceFactors>> {
        let cosine = Schedule::Cosine { steps: phase.steps.max(1), last: LAST };
        let adam = Adam::new(phase.rate)?.smoothing((0.9, 0.99), 1e-8)?.schedule(cosine);
        let stop = Stop::new().steps(phase.steps);
        let mut copy = self.looks.is_some().then(|| model.clone());
        let mut trainer = Trainer::new(adam).stop(stop).every(LOOK);
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
        let names = (format!("{} {}", phase.name, place + 1), format!("{}s/{place}", phase.name));
        let mut trainer = self.equipped(trainer, names, (place, total))?;
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
        Ok((trial, model, run.trajectory))
    }
}
