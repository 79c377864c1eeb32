//! The shortest vector that has at least unit inner product with every one of given points.

use super::{Cholesky, Mat, MatMut, MatRef, dot};

/// Slopes below this count as none, for points of unit size.
const SLOPE: f64 = 1e-10;
/// A hull that comes closer to the origin than this holds it, for points of unit size.
const TOUCHING: f64 = 1e-6;
/// How far below 1 an inner product may end.
const SHORT: f64 = 1e-6;

/// The y of least norm with ⟨y, p⟩ ≥ 1 (to 1e-6) for every column p of `points`, r × n, if there is one.
///
/// Least distance programming by non-negative least squares (Lawson and Hanson 1974, chapter 23): min ‖E u − e‖ over
/// u ≥ 0, where E is the points over a row of ones and e the last unit vector. It finds a feasible point of linear
/// inequalities that, unlike a vertex, does not depend on their order.
pub fn least_distance(points: MatRef<'_>) -> Option<Vec<f64>> {
    let (r, n) = (points.rows(), points.cols());
    let mut size = 0.0;
    for j in 0..n {
        size += (0..r).map(|i| points.at(i, j).powi(2)).sum::<f64>();
    }
    let size = (size / n.max(1) as f64).sqrt();
    if size == 0.0 || !size.is_finite() {
        return None;
    }
    let all = Mat::from_fn(r + 1, n, |i, j| if i < r { points.at(i, j) / size } else { 1.0 });
    let rest = rest(&all);
    let height = rest[r];
    if height <= TOUCHING * TOUCHING {
        return None;
    }
    let y: Vec<f64> = rest[..r].iter().map(|x| -x / height).collect();
    let least = (0..n).map(|j| dot(&y, &all.col(j)[..r])).fold(f64::INFINITY, f64::min);
    (least >= 1.0 - SHORT).then(|| y.iter().map(|y| y / size).collect())
}

/// e − E u at the non-negative least squares solution u.
fn rest(all: &Mat) -> Vec<f64> {
    let (height, n) = (all.rows(), all.cols());
    let mut weights = vec![0.0; n];
    let (mut active, mut barred): (Vec<usize>, Vec<bool>) = (Vec::new(), vec![false; n]);
    let mut rest = vec![0.0; height];
    for _ in 0..3 * (n + height) {
        rest.fill(0.0);
        rest[height - 1] = 1.0;
        for &j in &active {
            super::axpy(-weights[j], all.col(j), &mut rest);
        }
        let slopes = (0..n).map(|j| dot(all.col(j), &rest));
        let free = slopes.enumerate().filter(|(j, _)| weights[*j] == 0.0 && !barred[*j]);
        let best = free.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((entering, _)) = best.filter(|(_, slope)| *slope > SLOPE) else { break };
        active.push(entering);
        if settle(all, &mut active, &mut weights) {
            barred.fill(false);
        } else {
            // A point that depends on the active ones cannot enter beside them.
            barred[entering] = true;
        }
    }
    rest
}

/// Moves the weights of the active points to their least squares solution, dropping those that would be negative;
/// without the last one, and false, where that is not determined or the last one cannot grow.
fn settle(all: &Mat, active: &mut Vec<usize>, weights: &mut [f64]) -> bool {
    let entering = active[active.len() - 1];
    loop {
        let size = active.len();
        let columns = Mat::from_fn(all.rows(), size, |i, a| all[(i, active[a])]);
        let mut gram = columns.t().times(columns.view());
        let mut solution = vec![1.0; size];
        let solved = Cholesky::new(size)
            .solve_columns(gram.values_mut(), MatMut::new(size, 1, &mut solution));
        let stuck = weights[entering] == 0.0 && active[size - 1] == entering;
        if solved.is_err() || (stuck && solution[size - 1] <= 0.0) {
            active.retain(|&j| j != entering);
            weights[entering] = 0.0;
            return false;
        }
        let negative = active.iter().zip(&solution).filter(|(_, x)| **x <= 0.0);
        let step = negative.map(|(&j, x)| weights[j] / (weights[j] - x)).fold(1.0, f64::min);
        for (&j, x) in active.iter().zip(&solution) {
            weights[j] += step * (x - weights[j]);
        }
        if step >= 1.0 {
            return true;
        }
        let low = active.iter().zip(&solution).filter(|(_, x)| **x <= 0.0);
        let leaving = low.min_by(|a, b| weights[*a.0].total_cmp(&weights[*b.0])).map(|(&j, _)| j);
        active.retain(|&j| Some(j) != leaving && weights[j] > 0.0);
        for (j, weight) in weights.iter_mut().enumerate() {
            if !active.contains(&j) {
                *weight = 0.0;
            }
        }
        if active.is_empty() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::sum_of_squares;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn one_point_and_two_points_are_as_by_hand() {
        let y = least_distance(MatRef::new(2, 1, &[0.0, 2.0])).unwrap();
        assert!(y[0].abs() < 1e-12 && (y[1] - 0.5).abs() < 1e-12, "{y:?}");
        let y = least_distance(MatRef::new(2, 2, &[1.0, 1.0, 1.0, -1.0])).unwrap();
        assert!((y[0] - 1.0).abs() < 1e-9 && y[1].abs() < 1e-9, "{y:?}");
        assert_eq!(least_distance(MatRef::new(2, 2, &[1.0, 1.0, -1.0, -1.0])), None);
    }

    #[test]
    fn a_solution_is_feasible_and_a_combination_of_the_points_that_it_touches() {
        let mut random = stream(5, Purpose::Init, 0);
        for r in [3, 10, 30] {
            // Points on one side of a hyperplane, others on both.
            let points = Mat::from_fn(r, 200, |i, _| {
                let x = normal(&mut random);
                if i == 0 { 0.1 + x.abs() } else { x }
            });
            let y = least_distance(points.view()).unwrap();
            let seen: Vec<f64> = (0..200).map(|j| dot(&y, points.col(j))).collect();
            assert!(seen.iter().all(|x| *x >= 1.0 - 1e-6));
            let touched: Vec<usize> = (0..200).filter(|&j| seen[j] < 1.0 + 1e-6).collect();
            assert!(!touched.is_empty() && touched.len() <= r, "{}", touched.len());
            let basis = Mat::from_fn(r, touched.len(), |i, a| points[(i, touched[a])]);
            let mut gram = basis.t().times(basis.view());
            let mut multipliers = basis.t().times(MatRef::new(r, 1, &y)).values().to_vec();
            Cholesky::new(touched.len()).solve(gram.values_mut(), &mut multipliers).unwrap();
            assert!(multipliers.iter().all(|m| *m >= -1e-9), "{multipliers:?}");
            let back = basis.view().times(MatRef::new(touched.len(), 1, &multipliers));
            assert!(back.values().iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-7));
            let norm = sum_of_squares(&y);
            assert!((multipliers.iter().sum::<f64>() - norm).abs() < 1e-6 * norm);
            let around = Mat::from_fn(r, 200, |_, _| normal(&mut random));
            assert_eq!(least_distance(around.view()), None);
        }
    }
}
