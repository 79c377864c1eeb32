//! Completion: the holes of a table, filled by a deep linear network.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::baseline::rmse;
use super::missingness;
use super::selection::{Candidate, Chosen, Fit, Watch, tell};
use super::{Baselines, Completed, Offsets, Stage};
use crate::analysis::effective_rank;
use crate::data::{Entries, split};
use crate::linalg::singular_values;
use crate::model::DeepLinear;
use crate::problem::Problem;
use crate::spec::CompletionSettings;
use crate::train::optimizer::GroupRmsProp;
use crate::train::{Probe, Run, Stop, StopReason, Trainer};
use crate::{Error, Result};

/// Fewer entries than this are too few to hold any out.
const LEAST_TO_SPLIT: usize = 20;
/// Hidden width at most, where it is not given.
const WIDEST: usize = 256;

/// Fills the holes of a table.
///
/// By default, additive row and column offsets are taken out, depth, initial scale and the number of steps are chosen on
/// held-out entries, and the chosen setting is fitted again to all known entries. With
/// [`CompletionSettings::raw`] it is the plain setting of Arora et al. 2019.
///
/// ```
/// use deepmf::{apps::Completion, data, spec::CompletionSettings};
///
/// let truth = data::low_rank((30, 20), 2, 0)?;
/// let seen = data::observe(&truth, &data::random_cells((30, 20), 400, 0)?)?;
/// let completed = Completion::new(CompletionSettings::default(), 0).fit(&seen)?;
/// let filled = completed.fill(&seen);
/// assert!(filled.values().iter().all(|x| x.is_finite()));
/// # Ok::<(), deepmf::Error>(())
/// ```
pub struct Completion<'a> {
    settings: CompletionSettings,
    seed: u64,
    interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Watch<'a>>,
    folder: Option<PathBuf>,
    resume: bool,
}

impl<'a> Completion<'a> {
    /// A completion with these settings; `seed` draws splits and initial layers.
    pub fn new(settings: CompletionSettings, seed: u64) -> Self {
        Self { settings, seed, interrupt: None, watch: None, folder: None, resume: false }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Tells where the fit is.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(&Stage) + Send + 'a) -> Self {
        Self { watch: Some(Mutex::new(Box::new(watch))), ..self }
    }

    /// Keeps trajectory and checkpoint of the last fit in a folder.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// Goes on from the checkpoint in the folder.
    #[must_use]
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Fits the known entries of a table.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a setting is outside its range or nothing is known.
    pub fn fit(&self, entries: &Entries) -> Result<Completed> {
        let begun = Instant::now();
        self.check(entries)?;
        let probes = self.probes()?;
        let (rows, cols) = entries.shape();
        let side = rows.min(cols);
        let settings = &self.settings;
        let watch = |stage: &Stage| tell(self.watch.as_ref(), stage);
        let fit = Fit {
            width: settings.width.unwrap_or(if settings.raw { side } else { side.min(WIDEST) }),
            steps: settings.steps,
            loss_below: settings.loss_below,
            rate: settings.rate,
            seed: self.seed,
            interrupt: self.interrupt.as_ref(),
            watch: &watch,
        };
        let fitted = if settings.raw {
            self.fit_raw(&fit, entries, &probes)?
        } else {
            self.fit_chosen(&fit, entries, &probes)?
        };
        let Fitted { mut model, run, offsets, candidate, candidates, held } = fitted;
        if run.reason != StopReason::Diverged {
            missingness::silence_empty_lines(&mut model, entries)?;
        }
        let w = model.product();
        let mut warnings = missingness::warnings(entries);
        if let Some(held) = held.as_ref().filter(|held| held.rmse > held.baselines.offsets) {
            warnings.push(format!(
                "row and column offsets alone predict the held-out entries better ({} against {})",
                held.baselines.offsets, held.rmse
            ));
        }
        let mut completed = Completed {
            shape: entries.shape(),
            observed: entries.len(),
            missing: rows * cols - entries.len(),
            depth: candidate.depth,
            width: fit.width,
            init_scale: candidate.init_scale,
            rate: candidate.rate,
            steps: run.steps,
            reason: run.reason,
            train_rmse: f64::NAN,
            holdout_rmse: held.as_ref().map(|held| held.rmse),
            baselines: held.as_ref().map(|held| held.baselines),
            holdout: held.map(|held| held.pairs).unwrap_or_default(),
            effective_rank: singular_values(w.view()).map_or(f64::NAN, |s| effective_rank(&s)),
            seconds: 0.0,
            seed: self.seed,
            warnings,
            candidates,
            col_labels: None,
            settings: settings.clone(),
            offsets,
            model,
            run,
        };
        completed.train_rmse = rmse(entries, |i, j| completed.value(i, j, w[(i, j)]));
        completed.seconds = begun.elapsed().as_secs_f64();
        Ok(completed)
    }

