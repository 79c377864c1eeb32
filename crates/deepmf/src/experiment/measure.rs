//! Claims held against what came of their trials.

use toml::{Table, Value};

use super::Experiment;
use super::claim::{Along, Bound, Claim, matches};
use super::sweep::{Outcome, TrialReport};
use super::take::{Rows, Take};
use crate::{Error, Result};

/// What became of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The claim.
    pub claim: Claim,
    /// What its numbers must be.
    pub bound: Bound,
    /// Its numbers, each with the words that say of which trial.
    pub measured: Vec<(String, f64)>,
    /// Whether they are.
    pub judgement: Judgement,
}

/// Whether a claim holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Every number keeps the bound.
    Passed,
    /// At least one does not.
    Failed,
    /// It could not be measured here: the reason.
    Skipped(String),
}

/// The trials that a claim selects, each with the one that it is compared with, if there is one.
pub(super) fn selected(claim: &Claim, experiment: &Experiment) -> Vec<(usize, Option<usize>)> {
    let places =
        (0..experiment.trials.len()).filter(|place| fits(experiment, *place, &claim.selection));
    match claim.along() {
        Along::RatioTo(other) | Along::ChangeFrom(other) => places
            .filter_map(|place| Some((place, Some(counterpart(experiment, place, other)?))))
            .collect(),
        Along::Alone | Along::PerDecade(_) | Along::RisePerDecade(_) => {
            places.map(|place| (place, None)).collect()
        }
    }
}

/// Judges a claim from the reports of the trials that it selects.
///
/// # Errors
/// [`Error::Parameter`] for a column that the trajectory does not have; what reading it gives.
pub(super) fn judge(
    claim: &Claim,
    experiment: &Experiment,
    reports: &[TrialReport],
) -> Result<Verdict> {
    let bound = claim.bound();
    let verdict = |measured: Vec<(String, f64)>, judgement| Verdict {
        claim: claim.clone(),
        bound,
        measured,
        judgement,
    };
    let pairs = selected(claim, experiment);
    let report = |place: usize| reports.iter().find(|report| report.place == place);
    for place in pairs.iter().flat_map(|(place, other)| std::iter::once(place).chain(other)) {
        let reason = match report(*place).map(|report| &report.outcome) {
            Some(Outcome::Done(_) | Outcome::Found(_)) => continue,
            Some(Outcome::Skipped(reason)) => reason.clone(),
            Some(Outcome::Interrupted) | None => "interrupted".into(),
        };
        return Ok(verdict(vec![], Judgement::Skipped(reason)));
    }
    let measure = |place: usize| report(place).map_or(Ok(f64::NAN), |report| number(claim, report));
    let mut measured = Vec::new();
    for (place, other) in pairs {
        let x = measure(place)?;
        let x = match (claim.along(), other) {
            (Along::RatioTo(_), Some(other)) => x / measure(other)?,
            (Along::ChangeFrom(_), Some(other)) => {
                let y = measure(other)?;
                ((x - y) / y).abs()
            }
            _ => x,
        };
        measured.push((place, x));
    }
    let named = |place: usize| experiment.trials[place].name();
    let measured = match claim.along() {
        Along::PerDecade(key) | Along::RisePerDecade(key) => {
            per_decade(claim, experiment, key, &measured)
        }
        _ if claim.median => {
            let name = format!("median of {}", measured.len());
            vec![(name, median(measured.iter().map(|(_, x)| *x).collect()))]
        }
        _ => measured.into_iter().map(|(place, x)| (named(place), x)).collect(),
    };
    let holds = !measured.is_empty() && measured.iter().all(|(_, x)| bound.holds(*x));
    Ok(verdict(measured, if holds { Judgement::Passed } else { Judgement::Failed }))
}

fn fits(experiment: &Experiment, place: usize, wanted: &Table) -> bool {
    let trial = &experiment.trials[place];
    wanted.iter().all(|(key, wanted)| trial.value(key).is_some_and(|found| matches(&found, wanted)))
}

