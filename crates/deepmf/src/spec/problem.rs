//! What is observed, and the loss.

use serde::{Deserialize, Serialize};

use crate::problem::Constant;

/// What is observed, and the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub struct Problem {
    /// What is observed.
    pub observe: Observe,
    /// How a difference counts.
    pub loss: Loss,
    /// The constant of the loss.
    pub constant: Constant,
}

/// What is observed.
#[derive(Clone, Debug, PartialEq)]
pub enum Observe {
    /// Some entries.
    Mask(Mask),
    /// Every entry.
    Full,
    /// Inner products with random dense operators.
    Sensing(Sensing),
}

/// Some entries, at random; all that are known if neither number is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mask {
    /// How many.
    pub count: Option<usize>,
    /// Which part of what is known, above 0 and at most 1.
    pub fraction: Option<f64>,
}

/// Inner products with random dense operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sensing {
    /// How many operators.
    pub count: usize,
    /// The standard deviation of their entries; 1/√(rows · columns) if it is not given.
    pub deviation: Option<f64>,
}

/// How a difference counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// Its square.
    #[default]
    Squared,
    /// Its square up to `delta`, then linear.
    Huber {
        /// Where it turns linear.
        delta: f64,
    },
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    loss: Loss,
    #[serde(default)]
    constant: Constant,
    mask: Option<Mask>,
    full: Option<Full>,
    sensing: Option<Sensing>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {}

impl TryFrom<Keys> for Problem {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        let Keys { loss, constant, mask, full, sensing } = keys;
        let observe = match (mask, full, sensing) {
            (Some(mask), None, None) => Observe::Mask(mask),
            (None, Some(_), None) => Observe::Full,
            (None, None, Some(sensing)) => Observe::Sensing(sensing),
            _ => return Err("problem must have exactly one of `mask`, `full`, `sensing`".into()),
        };
        Ok(Self { observe, loss, constant })
    }
}

impl From<Problem> for Keys {
    fn from(problem: Problem) -> Self {
        let keys = Self { loss: problem.loss, constant: problem.constant, ..Self::default() };
        match problem.observe {
            Observe::Mask(mask) => Self { mask: Some(mask), ..keys },
            Observe::Full => Self { full: Some(Full {}), ..keys },
            Observe::Sensing(sensing) => Self { sensing: Some(sensing), ..keys },
        }
    }
}
