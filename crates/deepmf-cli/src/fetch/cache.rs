//! The folder that keeps what was fetched, and folders that are replaced whole.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use deepmf::{Error, Result};

/// The cache of this program: `DEEPMF_CACHE`, else `deepmf` in the user's cache by `XDG_CACHE_HOME`, `LOCALAPPDATA` or `HOME`.
///
/// # Errors
/// [`Error::Parameter`] if none of them is set.
pub(super) fn folder() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative path there is to be ignored (XDG Base Directory Specification).
    let whole = |name: &str| set(name).filter(|path| path.is_absolute());
    set("DEEPMF_CACHE")
        .or_else(|| whole("XDG_CACHE_HOME").map(|path| path.join("deepmf")))
        .or_else(|| whole("LOCALAPPDATA").map(|path| path.join("deepmf").join("cache")))
        .or_else(|| whole("HOME").map(|path| path.join(".cache").join("deepmf")))
        .ok_or_else(|| Error::parameter("DEEPMF_CACHE", "set where there is no HOME", "not"))
}

/// Puts the folder `new` in the place of `old`, which may be there.
///
/// # Errors
/// [`Error::Io`]; `old` is then as it was.
pub(super) fn replace(new: &Path, old: &Path) -> Result<()> {
    let aside = old.with_extension(format!("{}.old", std::process::id()));
    let had = old.exists();
    let swap = || {
        if had {
            fs::rename(old, &aside)?;
        }
        fs::rename(new, old)
    };
    swap().map_err(|error| {
        // The error that is told is the first one.
        let _ = if had { fs::rename(&aside, old) } else { Ok(()) };
        let _ = fs::remove_dir_all(new);
        Error::io(old, "write", error)
    })?;
    let _ = if had { fs::remove_dir_all(&aside) } else { Ok(()) };
    Ok(())
}
