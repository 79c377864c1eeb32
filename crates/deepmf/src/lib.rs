//! Deep matrix factorization: a matrix written as a product of several, W = W_N … W_1, fitted by gradients.
//!
//! The stages stand in one order everywhere, and each uses only those before it: what is known ([`data`]), what of it is
//! asked ([`problem`]), how the matrix is written ([`model`]), what can be said of it ([`analysis`]), how a run is
//! described ([`spec`]), how it is fitted ([`train`]), the uses ([`apps`]), what is shown ([`report`]), and whole
//! experiments ([`experiment`]).
//!
//! ```
//! use deepmf::data;
//! use deepmf::model::{DeepLinear, Init};
//! use deepmf::problem::Problem;
//! use deepmf::train::optimizer::GroupRmsProp;
//! use deepmf::train::{Probe, Stop, Trainer};
//!
//! let truth = data::low_rank((30, 30), 2, 0)?;
//! let seen = data::observe(&truth, &data::random_cells((30, 30), 500, 0)?)?;
//! let problem = Problem::completion(&seen)?.truth(&truth)?;
//! let mut model = DeepLinear::new(&[30, 30, 30, 30])?.init(&Init::Gaussian { scale: 1e-3 }, 0)?;
//! let run = Trainer::new(GroupRmsProp::new(3e-3)?)
//!     .stop(Stop::new().steps(20_000).loss_below(1e-6))
//!     .record(Probe::TestError)
//!     .record(Probe::EffectiveRank)
//!     .fit(&problem, &mut model)?;
//! let test_error = run.trajectory.column("test_error").unwrap();
//! assert!(*test_error.last().unwrap() < 1e-3);
//! # Ok::<(), deepmf::Error>(())
//! ```
//!
//! And the same as one sentence: [`apps::Completion`].

mod error;
pub mod random;
pub mod linalg;

pub mod data;
pub mod product;
pub mod problem;
pub mod model;
pub mod analysis;
pub mod spec;
pub mod train;
pub mod apps;
pub mod report;
pub mod experiment;
#[cfg(doctest)]
mod guide;

pub use error::{Error, Result};
