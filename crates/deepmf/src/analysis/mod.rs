//! What matrices and factors tell: ranks and norms, curvature, balancedness, alignment, errors, and what the theory predicts.

mod alignment;
mod balance;
pub(crate) mod chains;
mod coupling;
mod curvature;
mod edge_of_stability;
mod flatness;
mod fused_graph;
mod k_means;
pub mod metrics;
mod neighbours;
mod plateau;
mod principal;
mod reconstruction;
mod sharpness;
mod spectral;
mod spectrum;
pub mod theory;

pub use alignment::{Alignment, Spread, alignment};
pub use balance::{balancedness_gap, max_balancedness_gap, spectral_balancedness_gap};
pub use coupling::{Coupling, gain_deviation, layer_coupling, path_gains};
pub use curvature::{
    Density, Estimate, GaussNewton, Hessian, Kind, extreme_curvature, hutch_plus_plus,
    spectral_density,
};
pub use edge_of_stability::{Orbit, escape, escape_time, mirrored_sharpness, orbit};
pub use flatness::{
    Induced, hessian_trace, hessian_trace_gradient, induced_factors, induced_rule, induced_trace,
    isotropic_factors, isotropic_minimum, isotropic_trace, isotropic_trace_gradient, layer_traces,
};
pub use fused_graph::FusedGraph;
pub(crate) use k_means::Points;
pub use k_means::{KMeans, k_means, k_means_of_views};
pub use neighbours::{NeighbourGraph, usual_neighbours};
pub use plateau::{Plateau, plateaus, saddles};
pub use principal::principal_components;
pub use reconstruction::{
    mean_squared_error, mean_squared_error_at, relative_error, root_mean_squared_error,
    root_mean_squared_error_at,
};
pub use sharpness::{
    Sharpness, flatness_gap, frobenius_balance, is_flat, least_sharpness, relative_residual,
    scalar_sharpness, sharpness, sharpness_at_minimizer, sharpness_lower_bound, sharpness_minimum,
    sharpness_upper_bound, spectral_balance, two_layer_sharpness, unbalanced_layer,
};
pub use spectral::{SpectralEmbedding, clusters_by_eigengap, spectral_embedding, unit_rows};
pub use spectrum::{
    effective_rank, intrinsic_dimension, nuclear_norm, numerical_rank, schatten_norm, schatten_sum,
    stable_rank,
};
