//! Arrays in as views, arrays out as new ones, settings as the words of a spec.

use deepmf::data::{Duplicates, Entries};
use deepmf::linalg::{Mat, MatRef};
use deepmf::{Error, Result};
use numpy::ndarray::ArrayView2;
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::de::DeserializeOwned;

/// Known entries: a matrix with NaN where nothing is known, or shape, rows, columns and values.
#[derive(FromPyObject)]
pub(crate) enum Known<'py> {
    Dense(PyReadonlyArray2<'py, f64>),
    Listed(
        (usize, usize),
        PyReadonlyArray1<'py, u32>,
        PyReadonlyArray1<'py, u32>,
        PyReadonlyArray1<'py, f64>,
    ),
}

/// The same as views, which may go where the interpreter is not.
#[derive(Clone, Copy)]
pub(crate) enum Cells<'a> {
    Dense(ArrayView2<'a, f64>),
    Listed((usize, usize), &'a [u32], &'a [u32], &'a [f64]),
}

impl Known<'_> {
    /// Views of the numbers, without a copy.
    pub(crate) fn cells(&self) -> PyResult<Cells<'_>> {
        Ok(match self {
            Self::Dense(matrix) => Cells::Dense(matrix.as_array()),
            Self::Listed(shape, rows, cols, values) => {
                Cells::Listed(*shape, rows.as_slice()?, cols.as_slice()?, values.as_slice()?)
            }
        })
    }
}

impl Cells<'_> {
    /// The entries, row after row of a matrix, else as they are listed.
    pub(crate) fn entries(self, duplicates: Duplicates) -> Result<Entries> {
        match self {
            Self::Dense(matrix) => dense_entries(matrix),
            Self::Listed(shape, rows, cols, values) => {
                Entries::merged(shape, rows.to_vec(), cols.to_vec(), values.to_vec(), duplicates)
            }
        }
    }
}

fn dense_entries(matrix: ArrayView2<'_, f64>) -> Result<Entries> {
    let (mut rows, mut cols, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (i, row) in matrix.rows().into_iter().enumerate() {
        for (j, &x) in row.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            rows.push(i as u32);
            cols.push(j as u32);
            values.push(x);
        }
    }
    Entries::new(matrix.dim(), rows, cols, values)
}

/// Several matrices, row after row each.
pub(crate) type Matrices<'py> = Vec<PyReadonlyArray2<'py, f64>>;

/// Views of matrices, without a copy: what lies row after row is the transpose of what lies column after column.
pub(crate) fn views<'a>(matrices: &'a Matrices<'_>) -> PyResult<Vec<MatRef<'a>>> {
    matrices.iter().map(view).collect()
}

/// A view of one matrix.
pub(crate) fn view<'a>(matrix: &'a PyReadonlyArray2<'_, f64>) -> PyResult<MatRef<'a>> {
    let [rows, cols] = [matrix.shape()[0], matrix.shape()[1]];
    if !matrix.is_c_contiguous() {
        return Err(PyValueError::new_err("a matrix must lie row after row, but it does not"));
    }
    Ok(MatRef::new(cols, rows, matrix.as_slice()?).t())
}

/// A new array of a matrix.
pub(crate) fn array<'py>(py: Python<'py>, matrix: &Mat) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (rows, cols) = (matrix.rows(), matrix.cols());
    let mut values = Vec::with_capacity(rows * cols);
    for i in 0..rows {
        values.extend((0..cols).map(|j| matrix[(i, j)]));
    }
    PyArray1::from_vec(py, values).reshape([rows, cols])
}

/// New arrays of matrices that are seen.
pub(crate) fn arrays<'py>(
    py: Python<'py>,
    matrices: &[MatRef<'_>],
) -> PyResult<Vec<Bound<'py, PyArray2<f64>>>> {
    matrices.iter().map(|matrix| array(py, &matrix.to_mat())).collect()
}

/// Places of clusters or classes, counted from 0.
pub(crate) fn places<'py>(py: Python<'py>, of: &[usize]) -> Bound<'py, PyArray1<i64>> {
    PyArray1::from_iter(py, of.iter().map(|&place| i64::try_from(place).unwrap_or(i64::MAX)))
}

/// Settings from JSON, what is not given being the default of the spec.
pub(crate) fn settings<T: DeserializeOwned>(text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|e| {
        // The place is one in JSON that the user never saw.
        let words = e.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        PyValueError::new_err(format!("a parameter must be as documented, but it is not: {words}"))
    })
}

/// A word of a spec, such as `refuse`.
pub(crate) fn word<T: DeserializeOwned>(what: &str, word: &str) -> PyResult<T> {
    serde_json::from_value(serde_json::Value::String(word.to_string()))
        .map_err(|e| crate::failure::raised(&Error::parameter(what, "a known word", e)))
}

/// Where the numbers of a matrix are seen: equal to where they lie if nothing was copied.
#[pyfunction]
fn address(matrix: Known<'_>) -> PyResult<usize> {
    Ok(match matrix.cells()? {
        Cells::Dense(matrix) => matrix.as_ptr() as usize,
        Cells::Listed(_, _, _, values) => values.as_ptr() as usize,
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(address, module)?)
}
