//! Ctrl-C: the first one asks the fit to stop, the second one ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell expects of a program that Ctrl-C ended.
const ENDED_BY_INTERRUPT: i32 = 130;

/// A flag that the first Ctrl-C sets.
pub(crate) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    #[allow(clippy::exit, reason = "the second Ctrl-C must end the program wherever it is")]
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(ENDED_BY_INTERRUPT);
        }
    };
    // Without a handler Ctrl-C ends the program at once, which is all that is lost.
    let _ = ctrlc::set_handler(handler);
    flag
}
