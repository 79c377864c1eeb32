//! Names of what can be recorded along a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::read::nearest;
use crate::{Error, Result};

/// A quantity along a run. In files it is its name, such as `effective-rank`, `singular-values:20` or `sharpness:1`, which is every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Probe {
    /// Mean squared error against the truth or the test entries.
    TestError,
    /// The largest singular values of W, this many.
    SingularValues(usize),
    /// exp of the entropy of the normalised singular values of W.
    EffectiveRank,
    /// ‖W‖_F² / ‖W‖₂².
    StableRank,
    /// ‖W‖_* / ‖W‖₂.
    IntrinsicDimension,
    /// The sum of the singular values of W.
    NuclearNorm,
    /// The largest absolute entry of W.
    LargestEntry,
    /// The determinant of a square W.
    Determinant,
    /// The norm of the gradient with respect to the parameters.
    GradientNorm,
    /// The largest Frobenius norm of `W_{j+1}ᵀW_{j+1} − W_jW_jᵀ`.
    Balance,
    /// Means of the diagonal and off-diagonal entries of `|UᵀGV|`.
    Alignment,
    /// The largest eigenvalue of the Hessian, every so many recorded rows and at the end.
    Sharpness(usize),
    /// The trace of the Hessian, every so many recorded rows and at the end.
    HessianTrace(usize),
    /// The sharpness over the least of all minima with the same product, every so many recorded rows and at the end.
    FlatnessGap(usize),
    /// The distance of the parameters from those at the start of the run.
    Distance,
    /// The least coupling of the leading singular vectors of two neighbouring layers.
    Coupling,
    /// The greatest relative difference of a gain along the path of the strongest signal from `σ₁^{j/N}`.
    GainDeviation,
}

/// Recorded rows from one measurement of the curvature to the next, unless it is said: it costs as much as some hundred steps.
const CURVATURE_EVERY: usize = 25;

const NAMES: [(&str, Probe); 17] = [
    ("test-error", Probe::TestError),
    ("singular-values", Probe::SingularValues(10)),
    ("effective-rank", Probe::EffectiveRank),
    ("stable-rank", Probe::StableRank),
    ("intrinsic-dimension", Probe::IntrinsicDimension),
    ("nuclear-norm", Probe::NuclearNorm),
    ("largest-entry", Probe::LargestEntry),
    ("determinant", Probe::Determinant),
    ("gradient-norm", Probe::GradientNorm),
    ("balance", Probe::Balance),
    ("alignment", Probe::Alignment),
    ("sharpness", Probe::Sharpness(CURVATURE_EVERY)),
    ("hessian-trace", Probe::HessianTrace(CURVATURE_EVERY)),
    ("flatness-gap", Probe::FlatnessGap(CURVATURE_EVERY)),
    ("distance", Probe::Distance),
    ("coupling", Probe::Coupling),
    ("gain-deviation", Probe::GainDeviation),
];

impl Probe {
    /// Recorded rows from one measurement to the next; between them its cells are NaN.
    pub fn stride(self) -> usize {
        match self {
            Self::Sharpness(rows) | Self::HessianTrace(rows) | Self::FlatnessGap(rows) => rows,
            _ => 1,
        }
    }

    /// The same with its number after the colon.
    fn with(self, number: usize) -> Option<Self> {
        match self {
            Self::SingularValues(_) => Some(Self::SingularValues(number)),
            Self::Sharpness(_) => Some(Self::Sharpness(number)),
            Self::HessianTrace(_) => Some(Self::HessianTrace(number)),
            Self::FlatnessGap(_) => Some(Self::FlatnessGap(number)),
            _ => None,
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |probe: &Probe| std::mem::discriminant(probe) == std::mem::discriminant(self);
        let (name, usual) = NAMES.iter().find(|(_, probe)| same(probe)).unwrap_or(&NAMES[0]);
        match *self {
            Self::SingularValues(number)
            | Self::Sharpness(number)
            | Self::HessianTrace(number)
            | Self::FlatnessGap(number)
                if self != usual =>
            {
                write!(f, "{name}:{number}")
            }
            _ => f.write_str(name),
        }
    }
}

impl FromStr for Probe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, number) = text.split_once(':').map_or((text, None), |(n, c)| (n, Some(c)));
        let Some((_, probe)) = NAMES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let found = match nearest(name, &known) {
                Some(meant) => format!("{text}; did you mean `{meant}`?"),
                None => text.into(),
            };
            let allowed = format!("one of {}", known.join(", "));
            return Err(Error::parameter("a probe", allowed, found));
        };
        let Some(number) = number else { return Ok(*probe) };
        if probe.with(1).is_none() {
            let what = format!("the probe `{name}`");
            return Err(Error::parameter(what, "given without a number", format!("`{text}`")));
        }
        let given = number.parse().ok().filter(|&number| number > 0);
        given.and_then(|number| probe.with(number)).ok_or_else(|| {
            Error::parameter(format!("the number after `{name}:`"), "1 or more", number)
        })
    }
}

impl TryFrom<String> for Probe {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Probe> for String {
    fn from(probe: Probe) -> Self {
        probe.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_refused_with_what_is_wrong_with_it() {
        let refused = |text: &str| text.parse::<Probe>().unwrap_err().to_string();
        assert_eq!(
            refused("coupling:2"),
            "the probe `coupling` must be given without a number, but it is `coupling:2`"
        );
        assert_eq!(
            refused("sharpness:0"),
            "the number after `sharpness:` must be 1 or more, but it is 0"
        );
        assert!(refused("sharpnes:3").ends_with("it is sharpnes:3; did you mean `sharpness`?"));
        assert!(refused("colour").ends_with("gain-deviation, but it is colour"));
        for (name, probe) in NAMES {
            assert_eq!(name.parse::<Probe>().unwrap(), probe);
        }
    }
}
