//! Numbers and laws that are known from mathematics or from papers.

mod constant_force;
mod diagonal_flow;
mod gradient_flow;
mod layers;
