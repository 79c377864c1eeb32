//! The ratings and the terms out of a publisher's archive.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use deepmf::{Error, Result};
use zip::ZipArchive;

use super::DataSet;

/// More than any of the files has; what is longer is no data set.
const MOST: u64 = 1 << 28;

/// Unpacks what is wanted of `zip` into a new folder in `cache`.
///
/// # Errors
/// [`Error::Data`] if it is no archive or the files are not in there; [`Error::Io`].
pub(super) fn unpack(set: DataSet, zip: &Path, cache: &Path) -> Result<PathBuf> {
    let not = |what: &dyn std::fmt::Display| {
        Error::data(zip, format!("must be the archive of {}, but it is not: {what}", set.name()))
    };
    let file = File::open(zip).map_err(|error| Error::io(zip, "read", error))?;
    let mut archive = ZipArchive::new(file).map_err(|error| not(&error))?;
    let folder = cache.join(format!("{}.{}.part", set.name(), std::process::id()));
    let mut write = || {
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, "create", error))?;
        for name in [set.ratings_file(), set.terms_file()] {
            let inside = format!("{}/{name}", set.name());
            let mut member = archive.by_name(&inside).map_err(|error| not(&error))?.take(MOST);
            let path = folder.join(name);
            let mut out = File::create(&path).map_err(|error| Error::io(&path, "write", error))?;
            io::copy(&mut member, &mut out).map_err(|error| not(&error))?;
            out.sync_all().map_err(|error| Error::io(&path, "write", error))?;
        }
        Ok(())
    };
    match write() {
        Ok(()) => Ok(folder),
        Err(error) => {
            let _ = fs::remove_dir_all(&folder);
            Err(error)
        }
    }
}
