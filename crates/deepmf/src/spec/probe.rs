//! Names of what can be recorded along a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A quantity along a run. In files it is its name, such as `effective-rank` or `singular-values:20`.
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
}

const NAMES: [(&str, Probe); 11] = [
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
];

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |probe: &Probe| std::mem::discriminant(probe) == std::mem::discriminant(self);
        let name = NAMES.iter().find(|(_, probe)| same(probe)).map_or("", |(name, _)| name);
        match self {
            Self::SingularValues(count) if *count != 10 => write!(f, "{name}:{count}"),
            _ => f.write_str(name),
        }
    }
}

impl FromStr for Probe {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, count) = text.split_once(':').map_or((text, None), |(n, c)| (n, Some(c)));
        let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, probe)| *probe);
        match (found, count) {
            (Some(Self::SingularValues(_)), Some(count)) => {
                match count.parse().ok().filter(|&count| count > 0) {
                    Some(count) => Ok(Self::SingularValues(count)),
                    None => {
                        Err(Error::parameter("the count of singular values", "1 or more", count))
                    }
                }
            }
            (Some(probe), None) => Ok(probe),
            _ => {
                let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                Err(Error::parameter("a probe", format!("one of {}", known.join(", ")), text))
            }
        }
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
