//! Penalties on the transport itself: what its product with the light cannot tell.
//!
//! Source: Aittala et al. 2019 (the code that accompanies it), weights included.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::linalg::{Accumulate, MatMut, MatRef, Real, multiply, wide};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// Weights of the penalties on a transport T; 0 leaves one out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FactorPenalties {
    /// Of the mean of min(T, 0)².
    pub non_negative: f64,
    /// Of the mean of |T(next row) − T(row)| over the rows of the observed frame.
    pub smooth_rows: f64,
    /// The same over its columns.
    pub smooth_cols: f64,
    /// Of the mean of |T − its mean over colours|.
    pub chroma: f64,
    /// Of the mean of |A| along the first basis vector.
    pub magnitude: f64,
}

impl Default for FactorPenalties {
    /// The published weights.
    fn default() -> Self {
        Self {
            non_negative: 10.0,
            smooth_rows: 1e-3,
            smooth_cols: 1e-3,
            chroma: 1e-3,
            magnitude: 1e-4,
        }
    }
}

impl FactorPenalties {
    /// None of them.
    pub const NONE: Self =
        Self { non_negative: 0.0, smooth_rows: 0.0, smooth_cols: 0.0, chroma: 0.0, magnitude: 0.0 };

    /// # Errors
    /// [`Error::Parameter`] for a weight below 0.
    pub(super) fn check(&self) -> Result<()> {
        let named = [
            ("non-negative", self.non_negative),
            ("smooth-rows", self.smooth_rows),
            ("smooth-cols", self.smooth_cols),
            ("chroma", self.chroma),
            ("magnitude", self.magnitude),
        ];
        match named.into_iter().find(|(_, weight)| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(()),
            Some((name, found)) => Err(Error::parameter(name, "0 or more", found)),
        }
    }

    /// Whether one of them needs T itself.
    pub(super) fn need_transport(&self) -> bool {
        self.non_negative + self.smooth_rows + self.smooth_cols + self.chroma > 0.0
    }
}

/// Where the pixels of the basis stand in the observed frame, and how many of its rows a step looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportMap {
    /// Columns of the frame.
    pub width: usize,
    /// Which pixels of the frame are in the basis, row after row.
    pub known: Vec<bool>,
    /// Rows that each step draws, all that there are or fewer: T is formed there alone.
    pub rows: usize,
}

/// The transport over all pixels of the frame, one basis a colour.
#[derive(Clone, Debug)]
pub(super) struct Penalised<T> {
    weights: FactorPenalties,
    map: TransportMap,
    /// For each colour the basis, inside x pixels of the frame; zero at unknown ones.
    bases: Vec<Vec<T>>,
    /// √(s_1 / s_2) of each colour.
    first: Vec<f64>,
}

/// Scratch of the penalties.
#[derive(Clone, Debug, Default)]
pub(super) struct PenaltyRoom<T> {
    /// T of all colours, hidden x pixels each, and the slope with respect to it.
    transport: Vec<T>,
    slope: Vec<T>,
    /// The penalties of each pixel.
    values: Vec<f64>,
}

impl<T: Real> Penalised<T> {
    /// `bases` are inside x known pixels.
    pub(super) fn new(
        weights: FactorPenalties,
        map: TransportMap,
        bases: &[Vec<T>],
        first: Vec<f64>,
    ) -> Result<Self> {
        weights.check()?;
        let known = map.known.iter().filter(|known| **known).count();
        let whole = map.width > 0 && map.known.len().is_multiple_of(map.width);
        let inside = bases.first().map_or(0, |basis| basis.len() / known.max(1));
        if !whole || bases.iter().any(|basis| basis.len() != inside * known) || known == 0 {
            let found = format!("{known} of {} in rows of {}", map.known.len(), map.width);
            return Err(Error::shape(
                "the map of pixels",
                "as many known pixels as the basis",
                found,
            ));
        }
        let height = map.known.len() / map.width;
        if map.rows == 0 || map.rows > height {
            let allowed = format!("from 1 to the {height} of the frame");
            return Err(Error::parameter("the rows that a step looks at", allowed, map.rows));
        }
        let spread = |basis: &Vec<T>| {
            let mut all = vec![T::default(); inside * map.known.len()];
            let places = all.chunks_exact_mut(inside).zip(&map.known).filter(|(_, known)| **known);
            places
                .zip(basis.chunks_exact(inside))
                .for_each(|((to, _), from)| to.copy_from_slice(from));
            all
        };
        let bases = bases.iter().map(spread).collect();
        Ok(Self { weights, map, bases, first })
    }

