//! Which number a claim takes of a trial: its end, or something of its trajectory.

use serde::{Deserialize, Serialize};

use crate::analysis::{orbit, plateaus, saddles};

/// Which number of a trial counts: its end, or something of what was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Take {
    /// Its end: the row of `results.csv`.
    #[default]
    End,
    /// The last of the trajectory.
    Last,
    /// The least of the trajectory.
    Min,
    /// The greatest of the trajectory.
    Max,
    /// The mean of the trajectory.
    Mean,
    /// The step at which the trajectory is least.
    StepOfMin,
    /// The recorded step with this number.
    At(u64),
    /// The first recorded step at which it is above this; NaN if it never is.
    FirstAbove(f64),
    /// The first recorded step at which it is below this; NaN if it never is.
    FirstBelow(f64),
    /// By how much it falls below an earlier value, at most; 0 if it never does.
    Fall,
    /// By how much it rises above an earlier value, at most; 0 if it never does.
    Rise,
    /// The last over the first.
    LastOverFirst,
    /// The period of the orbit on which it ends, within this relative tolerance; 1 at rest, NaN if it has none: [`orbit`].
    Period(f64),
    /// Half the range of the orbit on which it ends, within this relative tolerance; NaN if it has none: [`orbit`].
    Amplitude(f64),
    /// How many dips of a gradient norm are followed by a rise, each by more than this factor: [`saddles`].
    Saddles(f64),
    /// Its value at one of the saddles that the recorded `gradient_norm` shows.
    AtSaddle {
        /// Which saddle, counted from 1.
        saddle: usize,
        /// By which factor a gradient norm must rise and fall.
        factor: f64,
    },
    /// Its value on one of its plateaus: [`plateaus`].
    Plateau {
        /// Which plateau, counted from 1.
        place: usize,
        /// The relative width of the band in which it stays.
        band: f64,
        /// The last step of a plateau in units of its first.
        length: f64,
    },
}

/// What a claim looks at: the recorded rows that count.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) steps: Vec<f64>,
    pub(super) numbers: Vec<f64>,
    /// The recorded gradient norms, if there are any.
    pub(super) norms: Vec<f64>,
}

impl Rows {
    /// Those rows alone that count.
    pub(super) fn kept(self, counts: &[bool]) -> Self {
        let keep = |column: Vec<f64>| {
            let rows = column.into_iter().zip(counts).filter(|(_, counts)| **counts);
            rows.map(|(x, _)| x).collect()
        };
        let Self { steps, numbers, norms } = self;
        Self { steps: keep(steps), numbers: keep(numbers), norms: keep(norms) }
    }

    /// The number that is taken; NaN if there is none.
    pub(super) fn take(&self, take: Take) -> f64 {
        let Self { steps, numbers, norms } = self;
        let first = |test: &dyn Fn(f64) -> bool| {
            numbers.iter().position(|x| test(*x)).map_or(f64::NAN, |place| steps[place])
        };
        let at = |place: Option<usize>| {
            place.and_then(|place| numbers.get(place)).copied().unwrap_or(f64::NAN)
        };
        let least = (0..numbers.len()).min_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
        match take {
            Take::End | Take::Last => at(numbers.len().checked_sub(1)),
            Take::Min => at(least),
            Take::StepOfMin => least.map_or(f64::NAN, |place| steps[place]),
            Take::Max => numbers.iter().copied().max_by(f64::total_cmp).unwrap_or(f64::NAN),
            Take::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
            Take::At(step) => at(steps.iter().position(|s| s.total_cmp(&(step as f64)).is_eq())),
            Take::FirstAbove(level) => first(&|x| x > level),
            Take::FirstBelow(level) => first(&|x| x < level),
            Take::Fall => fall(numbers.iter().copied()),
            Take::Rise => fall(numbers.iter().map(|x| -x)),
            Take::LastOverFirst => at(numbers.len().checked_sub(1)) / at(Some(0)),
            Take::Period(tolerance) => {
                orbit(numbers, tolerance).map_or(f64::NAN, |orbit| orbit.period as f64)
            }
            Take::Amplitude(tolerance) => {
                orbit(numbers, tolerance).map_or(f64::NAN, |orbit| orbit.amplitude)
            }
            Take::Saddles(factor) => saddles(numbers, factor).len() as f64,
            Take::AtSaddle { saddle, factor } => {
                at(saddles(norms, factor).get(saddle.wrapping_sub(1)).copied())
            }
            Take::Plateau { place, band, length } => {
                let found = plateaus(steps, numbers, band, length);
                found.get(place.wrapping_sub(1)).map_or(f64::NAN, |plateau| plateau.value)
            }
        }
    }
}

/// The greatest fall below an earlier value; NaN without values.
fn fall(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut highest, mut fall) = (f64::NEG_INFINITY, f64::NAN);
    for x in numbers {
        highest = highest.max(x);
        fall = fall.max(highest - x);
    }
    fall
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(numbers: &[f64]) -> Rows {
        let steps = (0..numbers.len()).map(|i| 10.0 * i as f64).collect();
        Rows { steps, numbers: numbers.to_vec(), norms: numbers.to_vec() }
    }

    #[test]
    fn a_moment_is_taken_among_the_rows_that_count() {
        let rows = rows(&[5.0, 1.0, 3.0, 4.0]).kept(&[true, false, true, true]);
        let take = |take| rows.take(take);
        assert_eq!((take(Take::Min), take(Take::StepOfMin)), (3.0, 20.0));
        assert_eq!((take(Take::Max), take(Take::Mean), take(Take::At(30))), (5.0, 4.0, 4.0));
        assert_eq!((take(Take::Last), take(Take::Fall), take(Take::Rise)), (4.0, 2.0, 1.0));
        assert!(take(Take::At(10)).is_nan());
    }

    #[test]
    fn a_level_is_passed_once_or_never() {
        let rows = rows(&[0.0, 1.0, 3.0, 2.0]);
        assert_eq!(rows.take(Take::FirstAbove(1.5)), 20.0);
        assert_eq!(rows.take(Take::FirstBelow(1.5)), 0.0);
        assert!(rows.take(Take::FirstAbove(3.0)).is_nan());
    }

    #[test]
    fn saddles_and_plateaus_are_taken_by_their_place() {
        let rows = rows(&[4.0, 1.0, 9.0, 2.0, 9.0, 0.1, 0.1, 0.1, 0.1]);
        let at = |saddle| rows.take(Take::AtSaddle { saddle, factor: 2.0 });
        assert_eq!((rows.take(Take::Saddles(2.0)), at(1), at(2)), (2.0, 1.0, 2.0));
        assert!(at(0).is_nan() && at(3).is_nan());
        let plateau = |place| rows.take(Take::Plateau { place, band: 0.01, length: 1.5 });
        assert!(plateau(1) == 0.1 && plateau(2).is_nan());
    }

    #[test]
    fn growth_and_period_are_those_of_the_end() {
        let swinging =
            [4.0, 2.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 2.0];
        let found = rows(&swinging[..15]);
        assert_eq!(found.take(Take::LastOverFirst), 0.25);
        assert_eq!(found.take(Take::Period(1e-3)), 2.0);
        assert_eq!(found.take(Take::Amplitude(1e-3)), 1.0);
        assert!(rows(&swinging).take(Take::Period(1e-3)).is_nan());
    }

    #[test]
    fn nothing_recorded_gives_no_number() {
        for take in
            [Take::Last, Take::Min, Take::Mean, Take::Fall, Take::LastOverFirst, Take::Period(0.1)]
        {
            assert!(Rows::default().take(take).is_nan());
        }
    }
}
