//! One frame, before it is known whether it fits to the others.

use std::path::Path;

use image::DynamicImage;

use super::Video;
use crate::data::format::png;
use crate::{Error, Result};

/// The most values that a video may have: 2 GB of them.
pub(super) const MOST: usize = 1 << 28;

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Still {
    pub(super) height: usize,
    pub(super) width: usize,
    /// 1 or 3.
    pub(super) channels: usize,
    /// From 0 to 1, row after row, channels fastest.
    pub(super) values: Vec<f64>,
}

impl Still {
    /// The PNG in `bytes`, of 1 to 16 bits; alpha is ignored.
    ///
    /// # Errors
    /// [`Error::Data`].
    pub(super) fn png(bytes: &[u8], path: &Path) -> Result<Self> {
        Ok(Self::of(png::decoded(bytes, path)?))
    }

    /// An image as a frame, grey if it has no colours.
    pub(super) fn of(image: DynamicImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let channels = if image.color().has_color() { 3 } else { 1 };
        let wide = |samples: Vec<u16>| -> Vec<f64> {
            samples.into_iter().map(|s| f64::from(s) / 65535.0).collect()
        };
        let byte = |samples: Vec<u8>| -> Vec<f64> {
            samples.into_iter().map(|s| f64::from(s) / 255.0).collect()
        };
        let values = match (png::is_deep(&image), channels) {
            (true, 3) => wide(image.into_rgb16().into_raw()),
            (true, _) => wide(image.into_luma16().into_raw()),
            (false, 3) => byte(image.into_rgb8().into_raw()),
            (false, _) => byte(image.into_luma8().into_raw()),
        };
        Self { height, width, channels, values }
    }
}

/// Frames as they come, each held against the first one.
#[derive(Debug, Default)]
pub(super) struct Frames {
    stills: Vec<Still>,
    size: usize,
}

impl Frames {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.stills.len()
    }

    /// Takes the next frame, which `name` names in messages.
    ///
    /// # Errors
    /// [`Error::Data`] if it has another size than the first one, or there are too many values.
    pub(super) fn push(&mut self, path: &Path, name: &str, still: Still) -> Result<()> {
        if let Some(first) = self.stills.first() {
            let (expected, found) = ((first.width, first.height), (still.width, still.height));
            if expected != found {
                let problem = format!(
                    "every frame must be {} x {} like the first one, but {name} is {} x {}",
                    expected.0, expected.1, found.0, found.1
                );
                return Err(Error::data(path, problem));
            }
        }
        // Colour may still come, so that every frame counts for three channels.
        self.size = self.size.saturating_add(3 * still.width * still.height);
        if self.size > MOST {
            let (w, h, t) = (still.width, still.height, self.stills.len() + 1);
            let problem = format!(
                "a video must have at most {MOST} values, but {t} frames of {w} x {h} have more: \
                 take fewer or smaller frames"
            );
            return Err(Error::data(path, problem));
        }
        self.stills.push(still);
        Ok(())
    }

    /// The video: grey if no frame has a pixel with a colour.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no frame.
    pub(super) fn video(self, path: &Path) -> Result<Video> {
        let Some(first) = self.stills.first() else {
            return Err(Error::data(path, "a video must have a frame, but there is none"));
        };
        let (frames, height, width) = (self.stills.len(), first.height, first.width);
        let grey = |still: &Still| {
            still.channels == 1
                || still.values.chunks(3).all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2])
        };
        let channels = if self.stills.iter().all(grey) { 1 } else { 3 };
        let mut values = Vec::with_capacity(frames * height * width * channels);
        for still in self.stills {
            if still.channels <= channels {
                let repeats = channels / still.channels;
                values.extend(still.values.iter().flat_map(|&v| std::iter::repeat_n(v, repeats)));
            } else {
                values.extend(still.values.iter().step_by(3));
            }
        }
        Video::new([frames, height, width, channels], values)
    }
}
