//! Events of a flow: moments that are found between steps, on the interpolated path.

use crate::linalg::{leading_singular, sum_of_squares};
use crate::model::Model;
use crate::train::Room;

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// The loss falls to a level.
    Loss(f64),
    /// The loss settles on a plateau: ‖∇‖²/ℓ, the rate at which ln ℓ falls along the flow, falls to a level.
    Plateau(f64),
    /// A singular value of the product rises to a level.
    SingularValue {
        /// Which, counted from 1 for the largest.
        index: usize,
        /// The level.
        level: f64,
    },
}

/// An event that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occurrence {
    /// The event.
    pub event: Event,
    /// When, in the time of the flow.
    pub time: f64,
}

impl Event {
    /// What rises through zero when the event happens, at a model that `room` has been evaluated at.
    ///
    /// NaN where a decomposition fails: then nothing happens.
    pub(super) fn height(self, model: &dyn Model, room: &mut Room) -> f64 {
        match self {
            Self::Loss(level) => level - room.loss,
            Self::Plateau(level) => {
                level - sum_of_squares(room.gradient.values()) / room.loss.max(f64::MIN_POSITIVE)
            }
            Self::SingularValue { index, level } => {
                let values = leading_singular(&model.forward(&mut room.pass), index);
                values.ok().and_then(|s| s.get(index - 1).map(|s| s - level)).unwrap_or(f64::NAN)
            }
        }
    }
}
