//! The two blocks of semi-NMF: the basis given the partition, and the partition given the basis.

use std::sync::Arc;

use rayon::prelude::*;

use crate::Result;
use crate::analysis::NeighbourGraph;
use crate::linalg::{Accumulate, Cholesky, Mat, axpy, dot, multiply};
use crate::spec::NonNegativeSolver;

/// What is added to the diagonal of normal equations, relative to its mean.
const RIDGE: f64 = 1e-10;
/// Samples of one part: a property of the problem, never of the number of threads.
const PART: usize = 64;
/// What a quotient is kept away from zero by.
const TINY: f64 = 1e-300;
/// Sweeps over the coordinates of a sample in one exact step.
const SWEEPS: usize = 2;

/// B Bᵀ for B of k × n.
pub fn gram(wide: &Mat) -> Mat {
    let mut out = Mat::zeros(wide.rows(), wide.rows());
    multiply(out.view_mut(), Accumulate::Replace, 1.0, wide.view(), wide.t());
    out
}

/// Moves `basis` D (k × features) to the least squares solution of Dᵀ G ≈ X, given G Gᵀ and `projected` G S.
///
/// A proximal step: the tiny ridge pulls towards where D was, so that the residual does not rise even if G Gᵀ is singular.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) if the partition is not finite.
pub fn update_basis(basis: &mut Mat, partition_gram: &Mat, projected: &Mat) -> Result<()> {
    let k = partition_gram.rows();
    let mut change = projected.clone();
    multiply(change.view_mut(), Accumulate::Add, -1.0, partition_gram.view(), basis.view());
    let mut system = partition_gram.clone();
    let trace: f64 = (0..k).map(|r| system[(r, r)]).sum();
    let ridge = (RIDGE * trace / k as f64).max(f64::MIN_POSITIVE);
    (0..k).for_each(|r| system[(r, r)] += ridge);
    Cholesky::new(k).solve_columns(system.values_mut(), change.view_mut())?;
    axpy(1.0, change.values(), basis.values_mut());
    Ok(())
}

/// Graphs that hold joined samples together: the term Σ_v μ_v tr(G L_v Gᵀ).
pub type GraphTerms = [(f64, Arc<NeighbourGraph>)];

/// Lowers ⟨B G, G⟩ − 2 ⟨A, G⟩ + Σ_v μ_v tr(G L_v Gᵀ) over G ≥ 0, with `linear` A of k × samples and `quadratic` B of k × k.
pub fn update_partition(
    solver: NonNegativeSolver,
    quadratic: &Mat,
    linear: &Mat,
    graphs: &GraphTerms,
    partition: &mut Mat,
) {
    match solver {
        NonNegativeSolver::Multiplicative => multiplicative(quadratic, linear, graphs, partition),
        NonNegativeSolver::Coordinate => coordinate(quadratic, linear, graphs, partition, SWEEPS),
    }
}

/// Σ_v μ_v d_i over the graphs.
fn degree(graphs: &GraphTerms, i: usize) -> f64 {
    graphs.iter().map(|(weight, graph)| weight * graph.degrees()[i]).sum()
}

/// Adds Σ_v μ_v Σ_j a_ij g_j to `out`.
fn add_joined(graphs: &GraphTerms, partition: &Mat, i: usize, out: &mut [f64]) {
    for (weight, graph) in graphs {
        graph.neighbours(i).for_each(|(j, a)| axpy(weight * a, partition.col(j), out));
    }
}

/// G ← G ∘ √((A⁺ + B⁻ G + μ G A_L) / (A⁻ + B⁺ G + μ G D_L)) for L = D_L − A_L (Ding, Li and Jordan 2010; Zhao, Ding and Fu 2017).
pub fn multiplicative(quadratic: &Mat, linear: &Mat, graphs: &GraphTerms, partition: &mut Mat) {
    let part = |keep: fn(f64) -> f64| {
        Mat::from_fn(quadratic.rows(), quadratic.cols(), |i, j| keep(quadratic[(i, j)]))
    };
    let mut up = part(|x| (-x).max(0.0)).times(partition);
    let mut down = part(|x| x.max(0.0)).times(partition);
    if !graphs.is_empty() {
        for i in 0..partition.cols() {
            add_joined(graphs, partition, i, up.col_mut(i));
            axpy(degree(graphs, i), partition.col(i), down.col_mut(i));
        }
    }
    let sides = up.values().iter().zip(down.values());
    for ((g, a), (up, down)) in partition.values_mut().iter_mut().zip(linear.values()).zip(sides) {
        *g *= ((a.max(0.0) + up) / ((-a).max(0.0) + down).max(TINY)).sqrt();
    }
}

