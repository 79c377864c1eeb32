//! The diagonal flow from a small start against its linear program, solved by enumeration.

use deepmf::analysis::theory::diagonal_log_velocity;
use deepmf::linalg::Mat;
use deepmf::random::{Purpose, normal, stream};

const D: usize = 6;
const M: usize = 3;

fn det(c: [&[f64]; M]) -> f64 {
    let minor = |i: usize, j: usize| c[1][i] * c[2][j] - c[1][j] * c[2][i];
    c[0][0] * minor(1, 2) - c[0][1] * minor(0, 2) + c[0][2] * minor(0, 1)
}

/// The solution x of B x = y for the three columns of B.
fn cramer(columns: [&[f64]; M], y: &[f64]) -> [f64; M] {
    let whole = det(columns);
    [0, 1, 2].map(|k| {
        let mut replaced = columns;
        replaced[k] = y;
        det(replaced) / whole
    })
}

/// The minimiser of 1ᵀw under A w = y, w ≥ 0, and its least reduced cost.
fn linear_program(a: &Mat, y: &[f64]) -> (Vec<f64>, f64) {
    let mut best: Option<(f64, Vec<f64>, [usize; M])> = None;
    for i in 0..D {
        for j in i + 1..D {
            for k in j + 1..D {
                let x = cramer([a.col(i), a.col(j), a.col(k)], y);
                let cost: f64 = x.iter().sum();
                let better = best.as_ref().is_none_or(|(least, ..)| cost < *least);
                if x.iter().all(|&x| x >= 0.0) && better {
                    let mut w = vec![0.0; D];
                    [i, j, k].iter().zip(x).for_each(|(&place, x)| w[place] = x);
                    best = Some((cost, w, [i, j, k]));
                }
            }
        }
    }
    let (_, w, basis) = best.unwrap();
    // The dual solution λ: Bᵀ λ = 1.
    let rows = [0, 1, 2].map(|r| basis.map(|c| a[(r, c)]));
    let dual = cramer([&rows[0], &rows[1], &rows[2]], &[1.0; M]);
    let outside = (0..D).filter(|c| !basis.contains(c));
    let costs = outside.map(|c| 1.0 - (0..M).map(|r| a[(r, c)] * dual[r]).sum::<f64>());
    (w, costs.fold(f64::INFINITY, f64::min))
}

/// Dormand and Prince's stages: weights of the earlier slopes.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// Fifth minus fourth order.
const DIFFERENCE: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339_200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];
const TOLERANCE: f64 = 1e-9;

/// Where the flow from w = `start`·1 comes to rest.
fn limit(a: &Mat, y: &[f64], start: f64, depth: f64) -> Vec<f64> {
    let velocity = |z: &[f64]| diagonal_log_velocity(a.view(), y, z, depth).unwrap();
    let residual = |z: &[f64]| {
        let row = |r: usize| (0..D).map(|c| a[(r, c)] * z[c].exp()).sum::<f64>() - y[r];
        (0..M).fold(0.0, |m: f64, r| m.max(row(r).abs()))
    };
    let (mut z, mut h) = (vec![start.ln(); D], 1e-3);
    for _ in 0..2_000_000 {
        if residual(&z) < 1e-7 {
            return z.iter().map(|z| z.exp()).collect();
        }
        let (mut slopes, mut next) = (vec![velocity(&z)], z.clone());
        for stage in STAGES {
            let sum = |i: usize| stage.iter().zip(&slopes).map(|(w, k)| w * k[i]).sum::<f64>();
            next = (0..D).map(|i| z[i] + h * sum(i)).collect();
            slopes.push(velocity(&next));
        }
        let sum = |i: usize| DIFFERENCE.iter().zip(&slopes).map(|(w, k)| w * k[i]).sum::<f64>();
        let squares = (0..D).map(|i| (h * sum(i) / TOLERANCE).powi(2)).sum::<f64>();
        let error = if squares.is_finite() { squares.sqrt() } else { f64::INFINITY };
        if error <= 1.0 {
            z = next;
        }
        h *= (0.9 * error.max(1e-12).powf(-0.2)).clamp(0.2, 5.0);
    }
    panic!("the flow at depth {depth} from {start} does not come to rest");
}

/// A problem whose minimiser is not nearly degenerate: at depth 2 the distance falls as start^(reduced cost).
fn problem(seed: u64) -> (Mat, Vec<f64>, Vec<f64>) {
    for item in 0.. {
        let mut random = stream(seed, Purpose::Observation, item);
        let a = Mat::from_fn(M, D, |_, _| normal(&mut random));
        let w = Mat::from_fn(D, 1, |_, _| normal(&mut random).abs());
        let y = a.times(&w).values().to_vec();
        let (best, cost) = linear_program(&a, &y);
        let support = best.iter().filter(|w| **w > 0.0).copied().fold(f64::INFINITY, f64::min);
        if cost > 0.9 && support > 0.2 {
            return (a, y, best);
        }
    }
    unreachable!("the search has no end")
}

#[test]
fn every_depth_tends_to_the_linear_program() {
    for seed in 0..3 {
        let (a, y, best) = problem(seed);
        for depth in [2.0, 3.0, 4.0] {
            let distance = |start: f64| {
                let found = limit(&a, &y, start, depth);
                found.iter().zip(&best).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
            };
            let found = [1e-2, 1e-3, 1e-4].map(distance);
            assert!(found[2] < 1e-3, "seed {seed}, depth {depth}: {found:?}");
            for pair in found.windows(2) {
                assert!(pair[1] < pair[0] / 5.0, "seed {seed}, depth {depth}: {found:?}");
            }
        }
    }
}
