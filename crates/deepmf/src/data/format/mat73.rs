//! Variables of a MAT v7.3 file, which is HDF5 with the axes reversed.

use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, Error as Hdf5, File, Group};

use super::claim;
use super::mat::{Content, Variable};
use crate::{Error, Result};

/// All variables at the top of the file.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn variables(bytes: &[u8], path: &Path) -> Result<Vec<Variable>> {
    let most = claim::inflated(bytes.len());
    let damaged = |error: Hdf5| {
        Error::data(path, format!("a MAT v7.3 file must be whole, but it is not: {error}"))
    };
    let file = File::from_bytes(bytes.to_vec()).map_err(damaged)?;
    let root = file.root();
    let mut found = Vec::new();
    for name in root.datasets().map_err(damaged)? {
        let dataset = root.dataset(&name).map_err(damaged)?;
        let (shape, content) = dense(&dataset, path, most, &damaged)?;
        found.push(Variable { name, shape, content });
    }
    for name in root.groups().map_err(damaged)?.into_iter().filter(|name| !name.starts_with('#')) {
        let group = root.group(&name).map_err(damaged)?;
        let (shape, content) = sparse(&group, path, most, &damaged)?;
        found.push(Variable { name, shape, content });
    }
    Ok(found)
}

fn dense(
    dataset: &Dataset,
    path: &Path,
    most: u64,
    damaged: &impl Fn(Hdf5) -> Error,
) -> Result<(Vec<u64>, Content)> {
    let mut shape = dataset.shape().map_err(damaged)?;
    shape.reverse();
    let other = match dataset.dtype().map_err(damaged)? {
        DType::ObjectReference => Some("a cell array"),
        DType::Compound(_) => Some("complex"),
        DType::String | DType::VariableLengthString => Some("text"),
        DType::Enum(_) | DType::Array(..) | DType::Other(_) => Some("not numbers"),
        _ => None,
    };
    let attributes = dataset.attrs().map_err(damaged)?;
    let text = attributes
        .get("MATLAB_class")
        .is_some_and(|class| format!("{class:?}").contains("\"char\""));
    if let Some(what) = other.or(text.then_some("text")) {
        return Ok((shape, Content::Other(what)));
    }
    if attributes.contains_key("MATLAB_empty") {
        return Ok((vec![0, 0], Content::Dense(Vec::new())));
    }
    let size = dataset.element_size().map_err(damaged)?;
    let cells = claim::cells(path, &shape, size, most)?;
    let values = dataset.read_f64().map_err(damaged)?;
    if values.len() != cells {
        let problem = format!("{cells} numbers must be there, but there are {}", values.len());
        return Err(Error::data(path, problem));
    }
    Ok((shape, Content::Dense(values)))
}

fn sparse(
    group: &Group,
    path: &Path,
    most: u64,
    damaged: &impl Fn(Hdf5) -> Error,
) -> Result<(Vec<u64>, Content)> {
    let attributes = group.attrs().map_err(damaged)?;
    let Some(rows) = attributes.get("MATLAB_sparse").and_then(number) else {
        return Ok((Vec::new(), Content::Other("a struct")));
    };
    let list = |name: &str| -> Result<Vec<f64>> {
        let dataset = group.dataset(name).map_err(damaged)?;
        match dense(&dataset, path, most, damaged)?.1 {
            Content::Dense(values) => Ok(values),
            _ => Err(Error::data(
                path,
                format!("`{name}` of a sparse matrix must be real numbers, but it is not"),
            )),
        }
    };
    let starts = list("jc")?;
    let shape = vec![rows, (starts.len() as u64).saturating_sub(1)];
    // A matrix without entries has neither of these lists.
    let empty = starts.last() == Some(&0.0);
    let (ids, values) = if empty { (Vec::new(), Vec::new()) } else { (list("ir")?, list("data")?) };
    Ok((shape, Content::Sparse { starts, ids, values }))
}

/// A whole number that an attribute holds.
fn number(value: &AttrValue) -> Option<u64> {
    match *value {
        AttrValue::U64(number) => Some(number),
        AttrValue::I64(number) => number.try_into().ok(),
        AttrValue::U32(number) => Some(number.into()),
        AttrValue::I32(number) => number.try_into().ok(),
        _ => None,
    }
}
