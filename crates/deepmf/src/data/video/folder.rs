//! A folder of PNG, PGM or PPM images, one a frame, in the order of the numbers in their names.

use std::path::{Path, PathBuf};

use super::still::{Frames, Still};
use super::{Video, pnm};
use crate::{Error, Result};

/// The video in a folder.
///
/// # Errors
/// [`Error::Io`], [`Error::Data`].
pub(super) fn read(folder: &Path) -> Result<Video> {
    let mut files = images(folder).map_err(|error| Error::io(folder, "read", error))?;
    if files.is_empty() {
        let problem = "a folder of frames must hold .png, .pgm or .ppm files, but it holds none";
        return Err(Error::data(folder, problem));
    }
    files.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    let mut frames = Frames::default();
    for path in &files {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
        let still = if extension(path) == "png" {
            Still::png(&bytes, path)?
        } else {
            pnm::first(&bytes, path)?.0
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        frames.push(folder, &name, still)?;
    }
    frames.video(folder)
}

fn images(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if matches!(extension(&path).as_str(), "png" | "pgm" | "ppm") {
            files.push(path);
        }
    }
    Ok(files)
}

pub(super) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// A key that sorts `2` before `10`.
fn natural(name: &str) -> (Vec<(String, u128)>, String) {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (words, digits) =
            rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        key.push((words.to_owned(), digits[..end].parse().unwrap_or(u128::MAX)));
        rest = &digits[end..];
    }
    (key, name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["f10.png", "f9.png", "f09.png", "e.png", "f10-2.png", "f10-10.png"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["e.png", "f09.png", "f9.png", "f10-2.png", "f10-10.png", "f10.png"]);
    }
}
