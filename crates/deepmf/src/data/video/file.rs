//! The one door for videos: the format by the name.

use std::path::Path;

use super::{Video, animation, ffmpeg, folder};
use crate::data::format::npy;
use crate::data::write_whole;
use crate::{Error, Result};

/// Reads a video: .gif, .png and .apng, .npy (frames x height x width [x 3]), a folder of .png, .pgm or .ppm frames,
/// and anything else through `ffmpeg`, where that is installed.
///
/// Whole numbers of 8 and 16 bits are divided by the largest that they can be; other numbers must be from 0 to 1. A video
/// without a coloured pixel is grey.
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Data`] if it is truncated, damaged or too large, its frames differ in size,
/// or a value is not finite or outside 0 to 1.
pub fn read_video(path: impl AsRef<Path>) -> Result<Video> {
    let path = path.as_ref();
    let parse: fn(&[u8], &Path) -> Result<Video> = match folder::extension(path).as_str() {
        _ if path.is_dir() => return folder::read(path),
        "gif" => animation::gif,
        "png" | "apng" => animation::apng,
        "npy" => of_array,
        _ => return ffmpeg::read(Path::new("ffmpeg"), path),
    };
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
    parse(&bytes, path)
}

fn of_array(bytes: &[u8], path: &Path) -> Result<Video> {
    let array = npy::samples(bytes, path)?;
    let shape = match array.shape[..] {
        [frames, height, width] => [frames, height, width, 1],
        [frames, height, width, channels] => [frames, height, width, channels],
        _ => {
            let found = array.shape.len();
            let problem = format!(
                "a video must have the axes frames, height, width and perhaps channels, but the \
                 array has {found}"
            );
            return Err(Error::data(path, problem));
        }
    };
    Video::new(shape, array.values).map_err(|error| Error::data(path, error.to_string()))
}

/// Writes a video whole or not at all: .gif (256 greys, or 256 colours a frame), .png or .apng (8 bits), .npy (exact: frames
/// x height x width, for colour x 3). Animations show ten frames a second and repeat.
///
/// # Errors
/// [`Error::Parameter`] for another extension, [`Error::Io`] if the system refuses.
pub fn write_video(path: impl AsRef<Path>, video: &Video) -> Result<()> {
    let path = path.as_ref();
    let bytes = match folder::extension(path).as_str() {
        "gif" => animation::gif_bytes(video)?,
        "png" | "apng" => animation::apng_bytes(video)?,
        "npy" => {
            let shape = video.shape();
            let axes = if video.channels() == 1 { &shape[..3] } else { &shape[..] };
            npy::array_bytes(axes, video.values().iter().copied())
        }
        _ => {
            let allowed = "named .gif, .png, .apng or .npy";
            return Err(Error::parameter("the video to write", allowed, path.display()));
        }
    };
    write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::video::tests::ramp;

    fn place(folder: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
        folder.path().join(name)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for (channels, names) in
            [(1, &["a.gif", "a.png", "a.apng", "a.npy"][..]), (3, &["a.apng", "a.NPY"])]
        {
            let video = ramp([9, 5, 7, channels]);
            for name in names {
                write_video(place(&folder, name), &video).unwrap();
                assert_eq!(read_video(place(&folder, name)).unwrap(), video, "{name}");
            }
        }
        let message = write_video("a.mp4", &ramp([1, 1, 1, 1])).unwrap_err().to_string();
        assert_eq!(
            message,
            "the video to write must be named .gif, .png, .apng or .npy, but it is a.mp4"
        );
    }

    #[test]
    fn a_coloured_gif_keeps_its_colours_to_a_few_levels() {
        let folder = tempfile::tempdir().unwrap();
        let values = (0..3 * 8 * 8).flat_map(|k| [k % 8 * 32, k / 8 % 8 * 32, 128]);
        let video =
            Video::new([3, 8, 8, 3], values.map(|v| f64::from(v) / 255.0).collect()).unwrap();
        write_video(place(&folder, "a.gif"), &video).unwrap();
        let read = read_video(place(&folder, "a.gif")).unwrap();
        assert_eq!(read.shape(), video.shape());
        let off = read.values().iter().zip(video.values()).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 0.05);
    }

    #[test]
    fn an_animation_that_is_cut_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let video = ramp([8, 4, 4, 1]);
        // The last four bytes of a PNG are the check sum of a chunk that holds nothing.
        for (name, spare) in [("a.gif", 0), ("a.png", 4)] {
            let path = place(&folder, name);
            write_video(&path, &video).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            for length in 0..bytes.len() - spare {
                std::fs::write(&path, &bytes[..length]).unwrap();
                let found = read_video(&path);
                assert!(found.is_err(), "{name} cut after {length} of {}", bytes.len());
                let message = found.unwrap_err().to_string();
                assert!(message.contains("must be a whole"), "{length}: {message}");
            }
        }
    }

    #[test]
    fn arrays_of_whole_numbers_are_scaled_and_others_must_be_in_range() {
        let folder = tempfile::tempdir().unwrap();
        let path = place(&folder, "a.npy");
        let write = |descr: &str, shape: &str, body: &[u8]| {
            let text =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.extend(body);
            std::fs::write(&path, bytes).unwrap();
            read_video(&path)
        };
        assert_eq!(write("|u1", "(2, 1, 1)", &[51, 255]).unwrap().values(), [0.2, 1.0]);
        assert_eq!(write("<u2", "(1, 1, 2)", &[0x33, 0x33, 0, 0]).unwrap().values(), [0.2, 0.0]);
        let float =
            |value: f32| write("<f4", "(1, 1, 1)", &value.to_le_bytes()).unwrap_err().to_string();
        assert!(float(3.0).ends_with("pixel (0, 0) of frame 1 must be from 0 to 1, but it is 3"));
        assert!(float(f32::NAN).ends_with("pixel (0, 0) of frame 1 must be finite, but it is NaN"));
        let message = write("|u1", "(2, 2)", &[0; 4]).unwrap_err().to_string();
        assert!(message.ends_with("but the array has 2"), "{message}");
        let message = write("|u1", "(1, 2, 1, 2)", &[0; 4]).unwrap_err().to_string();
        assert!(
            message.ends_with("the channels of a video must be 1 or 3, but it is 2"),
            "{message}"
        );
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let frames: Vec<Video> = (0..11)
            .map(|t| Video::new([1, 1, 2, 1], vec![0.2, f64::from(t) / 17.0]).unwrap())
            .collect();
        for (t, frame) in frames.iter().enumerate() {
            write_video(place(&folder, &format!("f{t}.png")), frame).unwrap();
        }
        let video = read_video(folder.path()).unwrap();
        assert_eq!(video.shape(), [11, 1, 2, 1]);
        assert!((0..11).all(|t| video.frame(t) == frames[t].values()));
        std::fs::write(place(&folder, "f11.pgm"), b"P5 2 1 65535\n\x33\x33\xff\xff").unwrap();
        assert_eq!(read_video(folder.path()).unwrap().frame(11), [0.2, 1.0]);
        std::fs::write(place(&folder, "f12.ppm"), b"P6 2 1 255\n\0\0\xff\0\0\0").unwrap();
        assert_eq!(read_video(folder.path()).unwrap().shape(), [13, 1, 2, 3]);
        std::fs::write(place(&folder, "f13.pgm"), b"P5 1 2 255\n\0\0").unwrap();
        let message = read_video(folder.path()).unwrap_err().to_string();
        assert!(
            message.ends_with("every frame must be 2 x 1 like the first one, but f13.pgm is 1 x 2"),
            "{message}"
        );
        let empty = tempfile::tempdir().unwrap();
        assert!(read_video(empty.path()).unwrap_err().to_string().ends_with("but it holds none"));
    }
}
