//! Many seeded trials in parallel, one a thread: choices among settings, folds, restarts and sweeps.

use rayon::prelude::*;

/// Runs `trial` on every item; results come in the order of the items, whatever the number of threads.
pub fn trials<T: Sync, R: Send>(items: &[T], trial: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    items.par_iter().enumerate().map(|(place, item)| trial(place, item)).collect()
}
