//! Completion by flows: chosen by cross-validation, fitted again to all entries.

use super::completion::{Completion, Fitted, LEAST_TO_SPLIT};
use super::cross_validation::{Choice, Search};
use super::measured::Measured;
use super::part::{Fit, Part};
use super::selection::Stage;
use super::{Offsets, ensemble};
use crate::Result;
use crate::data::{Entries, split};
use crate::model::DeepLinear;
use crate::train::{Probe, Run, StopReason, Trainer};

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
        let apart = apart.as_ref();
        if choice.interrupted {
            return self.by_folds(choice, entries, apart, None);
        }
        let tried = choice.candidates.len();
        let last = |trainer| self.last(trainer, probes, watch, tried);
        let Some((part, fit)) = search.refit(&choice, entries, last)? else {
            return self.by_folds(choice, entries, apart, None);
        };
        if settings.ensemble || fit.run.reason == StopReason::Interrupted {
            return self.by_folds(choice, entries, apart, Some(fit));
        }
        let calibrated = search.calibrate(&choice, known, tried + 1)?;
        let mut evaluations = choice.evaluations + fit.evaluations;
        let mut held = match &calibrated {
            Some((parts, fits)) => {
                evaluations += fits.iter().map(|fit| fit.evaluations).sum::<u64>();
                self.out_of_fold(parts, fits)
            }
            None => self.out_of_fold(&choice.parts, &choice.fits),
        };
        if let Some((known, apart)) = apart
            && let Some((part, fit)) = search.refit(&choice, known, |trainer| trainer)?
        {
            evaluations += fit.evaluations;
            held.replace(self, &fit.model, &part.offsets, known, apart);
        }
        let fitted = chosen(choice, held, fit.model, fit.run, part.offsets);
        Ok(Fitted { evaluations, ..fitted })
    }

    /// The answer by the mean of what was fitted to the folds, where that was asked for, or where an interrupt has left no other.
    fn by_folds(
        &self,
        choice: Choice,
        entries: &Entries,
        apart: Option<&(Entries, Entries)>,
        last: Option<Fit>,
    ) -> Result<Fitted> {
        let nothing = entries.take(&[]);
        let Part { offsets, .. } = Part::new(entries, &nothing, choice.centring, &self.settings)?;
        let model = ensemble::mean(&choice.parts, &choice.fits, &offsets)?;
        let mut held = self.out_of_fold(&choice.parts, &choice.fits);
        if let Some((known, apart)) = apart {
            held.replace(self, &model, &offsets, known, apart);
        }
        let evaluations = choice.evaluations + last.as_ref().map_or(0, |fit| fit.evaluations);
        let run = last.map_or_else(
            || Run { reason: StopReason::Interrupted, ..choice.fits[0].run.clone() },
            |fit| fit.run,
        );
        let warnings = if run.reason == StopReason::Interrupted {
            let folds = choice.fits.len();
            vec![format!(
                "interrupted before all entries were fitted: the answers are the mean of fits to {folds} fold{}",
                if folds == 1 { "" } else { "s" }
            )]
        } else {
            Vec::new()
        };
        Ok(Fitted { evaluations, warnings, ..chosen(choice, held, model, run, offsets) })
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
        // There is nothing to flow.
        let run = Run { reason: StopReason::ObjectiveSettled, ..fit.run };
        let warning = format!(
            "fewer than {LEAST_TO_SPLIT} known entries: only offsets are predicted, and their error is not known"
        );
        Ok(Fitted {
            start: format!("zero; {}", centring.name()),
            warnings: vec![warning],
            ..Fitted::plain(fit.model, run, part.offsets)
        })
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

/// What is told of a choice beside the answer.
fn chosen(
    choice: Choice,
    held: Measured,
    model: DeepLinear,
    mut run: Run,
    offsets: Offsets,
) -> Fitted {
    // The time was the validation's choice, and so is the reason.
    if matches!(run.reason, StopReason::Event | StopReason::StepsDone) {
        run.reason = StopReason::ValidationWorse;
    }
    let start = choice.stages.last().map(|stage| stage.0);
    let words = start.map(|start| start.words()).unwrap_or_default();
    Fitted {
        start: format!("{words}; {}", choice.centring.name()),
        init_scale: start.map_or(0.0, |start| start.scale()),
        candidates: choice.candidates,
        rmse: Some(held.rmse),
        baselines: Some(held.baselines),
        held: held.cells,
        intervals: held.intervals,
        ..Fitted::plain(model, run, offsets)
    }
}
