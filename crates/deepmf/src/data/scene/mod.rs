//! Simulated scenes: a room with clutter, lit by a screen that the camera does not see.
//!
//! The hidden video L is what the screen shows, the transport T what each of its pixels adds to each pixel of the camera, and
//! the observed video Z = T·L what the sensor records. T holds the light that comes straight from the screen, with visibility
//! and cosines by ray casting, and the light that one more surface gives on; all surfaces are diffuse.

mod geometry;
mod motion;
mod room;
mod sensor;

use super::{Shape, Video};
use crate::linalg::Mat;
use crate::{Error, Result};

pub use sensor::Sensor;

use room::Room;

/// The most numbers of a transport: 2 GB of them.
const MOST: usize = 1 << 28;

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneSettings {
    /// Height and width of the observed video.
    pub observed: Shape,
    /// Height and width of the hidden video.
    pub hidden: Shape,
    /// Frames of both.
    pub frames: usize,
    /// The camera's sensor.
    pub sensor: Sensor,
}

impl Default for SceneSettings {
    /// 64 x 64 observed, 16 x 16 hidden, 96 frames.
    fn default() -> Self {
        Self { observed: (64, 64), hidden: (16, 16), frames: 96, sensor: Sensor::default() }
    }
}

/// A scene of which everything is known.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Z: what the camera recorded.
    pub observed: Video,
    /// L: what the screen showed.
    pub hidden: Video,
    /// T: observed pixels x hidden pixels, both row after row, so exposed that Z is T·L but for the sensor.
    pub transport: Mat,
}

impl Scene {
    /// The scene of `seed`: its room, what moves on the screen, and the noise.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a side or a number of frames of 0, a scene that needs too much memory, or a sensor that cannot be.
    ///
    /// ```
    /// use deepmf::data::{Scene, SceneSettings};
    /// let settings = SceneSettings { observed: (12, 16), hidden: (4, 4), frames: 8, ..SceneSettings::default() };
    /// let scene = Scene::simulated(&settings, 0)?;
    /// assert_eq!(scene.observed.shape(), [8, 12, 16, 1]);
    /// assert_eq!((scene.transport.rows(), scene.transport.cols()), (192, 16));
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn simulated(settings: &SceneSettings, seed: u64) -> Result<Self> {
        settings.check()?;
        let SceneSettings { observed, hidden, frames, sensor } = *settings;
        let video = motion::hidden(hidden, frames, seed)?;
        let light = video.channel(0);
        let transport = Room::random(seed).transport(observed, hidden);
        let brightest = transport.times(&light).max_abs();
        if brightest == 0.0 {
            let allowed = "so large that some light of the screen is seen";
            return Err(Error::parameter("the observed video", allowed, "dark everywhere"));
        }
        let transport = transport.scaled(sensor.exposure / brightest);
        let seen = sensor.recorded(&transport.times(&light), seed);
        Ok(Self {
            observed: Video::from_columns(&seen, observed.0, observed.1)?,
            hidden: video,
            transport,
        })
    }
}

impl SceneSettings {
    fn check(&self) -> Result<()> {
        for (name, (height, width)) in [("observed", self.observed), ("hidden", self.hidden)] {
            if height == 0 || width == 0 {
                let found = format!("{height}x{width}");
                return Err(Error::parameter(name, "1x1 or more", found));
            }
        }
        if self.frames == 0 {
            return Err(Error::parameter("frames", "1 or more", 0));
        }
        let product = |sides: [usize; 3]| {
            sides.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
        };
        let ((h, w), (i, j)) = (self.observed, self.hidden);
        let sizes = [
            ("the transport", product([h, w, i]).and_then(|size| size.checked_mul(j))),
            ("the observed video", product([h, w, self.frames])),
            ("the hidden video", product([i, j, self.frames])),
        ];
        for (name, size) in sizes {
            if size.is_none_or(|size| size > MOST) {
                let found = size.map_or("more than can be counted".into(), |size| size.to_string());
                return Err(Error::parameter(name, format!("of at most {MOST} numbers"), found));
            }
        }
        self.sensor.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(seed: u64) -> Scene {
        let settings = SceneSettings {
            observed: (16, 16),
            hidden: (6, 8),
            frames: 12,
            ..SceneSettings::default()
        };
        Scene::simulated(&settings, seed).unwrap()
    }

    #[test]
    fn the_observed_video_is_the_product_but_for_the_sensor() {
        let scene = small(1);
        let clean = scene.transport.times(&scene.hidden.channel(0));
        assert!((clean.max_abs() - 0.9).abs() < 1e-12);
        let off = scene.observed.channel(0).minus(&clean);
        // The largest of 3072 draws of noise with a standard deviation of at most 0.7 %.
        assert!(off.max_abs() < 0.04 && off.max_abs() > 1e-4, "{}", off.max_abs());
        assert!(
            scene
                .observed
                .values()
                .iter()
                .all(|x| (x * 4095.0).fract().abs() < 1e-9 || (x * 4095.0).fract() > 1.0 - 1e-9)
        );
    }

    #[test]
    fn one_seed_gives_one_scene_at_any_number_of_threads() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| small(5))
        };
        let (one, two) = (with(1), with(2));
        assert_eq!(one.observed, two.observed);
        assert_eq!(one.transport, two.transport);
        assert_ne!(one.observed, small(6).observed);
        assert_ne!(one.hidden, small(6).hidden);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let message =
            |settings: SceneSettings| Scene::simulated(&settings, 0).unwrap_err().to_string();
        let usual = SceneSettings::default();
        assert_eq!(
            message(SceneSettings { hidden: (0, 4), ..usual }),
            "hidden must be 1x1 or more, but it is 0x4"
        );
        assert_eq!(
            message(SceneSettings { frames: 0, ..usual }),
            "frames must be 1 or more, but it is 0"
        );
        assert_eq!(
            message(SceneSettings { observed: (4096, 4096), ..usual }),
            "the transport must be of at most 268435456 numbers, but it is 4294967296"
        );
        assert!(message(SceneSettings { observed: (usize::MAX, 2), ..usual }).ends_with("counted"));
    }
}
