//! Schedules: the factor by which the rate of a step is multiplied.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the rate changes with the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// It does not.
    #[default]
    Constant,
    /// From 0 up to 1 over so many steps, then 1.
    Warmup {
        /// Number of steps.
        steps: u64,
    },
    /// From 1 down to `last` along half a cosine, then `last`.
    Cosine {
        /// Number of steps.
        steps: u64,
        /// The last factor.
        last: f64,
    },
    /// `factor` once every `steps` steps.
    Decay {
        /// Number of steps.
        steps: u64,
        /// What the rate is multiplied by.
        factor: f64,
    },
}

impl Schedule {
    /// The factor for step `step`, counted from 0.
    pub fn factor(self, step: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Warmup { steps } => ((step + 1) as f64 / steps as f64).min(1.0),
            Self::Cosine { steps, last } => {
                let part = (step as f64 / steps as f64).min(1.0);
                last + (1.0 - last) * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
            }
            Self::Decay { steps, factor } => factor.powf((step / steps.max(1)) as f64),
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no steps or a factor that is negative or not finite.
    pub fn check(self) -> Result<Self> {
        let (kind, steps, key, factor) = match self {
            Self::Constant => return Ok(self),
            Self::Warmup { steps } => ("warmup", steps, "steps", 1.0),
            Self::Cosine { steps, last } => ("cosine", steps, "last", last),
            Self::Decay { steps, factor } => ("decay", steps, "factor", factor),
        };
        if steps == 0 {
            return Err(Error::parameter(format!("{kind}.steps"), "1 or more", steps));
        }
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(Error::parameter(format!("{kind}.{key}"), "0 or more", factor));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_start_and_end_where_they_say() {
        let cosine = Schedule::Cosine { steps: 10, last: 0.1 };
        assert_eq!(cosine.factor(0), 1.0);
        assert!((cosine.factor(10) - 0.1).abs() < 1e-15 && (cosine.factor(99) - 0.1).abs() < 1e-15);
        assert_eq!(Schedule::Warmup { steps: 4 }.factor(0), 0.25);
        assert_eq!(Schedule::Warmup { steps: 4 }.factor(9), 1.0);
        assert_eq!(Schedule::Decay { steps: 5, factor: 0.5 }.factor(11), 0.25);
        assert!(Schedule::Warmup { steps: 0 }.check().is_err());
    }
}
