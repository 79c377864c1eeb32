//! Penalties on the transport itself: what its product with the light cannot tell.
//!
//! Source: Aittala et al. 2019 (the code that accompanies it), weights included.

use serde::{Deserialize, Serialize};

use crate::linalg::{Accumulate, MatMut, MatRef, Real, multiply};
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
        room.slope.clear();
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
        let known = &self.map.known[start..start + pixels];
        value += self.pixelwise(known, hidden, room);
        for (weight, step) in [(self.weights.smooth_rows, width), (self.weights.smooth_cols, 1)] {
            value += self.smoothness(weight, step, known, hidden, room);
        }
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

    /// Non-negativity and chromaticity: each pixel by itself.
    fn pixelwise(&self, known: &[bool], hidden: usize, room: &mut PenaltyRoom<T>) -> f64 {
        let (colours, pixels) = (self.bases.len(), known.len());
        let count = (known.iter().filter(|known| **known).count() * hidden * colours).max(1) as f64;
        let negative = self.weights.non_negative / count;
        let chroma = if colours > 1 { self.weights.chroma / count } else { 0.0 };
        let size = hidden * pixels;
        let zero = T::default();
        let (mut squares, mut distances) = (0.0, 0.0);
        for (pixel, _) in known.iter().enumerate().filter(|(_, known)| **known) {
            for place in pixel * hidden..(pixel + 1) * hidden {
                let at = |c: usize| c * size + place;
                for c in 0..colours {
                    let x = room.transport[at(c)];
                    if x < zero {
                        squares += x.double() * x.double();
                        room.slope[at(c)] += T::of(2.0 * negative) * x;
                    }
                }
                if chroma > 0.0 {
                    let sum: T = (0..colours).map(|c| room.transport[at(c)]).sum();
                    let mean = sum / T::of(colours as f64);
                    let signs: T = (0..colours).map(|c| sign(room.transport[at(c)] - mean)).sum();
                    let signs = signs / T::of(colours as f64);
                    for c in 0..colours {
                        let off = room.transport[at(c)] - mean;
                        distances += off.double().abs();
                        room.slope[at(c)] += T::of(chroma) * (sign(off) - signs);
                    }
                }
            }
        }
        negative * squares + chroma * distances
    }

    /// Pixels against those `step` further on in the frame.
    fn smoothness(
        &self,
        weight: f64,
        step: usize,
        known: &[bool],
        hidden: usize,
        room: &mut PenaltyRoom<T>,
    ) -> f64 {
        if weight == 0.0 {
            return 0.0;
        }
        let (width, pixels) = (self.map.width, known.len());
        // Beside each other in memory, but not in the frame, are the end of a row and the start of the next.
        let pairs = || {
            (0..pixels.saturating_sub(step)).filter(move |pixel| {
                let beside = step != 1 || (pixel + 1) % width != 0;
                beside && known[*pixel] && known[pixel + step]
            })
        };
        let count = (pairs().count() * hidden * self.bases.len()).max(1) as f64;
        let share = T::of(weight / count);
        let mut sum = 0.0;
        let size = hidden * pixels;
        let colours = room.transport.chunks_exact(size).zip(room.slope.chunks_exact_mut(size));
        for (transport, slope) in colours {
            for pixel in pairs() {
                let (here, there) = (pixel * hidden, (pixel + step) * hidden);
                for h in 0..hidden {
                    let off = transport[there + h] - transport[here + h];
                    sum += off.double().abs();
                    let pull = share * sign(off);
                    slope[there + h] += pull;
                    slope[here + h] += -pull;
                }
            }
        }
        weight / count * sum
    }
}

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
