//! The choice of centring, start and time of a flow by cross-validation, stage after stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::folds::{MANY, of_choice};
use super::offsets::Centring;
use super::part::{Fit, Part};
use super::selection::{Candidate, Stage};
use super::start::{Side, Start};
use crate::data::Entries;
use crate::model::DeepLinear;
use crate::spec::{CompletionSettings, Method};
use crate::train::{Progress, Trainer, try_trials};
use crate::{Error, Result};

/// Gain of the start at W(0) = 0, or scale of the gaussian start that stands for it.
const SMALL: f64 = 0.01;
/// The start at W(0) = 0 is as wide as the shorter side, up to this; then gaussian layers of this width stand for it.
const WIDEST: usize = 300;
/// Quantiles and gains of the first likeness.
const GRID: [(f64, f64); 3] = [(0.1, 10.0), (0.2, 3.0), (0.6, 0.3)];
/// Stages with a start that knows a likeness, at most.
const STAGES: usize = 3;
/// A stage that leaves more than this share of the error is the last one.
const GAIN: f64 = 0.997;
/// The likeness of more lines than this is not looked at.
const LINES: usize = 2_000;
/// The width of tables with many entries.
const NARROW: usize = 32;

/// What is told of flows that choose.
const CHOICE: &str = "flows for the choice";

/// How a table is searched.
pub(super) struct Search<'a> {
    pub(super) settings: &'a CompletionSettings,
    pub(super) seed: u64,
    pub(super) interrupt: Option<&'a Arc<AtomicBool>>,
    pub(super) watch: &'a (dyn Fn(&Stage) + Sync),
}

/// What was chosen: a centring, and starts with their times, one after another.
pub(super) struct Choice {
    pub(super) centring: Centring,
    pub(super) stages: Vec<(Start, f64)>,
    /// The number of entries that the times are meant for.
    count: usize,
    /// Whether the folds hold out holes of the shape that the table has.
    pub(super) lent: bool,
    /// The folds, and their fits in the last stage.
    pub(super) parts: Vec<Part>,
    pub(super) fits: Vec<Fit>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) evaluations: u64,
    /// Whether the search was cut short: the first fold alone has a fit.
    pub(super) interrupted: bool,
}

