//! Blind inverse light transport: light and transport from their product alone, each written by an untrained decoder.
//!
//! Source: Aittala et al. 2019, "Computational Mirrors: Blind Inverse Light Transport by Deep Matrix Factorization".

mod arrangement;
mod held_out;
mod look;
mod matrix;
mod memory;
mod phase;
mod search;
mod spacing;
mod sparse;
mod subspace;
#[cfg(test)]
mod tests;
mod trial;
mod variation;
mod video;

pub use look::LightLook;
pub use trial::{FoundLight, LightTrial};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use look::Looks;

use super::Stage;
use super::selection::Watch;

/// Finds light and transport from several seeds, and keeps what meets best what is held out.
#[derive(Default)]
pub struct LightTransport<'a> {
    seed: u64,
    interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Watch<'a>>,
    looks: Option<Looks<'a>>,
    folder: Option<PathBuf>,
    resume: bool,
    threads: Option<usize>,
}

impl<'a> LightTransport<'a> {
    /// With seeds from `seed` on.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Tells how far the fits are.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(&Stage) + Send + 'a) -> Self {
        Self { watch: Some(std::sync::Mutex::new(Box::new(watch))), ..self }
    }

    /// Shows the light of the seed that leads while it is fitted, each seed so far apart at least; the fit is the same without it.
    #[must_use]
    pub fn look(self, apart: Duration, look: impl FnMut(&LightLook<'_>) + Send + 'a) -> Self {
        Self { looks: Some(Looks::new(apart, look)), ..self }
    }

    /// Keeps checkpoints of each seed in a folder of its own below this one.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// Goes on from the checkpoints in the folder, where there are some.
    #[must_use]
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    fn threads_or_all(&self) -> usize {
        self.threads.unwrap_or_else(rayon::current_num_threads)
    }

    /// So many threads, which fit several seeds side by side; the answer does not depend on it.
    #[must_use]
    pub fn threads(self, threads: Option<usize>) -> Self {
        Self { threads, ..self }
    }
}
