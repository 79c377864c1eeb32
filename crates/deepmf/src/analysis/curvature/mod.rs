//! Curvature as operators: Hessian and Gauss–Newton products, extreme eigenvalues, density and trace of their spectra.

mod density;
mod estimate;
mod gauss_newton;
mod hessian;

pub use density::{Density, spectral_density};
pub use estimate::{Estimate, hutch_plus_plus};
pub use gauss_newton::GaussNewton;
pub use hessian::{Hessian, Kind, extreme_curvature};