impl Search<'_> {
    /// Chooses for `entries`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a setting outside its range.
    pub(super) fn choose(&self, entries: &Entries) -> Result<Choice> {
        let (folds, lent) = of_choice(entries, self.seed)?;
        let firsts = self.firsts(entries);
        let told = AtomicUsize::new(0);
        let tried = self.batch(CHOICE, &firsts, &told, |&(centring, start)| {
            let part = Part::new(&folds[0].0, &folds[0].1, centring, self.settings)?;
            let fit = self.flow(&part, start, None)?;
            Ok(fit.map(|fit| (part, fit)))
        })?;
        let mut candidates = Vec::new();
        let mut evaluations = 0;
        let mut best: Option<(usize, Part, Fit)> = None;
        for (place, tried) in tried.into_iter().enumerate() {
            let Some((part, fit)) = tried else { continue };
            let (centring, start) = firsts[place];
            candidates.push(candidate(format!("{}; {}", start.words(), centring.name()), &fit));
            evaluations += fit.evaluations;
            if best.as_ref().is_none_or(|best| fit.error < best.2.error) {
                best = Some((place, part, fit));
            }
        }
        // Whoever interrupts before the first flow has begun gets what it begins with.
        let (place, part, fit) = if let Some(best) = best {
            best
        } else {
            let (centring, start) = firsts[0];
            let part = Part::new(&folds[0].0, &folds[0].1, centring, self.settings)?;
            let fit = self.flow(&part, start, None)?;
            let fit = fit.ok_or_else(|| Error::parameter("a start", "possible", "not"))?;
            (0, part, fit)
        };
        let (centring, start) = firsts[place];
        let mut choice = Choice {
            centring,
            stages: vec![(start, fit.time)],
            count: entries.len(),
            lent,
            parts: vec![part],
            fits: vec![fit],
            candidates,
            evaluations,
            interrupted: false,
        };
        let rest = self.batch(CHOICE, &folds[1..], &told, |(known, held)| {
            let part = Part::new(known, held, centring, self.settings)?;
            let fit = self.flow(&part, start, None)?;
            Ok(fit.map(|fit| (part, fit)))
        })?;
        if self.is_interrupted() {
            return Ok(Choice { interrupted: true, ..choice });
        }
        for (part, fit) in rest.into_iter().flatten() {
            choice.evaluations += fit.evaluations;
            choice.parts.push(part);
            choice.fits.push(fit);
        }
        choice.stages[0].1 = time(&choice.parts, &choice.fits, entries.len());
        let sides = if self.settings.resolved() == Method::Auto { sides(entries) } else { vec![] };
        if !sides.is_empty() {
            self.likenesses(entries, &sides, &mut choice, &told)?;
        }
        Ok(choice)
    }

    /// Flows again from the likeness of lines in the fits of the stage before, as long as it helps.
    fn likenesses(
        &self,
        entries: &Entries,
        sides: &[Side],
        choice: &mut Choice,
        told: &AtomicUsize,
    ) -> Result<()> {
        let mut starts: Vec<Start> = sides
            .iter()
            .flat_map(|&side| GRID.map(|(quantile, gain)| Start::Likeness { side, quantile, gain }))
            .collect();
        let mut error = pooled(&choice.parts, &choice.fits);
        for _ in 0..STAGES {
            let first = (&choice.parts[0], &choice.fits[0].model);
            let tried = self
                .batch(CHOICE, &starts, told, |&start| self.flow(first.0, start, Some(first.1)))?;
            let mut best: Option<(Start, Fit)> = None;
            for (&start, fit) in starts.iter().zip(tried) {
                let Some(fit) = fit else { continue };
                choice.evaluations += fit.evaluations;
                choice.candidates.push(candidate(start.words(), &fit));
                if best.as_ref().is_none_or(|best| fit.error < best.1.error) {
                    best = Some((start, fit));
                }
            }
            choice.interrupted = self.is_interrupted();
            let Some((start, fit)) = best.filter(|_| !choice.interrupted) else { return Ok(()) };
            let others: Vec<usize> = (1..choice.parts.len()).collect();
            let rest = self.batch(CHOICE, &others, told, |&fold| {
                self.flow(&choice.parts[fold], start, Some(&choice.fits[fold].model))
            })?;
            choice.interrupted = self.is_interrupted();
            let fits: Vec<Fit> = std::iter::once(fit).chain(rest.into_iter().flatten()).collect();
            if choice.interrupted || fits.len() < choice.parts.len() {
                return Ok(());
            }
            choice.evaluations += fits[1..].iter().map(|fit| fit.evaluations).sum::<u64>();
            let now = pooled(&choice.parts, &fits);
            if now >= error {
                return Ok(());
            }
            choice.stages.push((start, time(&choice.parts, &fits, entries.len())));
            choice.fits = fits;
            if now.sqrt() > GAIN * error.sqrt() {
                return Ok(());
            }
            error = now;
            if let Start::Likeness { side, quantile, gain } = start {
                starts = [0.5, 1.0]
                    .map(|f| Start::Likeness { side, quantile: f * quantile, gain })
                    .into();
            }
        }
        Ok(())
    }

    /// Fits `entries` by what was chosen; `last` is what the last fit records and where. None if it was interrupted before that one.
    ///
    /// # Errors
    /// As [`Search::choose`].
    pub(super) fn refit<'t>(
        &self,
        choice: &Choice,
        entries: &Entries,
        last: impl FnOnce(Trainer<'t>) -> Trainer<'t>,
    ) -> Result<Option<(Part, Fit)>> {
        let nothing = entries.take(&[]);
        let part = Part::new(entries, &nothing, choice.centring, self.settings)?;
        let mut model: Option<DeepLinear> = None;
        let (end, before) = choice.stages.split_last().ok_or_else(|| none("stage"))?;
        let later = (choice.count as f64 / entries.len() as f64).sqrt();
        for &(start, time) in before {
            let from = start.model(entries.shape(), model.as_ref(), self.seed)?;
            let from = from.ok_or_else(|| none("start"))?;
            let fit = part.fit(from, Some(later * time), self.settings, self.interrupt, |t| t)?;
            model = Some(fit.model);
        }
        if self.is_interrupted() {
            return Ok(None);
        }
        let from = end.0.model(entries.shape(), model.as_ref(), self.seed)?;
        // Where all lines have become the same in the fit to all entries, the stage before is the answer.
        let Some(from) = from else {
            let model = model.ok_or_else(|| none("start"))?;
            let fit = part.fit(model, Some(0.0), self.settings, self.interrupt, last)?;
            return Ok(Some((part, fit)));
        };
        let fit = part.fit(from, Some(later * end.1), self.settings, self.interrupt, last)?;
        Ok(Some((part, fit)))
    }

    /// A flow from a start to the least validation error.
    fn flow(&self, part: &Part, start: Start, before: Option<&DeepLinear>) -> Result<Option<Fit>> {
        let Some(model) = start.model(part.known.shape(), before, self.seed)? else {
            return Ok(None);
        };
        let fit = part.fit(model, None, self.settings, self.interrupt, |trainer| trainer)?;
        Ok(fit.run.loss.is_finite().then_some(fit))
    }

    /// Runs fits in parallel, one a thread, and tells of each.
    pub(super) fn batch<T: Sync, R: Send>(
        &self,
        what: &str,
        items: &[T],
        told: &AtomicUsize,
        fit: impl Fn(&T) -> Result<Option<R>> + Sync,
    ) -> Result<Vec<Option<R>>> {
        let threads = Some(rayon::current_num_threads());
        let flag = self.interrupt.map(AsRef::as_ref);
        let fits = try_trials(items, threads, flag, |_, item| {
            let answer = fit(item)?;
            let done = 1 + told.fetch_add(1, Ordering::Relaxed);
            let progress = Progress { step: 0, steps: 0, loss: f64::NAN, validation: None };
            (self.watch)(&Stage { what: what.into(), done, total: done + 1, progress });
            Ok(answer)
        })?;
        Ok(fits.into_iter().map(Option::flatten).collect())
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// What the first flows are tried with.
    fn firsts(&self, entries: &Entries) -> Vec<(Centring, Start)> {
        let settings = self.settings;
        let (rows, cols) = entries.shape();
        let side = rows.min(cols);
        let many = entries.len() > MANY;
        if settings.resolved() == Method::Flow {
            let or = |given: &[f64], usual: &[f64]| {
                if given.is_empty() { usual.to_vec() } else { given.to_vec() }
            };
            let depths =
                if settings.depths.is_empty() { vec![2, 3] } else { settings.depths.clone() };
            let scales = or(&settings.init_scales, &[1e-3, 1e-1]);
            let width = settings.width.unwrap_or(if many { NARROW } else { side.min(WIDEST) });
            let centring = if settings.offsets { Centring::Both } else { Centring::None };
            return depths
                .iter()
                .flat_map(|&depth| {
                    scales
                        .iter()
                        .map(move |&scale| (centring, Start::Gaussian { depth, width, scale }))
                })
                .collect();
        }
        let start = match side {
            _ if many => Start::Gaussian { depth: 2, width: NARROW.min(side), scale: SMALL },
            side if side > WIDEST => Start::Gaussian { depth: 2, width: WIDEST, scale: SMALL },
            _ => Start::OneSided { gain: SMALL },
        };
        let centrings = match settings.offsets {
            false => vec![Centring::None],
            true if many => vec![Centring::Both],
            true => vec![Centring::Rows, Centring::Both, Centring::Cols],
        };
        centrings.into_iter().map(|centring| (centring, start)).collect()
    }
}

