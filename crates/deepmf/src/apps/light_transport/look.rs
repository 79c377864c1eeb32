//! Looks at a light while it is fitted.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::linalg::Mat;
use crate::train::Progress;

/// The present light of the seed that leads: the one with the least error of what is held out so far (the least loss, where nothing is).
pub struct LightLook<'a> {
    /// The seed.
    pub seed: u64,
    /// How far its fit is.
    pub progress: Progress,
    pub(super) light: &'a dyn Fn() -> Vec<Mat>,
}

impl LightLook<'_> {
    /// L of each colour, hidden x time, as [`FoundLight::light`](super::FoundLight::light); computed now.
    pub fn light(&self) -> Vec<Mat> {
        (self.light)()
    }
}

/// Whoever looks, one at a time.
type Look<'a> = Box<dyn FnMut(&LightLook<'_>) + Send + 'a>;

pub(super) struct Looks<'a> {
    pub(super) apart: Duration,
    look: Mutex<Look<'a>>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(apart: Duration, look: impl FnMut(&LightLook<'_>) + Send + 'a) -> Self {
        Self { apart, look: Mutex::new(Box::new(look)) }
    }

    /// Shows one, if its seed (the one at `place`) leads; `errors` are those that all seeds had when they were last asked.
    pub(super) fn show(&self, look: &LightLook<'_>, place: usize, errors: &Mutex<Vec<f64>>) {
        let mut shown = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
        let own = look.progress.validation.unwrap_or(look.progress.loss);
        errors[place] = own;
        if errors.iter().all(|other| own <= *other) {
            drop(errors);
            shown(look);
        }
    }
}
