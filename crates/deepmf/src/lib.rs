//! Deep matrix factorization: a matrix written as a product of several, fitted by gradients.

pub mod data;
pub mod analysis;
mod error;
pub mod linalg;
pub mod model;
pub mod problem;
pub mod product;
pub mod random;

pub use error::{Error, Result};
