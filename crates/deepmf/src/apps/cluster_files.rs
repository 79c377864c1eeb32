//! Files of a clustering: the cluster of each sample, the embedding, and the features of each view by their weights.

use std::path::Path;

use super::Clustered;
use crate::data::{Entries, Form, Passthrough, Table, ViewSet, write};
use crate::linalg::Mat;
use crate::{Error, Result};

/// The clustering that is kept of several: the one whose objective is least; of equal ones the first. The classes have no say.
///
/// # Errors
/// [`Error::Parameter`] if there is none.
pub fn best_of(all: &[Clustered]) -> Result<&Clustered> {
    let better = |best: &'_ Clustered, next: &'_ Clustered| {
        next.objective < best.objective || (best.objective.is_nan() && !next.objective.is_nan())
    };
    let best = all.iter().reduce(|best, next| if better(best, next) { next } else { best });
    best.ok_or_else(|| Error::parameter("the number of clusterings", "1 or more", 0))
}

/// What is written of a clustering.
#[derive(Clone, Copy, Debug)]
pub struct ClusterFiles<'a> {
    /// What was found.
    pub found: &'a Clustered,
    /// In which views.
    pub set: &'a ViewSet,
}

impl<'a> ClusterFiles<'a> {
    /// The files of what was found in the views of `set`.
    pub fn new(found: &'a Clustered, set: &'a ViewSet) -> Self {
        Self { found, set }
    }

    /// The names of the files, in the order in which they are written: labels, embedding, and the feature weights of each view.
    pub fn names(&self) -> Vec<String> {
        let views = self.set.views.iter().enumerate();
        let weights = views.map(|(place, view)| {
            let letter =
                |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
            let name: String = view.name.chars().map(letter).collect();
            format!("features-{}-{}.csv", place + 1, name.trim_matches('-'))
        });
        ["labels.csv", "embedding.csv"].map(String::from).into_iter().chain(weights).collect()
    }

    /// Writes all of them to `folder`, which must be there.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let tables = [self.labels()?, self.embedding()?].into_iter().map(Ok);
        let weights = (0..self.set.views.len()).map(|view| self.weights(view));
        for (name, table) in self.names().iter().zip(tables.chain(weights)) {
            write(folder.join(name), &table?)?;
        }
        Ok(())
    }

    /// The name of a sample: as the files have it, else its place from 0.
    fn samples(&self) -> Vec<String> {
        let count = self.found.labels.len();
        let places = || (0..count).map(|place| place.to_string()).collect();
        self.set.samples.clone().unwrap_or_else(places)
    }

    /// The name of each feature of a view: as its file has it, else its place from 0.
    pub fn features(&self, view: usize) -> Vec<String> {
        let count = self.set.views[view].width();
        let places = || (0..count).map(|place| place.to_string()).collect();
        self.set.features[view].clone().unwrap_or_else(places)
    }

    /// The features of a view with their weights, the largest first; of equal ones the first.
    pub fn by_weight(&self, view: usize) -> Vec<(String, f64)> {
        let weights = self.found.feature_weights[view].iter().copied();
        let mut all: Vec<(String, f64)> = self.features(view).into_iter().zip(weights).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    fn labels(&self) -> Result<Table> {
        let clusters: Vec<f64> = self.found.labels.iter().map(|&label| label as f64).collect();
        let mut words = vec![("sample", self.samples())];
        if let Some(classes) = &self.set.classes {
            words.push(("class", classes.of.iter().map(|&c| classes.names[c].clone()).collect()));
        }
        let numbers = Mat::from_columns(clusters.len(), 1, clusters);
        table(words, &numbers, vec!["cluster".into()])
    }

    fn embedding(&self) -> Result<Table> {
        let names = (1..=self.found.embedding.cols()).map(|j| format!("axis_{j}")).collect();
        table(vec![("sample", self.samples())], &self.found.embedding, names)
    }

    fn weights(&self, view: usize) -> Result<Table> {
        let (names, weights): (Vec<_>, Vec<_>) = self.by_weight(view).into_iter().unzip();
        let numbers = Mat::from_columns(weights.len(), 1, weights);
        table(vec![("feature", names)], &numbers, vec!["weight".into()])
    }
}

/// Columns of words, then columns of numbers.
fn table(words: Vec<(&str, Vec<String>)>, numbers: &Mat, names: Vec<String>) -> Result<Table> {
    let passthrough = words
        .into_iter()
        .enumerate()
        .map(|(place, (name, fields))| Passthrough { name: Some(name.into()), place, fields })
        .collect();
    Ok(Table {
        entries: Entries::from_dense(numbers)?,
        row_labels: None,
        col_labels: Some(names),
        form: Form::Wide { delimiter: b',', row_names: None, passthrough },
    })
}
