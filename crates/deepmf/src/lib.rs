//! Deep matrix factorization: a matrix written as a product of several, fitted by gradients.

pub mod data;
mod error;
pub mod linalg;
pub mod random;
pub mod report;

pub use error::{Error, Result};
