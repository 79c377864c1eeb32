//! Reading views: one file each, or the cells of one MATLAB file.

use std::fs;
use std::path::Path;

use super::format::mat::{self, Content, Variable};
use super::{Classes, Entries, Features, Format, ReadOptions, View, format, read_with};
use crate::{Error, Result};

/// Views of the same samples, and what else is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewSet {
    /// The views, samples × features.
    pub views: Vec<View>,
    /// The names of each view's features, where the file has them.
    pub features: Vec<Option<Vec<String>>>,
    /// The names of the samples, where the first file has them.
    pub samples: Option<Vec<String>>,
    /// The classes of the samples, if they were given.
    pub classes: Option<Classes>,
    /// Whether the files hold features × samples.
    pub transposed: bool,
}

/// Which variables of a MATLAB file are views and labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatViews {
    /// The cell array or matrix with the views, or several with commas between; `X` if not given.
    pub views: Option<String>,
    /// The list of labels; `y`, `Y` or `truth` if not given and there.
    pub labels: Option<String>,
}

/// A view as it was found.
struct Found {
    name: String,
    features: Features,
    row_names: Option<Vec<String>>,
    col_names: Option<Vec<String>>,
}

impl Found {
    fn shape(&self) -> (usize, usize) {
        match &self.features {
            Features::Dense(values) => (values.rows(), values.cols()),
            Features::Sparse(entries) => entries.shape(),
        }
    }
}

impl ViewSet {
    /// Reads one view a file, and `labels`, one a sample. Fields that are empty are missing numbers; cells that a sparse matrix does not store
    /// (.mat, .npz, .mtx) are zeros.
    ///
    /// Rows are samples if every view has as many (as many as there are labels, if those are numbers in a binary format); otherwise, if every view
    /// has as many columns, columns are.
    ///
    /// # Errors
    /// Those of [`read_with`], [`Classes::read`] and [`View::new`]; [`Error::Shape`] if views differ in the number of samples.
    pub fn read<P: AsRef<Path>>(
        paths: &[P],
        options: &ReadOptions,
        labels: Option<&Path>,
    ) -> Result<Self> {
        let read = |path: &P| {
            let path = path.as_ref();
            let table = read_with(path, options)?;
            let name =
                path.file_stem().map_or("view".into(), |it| it.to_string_lossy().into_owned());
            let (rows, cols) = table.entries.shape();
            let is_sparse = match options.format.unwrap_or_else(|| Format::of(path)) {
                Format::Npz => options.variable.is_none() && format::npz::is_sparse(path)?,
                Format::MatrixMarket | Format::Mat => table.entries.len() < rows * cols,
                _ => false,
            };
            let features = if is_sparse {
                Features::Sparse(table.entries)
            } else {
                Features::Dense(table.entries.to_dense())
            };
            let (row_names, col_names) = (table.row_labels, table.col_labels);
            Ok(Found { name, features, row_names, col_names })
        };
        let found = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
        Self::oriented(found, None)?.with_labels(labels)
    }

    /// Reads the views of a MATLAB file, and their labels.
    ///
    /// Rows are samples if every view has as many as there are labels; otherwise, if every view has as many columns, columns are.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Data`], which lists what is there if a variable is not; otherwise as [`ViewSet::read`].
    pub fn read_mat(
        path: impl AsRef<Path>,
        which: &MatViews,
        labels: Option<&Path>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::io(path, "read", source))?;
        let variables = mat::variables(&bytes, path)?;
        let mut found = Vec::new();
        for name in which.views.as_deref().unwrap_or("X").split(',').map(str::trim) {
            for variable in elements(&variables, name, path)? {
                found.push(matrix(variable, path)?);
            }
        }
        let own = match labels {
            Some(_) => None,
            None => own_labels(&variables, which.labels.as_deref(), path)?,
        };
        let mut set = Self::oriented(found, own.as_ref().map(Vec::len))?;
        set.classes = own.map(|own| Classes::of_numbers(&own)).transpose()?;
        set.with_labels(labels)
    }

    fn with_labels(mut self, labels: Option<&Path>) -> Result<Self> {
        let samples = View::common_samples(&self.views)?;
        if let Some(path) = labels {
            self.classes = Some(Classes::read(path, samples)?);
        }
        Ok(self)
    }

    /// Turns views so that their rows are samples.
    fn oriented(found: Vec<Found>, labels: Option<usize>) -> Result<Self> {
        let Some(first) = found.first() else {
            return Err(Error::parameter("the number of views", "1 or more", 0));
        };
        let by_rows = labels.unwrap_or(first.shape().0);
        let by_cols = labels.unwrap_or(first.shape().1);
        let rows_fit = found.iter().all(|view| view.shape().0 == by_rows);
        let transposed = !rows_fit && found.iter().all(|view| view.shape().1 == by_cols);
        if let (false, false, Some(labels)) = (rows_fit, transposed, labels) {
            let shapes: Vec<String> = found.iter().map(|view| super::words(view.shape())).collect();
            let expected = format!("{labels} rows, or all {labels} columns, one a label");
            return Err(Error::shape("every view", expected, shapes.join(", ")));
        }
        let mut set = Self {
            views: Vec::new(),
            features: Vec::new(),
            samples: None,
            classes: None,
            transposed,
        };
        for view in found {
            let Found { name, mut features, mut row_names, mut col_names } = view;
            if transposed {
                features = turned(features)?;
                std::mem::swap(&mut row_names, &mut col_names);
            }
            set.samples = set.samples.or(row_names);
            set.features.push(col_names);
            set.views.push(View::new(name, features)?);
        }
        View::common_samples(&set.views)?;
        Ok(set)
    }
}

