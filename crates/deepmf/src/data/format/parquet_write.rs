//! Parquet files of tables: wide with row names and passed-through columns, or triplets.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use crate::data::{Form, Table};
use crate::{Error, Result};

/// Columns with their names, in the order of the file.
type Columns = Vec<(String, ArrayRef)>;

/// `table` as a Parquet file; a cell that is not known is null.
///
/// # Errors
/// [`Error::Data`] if the table's words do not fit its numbers, or two columns have one name.
pub(crate) fn bytes(table: &Table) -> Result<Vec<u8>> {
    let columns = match &table.form {
        Form::Triplets { names, .. } => triplets(table, names.as_ref()),
        Form::Wide { .. } | Form::Matrix => wide(table),
    };
    let refused = |error: &dyn std::fmt::Display| {
        Error::data(
            Path::new("-"),
            format!("a table must fit in a Parquet file, but it does not: {error}"),
        )
    };
    let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch =
        RecordBatch::try_from_iter_with_nullable(nullable).map_err(|error| refused(&error))?;
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), None).map_err(|error| refused(&error))?;
    writer.write(&batch).map_err(|error| refused(&error))?;
    writer.close().map_err(|error| refused(&error))?;
    Ok(bytes)
}

fn words<S: AsRef<str>>(words: &[S]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(words))
}

/// One column for each column of the matrix, and the other columns in their places.
fn wide(table: &Table) -> Columns {
    let dense = table.entries.to_dense();
    let mut columns: Columns = (0..dense.cols())
        .map(|j| {
            let name = table
                .col_labels
                .as_ref()
                .map_or_else(|| (j + 1).to_string(), |labels| labels[j].clone());
            let column = dense.col(j).iter().map(|value| (!value.is_nan()).then_some(*value));
            (name, Arc::new(column.collect::<Float64Array>()) as ArrayRef)
        })
        .collect();
    let (name, passthrough) = match &table.form {
        Form::Wide { row_names, passthrough, .. } => (row_names.as_deref(), &passthrough[..]),
        _ => (None, &[][..]),
    };
    if let Some(labels) = &table.row_labels {
        columns.insert(0, (name.unwrap_or("row").to_owned(), words(labels)));
    }
    for other in passthrough {
        let name = other.name.clone().unwrap_or_else(|| format!("other {}", other.place + 1));
        columns.insert(other.place.min(columns.len()), (name, words(&other.fields)));
    }
    columns
}

/// Row, column and value of each entry; ids count from 0 where there are no labels.
fn triplets(table: &Table, names: Option<&[String; 3]>) -> Columns {
    let entries = &table.entries;
    let labels = |ids: &[u32], labels: Option<&Vec<String>>| -> ArrayRef {
        let Some(labels) = labels else {
            return Arc::new(ids.iter().map(|&id| i64::from(id)).collect::<Int64Array>());
        };
        match labels.iter().map(|label| label.parse::<i64>().ok()).collect::<Option<Vec<i64>>>() {
            Some(whole) => {
                Arc::new(ids.iter().map(|&id| whole[id as usize]).collect::<Int64Array>())
            }
            None => words(&ids.iter().map(|&id| &labels[id as usize]).collect::<Vec<_>>()),
        }
    };
    let arrays = [
        labels(entries.rows(), table.row_labels.as_ref()),
        labels(entries.cols(), table.col_labels.as_ref()),
        Arc::new(Float64Array::from(entries.values().to_vec())),
    ];
    let names = names.cloned().unwrap_or_else(|| ["row", "col", "value"].map(String::from));
    names.into_iter().zip(arrays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::format::parquet::parse;
    use crate::data::{Entries, Field, ReadOptions, Triplets};

    fn good(name: &str, options: &ReadOptions) -> Table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/good").join(name);
        parse(&std::fs::read(&path).unwrap(), &path, options).unwrap()
    }

    #[test]
    fn a_wide_table_comes_back_with_its_words() {
        let table = good("wide.parquet", &ReadOptions::default());
        let again = parse(&bytes(&table).unwrap(), Path::new("-"), &ReadOptions::default());
        assert_eq!(again.unwrap(), table);
    }

    #[test]
    fn triplets_come_back_with_their_labels_and_order() {
        let [row, col, value] = ["user", "item", "stars"].map(|name| Field::Name(name.into()));
        let triplets = Some(Triplets { row, col, value: Some(value), weight: None, time: None });
        let options = ReadOptions { triplets, ..Default::default() };
        let table = good("triplets.parquet", &options);
        let again = parse(&bytes(&table).unwrap(), Path::new("-"), &options);
        assert_eq!(again.unwrap(), table);
    }

    #[test]
    fn a_matrix_without_words_has_numbered_columns() {
        let entries = Entries::new((2, 2), vec![0, 1], vec![1, 0], vec![3.0, 4.0]).unwrap();
        let written = bytes(&Table::new(entries.clone())).unwrap();
        let again = parse(&written, Path::new("-"), &ReadOptions::default()).unwrap();
        assert_eq!((again.entries, again.row_labels), (entries, None));
        assert_eq!(again.col_labels.unwrap(), ["1", "2"]);
    }
}
