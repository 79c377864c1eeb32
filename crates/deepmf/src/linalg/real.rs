//! The numbers of a matrix: double precision for the linear theory, single precision inside networks.

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
}

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
}
