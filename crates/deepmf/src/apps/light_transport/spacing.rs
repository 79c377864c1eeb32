//! How far the places of a hidden line stand from one another: a line that is bent has the same product.

use crate::Result;
use crate::linalg::{Cholesky, Mat, axpy, dot, norm, scale, unit};

/// How often places are taken along the line and counted.
const ROUNDS: usize = 3;
/// Steps in which a row becomes sparse, and the size at which an entry begins to count, of the largest, in the first and the last of them.
const STEPS: i32 = 60;
const WIDTHS: (f64, f64) = (0.3, 1e-4);
/// How much staying where it is weighs against becoming sparse, and what an entry below 0 weighs beside one above.
const NEAR: f64 = 1e3;
const NEGATIVE: f64 = 4.0;
/// The least cosine of a sparse row with that of which it was made.
const ALIKE: f64 = 0.75;
/// The size above which an entry is not 0, of the largest.
const LIT: f64 = 1e-3;
/// What a row of length 1 must have beside those that were counted before; each is tried.
const INDEPENDENT: [f64; 3] = [0.03, 0.05, 0.1];
/// How many neighbours on either side have a say in where a place stands.
const SMOOTH: usize = 4;

/// Places on a line, counted from 0.
#[derive(Clone, Debug)]
pub(super) struct Spacing {
    pub(super) places: Vec<f64>,
    /// How many entries of the sparse rows near them are not 0: the fewer, the likelier it is that these are the rows of L.
    pub(super) lit: usize,
}

/// Where on a line (hidden x time) `count` places stand of which each has a light of its own.
///
/// The rows of L span those of Z (time x rank, orthonormal). Rows that are dark most of the time are the sparsest of that span: each place of the line is moved
/// to a sparse row near it, and of these as many as are independent are counted, the sparsest first. They are the places of a line on which each is as far from
/// the next as any other. This needs all singular vectors of Z, and so a Z without noise.
///
/// Source of the sparse rows: Spielman, Wang and Wright 2012, "Exact recovery of sparsely-used dictionaries", here by reweighted least squares (Daubechies et al. 2010).
pub(super) fn even_places(line: &Mat, span: &Mat, count: usize) -> Result<Spacing> {
    let all: Result<Vec<Spacing>> = INDEPENDENT
        .into_iter()
        .map(|least| {
            let places = counted_places((line, span), count, least)?;
            let rows = sparse_rows((line, span), &places)?;
            let lit = rows.iter().map(|row| row.as_ref().map_or(0, |row| row.lit)).sum();
            Ok(Spacing { places, lit })
        })
        .collect();
    let mut all = all?;
    all.sort_by_key(|spacing| spacing.lit);
    Ok(all.swap_remove(0))
}

/// Places between which so much of each row is its own.
fn counted_places((line, span): (&Mat, &Mat), count: usize, least: f64) -> Result<Vec<f64>> {
    let last = (line.rows() - 1) as f64;
    let mut places = along(&[0.0, last], &steps(count));
    for _ in 0..ROUNDS {
        let begins = along(&places, &steps(2 * count + 1));
        let alike = sparse_rows((line, span), &begins)?.into_iter().flatten();
        let rows = alike.filter(|row| row.alike > ALIKE).collect();
        let counted = independent(rows, (span.cols(), least));
        if counted.is_empty() {
            break;
        }
        let ends = [vec![0.0], smooth(&counted), vec![last]].concat();
        // Each stands in the middle of its share of the line.
        let share = 1.0 / counted.len() as f64;
        let middles = (0..counted.len()).map(|place| (place as f64 + 0.5) * share);
        let knots: Vec<f64> = [0.0].into_iter().chain(middles).chain([1.0]).collect();
        let at = |place: usize| (place as f64 + 0.5) / count as f64;
        places = (0..count).map(|place| between(&knots, &ends, at(place))).collect();
    }
    Ok(places)
}

/// The rows of a line at places between its own.
pub(super) fn at_places(line: &Mat, places: &[f64]) -> Mat {
    Mat::from_fn(places.len(), line.cols(), |row, t| {
        let (low, share) = part(places[row], line.rows());
        (1.0 - share) * line[(low, t)] + share * line[(low + 1, t)]
    })
}

/// A place between others: the one below, and how far it is from there to the next.
fn part(place: f64, count: usize) -> (usize, f64) {
    let low = (place.max(0.0) as usize).min(count - 2);
    (low, (place - low as f64).clamp(0.0, 1.0))
}

/// A sparse row of the span, none where all is dark.
fn sparse_rows((line, span): (&Mat, &Mat), places: &[f64]) -> Result<Vec<Option<Row>>> {
    places.iter().map(|place| sparse(line, span, *place)).collect()
}

/// A sparse row of the span.
struct Row {
    place: f64,
    lit: usize,
    /// Its cosine with the row of which it was made.
    alike: f64,
    unit: Vec<f64>,
}

