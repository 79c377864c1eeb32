//! What is done to a recording before its light is looked for (Aittala et al. 2019, published code).

use std::fmt;

use super::Video;
use crate::{Error, Result};

/// The fewest frames of which a hidden video can be told: one step of a decoder that doubles time three times.
pub const LEAST_FRAMES: usize = 8;

/// How many frames were added to or cut from a video to make their number a multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Nothing was needed.
    None,
    /// So many copies of the last frame were added.
    Added(usize),
    /// So many frames were cut from the end.
    Cut(usize),
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("all frames are used"),
            Self::Added(1) => f.write_str("the last frame is repeated once"),
            Self::Added(count) => write!(f, "the last frame is repeated {count} times"),
            Self::Cut(1) => f.write_str("the last frame is left out"),
            Self::Cut(count) => write!(f, "the last {count} frames are left out"),
        }
    }
}

impl Video {
    /// Means of boxes of 2 x 2 pixels, `times` over; what is left of an odd row or column is left out.
    ///
    /// # Errors
    /// [`Error::Parameter`] if less than one pixel would be left.
    pub fn halved(&self, times: u32) -> Result<Self> {
        let box_side = 1_usize.checked_shl(times).unwrap_or(usize::MAX);
        let (height, width) = (self.height / box_side, self.width / box_side);
        if height == 0 || width == 0 {
            let allowed = format!("at most {}", self.height.min(self.width).ilog2());
            return Err(Error::parameter("the number of halvings", allowed, times));
        }
        let part = self.crop(0, 0, width * box_side, height * box_side)?;
        Ok(part.averaged(height, width))
    }

    /// The colours of a raw recording through a Bayer filter, one pixel a cell of 2 x 2 sensor pixels: red is at the row and
    /// column `red` of each cell, blue opposite, green the mean of the other two.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the video is coloured already or has no whole cell, or `red` is not in a cell.
    pub fn demosaiced(&self, red: (usize, usize)) -> Result<Self> {
        if self.channels != 1 {
            let allowed = "grey, as a raw recording is";
            return Err(Error::parameter("the video", allowed, "coloured"));
        }
        if red.0 > 1 || red.1 > 1 {
            let found = format!("({}, {})", red.0, red.1);
            return Err(Error::parameter("the place of red", "0 or 1 down and across", found));
        }
        let (height, width) = (self.height / 2, self.width / 2);
        if height == 0 || width == 0 {
            let found = format!("{} x {}", self.width, self.height);
            return Err(Error::parameter("a raw frame", "2 x 2 or more", found));
        }
        let mut values = Vec::with_capacity(self.frames * height * width * 3);
        for frame in self.values.chunks(self.stride()) {
            for cell in 0..height * width {
                let (y, x) = (2 * (cell / width), 2 * (cell % width));
                let at = |down: usize, across: usize| frame[(y + down) * self.width + x + across];
                let green = f64::midpoint(at(red.0, 1 - red.1), at(1 - red.0, red.1));
                values.extend([at(red.0, red.1), green, at(1 - red.0, 1 - red.1)]);
            }
        }
        Ok(Self { height, width, channels: 3, values, ..*self })
    }

    /// Every frame as `height` x `width` means over equal areas.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a side is 0.
    pub fn resized(&self, height: usize, width: usize) -> Result<Self> {
        if height == 0 || width == 0 {
            let found = format!("{width} x {height}");
            return Err(Error::parameter("the size of a frame", "1 x 1 or more", found));
        }
        Ok(self.averaged(height, width))
    }

    fn averaged(&self, height: usize, width: usize) -> Self {
        let (rows, cols) = (shares(self.height, height), shares(self.width, width));
        let mut values = Vec::with_capacity(self.frames * height * width * self.channels);
        for frame in self.values.chunks(self.stride()) {
            for row in &rows {
                for col in &cols {
                    for c in 0..self.channels {
                        let mut sum = 0.0;
                        for &(y, down) in row {
                            for &(x, across) in col {
                                sum +=
                                    down * across * frame[(y * self.width + x) * self.channels + c];
                            }
                        }
                        // The shares of a box add up to 1 but for rounding.
                        values.push(sum.clamp(0.0, 1.0));
                    }
                }
            }
        }
        Self { height, width, values, ..*self }
    }

