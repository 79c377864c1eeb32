//! The numbers of a matrix: double precision for the linear theory, single precision inside networks.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Backend: faer::traits::ComplexField {}
    impl Backend for f32 {}
    impl Backend for f64 {}
}

/// f32 or f64.
pub trait Real:
    sealed::Backend
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + SubAssign
    + Mul<Output = Self>
    + MulAssign
    + Div<Output = Self>
    + Neg<Output = Self>
    + Sum
    + 'static
{
    /// The nearest number of this precision.
    fn of(x: f64) -> Self;

    /// The same number in double precision.
    fn double(self) -> f64;

    /// √x.
    #[must_use]
    fn root(self) -> Self;

    /// self · factor + term, rounded once.
    #[must_use]
    fn times_plus(self, factor: Self, term: Self) -> Self;

    /// tanh x, in single precision to about 1.5e-7, in a form of which a loop takes many at once.
    #[must_use]
    fn tanh(self) -> Self;
}

/// Where single precision can no longer tell tanh from one.
const FLAT: f32 = 9.0;

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn double(self) -> f64 {
        self
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, term: Self) -> Self {
        self.mul_add(factor, term)
    }

    fn tanh(self) -> Self {
        Self::tanh(self)
    }
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as Self
    }

    fn double(self) -> f64 {
        f64::from(self)
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, term: Self) -> Self {
        self.mul_add(factor, term)
    }

    #[inline]
    fn tanh(self) -> Self {
        // Lambert's continued fraction, seven terms deep, of half the argument; then tanh 2y = 2 t / (1 + t²).
        let y = 0.5 * self.clamp(-FLAT, FLAT);
        let s = y * y;
        let above = y * (135_135.0 + s * (17_325.0 + s * (378.0 + s)));
        let below = 135_135.0 + s * (62_370.0 + s * (3_150.0 + 28.0 * s));
        let t = above / below;
        2.0 * t / (1.0 + t * t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_tanh_is_that_of_double_precision() {
        for place in -40_000..=40_000 {
            let x = place as f32 / 2_000.0;
            let (short, exact) = (Real::tanh(x), f64::from(x).tanh());
            assert!((f64::from(short) - exact).abs() < 2e-7, "{x}");
        }
        assert!(Real::tanh(f32::NAN).is_nan() && Real::tanh(f32::INFINITY) <= 1.0);
        assert_eq!((Real::tanh(0.5_f64), Real::tanh(0.0_f32)), (0.5_f64.tanh(), 0.0));
    }
}