/// Exact minimisation in one coordinate after another, `sweeps` times over all those of a sample (hierarchical
/// alternating least squares, Cichocki and Phan 2009, a sample at a time).
///
/// Graphs couple samples: their term is replaced by the quadratic above it that touches it here and does not couple, as
/// L ≤ 2 D_L; so it falls too, and all samples still move at once.
pub fn coordinate(
    quadratic: &Mat,
    linear: &Mat,
    graphs: &GraphTerms,
    partition: &mut Mat,
    sweeps: usize,
) {
    let k = quadratic.rows();
    let joined = (!graphs.is_empty()).then(|| {
        let mut joined = linear.clone();
        for i in 0..partition.cols() {
            add_joined(graphs, partition, i, joined.col_mut(i));
            axpy(degree(graphs, i), partition.col(i), joined.col_mut(i));
        }
        joined
    });
    let linear = joined.as_ref().unwrap_or(linear);
    let parts = partition.values_mut().par_chunks_mut(k * PART).enumerate();
    parts.zip(linear.values().par_chunks(k * PART)).for_each(|((part, partition), linear)| {
        let mut slope = vec![0.0; k];
        let samples = partition.chunks_exact_mut(k).zip(linear.chunks_exact(k)).enumerate();
        for (place, (g, a)) in samples {
            let stiffness = 2.0 * degree(graphs, part * PART + place);
            for (r, slope) in slope.iter_mut().enumerate() {
                *slope = a[r] - dot(quadratic.col(r), g) - stiffness * g[r];
            }
            for _ in 0..sweeps {
                let mut moved = false;
                for r in 0..k {
                    let curvature = quadratic[(r, r)] + stiffness;
                    if curvature <= 0.0 {
                        continue;
                    }
                    let step = (slope[r] / curvature).max(-g[r]);
                    if step != 0.0 {
                        g[r] = if step == -g[r] { 0.0 } else { g[r] + step };
                        axpy(-step, quadratic.col(r), &mut slope);
                        slope[r] -= step * stiffness;
                        moved = true;
                    }
                }
                if !moved {
                    break;
                }
            }
        }
    });
}

/// ⟨B G, G⟩ − 2 ⟨A, G⟩: the part of the squared residual that depends on G.
pub fn quadratic_value(quadratic: &Mat, linear: &Mat, partition: &Mat) -> f64 {
    let pushed = quadratic.times(partition);
    dot(pushed.values(), partition.values()) - 2.0 * dot(linear.values(), partition.values())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Features, View};
    use crate::random::{Purpose, normal, stream};

    fn problem(k: usize, n: usize, seed: u64) -> (Mat, Mat, Mat) {
        let mut random = stream(seed, Purpose::Init, 0);
        let mut draw = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut random));
        let (basis, data) = (draw(k, 3 * k), draw(3 * k, n));
        let mut start = draw(k, n);
        start.values_mut().iter_mut().for_each(|x| *x = x.abs() + 0.1);
        (gram(&basis), basis.times(&data), start)
    }

    #[test]
    fn both_solvers_reach_one_minimum_of_the_convex_block() {
        let (quadratic, linear, start) = problem(5, 130, 1);
        let (mut exact, mut slow) = (start.clone(), start);
        coordinate(&quadratic, &linear, &[], &mut exact, 2_000);
        for _ in 0..20_000 {
            multiplicative(&quadratic, &linear, &[], &mut slow);
        }
        let [exact_value, slow_value] =
            [&exact, &slow].map(|at| quadratic_value(&quadratic, &linear, at));
        assert!((exact_value - slow_value).abs() < 1e-6 * exact_value.abs());
        let slope = linear.clone().minus(&quadratic.times(&exact));
        for (g, slope) in exact.values().iter().zip(slope.values()) {
            assert!(if *g > 0.0 { slope.abs() < 1e-9 } else { *slope < 1e-9 });
        }
    }

    #[test]
    fn no_step_of_a_solver_raises_what_it_lowers_with_or_without_a_graph() {
        for seed in 0..6 {
            let (quadratic, linear, start) = problem(7, 40, seed);
            let view = View::new("a", Features::Dense(linear.t().to_mat())).unwrap();
            let graph = Arc::new(NeighbourGraph::new(&[view], 4).unwrap());
            let graphs = if seed % 2 == 0 { vec![] } else { vec![(3.0, graph)] };
            let value = |at: &Mat| {
                let rough: f64 = graphs.iter().map(|(m, graph)| m * graph.roughness(at)).sum();
                quadratic_value(&quadratic, &linear, at) + rough
            };
            for solver in [NonNegativeSolver::Multiplicative, NonNegativeSolver::Coordinate] {
                let mut at = start.clone();
                let mut before = value(&at);
                for _ in 0..50 {
                    update_partition(solver, &quadratic, &linear, &graphs, &mut at);
                    let now = value(&at);
                    assert!(now <= before + 1e-10 * before.abs(), "{before} {now}");
                    assert!(at.values().iter().all(|g| *g >= 0.0));
                    before = now;
                }
            }
        }
    }

    #[test]
    fn a_basis_is_the_least_squares_solution_also_of_a_singular_partition() {
        let mut random = stream(4, Purpose::Init, 0);
        let data = Mat::from_fn(30, 6, |_, _| normal(&mut random));
        let mut partition = Mat::from_fn(3, 30, |_, _| normal(&mut random).abs());
        for singular in [false, true] {
            if singular {
                for j in 0..30 {
                    partition[(2, j)] = partition[(1, j)];
                }
            }
            let (inner, projected) = (gram(&partition), partition.times(&data));
            let mut basis = Mat::zeros(3, 6);
            for _ in 0..2 {
                update_basis(&mut basis, &inner, &projected).unwrap();
            }
            let rest = projected.minus(&inner.times(&basis));
            assert!(rest.max_abs() < 1e-9, "{}", rest.max_abs());
        }
    }
}
