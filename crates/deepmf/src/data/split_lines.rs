//! Splits by lines: the latest entries of each row, and rows and columns of which a training sees nothing.

use super::Entries;
use super::mask::{parted, shuffled};
use crate::random::{Purpose, Stream, stream};
use crate::{Error, Result};

/// Which entries are the latest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latest {
    /// The last share of each row, rounded; of a row with two or more entries one is left.
    Share(f64),
    /// Those after this time, which itself is before.
    After(f64),
}

/// Holds out the latest entries: what came before, and they, each in its old order. Of entries of one time the later in order is the later.
///
/// # Errors
/// [`Error::Parameter`] if the entries have no times, the share is not between 0 and 1, or nothing would be left or held out.
pub fn split_by_time(entries: &Entries, latest: Latest) -> Result<(Entries, Entries)> {
    let Some(times) = entries.times() else {
        return Err(Error::parameter("every entry", "given with its time", "without"));
    };
    let held: Vec<usize> = match latest {
        Latest::After(time) => (0..entries.len()).filter(|e| times[*e] > time).collect(),
        Latest::Share(share) => {
            must_be_share("the share of the latest entries", share, false)?;
            let last = |mut row: Vec<usize>| {
                row.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
                let count = (share * row.len() as f64).round() as usize;
                row.split_off(row.len() - count.min(row.len().saturating_sub(1)))
            };
            lines(entries.rows(), entries.shape().0).into_iter().flat_map(last).collect()
        }
    };
    if held.is_empty() || held.len() == entries.len() {
        let found = format!("{} of {}", held.len(), entries.len());
        return Err(Error::parameter("the number of held-out entries", "some, but not all", found));
    }
    Ok(parted(entries, held.into_iter()))
}

/// What [`cold_split`] makes.
#[derive(Clone, Debug, PartialEq)]
pub struct ColdSplit {
    /// The entries of known rows and columns.
    pub train: Entries,
    /// What is then told of the new rows and columns.
    pub input: Entries,
    /// The others of new rows and columns.
    pub test: Entries,
}

/// Makes a share of the rows and of the columns new: a training sees no entry of them.
///
/// Half of the entries of a new row in known columns are its input, the other half are scored; likewise of a new column in known rows. Of an odd
/// number the input has one more. Entries in a new row and a new column are all scored, as the one says nothing of the other. Lines are
/// drawn among those that have entries; all parts have the shape of the whole.
///
/// # Errors
/// [`Error::Parameter`] if a share is not from 0 to below 1, both are 0, or no training entries are left or none are to be scored.
pub fn cold_split(
    entries: &Entries,
    share_rows: f64,
    share_cols: f64,
    seed: u64,
) -> Result<ColdSplit> {
    must_be_share("the share of new rows", share_rows, true)?;
    must_be_share("the share of new columns", share_cols, true)?;
    let (by_row, by_col) =
        (lines(entries.rows(), entries.shape().0), lines(entries.cols(), entries.shape().1));
    let mut draws = stream(seed, Purpose::Split, 0);
    let new_rows = some_of(&by_row, share_rows, &mut draws);
    let new_cols = some_of(&by_col, share_cols, &mut draws);
    let is_new =
        |e: usize| (new_rows[entries.rows()[e] as usize], new_cols[entries.cols()[e] as usize]);
    let mut is_input = vec![false; entries.len()];
    let sides = [(&by_row, &new_rows, (true, false)), (&by_col, &new_cols, (false, true))];
    for (lines, new, side) in sides {
        for (line, _) in lines.iter().zip(new.iter()).filter(|(_, new)| **new) {
            let here: Vec<usize> = line.iter().copied().filter(|e| is_new(*e) == side).collect();
            let half = here.len().div_ceil(2);
            for place in shuffled(here.len() as u64, half, &mut draws) {
                is_input[here[place as usize]] = true;
            }
        }
    }
    let part = |is_in: &dyn Fn(usize) -> bool| {
        entries.take(&(0..entries.len()).filter(|e| is_in(*e)).collect::<Vec<_>>())
    };
    let known = |e: usize| is_new(e) == (false, false);
    let cold = ColdSplit {
        train: part(&known),
        input: part(&|e| is_input[e]),
        test: part(&|e| !known(e) && !is_input[e]),
    };
    for (what, part) in [("training entries", &cold.train), ("entries to be scored", &cold.test)] {
        if part.is_empty() {
            return Err(Error::parameter(format!("the number of {what}"), "1 or more", 0));
        }
    }
    Ok(cold)
}

/// The places of the entries of each line.
fn lines(ids: &[u32], count: usize) -> Vec<Vec<usize>> {
    let mut lines = vec![Vec::new(); count];
    ids.iter().enumerate().for_each(|(e, id)| lines[*id as usize].push(e));
    lines
}

/// A share, rounded, of the lines that have entries, at least one unless the share is 0.
fn some_of(lines: &[Vec<usize>], share: f64, draws: &mut Stream) -> Vec<bool> {
    let filled: Vec<usize> = (0..lines.len()).filter(|line| !lines[*line].is_empty()).collect();
    let least = usize::from(share > 0.0);
    let count = ((share * filled.len() as f64).round() as usize).max(least);
    let mut is_chosen = vec![false; lines.len()];
    for place in shuffled(filled.len() as u64, count, draws) {
        is_chosen[filled[place as usize]] = true;
    }
    is_chosen
}

