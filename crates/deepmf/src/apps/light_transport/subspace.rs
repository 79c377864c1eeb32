//! Where fits in the singular subspaces of a matrix begin.

use crate::Result;
use crate::data::Shape;
use crate::linalg::{Cholesky, Mat, Svd};
use crate::model::SubspaceFactors;
use crate::random::{Purpose, normal, stream};

/// Over which share of the hidden places a start is smooth.
const SMOOTH: f64 = 0.1;
/// The mean and the deviation of a light that a start draws.
const LIGHT: (f64, f64) = (0.5, 0.2);
/// The ridge of a start's inverse, and those of a refinement's light and inverse, over the mean of the diagonal.
const RIDGES: [f64; 3] = [1e-2, 1e-4, 1e-5];

/// The largest singular value that noise alone would have, told from the median of all: that of a matrix of independent entries is near √μ σ √n.
///
/// Source: Gavish and Donoho 2014, "The optimal hard threshold for singular values is 4/√3": ω(β) as they approximate it, over λ*(β), gives 1/√μ.
pub(super) fn noise_level(values: &[f64], (rows, cols): Shape) -> f64 {
    let beta = rows.min(cols) as f64 / rows.max(cols) as f64;
    let omega = ((0.56 * beta - 0.95) * beta + 1.82) * beta + 1.43;
    let below = beta + 1.0 + (beta * beta + 14.0 * beta + 1.0).sqrt();
    let lambda = (2.0 * (beta + 1.0) + 8.0 * beta / below).sqrt();
    let median = values[values.len() / 2];
    (1.0 + beta.sqrt()) * omega / lambda * median
}

/// The largest singular value that noise alone would have, told from the smallest of all: it is at least what the median tells where there is none, and nothing
/// where some are as small as rounding leaves them. Those of a matrix of n² independent entries differ by 2n, those of a longer one by (1 + √β) / (1 − √β).
///
/// Source: Rudelson and Vershynin 2010, "Non-asymptotic theory of random matrices: extreme singular values".
pub(super) fn least_noise(values: &[f64], (rows, cols): Shape) -> f64 {
    let (short, long) = (rows.min(cols) as f64, rows.max(cols) as f64);
    let root = (short / long).sqrt();
    let apart = ((1.0 + root) / (1.0 - root)).min(2.0 * short);
    apart * values[values.len() - 1]
}

/// C and Bᵀ of a smooth random light: B = L V, and C its ridge inverse.
pub(super) fn start(parts: &Svd, inner: usize, (seed, place): (u64, u64)) -> Result<[Mat; 2]> {
    let times = parts.v.rows();
    let mut draws = stream(seed, Purpose::Init, place);
    let noise = Mat::from_fn(inner, times, |_, _| normal(&mut draws));
    let length = SMOOTH * inner as f64;
    let over_rows = smoother(inner, length).times(&noise);
    let drawn = over_rows.view().times(smoother(times, length).t());
    let light = Mat::from_fn(inner, times, |h, t| LIGHT.0 + LIGHT.1 * drawn[(h, t)]);
    let core = parts.v.t().times(light.t());
    Ok([ridge_inverse(&core, RIDGES[0])?, core])
}

/// C and Bᵀ in further singular vectors: L meets what T leaves of Z, and the new part of C is that of a ridge inverse.
pub(super) fn refinement(model: &SubspaceFactors, z: &Mat, parts: &Svd) -> Result<[Mat; 2]> {
    let (transport, light) = (model.transport(), model.light());
    let left = z.clone().minus(&transport.times(&light));
    let mut missing = transport.t().times(left.view());
    solve(transport.t().times(transport.view()), RIDGES[1], &mut missing)?;
    let whole = light.minus(&missing.scaled(-1.0));
    let core = parts.v.t().times(whole.t());
    let [known, _] = model.cores();
    let mut inverse = ridge_inverse(&core, RIDGES[2])?;
    for h in 0..known.cols() {
        (0..known.rows()).for_each(|k| inverse[(k, h)] = known[(k, h)]);
    }
    Ok([inverse, core])
}

/// (B Bᵀ + ridge)⁻¹ B.
fn ridge_inverse(core: &Mat, ridge: f64) -> Result<Mat> {
    let mut inverse = core.clone();
    solve(core.view().times(core.t()), ridge, &mut inverse)?;
    Ok(inverse)
}

/// b ← (a + ridge · mean of its diagonal)⁻¹ b.
fn solve(mut a: Mat, ridge: f64, b: &mut Mat) -> Result<()> {
    let size = a.rows();
    let mean = (0..size).map(|k| a[(k, k)]).sum::<f64>() / size as f64;
    (0..size).for_each(|k| a[(k, k)] += ridge * mean);
    Cholesky::new(size).solve_columns(a.values_mut(), b.view_mut())
}

/// Makes white noise smooth over `length` places and leaves its deviation.
fn smoother(size: usize, length: f64) -> Mat {
    let weight = |i: usize, j: usize| (-((i as f64 - j as f64) / length).powi(2)).exp();
    let norm = |i: usize| (0..size).map(|j| weight(i, j).powi(2)).sum::<f64>().sqrt();
    let norms: Vec<f64> = (0..size).map(norm).collect();
    Mat::from_fn(size, size, |i, j| weight(i, j) / norms[i])
}