    /// Means of every `count` frames that follow each other; a rest that is shorter is left out.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `count` is 0 or more than there are frames.
    pub fn fast_forward(&self, count: usize) -> Result<Self> {
        if !(1..=self.frames).contains(&count) {
            let allowed = format!("from 1 to {}", self.frames);
            return Err(Error::parameter("the number of frames to average", allowed, count));
        }
        let stride = self.stride();
        let mean = |frames: &[f64]| -> Vec<f64> {
            (0..stride)
                .map(|k| frames.iter().skip(k).step_by(stride).sum::<f64>() / count as f64)
                .map(|v| v.min(1.0))
                .collect()
        };
        let values: Vec<f64> = self.values.chunks_exact(stride * count).flat_map(mean).collect();
        Ok(Self { frames: self.frames / count, values, ..*self })
    }

    /// `black` (the mean of its frames) taken off every frame; what falls below 0 is 0.
    ///
    /// # Errors
    /// [`Error::Shape`] if its frames have another size or other channels.
    pub fn without_black(&self, black: &Video) -> Result<Self> {
        if self.shape()[1..] != black.shape()[1..] {
            let words =
                |video: &Video| format!("{} x {} x {}", video.height, video.width, video.channels);
            return Err(Error::shape("a black frame", words(self), words(black)));
        }
        let black = black.fast_forward(black.frames)?;
        let values = self.values.iter().zip(black.values.iter().cycle());
        let values = values.map(|(value, black)| (value - black).max(0.0)).collect();
        Ok(Self { values, ..*self })
    }

    /// The video with its number of frames made a multiple of `multiple`: cut if the rest is below half of it, else the last
    /// frame is repeated.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `multiple` is 0.
    pub fn in_multiples_of(&self, multiple: usize) -> Result<(Self, Padding)> {
        if multiple == 0 {
            return Err(Error::parameter("the multiple of frames", "1 or more", 0));
        }
        let rest = self.frames % multiple;
        let (frames, padding) = match rest {
            0 => (self.frames, Padding::None),
            _ if 2 * rest < multiple && self.frames > multiple => {
                (self.frames - rest, Padding::Cut(rest))
            }
            _ => (self.frames + multiple - rest, Padding::Added(multiple - rest)),
        };
        let mut values = self.values.clone();
        values.truncate(frames * self.stride());
        for _ in self.frames..frames {
            values.extend_from_slice(self.frame(self.frames - 1));
        }
        Ok((Self { frames, values, ..*self }, padding))
    }

    /// Which pixels are below `white` in every frame and channel, row after row; the others are over-exposed.
    pub fn well_exposed(&self, white: f64) -> Vec<bool> {
        let mut good = vec![true; self.height * self.width];
        for frame in self.values.chunks(self.stride()) {
            for (good, pixel) in good.iter_mut().zip(frame.chunks(self.channels)) {
                *good &= pixel.iter().all(|&value| value < white);
            }
        }
        good
    }

    /// Refuses what no hidden light can be told from.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than [`LEAST_FRAMES`] frames, a video in which nothing changes, and one of which every
    /// pixel reaches `white` in some frame.
    pub fn must_tell(&self, white: f64) -> Result<()> {
        if self.frames < LEAST_FRAMES {
            let allowed = format!("of {LEAST_FRAMES} frames or more");
            return Err(Error::parameter(
                "the observed video",
                allowed,
                format!("of {}", self.frames),
            ));
        }
        if self.values.chunks(self.stride()).all(|frame| frame == self.frame(0)) {
            let found = "the same in every frame";
            return Err(Error::parameter(
                "the observed video",
                "one in which something changes",
                found,
            ));
        }
        if !self.well_exposed(white).contains(&true) {
            let allowed = format!("below {white} all the time in some pixel");
            let found = "over-exposed in every pixel";
            return Err(Error::parameter("the observed video", allowed, found));
        }
        Ok(())
    }
}

