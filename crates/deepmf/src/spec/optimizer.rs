//! Optimizers and their parameters.

use serde::{Deserialize, Serialize};

use super::Schedule;

/// An optimizer with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Optimizer {
    /// Gradient descent.
    GradientDescent(GradientDescent),
    /// Gradient descent with momentum.
    Momentum(Momentum),
    /// One adaptive step for all layers together.
    GroupRmsProp(GroupRmsProp),
    /// One adaptive step a number.
    RmsProp(RmsProp),
    /// Signs of the gradient with a step of its own a number.
    Rprop(Rprop),
    /// Adam.
    Adam(Adam),
    /// Gradient flow, solved.
    Flow(Flow),
    /// The flow of the product itself.
    EndToEnd(EndToEnd),
    /// Levenberg–Marquardt on the factors.
    LevenbergMarquardt(LevenbergMarquardt),
    /// Gradient descent with the gradient from a worse place nearby.
    SharpnessAware(SharpnessAware),
    /// Gradient descent on ℓ + weight · tr H.
    TraceRegularized(TraceRegularized),
    /// Descent with noise on the targets of a batch.
    LabelNoise(LabelNoise),
}

/// Gradient descent with the gradient from θ + radius · ∇/‖∇‖.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SharpnessAware {
    /// The rate.
    pub rate: f64,
    /// How far away the gradient is taken.
    pub radius: f64,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

/// Gradient descent on ℓ + weight · tr H.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TraceRegularized {
    /// The rate.
    pub rate: f64,
    /// The weight of the trace.
    pub weight: f64,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// How the weight changes.
    #[serde(default)]
    pub weight_schedule: Schedule,
}

/// Descent with noise on the targets of a batch that is drawn anew for each step: fit, noise, rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LabelNoise {
    /// The rate of the noisy steps.
    pub rate: f64,
    /// The standard deviation of the noise.
    pub noise: f64,
    /// Its law; `sign`.
    #[serde(default)]
    pub law: NoiseLaw,
    /// Measurements in a batch, drawn without replacement; 1.
    #[serde(default = "batch")]
    pub batch: usize,
    /// How many noisy steps; until another rule stops the run, if it is not said.
    pub steps: Option<u64>,
    /// Plain descent before the noise, if wanted.
    pub fit: Option<Fit>,
    /// Plain descent after the noise, if wanted.
    pub clean: Option<Clean>,
}

/// The law of a noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseLaw {
    /// One size, either sign.
    #[default]
    Sign,
    /// Normal.
    Gaussian,
}

/// Plain descent before the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fit {
    /// Its rate.
    pub rate: f64,
    /// After so many steps it ends; 100,000.
    #[serde(default = "fit_steps")]
    pub steps: u64,
    /// When the loss is at or below this it ends; 0.
    #[serde(default)]
    pub loss_below: f64,
}

/// Plain descent after the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Clean {
    /// Its rate.
    pub rate: f64,
    /// How many steps.
    pub steps: u64,
}

/// Levenberg–Marquardt on the factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LevenbergMarquardt {
    /// The relative accuracy of each step's linear system; 0.1.
    #[serde(default = "inner")]
    pub tolerance: f64,
}

/// Gradient flow, solved with error control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Flow {
    /// The error a step may have, relative to the parameters; 1e-6.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// Which method integrates; `auto`.
    #[serde(default)]
    pub method: FlowMethod,
    /// The time at which it ends, if it does by itself.
    pub until: Option<f64>,
}

/// Which method integrates a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowMethod {
    /// The explicit pair, and the stabilised method for as long as the flow is stiff.
    #[default]
    Auto,
    /// The explicit pair alone.
    Tsitouras,
    /// The stabilised method alone.
    Chebyshev,
}

/// The flow of the product itself, for a model of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EndToEnd {
    /// The depth N, any number from 1 on.
    pub depth: f64,
    /// The error a step may have, relative to the product; 1e-6.
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// The time at which it ends, if it does by itself.
    pub until: Option<f64>,
}

/// Gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GradientDescent {
    /// The rate; it or `edge` is given.
    pub rate: Option<f64>,
    /// The rate as a multiple of 2/λ, the largest stable one, with the sharpness λ at the start before it is perturbed.
    pub edge: Option<f64>,
    /// Weight decay; 0.
    #[serde(default)]
    pub decay: f64,
    /// The factor of the rate in the first and last matrix; 1.
    #[serde(default = "one")]
    pub outer: f64,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

/// Gradient descent with momentum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Momentum {
    /// The rate.
    pub rate: f64,
    /// The part of the last step that is kept; 0.9.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Whether the gradient is taken ahead; no.
    #[serde(default)]
    pub nesterov: bool,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

/// One adaptive step for all layers together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupRmsProp {
    /// The rate.
    pub rate: f64,
    /// The memory of the mean square; 0.99.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// What is added to its root; 1e-4.
    #[serde(default = "group_epsilon")]
    pub epsilon: f64,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

/// One adaptive step a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RmsProp {
    /// The rate.
    pub rate: f64,
    /// The memory of the mean square; 0.99.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// What is added to its root; 1e-8.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

/// Signs of the gradient with a step of its own a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rprop {
    /// The length of the first steps; 0.0123.
    #[serde(default = "first_length")]
    pub start: f64,
    /// The factor of a length where the slope changes its sign; 0.5.
    #[serde(default = "shrink")]
    pub shrink: f64,
    /// The factor of a length where the slope keeps its sign; 1.2.
    #[serde(default = "grow")]
    pub grow: f64,
    /// The least length; 0.
    #[serde(default)]
    pub least: f64,
    /// The largest length; 50.
    #[serde(default = "most")]
    pub most: f64,
}

/// Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Adam {
    /// The rate.
    pub rate: f64,
    /// The memory of the mean; 0.9.
    #[serde(default = "momentum")]
    pub beta1: f64,
    /// The memory of the mean square; 0.999.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// What is added to the root of the mean square; 1e-8.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// Whether the largest mean square so far counts; no.
    #[serde(default)]
    pub amsgrad: bool,
    /// How the rate changes.
    #[serde(default)]
    pub schedule: Schedule,
}

fn batch() -> usize {
    1
}

fn fit_steps() -> u64 {
    100_000
}

fn inner() -> f64 {
    0.1
}

fn tolerance() -> f64 {
    1e-6
}

fn one() -> f64 {
    1.0
}

fn momentum() -> f64 {
    0.9
}

fn alpha() -> f64 {
    0.99
}

fn group_epsilon() -> f64 {
    1e-4
}

fn epsilon() -> f64 {
    1e-8
}

fn beta2() -> f64 {
    0.999
}

fn first_length() -> f64 {
    0.0123
}

fn shrink() -> f64 {
    0.5
}

fn grow() -> f64 {
    1.2
}

fn most() -> f64 {
    50.0
}