/// The sides whose likeness is looked at.
fn sides(entries: &Entries) -> Vec<Side> {
    let (rows, cols) = entries.shape();
    if entries.len() > MANY {
        return Vec::new();
    }
    let mut sides = Vec::new();
    if cols <= LINES {
        sides.push(Side::Cols);
    }
    if rows <= LINES {
        sides.push(Side::Rows);
    }
    if sides.len() == 2 {
        sides.push(Side::Both);
    }
    sides
}

/// The mean squared error over what all folds hold out.
fn pooled(parts: &[Part], fits: &[Fit]) -> f64 {
    let held: usize = parts.iter().map(|part| part.held.len()).sum();
    let squares = parts.iter().zip(fits).map(|(part, fit)| fit.error * part.held.len() as f64);
    squares.sum::<f64>() / held as f64
}

/// The time of the flow for `count` entries: the loss is a sum, and noise averages out with the root of their number.
fn time(parts: &[Part], fits: &[Fit], count: usize) -> f64 {
    let share = |part: &Part| (part.known.len() as f64 / count as f64).sqrt();
    let times = parts.iter().zip(fits).map(|(part, fit)| fit.time * share(part));
    times.sum::<f64>() / fits.len() as f64
}

fn none(what: &str) -> Error {
    Error::parameter(format!("the number of {what}s"), "1 or more", 0)
}

fn candidate(start: String, fit: &Fit) -> Candidate {
    Candidate {
        start,
        rate: None,
        steps: fit.run.best.map_or(fit.run.steps, |best| best.0),
        time: Some(fit.time),
        validation_rmse: fit.error.sqrt(),
    }
}