    /// The plain setting: one network, all entries, GroupRMSprop.
    fn fit_raw(&self, fit: &Fit<'_>, entries: &Entries, probes: &[Probe]) -> Result<Fitted> {
        let depth = self.settings.depths.first().copied().unwrap_or(3);
        let init_scale = self.settings.init_scales.first().copied().unwrap_or(1e-3);
        let rate = self.settings.rate.unwrap_or(1e-3);
        let problem = Problem::completion(entries)?;
        let mut model = fit.start(&problem, depth, init_scale)?;
        let trainer = Trainer::new(GroupRmsProp::new(rate)?)
            .stop(Stop::new().steps(fit.steps).loss_below(fit.loss_below));
        let run = self.last(fit, trainer, probes, 0).fit(&problem, &mut model)?;
        let candidate =
            Candidate { depth, init_scale, rate, steps: run.steps, validation_rmse: f64::NAN };
        let offsets = Offsets::none(entries.shape());
        Ok(Fitted { model, run, offsets, candidate, candidates: Vec::new(), held: None })
    }

    /// Chooses depth, scale and steps on held-out entries, then fits all of them.
    fn fit_chosen(&self, fit: &Fit<'_>, entries: &Entries, probes: &[Probe]) -> Result<Fitted> {
        let settings = &self.settings;
        let few = entries.len() < LEAST_TO_SPLIT;
        let (known, held) = match settings.holdout {
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
            let held = held.map(|held| self.measure(&chosen, &offsets, &known, &held));
            // A choice that was cut short is answered by the best that it has; it leaves no checkpoint.
            if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                let Chosen { candidate, model, mut run } = chosen;
                run.reason = StopReason::Interrupted;
                return Ok(Fitted { model, run, offsets, candidate, candidates: table, held });
            }
            (Some(chosen), table, held)
        };

        let offsets = self.offsets(entries);
        let problem = Problem::completion(&offsets.residuals(entries)?)?;
        let (depth, scale) =
            chosen.as_ref().map_or(candidates[0], |c| (c.candidate.depth, c.candidate.init_scale));
        let rate = chosen.as_ref().map(|c| c.candidate.rate).or(settings.rate);
        let rate = rate.unwrap_or_else(|| crate::train::suggested_rate(&problem, depth));
        let steps = chosen.as_ref().map_or(fit.steps, |c| c.candidate.steps);
        let last = Fit { steps, ..*fit };
        let parts = table.len();
        let (model, mut run, rate) = last.train(&problem, depth, scale, rate, |trainer| {
            self.last(fit, trainer, probes, parts)
        })?;
        // The number of steps was the validation's choice, and so is the reason.
        if let (StopReason::StepsDone, Some(chosen)) = (run.reason, &chosen) {
            run.reason = chosen.reason();
        }
        let candidate = Candidate {
            depth,
            init_scale: scale,
            rate,
            steps: run.steps,
            validation_rmse: f64::NAN,
        };
        Ok(Fitted { model, run, offsets, candidate, candidates: table, held })
    }

    /// What the last fit records and where.
    fn last<'t>(
        &'t self,
        fit: &'t Fit<'t>,
        mut trainer: Trainer<'t>,
        probes: &[Probe],
        done: usize,
    ) -> Trainer<'t> {
        for probe in probes {
            trainer = trainer.record(*probe);
        }
        if let Some(folder) = &self.folder {
            trainer = trainer.folder(folder).resume(self.resume);
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        trainer
            .every(self.settings.every)
            .watch(move |progress| fit.tell("all known entries", done, done + 1, *progress))
    }

    /// The honest error: entries that neither the fit nor the choice has seen.
    fn measure(&self, chosen: &Chosen, offsets: &Offsets, known: &Entries, held: &Entries) -> Held {
        let w = chosen.model.product();
        let value = |i: usize, j: usize| {
            super::completed::constrained(&self.settings, offsets.restore(i, j, w[(i, j)]))
        };
        Held {
            rmse: rmse(held, value),
            baselines: Baselines::measure(known, held),
            pairs: held.iter().map(|(i, j, x)| (x, value(i, j))).collect(),
        }
    }

    fn offsets(&self, entries: &Entries) -> Offsets {
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

    fn probes(&self) -> Result<Vec<Probe>> {
        self.settings.probes.iter().map(|name| name.parse()).collect()
    }

    fn check(&self, entries: &Entries) -> Result<()> {
        let settings = &self.settings;
        if entries.is_empty() {
            return Err(Error::parameter("the number of observed entries", "1 or more", 0));
        }
        if settings.depths.contains(&0) {
            return Err(Error::parameter("depth", "1 or more", 0));
        }
        if let Some(scale) = settings.init_scales.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(Error::parameter("init-scale", "above 0", scale));
        }
        for (name, share) in [("holdout", settings.holdout), ("validation", settings.validation)] {
            if !(0.0..=0.9).contains(&share) {
                return Err(Error::parameter(name, "from 0 to 0.9", share));
            }
        }
        if settings.width == Some(0) {
            return Err(Error::parameter("width", "1 or more", 0));
        }
        match settings.bounds {
            Some((low, high)) if settings.integer && low.ceil() > high.floor() => {
                let found = format!("{low},{high}");
                Err(Error::parameter("bounds", "around a whole number, with integer", found))
            }
            Some((low, high)) if low.is_nan() || high.is_nan() || low >= high => {
                let found = format!("{low},{high}");
                Err(Error::parameter("bounds", "LOW,HIGH with LOW below HIGH", found))
            }
            _ => Ok(()),
        }
    }
}

struct Held {
    rmse: f64,
    baselines: Baselines,
    pairs: Vec<(f64, f64)>,
}

struct Fitted {
    model: DeepLinear,
    run: Run,
    offsets: Offsets,
    candidate: Candidate,
    candidates: Vec<Candidate>,
    held: Option<Held>,
}
