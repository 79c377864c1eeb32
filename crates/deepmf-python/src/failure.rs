//! Errors of the library as exceptions of Python: bad input, the system's refusals, and our own slips.

use std::any::Any;

use deepmf::Error;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::{PyErr, create_exception};

create_exception!(
    deepmf,
    DeepmfError,
    PyRuntimeError,
    "A computation that could not be finished: numbers that are no longer finite, or a slip of deepmf itself."
);

/// The exception that says the same.
pub(crate) fn raised(error: &Error) -> PyErr {
    let words = error.to_string();
    match error {
        Error::Io { source, .. } => match source.raw_os_error() {
            Some(code) => PyOSError::new_err((code, words)),
            None => PyOSError::new_err(words),
        },
        Error::NotFinite { .. } => DeepmfError::new_err(words),
        _ => PyValueError::new_err(words),
    }
}

/// What a panic said.
pub(crate) fn slipped(payload: &(dyn Any + Send)) -> PyErr {
    let words = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("without a word");
    DeepmfError::new_err(format!("a slip of deepmf itself, please report it: {words}"))
}
