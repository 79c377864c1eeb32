//! Deep matrix factorization: a matrix written as a product of several, fitted by gradients.

pub mod data;
mod error;
pub mod linalg;
pub mod product;
pub mod random;
pub mod report;

pub mod problem;
pub mod model;
pub mod analysis;
pub mod spec;
pub mod train;
pub mod apps;

pub mod experiment;

pub use error::{Error, Result};
