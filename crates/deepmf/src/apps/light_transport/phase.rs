//! The fits of one stage in the singular subspaces of a matrix.

use std::sync::{Arc, Mutex};

use super::matrix::must_tell;
use super::trial::{Fitted, LOOK};
use super::{LightLook, LightTransport, LightTrial};
use crate::data::Shape;
use crate::linalg::{Mat, Svd, svd};
use crate::model::{Continuation, FactorVariation, Model, Params, SubspaceFactors};
use crate::problem::{Constant, Full, Problem, Squared, Term};
use crate::spec::{Schedule, VariationTransport};
use crate::train::optimizer::Adam;
use crate::train::{Progress, Stop, Trainer, try_trials};
use crate::{Error, Result};

/// What the rate falls to.
const LAST: f64 = 0.05;
/// A singular value that is smaller, over the largest, is left out.
const ROUNDING: f64 = 1e-7;
/// The rates of C and of any light, of which the numbers are of other sizes, over the rate.
const ANY_LIGHT: [f64; 2] = [0.3, 2.0];

/// The width below which a difference counts by its square at last.
pub(super) const SHARP: f64 = 1e-3;

/// The fits of one stage, and what they share.
#[derive(Clone)]
pub(super) struct Phase<'a> {
    /// Of one of its fits.
    pub(super) name: String,
    /// The folder of their checkpoints, if they have some.
    pub(super) folder: Option<&'static str>,
    /// Weights of T and of Lᵀ.
    pub(super) variations: [FactorVariation; 2],
    /// The weight of the mean square of C·B − 1; of any light, of Σ (C·L − Vᵀ)² over the number of vectors.
    pub(super) inverse: f64,
    /// Whether L need not lie in the rows of Z.
    pub(super) any_light: bool,
    pub(super) parts: &'a Svd,
    pub(super) scaled: &'a Scaled,
    pub(super) steps: u64,
    pub(super) rate: f64,
    pub(super) continuation: Continuation,
}

/// Z of such a size that lights of any number of hidden places have the same mean.
pub(super) struct Scaled {
    pub(super) z: Mat,
    /// What Z was multiplied by.
    pub(super) scale: f64,
    pub(super) inner: usize,
    pub(super) all: Svd,
    /// How many singular values stand above the noise.
    pub(super) told: usize,
}

impl Scaled {
    /// Of `z` for so many hidden places, with the largest singular value that noise alone would have told from all by `noise`.
    pub(super) fn new(
        settings: &VariationTransport,
        inner: usize,
        z: &Mat,
        noise: impl Fn(&[f64], Shape) -> f64,
    ) -> Result<Self> {
        if inner < 2 {
            return Err(Error::parameter("inner", "2 or more", inner));
        }
        let scale = settings.level * inner as f64 / must_tell(z)?;
        let z = z.clone().scaled(scale);
        let all = svd(z.view())?;
        let noise = settings.above_noise * noise(&all.s, (z.rows(), z.cols()));
        let least = noise.max(ROUNDING * all.s[0]);
        let told = all.s.iter().filter(|s| **s > least).count();
        Ok(Self { z, scale, inner, all, told })
    }

    /// So many singular vectors at most: with more than hidden places C·B is not the identity.
    pub(super) fn parts(&self, count: usize) -> Svd {
        self.all.first(count.min(self.told.clamp(1, self.inner)))
    }
}

/// Weights of T and of Lᵀ, differences counting by their size.
pub(super) fn by_size(settings: &VariationTransport) -> [FactorVariation; 2] {
    let non_negative = settings.non_negative;
    let none = FactorVariation { non_negative, ..FactorVariation::default() };
    let light = FactorVariation {
        along: settings.over_time,
        across: settings.over_rows,
        blunt: settings.blunt_rows,
        ..none
    };
    [FactorVariation { across: settings.over_cols, blunt: settings.blunt_cols, ..none }, light]
}

