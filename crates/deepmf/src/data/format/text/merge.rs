//! Entries as they are found in lines, and what becomes of a cell that is given twice.

use crate::data::Duplicates;
use crate::{Error, Result};

/// Entries in the order of their lines; weights and times are empty where the text has none.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub(super) rows: Vec<u32>,
    pub(super) cols: Vec<u32>,
    pub(super) values: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) times: Vec<f64>,
    /// From which record each came.
    pub(super) records: Vec<usize>,
}

impl Found {
    pub(super) fn push(&mut self, row: u32, col: u32, value: f64, record: usize) {
        self.rows.push(row);
        self.cols.push(col);
        self.values.push(value);
        self.records.push(record);
    }

    fn cell(&self, e: usize) -> (u32, u32) {
        (self.rows[e], self.cols[e])
    }

    fn keep(&mut self, keep: &[bool]) {
        retain(&mut self.rows, keep);
        retain(&mut self.cols, keep);
        retain(&mut self.values, keep);
        retain(&mut self.weights, keep);
        retain(&mut self.times, keep);
        retain(&mut self.records, keep);
    }
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| keep.next().copied().unwrap_or(true));
}

/// Leaves every cell once, at its first place; by `duplicates` the latest counts (by time, then by line), or the
/// mean of values and of weights.
///
/// # Errors
/// What `refused` makes of the first two entries, by line, that disagree about their cell.
#[allow(clippy::float_cmp, reason = "values agree only if they are the same")]
pub(super) fn merge(
    mut found: Found,
    duplicates: Duplicates,
    refused: impl Fn(&Found, usize, usize) -> Error,
) -> Result<Found> {
    let mut order: Vec<usize> = (0..found.values.len()).collect();
    order.sort_by_key(|&e| found.cell(e));
    let groups: Vec<&[usize]> = order
        .chunk_by(|&a, &b| found.cell(a) == found.cell(b))
        .filter(|group| group.len() > 1)
        .collect();
    if groups.is_empty() {
        return Ok(found);
    }
    if duplicates == Duplicates::Refuse {
        let clash = |group: &&[usize]| {
            let differs = |&&e: &&usize| found.values[e] != found.values[group[0]];
            group.iter().find(differs).map(|&e| (e, group[0]))
        };
        if let Some((second, first)) = groups.iter().filter_map(clash).min() {
            return Err(refused(&found, first, second));
        }
    }
    let (mut merged, mut keep) = (found.clone(), vec![true; order.len()]);
    for group in groups {
        let first = group[0];
        for (from, into) in
            [(&found.values, &mut merged.values), (&found.weights, &mut merged.weights)]
        {
            if !from.is_empty() {
                into[first] = match duplicates {
                    Duplicates::Mean => {
                        group.iter().map(|&e| from[e]).sum::<f64>() / group.len() as f64
                    }
                    _ => from[latest(group, &found.times)],
                };
            }
        }
        if !found.times.is_empty() {
            merged.times[first] = found.times[latest(group, &found.times)];
        }
        group[1..].iter().for_each(|&e| keep[e] = false);
    }
    found = merged;
    found.keep(&keep);
    Ok(found)
}

/// The entry with the greatest time; the last of these, or of all where there are no times.
fn latest(group: &[usize], times: &[f64]) -> usize {
    let later = |best: usize, &e: &usize| match (times.get(best), times.get(e)) {
        (Some(known), Some(time)) if time < known => best,
        _ => e,
    };
    group[1..].iter().fold(group[0], later)
}
