//! What a camera makes of light: exposure, shot noise, read noise, whole levels.

use serde::{Deserialize, Serialize};

use crate::linalg::Mat;
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// A camera's sensor; values are shares of its largest one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sensor {
    /// Where the brightest value of the video without noise comes to lie, above 0; what is above 1 is over-exposed.
    pub exposure: f64,
    /// Electrons at the value 1: shot noise has the variance value / electrons.
    pub electrons: f64,
    /// Standard deviation of the noise at the value 0.
    pub read_noise: f64,
    /// Levels are multiples of 1 / (2^bits − 1), from 1 to 16 bits.
    pub bits: u32,
}

impl Default for Sensor {
    /// A small industrial camera: 10,000 electrons, 0.1 % of noise, 12 bits, exposed to 0.9.
    fn default() -> Self {
        Self { exposure: 0.9, electrons: 10_000.0, read_noise: 0.001, bits: 12 }
    }
}

impl Sensor {
    pub(super) fn check(&self) -> Result<()> {
        let above = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(Error::parameter(name, "above 0", value))
        };
        above("exposure", self.exposure)?;
        above("electrons", self.electrons)?;
        if !(self.read_noise.is_finite() && self.read_noise >= 0.0) {
            return Err(Error::parameter("read noise", "0 or more", self.read_noise));
        }
        if !(1..=16).contains(&self.bits) {
            return Err(Error::parameter("bits", "from 1 to 16", self.bits));
        }
        Ok(())
    }

    /// What is recorded of `light`, which is exposed already: from 0 to 1.
    pub(super) fn recorded(&self, light: &Mat, seed: u64) -> Mat {
        let mut draws = stream(seed, Purpose::Noise, 1);
        let levels = f64::from((1_u32 << self.bits) - 1);
        let mut seen = light.clone();
        for value in seen.values_mut() {
            let shot = (*value / self.electrons).sqrt() * normal(&mut draws);
            let noisy = *value + shot + self.read_noise * normal(&mut draws);
            *value = (noisy.clamp(0.0, 1.0) * levels).round() / levels;
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_variance_that_is_said() {
        let sensor = Sensor { electrons: 1000.0, read_noise: 0.01, bits: 16, ..Sensor::default() };
        let light = Mat::from_fn(200, 200, |_, _| 0.4);
        let seen = sensor.recorded(&light, 0);
        let count = 40_000.0;
        let mean = seen.values().iter().sum::<f64>() / count;
        let variance = seen.values().iter().map(|x| (x - 0.4).powi(2)).sum::<f64>() / count;
        let expected = 0.4 / 1000.0 + 1e-4;
        assert!((mean - 0.4).abs() < 5.0 * (expected / count).sqrt());
        assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{variance}");
    }

    #[test]
    fn values_are_levels_and_end_at_one() {
        let sensor = Sensor { bits: 2, ..Sensor::default() };
        let light = Mat::from_fn(4, 50, |i, _| [0.0, 0.3, 0.7, 1.4][i]);
        let seen = sensor.recorded(&light, 1);
        assert!(seen.values().iter().all(|x| [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0].contains(x)));
        assert!((0..50).all(|t| seen[(3, t)] == 1.0));
    }

    #[test]
    fn a_sensor_that_cannot_be_is_named() {
        let sensor = Sensor { bits: 17, ..Sensor::default() };
        assert_eq!(
            sensor.check().unwrap_err().to_string(),
            "bits must be from 1 to 16, but it is 17"
        );
        assert!(Sensor { exposure: 0.0, ..Sensor::default() }.check().is_err());
        assert!(Sensor { electrons: f64::NAN, ..Sensor::default() }.check().is_err());
        assert!(Sensor { read_noise: -1.0, ..Sensor::default() }.check().is_err());
    }
}
