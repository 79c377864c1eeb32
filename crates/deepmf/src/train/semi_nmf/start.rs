//! Where the partition of a semi-NMF begins.

use super::Operand;
use crate::analysis::k_means;
use crate::linalg::{Mat, Svd, dot, leading_svd, least_distance, norm};
use crate::random::{Purpose, RngExt, stream};
use crate::spec::PartitionStart;
use crate::{Error, Result};

/// The residual of the leading triplets, relative to the largest.
const RESIDUAL: f64 = 1e-10;
/// Where the search for the smallest shift ends, relative to it.
const BISECTION: f64 = 1e-3;
/// How far above the smallest one the shift is, where one is needed: at the smallest one the lifts have no bound.
const MARGIN: f64 = 1.1;
/// Samples whose part in the leading vectors is smaller than this are left out of the inequalities.
const NOTHING: f64 = 1e-12;
/// What is added to memberships of clusters.
const SOFTNESS: f64 = 0.2;
/// Starts of the k-means.
const RESTARTS: usize = 10;
/// Layers with more clusters than these have no more to gain from many starts.
const MANY: usize = 50;

/// A partition to begin with, rank × samples, and the shift ε of a start by linear inequalities: where it is 0, the
/// partition spans the leading right singular vectors.
///
/// # Errors
/// [`Error::NotFinite`] if the view is not finite; [`Error::Parameter`] for [`PartitionStart::Graph`].
pub fn partition_start(
    operand: &Operand,
    rank: usize,
    start: PartitionStart,
    seed: u64,
) -> Result<(Mat, f64)> {
    let samples = operand.shape().0;
    Ok(match start {
        PartitionStart::Random => {
            let mut random = stream(seed, Purpose::Init, 0);
            (Mat::from_fn(rank, samples, |_, _| random.random::<f64>()), 0.0)
        }
        PartitionStart::Svd => (shifted(&leading_svd(operand, rank - 1, RESIDUAL)?, rank), 0.0),
        PartitionStart::Lp => turned(&leading_svd(operand, rank, RESIDUAL)?, rank),
        PartitionStart::KMeans => {
            let Svd { u, s, .. } = leading_svd(operand, rank, RESIDUAL)?;
            let spread = Mat::from_fn(samples, s.len(), |i, r| u[(i, r)] * s[r]);
            let restarts = if rank > MANY { 1 } else { RESTARTS };
            (memberships(&k_means(&spread, rank, restarts, seed)?.labels, rank), 0.0)
        }
        PartitionStart::Graph => {
            return Err(Error::parameter("start", "one that a single view has", "graph"));
        }
    })
}

/// Clusters as memberships, k × samples, 0.2 added (Ding, Li and Jordan 2010).
pub fn memberships(labels: &[usize], k: usize) -> Mat {
    let member = |r: usize, i: usize| f64::from(u8::from(labels[i] == r)) + SOFTNESS;
    Mat::from_fn(k, labels.len(), member)
}

/// The SVD start (Gillis and Kumar 2015): each vector with its smallest entry as large as possible, a zero row, and all
/// rows lifted by the smallest entry of the column.
fn shifted(leading: &Svd, rank: usize) -> Mat {
    let vectors = &leading.u;
    let signs: Vec<f64> = (0..vectors.cols()).map(|r| sign(vectors.col(r))).collect();
    let mut start = Mat::zeros(rank, vectors.rows());
    for i in 0..vectors.rows() {
        let column = start.col_mut(i);
        for (r, sign) in signs.iter().enumerate() {
            column[r] = sign * vectors[(i, r)];
        }
        let least = column.iter().copied().fold(0.0, f64::min);
        for x in column.iter_mut() {
            *x -= least;
        }
    }
    start
}

/// The sign that makes the smallest entry as large as possible.
fn sign(vector: &[f64]) -> f64 {
    let (low, high) =
        vector.iter().fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
    if -low <= high { 1.0 } else { -1.0 }
}

/// The start by linear inequalities (Gillis and Kumar 2015): the smallest ε ≥ 0 at which some y has (V + ε)ᵀ y ≥ 1; with
/// x = (V + ε)ᵀ y, row i is V_i + α_i x with the smallest α_i ≥ 0 that lifts it above zero.
fn turned(leading: &Svd, rank: usize) -> (Mat, f64) {
    let vectors = &leading.u;
    let (samples, found) = (vectors.rows(), vectors.cols());
    let signs: Vec<f64> = (0..found).map(|r| sign(vectors.col(r))).collect();
    let v = Mat::from_fn(found, samples, |r, i| signs[r] * vectors[(i, r)]);
    let kept: Vec<usize> = (0..samples).filter(|&i| norm(v.col(i)) > NOTHING).collect();
    let solve = |shift: f64| {
        let points = Mat::from_fn(found, kept.len(), |r, i| v[(r, kept[i])] + shift);
        least_distance(points.view())
    };
    let (shift, y) = match solve(0.0) {
        Some(y) => (0.0, y),
        None => bisected(&solve, v.values().iter().fold(0.0, |m: f64, x| m.max(-x))),
    };
    let mut start = Mat::zeros(rank, samples);
    let lift: Vec<f64> =
        (0..samples).map(|i| dot(&y, v.col(i)) + shift * y.iter().sum::<f64>()).collect();
    for r in 0..found {
        let steepest = kept.iter().map(|&i| -v[(r, i)] / lift[i]).fold(0.0, f64::max);
        for &i in &kept {
            start[(r, i)] = (v[(r, i)] + steepest * lift[i]).max(0.0);
        }
    }
    (start, shift)
}

/// The smallest shift that has a solution, to 1e-3 of it, and a tenth more; searched from a bound on.
fn bisected(solve: &dyn Fn(f64) -> Option<Vec<f64>>, bound: f64) -> (f64, Vec<f64>) {
    let mut high = bound;
    let mut best = loop {
        high = (2.0 * high).max(f64::MIN_POSITIVE);
        if let Some(y) = solve(high) {
            break y;
        }
    };
    let mut low = 0.0;
    while high - low > BISECTION * high {
        let middle = 0.5 * (low + high);
        match solve(middle) {
            Some(y) => (high, best) = (middle, y),
            None => low = middle,
        }
    }
    match solve(MARGIN * high) {
        Some(y) => (MARGIN * high, y),
        None => (high, best),
    }
}
