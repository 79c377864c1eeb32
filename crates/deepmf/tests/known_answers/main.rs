//! Numbers and laws that are known from mathematics or from papers.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where something fails, and says what it skips"
)]

mod compressed;
mod curvature;
mod constant_force;
mod diagonal_flow;
mod flow;
mod eigenvalue_recursion;
mod gradient_flow;
mod greedy;
mod layers;
mod least_squares;
mod nuclear_norm;
mod polish;
mod rank_adaptive;
mod saddle;
