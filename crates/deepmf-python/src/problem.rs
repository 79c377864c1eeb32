//! The problem that an analysis is asked about: a matrix that is seen in part or wholly, or measurements.

use deepmf::data::{Duplicates, Entries};
use deepmf::linalg::{Mat, MatRef};
use deepmf::model::DeepLinear;
use deepmf::problem::{Constant, Observation, Problem};
use deepmf::{Error, Result};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::numbers::Cells;

/// What is seen: a matrix with NaN where nothing is, a mask alone (the layers then fit what is seen), or operators with
/// measurements.
#[derive(FromPyObject)]
pub(crate) enum Seen<'py> {
    Measured(PyReadonlyArray3<'py, f64>, PyReadonlyArray1<'py, f64>),
    Target(PyReadonlyArray2<'py, f64>),
    Mask(PyReadonlyArray2<'py, bool>),
}

/// The same as views.
pub(crate) enum SeenView<'a> {
    Measured(&'a [f64], (usize, usize, usize), &'a [f64]),
    Target(Cells<'a>),
    Mask(numpy::ndarray::ArrayView2<'a, bool>),
}

impl Seen<'_> {
    /// Views of the numbers, without a copy.
    pub(crate) fn view(&self) -> PyResult<SeenView<'_>> {
        Ok(match self {
            Self::Measured(operators, values) => {
                let axes = operators.shape();
                let axes = (axes[0], axes[1], axes[2]);
                SeenView::Measured(operators.as_slice()?, axes, values.as_slice()?)
            }
            Self::Target(target) => SeenView::Target(Cells::Dense(target.as_array())),
            Self::Mask(mask) => SeenView::Mask(mask.as_array()),
        })
    }
}

impl SeenView<'_> {
    /// The problem with its loss, a sum or a mean of squares; `layers` give the targets where there is only a mask.
    ///
    /// # Errors
    /// [`Error::Shape`] if a mask has not the shape of the product; as the constructors of a problem.
    pub(crate) fn problem(&self, constant: Constant, layers: &[MatRef<'_>]) -> Result<Problem> {
        match self {
            Self::Measured(operators, axes, values) => {
                let operators = crate::sensing::operators(operators, *axes)?;
                if values.len() != operators.len() {
                    let expected = format!("{} numbers, one an operator", operators.len());
                    return Err(Error::shape("the list of measurements", expected, values.len()));
                }
                Problem::sensing(operators, values.to_vec(), constant)
            }
            Self::Target(cells) => of_entries(&cells.entries(Duplicates::Refuse)?, constant),
            Self::Mask(mask) => {
                let product = DeepLinear::of_layers(layers)?.product();
                let (rows, cols) = (product.rows(), product.cols());
                if mask.dim() != (rows, cols) {
                    let words = |shape: (usize, usize)| format!("({}, {})", shape.0, shape.1);
                    return Err(Error::shape("the mask", words((rows, cols)), words(mask.dim())));
                }
                let known =
                    |i: usize, j: usize| if mask[[i, j]] { product[(i, j)] } else { f64::NAN };
                of_entries(&Entries::from_dense(&Mat::from_fn(rows, cols, known))?, constant)
            }
        }
    }
}

/// A full problem where every entry is known: it has closed forms that a mask has not.
fn of_entries(entries: &Entries, constant: Constant) -> Result<Problem> {
    let (rows, cols) = entries.shape();
    if entries.len() == rows * cols {
        return Problem::full(&entries.to_dense(), constant);
    }
    Problem::completion_with(entries, constant)
}
