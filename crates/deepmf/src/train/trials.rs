//! Many seeded trials in parallel, one a thread: choices among settings, folds, restarts and sweeps.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::prelude::*;

use crate::{Error, Result};

/// Runs `trial` on every item; results come in the order of the items, whatever the number of threads.
pub fn trials<T: Sync, R: Send>(items: &[T], trial: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    items.par_iter().enumerate().map(|(place, item)| trial(place, item)).collect()
}

/// Runs `run(place, item)` for every item, each on one thread, and gives the answers in the order of the items.
///
/// `threads` is the number of threads, by default as many as the processor has. Within an item everything runs on its
/// own thread (or, where there are fewer items than threads, on its own share of them), so that no item waits for
/// another one's work; the numbers are the same in any case. Once `interrupt` is set or an item has failed, no further item is begun:
/// its answer is `None`.
///
/// # Errors
/// The error of the first item, in their order, that failed.
///
/// ```
/// let squares = deepmf::train::try_trials(&[1, 2, 3], None, None, |_, x| Ok(x * x))?;
/// assert_eq!(squares, [Some(1), Some(4), Some(9)]);
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn try_trials<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    interrupt: Option<&AtomicBool>,
    run: impl Fn(usize, &T) -> Result<R> + Sync,
) -> Result<Vec<Option<R>>> {
    let threads =
        threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    if threads == 0 {
        return Err(Error::parameter("threads", "1 or more", threads));
    }
    let workers = threads.min(items.len()).max(1);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let answers: Vec<Mutex<Option<Result<R>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let pools = (0..workers)
        .map(|worker| pool(threads / workers + usize::from(worker < threads % workers)))
        .collect::<Result<Vec<_>>>()?;
    let work = || {
        while !failed.load(Ordering::Relaxed)
            && !interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { break };
            let answer = run(place, item);
            failed.fetch_or(answer.is_err(), Ordering::Relaxed);
            *answers[place].lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    };
    // Plain threads share out the items: a worker of one common pool would take up a second item while it waits for
    // the products of its first.
    thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(work));
        }
    });
    let answers =
        answers.into_iter().map(|a| a.into_inner().unwrap_or_else(PoisonError::into_inner));
    answers.map(Option::transpose).collect()
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| {
        Error::parameter("threads", "as many as can be started", format!("{threads}: {e}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..50).collect();
        for threads in [1, 2, 7] {
            let answers =
                try_trials(&items, Some(threads), None, |place, item| Ok(place + item)).unwrap();
            assert!(answers.iter().enumerate().all(|(place, answer)| *answer == Some(2 * place)));
        }
    }

    #[test]
    fn an_interrupt_begins_nothing_new() {
        let flag = AtomicBool::new(false);
        let answers = try_trials(&[0, 1, 2, 3], Some(1), Some(&flag), |place, _| {
            flag.store(place == 1, Ordering::Relaxed);
            Ok(place)
        });
        assert_eq!(answers.unwrap(), [Some(0), Some(1), None, None]);
    }

    #[test]
    fn the_first_error_comes_back() {
        let failing = |place: usize, (): &()| match place {
            2 => Err(Error::parameter("depth", "1 or more", 0)),
            _ => Ok(()),
        };
        let error = try_trials(&[(); 5], Some(1), None, failing).unwrap_err();
        assert_eq!(error.to_string(), "depth must be 1 or more, but it is 0");
        assert!(try_trials(&[(); 5], Some(0), None, failing).is_err());
    }

    #[test]
    fn each_item_has_its_share_of_the_threads() {
        let count = |items: usize, threads| {
            let counts = try_trials(&vec![(); items], Some(threads), None, |_, ()| {
                Ok(rayon::current_num_threads())
            });
            counts.unwrap().into_iter().flatten().max()
        };
        assert_eq!((count(4, 2), count(1, 2), count(2, 4)), (Some(1), Some(2), Some(2)));
    }
}
