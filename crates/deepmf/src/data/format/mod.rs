//! One file a format: each reads a whole table, and some write one.

pub(super) mod mat;
pub(super) mod matrix_market;
pub(super) mod npy;
pub(super) mod npz;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
pub(super) mod png;
pub(super) mod text;
