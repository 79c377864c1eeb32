//! Claims: what a paper says that a study must show, as data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::result::{all, is_number};
use super::take::Take;
use crate::spec::read;
use crate::{Error, Result};

/// One claim of a study's `claims.toml`.
///
/// A claim selects trials of one experiment, takes one number of each, combines and bounds them:
///
/// | key | default | what it says |
/// |---|---|---|
/// | `id`, `says`, `source` | | its name, its sentence, and where the paper has it |
/// | `origin` | | `paper`, `rerun` (of the authors' code or formulas) or `aim` |
/// | `quick` | false | whether it belongs to the quick check |
/// | `figure` | | the experiment file, without `.toml` |
/// | `where` | all trials | dotted keys with the value, or the list of values, that a trial must have |
/// | `metric` | | a column of `results.csv`, or of the trajectory |
/// | `over` | 1 | a column by which it is divided, row by row |
/// | `over-power` | 1 | the power to which `over` is raised first |
/// | `take` | `end` | which moment counts: see [`Take`] |
/// | `while` | all rows | columns with the range in which the rows of the trajectory count |
/// | `median` | false | whether the median over the trials counts, instead of every single one |
/// | `ratio-to` | | other values of `where`: divides by the number of the trial that differs in them |
/// | `change-from` | | as `ratio-to`: the relative difference to that number, without sign |
/// | `factor-per-decade` | | a key: the factor by which the number falls for each decade that the key's value falls |
/// | `rise-per-decade` | | a key: by how much the number rises for each decade that the key's value falls |
/// | `below`, `above`, `between`, `within` | | the bound, one of them |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Claim {
    /// Its name, unique in the study.
    pub id: String,
    /// What is claimed, as a sentence.
    pub says: String,
    /// Where the paper has it: figure, section, table.
    pub source: String,
    /// Where the number comes from.
    pub origin: Origin,
    /// Whether it belongs to the quick check.
    #[serde(default)]
    pub quick: bool,
    /// The experiment file, without `.toml`.
    pub figure: String,
    /// Dotted keys with the value, or the list of values, that a trial must have.
    #[serde(default, rename = "where")]
    pub selection: Table,
    /// A column of `results.csv`, or of the trajectory.
    pub metric: String,
    /// A column by which it is divided.
    pub over: Option<String>,
    /// The power to which that column is raised first.
    pub over_power: Option<f64>,
    /// Which moment of a trial counts.
    #[serde(default)]
    pub take: Take,
    /// Columns with the range in which rows of the trajectory count.
    #[serde(default, rename = "while")]
    pub during: std::collections::BTreeMap<String, (f64, f64)>,
    /// Whether the median over the trials counts, instead of every single one.
    #[serde(default)]
    pub median: bool,
    /// Divides by the number of the trial that differs in these keys.
    pub ratio_to: Option<Table>,
    /// The relative difference to the number of the trial that differs in these keys.
    pub change_from: Option<Table>,
    /// The factor by which the number falls for each decade that this key's value falls.
    pub factor_per_decade: Option<String>,
    /// By how much the number rises for each decade that this key's value falls.
    pub rise_per_decade: Option<String>,
    /// An upper bound, not reached.
    pub below: Option<f64>,
    /// A lower bound, not reached.
    pub above: Option<f64>,
    /// A lower and an upper bound, both allowed.
    pub between: Option<(f64, f64)>,
    /// A value and how far off it may be.
    pub within: Option<Within>,
}

/// Where the number of a claim comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The paper, its authors' code or its figures.
    Paper,
    /// An independent run of the paper's setting, with other draws.
    Rerun,
    /// What this project aims at.
    Aim,
}

/// A value and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// The value.
    pub value: f64,
    /// How far off it may be, in its own unit.
    pub tolerance: f64,
}

