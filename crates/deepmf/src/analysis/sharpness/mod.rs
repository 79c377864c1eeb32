//! Sharpness: the largest eigenvalue of the Hessian, exact at minima through small operators, its bounds, and which minima are flat.

mod balance;
mod bounds;
mod exact;
mod small;

pub use balance::{
    flatness_gap, frobenius_balance, is_flat, least_sharpness, spectral_balance, unbalanced_layer,
};
pub use bounds::{
    scalar_sharpness, sharpness_lower_bound, sharpness_minimum, sharpness_upper_bound,
    two_layer_sharpness,
};
pub use exact::{Sharpness, relative_residual, sharpness, sharpness_at_minimizer};
