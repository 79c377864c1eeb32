//! Random masks: which cells of a known matrix are observed, and which known entries are hidden.

use std::collections::HashSet;

use super::{Entries, Shape};
use crate::linalg::Mat;
use crate::random::{Purpose, RngExt, Stream, stream};
use crate::{Error, Result};

/// `count` distinct cells `(row, column)` of a matrix of `shape`, uniformly at random and in random order.
///
/// Takes memory in proportion to `count`, whatever the shape.
///
/// # Errors
/// [`Error::Parameter`] if there are fewer cells than `count`, or more than 2³² rows or columns.
pub fn random_cells(shape: Shape, count: usize, seed: u64) -> Result<Vec<(u32, u32)>> {
    let bound = 1_u64 << 32;
    let (rows, cols) = (shape.0 as u64, shape.1 as u64);
    if rows.max(cols) > bound {
        return Err(Error::parameter("rows and columns", "at most 2^32", rows.max(cols)));
    }
    let cells = rows.saturating_mul(cols);
    if count as u64 > cells {
        return Err(Error::parameter("the number of cells", format!("at most {cells}"), count));
    }
    let mut draws = stream(seed, Purpose::Observation, 0);
    let drawn = if cells / 2 < count as u64 {
        // Here the list of all cells is at most twice as long as the answer.
        shuffled(cells, count, &mut draws)
    } else {
        let mut seen = HashSet::with_capacity(count);
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            let cell = draws.random_range(0..cells);
            if seen.insert(cell) {
                drawn.push(cell);
            }
        }
        drawn
    };
    Ok(drawn.into_iter().map(|cell| ((cell / cols) as u32, (cell % cols) as u32)).collect())
}

/// The first `count` of a random order of `0..total` (Fisher and Yates).
pub(super) fn shuffled(total: u64, count: usize, draws: &mut Stream) -> Vec<u64> {
    let mut list: Vec<u64> = (0..total).collect();
    for k in 0..count.min(list.len()) {
        let other = draws.random_range(k as u64..total) as usize;
        list.swap(k, other);
    }
    list.truncate(count);
    list
}

/// The entries of `truth` at `cells`, in their order.
///
/// # Errors
/// As [`Entries::new`]: a cell outside the matrix, a value that is not finite.
pub fn observe(truth: &Mat, cells: &[(u32, u32)]) -> Result<Entries> {
    let (rows, cols): (Vec<u32>, Vec<u32>) = cells.iter().copied().unzip();
    let known = |i: u32, j: u32| {
        let inside = (i as usize) < truth.rows() && (j as usize) < truth.cols();
        if inside { truth[(i as usize, j as usize)] } else { 0.0 }
    };
    let values = cells.iter().map(|&(i, j)| known(i, j)).collect();
    Entries::new((truth.rows(), truth.cols()), rows, cols, values)
}

/// Hides a `fraction` of the entries, uniformly at random: what is left, and what was hidden, each in its old order.
///
/// # Errors
/// [`Error::Parameter`] if `fraction` is not between 0 and 1, or if nothing would be left or hidden.
pub fn hide(entries: &Entries, fraction: f64, seed: u64) -> Result<(Entries, Entries)> {
    let count = part(entries, fraction)?;
    let mut draws = stream(seed, Purpose::Observation, 1);
    let hidden = shuffled(entries.len() as u64, count, &mut draws);
    Ok(parted(entries, hidden.into_iter().map(|e| e as usize)))
}

/// How many entries a `fraction` is, rounded, at least one and not all.
pub(super) fn part(entries: &Entries, fraction: f64) -> Result<usize> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::parameter("a fraction", "above 0 and below 1", fraction));
    }
    if entries.len() < 2 {
        return Err(Error::parameter("the number of entries", "2 or more", entries.len()));
    }
    let count = (fraction * entries.len() as f64).round();
    #[allow(clippy::cast_sign_loss, reason = "a fraction of a count is not negative")]
    Ok((count as usize).clamp(1, entries.len() - 1))
}

/// The entries that are not `chosen`, and those that are.
pub(super) fn parted(entries: &Entries, chosen: impl Iterator<Item = usize>) -> (Entries, Entries) {
    let mut is_chosen = vec![false; entries.len()];
    chosen.for_each(|e| is_chosen[e] = true);
    let (chosen, rest): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(|&e| is_chosen[e]);
    (entries.take(&rest), entries.take(&chosen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_distinct_inside_and_as_many_as_asked() {
        for (shape, count) in [((7, 5), 35), ((7, 5), 30), ((7, 5), 3), ((100, 1), 0)] {
            let cells = random_cells(shape, count, 3).unwrap();
            let distinct: HashSet<_> = cells.iter().collect();
            assert_eq!((cells.len(), distinct.len()), (count, count));
            assert!(cells.iter().all(|&(i, j)| (i as usize) < shape.0 && (j as usize) < shape.1));
        }
        let error = random_cells((7, 5), 36, 3).unwrap_err().to_string();
        assert_eq!(error, "the number of cells must be at most 35, but it is 36");
    }

    #[test]
    fn a_huge_matrix_costs_only_what_is_drawn() {
        let cells = random_cells((1 << 32, 1 << 31), 1000, 0).unwrap();
        let mean = cells.iter().map(|c| f64::from(c.0)).sum::<f64>() / 1000.0;
        // The mean of 1000 uniform draws has deviation 2^32 / √12000.
        assert!((mean / 4_294_967_296.0 - 0.5).abs() < 4.0 / 12000_f64.sqrt());
    }

    #[test]
    fn every_cell_is_drawn_equally_often() {
        let mut counts = [0_u32; 12];
        for seed in 0..3000 {
            for (i, j) in random_cells((3, 4), 4, seed).unwrap() {
                counts[(i * 4 + j) as usize] += 1;
            }
        }
        // 3000 trials with chance 1/3: mean 1000, deviation 26.
        assert!(counts.iter().all(|&c| c.abs_diff(1000) < 110), "{counts:?}");
    }

    #[test]
    fn what_is_hidden_and_what_is_left_are_everything() {
        let truth = Mat::from_fn(6, 5, |i, j| (10 * i + j) as f64);
        let entries = observe(&truth, &random_cells((6, 5), 20, 1).unwrap()).unwrap();
        let (rest, hidden) = hide(&entries, 0.4, 5).unwrap();
        assert_eq!((rest.len(), hidden.len()), (12, 8));
        let mut all: Vec<_> = rest.iter().chain(hidden.iter()).map(|e| (e.0, e.1)).collect();
        all.sort_unstable();
        let mut before: Vec<_> = entries.iter().map(|e| (e.0, e.1)).collect();
        before.sort_unstable();
        assert_eq!(all, before);
        assert!(rest.iter().all(|(i, j, value)| value.to_bits() == truth[(i, j)].to_bits()));
    }

    #[test]
    fn a_fraction_outside_is_named() {
        let entries = Entries::from_dense(&Mat::eye(2, 2)).unwrap();
        for fraction in [0.0, 1.0, -0.5, f64::NAN] {
            let message = hide(&entries, fraction, 0).unwrap_err().to_string();
            assert!(message.starts_with("a fraction must be above 0 and below 1"), "{message}");
        }
        assert!(observe(&Mat::eye(2, 2), &[(2, 0)]).is_err());
    }
}
