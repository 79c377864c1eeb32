//! The settings of a completion, as typed, as filed and as repeated.

use serde::{Deserialize, Serialize};

/// By what residuals are divided before the fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// By one number for each column if the columns differ more than tenfold, else by one for the table.
    #[default]
    Auto,
    /// By nothing.
    None,
    /// By the standard deviation of all residuals.
    Table,
    /// By the standard deviation of each column's values, then by that of all residuals.
    Columns,
}

/// Settings of a completion. An empty list or `None` leaves the choice to the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CompletionSettings {
    /// The setting of the paper: no offsets, no scaling, nothing held out, one depth and one scale.
    pub raw: bool,
    /// Depths to choose from; 2, 3, 4 if empty (3 if raw).
    pub depths: Vec<usize>,
    /// Initial scales to choose from; 1e-3 and 1e-1 if empty (1e-3 if raw).
    pub init_scales: Vec<f64>,
    /// Hidden width; the shorter side, at most 256, if none (the shorter side if raw).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Whether row and column offsets are taken out before the fit.
    pub offsets: bool,
    /// By what residuals are divided before the fit.
    pub scaling: Scaling,
    /// The least and the largest value that an answer may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<(f64, f64)>,
    /// Whether answers are whole numbers.
    pub integer: bool,
    /// The share of the known entries that is kept apart for the error estimate.
    pub holdout: f64,
    /// The share of the others that is held out for early stopping and the choice of depth and scale.
    pub validation: f64,
    /// Steps at most.
    pub steps: u64,
    /// Stops when the training loss (mean square, scaled) is at or below this.
    pub loss_below: f64,
    /// The rate; chosen from the data if none (1e-3 if raw).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// What is recorded, by the names of probes, such as `singular-values`.
    pub probes: Vec<String>,
    /// Steps between two records.
    pub every: u64,
}

impl Default for CompletionSettings {
    fn default() -> Self {
        Self {
            raw: false,
            depths: Vec::new(),
            init_scales: Vec::new(),
            width: None,
            offsets: true,
            scaling: Scaling::Auto,
            bounds: None,
            integer: false,
            holdout: 0.1,
            validation: 0.1,
            steps: 100_000,
            loss_below: 1e-6,
            rate: None,
            probes: vec!["singular-values".into(), "effective-rank".into()],
            every: 10,
        }
    }
}

/// Settings of a sensing. `None` leaves the choice to the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SensingSettings {
    /// Number of layers.
    pub depth: usize,
    /// The initial scale.
    pub init_scale: f64,
    /// Hidden width; the shorter side if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// The share of the measurements that is held out for early stopping and the error estimate; 0 uses all.
    pub holdout: f64,
    /// Steps at most.
    pub steps: u64,
    /// Stops when the training loss (mean square) is at or below this.
    pub loss_below: f64,
    /// The rate of GroupRMSprop.
    pub rate: f64,
    /// What is recorded, by the names of probes.
    pub probes: Vec<String>,
    /// Steps between two records.
    pub every: u64,
}

impl Default for SensingSettings {
    fn default() -> Self {
        Self {
            depth: 3,
            init_scale: 1e-3,
            width: None,
            holdout: 0.05,
            steps: 100_000,
            loss_below: 1e-6,
            rate: 1e-3,
            probes: vec!["singular-values".into(), "effective-rank".into()],
            every: 100,
        }
    }
}