/// With what the numbers of a claim are compared before they are bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Along<'a> {
    /// With nothing.
    Alone,
    /// Divided by the number of another trial.
    RatioTo(&'a Table),
    /// The relative difference to the number of another trial.
    ChangeFrom(&'a Table),
    /// The factor for each decade of a key's value.
    PerDecade(&'a str),
    /// The rise for each decade of a key's value.
    RisePerDecade(&'a str),
}

/// What the number of a claim must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Below a number.
    Below(f64),
    /// Above a number.
    Above(f64),
    /// From one number to another.
    Between(f64, f64),
}

impl Bound {
    /// Whether a number keeps it; NaN never does.
    pub fn holds(self, x: f64) -> bool {
        match self {
            Self::Below(bound) => x < bound,
            Self::Above(bound) => x > bound,
            Self::Between(low, high) => (low..=high).contains(&x),
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Below(bound) => write!(f, "below {bound}"),
            Self::Above(bound) => write!(f, "above {bound}"),
            Self::Between(low, high) => write!(f, "from {low} to {high}"),
        }
    }
}

impl Claim {
    /// Reads the claims of a study.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Spec`] with the place of what is not TOML, unknown or mistyped, and for a claim without
    /// exactly one bound or with a name that is taken.
    pub fn load(path: impl AsRef<Path>) -> Result<Vec<Self>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            claim: Vec<Claim>,
        }
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, "read", e))?;
        let File { claim: claims } = read(&text, path)?;
        for (place, claim) in claims.iter().enumerate() {
            let taken = claims[..place].iter().any(|other| other.id == claim.id);
            if let Some(problem) =
                claim.problem().or(taken.then(|| "has a name that is taken".into()))
            {
                let start = text.find(&format!("\"{}\"", claim.id)).unwrap_or(0);
                let problem = format!("claim `{}` {problem}", claim.id);
                return Err(crate::spec::error_at(path, &text, start, problem));
            }
        }
        Ok(claims)
    }

    fn problem(&self) -> Option<String> {
        let bounds = [
            self.below.is_some(),
            self.above.is_some(),
            self.between.is_some(),
            self.within.is_some(),
        ];
        let ways = [
            self.ratio_to.is_some(),
            self.change_from.is_some(),
            self.factor_per_decade.is_some(),
            self.rise_per_decade.is_some(),
        ];
        let count = |given: &[bool]| given.iter().filter(|given| **given).count();
        if count(&bounds) != 1 {
            return Some("must have exactly one of `below`, `above`, `between`, `within`".into());
        }
        if count(&ways) > 1 {
            let ways = "`ratio-to`, `change-from`, `factor-per-decade`, `rise-per-decade`";
            return Some(format!("must have at most one of {ways}"));
        }
        if self.over_power.is_some() && self.over.is_none() {
            return Some("must have `over` where it has `over-power`".into());
        }
        if self.take == Take::End {
            let unknown = [Some(&self.metric), self.over.as_ref()].into_iter().flatten();
            if let Some(name) = unknown.into_iter().find(|name| !is_number(name)) {
                let names = all().join(", ");
                return Some(format!("must take one of steps, {names} at the end, not {name}"));
            }
            if !self.during.is_empty() {
                return Some("must not have `while` where it takes the end".into());
            }
        }
        None
    }

    /// Its bound.
    pub fn bound(&self) -> Bound {
        let within = |w: Within| (w.value - w.tolerance, w.value + w.tolerance);
        match (self.below, self.above, self.between.or(self.within.map(within))) {
            (Some(bound), ..) => Bound::Below(bound),
            (_, Some(bound), _) => Bound::Above(bound),
            (.., Some((low, high))) => Bound::Between(low, high),
            (None, None, None) => Bound::Between(f64::NAN, f64::NAN),
        }
    }

    /// With what its numbers are compared.
    pub fn along(&self) -> Along<'_> {
        let Self { ratio_to, change_from, factor_per_decade, rise_per_decade, .. } = self;
        match (ratio_to, change_from, factor_per_decade, rise_per_decade) {
            (Some(other), ..) => Along::RatioTo(other),
            (_, Some(other), ..) => Along::ChangeFrom(other),
            (.., Some(key), _) => Along::PerDecade(key),
            (.., Some(key)) => Along::RisePerDecade(key),
            (None, None, None, None) => Along::Alone,
        }
    }

    /// The experiment file.
    pub fn experiment(&self, study: &Path) -> PathBuf {
        study.join(format!("{}.toml", self.figure))
    }
}

/// Whether `found` is `wanted`, or one of its elements.
pub(super) fn matches(found: &Value, wanted: &Value) -> bool {
    let any = wanted.as_array().map_or(&[][..], Vec::as_slice);
    same(found, wanted) || any.iter().any(|wanted| same(found, wanted))
}

/// Whether two values are the same; numbers are compared as numbers, also in lists.
fn same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Integer(x) => Some(*x as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    };
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
            _ => a == b,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_alone_in_a_list_and_as_a_list() {
        let value = |text: &str| {
            let table: Table = toml::from_str(&format!("x = {text}")).unwrap();
            table["x"].clone()
        };
        for (found, wanted, expected) in [
            ("3", "3.0", true),
            ("3", "[2, 3]", true),
            ("3", "[2, 4]", false),
            ("[3, 2.0]", "[3.0, 2]", true),
            ("[3, 2]", "[[3], [3, 2]]", true),
            ("[3, 2]", "[3, 2, 1]", false),
            ("[3]", "[[3, 2]]", false),
            ("[3, 2]", "[2, 3]", false),
            ("\"a\"", "[\"b\", \"a\"]", true),
        ] {
            assert_eq!(matches(&value(found), &value(wanted)), expected, "{found} {wanted}");
        }
    }
}
