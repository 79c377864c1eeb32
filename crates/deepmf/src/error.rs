//! The only error type: what must be what, but is what; where.

use std::fmt;
use std::path::{Path, PathBuf};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing was computed.
///
/// How a computation *ended* is not an error: see [`StopReason`](crate::train::StopReason).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes or lengths that must agree do not.
    #[error("{what} must {have} {expected}, but it has {found}", have = if expected.starts_with('(') { "have shape" } else { "have" })]
    Shape {
        /// What has the wrong shape.
        what: String,
        /// The shape that it must have.
        expected: String,
        /// The shape that it has.
        found: String,
    },
    /// A parameter is outside its allowed range.
    #[error("{name} must be {allowed}, but it is {found}")]
    Parameter {
        /// The parameter's name, as the user wrote it.
        name: String,
        /// What is allowed.
        allowed: String,
        /// What was given.
        found: String,
    },
    /// A file or a table holds something that cannot be used.
    #[error("{}: {problem}", At { path, line: *line, column: *column })]
    Data {
        /// The file, or `-` for standard input.
        path: PathBuf,
        /// Line, counted from 1, where one is known.
        line: Option<u64>,
        /// Column (field) of that line, counted from 1, where one is known.
        column: Option<u64>,
        /// What must be what, but is what.
        problem: String,
    },
    /// An experiment file is not as it must be.
    #[error("{}: {problem}", At { path, line: *line, column: *column })]
    Spec {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1, where one is known.
        line: Option<u64>,
        /// Character of that line, counted from 1, where one is known.
        column: Option<u64>,
        /// What must be what, but is what.
        problem: String,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: `read`, `write` …
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A number that must be finite is not.
    #[error("{what} must be finite, but it is {found}")]
    NotFinite {
        /// Which number.
        what: String,
        /// What it is.
        found: f64,
    },
}

impl Error {
    /// A [`Error::Shape`]: `what` must have `expected`, but has `found`.
    pub fn shape(
        what: impl Into<String>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self::Shape { what: what.into(), expected: expected.to_string(), found: found.to_string() }
    }

    /// A [`Error::Parameter`]: `name` must be `allowed`, but is `found`.
    pub fn parameter(
        name: impl Into<String>,
        allowed: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self::Parameter { name: name.into(), allowed: allowed.into(), found: found.to_string() }
    }

    /// The same about a key in the table `path` of an experiment file, where it is about a parameter or a shape.
    pub(crate) fn below(mut self, path: &str) -> Self {
        if let Self::Parameter { name, .. } | Self::Shape { what: name, .. } = &mut self {
            let joint = if name.contains(' ') {
                format!("{name} of {path}")
            } else {
                format!("{path}.{name}")
            };
            *name = joint;
        }
        self
    }

    /// A [`Error::Data`] about a file as a whole.
    pub fn data(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::Data { path: path.as_ref().into(), line: None, column: None, problem: problem.into() }
    }

    /// A [`Error::Data`] at a line and, if not zero, a column; both count from 1.
    pub fn data_at(
        path: impl AsRef<Path>,
        line: u64,
        column: u64,
        problem: impl Into<String>,
    ) -> Self {
        Self::Data {
            path: path.as_ref().into(),
            line: Some(line),
            column: (column > 0).then_some(column),
            problem: problem.into(),
        }
    }

    /// A [`Error::Io`]: `action` is a verb such as `read` or `write`.
    pub fn io(path: impl AsRef<Path>, action: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().into(), action, source }
    }

    /// Whether the input (data, parameter, spec) is at fault.
    pub fn is_input(&self) -> bool {
        !self.is_io()
    }

    /// Whether the operating system is at fault.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

/// `path:line:column`, with what is known.
struct At<'a> {
    path: &'a Path,
    line: Option<u64>,
    column: Option<u64>,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{place}")?;
        }
        Ok(())
    }
}
