//! Completion: the holes of a table, filled by a deep linear network.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::cell::HeldOut;
use super::conformal::Intervals;
use super::missingness;
use super::part::answers;
use super::selection::{Candidate, Watch, tell};
use super::{Baselines, Completed, Offsets, Stage};
use crate::analysis::effective_rank;
use crate::data::Entries;
use crate::model::{DeepLinear, Model, Pass};
use crate::spec::{CompletionSettings, Method};
use crate::train::{Probe, Run, StopReason};
use crate::{Error, Result};

/// Fewer entries than this are too few to hold any out.
pub(super) const LEAST_TO_SPLIT: usize = 20;
/// Fills the holes of a table.
///
/// By default everything is chosen by cross-validation over gradient flows of depth 2: what is centred, from which start they
/// flow, and when they stop; then all known entries are fitted once more ([`Method`] has the other ways). With
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
    pub(super) settings: CompletionSettings,
    pub(super) seed: u64,
    pub(super) interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Watch<'a>>,
    pub(super) folder: Option<PathBuf>,
    pub(super) resume: bool,
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
        let settings = &self.settings;
        let method = settings.resolved();
        let watch = |stage: &Stage| tell(self.watch.as_ref(), stage);
        let fitted = match method {
            Method::Auto | Method::Flow => self.by_flow(entries, &probes, &watch)?,
            Method::Descent => self.by_descent(entries, &probes, &watch)?,
            Method::Compressed | Method::Greedy | Method::Nuclear | Method::SoftImpute => {
                self.by_split(entries, method)?
            }
        };
        let Fitted { mut model, run, offsets, rmse: error, baselines, mut warnings, .. } = fitted;
        if run.reason != StopReason::Diverged {
            missingness::silence_empty_lines(&mut model, entries)?;
        }
        warnings.extend(missingness::warnings(entries));
        if let (Some(error), Some(baselines)) = (error, baselines)
            && error > baselines.offsets
        {
            let offsets = baselines.offsets;
            warnings.push(format!(
                "row and column offsets alone predict the held-out entries better ({offsets} against {error})"
            ));
        }
        let answers = answers(&model, &offsets, entries);
        let spectrum = model.forward(&mut Pass::default()).thin_svd();
        let mut completed = Completed {
            shape: entries.shape(),
            observed: entries.len(),
            missing: rows * cols - entries.len(),
            method,
            start: fitted.start,
            depth: model.depth(),
            width: model.widths().get(1).copied().filter(|_| model.depth() > 1).unwrap_or(rows),
            init_scale: fitted.init_scale,
            rate: fitted.rate,
            steps: run.steps,
            evaluations: fitted.evaluations,
            gap: fitted.gap,
            reason: run.reason,
            train_rmse: f64::NAN,
            holdout_rmse: error,
            baselines,
            holdout: fitted.held,
            intervals: fitted.intervals,
            effective_rank: spectrum.map_or(f64::NAN, |svd| effective_rank(&svd.s)),
            seconds: 0.0,
            seed: self.seed,
            warnings,
            candidates: fitted.candidates,
            col_labels: None,
            settings: settings.clone(),
            offsets,
            model,
            run,
        };
        let squares = entries
            .iter()
            .zip(answers)
            .map(|((_, _, x), raw)| (x - super::cell::constrained(settings, raw)).powi(2));
        completed.train_rmse = (squares.sum::<f64>() / entries.len() as f64).sqrt();
        completed.seconds = begun.elapsed().as_secs_f64();
        Ok(completed)
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
        let holdout = settings.holdout.unwrap_or(0.0);
        for (name, share) in [("holdout", holdout), ("validation", settings.validation)] {
            if !(0.0..=0.9).contains(&share) {
                return Err(Error::parameter(name, "from 0 to 0.9", share));
            }
        }
        if !(settings.coverage > 0.0 && settings.coverage < 1.0) {
            return Err(Error::parameter("coverage", "between 0 and 1", settings.coverage));
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

/// What came of a method.
pub(super) struct Fitted {
    pub(super) model: DeepLinear,
    pub(super) run: Run,
    pub(super) offsets: Offsets,
    pub(super) start: String,
    pub(super) init_scale: f64,
    pub(super) rate: Option<f64>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) rmse: Option<f64>,
    pub(super) baselines: Option<Baselines>,
    pub(super) held: Vec<HeldOut>,
    pub(super) intervals: Option<Intervals>,
    pub(super) evaluations: u64,
    pub(super) gap: Option<f64>,
    pub(super) warnings: Vec<String>,
}

impl Fitted {
    /// A fit of whose error nothing is known.
    pub(super) fn plain(model: DeepLinear, run: Run, offsets: Offsets) -> Self {
        Self {
            model,
            run,
            offsets,
            start: String::new(),
            init_scale: 0.0,
            rate: None,
            candidates: Vec::new(),
            rmse: None,
            baselines: None,
            held: Vec::new(),
            intervals: None,
            evaluations: 0,
            gap: None,
            warnings: Vec::new(),
        }
    }
}
