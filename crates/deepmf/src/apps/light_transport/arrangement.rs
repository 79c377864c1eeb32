//! The order of the hidden places: a product of two factors is the same in any, and their variation is not.

use crate::linalg::Mat;
use crate::random::{RngExt, Stream};

/// Three cuts of an order: what is between the first two and what is between the last two change places or not, and are turned round or not.
#[derive(Clone, Copy, Debug)]
struct Move {
    cuts: [usize; 3],
    swapped: bool,
    turned: [bool; 2],
}

impl Move {
    /// All that change something between three cuts.
    fn all(cuts: [usize; 3]) -> impl Iterator<Item = Self> {
        (1..8).map(move |kind| Self {
            cuts,
            swapped: kind & 1 > 0,
            turned: [kind & 2 > 0, kind & 4 > 0],
        })
    }

    /// With cuts anywhere or, as often, where the path makes a long step.
    fn random(steps: &[f64], draws: &mut Stream) -> Self {
        let count = steps.len() + 1;
        let all: f64 = steps.iter().map(|step| step * step).sum();
        // Any part may be empty.
        let mut cuts: [usize; 3] = std::array::from_fn(|_| {
            if draws.random_bool(0.5) {
                return draws.random_range(0..=count);
            }
            let mut left = all * draws.random::<f64>();
            let long = steps.iter().position(|step| {
                left -= step * step;
                left < 0.0
            });
            1 + long.unwrap_or(count - 2)
        });
        cuts.sort_unstable();
        let kind = draws.random_range(1..8_u8);
        Self { cuts, swapped: kind & 1 > 0, turned: [kind & 2 > 0, kind & 4 > 0] }
    }

    fn apply(self, order: &[usize]) -> Vec<usize> {
        let [a, b, c] = self.cuts;
        let mut parts = [order[a..b].to_vec(), order[b..c].to_vec()];
        for (part, turned) in parts.iter_mut().zip(self.turned) {
            if turned {
                part.reverse();
            }
        }
        if self.swapped {
            parts.reverse();
        }
        [&order[..a], &parts[0], &parts[1], &order[c..]].concat()
    }

    /// By how much a path becomes shorter.
    fn gain(self, order: &[usize], distances: &Mat) -> f64 {
        let [a, b, c] = self.cuts;
        let between = |from: Option<usize>, to: Option<usize>| match (from, to) {
            (Some(from), Some(to)) => distances[(from, to)],
            _ => 0.0,
        };
        let (before, after) = (a.checked_sub(1).map(|place| order[place]), order.get(c).copied());
        let ends = [(order[a], order[b - 1]), (order[b], order[c - 1])];
        let length = |[first, second]: [(usize, usize); 2]| {
            between(before, Some(first.0))
                + between(Some(first.1), Some(second.0))
                + between(Some(second.1), after)
        };
        let mut moved = ends;
        for (ends, turned) in moved.iter_mut().zip(self.turned) {
            if turned {
                *ends = (ends.1, ends.0);
            }
        }
        if self.swapped {
            moved.reverse();
        }
        length(ends) - length(moved)
    }
}

/// An order of places between which there are these distances, so that no two parts of the path through them would be better elsewhere or the other way round.
///
/// Source: Lin 1965, "Computer solutions of the traveling salesman problem" (three cuts).
pub(super) fn short_path(distances: &Mat) -> Vec<usize> {
    let count = distances.rows();
    let least = 1e-9 * distances.max_abs();
    let mut order: Vec<usize> = (0..count).collect();
    loop {
        let cuts = (0..count).flat_map(|a| {
            (a + 1..count).flat_map(move |b| (b + 1..=count).map(move |c| [a, b, c]))
        });
        let moves = cuts.flat_map(Move::all).map(|it| (it.gain(&order, distances), it));
        match moves.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((gain, best)) if gain > least => order = best.apply(&order),
            _ => return order,
        }
    }
}

/// An order in which up to two parts of the first are elsewhere or the other way round, by chance, `steps` being the distances along it.
pub(super) fn shaken(steps: &[f64], draws: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..=steps.len()).collect();
    for _ in 0..draws.random_range(0..3_u8) {
        order = Move::random(steps, draws).apply(&order);
    }
    order
}

/// The columns in another order.
pub(super) fn in_order(columns: &Mat, order: &[usize]) -> Mat {
    Mat::from_fn(columns.rows(), order.len(), |i, j| columns[(i, order[j])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    fn path(order: &[usize], distances: &Mat) -> f64 {
        order.array_windows().map(|[a, b]| distances[(*a, *b)]).sum()
    }

    /// Distances of points in the plane.
    fn scattered(count: usize) -> Mat {
        let mut draws = stream(2, Purpose::Truth, 0);
        let at: Vec<(f64, f64)> = (0..count).map(|_| (draws.random(), draws.random())).collect();
        Mat::from_fn(count, count, |a, b| (at[a].0 - at[b].0).hypot(at[a].1 - at[b].1))
    }

    #[test]
    fn a_gain_is_what_the_path_becomes_shorter() {
        let distances = scattered(7);
        let order = [3, 0, 6, 1, 5, 2, 4];
        for cuts in [[0, 1, 7], [0, 3, 5], [2, 4, 7], [1, 2, 3]] {
            for it in Move::all(cuts) {
                let after = it.apply(&order);
                let expected = path(&order, &distances) - path(&after, &distances);
                assert!((it.gain(&order, &distances) - expected).abs() < 1e-14, "{it:?}");
            }
        }
    }

    #[test]
    fn a_line_that_was_cut_up_is_put_together() {
        let places = [5, 6, 7, 2, 1, 0, 12, 11, 10, 3, 4, 8, 9_usize];
        let distances = Mat::from_fn(13, 13, |a, b| places[a].abs_diff(places[b]) as f64);
        let found = short_path(&distances);
        assert_eq!(path(&found, &distances), 12.0);
    }

    #[test]
    fn what_is_shaken_has_every_place_once() {
        let mut draws = stream(3, Purpose::Train, 0);
        let mut moved = 0;
        for _ in 0..200 {
            let mut order = shaken(&[0.1, 0.0, 3.0, 0.2, 0.1], &mut draws);
            moved += usize::from(order != [0, 1, 2, 3, 4, 5]);
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4, 5]);
        }
        assert!((50..180).contains(&moved), "{moved}");
        assert_eq!(shaken(&[0.0], &mut draws).len(), 2);
    }
}
