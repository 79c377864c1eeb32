//! The private module `_deepmf`: numbers in, numbers out; the classes are in Python.

#![allow(clippy::needless_pass_by_value, reason = "arguments of Python come by value")]
#![allow(clippy::type_complexity, reason = "Python unpacks tuples")]

mod analysis;
mod clustering;
mod completion;
mod data;
mod failure;
mod light;
mod numbers;
mod problem;
mod recommender;
mod row_shard;
mod sensing;
mod study;
mod work;

use pyo3::prelude::*;

/// Plain functions over the library, and what a fit left behind.
#[pymodule]
fn _deepmf(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DeepmfError", module.py().get_type::<failure::DeepmfError>())?;
    for part in [
        numbers::register,
        completion::register,
        sensing::register,
        recommender::register,
        clustering::register,
        light::register,
        row_shard::register,
        analysis::register,
        data::register,
        study::register,
    ] {
        part(module)?;
    }
    Ok(())
}
