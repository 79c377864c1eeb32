//! A second table beside the first: entries of both by the same ids.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Entries, Form, Format, ReadOptions, Table, Triplets, read_with};
use crate::{Error, Result};

/// Reads the entries of `path` in the ids of `onto`: as a table or as triplets, whichever fits; `what` is its name in messages.
///
/// # Errors
/// If it fits neither way, the reason why not the first way.
pub fn read(path: &Path, what: &str, options: &ReadOptions, onto: &Table) -> Result<Entries> {
    let plain = ReadOptions { variable: None, mask: None, ..options.clone() };
    let wide = ReadOptions { triplets: None, ..plain.clone() };
    let by_place: Triplets = "1,2,3".parse()?;
    let triplets = plain.triplets.clone().unwrap_or(by_place);
    let triplets = ReadOptions { triplets: Some(triplets), row_names: None, ..plain };
    let attempt = |options: &ReadOptions| {
        let other = read_with(path, options)?;
        entries(&other, what, onto)
    };
    match (Format::of(path).has_fields(), options.triplets.is_some()) {
        (false, _) => attempt(&wide),
        (true, true) => attempt(&triplets).or_else(|error| attempt(&wide).map_err(|_| error)),
        (true, false) => attempt(&wide).or_else(|error| attempt(&triplets).map_err(|_| error)),
    }
}

/// The entries of `other` in the ids of `onto`: by labels where both have them, else by place.
///
/// # Errors
/// [`Error::Shape`] if places cannot match, [`Error::Parameter`] for a label that `onto` does not have.
fn entries(other: &Table, what: &str, onto: &Table) -> Result<Entries> {
    let shape = onto.entries.shape();
    let found = other.entries.shape();
    let is_triplets = matches!(other.form, Form::Triplets { .. });
    let rows = Ids::of(other.row_labels.as_deref(), onto.row_labels.as_deref(), is_triplets);
    let cols = Ids::of(other.col_labels.as_deref(), onto.col_labels.as_deref(), is_triplets);
    let differ = (matches!(rows, Ids::Same) && found.0 != shape.0)
        || (matches!(cols, Ids::Same) && found.1 != shape.1);
    if differ {
        let words = |(rows, cols): (usize, usize)| format!("({rows}, {cols})");
        return Err(Error::shape(what, words(shape), words(found)));
    }
    let (mut row_ids, mut col_ids) = (Vec::new(), Vec::new());
    for (i, j, _) in other.entries.iter() {
        row_ids.push(rows.id(i, shape.0, &format!("a row of {what}"), "the table")?);
        col_ids.push(cols.id(j, shape.1, &format!("a column of {what}"), "the table")?);
    }
    Entries::new(shape, row_ids, col_ids, other.entries.values().to_vec())
}

/// How the lines of one table are those of another.
enum Ids<'a> {
    Same,
    /// By their labels.
    Labels(&'a [String], HashMap<&'a str, u32>),
    /// Labels that are places from 0.
    Places(&'a [String]),
}

impl<'a> Ids<'a> {
    fn of(from: Option<&'a [String]>, onto: Option<&'a [String]>, is_triplets: bool) -> Self {
        match (from, onto) {
            (Some(from), Some(onto)) => {
                let ids = onto.iter().enumerate().map(|(id, label)| (label.as_str(), id as u32));
                Self::Labels(from, ids.collect())
            }
            (Some(from), None) if is_triplets => Self::Places(from),
            _ => Self::Same,
        }
    }

    /// The id in `whose` lines of line `id`, which messages call `line`.
    fn id(&self, id: usize, count: usize, line: &str, whose: &str) -> Result<u32> {
        let (label, found, allowed) = match self {
            Self::Same => return Ok(id as u32),
            Self::Labels(labels, ids) => {
                (&labels[id], ids.get(labels[id].as_str()).copied(), format!("one of {whose}"))
            }
            Self::Places(labels) => {
                let place =
                    labels[id].parse::<u32>().ok().filter(|&place| (place as usize) < count);
                (&labels[id], place, format!("from 0 to {}", count.saturating_sub(1)))
            }
        };
        found.ok_or_else(|| Error::parameter(line, allowed, format!("{label:?}")))
    }
}