    /// The penalties at the cores of all colours (inside x hidden each, one after another); their slopes are left in `into`.
    pub(super) fn value(
        &self,
        cores: &[T],
        hidden: usize,
        draw: Option<(u64, u64)>,
        room: &mut PenaltyRoom<T>,
        into: &mut Vec<T>,
    ) -> f64 {
        into.clear();
        into.resize(cores.len(), T::default());
        let mut value = self.magnitude(cores, hidden, into);
        if !self.weights.need_transport() {
            return value;
        }
        let (height, width) = (self.map.known.len() / self.map.width, self.map.width);
        let start = draw.map_or(0, |(seed, step)| {
            let last = (height - self.map.rows) as u64;
            stream(seed, Purpose::Train, step).random_range(0..=last) as usize
        });
        // Without a draw, as in an evaluation, all rows are looked at.
        let rows = if draw.is_some() { self.map.rows } else { height };
        let (start, pixels) = (start * width, rows * width);
        let size = hidden * pixels;
        room.transport.resize(self.bases.len() * size, T::default());
        room.slope.resize(self.bases.len() * size, T::default());
        let inside = cores.len() / (self.bases.len() * hidden).max(1);
        let each = |c: usize| {
            (&self.bases[c][start * inside..(start + pixels) * inside], c * inside * hidden)
        };
        for (c, transport) in room.transport.chunks_exact_mut(size).enumerate() {
            let (basis, core) = each(c);
            let core = MatRef::new(inside, hidden, &cores[core..core + inside * hidden]);
            let out = MatMut::new(hidden, pixels, transport);
            multiply(
                out,
                Accumulate::Replace,
                T::of(1.0),
                core.t(),
                MatRef::new(inside, pixels, basis),
            );
        }
        value += self.pixelwise(&self.map.known[start..start + pixels], hidden, room);
        for (c, slope) in room.slope.chunks_exact(size).enumerate() {
            let (basis, core) = each(c);
            let out = MatMut::new(inside, hidden, &mut into[core..core + inside * hidden]);
            let (basis, slope) =
                (MatRef::new(inside, pixels, basis), MatRef::new(hidden, pixels, slope));
            multiply(out, Accumulate::Add, T::of(1.0), basis, slope.t());
        }
        value
    }

    fn magnitude(&self, cores: &[T], hidden: usize, into: &mut [T]) -> f64 {
        if self.weights.magnitude == 0.0 {
            return 0.0;
        }
        let inside = cores.len() / (self.bases.len() * hidden).max(1);
        let share = self.weights.magnitude / (self.bases.len() * hidden) as f64;
        let mut sum = 0.0;
        let numbers = cores.iter().zip(into).step_by(inside);
        for (place, (x, slope)) in numbers.enumerate() {
            let scale = self.first[place / hidden];
            sum += x.double().abs() / scale;
            *slope += T::of(share / scale) * sign(*x);
        }
        share * sum
    }

