//! What is measured on entries that a fit did not see: errors, baselines, intervals.

use super::cell::{HeldOut, constrained, interval};
use super::completion::Completion;
use super::conformal::{Intervals, Miss};
use super::part::{Fit, Part, answers};
use super::{Baselines, Offsets};
use crate::data::Entries;
use crate::model::DeepLinear;

/// Errors are counted in so many groups where a single fold gives them.
const GROUPS: usize = 5;

/// What was measured on held-out entries.
pub(super) struct Measured {
    pub(super) rmse: f64,
    pub(super) baselines: Baselines,
    pub(super) cells: Vec<HeldOut>,
    pub(super) intervals: Option<Intervals>,
}

impl Completion<'_> {
    /// Errors and intervals on what folds hold out.
    pub(super) fn out_of_fold(&self, parts: &[Part], fits: &[Fit]) -> Measured {
        let (mut misses, mut cells) = (Vec::new(), Vec::new());
        let single = parts.len() == 1;
        for (fold, (part, fit)) in parts.iter().zip(fits).enumerate() {
            let answers = part.answers(&fit.model, &part.held);
            for ((place, (row, col, truth)), value) in part.held.iter().enumerate().zip(answers) {
                let fold = if single { place % GROUPS } else { fold };
                let error = (truth - value).abs() / parts[0].offsets.units[col];
                misses.push(Miss { row, col, error, fold });
                cells.push((row, col, truth, value));
            }
        }
        let shape = parts[0].known.shape();
        let intervals = Intervals::fit(&misses, shape, &parts[0].offsets, self.settings.coverage);
        let baselines = Baselines::pooled(parts.iter().map(|part| (&part.known, &part.held)));
        let cells = self.held_out(&cells, intervals.as_ref());
        Measured { rmse: rms(&cells), baselines, cells, intervals }
    }

    /// Errors and intervals on entries that neither fit nor choice has seen.
    pub(super) fn measure(
        &self,
        model: &DeepLinear,
        offsets: &Offsets,
        known: &Entries,
        held: &Entries,
    ) -> Measured {
        let cells = answered(model, offsets, held);
        let misses: Vec<Miss> = cells
            .iter()
            .enumerate()
            .map(|(place, &(row, col, truth, raw))| {
                let error = (truth - raw).abs() / offsets.units[col];
                Miss { row, col, error, fold: place % GROUPS }
            })
            .collect();
        let intervals = Intervals::fit(&misses, held.shape(), offsets, self.settings.coverage);
        let cells = self.held_out(&cells, intervals.as_ref());
        Measured { rmse: rms(&cells), baselines: Baselines::measure(known, held), cells, intervals }
    }

    /// Held-out cells with their answers as they are given.
    fn held_out(
        &self,
        cells: &[(usize, usize, f64, f64)],
        intervals: Option<&Intervals>,
    ) -> Vec<HeldOut> {
        let held = |&(row, col, truth, raw): &(usize, usize, f64, f64)| {
            let value = constrained(&self.settings, raw);
            let half = intervals.map(|intervals| intervals.half(row, col));
            let interval = half.map(|half| interval(&self.settings, raw, half));
            HeldOut { row, col, truth, value, interval }
        };
        cells.iter().map(held).collect()
    }
}

impl Measured {
    /// Replaces what the folds say by what entries say that no choice has seen; the intervals stay those of the folds.
    pub(super) fn replace(
        &mut self,
        completion: &Completion<'_>,
        model: &DeepLinear,
        offsets: &Offsets,
        known: &Entries,
        apart: &Entries,
    ) {
        let cells = answered(model, offsets, apart);
        self.cells = completion.held_out(&cells, self.intervals.as_ref());
        self.rmse = rms(&self.cells);
        self.baselines = Baselines::measure(known, apart);
        if let Some(intervals) = &mut self.intervals {
            let holds = self.cells.iter().filter(|cell| cell.is_held()).count();
            intervals.coverage = holds as f64 / self.cells.len() as f64;
        }
    }
}

/// Rows, columns, truths and answers.
fn answered(
    model: &DeepLinear,
    offsets: &Offsets,
    held: &Entries,
) -> Vec<(usize, usize, f64, f64)> {
    let values = answers(model, offsets, held);
    held.iter().zip(values).map(|((i, j, x), value)| (i, j, x, value)).collect()
}

fn rms(cells: &[HeldOut]) -> f64 {
    let squares: f64 = cells.iter().map(|cell| (cell.truth - cell.value).powi(2)).sum();
    (squares / cells.len() as f64).sqrt()
}
