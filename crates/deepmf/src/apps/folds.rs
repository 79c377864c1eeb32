//! What is held out: by the folds of the choice, and by those that intervals are made of.

use super::holes;
use crate::Result;
use crate::data::{Entries, hole_folds, k_fold, split};

/// Tables of more entries are fitted narrowly, with one fold of a tenth.
pub(super) const MANY: usize = 1_000_000;
/// Folds of the choice.
const CHOICE: usize = 5;
/// From this share of known cells on, the folds of the choice hold out holes of the shape that the table has.
const DENSE: f64 = 0.15;
/// A fold that holds out less than this share of the entries says too little.
const LEAST_HELD: f64 = 0.02;
/// Folds of the intervals, at least and at most …
const INTERVALS: (usize, usize) = (10, 40);
/// … and between them as many as fit about this many entries in all.
const FITTED: usize = 400_000;
/// The folds of the choice are good enough for intervals of more entries than this, where they are random fifths.
const FEW: usize = 20_000;

/// For each fold what is fitted, and what is held out.
type Folds = Vec<(Entries, Entries)>;

/// The folds of the choice, and whether they hold out holes of the shape that the table has.
pub(super) fn of_choice(entries: &Entries, seed: u64) -> Result<(Folds, bool)> {
    if entries.len() > MANY {
        return Ok((vec![split(entries, 0.1, seed.wrapping_add(1))?], false));
    }
    if is_dense(entries) {
        let folds = hole_folds(entries, CHOICE, seed)?;
        let least = (LEAST_HELD * entries.len() as f64).max(2.0);
        let speaks = |(rest, held): &(Entries, Entries)| {
            held.len() as f64 >= least && rest.len() >= held.len()
        };
        if folds.iter().all(speaks) {
            return Ok((folds, true));
        }
    }
    Ok((k_fold(entries, CHOICE, seed)?, false))
}

/// The folds of the intervals: random, or, if holes come together, holes of the shape that the table has; none where those of the
/// choice are good enough, or there are too many entries for others. `lent` says whether the choice could hold out such holes.
pub(super) fn of_intervals(entries: &Entries, lent: bool, seed: u64) -> Result<Option<Folds>> {
    let count = entries.len();
    if count > MANY || !is_dense(entries) && count > FEW {
        return Ok(None);
    }
    let number = (FITTED / count).clamp(INTERVALS.0, INTERVALS.1).min(count);
    // Other folds than those of the choice.
    let seed = seed.wrapping_add(1);
    let mut folds = if lent && holes::come_together(entries, seed) {
        hole_folds(entries, number, seed)?
    } else {
        k_fold(entries, number, seed)?
    };
    folds.retain(|(_, held)| !held.is_empty());
    Ok(Some(folds))
}

/// Whether so many cells are known that folds can hold out holes of the table's shape.
fn is_dense(entries: &Entries) -> bool {
    let (rows, cols) = entries.shape();
    entries.len() as f64 > DENSE * rows as f64 * cols as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random_cells;
    use crate::linalg::Mat;

    fn random(shape: (usize, usize), count: usize) -> Entries {
        let cells = random_cells(shape, count, 5).unwrap();
        crate::data::observe(&Mat::from_fn(shape.0, shape.1, |i, j| (i * j) as f64), &cells)
            .unwrap()
    }

    #[test]
    fn intervals_leave_every_entry_out_once_where_holes_are_random() {
        let entries = random((40, 30), 600);
        let folds = of_intervals(&entries, true, 0).unwrap().unwrap();
        assert_eq!(folds.len(), 40);
        assert!(folds.iter().all(|(rest, held)| held.len() == 15 && rest.len() == 585));
    }

    #[test]
    fn intervals_leave_holes_out_where_holes_come_together() {
        let block = |i: usize, j: usize| (3 * i..3 * i + 20).contains(&j);
        let value = |i, j| if block(i, j) { f64::NAN } else { 1.0 };
        let entries = Entries::from_dense(&Mat::from_fn(40, 140, value)).unwrap();
        let folds = of_intervals(&entries, true, 0).unwrap().unwrap();
        let holes = |held: &Entries| {
            held.iter()
                .zip(held.iter().skip(1))
                .filter(|(a, b)| a.0 == b.0 && a.1 + 1 == b.1)
                .count()
        };
        let (held, runs) = folds
            .iter()
            .fold((0, 0), |(all, runs), (_, held)| (all + held.len(), runs + holes(held)));
        assert!(runs as f64 > 0.8 * held as f64, "{runs} of {held}");
    }

    #[test]
    fn folds_of_the_choice_are_enough_for_many_scattered_entries() {
        let (few, many) = (random((300, 300), 9_000), random((500, 500), 25_000));
        assert!(of_intervals(&few, false, 0).unwrap().is_some());
        assert!(of_intervals(&many, false, 0).unwrap().is_none());
    }
}
