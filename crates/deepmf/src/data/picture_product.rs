//! The product of two pictures: a transport and a light of which all is known.

use std::path::Path;

use super::{Shape, Video, read_dense};
use crate::linalg::Mat;
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// Z = T·L + noise with a picture each for T and L (Aittala et al. 2019, section 4).
#[derive(Clone, Debug)]
pub struct PictureProduct {
    /// Z: inner x frames.
    pub observed: Mat,
    /// T: inner x inner, from 0 to 1.
    pub transport: Mat,
    /// L: inner x frames, from 0 to 1.
    pub light: Mat,
}

impl PictureProduct {
    /// Reads both pictures, resized to `inner` x `inner` and `inner` x `frames`; gaussian noise has the standard deviation `noise` in units of that of T·L.
    ///
    /// # Errors
    /// What reading gives; [`Error::Parameter`] for a side of 0 or noise below 0; [`Error::Data`] for a picture of one value.
    pub fn read(
        transport: &Path,
        light: &Path,
        (inner, frames): Shape,
        noise: f64,
        seed: u64,
    ) -> Result<Self> {
        if !(noise.is_finite() && noise >= 0.0) {
            return Err(Error::parameter("noise", "0 or more", noise));
        }
        let transport = picture(transport, (inner, inner))?;
        let light = picture(light, (inner, frames))?;
        let mut observed = transport.times(&light);
        let mut draws = stream(seed, Purpose::Noise, 0);
        let count = observed.values().len() as f64;
        let mean = observed.values().iter().sum::<f64>() / count;
        let squares = observed.values().iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let deviation = noise * (squares / count).sqrt();
        observed.values_mut().iter_mut().for_each(|x| *x += deviation * normal(&mut draws));
        Ok(Self { observed, transport, light })
    }
}

/// A picture as means over equal areas, its darkest value 0 and its brightest 1, in 256 levels.
fn picture(path: &Path, (rows, cols): Shape) -> Result<Mat> {
    let image = read_dense(path)?;
    let values = image.t().to_mat().values().to_vec();
    let small = Video::new([1, image.rows(), image.cols(), 1], values)?.resized(rows, cols)?;
    let (low, high) = small
        .values()
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    if low == high {
        return Err(Error::data(path, "must be a picture of two values or more, but it has one"));
    }
    let level = |x: f64| (255.0 * (x - low) / (high - low)).round() / 255.0;
    Ok(Mat::from_fn(rows, cols, |i, j| level(small.values()[i * cols + j])))
}

#[cfg(test)]
mod tests {
    use super::super::write_video;
    use super::*;

    #[test]
    fn the_noise_has_the_deviation_that_is_said_and_pictures_have_all_levels() {
        let folder = tempfile::tempdir().unwrap();
        let [transport, light, flat] =
            ["t.png", "l.png", "flat.png"].map(|it| folder.path().join(it));
        let ramp = |path: &Path, step: usize| {
            let values = (0..48 * 64).map(|k| 0.1 + 0.5 * (k * step % 97) as f64 / 96.0).collect();
            write_video(path, &Video::new([1, 48, 64, 1], values).unwrap()).unwrap();
        };
        ramp(&transport, 1);
        ramp(&light, 5);
        let read =
            |noise, seed| PictureProduct::read(&transport, &light, (12, 32), noise, seed).unwrap();
        let clean = read(0.0, 0);
        assert_eq!((clean.transport.rows(), clean.transport.cols()), (12, 12));
        assert_eq!((clean.light.rows(), clean.light.cols()), (12, 32));
        assert_eq!(clean.observed, clean.transport.times(&clean.light));
        assert!(clean.light.values().contains(&0.0) && clean.light.values().contains(&1.0));
        let noisy = read(0.1, 3);
        assert_eq!(noisy.observed, read(0.1, 3).observed);
        let mean = clean.observed.values().iter().sum::<f64>() / 384.0;
        let off = Mat::from_fn(12, 32, |i, j| clean.observed[(i, j)] - mean);
        let share = noisy.observed.minus(&clean.observed).frobenius() / off.frobenius();
        // 384 draws tell their deviation to 4 %.
        assert!((share - 0.1).abs() < 0.012, "{share}");
        write_video(&flat, &Video::new([1, 4, 4, 1], vec![0.5; 16]).unwrap()).unwrap();
        let told = |noise| PictureProduct::read(&flat, &light, (4, 8), noise, 0).unwrap_err();
        assert!(told(0.0).to_string().ends_with("two values or more, but it has one"));
        assert_eq!(told(-1.0).to_string(), "noise must be 0 or more, but it is -1");
    }
}
