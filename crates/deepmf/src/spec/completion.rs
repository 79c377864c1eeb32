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

/// By what a table is completed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Flows of depth 2 from W(0) = 0, then from starts that know which lines are alike; all is chosen by cross-validation.
    #[default]
    Auto,
    /// Flows from gaussian starts; depth, initial scale and time are chosen by cross-validation.
    Flow,
    /// Descent with momentum from gaussian starts; depth, initial scale and steps are chosen on one split.
    Descent,
    /// Descent on networks compressed to few directions; rank and steps are chosen on one split.
    Compressed,
    /// Greedy low-rank learning by flows; the rank is chosen on one split.
    Greedy,
    /// The matrix of least nuclear norm that agrees with the entries.
    Nuclear,
    /// The nuclear norm as a penalty, chosen on one split along a path.
    SoftImpute,
}

impl Method {
    /// The name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Flow => "flow",
            Self::Descent => "descent",
            Self::Compressed => "compressed",
            Self::Greedy => "greedy",
            Self::Nuclear => "nuclear",
            Self::SoftImpute => "soft-impute",
        }
    }
}

/// Settings of a completion. An empty list or `None` leaves the choice to the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in a file")]
pub struct CompletionSettings {
    /// By what the table is completed; see [`CompletionSettings::resolved`].
    pub method: Method,
    /// The setting of the paper: no offsets, no scaling, nothing held out, one depth and one scale.
    pub raw: bool,
    /// Depths to choose from; if empty, 2 and 3 for a flow, 2, 3, 4 for descent (3 if raw).
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
    /// The share of the known entries that is kept apart for the error estimate; if none, a tenth for descent, and otherwise
    /// nothing: the error is that on entries that the fit of their fold did not see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<f64>,
    /// Descent: the share of the others that is held out for early stopping and the choice of depth and scale.
    pub validation: f64,
    /// Answers by the mean of the fits to the folds, in place of one fit to all entries.
    pub ensemble: bool,
    /// The share of the true values that the intervals should hold.
    pub coverage: f64,
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
            method: Method::Auto,
            raw: false,
            depths: Vec::new(),
            init_scales: Vec::new(),
            width: None,
            offsets: true,
            scaling: Scaling::Auto,
            bounds: None,
            integer: false,
            holdout: None,
            validation: 0.1,
            ensemble: false,
            coverage: 0.9,
            steps: 100_000,
            loss_below: 1e-6,
            rate: None,
            probes: vec!["singular-values".into(), "effective-rank".into()],
            every: 10,
        }
    }
}

impl CompletionSettings {
    /// The method that these settings mean: what is given is taken from the plain settings that know it, so `auto` is a flow where
    /// a depth, a width or an initial scale is given, and descent where a rate is given or the setting is raw.
    pub fn resolved(&self) -> Method {
        let shaped =
            self.width.is_some() || !self.depths.is_empty() || !self.init_scales.is_empty();
        match self.method {
            _ if self.raw => Method::Descent,
            Method::Auto if self.rate.is_some() => Method::Descent,
            Method::Auto if shaped => Method::Flow,
            method => method,
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
