//! Data sets from their publishers: downloaded into the user's cache, checked, and unpacked whole or not at all.

mod archive;
mod cache;
mod catalogue;
mod download;

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::data::{ReadOptions, read_with};
use deepmf::{Error, Result};

use crate::failure::Failure;
use crate::output::Talk;

pub(crate) use catalogue::{DataSet, PUBLISHER};

/// A data set in the cache.
pub(crate) struct Fetched {
    /// The file of the ratings.
    pub(crate) path: PathBuf,
    /// The publisher's terms.
    pub(crate) terms: PathBuf,
    /// Its ratings, rows and columns.
    pub(crate) ratings: usize,
    pub(crate) shape: (usize, usize),
    /// Size of the file.
    pub(crate) bytes: u64,
    /// Whether a download that had broken off was taken up.
    pub(crate) resumed: bool,
    /// Whether it was in the cache already.
    pub(crate) was_there: bool,
    /// Whether the publisher's sum was compared.
    pub(crate) has_sum: bool,
}

/// Gives the data set `set`, from the cache if it is there and as it must be, else from `server`.
///
/// # Errors
/// If the server does not answer, or with something other than the data set; what was downloaded of it so far is kept to be taken up.
pub(crate) fn fetch(
    set: DataSet,
    server: &str,
    talk: Talk,
) -> std::result::Result<Fetched, Failure> {
    if !(server.starts_with("http://") || server.starts_with("https://")) {
        return Err(Error::parameter("--from", "an http or https address", server).into());
    }
    let cache = cache::folder()?;
    let home = cache.join(set.name());
    if let Ok(found) = checked(set, &home) {
        return Ok(Fetched { was_there: true, ..found });
    }
    fs::create_dir_all(&cache).map_err(|error| Error::io(&cache, "create", error))?;
    let part = cache.join(format!("{}.zip.part", set.name()));
    let address = format!("{}/{}.zip", server.trim_end_matches('/'), set.name());
    let got = download::zip(&address, &part, set.must_have_sum(), talk)?;
    let unpacked = archive::unpack(set, &part, &cache).and_then(|folder| {
        checked(set, &folder).inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
        Ok(folder)
    });
    // An archive that is not what it must be is of no use to a second try.
    let _ = fs::remove_file(&part);
    let folder = unpacked?;
    cache::replace(&folder, &home)?;
    let found = checked(set, &home)?;
    Ok(Fetched { resumed: got.resumed, has_sum: got.has_sum, ..found })
}

/// The data set in a folder, if its ratings are as many as the publisher says, of as many rows and columns.
fn checked(set: DataSet, folder: &Path) -> Result<Fetched> {
    let path = folder.join(set.ratings_file());
    let options = ReadOptions { triplets: Some("1,2,3".parse()?), ..ReadOptions::default() };
    let entries = read_with(&path, &options)?.entries;
    let (found, expected) = ((entries.len(), entries.shape()), set.counts());
    if found != expected {
        let words = |(ratings, (rows, cols)): (usize, (usize, usize))| {
            format!("{ratings} ratings of {rows} rows and {cols} columns")
        };
        let problem = format!("must have {}, but it has {}", words(expected), words(found));
        return Err(Error::data(path, problem));
    }
    let bytes = fs::metadata(&path).map_err(|error| Error::io(&path, "read", error))?.len();
    Ok(Fetched {
        terms: folder.join(set.terms_file()),
        path,
        ratings: found.0,
        shape: found.1,
        bytes,
        resumed: false,
        was_there: false,
        has_sum: false,
    })
}