fn turned(features: Features) -> Result<Features> {
    Ok(match features {
        Features::Dense(values) => Features::Dense(values.t().to_mat()),
        Features::Sparse(entries) => {
            let (rows, cols) = entries.shape();
            let (ids, values) = (entries.cols().to_vec(), entries.values().to_vec());
            Features::Sparse(Entries::new((cols, rows), ids, entries.rows().to_vec(), values)?)
        }
    })
}

fn all(variables: &[Variable]) -> String {
    variables.iter().map(Variable::describe).collect::<Vec<_>>().join(", ")
}

/// The variable of this name, or the elements of the cell array of this name.
fn elements<'a>(variables: &'a [Variable], name: &str, path: &Path) -> Result<Vec<&'a Variable>> {
    let Some(whole) = variables.iter().find(|variable| variable.name == name) else {
        let problem = format!(
            "there must be a variable `{name}` with the views, but there are {}",
            all(variables)
        );
        return Err(Error::data(path, problem));
    };
    let first = format!("{name}{{1}}");
    let Some(start) = variables.iter().position(|variable| variable.name == first) else {
        return Ok(vec![whole]);
    };
    let is_element = |variable: &&Variable| {
        let inner = variable.name.strip_prefix(name).and_then(|it| it.strip_prefix('{'));
        inner.and_then(|it| it.strip_suffix('}')).is_some_and(|it| it.parse::<usize>().is_ok())
    };
    Ok(variables[start..].iter().filter(is_element).collect())
}

fn matrix(variable: &Variable, path: &Path) -> Result<Found> {
    let table = mat::table(variable, path, &ReadOptions::default())?;
    let features = match variable.content {
        Content::Sparse { .. } => Features::Sparse(table.entries),
        _ => Features::Dense(table.entries.to_dense()),
    };
    Ok(Found { name: variable.name.clone(), features, row_names: None, col_names: None })
}

fn own_labels(variables: &[Variable], name: Option<&str>, path: &Path) -> Result<Option<Vec<f64>>> {
    let names = name.map_or(vec!["y", "Y", "truth"], |name| vec![name]);
    let Some(variable) = variables.iter().find(|it| names.contains(&it.name.as_str())) else {
        let Some(name) = name else { return Ok(None) };
        let problem = format!(
            "there must be a variable `{name}` with the labels, but there are {}",
            all(variables)
        );
        return Err(Error::data(path, problem));
    };
    let is_list = variable.shape.iter().filter(|&&side| side != 1).count() <= 1;
    match &variable.content {
        Content::Dense(values) if is_list => Ok(Some(values.clone())),
        _ => {
            let found = variable.describe();
            Err(Error::data(
                path,
                format!("the labels must be one list of numbers, but it is {found}"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> (tempfile::TempDir, Vec<std::path::PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let write = |(name, text): &(&str, &str)| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let paths = texts.iter().map(write).collect();
        (folder, paths)
    }

    #[test]
    fn views_are_turned_where_their_columns_agree_and_not_their_rows() {
        let (_folder, paths) = files(&[("a.csv", "1,2,3\n4,5,6\n"), ("b.csv", "7,8,9\n")]);
        let set = ViewSet::read(&paths, &ReadOptions::default(), None).unwrap();
        assert!(set.transposed);
        assert_eq!(set.views[0].shape(), (3, 2));
        assert_eq!((set.views[1].shape(), set.views[1].name.as_str()), ((3, 1), "b"));
    }

    #[test]
    fn views_with_different_samples_are_refused_and_names_are_kept() {
        let (_folder, paths) = files(&[("a.csv", "x,y\n1,2\n4,5\n"), ("b.csv", "7\n8\n9\n")]);
        let error = ViewSet::read(&paths, &ReadOptions::default(), None).unwrap_err().to_string();
        assert_eq!(error, "view `b` must have 2 samples, as `a` has, but it has 3");
        let set = ViewSet::read(&paths[..1], &ReadOptions::default(), None).unwrap();
        assert_eq!(set.features[0], Some(vec!["x".into(), "y".into()]));
        assert!(!set.transposed);
    }
}
