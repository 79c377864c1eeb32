//! Triplets: one line an entry, with any words as names of rows and columns.

use std::collections::HashMap;

use csv::StringRecord;

use super::cell::{Cell, Meaning, not_a_number};
use super::merge::{Found, merge};
use super::sniff;
use super::source::Source;
use crate::data::{Entries, Field, Form, ReadOptions, Table, Triplets};
use crate::{Error, Result};

/// The places of the chosen fields, from 0.
struct Places {
    row: usize,
    col: usize,
    value: Option<usize>,
    weight: Option<usize>,
    time: Option<usize>,
}

pub(super) fn read(
    source: Source<'_>,
    meaning: &Meaning<'_>,
    chosen: &Triplets,
    options: &ReadOptions,
) -> Result<Table> {
    let first = source.first(3)?;
    let orange = options.header != Some(false) && sniff::is_orange(&first);
    let header = if orange { first.first() } else { header(&first, meaning, chosen, options) };
    let before = usize::from(header.is_some()) + if orange { 2 } else { 0 };
    let width = first.first().map_or(0, StringRecord::len);
    let places = places(source, chosen, header, width)?;
    let (mut rows, mut cols, mut found) = (Axis::default(), Axis::default(), Found::default());
    source.each(|index, record| {
        if index < before {
            return Ok(());
        }
        if record.len() != width {
            return Err(source.ragged(index, width, record.len()));
        }
        let line = Line { source, index, record, meaning };
        let (row, col) = (rows.id(&line, places.row)?, cols.id(&line, places.col)?);
        let value = match places.value {
            Some(place) => line.number(place, "a value")?,
            None => Some(1.0),
        };
        let Some(value) = value else { return Ok(()) };
        found.push(row, col, value, index);
        if let Some(place) = places.weight {
            found.weights.push(line.weight(place)?);
        }
        if let Some(place) = places.time {
            found.times.push(line.number(place, "a time")?.unwrap_or(f64::NEG_INFINITY));
        }
        Ok(())
    })?;
    let (row_labels, row_ids) = rows.in_order();
    let (col_labels, col_ids) = cols.in_order();
    found.rows.iter_mut().for_each(|id| *id = row_ids[*id as usize]);
    found.cols.iter_mut().for_each(|id| *id = col_ids[*id as usize]);
    let found = merge(found, options.duplicates, |found, first, second| {
        let (row, col) = (found.rows[first] as usize, found.cols[first] as usize);
        source.error(
            found.records[second],
            0,
            format!(
                "the entry of row {:?}, column {:?} must be given once, but it is {} on line {} and {} on line {}",
                row_labels[row],
                col_labels[col],
                found.values[first],
                source.line(found.records[first]),
                found.values[second],
                source.line(found.records[second])
            ),
        )
    })?;
    let shape = (row_labels.len(), col_labels.len());
    let mut entries = Entries::new(shape, found.rows, found.cols, found.values)?;
    if places.weight.is_some() {
        entries = entries.weighted(found.weights)?;
    }
    if places.time.is_some() {
        entries = entries.timed(found.times)?;
    }
    let name = |header: &StringRecord, place: usize| header[place].trim().to_owned();
    let names = header.map(|header| {
        let value = places.value.map_or_else(|| "value".into(), |place| name(header, place));
        [name(header, places.row), name(header, places.col), value]
    });
    let form = Form::Triplets { delimiter: source.delimiter, names };
    Ok(Table { entries, row_labels: Some(row_labels), col_labels: Some(col_labels), form })
}

/// The header: what the options say, or needed for a name, or found where the value of the first line is a word; without values, where
/// words stand over numbers.
fn header<'a>(
    first: &'a [StringRecord],
    meaning: &Meaning<'_>,
    chosen: &Triplets,
    options: &ReadOptions,
) -> Option<&'a StringRecord> {
    let line = first.first()?;
    let is_text = |line: &StringRecord, place: usize| {
        line.get(place.wrapping_sub(1)).map(|field| meaning.of(field) == Cell::Text)
    };
    let is_over_numbers = |field: &Field| match field {
        Field::Place(place) => {
            let below = first.get(1).and_then(|below| is_text(below, *place));
            is_text(line, *place) == Some(true) && below == Some(false)
        }
        Field::Name(_) => true,
    };
    let is_header = || match &chosen.value {
        Some(Field::Place(place)) => is_text(line, *place) == Some(true),
        Some(Field::Name(_)) => true,
        None => is_over_numbers(&chosen.row) || is_over_numbers(&chosen.col),
    };
    let needed =
        [Some(&chosen.row), Some(&chosen.col), chosen.weight.as_ref(), chosen.time.as_ref()]
            .into_iter()
            .flatten()
            .any(|field| matches!(field, Field::Name(_)));
    options.header.unwrap_or_else(|| needed || is_header()).then_some(line)
}

