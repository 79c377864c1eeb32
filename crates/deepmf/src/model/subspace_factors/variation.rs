//! Total variation, size and sign of a factor, with their slopes.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use crate::linalg::{Kernel, Real, run_wide};
use crate::{Error, Result};

/// Weights of what is known of a factor beforehand; 0 leaves one out.
///
/// A difference d counts s − e with s = √(d² + e²): its size where that is well above the width e, its square below. Where differences are `sharp` it counts
/// √s − √e, by which one large difference costs less than several small ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactorVariation {
    /// Of the mean size of differences along a column: between neighbours at one hidden place.
    pub along: f64,
    /// Of the mean size of differences across columns: from one hidden place to the next.
    pub across: f64,
    /// Of the mean of min(x, 0)².
    pub non_negative: f64,
    /// Of (m − 1)² with m the mean of the factor, of which the size is else free.
    pub size: f64,
    /// Of the mean root of the size of all entries: that of a factor of which most are 0 is small.
    pub dark: f64,
    /// Not a weight: the width of differences across columns over that of the pass.
    pub blunt: f64,
    /// Not a weight: whether differences count the root of their size.
    pub sharp: bool,
}

impl Default for FactorVariation {
    fn default() -> Self {
        Self {
            along: 0.0,
            across: 0.0,
            non_negative: 0.0,
            size: 0.0,
            dark: 0.0,
            blunt: 1.0,
            sharp: false,
        }
    }
}

/// Numbers that are summed together.
const LANES: usize = 16;

/// What is kept from one pass to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct VariationRoom<T> {
    /// The slopes of the value, of the size of the factor.
    pub(super) slope: Vec<T>,
    /// The slopes of the differences along one column.
    pulls: Vec<T>,
}

impl FactorVariation {
    /// # Errors
    /// [`Error::Parameter`] for a weight below 0.
    pub(super) fn check(&self) -> Result<()> {
        let all = [
            ("along", self.along),
            ("across", self.across),
            ("non-negative", self.non_negative),
            ("size", self.size),
            ("dark", self.dark),
        ];
        if !(self.blunt.is_finite() && self.blunt > 0.0) {
            return Err(Error::parameter("the width of differences", "above 0", self.blunt));
        }
        match all.into_iter().find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(()),
            Some((name, found)) => Err(Error::parameter(name, "0 or more", found)),
        }
    }

    /// The value for a factor whose columns have so many rows, at a width of the differences; its slope is left in the room.
    pub(super) fn value<T: Real>(
        &self,
        (rows, width): (usize, f64),
        factor: &[T],
        room: &mut VariationRoom<T>,
    ) -> f64 {
        let mut value = 0.0;
        room.slope.clear();
        room.slope.resize(factor.len(), T::default());
        room.pulls.resize(rows - 1, T::default());
        let widths = [T::of(width), T::of(self.blunt * width)];
        let sweep = Sweep { rows, widths, weights: self, factor, room, value: &mut value };
        run_wide(sweep);
        value
    }
}

/// How a difference counts.
trait Count {
    fn value<T: Real>(difference: T, width: T) -> T;
    fn slope<T: Real>(difference: T, width: T) -> T;
}

struct Size;

impl Count for Size {
    #[inline(always)]
    fn value<T: Real>(difference: T, width: T) -> T {
        size(difference, width) - width
    }

    #[inline(always)]
    fn slope<T: Real>(difference: T, width: T) -> T {
        difference * (T::of(1.0) / size(difference, width))
    }
}

struct Root;

impl Count for Root {
    #[inline(always)]
    fn value<T: Real>(difference: T, width: T) -> T {
        size(difference, width).root() - width.root()
    }

    #[inline(always)]
    fn slope<T: Real>(difference: T, width: T) -> T {
        let size = size(difference, width);
        difference * (T::of(0.5) / (size * size.root()))
    }
}

#[inline(always)]
fn size<T: Real>(difference: T, width: T) -> T {
    (difference * difference + width * width).root()
}

