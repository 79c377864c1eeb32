//! GIF and animated PNG, read by compositing their frames and written whole.

use std::io::Cursor;
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, Limits};

use super::Video;
use super::still::{Frames, MOST, Still};
use crate::{Error, Result};

/// Hundredths of a second that a written frame is shown.
const DELAY: u16 = 10;

/// The GIF in `bytes`.
///
/// # Errors
/// [`Error::Data`] if it is truncated or damaged.
pub(super) fn gif(bytes: &[u8], path: &Path) -> Result<Video> {
    let damaged = |error| damaged(path, "GIF", &error);
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let limits = limits(path, decoder.dimensions())?;
    decoder.set_limits(limits).map_err(damaged)?;
    let mut frames = Frames::default();
    for frame in decoder.into_frames() {
        let image = DynamicImage::ImageRgba8(frame.map_err(damaged)?.into_buffer());
        let name = format!("frame {}", frames.count() + 1);
        frames.push(path, &name, Still::of(image))?;
    }
    frames.video(path)
}

/// The PNG in `bytes`, of one frame if it is not animated.
///
/// # Errors
/// [`Error::Data`] if it is truncated or damaged.
pub(super) fn apng(bytes: &[u8], path: &Path) -> Result<Video> {
    let damaged = |error| damaged(path, "PNG", &error);
    let mut decoder = PngDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let limits = limits(path, decoder.dimensions())?;
    decoder.set_limits(limits).map_err(damaged)?;
    let mut frames = Frames::default();
    if decoder.is_apng().map_err(damaged)? {
        for frame in decoder.apng().map_err(damaged)?.into_frames() {
            let image = DynamicImage::ImageRgba8(frame.map_err(damaged)?.into_buffer());
            let name = format!("frame {}", frames.count() + 1);
            frames.push(path, &name, Still::of(image))?;
        }
    } else {
        frames.push(path, "the frame", Still::png(bytes, path)?)?;
    }
    frames.video(path)
}

fn damaged(path: &Path, kind: &str, error: &image::ImageError) -> Error {
    Error::data(path, format!("the video must be a whole {kind}, but it is not: {error}"))
}

/// Limits for one frame, of which the claimed size is checked before any memory is given.
fn limits(path: &Path, (width, height): (u32, u32)) -> Result<Limits> {
    if (width as usize).saturating_mul(height as usize).saturating_mul(3) > MOST {
        let problem =
            format!("a video must have at most {MOST} values, but a frame is {width} x {height}");
        return Err(Error::data(path, problem));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * MOST as u64);
    Ok(limits)
}

/// `video` as a GIF that repeats: 256 exact greys, or 256 colours chosen for each frame.
///
/// # Errors
/// [`Error::Parameter`] if a frame is too large for a GIF.
pub(super) fn gif_bytes(video: &Video) -> Result<Vec<u8>> {
    let side = |length: usize| {
        u16::try_from(length)
            .map_err(|_| Error::parameter("a side of a GIF", "below 65536 pixels", length))
    };
    let (width, height) = (side(video.width())?, side(video.height())?);
    let greys: Vec<u8> = (0..=u8::MAX).flat_map(|level| [level; 3]).collect();
    let palette: &[u8] = if video.channels() == 1 { &greys } else { &[] };
    let encoded = || -> Result<Vec<u8>, gif::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, width, height, palette)?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for t in 0..video.frames() {
            let samples = bytes_of(video.frame(t));
            let mut frame = if video.channels() == 1 {
                gif::Frame { width, height, buffer: samples.into(), ..gif::Frame::default() }
            } else {
                gif::Frame::from_rgb_speed(width, height, &samples, 10)
            };
            frame.delay = DELAY;
            encoder.write_frame(&frame)?;
        }
        drop(encoder);
        Ok(bytes)
    };
    encoded().map_err(|error| refused("GIF", error))
}

/// `video` as an animated PNG of 8 bits that repeats.
///
/// # Errors
/// [`Error::Parameter`] if a frame is too large for a PNG.
pub(super) fn apng_bytes(video: &Video) -> Result<Vec<u8>> {
    let side = |length: usize| {
        u32::try_from(length)
            .map_err(|_| Error::parameter("a side of a PNG", "below 2^32 pixels", length))
    };
    let (width, height, frames) =
        (side(video.width())?, side(video.height())?, side(video.frames())?);
    let encoded = || -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        let grey = video.channels() == 1;
        encoder.set_color(if grey { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_animated(frames, 0)?;
        encoder.set_frame_delay(DELAY, 100)?;
        let mut writer = encoder.write_header()?;
        for t in 0..video.frames() {
            writer.write_image_data(&bytes_of(video.frame(t)))?;
        }
        writer.finish()?;
        Ok(bytes)
    };
    encoded().map_err(|error| refused("PNG", error))
}

fn refused(kind: &str, error: impl std::fmt::Display) -> Error {
    Error::parameter("a video to write", format!("one that {kind} can hold"), error)
}

/// The nearest of 256 levels.
fn bytes_of(values: &[f64]) -> Vec<u8> {
    values.iter().map(|value| (value * 255.0).round() as u8).collect()
}
