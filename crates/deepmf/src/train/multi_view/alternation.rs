//! The one loop of all methods: sweep after sweep, until the objective settles.

use std::sync::atomic::Ordering;

use super::{Fused, MultiView};
use crate::Result;
use crate::train::{StopReason, Trajectory};

/// Sweeps before the change of the objective may end the alternation.
const LEAST_SWEEPS: usize = 3;

/// What moves block after block.
pub(super) trait Alternation {
    /// The names of what is recorded after the sweep and the objective.
    fn columns(&self) -> Vec<String>;

    /// What is recorded: the objective, then a number for each of [`Alternation::columns`].
    fn row(&self) -> Vec<f64>;

    /// Moves every block once.
    fn sweep(&mut self) -> Result<()>;

    /// Between two sweeps: what changes the objective itself.
    fn adapt(&mut self) {}

    /// What came of it; trajectory and reason are filled in by the loop.
    fn finished(&self) -> Result<Fused>;
}

/// Sweeps until the objective settles, the sweeps are made, or someone asks to stop.
pub(super) fn alternate(method: &MultiView, at: &mut dyn Alternation) -> Result<Fused> {
    let settings = &method.settings;
    let mut columns: Vec<String> = ["sweep", "objective"].map(String::from).into();
    columns.extend(at.columns());
    let mut trajectory = Trajectory::new(columns);
    let record = |trajectory: &mut Trajectory, sweep: usize, row: &[f64]| {
        trajectory.push([&[sweep as f64], row].concat());
    };
    let mut before = at.row()[0];
    record(&mut trajectory, 0, &at.row());
    let mut reason = StopReason::StepsDone;
    for sweep in 1..=settings.sweeps {
        if method.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            reason = StopReason::Interrupted;
            break;
        }
        at.sweep()?;
        let row = at.row();
        record(&mut trajectory, sweep, &row);
        if !row[0].is_finite() {
            reason = StopReason::Diverged;
            break;
        }
        if sweep >= LEAST_SWEEPS && (before - row[0]).abs() <= settings.tolerance * row[0].abs() {
            reason = StopReason::ObjectiveSettled;
            break;
        }
        at.adapt();
        before = at.row()[0];
    }
    let fused = at.finished()?;
    Ok(Fused { trajectory, reason, ..fused })
}
