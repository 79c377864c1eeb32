//! What gradient flow on a balanced deep linear model must do, as right-hand sides and closed forms.
//!
//! The model is `W = W_N … W_1`, the flow `dW_j/dt = −∂ℓ(W)/∂W_j`, the layers are balanced,
//! `W_{j+1}ᵀ W_{j+1} = W_j W_jᵀ`, and G = ∇ℓ(W). The end-to-end matrix then moves as a function
//! of W, G and the depth N alone; the formulas make sense for every real N ≥ 1, so `depth` is a float. N = 1 is plain gradient flow on W.
//!
//! The decomposition W = U diag(s) Vᵀ that the functions take is a thin one, or one that leaves out
//! singular values that are zero. Singular values below 1e-14 · s₁ are rounding errors, which a power below 1
//! would magnify, and count as zero.

mod constant_force;
mod diagonal;
mod end_to_end;
mod recursion;
mod singular;

pub use constant_force::{blow_up_time, constant_force};
pub use diagonal::{diagonal_log_velocity, diagonal_velocity};
pub use end_to_end::end_to_end_velocity;
pub use recursion::{
    LowRankInterval, eigenvalue_step, hitting_time, low_rank_interval, stable_rate,
};
pub use singular::{singular_value_velocity, singular_vector_velocity};

use crate::data::words;
use crate::linalg::{MatRef, Svd};
use crate::{Error, Result};

/// Singular values below this part of the first are rounding errors.
const NEGLIGIBLE: f64 = 1e-14;

fn clamped(s: &[f64]) -> Vec<f64> {
    let bound = NEGLIGIBLE * s.iter().copied().fold(0.0, f64::max);
    s.iter().map(|&x| if x < bound { 0.0 } else { x }).collect()
}

/// s^{2 − 2/N}, with 0⁰ = 1.
fn speed(s: f64, depth: f64) -> f64 {
    s.powf(2.0 - 2.0 / depth)
}

/// 1 − (b / a)^power for a ≥ b > 0, without cancellation where they nearly agree.
fn relative_gap(a: f64, b: f64, power: f64) -> f64 {
    -(-power * ((a - b) / b).ln_1p()).exp_m1()
}

fn check(svd: &Svd, gradient: MatRef<'_>, depth: f64) -> Result<()> {
    check_depth(depth)?;
    let shape = |m: MatRef<'_>| (m.rows(), m.cols());
    let (rows, cols) = (svd.u.rows(), svd.v.rows());
    for (what, found, expected) in [
        ("the matrix of left singular vectors", shape(svd.u.view()), (rows, svd.s.len())),
        ("the matrix of right singular vectors", shape(svd.v.view()), (cols, svd.s.len())),
        ("the gradient", shape(gradient), (rows, cols)),
    ] {
        if found != expected {
            return Err(Error::shape(what, words(expected), words(found)));
        }
    }
    match svd.s.iter().find(|s| !(s.is_finite() && **s >= 0.0)) {
        Some(found) => Err(Error::parameter("a singular value", "finite and 0 or more", found)),
        None => Ok(()),
    }
}

fn check_depth(depth: f64) -> Result<()> {
    if depth.is_finite() && depth >= 1.0 {
        return Ok(());
    }
    Err(Error::parameter("the depth", "finite and 1 or more", depth))
}
