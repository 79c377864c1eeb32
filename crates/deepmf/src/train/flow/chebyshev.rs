//! The stabilised Runge–Kutta–Chebyshev method of order 2: s stages bear a spectral radius of about 0.65 (s + 1)²/h.
//!
//! Gradient flow is stiff once the large singular values have risen, and its Jacobian, minus the Hessian, is symmetric: just
//! what this family is made for. It integrates the same flow as the explicit pair, only over longer steps.
//!
//! Source: B. P. Sommeijer, L. F. Shampine, J. G. Verwer, "RKC: an explicit solver for parabolic PDEs", Journal of
//! Computational and Applied Mathematics 88 (1998), equations 2.1 to 2.7.

use super::integrator::{Field, Stages};
use crate::linalg::{combine, norm};

/// Damping of the stability polynomial.
const DAMPING: f64 = 2.0 / 13.0;

/// Stages that bear a step of length `h` where the spectral radius is `radius`.
pub(super) fn stages_for(h: f64, radius: f64) -> usize {
    (1.0 + (1.54 * h * radius + 1.0).sqrt()).ceil().max(2.0) as usize
}

/// The longest step that `stages` stages bear.
pub(super) fn longest(stages: usize, radius: f64) -> f64 {
    let s = stages as f64 - 1.0;
    (s * s - 1.0) / (1.54 * radius)
}

/// One trial step of length `h` in `count` stages from `stages.y` with slope `stages.k[0]`: fills `stages.trial` and
/// `stages.k[6]`; gives the norm of the error.
pub(super) fn attempt(stages: &mut Stages, h: f64, count: usize, field: &mut Field<'_>) -> f64 {
    let Stages { y, trial, k, spare, .. } = stages;
    let [slope, at, before, .., last] = k.as_mut_slice() else {
        unreachable!("an integrator has seven slopes")
    };
    let s = count as f64;
    let w0 = 1.0 + DAMPING / (s * s);
    // T_j, T'_j and T''_j at w0, by their recursions.
    let root = (w0 * w0 - 1.0).sqrt();
    let arc = s * (w0 + root).ln();
    let (sinh, cosh) = (arc.sinh(), arc.cosh());
    let w1 = sinh * (w0 * w0 - 1.0) / (cosh * s * root - w0 * sinh);
    let weight = |t: [f64; 3]| t[2] / (t[1] * t[1]);
    let mut chebyshev = [[1.0, 0.0, 0.0], [w0, 1.0, 0.0]];
    let next = |[a, b]: [[f64; 3]; 2]| {
        let t = 2.0 * w0 * b[0] - a[0];
        let dt = 2.0 * w0 * b[1] - a[1] + 2.0 * b[0];
        [t, dt, 2.0 * w0 * b[2] - a[2] + 4.0 * b[1]]
    };
    let second = weight(next(chebyshev));
    let (mut b_before, mut b) = (second, 1.0 / w0);
    // y_{j−2} in `before`, y_{j−1} in `at`.
    before.copy_from_slice(y);
    combine([1.0, h * b * w1], [y, slope], at);
    for _ in 2..=count {
        let t = next(chebyshev);
        let b_next = weight(t);
        let (mu, nu) = (2.0 * b_next * w0 / b, -b_next / b_before);
        let mu_slope = 2.0 * b_next * w1 / b * h;
        let gamma = -(1.0 - b * chebyshev[1][0]) * mu_slope;
        field(at, spare);
        let rest = 1.0 - mu - nu;
        let factors = [rest, mu, nu, mu_slope, gamma];
        combine(factors, [y, at, before, spare, slope], trial);
        std::mem::swap(before, at);
        std::mem::swap(at, trial);
        (chebyshev, b_before, b) = ([chebyshev[1], t], b, b_next);
    }
    std::mem::swap(at, trial);
    field(trial, last);
    combine([0.8, -0.8, 0.4 * h, 0.4 * h], [y, trial, slope, last], spare);
    norm(spare)
}

/// The spectral radius of the Jacobian at `stages.y`, by nonlinear power iterations from `along`, which it turns.
///
/// Gives the estimate with a margin of 10 %.
pub(super) fn spectral_radius(
    stages: &mut Stages,
    along: &mut [f64],
    field: &mut Field<'_>,
) -> f64 {
    let Stages { y, trial, k, spare, .. } = stages;
    let size = norm(y).max(f64::MIN_POSITIVE) * f64::EPSILON.sqrt();
    let length = norm(along);
    if length == 0.0 {
        along.copy_from_slice(&k[0]);
    }
    let mut radius = 0.0;
    for round in 0..40 {
        let length = norm(along);
        if length == 0.0 || !length.is_finite() {
            break;
        }
        for i in 0..y.len() {
            trial[i] = y[i] + size / length * along[i];
        }
        field(trial, spare);
        for i in 0..y.len() {
            along[i] = spare[i] - k[0][i];
        }
        let found = norm(along) / size;
        let settled = (found - radius).abs() <= 0.02 * found;
        radius = found;
        if round > 1 && settled {
            break;
        }
    }
    1.1 * radius
}
