//! Splits of known entries into a part to train on and a part to test on.

use super::Entries;
use super::mask::{part, parted, shuffled};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// Holds out a `fraction` of the entries at random: the rest, and what is held out, each in its old order.
///
/// A row or column with two or more entries keeps at least one of them, unless too few others are left to hold out.
///
/// # Errors
/// [`Error::Parameter`] if `fraction` is not between 0 and 1, or if there are fewer than two entries.
pub fn split(entries: &Entries, fraction: f64, seed: u64) -> Result<(Entries, Entries)> {
    let count = part(entries, fraction)?;
    let mut draws = stream(seed, Purpose::Split, 0);
    let order = shuffled(entries.len() as u64, entries.len(), &mut draws);
    let (mut rows, mut cols) = (Left::new(entries.rows()), Left::new(entries.cols()));
    let (mut held, mut passed) = (Vec::with_capacity(count), Vec::new());
    for e in order.into_iter().map(|e| e as usize) {
        let (i, j) = (entries.rows()[e] as usize, entries.cols()[e] as usize);
        if held.len() < count && rows.spares(i) && cols.spares(j) {
            rows.left[i] -= 1;
            cols.left[j] -= 1;
            held.push(e);
        } else {
            passed.push(e);
        }
    }
    let missing = count - held.len();
    Ok(parted(entries, held.into_iter().chain(passed.into_iter().take(missing))))
}

/// How many entries the rows (or the columns) had, and have left.
struct Left {
    had: Vec<u32>,
    left: Vec<u32>,
}

impl Left {
    fn new(ids: &[u32]) -> Self {
        let mut had = vec![0; ids.iter().max().map_or(0, |&most| most as usize + 1)];
        for &id in ids {
            had[id as usize] += 1;
        }
        Self { left: had.clone(), had }
    }

    fn spares(&self, id: usize) -> bool {
        self.had[id] < 2 || self.left[id] > 1
    }
}

/// Splits the entries at random into `folds` parts that differ by at most one in size: for each, the others and it.
///
/// # Errors
/// [`Error::Parameter`] if `folds` is below 2 or above the number of entries.
pub fn k_fold(entries: &Entries, folds: usize, seed: u64) -> Result<Vec<(Entries, Entries)>> {
    if folds < 2 || folds > entries.len() {
        let allowed = format!("from 2 to the number of entries, {}", entries.len());
        return Err(Error::parameter("the number of folds", allowed, folds));
    }
    let mut draws = stream(seed, Purpose::Split, 1);
    let order = shuffled(entries.len() as u64, entries.len(), &mut draws);
    let fold = |k: usize| order.iter().skip(k).step_by(folds).map(|&e| e as usize);
    Ok((0..folds).map(|k| parted(entries, fold(k))).collect())
}

