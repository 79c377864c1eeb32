//! The views of a run.

use std::path::Path;

use super::source::{file, options};
use crate::data::{MatViews, ViewSet, random_views};
use crate::spec::{Data, Views};
use crate::{Error, Result};

/// Reads or draws the views that `data` describes.
///
/// # Errors
/// What reading gives; [`Error::Parameter`] for other data, or where not exactly one way to the views is said.
pub fn load(data: &Data, seed: u64, base: &Path) -> Result<ViewSet> {
    match data {
        Data::Views(views) => of_files(views, base),
        Data::RandomViews(it) => {
            random_views((it.samples, it.clusters), &it.widths, it.noise, it.spread, seed)
        }
        _ => Err(Error::parameter("data", "views or random-views", "other data")),
    }
}

fn of_files(views: &Views, base: &Path) -> Result<ViewSet> {
    let Views { mat, files, field, labels, label_field, read } = views;
    let labels = labels.as_ref().map(|path| file(path, base)).transpose()?;
    match (mat, files.is_empty()) {
        (Some(path), true) => {
            let which = MatViews { views: field.clone(), labels: label_field.clone() };
            ViewSet::read_mat(file(path, base)?, &which, labels.as_deref())
        }
        (None, false) if field.is_none() && label_field.is_none() => {
            let files = files.iter().map(|path| file(path, base)).collect::<Result<Vec<_>>>()?;
            ViewSet::read(&files, &options(read)?, labels.as_deref())
        }
        _ => {
            let allowed = "given by one of mat (perhaps with field and label-field) and files";
            Err(Error::parameter("data.views", allowed, "not"))
        }
    }
}
