//! Dense and sparse linear algebra: the only place that names the backend.
//!
//! The upper storey is short methods on [`Mat`]; the lower one works in place on views
//! ([`MatRef`], [`MatMut`]) that its caller owns, so that training loops allocate nothing.

mod blocks;
mod cholesky;
mod decomposition;
mod dense;
mod kernel;
mod krylov;
mod lanczos;
mod least_distance;
mod lines;
mod product;
mod real;
mod sparse;
mod subspace;

pub(crate) use blocks::Blocks;
pub use cholesky::Cholesky;
pub use decomposition::{
    Eigen, Svd, determinant, eigen, orthonormal, random_orthogonal, singular_values, svd,
};
pub use dense::{Mat, MatMut, MatRef};
pub(crate) use kernel::{Kernel, add_parts, run_wide, short_dot, wide};
pub use kernel::{add_normal, axpy, combine, dot, norm, scale, sum_of_squares, unit};
pub use krylov::{Eigenvalue, End, Krylov, SymmetricOperator, extreme_eigenvalue, normal_vector};
pub use lanczos::{Operator, leading_singular, leading_svd};
pub use least_distance::least_distance;
pub(crate) use lines::Lines;
pub use product::{Accumulate, multiply};
pub use real::Real;
pub use sparse::Pattern;
pub use subspace::{leading_eigen, leading_eigen_from};
