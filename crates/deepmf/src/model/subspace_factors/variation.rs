//! Total variation and sign of a factor, with their slopes.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use crate::linalg::{Kernel, Real, run_wide};
use crate::{Error, Result};

/// Weights of what is known of a factor beforehand; 0 leaves one out.
///
/// A difference d counts √(d² + e²) − e: its size where that is well above the width e, its square below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactorVariation {
    /// Of the mean size of differences along a column: between neighbours at one hidden place.
    pub along: f64,
    /// Of the mean size of differences across columns: from one hidden place to the next.
    pub across: f64,
    /// Of the mean of min(x, 0)².
    pub non_negative: f64,
    /// Not a weight: the width of differences across columns over that of the pass.
    pub blunt: f64,
}

impl Default for FactorVariation {
    fn default() -> Self {
        Self { along: 0.0, across: 0.0, non_negative: 0.0, blunt: 1.0 }
    }
}

/// Numbers that are summed together.
const LANES: usize = 16;

impl FactorVariation {
    /// # Errors
    /// [`Error::Parameter`] for a weight below 0.
    pub(super) fn check(&self) -> Result<()> {
        let all =
            [("along", self.along), ("across", self.across), ("non-negative", self.non_negative)];
        if !(self.blunt.is_finite() && self.blunt > 0.0) {
            return Err(Error::parameter("the width of differences", "above 0", self.blunt));
        }
        match all.into_iter().find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(()),
            Some((name, found)) => Err(Error::parameter(name, "0 or more", found)),
        }
    }

    /// The value for a factor whose columns have so many rows, at a width of the differences; its slope is left in `slope`.
    pub(super) fn value<T: Real>(
        &self,
        (rows, width): (usize, f64),
        factor: &[T],
        (slope, pulls): (&mut Vec<T>, &mut Vec<T>),
    ) -> f64 {
        let cols = factor.len() / rows;
        let share = |weight: f64, count: usize| weight / count.max(1) as f64;
        let (along, across) = ((rows - 1) * cols, rows * (cols - 1));
        let mut value = 0.0;
        slope.clear();
        slope.resize(factor.len(), T::default());
        pulls.resize(rows - 1, T::default());
        run_wide(Sweep {
            rows,
            widths: [T::of(width), T::of(self.blunt * width)],
            along: share(self.along, along),
            across: share(self.across, across),
            negative: share(self.non_negative, factor.len()),
            factor,
            slope,
            pulls,
            value: &mut value,
        });
        value
    }
}

struct Sweep<'a, T> {
    rows: usize,
    widths: [T; 2],
    along: f64,
    across: f64,
    negative: f64,
    factor: &'a [T],
    slope: &'a mut [T],
    pulls: &'a mut [T],
    value: &'a mut f64,
}

impl<T: Real> Kernel for Sweep<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { rows, widths: [width, blunt], factor, slope, pulls, value, .. } = self;
        let (along, across, negative) = (self.along, self.across, self.negative);
        let columns = || factor.chunks_exact(rows);
        let one = T::of(1.0);
        for (column, slope) in columns().zip(slope.chunks_exact_mut(rows)) {
            let share = T::of(negative);
            let sum = sum_of(column, column, |x, _| {
                let below = if x < T::default() { x } else { T::default() };
                below * below
            });
            *value += negative * sum;
            for (slope, x) in slope.iter_mut().zip(column) {
                let below = if *x < T::default() { *x } else { T::default() };
                *slope += (share + share) * below;
            }
            if along > 0.0 {
                let (before, after) = (&column[..rows - 1], &column[1..]);
                *value += along * sum_of(after, before, |a, b| size(a - b, width) - width);
                let share = T::of(along);
                for ((pull, a), b) in pulls.iter_mut().zip(after).zip(before) {
                    *pull = share * ((*a - *b) * (one / size(*a - *b, width)));
                }
                slope[1..].iter_mut().zip(&*pulls).for_each(|(slope, pull)| *slope += *pull);
                slope.iter_mut().zip(&*pulls).for_each(|(slope, pull)| *slope -= *pull);
            }
        }
        if across > 0.0 {
            let share = T::of(across);
            let neighbours = columns().zip(columns().skip(1)).enumerate();
            for (place, (before, after)) in neighbours {
                *value += across * sum_of(after, before, |a, b| size(a - b, blunt) - blunt);
                let (first, second) = slope[place * rows..(place + 2) * rows].split_at_mut(rows);
                for (((first, second), a), b) in first.iter_mut().zip(second).zip(after).zip(before)
                {
                    let pull = share * ((*a - *b) * (one / size(*a - *b, blunt)));
                    *second += pull;
                    *first -= pull;
                }
            }
        }
    }
}

#[inline(always)]
fn size<T: Real>(difference: T, width: T) -> T {
    (difference * difference + width * width).root()
}

/// Σ f(aᵢ, bᵢ), in an order that no width of instructions changes.
#[inline(always)]
fn sum_of<T: Real>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> f64 {
    let mut sums = [T::default(); LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += f(a[lane], b[lane]);
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += f(*a, *b);
    }
    sums.iter().map(|x| x.double()).sum()
}