    /// What is asked of each pixel beside its neighbours and its other colours; the slope is left in the room.
    fn pixelwise(&self, known: &[bool], hidden: usize, room: &mut PenaltyRoom<T>) -> f64 {
        let (colours, pixels, width) = (self.bases.len(), known.len(), self.map.width);
        let after = |pixel: usize, axis: usize| {
            let (beside, next) = if axis == 0 {
                (pixel + width < pixels, pixel + width)
            } else {
                (!(pixel + 1).is_multiple_of(width), pixel + 1)
            };
            (beside && known[pixel] && known[next]).then_some(next)
        };
        let count = |axis| (0..pixels).filter(|pixel| after(*pixel, axis).is_some()).count();
        let share = |weight: f64, count: usize| weight / (count * hidden * colours).max(1) as f64;
        let all = known.iter().filter(|known| **known).count();
        let chroma = if colours > 1 { self.weights.chroma } else { 0.0 };
        let shares = Shares {
            negative: T::of(share(self.weights.non_negative, all)),
            chroma: T::of(share(chroma, all)),
            smooth: [
                T::of(share(self.weights.smooth_rows, count(0))),
                T::of(share(self.weights.smooth_cols, count(1))),
            ],
        };
        let PenaltyRoom { transport, slope, values } = room;
        values.resize(colours * pixels, 0.0);
        let places = slope.par_chunks_mut(hidden).zip(&mut *values).with_min_len(PART);
        places.enumerate().for_each(|(place, (slope, value))| {
            let (colour, pixel) = (place / pixels, place % pixels);
            if !known[pixel] {
                slope.fill(T::default());
                *value = 0.0;
                return;
            }
            let at = |c: usize, p: usize| &transport[(c * pixels + p) * hidden..][..hidden];
            let own = at(colour, pixel);
            // Where there is no neighbour the pixel itself stands for it: it does not differ.
            let neighbours = [(0, width), (1, 1)].map(|(axis, step)| {
                let before = pixel.checked_sub(step).filter(|p| after(*p, axis) == Some(pixel));
                [before, after(pixel, axis)].map(|p| p.map_or(own, |p| at(colour, p)))
            });
            *value =
                wide(|| shares.at(own, neighbours, &(0..colours).map(|c| at(c, pixel)), slope));
        });
        values.iter().sum()
    }
}

/// Numbers that are looked at together, of which a hidden size is a multiple.
const LANES: usize = 8;
/// Pixels that one thread takes at a time.
const PART: usize = 64;

/// Weights, each over the number of what it is a mean of.
struct Shares<T> {
    negative: T,
    chroma: T,
    smooth: [T; 2],
}

impl<T: Real> Shares<T> {
    /// The penalties of one pixel of one colour and, in `slope`, their slopes; `neighbours` are those before and after along rows and columns, of which
    /// only the latter count here.
    #[inline]
    fn at<'a>(
        &self,
        own: &[T],
        neighbours: [[&[T]; 2]; 2],
        colours: &(impl Iterator<Item = &'a [T]> + Clone),
        slope: &mut [T],
    ) -> f64 {
        let two = T::of(2.0);
        let many = T::of(1.0) / T::of(colours.clone().count() as f64);
        let mut sums = [T::default(); LANES];
        for (block, slope) in slope.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let of = |numbers: &[T]| -> [T; LANES] {
                std::array::from_fn(|lane| numbers[block * LANES..][..LANES][lane])
            };
            let x = of(own);
            for lane in 0..LANES {
                let below = if x[lane] < T::default() { x[lane] } else { T::default() };
                sums[lane] += self.negative * below * below;
                slope[lane] = two * self.negative * below;
            }
            for (share, [before, after]) in self.smooth.into_iter().zip(neighbours) {
                let (before, after) = (of(before), of(after));
                for lane in 0..LANES {
                    let (off, next) = (x[lane] - before[lane], x[lane] - after[lane]);
                    sums[lane] += share * (next * sign(next));
                    slope[lane] += share * (sign(off) + sign(next));
                }
            }
            if self.chroma > T::default() {
                let (mut mean, mut signs) = ([T::default(); LANES], [T::default(); LANES]);
                for colour in colours.clone().map(of) {
                    (0..LANES).for_each(|lane| mean[lane] += many * colour[lane]);
                }
                for colour in colours.clone().map(of) {
                    (0..LANES)
                        .for_each(|lane| signs[lane] += many * sign(colour[lane] - mean[lane]));
                }
                for lane in 0..LANES {
                    let off = x[lane] - mean[lane];
                    sums[lane] += self.chroma * (off * sign(off));
                    slope[lane] += self.chroma * (sign(off) - signs[lane]);
                }
            }
        }
        sums.iter().map(|sum| sum.double()).sum()
    }
}

#[inline]
fn sign<T: Real>(x: T) -> T {
    let zero = T::default();
    if x > zero {
        T::of(1.0)
    } else if x < zero {
        T::of(-1.0)
    } else {
        zero
    }
}
