//! Files are replaced whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// Writes `bytes` to `path`: beside it first, then synced, then renamed, so that no reader sees half a file.
///
/// # Errors
/// [`Error::Io`]; the old file, if any, is then still there.
pub fn write_whole(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let mut beside: OsString = path.as_os_str().into();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = Path::new(&beside);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(beside, path)
    };
    write().map_err(|source| {
        // The error that is reported is the first one.
        let _ = fs::remove_file(beside);
        Error::io(path, "write", source)
    })
}
