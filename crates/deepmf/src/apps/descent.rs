//! Completion by descent with momentum, chosen on one split, and the plain setting of Arora et al. 2019.

use std::sync::atomic::Ordering;

use super::completion::{Completion, Fitted, LEAST_TO_SPLIT};
use super::measured::Measured;
use super::selection::{Chosen, Fit};
use super::start::Start;
use super::{Offsets, Stage};
use crate::Result;
use crate::data::{Entries, split};
use crate::problem::Problem;
use crate::train::optimizer::GroupRmsProp;
use crate::train::{Probe, Stop, StopReason, Trainer};

/// Hidden width at most, where it is not given.
const WIDEST: usize = 256;
/// The share that is kept apart, where it is not given.
const HOLDOUT: f64 = 0.1;

impl Completion<'_> {
    /// Descends as the settings say.
    pub(super) fn by_descent(
        &self,
        entries: &Entries,
        probes: &[Probe],
        watch: &(dyn Fn(&Stage) + Sync),
    ) -> Result<Fitted> {
        let (rows, cols) = entries.shape();
        let side = rows.min(cols);
        let settings = &self.settings;
        let fit = Fit {
            width: settings.width.unwrap_or(if settings.raw { side } else { side.min(WIDEST) }),
            steps: settings.steps,
            loss_below: settings.loss_below,
            rate: settings.rate,
            seed: self.seed,
            interrupt: self.interrupt.as_ref(),
            watch,
        };
        if settings.raw {
            self.raw(&fit, entries, probes)
        } else {
            self.descent(&fit, entries, probes)
        }
    }

    /// The plain setting: one network, all entries, GroupRMSprop.
    fn raw(&self, fit: &Fit<'_>, entries: &Entries, probes: &[Probe]) -> Result<Fitted> {
        let depth = self.settings.depths.first().copied().unwrap_or(3);
        let init_scale = self.settings.init_scales.first().copied().unwrap_or(1e-3);
        let rate = self.settings.rate.unwrap_or(1e-3);
        let problem = Problem::completion(entries)?;
        let mut model = fit.start(&problem, depth, init_scale)?;
        let trainer = Trainer::new(GroupRmsProp::new(rate)?)
            .stop(Stop::new().steps(fit.steps).loss_below(fit.loss_below));
        let run = self.last(trainer, probes, fit.watch, 0).fit(&problem, &mut model)?;
        let evaluations = run.steps;
        let start = Start::Gaussian { depth, width: fit.width, scale: init_scale }.words();
        let plain = Fitted::plain(model, run, Offsets::none(entries.shape()));
        Ok(Fitted { start, init_scale, rate: Some(rate), evaluations, ..plain })
    }

    /// Chooses depth, scale and steps on held-out entries, then fits all of them.
    fn descent(&self, fit: &Fit<'_>, entries: &Entries, probes: &[Probe]) -> Result<Fitted> {
        let settings = &self.settings;
        let few = entries.len() < LEAST_TO_SPLIT;
        let (known, held) = match settings.holdout.unwrap_or(HOLDOUT) {
            share if share > 0.0 && !few => {
                let (known, held) = split(entries, share, self.seed)?;
                (known, Some(held))
            }
            _ => (entries.clone(), None),
        };
        let candidates = self.candidates();
        let (chosen, table, held) = if few || settings.validation == 0.0 {
            (None, Vec::new(), None)
        } else {
            let (train, validation) =
                split(&known, settings.validation, self.seed.wrapping_add(1))?;
            let offsets = self.offsets(&train);
            let problem = Problem::completion(&offsets.residuals(&train)?)?;
            let validation = Problem::completion(&offsets.residuals(&validation)?)?;
            let (chosen, table) = fit.choose(&problem, &validation, &candidates)?;
            let held = held.map(|held| self.measure(&chosen.model, &offsets, &known, &held));
            // A choice that was cut short is answered by the best that it has; it leaves no checkpoint.
            if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                let Chosen { candidate, init_scale, model, mut run, .. } = chosen;
                run.reason = StopReason::Interrupted;
                let fitted = Fitted {
                    start: candidate.start,
                    init_scale,
                    rate: candidate.rate,
                    candidates: table,
                    ..Fitted::plain(model, run, offsets)
                };
                return Ok(with(fitted, held));
            }
            (Some(chosen), table, held)
        };

        let offsets = self.offsets(entries);
        let problem = Problem::completion(&offsets.residuals(entries)?)?;
        let (depth, scale) = chosen.as_ref().map_or(candidates[0], |c| (c.depth, c.init_scale));
        let rate = chosen.as_ref().and_then(|c| c.candidate.rate).or(settings.rate);
        let rate = rate.unwrap_or_else(|| crate::train::suggested_rate(&problem, depth));
        let steps = chosen.as_ref().map_or(fit.steps, |c| c.candidate.steps);
        let last = Fit { steps, ..*fit };
        let parts = table.len();
        let (model, mut run, rate) = last.train(&problem, depth, scale, rate, |trainer| {
            self.last(trainer, probes, fit.watch, parts)
        })?;
        // The number of steps was the validation's choice, and so is the reason.
        if let (StopReason::StepsDone, Some(chosen)) = (run.reason, &chosen) {
            run.reason = chosen.reason();
        }
        let evaluations = run.steps;
        let fitted = Fitted {
            start: Start::Gaussian { depth, width: fit.width, scale }.words(),
            init_scale: scale,
            rate: Some(rate),
            candidates: table,
            evaluations,
            ..Fitted::plain(model, run, offsets)
        };
        Ok(with(fitted, held))
    }

    pub(super) fn offsets(&self, entries: &Entries) -> Offsets {
        if self.settings.offsets {
            Offsets::fit(entries, self.settings.scaling)
        } else {
            Offsets::scales(entries, self.settings.scaling)
        }
    }

    fn candidates(&self) -> Vec<(usize, f64)> {
        let or = |given: &[f64], usual: &[f64]| {
            if given.is_empty() { usual.to_vec() } else { given.to_vec() }
        };
        let depths = &self.settings.depths;
        let depths = if depths.is_empty() { vec![2, 3, 4] } else { depths.clone() };
        let scales = or(&self.settings.init_scales, &[1e-3, 1e-1]);
        depths.iter().flat_map(|&d| scales.iter().map(move |&s| (d, s))).collect()
    }
}

/// A fit with what was measured of it.
pub(super) fn with(fitted: Fitted, held: Option<Measured>) -> Fitted {
    let Some(Measured { rmse, baselines, cells, intervals }) = held else { return fitted };
    Fitted { rmse: Some(rmse), baselines: Some(baselines), held: cells, intervals, ..fitted }
}
