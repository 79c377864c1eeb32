//! Probes: what is recorded along a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Room;
use crate::analysis::{alignment, effective_rank, max_balancedness_gap, nuclear_norm, stable_rank};
use crate::linalg::{leading_singular, norm, singular_values};
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::product::Product;
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
    /// The sum of the singular values of W.
    NuclearNorm,
    /// The norm of the gradient with respect to the parameters.
    GradientNorm,
    /// The largest Frobenius norm of W_{j+1}ᵀW_{j+1} − W_jW_jᵀ.
    Balance,
    /// Means of the diagonal and off-diagonal entries of |UᵀGV|.
    Alignment,
}

const NAMES: [(&str, Probe); 8] = [
    ("test-error", Probe::TestError),
    ("singular-values", Probe::SingularValues(10)),
    ("effective-rank", Probe::EffectiveRank),
    ("stable-rank", Probe::StableRank),
    ("nuclear-norm", Probe::NuclearNorm),
    ("gradient-norm", Probe::GradientNorm),
    ("balance", Probe::Balance),
    ("alignment", Probe::Alignment),
];

/// Sides up to which the full decomposition is faster than the leading values alone.
const FULL_UP_TO: usize = 128;

impl Probe {
    /// Names of the columns that it fills.
    pub fn columns(self, problem: &Problem, model: &dyn Model) -> Vec<String> {
        match self {
            Self::TestError if problem.test().is_none() => vec![],
            Self::SingularValues(count) => {
                let (rows, cols) = model.shape();
                (1..=count.min(rows).min(cols)).map(|r| format!("singular_value_{r}")).collect()
            }
            Self::Alignment => vec!["alignment_diagonal".into(), "alignment_off_diagonal".into()],
            _ => vec![self.to_string().replace('-', "_")],
        }
    }

    /// Appends what it measures at the model; `room` has been evaluated there.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a decomposition does not converge.
    pub fn measure(
        self,
        problem: &Problem,
        model: &dyn Model,
        room: &mut Room,
        into: &mut Vec<f64>,
    ) -> Result<()> {
        match self {
            Self::TestError => {
                if let Some(test) = problem.test() {
                    into.push(room.value(test, model));
                }
            }
            Self::SingularValues(count) => {
                into.extend(largest(&model.forward(&mut room.pass), count)?);
            }
            Self::EffectiveRank => into.push(effective_rank(&all(model, room)?)),
            Self::StableRank => into.push(stable_rank(&all(model, room)?)),
            Self::NuclearNorm => into.push(nuclear_norm(&all(model, room)?)),
            Self::GradientNorm => into.push(norm(room.gradient.values())),
            Self::Balance => {
                let params: &Params = model.params();
                let layers: Vec<_> =
                    (0..params.slots().len()).map(|place| params.matrix(place)).collect();
                into.push(max_balancedness_gap(&layers)?);
            }
            Self::Alignment => {
                let w = model.forward(&mut room.pass).to_dense();
                problem.evaluate(&Product::Dense(w.view()), &mut room.evaluation);
                let aligned = alignment(w.view(), room.evaluation.cotangent.to_dense().view())?;
                into.extend([aligned.diagonal.mean, aligned.off_diagonal.mean]);
            }
        }
        Ok(())
    }
}

fn all(model: &dyn Model, room: &mut Room) -> Result<Vec<f64>> {
    singular_values(model.forward(&mut room.pass).to_dense().view())
}

fn largest(product: &Product<'_>, count: usize) -> Result<Vec<f64>> {
    let (rows, cols) = product.shape();
    if rows.min(cols) <= FULL_UP_TO {
        let mut values = singular_values(product.to_dense().view())?;
        values.truncate(count);
        return Ok(values);
    }
    leading_singular(product, count)
}

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
