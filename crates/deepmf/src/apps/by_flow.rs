//! Completion by flows: chosen by cross-validation, fitted again to all entries.

use std::sync::atomic::Ordering;

use super::cell::{HeldOut, constrained};
use super::completion::{Completion, Fitted, LEAST_TO_SPLIT};
use super::conformal::{Intervals, Miss};
use super::cross_validation::{Choice, Search};
use super::part::{Fit, Part, answers};
use super::selection::Stage;
use super::{Baselines, Offsets, ensemble};
use crate::Result;
use crate::data::{Entries, split};
use crate::model::DeepLinear;
use crate::train::{Probe, Run, StopReason, Trainer};

/// Errors are counted in so many groups where a single fold gives them.
const GROUPS: usize = 5;

impl Completion<'_> {
    /// Chooses centring, starts and time by cross-validation, then fits all entries.
    pub(super) fn by_flow(
        &self,
        entries: &Entries,
        probes: &[Probe],
        watch: &(dyn Fn(&Stage) + Sync),
    ) -> Result<Fitted> {
        let settings = &self.settings;
        let interrupt = self.interrupt.as_ref();
        let search = Search { settings, seed: self.seed, interrupt, watch };
        if entries.len() < LEAST_TO_SPLIT {
            return self.by_offsets(entries);
        }
        let apart = settings.holdout.filter(|share| *share > 0.0);
        let apart = apart.map(|share| split(entries, share, self.seed)).transpose()?;
        let known = apart.as_ref().map_or(entries, |(known, _)| known);
        if known.len() < LEAST_TO_SPLIT {
            return self.by_offsets(entries);
        }
        let choice = search.choose(known)?;
        let parts = choice.candidates.len();
        let last = |trainer| self.last(trainer, probes, watch, parts);
        let interrupted = || interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed));
        // A choice that was cut short is answered by the best that it has; it leaves no checkpoint.
        if choice.interrupted || interrupted() && self.folder.is_none() {
            return Ok(self.cut_short(choice, entries));
        }
        let mut held = self.out_of_fold(&choice);
        let mut evaluations = choice.evaluations;
        if let Some((known, apart)) = &apart {
            let (model, offsets) = if settings.ensemble {
                let part = Part::new(known, &known.take(&[]), choice.centring, settings)?;
                (ensemble::mean(&choice.parts, &choice.fits, &part.offsets)?, part.offsets)
            } else {
                let (part, fit) = search.refit(&choice, known, |trainer| trainer)?;
                evaluations += fit.evaluations;
                (fit.model, part.offsets)
            };
            held.measure(self, &model, &offsets, known, apart);
        }
        let (part, fit) = search.refit(&choice, entries, last)?;
        evaluations += fit.evaluations;
        let Fit { model, mut run, .. } = fit;
        // The time was the validation's choice, and so is the reason.
        if matches!(run.reason, StopReason::Event | StopReason::StepsDone) {
            run.reason = StopReason::ValidationWorse;
        }
        let model = if settings.ensemble {
            ensemble::mean(&choice.parts, &choice.fits, &part.offsets)?
        } else {
            model
        };
        let start = choice.stages.last().map(|stage| stage.0);
        let words = start.map(|start| start.words()).unwrap_or_default();
        Ok(Fitted {
            model,
            run,
            offsets: part.offsets,
            start: format!("{words}; {}", choice.centring.name()),
            init_scale: start.map_or(0.0, |start| start.scale()),
            rate: None,
            candidates: choice.candidates,
            rmse: Some(held.rmse),
            baselines: Some(held.baselines),
            held: held.cells,
            intervals: held.intervals,
            evaluations,
            gap: None,
            warnings: Vec::new(),
        })
    }

    /// The answer where there are too few entries to learn anything else from.
    fn by_offsets(&self, entries: &Entries) -> Result<Fitted> {
        let centring = if self.settings.offsets {
            super::offsets::Centring::Both
        } else {
            super::offsets::Centring::None
        };
        let part = Part::new(entries, &entries.take(&[]), centring, &self.settings)?;
        let model = DeepLinear::with_width(entries.shape(), 2, 1)?;
        let fit = part.fit(model, Some(0.0), &self.settings, None, |trainer| trainer)?;
        let warning = format!(
            "fewer than {LEAST_TO_SPLIT} known entries: only offsets are predicted, and their error is not known"
        );
        Ok(Fitted {
            start: format!("zero; {}", centring.name()),
            warnings: vec![warning],
            ..Fitted::plain(fit.model, fit.run, part.offsets)
        })
    }

    fn cut_short(&self, mut choice: Choice, entries: &Entries) -> Fitted {
        choice.parts.truncate(1);
        choice.fits.truncate(1);
        let held = self.out_of_fold(&choice);
        let (part, fit) = (choice.parts.swap_remove(0), choice.fits.swap_remove(0));
        let start = choice.stages.last().map(|stage| stage.0);
        let run = Run { reason: StopReason::Interrupted, ..fit.run };
        Fitted {
            start: start.map(|start| start.words()).unwrap_or_default(),
            init_scale: start.map_or(0.0, |start| start.scale()),
            candidates: choice.candidates,
            rmse: Some(held.rmse),
            baselines: Some(held.baselines),
            held: held.cells,
            intervals: held.intervals.filter(|_| entries.len() >= LEAST_TO_SPLIT),
            evaluations: choice.evaluations,
            gap: None,
            ..Fitted::plain(fit.model, run, part.offsets)
        }
    }

    /// Errors and intervals on what the folds held out.
    fn out_of_fold(&self, choice: &Choice) -> Measured {
        let (mut misses, mut cells) = (Vec::new(), Vec::new());
        let single = choice.parts.len() == 1;
        for (fold, (part, fit)) in choice.parts.iter().zip(&choice.fits).enumerate() {
            let answers = part.answers(&fit.model, &part.held);
            for ((place, (row, col, truth)), value) in part.held.iter().enumerate().zip(answers) {
                let fold = if single { place % GROUPS } else { fold };
                let error = (truth - value).abs() / choice.parts[0].offsets.units[col];
                misses.push(Miss { row, col, error, fold });
                cells.push((row, col, truth, value));
            }
        }
        let shape = choice.parts[0].known.shape();
        let offsets = &choice.parts[0].offsets;
        let asked = self.settings.coverage;
        let intervals = Intervals::fit(&misses, shape, offsets, asked);
        let folds = choice.parts.iter().map(|part| (&part.known, &part.held));
        let baselines = Baselines::pooled(folds);
        let cells = self.held_out(&cells, intervals.as_ref());
        Measured { rmse: rms(&cells), baselines, cells, intervals }
    }

    /// Held-out cells with their answers as they are given.
    pub(super) fn held_out(
        &self,
        cells: &[(usize, usize, f64, f64)],
        intervals: Option<&Intervals>,
    ) -> Vec<HeldOut> {
        let held = |&(row, col, truth, raw): &(usize, usize, f64, f64)| {
            let value = constrained(&self.settings, raw);
            let half = intervals.map(|intervals| intervals.half(row, col));
            let interval = half.map(|half| super::cell::interval(&self.settings, raw, half));
            HeldOut { row, col, truth, value, interval }
        };
        cells.iter().map(held).collect()
    }

    /// What the last fit records and where.
    pub(super) fn last<'t>(
        &'t self,
        mut trainer: Trainer<'t>,
        probes: &[Probe],
        watch: &'t (dyn Fn(&Stage) + Sync),
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
        trainer.every(self.settings.every).watch(move |progress| {
            let what = "all known entries".into();
            watch(&Stage { what, done, total: done + 1, progress: *progress });
        })
    }
}

/// What was measured on held-out entries.
struct Measured {
    rmse: f64,
    baselines: Baselines,
    cells: Vec<HeldOut>,
    intervals: Option<Intervals>,
}

impl Measured {
    /// Replaces what the folds say by what entries say that no choice has seen.
    fn measure(
        &mut self,
        completion: &Completion<'_>,
        model: &DeepLinear,
        offsets: &Offsets,
        known: &Entries,
        apart: &Entries,
    ) {
        let values = answers(model, offsets, apart);
        let cells: Vec<_> =
            apart.iter().zip(values).map(|((i, j, x), value)| (i, j, x, value)).collect();
        self.cells = completion.held_out(&cells, self.intervals.as_ref());
        self.rmse = rms(&self.cells);
        self.baselines = Baselines::measure(known, apart);
        if let Some(intervals) = &mut self.intervals {
            let holds = self.cells.iter().filter(|cell| cell.is_held()).count();
            intervals.coverage = holds as f64 / self.cells.len() as f64;
        }
    }
}

pub(super) fn rms(cells: &[HeldOut]) -> f64 {
    let squares: f64 = cells.iter().map(|cell| (cell.truth - cell.value).powi(2)).sum();
    (squares / cells.len() as f64).sqrt()
}
