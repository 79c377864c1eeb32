//! Data sets: made, read from files, hidden in part.

use std::path::PathBuf;

use deepmf::data::{self, Entries, ReadOptions, Triplets};
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::numbers::{array, places, word};
use crate::work::detached;

/// Lists of rows, columns and values.
type Listed<'py> =
    (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f64>>);

fn listed<'py>(py: Python<'py>, entries: &Entries) -> Listed<'py> {
    (
        PyArray1::from_slice(py, entries.rows()),
        PyArray1::from_slice(py, entries.cols()),
        PyArray1::from_slice(py, entries.values()),
    )
}

/// A random matrix of a rank with mean square 1.
#[pyfunction]
fn low_rank(
    py: Python<'_>,
    shape: (usize, usize),
    rank: usize,
    seed: u64,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let made = detached(py, || data::low_rank(shape, rank, seed))?;
    array(py, &made)
}

/// A random matrix with these singular values.
#[pyfunction]
fn with_spectrum(
    py: Python<'_>,
    shape: (usize, usize),
    values: Vec<f64>,
    symmetric: bool,
    seed: u64,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let made = detached(py, || data::with_spectrum(shape, &values, symmetric, seed))?;
    array(py, &made)
}

/// Random cells, each at most once: rows and columns.
#[pyfunction]
fn random_cells(
    py: Python<'_>,
    shape: (usize, usize),
    count: usize,
    seed: u64,
) -> PyResult<(Bound<'_, PyArray1<u32>>, Bound<'_, PyArray1<u32>>)> {
    let cells = detached(py, || data::random_cells(shape, count, seed))?;
    Ok((
        PyArray1::from_iter(py, cells.iter().map(|cell| cell.0)),
        PyArray1::from_iter(py, cells.iter().map(|cell| cell.1)),
    ))
}

/// Made ratings from 1 to 5.
#[pyfunction]
fn random_ratings(
    py: Python<'_>,
    shape: (usize, usize),
    rank: usize,
    count: usize,
    seed: u64,
) -> PyResult<Listed<'_>> {
    let made = detached(py, || data::random_ratings(shape, rank, count, seed))?;
    Ok(listed(py, &made))
}

/// Views of samples in blobs, and the class of each sample.
#[pyfunction]
fn random_views(
    py: Python<'_>,
    shape: (usize, usize),
    widths: Vec<usize>,
    noise: usize,
    spread: f64,
    seed: u64,
) -> PyResult<(Vec<Bound<'_, PyArray2<f64>>>, Bound<'_, PyArray1<i64>>)> {
    let made = detached(py, || data::random_views(shape, &widths, noise, spread, seed))?;
    let views = made.views.iter().map(|view| array(py, &view.to_dense()));
    let classes = made.classes.map_or(vec![], |classes| classes.of);
    Ok((views.collect::<PyResult<_>>()?, places(py, &classes)))
}

/// Normal operators m x rows x cols, each row after row, flat.
#[pyfunction]
fn gaussian_operators(
    py: Python<'_>,
    shape: (usize, usize),
    count: usize,
    seed: u64,
) -> PyResult<Bound<'_, PyArray1<f64>>> {
    let made = detached(py, || deepmf::problem::Sensing::gaussian(shape, count, seed))?;
    let (rows, cols) = shape;
    let mut turned = Vec::with_capacity(made.operators().len());
    for operator in made.operators().chunks_exact(rows * cols) {
        for i in 0..rows {
            turned.extend((0..cols).map(|j| operator[j * rows + i]));
        }
    }
    Ok(PyArray1::from_vec(py, turned))
}

/// A table in a file: shape, entries, labels of rows and columns.
#[pyfunction]
#[pyo3(signature = (path, triplets=None, missing=Vec::new(), variable=None, duplicates="refuse"))]
fn read<'py>(
    py: Python<'py>,
    path: PathBuf,
    triplets: Option<&str>,
    missing: Vec<String>,
    variable: Option<String>,
    duplicates: &str,
) -> PyResult<((usize, usize), Listed<'py>, Option<Vec<String>>, Option<Vec<String>>)> {
    let triplets: Option<Triplets> = triplets
        .map(str::parse)
        .transpose()
        .map_err(|error: deepmf::Error| crate::failure::raised(&error))?;
    let duplicates = word("duplicates", duplicates)?;
    let options = ReadOptions { triplets, missing, variable, duplicates, ..ReadOptions::default() };
    let table = detached(py, || data::read_with(&path, &options))?;
    let entries = listed(py, &table.entries);
    Ok((table.entries.shape(), entries, table.row_labels, table.col_labels))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(low_rank, module)?)?;
    module.add_function(wrap_pyfunction!(with_spectrum, module)?)?;
    module.add_function(wrap_pyfunction!(random_cells, module)?)?;
    module.add_function(wrap_pyfunction!(random_ratings, module)?)?;
    module.add_function(wrap_pyfunction!(random_views, module)?)?;
    module.add_function(wrap_pyfunction!(gaussian_operators, module)?)?;
    module.add_function(wrap_pyfunction!(read, module)?)
}
