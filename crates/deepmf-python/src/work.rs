//! Work without the lock of the interpreter, which goes on hearing signals and telling progress.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, scope};
use std::time::Duration;

use deepmf::apps::Stage;
use deepmf::{Error, Result};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::failure::{raised, slipped};

/// How often signals are looked for.
const BEAT: Duration = Duration::from_millis(50);
/// The stack of a worker: that of a main thread.
const STACK: usize = 8 << 20;

/// Where work hears that it should stop, and says how far it is.
pub(crate) struct Desk {
    flag: Arc<AtomicBool>,
    notes: Sender<Stage>,
}

impl Desk {
    /// The flag that asks to stop.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.flag.clone()
    }

    /// Who is told of stages.
    pub(crate) fn watch(&self) -> impl FnMut(&Stage) + Send + 'static {
        let notes = self.notes.clone();
        move |stage: &Stage| {
            // Nobody listens any more: then nobody needs to know.
            let _ = notes.send(stage.clone());
        }
    }
}

/// Does `job` beside the interpreter. Gives what came of it, and whether Ctrl-C stopped it; the caller raises
/// `KeyboardInterrupt` once the result is kept.
///
/// # Errors
/// What the job gives, as an exception; what `told` or a signal handler raised.
pub(crate) fn stoppable<T: Send>(
    py: Python<'_>,
    told: Option<&Bound<'_, PyAny>>,
    job: impl FnOnce(&Desk) -> Result<T> + Send,
) -> PyResult<(T, bool)> {
    let flag = Arc::new(AtomicBool::new(false));
    let (notes, heard) = channel();
    let (result, done) = channel();
    let desk = Desk { flag: flag.clone(), notes };
    let work = move || {
        let got = catch_unwind(AssertUnwindSafe(|| job(&desk)));
        // The receiver outlives the thread.
        let _ = result.send(got);
    };
    let done = Mutex::new(done);
    scope(|scope| {
        let thread = Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.map_err(|e| raised(&Error::io("a thread", "start", e)))?;
        let mut cause: Option<PyErr> = None;
        let got = loop {
            let got = py.detach(|| wait(&done));
            let more = told.map_or(Ok(()), |told| tell(told, &heard));
            let said = more.and_then(|()| if got.is_none() { py.check_signals() } else { Ok(()) });
            if let Err(error) = said {
                flag.store(true, Ordering::Relaxed);
                cause.get_or_insert(error);
            }
            if let Some(got) = got {
                break got;
            }
        };
        let kept = match got {
            Ok(kept) => kept,
            Err(payload) => return Err(slipped(&*payload)),
        };
        match (kept, cause) {
            (Ok(kept), None) => Ok((kept, false)),
            (Ok(kept), Some(cause)) if cause.is_instance_of::<PyKeyboardInterrupt>(py) => {
                Ok((kept, true))
            }
            (_, Some(cause)) => Err(cause),
            (Err(error), None) => Err(raised(&error)),
        }
    })
}

type Got<T> = std::thread::Result<Result<T>>;

/// What came of the job, if it came within a beat.
fn wait<T>(done: &Mutex<Receiver<Got<T>>>) -> Option<Got<T>> {
    match done.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(BEAT) {
        Ok(got) => Some(got),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => {
            Some(Err(Box::new("the worker ended without a result")))
        }
    }
}

/// Tells the newest of the stages that came since.
fn tell(told: &Bound<'_, PyAny>, heard: &Receiver<Stage>) -> PyResult<()> {
    let Some(stage) = heard.try_iter().last() else { return Ok(()) };
    let Stage { what, done, total, progress } = stage;
    told.call1((what, done, total, progress.step, progress.steps, progress.loss))?;
    Ok(())
}

/// Short work without the lock of the interpreter.
///
/// # Errors
/// What the job gives, as an exception.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    job: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(job))) {
        Ok(kept) => kept.map_err(|error| raised(&error)),
        Err(payload) => Err(slipped(&*payload)),
    }
}