fn must_be_share(name: &str, share: f64, zero: bool) -> Result<()> {
    if share > 0.0 && share < 1.0 || zero && share == 0.0 {
        return Ok(());
    }
    let allowed = if zero { "0 or more and below 1" } else { "above 0 and below 1" };
    Err(Error::parameter(name, allowed, share))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::random_cells;
    use crate::linalg::Mat;

    fn some() -> Entries {
        let truth = Mat::from_fn(40, 30, |i, j| (i * 30 + j) as f64);
        crate::data::observe(&truth, &random_cells((40, 30), 500, 7).unwrap()).unwrap()
    }

    #[test]
    fn of_each_row_the_latest_share_is_held_out() {
        let entries = some();
        let times = entries.iter().map(|(i, j, _)| ((i * 13 + j * 7) % 50) as f64).collect();
        let entries = entries.timed(times).unwrap();
        let (before, after) = split_by_time(&entries, Latest::Share(0.25)).unwrap();
        for i in 0..40 {
            let times = |part: &Entries| -> Vec<f64> {
                let here = part.rows().iter().zip(part.times().unwrap());
                here.filter(|(row, _)| **row == i).map(|(_, time)| *time).collect()
            };
            let (early, late) = (times(&before), times(&after));
            let all = early.len() + late.len();
            assert_eq!(late.len(), (all as f64 * 0.25).round() as usize);
            assert!(late.iter().all(|late| early.iter().all(|early| early <= late)));
        }
        let (before, after) = split_by_time(&entries, Latest::After(30.0)).unwrap();
        assert!(before.times().unwrap().iter().all(|time| *time <= 30.0));
        assert!(after.times().unwrap().iter().all(|time| *time > 30.0));
        assert_eq!(before.len() + after.len(), 500);
    }

    #[test]
    fn a_row_with_one_entry_keeps_it() {
        let entries = Entries::new((2, 3), vec![0, 1, 1], vec![0, 1, 2], vec![1.0; 3]).unwrap();
        let entries = entries.timed(vec![9.0, 5.0, 5.0]).unwrap();
        let (before, after) = split_by_time(&entries, Latest::Share(0.9)).unwrap();
        assert_eq!((before.cols(), after.cols()), (&[0, 1][..], &[2][..]));
    }

    #[test]
    fn new_rows_and_columns_are_unseen_and_half_of_what_is_known_of_them_is_input() {
        let entries = some();
        let ColdSplit { train, input, test } = cold_split(&entries, 0.1, 0.2, 3).unwrap();
        let cells = |part: &Entries| -> HashSet<(usize, usize)> {
            part.iter().map(|(i, j, _)| (i, j)).collect()
        };
        let all = [&train, &input, &test].map(cells);
        assert_eq!(all.iter().map(HashSet::len).sum::<usize>(), 500);
        let together: HashSet<_> = all.iter().flatten().copied().collect();
        assert_eq!(together, cells(&entries));
        let lines = |ids: &[u32]| ids.iter().copied().collect::<HashSet<u32>>();
        let (known_rows, known_cols) = (lines(train.rows()), lines(train.cols()));
        let (rows, cols) = (lines(entries.rows()), lines(entries.cols()));
        assert_eq!((rows.len() - known_rows.len(), cols.len() - known_cols.len()), (4, 6));
        let within = |part: &Entries, new: u32| {
            let here = part.rows().iter().zip(part.cols());
            here.filter(|(i, j)| **i == new && known_cols.contains(j)).count()
        };
        for new in rows.difference(&known_rows) {
            let (told, scored) = (within(&input, *new), within(&test, *new));
            assert!(told == scored || told == scored + 1, "{told} {scored}");
        }
        let both = |part: &Entries| {
            let here = part.rows().iter().zip(part.cols());
            here.filter(|(i, j)| !known_rows.contains(i) && !known_cols.contains(j)).count()
        };
        assert_eq!(both(&input), 0);
        assert!(both(&test) > 0);
        let again = |seed| cold_split(&entries, 0.1, 0.2, seed).unwrap();
        assert_eq!(again(3), ColdSplit { train, input, test });
        assert_ne!(again(3), again(4));
    }

    #[test]
    fn splits_that_leave_nothing_are_refused() {
        let entries = some();
        let told = |result: Result<ColdSplit>| result.unwrap_err().to_string();
        let none = told(cold_split(&entries, 0.0, 0.0, 0));
        assert_eq!(none, "the number of entries to be scored must be 1 or more, but it is 0");
        let share = told(cold_split(&entries, 1.0, 0.0, 0));
        assert_eq!(share, "the share of new rows must be 0 or more and below 1, but it is 1");
        let told = split_by_time(&entries, Latest::Share(0.5)).unwrap_err().to_string();
        assert_eq!(told, "every entry must be given with its time, but it is without");
        let timed = entries.timed(vec![1.0; 500]).unwrap();
        assert!(split_by_time(&timed, Latest::After(1.0)).is_err());
        assert!(split_by_time(&timed, Latest::Share(f64::NAN)).is_err());
    }
}
