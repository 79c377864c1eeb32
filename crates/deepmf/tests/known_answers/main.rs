//! Numbers and laws that are known from mathematics or from papers.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod constant_force;
mod diagonal_flow;
mod gradient_flow;
mod layers;
mod nuclear_norm;