struct Sweep<'a, T> {
    rows: usize,
    widths: [T; 2],
    weights: &'a FactorVariation,
    factor: &'a [T],
    room: &'a mut VariationRoom<T>,
    value: &'a mut f64,
}

impl<T: Real> Kernel for Sweep<'_, T> {
    #[inline(always)]
    fn run(mut self) {
        self.sign_and_size();
        if self.weights.sharp {
            self.differences::<Root>();
        } else {
            self.differences::<Size>();
        }
    }
}

impl<T: Real> Sweep<'_, T> {
    #[inline(always)]
    fn sign_and_size(&mut self) {
        let count = self.factor.len() as f64;
        let share = self.weights.non_negative / count;
        let twice = T::of(share) + T::of(share);
        let below = |x: T| if x < T::default() { x } else { T::default() };
        let columns = self.factor.chunks_exact(self.rows);
        for (column, slope) in columns.zip(self.room.slope.chunks_exact_mut(self.rows)) {
            *self.value += share * sum_of(column, column, |x, _| below(x) * below(x));
            for (slope, x) in slope.iter_mut().zip(column) {
                *slope += twice * below(*x);
            }
        }
        if self.weights.size > 0.0 {
            let over = sum_of(self.factor, self.factor, |x, _| x) / count - 1.0;
            *self.value += self.weights.size * over * over;
            let pull = T::of(2.0 * self.weights.size * over / count);
            self.room.slope.iter_mut().for_each(|slope| *slope += pull);
        }
        if self.weights.dark > 0.0 {
            let (share, width) = (self.weights.dark / count, self.widths[0]);
            *self.value += share * sum_of(self.factor, self.factor, |x, _| Root::value(x, width));
            for (slope, x) in self.room.slope.iter_mut().zip(self.factor) {
                *slope += T::of(share) * Root::slope(*x, width);
            }
        }
    }

    #[inline(always)]
    fn differences<C: Count>(&mut self) {
        let cols = self.factor.len() / self.rows;
        let share = |weight: f64, count: usize| weight / count.max(1) as f64;
        let along = share(self.weights.along, (self.rows - 1) * cols);
        let across = share(self.weights.across, self.rows * (cols - 1));
        if along > 0.0 {
            self.along::<C>(along);
        }
        if across > 0.0 {
            self.across::<C>(across);
        }
    }

    #[inline(always)]
    fn along<C: Count>(&mut self, weight: f64) {
        let (width, share) = (self.widths[0], T::of(weight));
        let VariationRoom { slope, pulls, .. } = self.room;
        let columns = self.factor.chunks_exact(self.rows);
        for (column, slope) in columns.zip(slope.chunks_exact_mut(self.rows)) {
            let (before, after) = (&column[..self.rows - 1], &column[1..]);
            *self.value += weight * sum_of(after, before, |a, b| C::value(a - b, width));
            for ((pull, a), b) in pulls.iter_mut().zip(after).zip(before) {
                *pull = share * C::slope(*a - *b, width);
            }
            slope[1..].iter_mut().zip(&*pulls).for_each(|(slope, pull)| *slope += *pull);
            slope.iter_mut().zip(&*pulls).for_each(|(slope, pull)| *slope -= *pull);
        }
    }

    #[inline(always)]
    fn across<C: Count>(&mut self, weight: f64) {
        let (rows, width) = (self.rows, self.widths[1]);
        let columns = || self.factor.chunks_exact(rows);
        let share = T::of(weight);
        for (place, (before, after)) in columns().zip(columns().skip(1)).enumerate() {
            *self.value += weight * sum_of(after, before, |a, b| C::value(a - b, width));
            let both = &mut self.room.slope[place * rows..(place + 2) * rows];
            let (first, second) = both.split_at_mut(rows);
            for (((first, second), a), b) in first.iter_mut().zip(second).zip(after).zip(before) {
                let pull = share * C::slope(*a - *b, width);
                *second += pull;
                *first -= pull;
            }
        }
    }
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
