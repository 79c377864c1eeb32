//! What matrices and factors tell: ranks and norms, balancedness, alignment, errors, and what the theory predicts.

mod alignment;
mod balance;
mod gauss_newton;
mod plateau;
mod reconstruction;
mod spectrum;
pub mod theory;

pub use alignment::{Alignment, Spread, alignment};
pub use balance::{balancedness_gap, max_balancedness_gap, spectral_balancedness_gap};
pub use gauss_newton::GaussNewton;
pub use plateau::{Plateau, plateaus, saddles};
pub use reconstruction::{
    mean_squared_error, mean_squared_error_at, relative_error, root_mean_squared_error,
    root_mean_squared_error_at,
};
pub use spectrum::{
    effective_rank, intrinsic_dimension, nuclear_norm, numerical_rank, schatten_norm, schatten_sum,
    stable_rank,
};
