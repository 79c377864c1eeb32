//! Where a light and what it does to what is seen come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::data::{SceneSettings, Sensor};

/// A simulated scene, of which all is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SimulatedScene {
    /// The seed of room, screen and sensor; that of the file if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Height and width of the observed video.
    pub observed: (usize, usize),
    /// Height and width of the hidden video.
    pub hidden: (usize, usize),
    /// Frames of both.
    pub frames: usize,
    /// The camera's sensor.
    pub sensor: Sensor,
}

impl Default for SimulatedScene {
    fn default() -> Self {
        let SceneSettings { observed, hidden, frames, sensor } = SceneSettings::default();
        Self { seed: None, observed, hidden, frames, sensor }
    }
}

impl SimulatedScene {
    /// What is simulated.
    pub fn settings(&self) -> SceneSettings {
        let Self { observed, hidden, frames, sensor, .. } = *self;
        SceneSettings { observed, hidden, frames, sensor }
    }
}

/// The product of two pictures, a transport and a light, which are so known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pictures {
    /// The picture of the transport, resized to inner x inner.
    pub transport: PathBuf,
    /// The picture of the light, resized to inner x frames.
    pub light: PathBuf,
    /// Columns of the transport and rows of the light.
    #[serde(default = "inner")]
    pub inner: usize,
    /// Columns of the light; twice inner if not given.
    pub frames: Option<usize>,
    /// The standard deviation of noise on the product, as a share of that of its entries; 0.
    #[serde(default)]
    pub noise: f64,
}

fn inner() -> usize {
    64
}

/// A matrix whose columns are moments of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ObservedMatrix {
    /// The file, seen from the folder of the experiment file.
    pub path: PathBuf,
    /// The transport that is true, rows of the matrix x inner.
    pub transport: Option<PathBuf>,
    /// The light that is true, inner x columns of the matrix.
    pub light: Option<PathBuf>,
}

/// A video of what the light does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ObservedVideo {
    /// The file or folder of frames, seen from the folder of the experiment file.
    pub path: PathBuf,
    /// The part of each frame that is used: column and row of its upper left corner, width, height.
    pub crop: Option<(usize, usize, usize, usize)>,
    /// The transport that is true, observed pixels x hidden pixels.
    pub transport: Option<PathBuf>,
    /// The hidden video that is true.
    pub light: Option<PathBuf>,
}
