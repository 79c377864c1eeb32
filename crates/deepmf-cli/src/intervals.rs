//! Filled cells with their intervals, as a table to be written.

use std::path::Path;

use deepmf::Result;
use deepmf::apps::Filled;
use deepmf::data::{self, Entries, Form, Passthrough, Table};
use deepmf::linalg::Mat;

/// Writes each filled cell of `table` with row, column, value, lower and upper end, one a line.
///
/// # Errors
/// If the system refuses, or the format is one that is only read.
pub(crate) fn write(path: &Path, table: &Table, holes: &[Filled]) -> Result<()> {
    data::write(path, &listed(table, holes)?)
}

/// # Errors
/// If a table of this name could not be written.
pub(crate) fn check(path: &Path) -> Result<()> {
    let cell = Entries::new((1, 1), vec![0], vec![0], vec![0.0])?;
    data::encoded(path, &Table::new(cell)).map(|_| ())
}

fn listed(table: &Table, holes: &[Filled]) -> Result<Table> {
    let label = |labels: &Option<Vec<String>>, id: usize| match labels {
        Some(labels) => labels[id].clone(),
        None => id.to_string(),
    };
    let numbers = Mat::from_fn(holes.len(), 3, |line, col| {
        let Filled { value, interval, .. } = holes[line];
        let (lower, upper) = interval.unwrap_or((f64::NAN, f64::NAN));
        [value, lower, upper][col]
    });
    let [row, column, value] = match &table.form {
        Form::Triplets { names: Some(names), .. } => names.clone(),
        _ => ["row", "column", "value"].map(String::from),
    };
    let words = |place: usize, name: String, fields: Vec<String>| Passthrough {
        name: Some(name),
        place,
        fields,
    };
    let rows = holes.iter().map(|hole| label(&table.row_labels, hole.row)).collect();
    let cols = holes.iter().map(|hole| label(&table.col_labels, hole.col)).collect();
    let delimiter = match table.form {
        Form::Wide { delimiter, .. } | Form::Triplets { delimiter, .. } => delimiter,
        Form::Matrix => b',',
    };
    Ok(Table {
        entries: Entries::from_dense(&numbers)?,
        row_labels: None,
        col_labels: Some(vec![value, "lower".into(), "upper".into()]),
        form: Form::Wide {
            delimiter,
            row_names: None,
            passthrough: vec![words(0, row, rows), words(1, column, cols)],
        },
    })
}