fn places(
    source: Source<'_>,
    chosen: &Triplets,
    header: Option<&StringRecord>,
    width: usize,
) -> Result<Places> {
    let place = |field: &Field| match (field, header) {
        (Field::Place(place), _) if (1..=width).contains(place) => Ok(place - 1),
        (Field::Place(place), _) => Err(source.problem(format!(
            "the place of a triplet's field must be from 1 to {width}, but it is {place}"
        ))),
        (Field::Name(name), Some(header)) => {
            header.iter().position(|field| field.trim() == name).ok_or_else(|| {
                let names: Vec<&str> = header.iter().map(str::trim).collect();
                let names = names.join(", ");
                source.error(0, 0, format!("the header must have {name:?}, but it has {names}"))
            })
        }
        (Field::Name(name), None) => Err(source.problem(format!(
            "a text without a header must be read by places, but a field is {name:?}"
        ))),
    };
    Ok(Places {
        row: place(&chosen.row)?,
        col: place(&chosen.col)?,
        value: chosen.value.as_ref().map(place).transpose()?,
        weight: chosen.weight.as_ref().map(place).transpose()?,
        time: chosen.time.as_ref().map(place).transpose()?,
    })
}

/// One record and where it stands.
struct Line<'a> {
    source: Source<'a>,
    index: usize,
    record: &'a StringRecord,
    meaning: &'a Meaning<'a>,
}

impl Line<'_> {
    fn error(&self, place: usize, problem: String) -> Error {
        self.source.error(self.index, place + 1, problem)
    }

    /// The finite number at `place`, if it is not missing.
    fn number(&self, place: usize, what: &str) -> Result<Option<f64>> {
        let field = &self.record[place];
        match self.meaning.of(field) {
            Cell::Missing => Ok(None),
            Cell::Number(number) if number.is_finite() => Ok(Some(number)),
            Cell::Number(_) => {
                Err(self.error(place, format!("{what} must be finite, but it is {field:?}")))
            }
            Cell::Text => Err(self.error(place, not_a_number(what, field))),
        }
    }

    fn weight(&self, place: usize) -> Result<f64> {
        match self.number(place, "a weight")? {
            Some(weight) if weight >= 0.0 => Ok(weight),
            _ => {
                let field = &self.record[place];
                Err(self.error(place, format!("a weight must be 0 or more, but it is {field:?}")))
            }
        }
    }
}

/// The names along one axis, numbered as they appear.
#[derive(Default)]
struct Axis {
    ids: HashMap<String, u32>,
}

impl Axis {
    fn id(&mut self, line: &Line<'_>, place: usize) -> Result<u32> {
        let name = line.record[place].trim();
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        if name.is_empty() {
            let problem = "the name of a row or column must be a word, but it is empty";
            return Err(line.error(place, problem.into()));
        }
        let next = u32::try_from(self.ids.len()).ok().filter(|&id| id < u32::MAX);
        let id = next.ok_or_else(|| {
            line.error(place, "an axis must have fewer than 2^32 names, but it has more".into())
        })?;
        self.ids.insert(name.to_owned(), id);
        Ok(id)
    }

    /// The names, and the new id of each old one: by number if all are whole numbers, else as they appeared.
    fn in_order(self) -> (Vec<String>, Vec<u32>) {
        let mut names: Vec<(String, u32)> = self.ids.into_iter().collect();
        let whole = |name: &str| -> Option<u64> {
            name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse().ok()).flatten()
        };
        if names.iter().all(|(name, _)| whole(name).is_some()) {
            names.sort_by_cached_key(|(name, id)| (whole(name), *id));
        } else {
            names.sort_unstable_by_key(|&(_, id)| id);
        }
        let mut ids = vec![0; names.len()];
        for (new, (_, old)) in names.iter().enumerate() {
            ids[*old as usize] = new as u32;
        }
        (names.into_iter().map(|(name, _)| name).collect(), ids)
    }
}
