//! Dense and sparse linear algebra: the only place that names the backend.
//!
//! The upper storey is short methods on [`Mat`]; the lower one works in place on views
//! ([`MatRef`], [`MatMut`]) that its caller owns, so that training loops allocate nothing.

mod decomposition;
mod dense;
mod kernel;
mod krylov;
mod lanczos;
mod product;
mod real;
mod sparse;

pub use decomposition::{
    Eigen, Svd, determinant, eigen, orthonormal, random_orthogonal, singular_values, svd,
};
pub use dense::{Mat, MatMut, MatRef};
pub use kernel::{axpy, combine, dot, norm, scale, sum_of_squares, unit};
pub use krylov::{Eigenvalue, End, Krylov, SymmetricOperator, extreme_eigenvalue, normal_vector};
pub use lanczos::{Operator, leading_singular, leading_svd};
pub use product::{Accumulate, multiply};
pub use real::Real;
pub use sparse::Pattern;