/// The row at a place of the line, moved along the span to where most of it is 0.
fn sparse(line: &Mat, span: &Mat, place: f64) -> Result<Option<Row>> {
    let begin: Vec<f64> = at_places(line, &[place]).values().iter().map(|x| x.max(0.0)).collect();
    if norm(&begin) == 0.0 {
        return Ok(None);
    }
    let begin = unit(begin);
    let (times, rank) = (span.rows(), span.cols());
    let onto = |x: &[f64]| -> Vec<f64> { (0..rank).map(|k| dot(span.col(k), x)).collect() };
    let from = |inside: &[f64]| {
        let mut x = vec![0.0; times];
        inside.iter().enumerate().for_each(|(k, c)| axpy(*c, span.col(k), &mut x));
        x
    };
    let mut x = from(&onto(&begin));
    let mut cholesky = Cholesky::new(rank);
    for step in 0..STEPS {
        let width = WIDTHS.0 * (WIDTHS.1 / WIDTHS.0).powf(f64::from(step) / f64::from(STEPS - 1));
        scale(1.0 / largest(&x), &mut x);
        let weight = |x: f64| if x < 0.0 { NEGATIVE } else { 1.0 } / (x * x + width * width);
        let roots: Vec<f64> = x.iter().map(|x| weight(*x).sqrt()).collect();
        let weighted = Mat::from_fn(times, rank, |t, k| roots[t] * span[(t, k)]);
        let mut normal = weighted.t().times(weighted.view());
        (0..rank).for_each(|k| normal[(k, k)] += NEAR);
        let mut inside = onto(&x);
        scale(NEAR, &mut inside);
        cholesky.solve(normal.values_mut(), &mut inside)?;
        x = from(&inside);
    }
    let limit = LIT * largest(&x);
    let lit = x.iter().filter(|x| x.abs() > limit).count();
    let unit = unit(x);
    Ok(Some(Row { place, lit, alike: dot(&unit, &begin), unit }))
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()))
}

/// The places of rows that add to each other, the sparsest first, in the order of the line.
fn independent(mut rows: Vec<Row>, (rank, least): (usize, f64)) -> Vec<f64> {
    rows.sort_by_key(|row| row.lit);
    let (mut basis, mut counted) = (Vec::<Vec<f64>>::new(), Vec::new());
    for mut row in rows {
        if basis.len() == rank {
            break;
        }
        // Twice, for what rounding leaves of the first time.
        for known in basis.iter().chain(&basis) {
            axpy(-dot(known, &row.unit), known, &mut row.unit);
        }
        if norm(&row.unit) > least {
            counted.push(row.place);
            basis.push(unit(row.unit));
        }
    }
    counted.sort_by(f64::total_cmp);
    counted
}

/// Means over neighbours, of as many on one side as on the other: what is evenly spaced stays as it is.
fn smooth(places: &[f64]) -> Vec<f64> {
    let mean = |place: usize| {
        let reach = SMOOTH.min(place).min(places.len() - 1 - place);
        let near = &places[place - reach..=place + reach];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..places.len()).map(mean).collect()
}

/// From 0 to 1.
fn steps(count: usize) -> Vec<f64> {
    (0..count).map(|place| place as f64 / (count - 1) as f64).collect()
}

/// Values at shares of the way along others.
fn along(values: &[f64], shares: &[f64]) -> Vec<f64> {
    let knots = steps(values.len());
    shares.iter().map(|share| between(&knots, values, *share)).collect()
}

/// The value at `x` between knots that do not fall.
fn between(knots: &[f64], values: &[f64], x: f64) -> f64 {
    let next = knots.partition_point(|knot| *knot <= x).clamp(1, knots.len() - 1);
    let (low, high) = (knots[next - 1], knots[next]);
    let share = if high > low { ((x - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
    values[next - 1] + share * (values[next] - values[next - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::svd;

    /// Bars that move along a line of 24 places, each at a pace of its own.
    fn bars() -> Mat {
        Mat::from_fn(24, 80, |k, t| {
            let bar = |pace: f64, begin: f64, wide: f64| {
                let from = (k as f64 - (begin + pace * t as f64).rem_euclid(40.0)).abs();
                (1.0 + wide - from).clamp(0.0, 1.0)
            };
            bar(0.37, 0.0, 0.6) + 0.5 * bar(0.61, 20.0, 0.9) + 0.7 * bar(-0.83, 33.0, 0.4)
        })
    }

    #[test]
    fn a_line_that_was_bent_is_made_straight() {
        let light = bars();
        let parts = svd(light.view()).unwrap();
        let rank = parts.s.iter().filter(|s| **s > 1e-9 * parts.s[0]).count();
        assert_eq!(rank, 24);
        let span = parts.first(rank).v;
        // Too many places in the first half, too few in the second.
        let bend = |share: f64| 23.0 * (share - 0.12 * (std::f64::consts::TAU * share).sin());
        let places: Vec<f64> = steps(24).into_iter().map(bend).collect();
        let bent = at_places(&light, &places);
        let found = even_places(&bent, &span, 24).unwrap().places;
        assert!(found.array_windows().all(|[a, b]| a <= b));
        let truly = |places: &[f64]| -> f64 {
            let off =
                places.iter().enumerate().map(|(k, place)| (bend(place / 23.0) - k as f64).abs());
            off.fold(0.0, f64::max)
        };
        let (before, after) = (truly(&along(&[0.0, 23.0], &steps(24))), truly(&found));
        assert!(before > 2.5 && after < 1.3, "{before} {after}");
    }

    #[test]
    fn what_lies_between_places_is_a_mean_of_both() {
        let line = Mat::from_fn(3, 2, |k, t| (10 * k + t) as f64);
        let found = at_places(&line, &[0.0, 0.5, 2.0, 9.0]);
        assert_eq!(
            found,
            Mat::from_columns(4, 2, vec![0.0, 5.0, 20.0, 20.0, 1.0, 6.0, 21.0, 21.0])
        );
        assert_eq!(along(&[1.0, 3.0, 4.0], &[0.0, 0.25, 0.5, 1.0]), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(smooth(&[0.0, 1.0, 2.0, 6.0]), [0.0, 1.0, 3.0, 6.0]);
    }

    #[test]
    fn a_dark_line_stays_as_it_is() {
        let found = even_places(&Mat::zeros(3, 8), &Mat::eye(8, 2), 4).unwrap();
        assert_eq!(found.lit, 0);
        assert_eq!(found.places, along(&[0.0, 2.0], &steps(4)));
    }
}
