//! Where a run rests: plateaus of what was recorded, and saddles.

/// A stretch over which a quantity hardly changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// The time of its first row.
    pub from: f64,
    /// The time of its last row.
    pub to: f64,
    /// The quantity in its middle row.
    pub value: f64,
}

/// The plateaus of a quantity: longest stretches, one after another, over which it stays within `band` times itself
/// (largest ≤ (1 + band) · least) and whose last time is at least `length` times the first.
///
/// Lengths are ratios because the rests of a flow from a small start last times of different orders. `times` ascend; rows with a time of 0
/// or a value that is not above 0 belong to no plateau.
pub fn plateaus(times: &[f64], values: &[f64], band: f64, length: f64) -> Vec<Plateau> {
    let rows: Vec<(f64, f64)> = times.iter().copied().zip(values.iter().copied()).collect();
    let mut found = Vec::new();
    let mut first = 0;
    while first < rows.len() {
        let stretch = reach(&rows[first..], band);
        // A later first row may hold a longer stretch that overlaps: the longest of them counts.
        let best = (first..first + stretch.max(1))
            .map(|start| (start, reach(&rows[start..], band)))
            .filter(|(start, count)| *count > 0 && rows[*start].0 > 0.0)
            .max_by(|a, b| ratio(&rows, *a).total_cmp(&ratio(&rows, *b)).then(b.0.cmp(&a.0)));
        match best.filter(|best| ratio(&rows, *best) >= length) {
            Some((start, count)) => {
                let (from, to) = (rows[start].0, rows[start + count - 1].0);
                found.push(Plateau { from, to, value: rows[start + count / 2].1 });
                first = start + count;
            }
            None => first += stretch.max(1),
        }
    }
    found
}

/// How many of the first rows stay within the band.
fn reach(rows: &[(f64, f64)], band: f64) -> usize {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    let within = |(_, value): &&(f64, f64)| {
        (low, high) = (low.min(*value), high.max(*value));
        *value > 0.0 && high <= (1.0 + band) * low
    };
    rows.iter().take_while(within).count()
}

fn ratio(rows: &[(f64, f64)], (start, count): (usize, usize)) -> f64 {
    rows[start + count - 1].0 / rows[start].0
}

/// The rows at which a run is nearest to the saddles that it passes: the least of each dip of the gradient norm that is
/// followed by a rise. A small start is near a saddle too.
///
/// A rise or a fall counts if it is by more than `factor` (above 1), so that noise does not. The last fall, into the minimum,
/// is followed by none. Source of the idea: Cao, Qian, Huang, et al., "A dynamics
/// theory of implicit regularization in deep low-rank matrix factorization".
pub fn saddles(gradient_norms: &[f64], factor: f64) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut falling, mut extreme) = (true, 0);
    for (place, norm) in gradient_norms.iter().enumerate() {
        let best = gradient_norms[extreme];
        if (falling && *norm <= best) || (!falling && *norm >= best) {
            extreme = place;
        } else if falling && *norm > factor * best {
            found.push(extreme);
            (falling, extreme) = (false, place);
        } else if !falling && factor * *norm < best {
            (falling, extreme) = (true, place);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::theory::eigenvalue_step;

    /// Loss and gradient norm along the scalar recursion of a diagonal target.
    fn descent(depth: i32, start: f64, rate: f64, targets: &[f64], steps: usize) -> [Vec<f64>; 2] {
        let mut layer = vec![start; targets.len()];
        let mut columns = [Vec::new(), Vec::new()];
        for _ in 0..steps {
            let pairs = || layer.iter().zip(targets).map(|(d, t)| (*d, d.powi(depth) - t));
            columns[0].push(pairs().map(|(_, r)| 0.5 * r * r).sum());
            let slopes = pairs().map(|(d, r)| (r * d.powi(depth - 1)).powi(2));
            columns[1].push((f64::from(depth) * slopes.sum::<f64>()).sqrt());
            for (d, t) in layer.iter_mut().zip(targets) {
                *d = eigenvalue_step(*d, depth, rate, *t);
            }
        }
        columns
    }

    #[test]
    fn descent_passes_a_saddle_for_each_singular_value() {
        for (depth, start) in [(2, 1e-8), (3, 0.02), (4, 0.1)] {
            let [losses, norms] = descent(depth, start, 0.01, &[3.0, 2.0, 1.0], 20_000);
            let found = saddles(&norms, 3.0);
            assert_eq!(found.len(), 3, "depth {depth}: {found:?}");
            for (place, height) in found.into_iter().zip([7.0, 2.5, 0.5]) {
                let loss = losses[place];
                assert!((loss / height - 1.0).abs() < 0.02, "depth {depth}: {loss} {height}");
            }
        }
    }

    #[test]
    fn equal_singular_values_are_one_saddle() {
        let [_, norms] = descent(3, 0.02, 0.01, &[2.0, 2.0, 2.0], 10_000);
        assert_eq!(saddles(&norms, 3.0).len(), 1);
    }

    #[test]
    fn noise_is_no_saddle_and_a_fall_alone_is_none() {
        let noisy = [8.0, 4.0, 4.2, 3.9, 2.0, 2.1, 1.0];
        assert!(saddles(&noisy, 1.5).is_empty());
        assert_eq!(saddles(&[4.0, 1.0, 3.0, 0.5, 2.0, 0.1], 2.0), [1, 3]);
        assert!(saddles(&[], 2.0).is_empty());
    }

    #[test]
    fn a_staircase_has_its_plateaus() {
        let times: Vec<f64> = (0..1000).map(f64::from).collect();
        let value = |t: f64| {
            if t < 100.0 {
                1.0
            } else if t < 300.0 {
                2.0
            } else {
                3.0
            }
        };
        // Between the steps there is a slope that is too short for a plateau.
        let values: Vec<f64> = times
            .iter()
            .map(|t| if (90.0..100.0).contains(t) { 1.0 + (t - 90.0) / 10.0 } else { value(*t) })
            .collect();
        let found = plateaus(&times, &values, 0.01, 1.5);
        let heights: Vec<f64> = found.iter().map(|p| p.value).collect();
        assert_eq!(heights, [1.0, 2.0, 3.0]);
        assert_eq!((found[0].from, found[2].to), (1.0, 999.0));
        assert_eq!(plateaus(&times, &values, 0.01, 3.3).len(), 2);
    }

    #[test]
    fn a_slope_and_zeros_have_no_plateau() {
        let times: Vec<f64> = (1..200).map(f64::from).collect();
        assert!(plateaus(&times, &times, 0.01, 1.1).is_empty());
        assert!(plateaus(&times, &vec![0.0; 199], 0.01, 1.1).is_empty());
        assert!(plateaus(&[], &[], 0.01, 1.1).is_empty());
    }
}
