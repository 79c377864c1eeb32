//! Smooth activations: the sigmoid, and a hyperbolic tangent scaled to keep unit variance.

use rayon::prelude::*;

use super::{Input, Layer, Mode, PART, Tape};
use crate::linalg::Real;

/// A smooth function of each number by itself, whose slope is known from its value.
trait Curve {
    fn value(x: f64) -> f64;
    fn slope(y: f64) -> f64;
}

fn forward<C: Curve, T: Real>(input: Input<'_, T>, tape: &mut Tape<T>) {
    let (count, values) = input.dense();
    let part = PART * count.max(1);
    tape.output.resize(values.len(), T::default());
    tape.output.par_chunks_mut(part).zip(values.par_chunks(part)).for_each(|(out, x)| {
        out.iter_mut().zip(x).for_each(|(y, x)| *y = T::of(C::value(x.double())));
    });
}

fn backward<C: Curve, T: Real>(
    input: Input<'_, T>,
    tape: &Tape<T>,
    slope: &[T],
    back: Option<&mut Vec<T>>,
) {
    let Some(back) = back else { return };
    let part = PART * input.dense().0.max(1);
    back.resize(slope.len(), T::default());
    let chunks = back.par_chunks_mut(part).zip(slope.par_chunks(part));
    chunks.zip(tape.output.par_chunks(part)).for_each(|((back, slope), y)| {
        for ((back, slope), y) in back.iter_mut().zip(slope).zip(y) {
            *back = *slope * T::of(C::slope(y.double()));
        }
    });
}

/// y = 1 / (1 + e^−x).
#[derive(Clone, Debug)]
pub struct Sigmoid {
    width: usize,
}

impl Sigmoid {
    /// Over `width` numbers a sample.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

impl Curve for Sigmoid {
    fn value(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    fn slope(y: f64) -> f64 {
        y * (1.0 - y)
    }
}

/// y = 1.7159 tanh(2 x / 3), which leaves ±1 nearly where they are (LeCun, Bottou, Orr and Müller 1998).
#[derive(Clone, Debug)]
pub struct ScaledTanh {
    width: usize,
}

impl ScaledTanh {
    const HEIGHT: f64 = 1.7159;
    const STEEPNESS: f64 = 2.0 / 3.0;

    /// Over `width` numbers a sample.
    pub fn new(width: usize) -> Self {
        Self { width }
    }
}

impl Curve for ScaledTanh {
    fn value(x: f64) -> f64 {
        Self::HEIGHT * (Self::STEEPNESS * x).tanh()
    }

    fn slope(y: f64) -> f64 {
        let tanh = y / Self::HEIGHT;
        Self::HEIGHT * Self::STEEPNESS * (1.0 - tanh * tanh)
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
                forward::<Self, T>(input, tape);
            }

            fn backward(
                &self,
                _params: &[T],
                input: Input<'_, T>,
                tape: &mut Tape<T>,
                slope: &[T],
                _into: &mut [T],
                back: Option<&mut Vec<T>>,
            ) {
                backward::<Self, T>(input, tape, slope, back);
            }
        }
    };
}

layer!(Sigmoid);
layer!(ScaledTanh);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_by_hand_and_stay_finite() {
        assert_eq!((Sigmoid::value(0.0), Sigmoid::value(800.0)), (0.5, 1.0));
        assert_eq!(Sigmoid::value(-800.0), 0.0);
        assert!((Sigmoid::value(3.0_f64.ln()) - 0.75).abs() < 1e-15);
        assert!((ScaledTanh::value(1.0) - 1.0).abs() < 1e-4);
        assert!((ScaledTanh::value(-800.0) + 1.7159).abs() < 1e-15);
    }
}
