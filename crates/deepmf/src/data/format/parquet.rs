//! Parquet files: wide tables, or triplets by the names or places of their columns.
//!
//! The decoder of the `parquet` crate panics on some damaged pages. No other decoder is kept well, so that panic,
//! which can leave nothing half-changed behind, is caught here and becomes the error that it should have been.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_cast::cast;
use arrow_schema::{DataType, FieldRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::collect::{self, Collector};
use crate::data::{Field, Form, Passthrough, ReadOptions, Table, Triplets};
use crate::{Error, Result};

/// The most cells that one byte is believed to stand for: equal values take almost no room.
const CELLS_PER_BYTE: u64 = 4096;

/// One column of the file, of all row groups.
struct Column {
    name: String,
    cells: Cells,
}

enum Cells {
    /// NaN where nothing is known.
    Numbers(Vec<f64>),
    /// Nothing where the file has a null.
    Words(Vec<Option<String>>),
}

/// The table in `bytes`.
///
/// # Errors
/// [`Error::Data`].
pub(crate) fn parse(bytes: &[u8], path: &Path, options: &ReadOptions) -> Result<Table> {
    match &options.triplets {
        None => wide(columns(bytes, path, &[])?, path, options),
        Some(fields) => triplets(bytes, path, options, fields),
    }
}

/// As [`decoded`], without its panics.
fn columns(bytes: &[u8], path: &Path, words: &[&Field]) -> Result<Vec<Column>> {
    catch_unwind(AssertUnwindSafe(|| decoded(bytes, path, words))).unwrap_or_else(|_| {
        let problem =
            "a Parquet file must be whole, but this one is damaged: a page cannot be decoded";
        Err(Error::data(path, problem))
    })
}

/// All columns; those in `words` as words, whatever they hold.
fn decoded(bytes: &[u8], path: &Path, words: &[&Field]) -> Result<Vec<Column>> {
    let damaged = |error: &dyn std::fmt::Display| {
        Error::data(
            path,
            format!("a Parquet file must be whole, but this one is truncated or damaged: {error}"),
        )
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes))
        .map_err(|error| damaged(&error))?;
    let fields = builder.schema().fields().clone();
    let rows = builder.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|error| damaged(&error))?;
    let most = CELLS_PER_BYTE * bytes.len() as u64;
    if rows.saturating_mul(fields.len() as u64) > most {
        let problem = format!("{rows} rows must fit in {} bytes, but cannot", bytes.len());
        return Err(damaged(&problem));
    }
    if let Some(field) = fields.iter().find(|field| field.data_type().is_nested()) {
        return Err(neither(field, path));
    }
    let mut columns: Vec<Column> = fields
        .iter()
        .enumerate()
        .map(|(place, field)| {
            let as_words = words.iter().any(|word| points_to(word, place, field.name()));
            let numbers = is_number(field.data_type()) && !as_words;
            let cells = if numbers { Cells::Numbers(Vec::new()) } else { Cells::Words(Vec::new()) };
            Column { name: field.name().clone(), cells }
        })
        .collect();
    for batch in builder.build().map_err(|error| damaged(&error))? {
        let batch = batch.map_err(|error| damaged(&error))?;
        for ((column, cells), field) in columns.iter_mut().zip(batch.columns()).zip(&fields) {
            column.cells.append(cells, field, path)?;
        }
    }
    if columns.iter().any(|column| column.cells.len() as u64 != rows) {
        return Err(damaged(&format!("its columns must have {rows} rows, but have not")));
    }
    Ok(columns)
}

