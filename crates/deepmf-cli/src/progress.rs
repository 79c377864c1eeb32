//! The progress bar.

use deepmf::apps::Stage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Talk;

/// A bar on a terminal, nothing elsewhere.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// What stands at the end of its line.
    note: String,
}

impl Bar {
    pub(crate) fn new(talk: Talk) -> Self {
        if !talk.shows_progress() {
            return Self { bar: ProgressBar::hidden(), note: String::new() };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        Self { bar, note: String::new() }
    }

    /// With `note` at the end of its line.
    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.note = note;
        self
    }

    /// Shows where a fit is.
    pub(crate) fn stage(&self, stage: &Stage) {
        let progress = &stage.progress;
        self.bar.set_prefix(format!("{}/{}", stage.done, stage.total));
        self.bar.set_length(progress.steps);
        self.bar.set_position(progress.step);
        self.bar.set_message(format!("{}: loss {:.3e}{}", stage.what, progress.loss, self.note));
    }

    /// Shows how many trials are done.
    pub(crate) fn count(&self, what: &str, done: usize, total: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(what.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
