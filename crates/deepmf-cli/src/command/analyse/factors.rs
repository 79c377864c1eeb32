//! The layers that are analysed, from a run folder or from files of arrays.

use std::path::{Path, PathBuf};

use deepmf::data::{self, Array};
use deepmf::linalg::Mat;
use deepmf::model::Tensors;
use deepmf::{Error, Result};

use crate::run_folder::MODEL;

/// W_1, W_2, … of a run folder, a .safetensors or .npz file, or one file a layer in any format of tables.
///
/// # Errors
/// What reading gives; [`Error::Data`] if neighbours do not fit.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Mat>> {
    let path = &paths[0];
    let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
    let named: Vec<(String, Mat)> = if paths.len() == 1 && is("npz") {
        let arrays = data::read_arrays(path)?.into_iter();
        arrays.map(|(name, array)| Ok((name, matrix(&array, path)?))).collect::<Result<_>>()?
    } else if paths.len() > 1 || is("npy") {
        let read = |path: &PathBuf| {
            Ok((path.display().to_string(), matrix(&data::read_array(path)?, path)?))
        };
        paths.iter().map(read).collect::<Result<_>>()?
    } else {
        if !path.is_dir() && !is("safetensors") {
            let problem =
                "must be a run folder or a .safetensors, .npz or .npy file, but it is none";
            return Err(Error::data(path, problem));
        }
        if path.is_dir() && !path.join(MODEL).exists() {
            let problem = "must hold the model.safetensors of one run (of a sweep, the folder of one trial), but it holds none";
            return Err(Error::data(path, problem));
        }
        let path = if path.is_dir() { path.join(MODEL) } else { path.clone() };
        let layers = Tensors::load(path)?.layers();
        layers.into_iter().enumerate().map(|(j, layer)| (format!("layers.{j}"), layer)).collect()
    };
    if named.is_empty() {
        let problem =
            "must hold matrices `layers.0`, `layers.1` and so on without a gap, but it does not";
        return Err(Error::data(path, problem));
    }
    if let Some((name, layer)) = named.iter().find(|(_, layer)| !layer.max_abs().is_finite()) {
        let found = layer.values().iter().find(|x| !x.is_finite()).copied().unwrap_or(f64::NAN);
        let problem = format!(
            "every entry of `{name}` must be finite, but one is {found} (did the run diverge?)"
        );
        return Err(Error::data(path, problem));
    }
    for pair in named.windows(2) {
        let ((_, lower), (name, upper)) = (&pair[0], &pair[1]);
        if lower.rows() != upper.cols() {
            let (expected, found) = (lower.rows(), upper.cols());
            let problem = format!(
                "`{name}` must have {expected} columns (W_1, which meets a vector first, comes first), but it has {found}"
            );
            return Err(Error::data(path, problem));
        }
    }
    Ok(named.into_iter().map(|(_, layer)| layer).collect())
}

/// A matrix, whose numbers must be finite.
fn matrix(array: &Array, path: &Path) -> Result<Mat> {
    let [rows, cols] = array.shape[..] else {
        let found = array.shape.len();
        return Err(Error::data(path, format!("a layer must have 2 axes, but it has {found}")));
    };
    if let Some(place) = array.values.iter().position(|x| !x.is_finite()) {
        let (found, row, col) = (array.values[place], place / cols + 1, place % cols + 1);
        let problem = format!("row {row}, column {col} must be finite, but it is {found}");
        return Err(Error::data(path, problem));
    }
    Ok(Mat::from_fn(rows, cols, |i, j| array.values[i * cols + j]))
}