/// The trial that has these values and is otherwise the same as the one at `place`; a varied table of which a key
/// is given may differ in its other keys too.
fn counterpart(experiment: &Experiment, place: usize, other: &Table) -> Option<usize> {
    let given = |key: &str| {
        other.keys().any(|name| {
            name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let same = |candidate: usize| {
        let values = &experiment.trials[place].values;
        values
            .iter()
            .filter(|(key, _)| !given(key))
            .all(|(key, value)| experiment.trials[candidate].value(key).as_ref() == Some(value))
    };
    (0..experiment.trials.len())
        .find(|candidate| fits(experiment, *candidate, other) && same(*candidate))
}

/// The number of one trial.
fn number(claim: &Claim, report: &TrialReport) -> Result<f64> {
    let over = |x: f64, under: f64| x / under.powf(claim.over_power.unwrap_or(1.0));
    if claim.take == Take::End {
        let of = |name: &str| report.result().and_then(|result| result.number(name));
        let under = claim.over.as_ref().map_or(Some(1.0), |name| of(name));
        return Ok(of(&claim.metric).zip(under).map_or(f64::NAN, |(x, under)| over(x, under)));
    }
    let trajectory = report.trajectory()?;
    let column = |name: &str| {
        trajectory.column(name).ok_or_else(|| {
            let allowed = format!("one of {}", trajectory.columns().join(", "));
            Error::parameter(format!("the metric of claim `{}`", claim.id), allowed, name)
        })
    };
    let mut numbers = column(&claim.metric)?;
    if let Some(name) = &claim.over {
        numbers.iter_mut().zip(column(name)?).for_each(|(x, under)| *x = over(*x, under));
    }
    // Where the loss is a number and this is none, it was not measured.
    let losses = trajectory.column("loss").unwrap_or_default();
    let measured = numbers.iter().zip(&losses).map(|(x, loss)| !x.is_nan() || loss.is_nan());
    let mut counts: Vec<bool> = measured.collect();
    for (name, (low, high)) in &claim.during {
        let range = column(name)?;
        counts.iter_mut().zip(range).for_each(|(counts, x)| *counts &= (*low..=*high).contains(&x));
    }
    let steps = trajectory.column("step").unwrap_or_default();
    let norms = trajectory.column("gradient_norm").unwrap_or_default();
    Ok(Rows { steps, numbers, norms }.kept(&counts).take(claim.take))
}

/// The factor by which the number falls, or by how much it rises, for each decade of the key's value, from each value to the next lower one.
///
/// Trials that differ in other varied keys make chains of their own, unless their medians count.
fn per_decade(
    claim: &Claim,
    experiment: &Experiment,
    key: &str,
    measured: &[(usize, f64)],
) -> Vec<(String, f64)> {
    let value = |place: usize| match experiment.trials[place].value(key) {
        Some(Value::Float(x)) => x,
        Some(Value::Integer(x)) => x as f64,
        _ => f64::NAN,
    };
    let rest = |place: usize| {
        let others = experiment.trials[place].values.iter();
        let others = others.filter(|(name, _)| name != key && !claim.median);
        others.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    };
    let mut rows: Vec<(String, f64, f64)> =
        measured.iter().map(|(place, x)| (rest(*place), value(*place), *x)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let points: Vec<(&str, f64, f64)> = rows
        .chunk_by(|a, b| a.0 == b.0 && a.1.total_cmp(&b.1).is_eq())
        .map(|same| (same[0].0.as_str(), same[0].1, median(same.iter().map(|row| row.2).collect())))
        .collect();
    let steps = points.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    steps
        .map(|pair| {
            let [(rest, high, before), (_, low, after)] = [pair[0], pair[1]];
            let comma = if rest.is_empty() { "" } else { ", " };
            let decades = (high / low).log10();
            let change = match claim.along() {
                Along::RisePerDecade(_) => (after - before) / decades,
                _ => (before / after).powf(1.0 / decades),
            };
            (format!("{high:e} to {low:e}{comma}{rest}"), change)
        })
        .collect()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => numbers[middle],
        _ => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_there_keeps_no_bound() {
        for bound in [Bound::Below(1.0), Bound::Above(1.0), Bound::Between(0.0, 1.0)] {
            assert!(!bound.holds(f64::NAN));
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
