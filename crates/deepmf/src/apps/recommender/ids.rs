//! The pairs of a table in the ids of a recommender.

use std::collections::HashMap;

use super::Recommends;
use crate::data::Table;

/// The lines of one axis, by label or place.
pub struct Ids<'a> {
    labels: Option<HashMap<&'a str, usize>>,
    rated: Vec<bool>,
}

impl<'a> Ids<'a> {
    /// Those of an axis with these labels, of which some lines are rated.
    pub(super) fn new(labels: Option<&'a [String]>, rated: Vec<bool>) -> Self {
        let index = |labels: &'a [String]| {
            labels.iter().enumerate().map(|(id, label)| (label.as_str(), id)).collect()
        };
        Self { labels: labels.map(index), rated }
    }

    /// The id of a label (of its number, counted from 0, where the axis has no labels); none if it was not rated in the fit.
    pub fn of(&self, label: &str) -> Option<usize> {
        let id = match &self.labels {
            Some(labels) => labels.get(label).copied(),
            None => label.parse().ok(),
        };
        id.filter(|id| self.rated.get(*id) == Some(&true))
    }

    fn at(&self, id: usize, labels: Option<&[String]>) -> Option<usize> {
        match labels {
            Some(labels) => self.of(&labels[id]),
            None => Some(id).filter(|id| self.rated.get(*id) == Some(&true)),
        }
    }
}

impl Recommends {
    /// The rows by label.
    pub fn rows(&self) -> Ids<'_> {
        let rated = (0..self.factors.shape().0).map(|i| !self.seen(i).is_empty()).collect();
        Ids::new(self.row_labels.as_deref(), rated)
    }

    /// The columns by label.
    pub fn cols(&self) -> Ids<'_> {
        Ids::new(self.col_labels.as_deref(), self.rated.clone())
    }

    /// The known cells of a table as pairs of this recommender's ids, in their order: by label where the table has labels, else by place. What was not
    /// rated in the fit is none.
    pub fn pairs(&self, table: &Table) -> Vec<(Option<usize>, Option<usize>)> {
        let (rows, cols) = (self.rows(), self.cols());
        let pair = |(i, j, _)| {
            (rows.at(i, table.row_labels.as_deref()), cols.at(j, table.col_labels.as_deref()))
        };
        table.entries.iter().map(pair).collect()
    }
}