impl Cells {
    fn append(&mut self, cells: &ArrayRef, field: &FieldRef, path: &Path) -> Result<()> {
        let to = |kind: &DataType| cast(cells, kind).map_err(|_| neither(field, path));
        match self {
            Self::Numbers(all) => {
                let numbers = to(&DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                all.extend(numbers.iter().map(|number| number.unwrap_or(f64::NAN)));
            }
            Self::Words(all) => {
                let words = to(&DataType::Utf8)?;
                all.extend(words.as_string::<i32>().iter().map(|word| word.map(String::from)));
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Words(words) => words.len(),
        }
    }
}

fn neither(field: &FieldRef, path: &Path) -> Error {
    let (name, found) = (field.name(), field.data_type());
    let problem = format!("column `{name}` must hold numbers or words, but it holds {found}");
    Error::data(path, problem)
}

fn is_number(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_number(values),
        DataType::Boolean | DataType::Null => true,
        kind => kind.is_numeric(),
    }
}

fn points_to(field: &Field, place: usize, name: &str) -> bool {
    match field {
        Field::Name(wanted) => wanted == name,
        Field::Place(wanted) => *wanted == place + 1,
    }
}

/// Numeric columns are the matrix; the first of the others names the rows if nothing occurs in it twice.
fn wide(columns: Vec<Column>, path: &Path, options: &ReadOptions) -> Result<Table> {
    let (mut numbers, mut col_labels, mut passthrough) = (Vec::new(), Vec::new(), Vec::new());
    let (mut row_labels, mut row_names) = (None, None);
    for (place, Column { name, cells }) in columns.into_iter().enumerate() {
        let words = match cells {
            Cells::Numbers(column) if place > 0 || options.row_names != Some(true) => {
                numbers.push(column);
                col_labels.push(name);
                continue;
            }
            Cells::Numbers(column) => {
                column.iter().map(|number| Some(number.to_string())).collect()
            }
            Cells::Words(words) => words,
        };
        let unique = || {
            let mut seen = std::collections::HashSet::new();
            words.iter().all(|word| word.as_ref().is_some_and(|word| seen.insert(word)))
        };
        if place == 0 && options.row_names.unwrap_or_else(unique) {
            (row_labels, row_names) = (Some(filled(words)), Some(name));
        } else {
            passthrough.push(Passthrough { name: Some(name), place, fields: filled(words) });
        }
    }
    let shape = (numbers.first().map_or(0, Vec::len), numbers.len());
    if shape.1 == 0 {
        return Err(Error::data(path, "a table must have a column of numbers, but it has none"));
    }
    let table = collect::dense(path, options, shape, |i, j| numbers[j][i])?;
    let form = Form::Wide { delimiter: b',', row_names, passthrough };
    Ok(Table { row_labels, col_labels: Some(col_labels), form, ..table })
}

fn filled(words: Vec<Option<String>>) -> Vec<String> {
    words.into_iter().map(Option::unwrap_or_default).collect()
}

fn triplets(bytes: &[u8], path: &Path, options: &ReadOptions, fields: &Triplets) -> Result<Table> {
    let columns = columns(bytes, path, &[&fields.row, &fields.col])?;
    let find = |field: &Field| {
        let mut all = columns.iter().enumerate();
        all.find(|(place, column)| points_to(field, *place, &column.name))
            .map(|(_, column)| column)
            .ok_or_else(|| {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                let wanted = match field {
                    Field::Name(name) => format!("a column `{name}`"),
                    Field::Place(place) => format!("a column {place}"),
                };
                Error::data(
                    path,
                    format!("there must be {wanted}, but there are {}", names.join(", ")),
                )
            })
    };
    let numbers = |field: &Field| {
        let column = find(field)?;
        match &column.cells {
            Cells::Numbers(numbers) => Ok(numbers),
            Cells::Words(_) => Err(Error::data(
                path,
                format!("column `{}` must hold numbers, but it holds words", column.name),
            )),
        }
    };
    let (row, col) = (find(&fields.row)?, find(&fields.col)?);
    let values = fields.value.as_ref().map(numbers).transpose()?;
    let (rows, row_labels) = numbered(row, path)?;
    let (cols, col_labels) = numbered(col, path)?;
    let weights = fields.weight.as_ref().map(numbers).transpose()?;
    let mut collector = Collector::new(path, options);
    let mut kept = Vec::new();
    for e in 0..rows.len() {
        let value = values.map_or(1.0, |values| values[e]);
        if collector.push(rows[e], cols[e], value)? {
            kept.extend(weights.map(|weights| weights[e]));
        }
    }
    let entries = collector.finish((row_labels.len(), col_labels.len()))?;
    let entries = if weights.is_some() { collect::weighted(path, entries, kept)? } else { entries };
    let value = fields.value.as_ref().map(find).transpose()?;
    let value = value.map_or_else(|| "value".into(), |column| column.name.clone());
    let names = [row.name.clone(), col.name.clone(), value];
    let form = Form::Triplets { delimiter: b',', names: Some(names) };
    Ok(Table { entries, row_labels: Some(row_labels), col_labels: Some(col_labels), form })
}

/// Ids in the order in which labels first come, or in that of the numbers if all labels are whole numbers.
fn numbered(column: &Column, path: &Path) -> Result<(Vec<u32>, Vec<String>)> {
    let Cells::Words(words) = &column.cells else { return Ok((Vec::new(), Vec::new())) };
    let (mut labels, mut ids, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for (place, word) in words.iter().enumerate() {
        let Some(word) = word else {
            let problem = format!(
                "column `{}` must name every entry, but row {} is empty",
                column.name,
                place + 1
            );
            return Err(Error::data(path, problem));
        };
        ids.push(*seen.entry(word.as_str()).or_insert_with(|| {
            labels.push(word.clone());
            labels.len() as u32 - 1
        }));
    }
    let whole: Option<Vec<i128>> = labels.iter().map(|label| label.parse().ok()).collect();
    if let Some(whole) = whole {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&k| whole[k]);
        let mut rank = vec![0; order.len()];
        for (place, &k) in order.iter().enumerate() {
            rank[k] = place as u32;
        }
        for id in &mut ids {
            *id = rank[*id as usize];
        }
        labels = order.iter().map(|&k| labels[k].clone()).collect();
    }
    Ok((ids, labels))
}
