//! Curves at the end of convolutions: leaky rectifier, hyperbolic tangent, and heads that are always above zero.

use rayon::prelude::*;

use super::{Grid, one};
use crate::linalg::{Real, wide};
use crate::model::layer::{Input, Layer, Mode, Tape};

/// Numbers that one thread takes at a time.
const PART: usize = 1 << 14;
/// Positions that one thread takes at a time.
const PLACES: usize = 1 << 10;

fn each<T: Real>(from: &[T], to: &mut Vec<T>, curve: impl Fn(T) -> T + Sync) {
    to.resize(from.len(), T::default());
    to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| {
        wide(|| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = curve(*from);
            }
        });
    });
}

fn each_back<T: Real>(
    (slope, y): (&[T], &[T]),
    back: Option<&mut Vec<T>>,
    curve: impl Fn(T) -> T + Sync,
) {
    let Some(back) = back else { return };
    back.resize(slope.len(), T::default());
    let parts = back.par_chunks_mut(PART).zip(slope.par_chunks(PART)).zip(y.par_chunks(PART));
    parts.for_each(|((back, slope), y)| {
        wide(|| {
            for ((back, slope), y) in back.iter_mut().zip(slope).zip(y) {
                *back = *slope * curve(*y);
            }
        });
    });
}

/// y = x above zero, and x / 10 below.
#[derive(Clone, Debug)]
pub struct LeakyRelu {
    width: usize,
}

/// y = tanh x.
#[derive(Clone, Debug)]
pub struct Tanh {
    width: usize,
}

/// y = e^(x − shift): always above zero.
#[derive(Clone, Debug)]
pub struct ExpHead {
    width: usize,
    shift: f64,
}

impl LeakyRelu {
    /// Over `width` numbers.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

impl Tanh {
    /// Over `width` numbers.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

impl ExpHead {
    /// Over `width` numbers.
    pub fn new(width: usize, shift: f64) -> Self {
        Self { width, shift }
    }
}

trait Curve<T> {
    fn value(&self, x: T) -> T;
    fn slope(&self, y: T) -> T;
}

impl<T: Real> Curve<T> for LeakyRelu {
    fn value(&self, x: T) -> T {
        if x > T::default() { x } else { T::of(0.1) * x }
    }
    fn slope(&self, y: T) -> T {
        T::of(if y > T::default() { 1.0 } else { 0.1 })
    }
}

impl<T: Real> Curve<T> for Tanh {
    fn value(&self, x: T) -> T {
        x.tanh()
    }
    fn slope(&self, y: T) -> T {
        T::of(1.0) - y * y
    }
}

impl<T: Real> Curve<T> for ExpHead {
    fn value(&self, x: T) -> T {
        T::of((x.double() - self.shift).exp())
    }
    fn slope(&self, y: T) -> T {
        y
    }
}

macro_rules! layer {
    ($kind:ty) => {
        impl<T: Real> Layer<T> for $kind {
            fn widths(&self) -> (usize, usize) {
                (self.width, self.width)
            }

            fn forward(
                &self,
                _params: &[T],
                _state: &[T],
                input: Input<'_, T>,
                _mode: Mode,
                tape: &mut Tape<T>,
            ) {
                each(input.dense().1, &mut tape.output, |x| self.value(x));
            }

            fn backward(
                &self,
                _params: &[T],
                _input: Input<'_, T>,
                tape: &mut Tape<T>,
                slope: &[T],
                _into: &mut [T],
                back: Option<&mut Vec<T>>,
            ) {
                each_back((slope, &tape.output), back, |y| self.slope(y));
            }
        }
    };
}

layer!(LeakyRelu);
layer!(Tanh);
layer!(ExpHead);

/// y_c = e^β_c (½ + ½ tanh(a_c + 2)) + e^(b_c − 1), where a is the first half of the channels and b the second: light above a trained black
/// level β, which is zero at the start.
#[derive(Clone, Debug)]
pub struct DarkHead {
    grid: Grid,
    colours: usize,
}

impl DarkHead {
    /// From twice `colours` channels to `colours`.
    pub fn new(grid: Grid, colours: usize) -> Self {
        Self { grid, colours }
    }
}

impl<T: Real> Layer<T> for DarkHead {
    fn widths(&self) -> (usize, usize) {
        let width = self.grid.positions() * self.colours;
        (2 * width, width)
    }

    fn slots(&self) -> Vec<(&'static str, usize, usize)> {
        vec![("black", self.colours, 1)]
    }

    fn forward(
        &self,
        params: &[T],
        _state: &[T],
        input: Input<'_, T>,
        _mode: Mode,
        tape: &mut Tape<T>,
    ) {
        let colours = self.colours;
        let (x, Tape { output, kept, .. }) = (one(input), tape);
        output.resize(x.len() / 2, T::default());
        kept.resize(x.len(), T::default());
        // Kept: what each half adds before the black level.
        let parts = output.par_chunks_mut(colours * PLACES);
        let parts = parts.zip(kept.par_chunks_mut(2 * colours * PLACES));
        parts.zip(x.par_chunks(2 * colours * PLACES)).for_each(|((out, kept), x)| {
            for c in 0..colours {
                let level = T::of(params[c].double().exp());
                let places = out.chunks_exact_mut(colours).zip(kept.chunks_exact_mut(2 * colours));
                for ((out, kept), x) in places.zip(x.chunks_exact(2 * colours)) {
                    kept[c] = T::of(0.5 + 0.5 * (x[c].double() + 2.0).tanh());
                    kept[colours + c] = T::of((x[colours + c].double() - 1.0).exp());
                    out[c] = level * kept[c] + kept[colours + c];
                }
            }
        });
    }

    fn backward(
        &self,
        params: &[T],
        input: Input<'_, T>,
        tape: &mut Tape<T>,
        slope: &[T],
        into: &mut [T],
        back: Option<&mut Vec<T>>,
    ) {
        let colours = self.colours;
        into.fill(T::default());
        let kept = tape.kept.chunks_exact(2 * colours);
        for (kept, slope) in kept.zip(slope.chunks_exact(colours)) {
            into.iter_mut()
                .zip(kept)
                .zip(slope)
                .for_each(|((into, s), slope)| *into += *s * *slope);
        }
        let level = |c: usize| T::of(params[c].double().exp());
        into.iter_mut().enumerate().for_each(|(c, into)| *into *= level(c));
        let Some(back) = back else { return };
        back.resize(one(input).len(), T::default());
        let parts = back.par_chunks_mut(2 * colours * PLACES);
        let parts = parts.zip(slope.par_chunks(colours * PLACES));
        parts.zip(tape.kept.par_chunks(2 * colours * PLACES)).for_each(|((back, slope), kept)| {
            for c in 0..colours {
                let level = level(c);
                let places = back.chunks_exact_mut(2 * colours).zip(slope.chunks_exact(colours));
                for ((back, slope), kept) in places.zip(kept.chunks_exact(2 * colours)) {
                    // With s = ½ + ½ tanh, the slope of s is 2 s (1 − s).
                    let curve = T::of(2.0) * kept[c] * (T::of(1.0) - kept[c]);
                    back[c] = slope[c] * level * curve;
                    back[colours + c] = slope[c] * kept[colours + c];
                }
            }
        });
    }
}
