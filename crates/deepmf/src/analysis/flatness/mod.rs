//! Flatness by the trace of the Hessian, and what the flattest factorizations of a matrix cost.

mod induced;
mod trace;

pub use induced::{
    Induced, induced_factors, induced_rule, induced_trace, isotropic_factors, isotropic_minimum,
};
pub use trace::{
    hessian_trace, hessian_trace_gradient, isotropic_trace, isotropic_trace_gradient, layer_traces,
};
