//! Wide tables: one line a row, one field a column, with what else stands in the lines.

use csv::StringRecord;

use super::cell::{Cell, Meaning, not_a_number};
use super::sniff;
use super::source::Source;
use crate::data::{Entries, Form, Passthrough, ReadOptions, Table};
use crate::{Error, Result};

/// What the fields of a column are, counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Column {
    numbers: usize,
    words: usize,
    first_word: usize,
    first_infinity: Option<usize>,
}

impl Column {
    fn count(&mut self, row: usize, cell: Cell) {
        match cell {
            Cell::Missing => {}
            Cell::Number(number) => {
                self.numbers += 1;
                if number.is_infinite() && self.first_infinity.is_none() {
                    self.first_infinity = Some(row);
                }
            }
            Cell::Text => {
                if self.words == 0 {
                    self.first_word = row;
                }
                self.words += 1;
            }
        }
    }

    /// Whether the column counts as words: more than one field in ten is one.
    pub(super) fn is_words(&self) -> bool {
        self.words * 9 > self.numbers
    }

    /// Whether the column counts as numbers and has some.
    pub(super) fn has_numbers(&self) -> bool {
        !self.is_words() && self.numbers > 0
    }
}

/// The lines of a table below its header.
struct Lines {
    header: Option<StringRecord>,
    below: Vec<StringRecord>,
    /// How many records stand before the first of `below`.
    before: usize,
    columns: Vec<Column>,
}

pub(super) fn read(
    source: Source<'_>,
    meaning: &Meaning<'_>,
    options: &ReadOptions,
) -> Result<Table> {
    let lines = lines(source, meaning, options)?;
    let Lines { header, below, before, columns } = &lines;
    let named =
        options.row_names.unwrap_or_else(|| sniff::are_row_names(header.as_ref(), below, columns))
            && !columns.is_empty();
    let kept: Vec<usize> =
        (usize::from(named)..columns.len()).filter(|&c| !columns[c].is_words()).collect();
    for &c in &kept {
        must_be_finite_numbers(source, *before, below, c, &columns[c])?;
    }
    let entries = entries(below, &kept, meaning)?;
    let name = |c: usize| header.as_ref().and_then(|h| h.get(c)).map(String::from);
    let fields = |c: usize| below.iter().filter_map(|r| r.get(c)).map(String::from).collect();
    let passthrough = (usize::from(named)..columns.len())
        .filter(|&c| columns[c].is_words())
        .map(|place| Passthrough { name: name(place), place, fields: fields(place) })
        .collect();
    Ok(Table {
        entries,
        row_labels: named.then(|| fields(0)),
        col_labels: kept.iter().map(|&c| name(c)).collect(),
        form: Form::Wide {
            delimiter: source.delimiter,
            row_names: named.then(|| name(0).unwrap_or_default()),
            passthrough,
        },
    })
}

/// Reads all lines and says what their columns are.
fn lines(source: Source<'_>, meaning: &Meaning<'_>, options: &ReadOptions) -> Result<Lines> {
    let mut records = Vec::new();
    source.each(|_, record| {
        records.push(record.clone());
        Ok(())
    })?;
    let orange = options.header != Some(false) && sniff::is_orange(&records);
    add_corner(&mut records, meaning);
    let width = records.first().map_or(0, StringRecord::len);
    if let Some(index) = records.iter().position(|record| record.len() != width) {
        return Err(source.ragged(index, width, records[index].len()));
    }
    let before = if orange { 3 } else { 1 };
    let columns = counted(records.get(before..).unwrap_or_default(), width, meaning);
    let has_header = orange
        || records.split_first().is_some_and(|(first, below)| {
            options.header.unwrap_or_else(|| sniff::is_header(first, below, &columns, meaning))
        });
    if has_header {
        let below = records.split_off(before);
        return Ok(Lines { header: records.into_iter().next(), below, before, columns });
    }
    let columns = counted(&records, width, meaning);
    Ok(Lines { header: None, below: records, before: 0, columns })
}

fn counted(records: &[StringRecord], width: usize, meaning: &Meaning<'_>) -> Vec<Column> {
    let mut columns = vec![Column::default(); width];
    for (row, record) in records.iter().enumerate() {
        for (column, field) in columns.iter_mut().zip(record) {
            column.count(row, meaning.of(field));
        }
    }
    columns
}

/// Gives a header that lacks the corner over the names of rows, as R writes it, an empty one.
fn add_corner(records: &mut [StringRecord], meaning: &Meaning<'_>) {
    let [first, rest @ ..] = records else { return };
    let short = !rest.is_empty() && rest.iter().all(|record| record.len() == first.len() + 1);
    if short && first.iter().any(|field| meaning.of(field) == Cell::Text) {
        *first = std::iter::once("").chain(first.iter()).collect();
    }
}

fn must_be_finite_numbers(
    source: Source<'_>,
    before: usize,
    below: &[StringRecord],
    c: usize,
    column: &Column,
) -> Result<()> {
    let error = |row: usize, problem: fn(&str) -> String| {
        let field = below[row].get(c).unwrap_or_default();
        Err::<(), Error>(source.error(before + row, c + 1, problem(field)))
    };
    if column.words > 0 {
        return error(column.first_word, |field| not_a_number("a field", field));
    }
    match column.first_infinity {
        Some(row) => error(row, |field| format!("a number must be finite, but it is {field:?}")),
        None => Ok(()),
    }
}

fn entries(below: &[StringRecord], kept: &[usize], meaning: &Meaning<'_>) -> Result<Entries> {
    let (mut rows, mut cols, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (i, record) in below.iter().enumerate() {
        for (j, &c) in kept.iter().enumerate() {
            if let Cell::Number(value) = meaning.of(&record[c]) {
                rows.push(i as u32);
                cols.push(j as u32);
                values.push(value);
            }
        }
    }
    Entries::new((below.len(), kept.len()), rows, cols, values)
}
