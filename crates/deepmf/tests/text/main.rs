//! Text tables: what is found out about them, what real ones hold, and that writing gives back what was read.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panic and say what they skip"
)]

mod form;
mod real;
mod round_trip;

use deepmf::data::{ReadOptions, Table, read_with};

/// Reads `text` as a file would be.
fn parsed(text: impl AsRef<[u8]>, options: &ReadOptions) -> deepmf::Result<Table> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.txt");
    std::fs::write(&path, text).unwrap();
    read_with(path, options)
}