impl<'a> Phase<'a> {
    /// Fits of images in the rows of Z by the sizes of differences; of no steps yet.
    pub(super) fn of_images(
        settings: &VariationTransport,
        scaled: &'a Scaled,
        parts: &'a Svd,
    ) -> Self {
        Self {
            name: String::new(),
            folder: None,
            variations: by_size(settings),
            inverse: settings.inverse,
            any_light: false,
            parts,
            scaled,
            steps: 0,
            rate: settings.rate,
            continuation: Continuation { steps: 0, width: (SHARP, SHARP), power: (0.0, 0.0) },
        }
    }

    pub(super) fn model(&self) -> Result<SubspaceFactors> {
        let make =
            if self.any_light { SubspaceFactors::with_any_light } else { SubspaceFactors::new };
        make(self.parts, self.scaled.inner, self.variations, self.continuation)
    }

    /// C·B is the identity; of any light, each row of C·L a singular vector.
    fn problem(&self) -> Result<Problem> {
        let count = self.parts.s.len();
        let (cols, weight) = if self.any_light {
            let cols = self.parts.v.rows();
            (cols, self.inverse * cols as f64)
        } else {
            (count, self.inverse)
        };
        Problem::sum(vec![Term {
            observation: Arc::new(Full::new((count, cols))),
            targets: vec![0.0; count * cols],
            loss: Arc::new(Squared { constant: Constant::Mean, weights: None }),
            weight,
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
        let objectives = Mutex::new(vec![f64::INFINITY; items.len()]);
        let fitted = try_trials(
            items,
            Some(self.threads_or_all()),
            self.interrupt.as_deref(),
            |place, item| {
                let mut model = phase.model()?;
                model.set(&cores(item)?)?;
                self.fitted(phase, model, (place, items.len()), &objectives)
            },
        )?;
        Ok(fitted.into_iter().flatten().collect())
    }

    pub(super) fn fitted(
        &self,
        phase: &Phase<'_>,
        mut model: SubspaceFactors,
        (place, total): (usize, usize),
        objectives: &Mutex<Vec<f64>>,
    ) -> Result<Fitted<SubspaceFactors>> {
        let cosine = Schedule::Cosine { steps: phase.steps.max(1), last: LAST };
        let mut adam = Adam::new(phase.rate)?.smoothing((0.9, 0.99), 1e-8)?.schedule(cosine);
        if phase.any_light {
            adam = adam.groups(ANY_LIGHT.map(|factor| (1, factor)).to_vec())?;
        }
        let stop = Stop::new().steps(phase.steps);
        let mut copy = self.looks.is_some().then(|| model.clone());
        let mut trainer = Trainer::new(adam).stop(stop).every(LOOK);
        if let Some(looks) = &self.looks {
            let look = |progress: &Progress, params: &Params| {
                let Some(copy) = &mut copy else { return };
                copy.params_mut().numbers_mut().copy_from(params.numbers());
                let light = || vec![copy.light().scaled(1.0 / phase.scaled.scale)];
                let look = LightLook { seed: place as u64, progress: *progress, light: &light };
                looks.show(&look, place, objectives);
            };
            trainer = trainer.look(looks.apart, look);
        }
        let folder = phase.folder.map(|folder| format!("{folder}/{place}"));
        let names = (format!("{} {}", phase.name, place + 1), folder);
        let mut trainer = self.equipped(trainer, names, (place, total))?;
        let problem = phase.problem()?;
        let run = trainer.fit(&problem, &mut model)?;
        drop(trainer);
        let light = model.light();
        let error = model.transport().times(&light).minus(&phase.scaled.z).frobenius();
        let trial = LightTrial {
            seed: place as u64,
            steps: run.steps,
            reason: run.reason,
            held_out_error: None,
            objective: Some(run.loss),
            agreement: None,
            product_error: error / phase.scaled.z.frobenius(),
            kept: "last",
            seconds: run.seconds,
            light: vec![light.scaled(1.0 / phase.scaled.scale)],
        };
        Ok((trial, model, run.trajectory))
    }
}
