//! Vector kernels on the widest instructions of this machine.

#![allow(
    clippy::inline_always,
    reason = "what is dispatched must be inlined to use the wider instructions"
)]

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Real;

/// Does `work`, a short loop over numbers of either precision, compiled for the widest instructions; no bit of it changes by that. A long one, or one that
/// rounds a product and a sum once, is a [`Kernel`]: the compiler may leave a long closure outside.
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// A loop over numbers that is compiled for the widest instructions. Its `run` must be inlined always: what is called instead is compiled for the
/// narrowest ones, where a product and a sum that are rounded once are a call.
pub(crate) trait Kernel {
    fn run(self);
}

struct Widest<K>(K);

impl<K: Kernel> WithSimd for Widest<K> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.run();
    }
}

/// Runs a kernel on the widest instructions.
pub(crate) fn run_wide(kernel: impl Kernel) {
    Arch::new().dispatch(Widest(kernel));
}

/// Parts of a sum that are added together, so that the sum is loaded and stored less often.
const TOGETHER: usize = 4;

struct AddParts<'a, T, I>(I, &'a mut [T]);

impl<'a, T: Real, I: Iterator<Item = (T, &'a [T])>> WithSimd for AddParts<'_, T, I> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self(mut parts, sum) = self;
        loop {
            let mut some: [(T, &[T]); TOGETHER] = [(T::default(), &[]); TOGETHER];
            let mut count = 0;
            while count < TOGETHER {
                let Some(part) = parts.next() else { break };
                some[count] = (part.0, &part.1[..sum.len()]);
                count += 1;
            }
            if count < TOGETHER {
                for (factor, x) in &some[..count] {
                    for (sum, x) in sum.iter_mut().zip(*x) {
                        *sum += *factor * *x;
                    }
                }
                return;
            }
            let [(a, x), (b, y), (c, z), (d, w)] = some;
            for ((((sum, x), y), z), w) in sum.iter_mut().zip(x).zip(y).zip(z).zip(w) {
                *sum = *sum + a * *x + b * *y + c * *z + d * *w;
            }
        }
    }
}

/// `sum ← sum + Σ factor · x` over `parts`, one after another.
///
/// # Panics
/// If a part is shorter than the sum.
pub(crate) fn add_parts<'a, T: Real>(parts: impl Iterator<Item = (T, &'a [T])>, sum: &mut [T]) {
    Arch::new().dispatch(AddParts(parts, sum));
}

/// Sums that a [`short_dot`] is made of.
const LANES: usize = 32;

struct ShortDot<'a, T>(&'a [T], &'a [T]);

impl<T: Real> WithSimd for ShortDot<'_, T> {
    type Output = T;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let mut sums = [T::default(); LANES];
        let (a, b) = (self.0.chunks_exact(LANES), self.1.chunks_exact(LANES));
        let mut sum = T::default();
        for (a, b) in a.remainder().iter().zip(b.remainder()) {
            sum += *a * *b;
        }
        for (a, b) in a.zip(b) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        for lane in sums {
            sum += lane;
        }
        sum
    }
}

/// The inner product Σ aᵢ bᵢ in the precision of its numbers.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn short_dot<T: Real>(a: &[T], b: &[T]) -> T {
    assert_eq!(a.len(), b.len(), "lengths of an inner product");
    Arch::new().dispatch(ShortDot(a, b))
}

struct Dot<'a>(&'a [f64], &'a [f64]);

impl WithSimd for Dot<'_> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        dot_with(simd, self.0, self.1)
    }
}

/// The inner product of two slices of one length, inside a dispatched region.
#[inline(always)]
pub(super) fn dot_with<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let (a, a_tail) = S::as_simd_f64s(a);
    let (b, b_tail) = S::as_simd_f64s(b);
    // Four sums hide the latency of the multiply-add.
    let mut sums = [simd.splat_f64s(0.0); 4];
    let (a4, a1) = pulp::as_arrays::<4, _>(a);
    let (b4, b1) = pulp::as_arrays::<4, _>(b);
    for (x, y) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] = simd.mul_add_e_f64s(x[lane], y[lane], sums[lane]);
        }
    }
    for (x, y) in a1.iter().zip(b1) {
        sums[0] = simd.mul_add_e_f64s(*x, *y, sums[0]);
    }
    let sums = simd.add_f64s(simd.add_f64s(sums[0], sums[1]), simd.add_f64s(sums[2], sums[3]));
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(x, y)| x * y).sum();
    simd.reduce_sum_f64s(sums) + tail
}

/// `y ← y + factor · x`, inside a dispatched region.
#[inline(always)]
pub(super) fn axpy_with<S: Simd>(simd: S, factor: f64, x: &[f64], y: &mut [f64]) {
    let (x, x_tail) = S::as_simd_f64s(x);
    let (y, y_tail) = S::as_mut_simd_f64s(y);
    let wide = simd.splat_f64s(factor);
    for (x, y) in x.iter().zip(y) {
        *y = simd.mul_add_e_f64s(wide, *x, *y);
    }
    for (x, y) in x_tail.iter().zip(y_tail) {
        *y += factor * x;
    }
}

struct Axpy<'a>(f64, &'a [f64], &'a mut [f64]);

impl WithSimd for Axpy<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        axpy_with(simd, self.0, self.1, self.2);
    }
}

/// The inner product Σ aᵢ bᵢ.
///
/// # Panics
/// If the lengths differ.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths of an inner product");
    Arch::new().dispatch(Dot(a, b))
}