/// For each of `to` equal parts of a line of `from` pixels, the pixels in it with their shares of the part.
fn shares(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    // In units of 1/to of a pixel, so that the ends of parts and pixels are whole numbers.
    (0..to)
        .map(|part| {
            let (start, end) = (part * from, (part + 1) * from);
            let pixels = start / to..end.div_ceil(to);
            pixels
                .map(|pixel| {
                    let overlap = end.min((pixel + 1) * to) - start.max(pixel * to);
                    (pixel, overlap as f64 / from as f64)
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::ramp;
    use super::*;

    #[test]
    fn halving_takes_means_of_boxes() {
        let video = ramp([2, 5, 6, 3]);
        let half = video.halved(1).unwrap();
        assert_eq!(half.shape(), [2, 2, 3, 3]);
        let at = |y: usize, x: usize| video.frame(1)[(y * 6 + x) * 3 + 2];
        let mean = (at(2, 4) + at(2, 5) + at(3, 4) + at(3, 5)) / 4.0;
        assert!((half.frame(1)[(3 + 2) * 3 + 2] - mean).abs() < 1e-15);
        assert_eq!(video.halved(0).unwrap(), video);
        assert!(video.halved(3).unwrap_err().to_string().ends_with("at most 2, but it is 3"));
        assert!(video.halved(200).is_err());
    }

    #[test]
    fn a_bayer_filter_gives_a_pixel_a_cell() {
        let raw = Video::new([1, 2, 4, 1], vec![0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.5, 0.7]).unwrap();
        let found = raw.demosaiced((0, 1)).unwrap();
        assert_eq!(found.shape(), [1, 1, 2, 3]);
        let expected = [0.2, 0.45, 0.6, 0.4, 0.5, 0.5];
        assert!(found.values().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15));
        assert!(raw.demosaiced((2, 0)).is_err() && found.demosaiced((0, 0)).is_err());
        assert!(ramp([1, 1, 4, 1]).demosaiced((0, 0)).is_err());
    }

    #[test]
    fn resizing_keeps_the_mean_and_constants() {
        let video = ramp([1, 7, 5, 1]);
        let mean = |video: &Video| video.values().iter().sum::<f64>() / video.values().len() as f64;
        for (height, width) in [(3, 4), (1, 1), (9, 5), (14, 10)] {
            assert!((mean(&video.resized(height, width).unwrap()) - mean(&video)).abs() < 1e-14);
        }
        assert_eq!(video.resized(7, 5).unwrap(), video);
    }

    #[test]
    fn frames_are_cut_or_added_whichever_is_less() {
        for (frames, kept, padding, words) in [
            (16, 16, Padding::None, "all frames are used"),
            (139, 136, Padding::Cut(3), "the last 3 frames are left out"),
            (15, 16, Padding::Added(1), "the last frame is repeated once"),
            (12, 16, Padding::Added(4), "the last frame is repeated 4 times"),
            (9, 8, Padding::Cut(1), "the last frame is left out"),
            (3, 8, Padding::Added(5), "the last frame is repeated 5 times"),
        ] {
            let video = ramp([frames, 1, 3, 1]);
            let (found, how) = video.in_multiples_of(8).unwrap();
            assert_eq!((found.frames(), how, how.to_string().as_str()), (kept, padding, words));
            assert_eq!(found.frame(kept - 1), video.frame(kept.min(frames) - 1));
        }
        assert!(ramp([3, 1, 1, 1]).in_multiples_of(0).is_err());
    }

    #[test]
    fn fast_forward_takes_means_of_frames() {
        let video = Video::new([5, 1, 1, 1], vec![0.1, 0.3, 0.5, 0.9, 1.0]).unwrap();
        let fast = video.fast_forward(2).unwrap();
        assert!((fast.values()[0] - 0.2).abs() < 1e-15 && (fast.values()[1] - 0.7).abs() < 1e-15);
        assert_eq!(fast.frames(), 2);
        assert!(video.fast_forward(0).is_err() && video.fast_forward(6).is_err());
        let black = Video::new([2, 1, 1, 1], vec![0.2, 0.4]).unwrap();
        let seen = video.without_black(&black).unwrap();
        assert!(seen.values()[0] == 0.0 && (seen.values()[2] - 0.2).abs() < 1e-15);
        assert!(video.without_black(&ramp([1, 2, 1, 1])).is_err());
    }

    #[test]
    fn what_tells_nothing_is_refused() {
        let message = |video: Video| video.must_tell(0.99).unwrap_err().to_string();
        assert_eq!(
            message(ramp([7, 2, 2, 1])),
            "the observed video must be of 8 frames or more, but it is of 7"
        );
        let still = Video::new([9, 1, 1, 1], vec![0.5; 9]).unwrap();
        assert_eq!(
            message(still),
            "the observed video must be one in which something changes, but it is the same in every frame"
        );
        let mut values = vec![1.0; 18];
        values[0] = 0.0;
        values[17] = 0.5;
        let white = Video::new([9, 1, 2, 1], values).unwrap();
        assert_eq!(white.well_exposed(0.99), [false, false]);
        assert_eq!(
            message(white),
            "the observed video must be below 0.99 all the time in some pixel, but it is over-exposed in every pixel"
        );
        assert!(ramp([8, 3, 5, 1]).must_tell(1.0).is_ok());
    }
}
