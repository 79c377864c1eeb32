//! Videos: frames of one size, grey or coloured, with values from 0 (black) to 1 (white).

mod animation;
mod ffmpeg;
mod file;
mod folder;
mod pnm;
mod prepare;
mod still;

use crate::linalg::Mat;
use crate::{Error, Result};

pub use file::{read_video, write_video};
pub use prepare::{LEAST_FRAMES, Padding};

/// Frames of `height` x `width` pixels in 1 channel (grey) or 3 (red, green, blue), each value from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    frames: usize,
    height: usize,
    width: usize,
    channels: usize,
    values: Vec<f64>,
}

impl Video {
    /// A video of the shape frames x height x width x channels, the last axis fastest.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of values is another one; [`Error::Parameter`] for an empty video, another number of
    /// channels than 1 or 3, or a value outside 0 to 1; [`Error::NotFinite`].
    ///
    /// ```
    /// use deepmf::data::Video;
    /// let ramp = Video::new([2, 1, 3, 1], vec![0.0, 0.5, 1.0, 0.1, 0.6, 0.9])?;
    /// assert_eq!(ramp.frame(1), [0.1, 0.6, 0.9]);
    /// assert_eq!(ramp.channel(0).col(1), ramp.frame(1));
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn new(shape: [usize; 4], values: Vec<f64>) -> Result<Self> {
        let [frames, height, width, channels] = shape;
        if channels != 1 && channels != 3 {
            return Err(Error::parameter("the channels of a video", "1 or 3", channels));
        }
        let size = shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
        if size != Some(values.len()) {
            let expected = format!("{frames} x {height} x {width} x {channels} values");
            return Err(Error::shape("a video", expected, values.len()));
        }
        if values.is_empty() {
            let found = format!("{frames} frames of {width} x {height}");
            return Err(Error::parameter("a video", "one frame of one pixel or more", found));
        }
        let video = Self { frames, height, width, channels, values };
        let bad = video.values.iter().position(|value| !(0.0..=1.0).contains(value));
        match bad {
            None => Ok(video),
            Some(place) => Err(video.refusal(place)),
        }
    }

    /// What is wrong with the value at `place`.
    fn refusal(&self, place: usize) -> Error {
        let pixel = place / self.channels;
        let (x, y) = (pixel % self.width, pixel / self.width % self.height);
        let what = format!("pixel ({x}, {y}) of frame {}", pixel / (self.width * self.height) + 1);
        let found = self.values[place];
        if found.is_finite() {
            Error::parameter(what, "from 0 to 1", found)
        } else {
            Error::NotFinite { what, found }
        }
    }

