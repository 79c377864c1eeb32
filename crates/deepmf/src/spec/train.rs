//! How the model is trained: optimizer, stop rules, what is recorded, validation.

use serde::{Deserialize, Serialize};

use super::optimizer::{
    Adam, EndToEnd, Flow, GradientDescent, GroupRmsProp, LabelNoise, LevenbergMarquardt, Momentum,
    RmsProp, Rprop, SharpnessAware, TraceRegularized,
};
use super::{Optimizer, Probe};

/// How the model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub struct Train {
    /// What moves the model.
    pub optimizer: Optimizer,
    /// When to stop.
    pub stop: Stop,
    /// What is recorded on the way.
    pub record: Record,
    /// Early stopping on held-out entries, if wanted.
    pub validation: Option<Validation>,
}

/// When to stop: the first rule that is met ends the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stop {
    /// After so many steps; 100,000.
    #[serde(default = "steps")]
    pub steps: u64,
    /// When the loss is at or below this.
    pub loss_below: Option<f64>,
    /// When the norm of the gradient is at or below this.
    pub gradient_below: Option<f64>,
    /// When the loss no longer changes.
    pub settled: Option<Settled>,
    /// After so many seconds; where a run stops then depends on the machine.
    pub seconds: Option<f64>,
}

/// When the loss counts as settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settled {
    /// The relative change of the loss …
    pub change: f64,
    /// … over so many steps.
    pub window: usize,
}

/// What is recorded on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Record {
    /// Every so many steps; 100.
    #[serde(default = "every")]
    pub every: u64,
    /// What, beside step and loss; the test error.
    #[serde(default = "probes")]
    pub probes: Vec<Probe>,
}

/// Early stopping on held-out entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Validation {
    /// Which part of the entries is held out.
    pub fraction: f64,
    /// Steps without improvement after which to stop; 500.
    #[serde(default = "patience")]
    pub patience: u64,
    /// Steps from one evaluation to the next; 10.
    #[serde(default = "validation_every")]
    pub every: u64,
}

fn steps() -> u64 {
    100_000
}

fn every() -> u64 {
    100
}

fn probes() -> Vec<Probe> {
    vec![Probe::TestError]
}

fn patience() -> u64 {
    500
}

fn validation_every() -> u64 {
    10
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            steps: steps(),
            loss_below: None,
            gradient_below: None,
            settled: None,
            seconds: None,
        }
    }
}

impl Default for Record {
    fn default() -> Self {
        Self { every: every(), probes: probes() }
    }
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Keys {
    gradient_descent: Option<GradientDescent>,
    momentum: Option<Momentum>,
    group_rms_prop: Option<GroupRmsProp>,
    rms_prop: Option<RmsProp>,
    rprop: Option<Rprop>,
    adam: Option<Adam>,
    flow: Option<Flow>,
    end_to_end: Option<EndToEnd>,
    levenberg_marquardt: Option<LevenbergMarquardt>,
    sharpness_aware: Option<SharpnessAware>,
    trace_regularized: Option<TraceRegularized>,
    label_noise: Option<LabelNoise>,
    #[serde(default)]
    stop: Stop,
    #[serde(default)]
    record: Record,
    validation: Option<Validation>,
}

impl TryFrom<Keys> for Train {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let given = [
            keys.gradient_descent.map(Optimizer::GradientDescent),
            keys.momentum.map(Optimizer::Momentum),
            keys.group_rms_prop.map(Optimizer::GroupRmsProp),
            keys.rms_prop.map(Optimizer::RmsProp),
            keys.rprop.map(Optimizer::Rprop),
            keys.adam.map(Optimizer::Adam),
            keys.flow.map(Optimizer::Flow),
            keys.end_to_end.map(Optimizer::EndToEnd),
            keys.levenberg_marquardt.map(Optimizer::LevenbergMarquardt),
            keys.sharpness_aware.map(Optimizer::SharpnessAware),
            keys.trace_regularized.map(Optimizer::TraceRegularized),
            keys.label_noise.map(Optimizer::LabelNoise),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(Optimizer::GradientDescent(it)), None) if it.rate.is_some() == it.edge.is_some() => {
                Err("gradient-descent must have exactly one of `rate`, `edge`".into())
            }
            (Some(optimizer), None) => {
                let Keys { stop, record, validation, .. } = keys;
                Ok(Self { optimizer, stop, record, validation })
            }
            _ => Err("train must have exactly one of `gradient-descent`, `momentum`, \
                      `group-rms-prop`, `rms-prop`, `rprop`, `adam`, `flow`, `end-to-end`, `levenberg-marquardt`, \
                      `sharpness-aware`, `trace-regularized`, `label-noise`"
                .into()),
        }
    }
}

impl From<Train> for Keys {
    fn from(train: Train) -> Self {
        let Train { optimizer, stop, record, validation } = train;
        let keys = Self { stop, record, validation, ..Self::default() };
        match optimizer {
            Optimizer::GradientDescent(it) => Self { gradient_descent: Some(it), ..keys },
            Optimizer::Momentum(it) => Self { momentum: Some(it), ..keys },
            Optimizer::GroupRmsProp(it) => Self { group_rms_prop: Some(it), ..keys },
            Optimizer::RmsProp(it) => Self { rms_prop: Some(it), ..keys },
            Optimizer::Rprop(it) => Self { rprop: Some(it), ..keys },
            Optimizer::Adam(it) => Self { adam: Some(it), ..keys },
            Optimizer::Flow(it) => Self { flow: Some(it), ..keys },
            Optimizer::EndToEnd(it) => Self { end_to_end: Some(it), ..keys },
            Optimizer::LevenbergMarquardt(it) => Self { levenberg_marquardt: Some(it), ..keys },
            Optimizer::SharpnessAware(it) => Self { sharpness_aware: Some(it), ..keys },
            Optimizer::TraceRegularized(it) => Self { trace_regularized: Some(it), ..keys },
            Optimizer::LabelNoise(it) => Self { label_noise: Some(it), ..keys },
        }
    }
}
