//! Any other video, through the program `ffmpeg` where it is installed.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use super::still::{Frames, MOST};
use super::{Video, pnm};
use crate::{Error, Result};

/// The frames of `path` as `program` decodes them.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if there is no such program, or it cannot read the file.
pub(super) fn read(program: &Path, path: &Path) -> Result<Video> {
    // The system's own words where the file itself is at fault.
    std::fs::File::open(path).map_err(|error| Error::io(path, "read", error))?;
    let mut input = std::ffi::OsString::from("file:");
    input.push(path);
    let mut command = Command::new(program);
    command.args(["-v", "error", "-nostdin", "-i"]).arg(input);
    command.args(["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let problem = "a video must be .gif, .png, .apng, .npy or a folder of .png or .pgm frames, or \
                           ffmpeg must be installed to read it, but it is not";
            Error::data(path, problem)
        }
        _ => Error::io(program, "run", error),
    })?;
    let mut bytes = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(MOST as u64 + 1).read_to_end(&mut bytes),
        None => Ok(0),
    };
    let done = child.wait_with_output().map_err(|error| Error::io(program, "run", error))?;
    read.map_err(|error| Error::io(path, "read", error))?;
    if bytes.len() > MOST {
        let problem =
            format!("a video must have at most {MOST} values, but it has more: cut or shrink it");
        return Err(Error::data(path, problem));
    }
    if !done.status.success() {
        let words = String::from_utf8_lossy(&done.stderr);
        let word = words.lines().last().unwrap_or("it does not say why").to_owned();
        return Err(Error::data(
            path,
            format!("ffmpeg must be able to read it, but it cannot: {word}"),
        ));
    }
    let mut frames = Frames::default();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (still, after) = pnm::first(rest, path)?;
        let name = format!("frame {}", frames.count() + 1);
        frames.push(path, &name, still)?;
        rest = after;
    }
    frames.video(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_ffmpeg_it_is_said_what_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        assert!(read(Path::new("ffmpeg"), &path).unwrap_err().is_io());
        std::fs::write(&path, "x").unwrap();
        let message = read(&folder.path().join("no-such-program"), &path).unwrap_err().to_string();
        assert!(
            message.ends_with("ffmpeg must be installed to read it, but it is not"),
            "{message}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn frames_come_through_the_pipe_and_refusals_in_its_words() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, "x").unwrap();
        let program = |script: &str| {
            let program = folder.path().join("fake");
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            read(&program, &path)
        };
        let video = program(r"printf 'P6 1 1 255\n\000\063\377P6 1 1 255\n\063\063\063'").unwrap();
        assert_eq!((video.frames(), video.values()), (2, &[0.0, 0.2, 1.0, 0.2, 0.2, 0.2][..]));
        let message = program("echo 'no moov atom' >&2; exit 1").unwrap_err().to_string();
        assert!(message.ends_with("but it cannot: no moov atom"), "{message}");
        let message = program("true").unwrap_err().to_string();
        assert!(message.ends_with("a video must have a frame, but there is none"), "{message}");
    }
}