/// `known` in the cells of `mask` that are not zero.
pub fn within(known: &Entries, mask: &Entries) -> Entries {
    let inside: HashSet<(usize, usize)> =
        mask.iter().filter(|cell| cell.2 != 0.0).map(|(i, j, _)| (i, j)).collect();
    let cells = known.iter().enumerate();
    let keep: Vec<usize> =
        cells.filter(|(_, (i, j, _))| inside.contains(&(*i, *j))).map(|(place, _)| place).collect();
    known.take(&keep)
}

/// `known` without the cells of `excluded`.
pub fn without(known: &Entries, excluded: &Entries) -> Entries {
    let out: HashSet<(usize, usize)> = excluded.iter().map(|(i, j, _)| (i, j)).collect();
    let keep: Vec<usize> = known
        .iter()
        .enumerate()
        .filter(|(_, (i, j, _))| !out.contains(&(*i, *j)))
        .map(|(place, _)| place)
        .collect();
    known.take(&keep)
}

/// A table of the same rows with the columns `labels`, in their order.
///
/// # Errors
/// [`Error::Parameter`] for a column that is not among them.
pub fn onto_columns(table: &Table, labels: &[String]) -> Result<Entries> {
    let cols = Ids::of(table.col_labels.as_deref(), Some(labels), false);
    let count = if matches!(cols, Ids::Same) { table.entries.shape().1 } else { labels.len() };
    let mut cells = Vec::with_capacity(table.entries.len());
    for (i, j, value) in table.entries.iter() {
        let id = cols.id(j, count, "a column of the new rows", "the completion")?;
        cells.push((i as u32, id, value));
    }
    // In one order whatever the file's, so that sums come out the same.
    cells.sort_unstable_by_key(|&(i, j, _)| (i, j));
    let rows = cells.iter().map(|cell| cell.0).collect();
    let cols = cells.iter().map(|cell| cell.1).collect();
    let values = cells.iter().map(|cell| cell.2).collect();
    Entries::new((table.entries.shape().0, count), rows, cols, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(rows: &[&str], cols: &[&str], values: Vec<f64>) -> Table {
        let words = |labels: &[&str]| Some(labels.iter().map(ToString::to_string).collect());
        let shape = (rows.len(), cols.len());
        let row_ids = (0..values.len()).map(|e| (e / cols.len()) as u32).collect();
        let col_ids = (0..values.len()).map(|e| (e % cols.len()) as u32).collect();
        let entries = Entries::new(shape, row_ids, col_ids, values).unwrap();
        Table { row_labels: words(rows), col_labels: words(cols), ..Table::new(entries) }
    }

    #[test]
    fn labels_decide_and_not_places() {
        let onto = labelled(&["a", "b"], &["x", "y"], vec![1.0, 2.0, 3.0, 4.0]);
        let other = labelled(&["b", "a"], &["y"], vec![7.0, 8.0]);
        let found = entries(&other, "the truth", &onto).unwrap();
        let found: Vec<_> = found.iter().collect();
        assert_eq!(found, [(1, 1, 7.0), (0, 1, 8.0)]);
        assert_eq!(
            without(&onto.entries, &Entries::new((2, 2), vec![0], vec![1], vec![0.0]).unwrap())
                .len(),
            3
        );
    }

    #[test]
    fn a_label_that_the_table_does_not_have_is_named() {
        let onto = labelled(&["a"], &["x"], vec![1.0]);
        let other = labelled(&["c"], &["x"], vec![7.0]);
        let error = entries(&other, "the truth", &onto).unwrap_err().to_string();
        assert_eq!(error, r#"a row of the truth must be one of the table, but it is "c""#);
    }

    #[test]
    fn without_labels_the_shapes_must_match() {
        let onto = Table::new(Entries::new((2, 2), vec![0], vec![0], vec![1.0]).unwrap());
        let other = Table::new(Entries::new((3, 2), vec![0], vec![0], vec![1.0]).unwrap());
        let error = entries(&other, "the truth", &onto).unwrap_err().to_string();
        assert_eq!(error, "the truth must have shape (2, 2), but it has (3, 2)");
    }
}