    /// The grey video of which column t of `pixels` is frame t, row after row.
    ///
    /// # Errors
    /// As [`Video::new`].
    pub fn from_columns(pixels: &Mat, height: usize, width: usize) -> Result<Self> {
        Self::new([pixels.cols(), height, width, 1], pixels.values().to_vec())
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Rows of a frame.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of a frame.
    pub fn width(&self) -> usize {
        self.width
    }

    /// 1 for grey, 3 for red, green and blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Frames, height, width, channels.
    pub fn shape(&self) -> [usize; 4] {
        [self.frames, self.height, self.width, self.channels]
    }

    /// The values, frame after frame, row after row, pixel after pixel, channel after channel.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Values of one frame.
    fn stride(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The values of frame `t`.
    ///
    /// # Panics
    /// If there is no such frame.
    pub fn frame(&self, t: usize) -> &[f64] {
        &self.values[t * self.stride()..(t + 1) * self.stride()]
    }

    /// One channel as a matrix of pixels (row after row) x frames.
    ///
    /// # Panics
    /// If there is no such channel.
    pub fn channel(&self, c: usize) -> Mat {
        assert!(c < self.channels, "a channel below {}", self.channels);
        let values = self.values.iter().skip(c).step_by(self.channels).copied().collect();
        Mat::from_columns(self.height * self.width, self.frames, values)
    }

    /// The video with the mean of its channels as the only one.
    #[must_use]
    pub fn grey(&self) -> Self {
        let mean = |pixel: &[f64]| pixel.iter().sum::<f64>() / pixel.len() as f64;
        let values = self.values.chunks(self.channels).map(mean).collect();
        Self { channels: 1, values, ..*self }
    }

    /// The part of every frame with its upper left corner at column `x` and row `y`, `width` wide and `height` high.
    ///
    /// # Errors
    /// [`Error::Parameter`] if that is empty or reaches beyond the frame.
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Result<Self> {
        let fits = |start: usize, length: usize, all: usize| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= all)
        };
        if !(fits(x, width, self.width) && fits(y, height, self.height)) {
            let allowed = format!("within the frame of {} x {}", self.width, self.height);
            let found = format!("{width} x {height} at ({x}, {y})");
            return Err(Error::parameter("the crop", allowed, found));
        }
        let row = self.width * self.channels;
        let lines = self.values.chunks(self.stride()).flat_map(|frame| {
            frame.chunks(row).skip(y).take(height).flat_map(|line| {
                line[x * self.channels..(x + width) * self.channels].iter().copied()
            })
        });
        Ok(Self { height, width, values: lines.collect(), ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn ramp(shape: [usize; 4]) -> Video {
        let size: usize = shape.iter().product();
        let value = |k: usize| (k * 37 % 256) as f64 / 255.0;
        Video::new(shape, (0..size).map(value).collect()).unwrap()
    }

    #[test]
    fn a_crop_holds_the_pixels_that_were_there() {
        let video = ramp([3, 5, 7, 3]);
        let part = video.crop(2, 1, 4, 3).unwrap();
        assert_eq!(part.shape(), [3, 3, 4, 3]);
        for (t, y, x, c) in [(0, 0, 0, 0), (2, 2, 3, 2), (1, 0, 2, 1)] {
            let found = part.frame(t)[(y * 4 + x) * 3 + c];
            assert_eq!(found, video.frame(t)[((y + 1) * 7 + x + 2) * 3 + c]);
        }
        assert_eq!(
            video.crop(4, 0, 4, 5).unwrap_err().to_string(),
            "the crop must be within the frame of 7 x 5, but it is 4 x 5 at (4, 0)"
        );
        assert!(video.crop(usize::MAX, 0, 1, 1).is_err() && video.crop(0, 0, 0, 1).is_err());
    }

    #[test]
    fn a_channel_has_a_column_a_frame() {
        let video = ramp([4, 2, 3, 3]);
        let green = video.channel(1);
        assert_eq!((green.rows(), green.cols()), (6, 4));
        assert_eq!(green[(5, 2)], video.frame(2)[5 * 3 + 1]);
        let grey = video.grey().channel(0);
        let sum: f64 = (0..3).map(|c| video.channel(c)[(4, 3)]).sum();
        assert!((grey[(4, 3)] - sum / 3.0).abs() < 1e-15);
        assert_eq!(Video::from_columns(&grey, 2, 3).unwrap(), video.grey());
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        let message = |value| Video::new([2, 1, 2, 1], vec![0.0, 0.5, 0.5, value]);
        assert_eq!(
            message(1.5).unwrap_err().to_string(),
            "pixel (1, 0) of frame 2 must be from 0 to 1, but it is 1.5"
        );
        assert_eq!(
            message(f64::NAN).unwrap_err().to_string(),
            "pixel (1, 0) of frame 2 must be finite, but it is NaN"
        );
        assert!(Video::new([0, 2, 2, 1], vec![]).is_err());
        assert!(Video::new([1, 1, 1, 2], vec![0.0; 2]).is_err());
        assert!(Video::new([1, 1, 2, 1], vec![0.0; 3]).is_err());
    }
}