/// `y ← y + factor · x`.
///
/// # Panics
/// If the lengths differ.
pub fn axpy(factor: f64, x: &[f64], y: &mut [f64]) {
    assert_eq!(x.len(), y.len(), "lengths of a sum");
    let part = |(y, x): (&mut [f64], &[f64])| Arch::new().dispatch(Axpy(factor, x, y));
    if y.len() < 2 * LONG {
        part((y, x));
    } else {
        y.par_chunks_mut(LONG).zip(x.par_chunks(LONG)).for_each(part);
    }
}

/// Numbers that one thread takes at a time; whole registers, so that the split changes no bit.
const LONG: usize = 1 << 17;

struct Combine<'a, const N: usize>([f64; N], [&'a [f64]; N], &'a mut [f64]);

impl<const N: usize> WithSimd for Combine<'_, N> {
    type Output = ();
    // Loops instead of closures, which would not be compiled for the wider instructions.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(factors, inputs, out) = self;
        let (out, tail) = S::as_mut_simd_f64s(out);
        let mut wide = [simd.splat_f64s(0.0); N];
        let mut heads: [&[S::f64s]; N] = [&[]; N];
        for r in 0..N {
            wide[r] = simd.splat_f64s(factors[r]);
            heads[r] = &S::as_simd_f64s(inputs[r]).0[..out.len()];
        }
        for (place, out) in out.iter_mut().enumerate() {
            let mut sum = simd.splat_f64s(0.0);
            for r in 0..N {
                sum = simd.mul_add_e_f64s(wide[r], heads[r][place], sum);
            }
            *out = sum;
        }
        let done = inputs.first().map_or(0, |input| input.len() - tail.len());
        for (place, out) in tail.iter_mut().enumerate() {
            let mut sum = 0.0;
            for r in 0..N {
                sum += factors[r] * inputs[r][done + place];
            }
            *out = sum;
        }
    }
}

/// `out ← Σ factors · inputs`.
///
/// # Panics
/// If the lengths differ.
pub fn combine<const N: usize>(factors: [f64; N], inputs: [&[f64]; N], out: &mut [f64]) {
    assert!(inputs.iter().all(|input| input.len() == out.len()), "lengths of a combination");
    Arch::new().dispatch(Combine(factors, inputs, out));
}

/// Σ xᵢ².
pub fn sum_of_squares(x: &[f64]) -> f64 {
    dot(x, x)
}

/// The Euclidean norm, safe from overflow and underflow of the squares.
pub fn norm(x: &[f64]) -> f64 {
    let plain = sum_of_squares(x);
    if plain.is_normal() || plain.is_nan() {
        return plain.sqrt();
    }
    let largest = x.iter().fold(0.0_f64, |m, v| v.abs().max(m));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * x.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
}

/// `x` divided by its length; a vector of zeros stays.
pub fn unit(mut x: Vec<f64>) -> Vec<f64> {
    let length = norm(&x);
    if length > 0.0 {
        scale(1.0 / length, &mut x);
    }
    x
}

/// `x ← factor · x`.
pub fn scale(factor: f64, x: &mut [f64]) {
    for x in x {
        *x *= factor;
    }
}

struct AddNormal<'a> {
    features: &'a [f64],
    targets: &'a [f64],
    normal: &'a mut [f64],
    right: &'a mut [f64],
}

impl WithSimd for AddNormal<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { features, targets, normal, right } = self;
        let d = right.len();
        for (feature, target) in features.chunks_exact(d).zip(targets) {
            axpy_with(simd, *target, feature, right);
        }
        let blocks = features.chunks_exact(4 * d);
        for feature in blocks.remainder().chunks_exact(d) {
            for a in 0..d {
                axpy_with(simd, feature[a], &feature[a..], &mut normal[a * d + a..(a + 1) * d]);
            }
        }
        // Four features at once, so that the matrix is loaded and stored a quarter as often.
        for block in blocks {
            for a in 0..d {
                let column = &mut normal[a * d + a..(a + 1) * d];
                let (column, column_tail) = S::as_mut_simd_f64s(column);
                let parts: [&[f64]; 4] = std::array::from_fn(|r| &block[r * d + a..(r + 1) * d]);
                let wide = parts.map(|part| simd.splat_f64s(part[0]));
                let simds = parts.map(S::as_simd_f64s);
                for (place, y) in column.iter_mut().enumerate() {
                    for r in 0..4 {
                        *y = simd.mul_add_e_f64s(wide[r], simds[r].0[place], *y);
                    }
                }
                for (place, y) in column_tail.iter_mut().enumerate() {
                    *y += (0..4).map(|r| parts[r][0] * simds[r].1[place]).sum::<f64>();
                }
            }
        }
    }
}

/// Adds Σ f fᵀ to the lower triangle of `normal` (d × d, by columns) and Σ y f to `right` (d): the normal equations of y ≈ ⟨f, x⟩ over
/// `features` (one after another) and their `targets`.
///
/// # Panics
/// If the lengths do not fit.
pub fn add_normal(features: &[f64], targets: &[f64], normal: &mut [f64], right: &mut [f64]) {
    let d = right.len();
    assert_eq!((features.len(), normal.len()), (targets.len() * d, d * d), "normal equations");
    if d > 0 {
        Arch::new().dispatch(AddNormal { features, targets, normal, right });
    }
}
