//! Files of a light transport: both factors as numbers and as pictures, what was recorded, and the parameters.

use std::path::{Path, PathBuf};

use super::{FoundLight, Observed, Recording};
use crate::Result;
use crate::data::{Entries, Table, Video, write, write_video, write_whole};
use crate::linalg::Mat;
use crate::model::{Numbers, Tensors};

/// The most columns and rows of the sheet of the transport, in pixels.
const SHEET: usize = 2_048;

/// What is written of a light transport.
#[derive(Clone, Copy)]
pub struct LightFiles<'a> {
    /// Of what.
    pub recording: &'a Recording,
    /// What was found.
    pub found: &'a FoundLight,
}

impl LightFiles<'_> {
    /// What the pictures show, and their names in the folder, in the order of a page.
    pub fn pictures(&self) -> Vec<(&'static str, &'static str)> {
        let known = self.recording.light().is_some();
        match self.recording.observed() {
            Observed::Matrix(_) => {
                let truth = known.then_some(("the true light", "light-truth.png"));
                [("the light", "light.png")]
                    .into_iter()
                    .chain(truth)
                    .chain([("the transport", "transport.png")])
                    .collect()
            }
            Observed::Video(_) => {
                let truth = known.then_some(("the true hidden video", "hidden-truth.gif"));
                [("what was observed", "observed.gif"), ("the hidden video", "hidden.gif")]
                    .into_iter()
                    .chain(truth)
                    .chain([("what each hidden pixel lights", "transport.png")])
                    .collect()
            }
        }
    }

    /// Writes all of them to `folder`, which must be there.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the system refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        match self.recording.observed() {
            Observed::Matrix(_) => self.write_lines(folder)?,
            Observed::Video(observed) => self.write_frames(folder, observed)?,
        }
        write_whole(folder.join("trajectory.csv"), self.found.trajectory.csv().as_bytes())?;
        let mut tensors = Tensors::of(&self.found.params);
        tensors.add_numbers("seed", Numbers::Double(vec![self.found.kept().seed as f64]));
        tensors.save(folder.join("model.safetensors"))
    }

    fn write_lines(&self, folder: &Path) -> Result<()> {
        let Self { recording, found } = self;
        for (name, matrix) in [("transport", &found.transport[0]), ("light", &found.light[0])] {
            write_matrix(&folder.join(format!("{name}.npy")), matrix)?;
            write_video(folder.join(format!("{name}.png")), &picture(matrix)?)?;
        }
        match recording.light() {
            Some(truth) => write_video(folder.join("light-truth.png"), &picture(&truth[0])?),
            None => Ok(()),
        }
    }

    fn write_frames(&self, folder: &Path, observed: &Video) -> Result<()> {
        let Self { recording, found } = self;
        let size = (observed.height(), observed.width());
        write_video(folder.join("observed.gif"), &frames(recording.channels(), size, 1.0)?)?;
        let hidden = shown(&found.light, recording.grid())?;
        write_video(folder.join("hidden.gif"), &hidden)?;
        write_video(folder.join("hidden.npy"), &hidden)?;
        if let Some(truth) = recording.light() {
            write_video(folder.join("hidden-truth.gif"), &shown(truth, recording.grid())?)?;
        }
        let sheet = sheet(&found.transport, size, recording.grid())?;
        write_video(folder.join("transport.png"), &sheet)?;
        for (c, transport) in found.transport.iter().enumerate() {
            let name = if c == 0 { "transport.npy".into() } else { format!("transport-{c}.npy") };
            write_matrix(&folder.join(name), transport)?;
        }
        Ok(())
    }
}

impl Recording {
    /// Where [`Recording::write_preview`] writes in `folder`: `preview.png` of a matrix, `preview.gif` of a video.
    pub fn preview(&self, folder: &Path) -> PathBuf {
        folder.join(match self.observed() {
            Observed::Matrix(_) => "preview.png",
            Observed::Video(_) => "preview.gif",
        })
    }

    /// Writes a light that is not yet the last one, whole or not at all, white where it is brightest.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the system refuses.
    pub fn write_preview(&self, folder: &Path, light: &[Mat]) -> Result<()> {
        let video = match self.observed() {
            Observed::Matrix(_) => picture(&light[0])?,
            Observed::Video(_) => shown(light, self.grid())?,
        };
        write_video(self.preview(folder), &video)
    }
}

/// A matrix as .npy.
fn write_matrix(path: &Path, matrix: &Mat) -> Result<()> {
    write(path, &Table::new(Entries::from_dense(matrix)?))
}

/// A matrix as a picture, white where it is largest.
fn picture(matrix: &Mat) -> Result<Video> {
    let turned = matrix.t().to_mat();
    let column = Mat::from_columns(turned.values().len(), 1, turned.values().to_vec());
    shown(&[column], (matrix.rows(), matrix.cols()))
}

/// Light as a video, white where it is brightest.
fn shown(light: &[Mat], size: (usize, usize)) -> Result<Video> {
    frames(light, size, light.iter().map(Mat::max_abs).fold(f64::MIN_POSITIVE, f64::max))
}

/// Pixels x frames of each channel as a video in which `white` is white.
fn frames(channels: &[Mat], (height, width): (usize, usize), white: f64) -> Result<Video> {
    let (pixels, frames) = (channels[0].rows(), channels[0].cols());
    let cells = (0..frames).flat_map(|t| (0..pixels).map(move |pixel| (pixel, t)));
    let values =
        cells.flat_map(|cell| channels.iter().map(move |it| (it[cell] / white).clamp(0.0, 1.0)));
    Video::new([frames, height, width, channels.len()], values.collect())
}

/// What each hidden pixel lights, side by side as the hidden pixels stand; every so many where there are too many.
fn sheet(
    transport: &[Mat],
    (height, width): (usize, usize),
    hidden: (usize, usize),
) -> Result<Video> {
    let longest = hidden.0.max(hidden.1);
    let step = (1..longest).find(|step| {
        hidden.0.div_ceil(*step) * height <= SHEET && hidden.1.div_ceil(*step) * width <= SHEET
    });
    let step = step.unwrap_or(longest);
    let (rows, cols) = (hidden.0.div_ceil(step), hidden.1.div_ceil(step));
    let largest = transport.iter().map(Mat::max_abs).fold(f64::MIN_POSITIVE, f64::max);
    let mut values = Vec::with_capacity(rows * height * cols * width * transport.len());
    for y in 0..rows * height {
        for x in 0..cols * width {
            let lamp = (y / height * step) * hidden.1 + x / width * step;
            let pixel = y % height * width + x % width;
            values.extend(transport.iter().map(|t| (t[(pixel, lamp)] / largest).clamp(0.0, 1.0)));
        }
    }
    Video::new([1, rows * height, cols * width, transport.len()], values)
}
