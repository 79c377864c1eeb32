//! When training ends, and how that is told.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Room;

/// How a run ended. Its text says what to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The loss is at or below the bound.
    LossReached,
    /// The norm of the gradient is at or below the bound.
    GradientVanished,
    /// The loss no longer changes.
    ObjectiveSettled,
    /// The validation error has not improved for long enough.
    ValidationWorse,
    /// A plateau was detected.
    Plateau,
    /// An event that was asked for.
    Event,
    /// The relative duality gap is at or below the bound.
    GapClosed,
    /// All steps were made.
    StepsDone,
    /// The time is up.
    TimeUp,
    /// Someone asked to stop.
    Interrupted,
    /// The loss is no longer finite.
    Diverged,
}

impl StopReason {
    /// The name in files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::LossReached => "loss-reached",
            Self::GradientVanished => "gradient-vanished",
            Self::ObjectiveSettled => "objective-settled",
            Self::ValidationWorse => "validation-worse",
            Self::Plateau => "plateau",
            Self::Event => "event",
            Self::GapClosed => "gap-closed",
            Self::StepsDone => "steps-done",
            Self::TimeUp => "time-up",
            Self::Interrupted => "interrupted",
            Self::Diverged => "diverged",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LossReached => "the loss reached its bound",
            Self::GradientVanished => "the gradient vanished",
            Self::ObjectiveSettled => "the loss no longer changes",
            Self::ValidationWorse => {
                "the validation error stopped improving; the best iterate was kept"
            }
            Self::Plateau => "the loss reached a plateau; it may still fall after many more steps",
            Self::Event => "the event that was asked for happened",
            Self::GapClosed => {
                "the duality gap reached its bound: the solution is optimal within it"
            }
            Self::StepsDone => "all steps were made; more steps may lower the loss further",
            Self::TimeUp => "the time is up; more time may lower the loss further",
            Self::Interrupted => {
                "interrupted; --resume goes on from the checkpoint of the run folder"
            }
            Self::Diverged => {
                "the loss is no longer finite; a smaller rate or initial scale may help"
            }
        })
    }
}

/// When to stop: the first rule that is met ends the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    pub(super) steps: u64,
    loss_below: Option<f64>,
    gradient_below: Option<f64>,
    settled: Option<(f64, usize)>,
    time: Option<Duration>,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// After 100,000 steps.
    pub fn new() -> Self {
        let (loss_below, gradient_below, settled, time) = (None, None, None, None);
        Self { steps: 100_000, loss_below, gradient_below, settled, time }
    }

    /// After so many steps.
    #[must_use]
    pub fn steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// When the loss is at or below `bound`.
    #[must_use]
    pub fn loss_below(self, bound: f64) -> Self {
        Self { loss_below: Some(bound), ..self }
    }

    /// When the Euclidean norm of the gradient is at or below `bound`.
    #[must_use]
    pub fn gradient_below(self, bound: f64) -> Self {
        Self { gradient_below: Some(bound), ..self }
    }

    /// When the loss changed by less than `change` times itself over the last `window` steps.
    #[must_use]
    pub fn settled(self, change: f64, window: usize) -> Self {
        Self { settled: Some((change, window.max(1))), ..self }
    }

    /// After so much time. Where a run stops then depends on the machine.
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Whether all shards of a run see the same numbers, and so stop at the same step.
    pub(super) fn is_shared(&self) -> bool {
        self.gradient_below.is_none() && self.time.is_none()
    }
}

/// Watches the rules along a run.
#[derive(Debug, Default)]
pub(super) struct Watch {
    losses: VecDeque<f64>,
}

impl Watch {
    pub(super) fn losses(&self) -> Vec<f64> {
        self.losses.iter().copied().collect()
    }

    pub(super) fn restore(&mut self, losses: Vec<f64>) {
        self.losses = losses.into();
        // The step that was reached is evaluated again.
        self.losses.pop_back();
    }

    pub(super) fn check(
        &mut self,
        stop: &Stop,
        step: u64,
        room: &Room,
        elapsed: Duration,
    ) -> Option<StopReason> {
        if !room.loss.is_finite() {
            return Some(StopReason::Diverged);
        }
        if stop.loss_below.is_some_and(|bound| room.loss <= bound) {
            return Some(StopReason::LossReached);
        }
        if stop.gradient_below.is_some_and(|bound| room.gradient.numbers().norm() <= bound) {
            return Some(StopReason::GradientVanished);
        }
        if let Some((change, window)) = stop.settled {
            if self.losses.len() > window {
                self.losses.pop_front();
            }
            self.losses.push_back(room.loss);
            if self.losses.len() > window {
                let before = self.losses[0];
                if (before - room.loss).abs() <= change * room.loss.abs() {
                    return Some(StopReason::ObjectiveSettled);
                }
            }
        }
        if step >= stop.steps {
            return Some(StopReason::StepsDone);
        }
        (stop.time.is_some_and(|time| elapsed >= time)).then_some(StopReason::TimeUp)
    }
}
