//! What a text does not say: what separates its fields, and whether it has a header and names of rows.

use csv::StringRecord;

use super::cell::{Cell, Meaning};
use super::source::{BLANKS, COLONS, Source};
use super::wide::Column;
use crate::Result;

/// How many records are looked at to find the delimiter.
const SAMPLE: usize = 20;

/// What separates the fields: of `tab ; , ::` that which gives all lines the same number of fields (at least two),
/// and of several such that which gives the most numbers; failing that, that which most lines have, at least
/// half of them (tabs only if blanks are uneven too); then blanks; then a comma, since the table has one column.
pub(super) fn delimiter<'a>(
    source: impl Fn(u8) -> Source<'a>,
    meaning: &Meaning<'_>,
) -> Result<u8> {
    let (mut even, mut uneven) = (None, None);
    for candidate in [b'\t', b';', b',', COLONS, BLANKS] {
        let found = even.is_some() || uneven.is_some_and(|(other, _)| other != b'\t');
        if candidate == BLANKS && found {
            break;
        }
        let records = source(candidate).first(SAMPLE)?;
        let split = records.iter().filter(|record| record.len() > 1).count();
        let fields = records.iter().flatten();
        let numbers = fields.filter(|f| matches!(meaning.of(f), Cell::Number(_))).count();
        if is_even(&records) && even.is_none_or(|(_, best)| numbers > best) {
            even = Some((candidate, numbers));
        } else if split * 2 >= records.len().max(1) && uneven.is_none_or(|(_, best)| split > best) {
            uneven = Some((candidate, split));
        }
    }
    Ok(even.or(uneven).map_or(b',', |(candidate, _)| candidate))
}

/// Whether all records have the same number of fields, at least two; a header may lack the corner.
fn is_even(records: &[StringRecord]) -> bool {
    let Some((first, last)) = records.first().zip(records.last()) else { return false };
    let fields = last.len();
    let corner = records.len() > 1 && first.len() + 1 == fields;
    fields > 1
        && (corner || first.len() == fields)
        && records[1..].iter().all(|record| record.len() == fields)
}

/// Whether the second and third lines are the types and flags of an Orange `.tab` file.
pub(super) fn is_orange(records: &[StringRecord]) -> bool {
    const TYPES: [&str; 9] = ["c", "d", "s", "t", "m", "continuous", "discrete", "string", "time"];
    const FLAGS: [&str; 6] = ["", "class", "meta", "weight", "ignore", "i"];
    let [_, types, flags, ..] = records else { return false };
    !types.is_empty()
        && types.iter().all(|field| TYPES.contains(&field.trim()))
        && flags.iter().any(|field| !field.trim().is_empty())
        && flags.iter().all(|field| FLAGS.contains(&field.trim()) || field.contains('='))
}

/// Whether `first` is a header of the columns `below` it.
///
/// It is one if, over columns of numbers, more of its fields are words than numbers, or all the numbers there are a
/// run (see [`is_run`]) beside at least one word. Numbers alone are a header only where the first column is names:
/// over words that are all different, if the corner is empty, or if the numbers are a run and some line below is
/// none; over the numbers 0, 1, 2 … or 1, 2, 3 … with an empty corner, if the header too counts from 0 or 1.
pub(super) fn is_header(
    first: &StringRecord,
    below: &[StringRecord],
    columns: &[Column],
    meaning: &Meaning<'_>,
) -> bool {
    let cells: Vec<Cell> = first.iter().map(|field| meaning.of(field)).collect();
    if below.is_empty() {
        return cells.contains(&Cell::Text);
    }
    let counted = || cells.iter().zip(columns).filter(|(_, column)| column.has_numbers());
    let words = counted().filter(|(cell, _)| **cell == Cell::Text).count();
    let numbers: Vec<f64> = counted().filter_map(|(cell, _)| number(cell)).collect();
    if words > numbers.len() || (words > 0 && is_run(&numbers)) {
        return true;
    }
    let (Some(corner), Some(column)) = (cells.first(), columns.first()) else { return false };
    if words > 0 || numbers.is_empty() {
        return false;
    }
    let run_below = |record: &StringRecord| {
        let fields = record.iter().zip(columns).filter(|(_, column)| column.has_numbers());
        is_run(&fields.filter_map(|(f, _)| number(&meaning.of(f))).collect::<Vec<_>>())
    };
    match (corner, column.has_numbers()) {
        (Cell::Missing, false) => all_differ(below),
        (Cell::Text, false) => {
            all_differ(below) && is_run(&numbers) && !below.iter().all(run_below)
        }
        (Cell::Missing, true) => {
            let names: Vec<f64> =
                below.iter().filter_map(|r| number(&meaning.of(r.get(0)?))).collect();
            counts(&numbers) && names.len() == below.len() && counts(&names)
        }
        _ => false,
    }
}

/// Whether the first column is names of rows: under an empty header, or words that are all different.
pub(super) fn are_row_names(
    header: Option<&StringRecord>,
    below: &[StringRecord],
    columns: &[Column],
) -> bool {
    let corner = header.and_then(|header| header.get(0));
    columns.len() > 1
        && (corner.is_some_and(|corner| corner.trim().is_empty())
            || (columns[0].is_words() && all_differ(below)))
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number),
        _ => None,
    }
}

fn all_differ(records: &[StringRecord]) -> bool {
    let mut names: Vec<&str> = records.iter().filter_map(|record| record.get(0)).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair[0] != pair[1])
}

/// Whether these count 0, 1, 2 … or 1, 2, 3 …
#[allow(clippy::float_cmp, reason = "whole numbers differ exactly")]
fn counts(numbers: &[f64]) -> bool {
    [0.0, 1.0].contains(&numbers.first().copied().unwrap_or(0.0))
        && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
}

/// Whether these look like names: three or more consecutive whole numbers, or two or more years at a fixed distance.
#[allow(clippy::float_cmp, reason = "whole numbers differ exactly")]
fn is_run(numbers: &[f64]) -> bool {
    let whole = numbers.iter().all(|x| x.fract() == 0.0);
    let years = numbers.iter().all(|x| (1000.0..3000.0).contains(x));
    let [first, second, rest @ ..] = numbers else { return false };
    let distance = second - first;
    whole
        && numbers.windows(2).all(|pair| pair[1] - pair[0] == distance)
        && ((years && distance >= 1.0) || (distance == 1.0 && !rest.is_empty()))
}
