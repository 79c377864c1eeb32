//! The only place that prints: data to stdout, talk to stderr.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use deepmf::Error;
use deepmf::report::Table;

use crate::failure::Failure;

/// Talk to whoever sits at the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    quiet: bool,
}

impl Talk {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether a progress bar may be drawn.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// One line of talk.
    pub(crate) fn line(self, text: &str) {
        if !self.quiet {
            to_stderr(&format!("{text}\n"));
        }
    }

    /// What the user should know.
    pub(crate) fn warning(self, text: &str) {
        if !self.quiet {
            to_stderr(&format!("{} {text}\n", painted("warning:", "33")));
        }
    }

    /// A table.
    pub(crate) fn table(self, table: &Table) {
        self.line(&table.text());
    }
}

/// Why nothing was done: the chain of causes, one a line, then what may help.
pub(crate) fn failure(failure: &Failure) {
    let mut text = String::new();
    for (place, cause) in failure.causes().iter().enumerate() {
        let head = if place == 0 { painted("error:", "31") } else { "  because:".into() };
        text += &format!("{head} {cause}\n");
    }
    if let Some(hint) = failure.hint() {
        text += &format!("{} {hint}\n", painted("hint:", "36"));
    }
    to_stderr(&text);
}

/// Writes data to stdout; a reader that went away is no error.
pub(crate) fn stdout(bytes: &[u8]) -> deepmf::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io(Path::new("stdout"), "write", error))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object to stdout.
pub(crate) fn json(value: &serde_json::Value) -> deepmf::Result<()> {
    stdout(format!("{value:#}\n").as_bytes())
}

fn painted(word: &str, colour: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain || !std::io::stderr().is_terminal() {
        return word.into();
    }
    format!("\u{1b}[1;{colour}m{word}\u{1b}[0m")
}

fn to_stderr(text: &str) {
    // Nobody can be told that nobody listens.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