/// Splits the entries `folds` times by holes of the shape that the table has: a row lends its holes to another one, whose
/// entries there are held out. For each, the others and what is held out.
///
/// Rows are paired by a random permutation a fold; of the rows as many are drawn as hold about 1/`folds` of the entries out, or
/// all if there are too few holes for that. An entry may be held out by several folds or by none. Where holes come as blocks, the
/// error on such entries is that of filling blocks; where they are scattered, the folds are like those of [`k_fold`].
///
/// # Errors
/// [`Error::Parameter`] if `folds` is below 2.
pub fn hole_folds(entries: &Entries, folds: usize, seed: u64) -> Result<Vec<(Entries, Entries)>> {
    if folds < 2 {
        return Err(Error::parameter("the number of folds", "2 or more", folds));
    }
    let (rows, cols) = entries.shape();
    let mut known = vec![false; rows * cols];
    let mut filled = vec![false; rows];
    for (i, j, _) in entries.iter() {
        known[i * cols + j] = true;
        filled[i] = true;
    }
    let holes = 1.0 - entries.len() as f64 / known.len() as f64;
    let share = (1.0 / folds as f64 / holes).min(1.0);
    let fold = |k: usize| {
        let mut draws = stream(seed, Purpose::Split, 2 + k as u64);
        let lender = shuffled(rows as u64, rows, &mut draws);
        let lends: Vec<Option<usize>> = lender
            .into_iter()
            .map(|i| Some(i as usize).filter(|&i| draws.random_bool(share) && filled[i]))
            .collect();
        let held = entries
            .iter()
            .enumerate()
            .filter(|(_, (i, j, _))| lends[*i].is_some_and(|lender| !known[lender * cols + j]));
        parted(entries, held.map(|(e, _)| e).collect::<Vec<_>>().into_iter())
    };
    Ok((0..folds).map(fold).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random_cells;
    use crate::linalg::Mat;

    fn some() -> Entries {
        crate::data::observe(
            &Mat::from_fn(30, 20, |i, j| (i * 20 + j) as f64),
            &random_cells((30, 20), 150, 4).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_row_with_two_entries_keeps_one() {
        let entries = some();
        for seed in 0..20 {
            let (rest, held) = split(&entries, 0.5, seed).unwrap();
            assert_eq!((rest.len(), held.len()), (75, 75));
            let count = |ids: &[u32], id: u32| ids.iter().filter(|&&other| other == id).count();
            for i in 0..30 {
                assert!(count(entries.rows(), i) < 2 || count(rest.rows(), i) > 0);
            }
            for j in 0..20 {
                assert!(count(entries.cols(), j) < 2 || count(rest.cols(), j) > 0);
            }
        }
    }

    #[test]
    fn where_rows_cannot_keep_one_the_size_still_holds() {
        let entries = Entries::from_dense(&Mat::eye(6, 6)).unwrap();
        let (rest, held) = split(&entries, 0.97, 0).unwrap();
        assert_eq!((rest.len(), held.len()), (1, 35));
        assert_eq!(split(&entries, 0.5, 1).unwrap(), split(&entries, 0.5, 1).unwrap());
        assert_ne!(split(&entries, 0.5, 1).unwrap(), split(&entries, 0.5, 2).unwrap());
    }

    #[test]
    fn the_folds_are_everything_once() {
        let entries = some();
        let folds = k_fold(&entries, 4, 9).unwrap();
        let mut cells: Vec<_> =
            folds.iter().flat_map(|(_, held)| held.iter()).map(|e| (e.0, e.1)).collect();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), 150);
        for (rest, held) in &folds {
            assert_eq!(rest.len() + held.len(), 150);
            assert!((37..=38).contains(&held.len()));
        }
        assert!(k_fold(&entries, 1, 0).is_err());
        assert!(k_fold(&entries, 151, 0).is_err());
    }

    #[test]
    fn holes_are_lent_with_their_shape() {
        // Rows with a block of holes each: what is held out of a row is exactly the known part of one block.
        let block = |i: usize, j: usize| (j + 24 - 2 * (i % 12)) % 24 < 6;
        let value = |i, j| if block(i, j) { f64::NAN } else { 1.0 };
        let entries = Entries::from_dense(&Mat::from_fn(60, 24, value)).unwrap();
        let folds = hole_folds(&entries, 5, 3).unwrap();
        for (rest, held) in &folds {
            assert_eq!(rest.len() + held.len(), entries.len());
            let share = held.len() as f64 / entries.len() as f64;
            assert!((0.1..0.3).contains(&share), "{share}");
            for i in 0..60 {
                let here: Vec<usize> = held.iter().filter(|e| e.0 == i).map(|e| e.1).collect();
                let fits = |lender: usize| {
                    let lent = |j: &usize| block(lender, *j) && !block(i, *j);
                    (0..24).filter(lent).eq(here.iter().copied())
                };
                assert!(here.is_empty() || (0..12).any(fits));
            }
        }
        assert_eq!(folds, hole_folds(&entries, 5, 3).unwrap());
        assert!(hole_folds(&entries, 1, 0).is_err());
    }

    #[test]
    fn a_full_table_lends_no_holes() {
        let full = Entries::from_dense(&Mat::zeros(5, 4)).unwrap();
        assert!(hole_folds(&full, 5, 0).unwrap().iter().all(|(_, held)| held.is_empty()));
    }
}
