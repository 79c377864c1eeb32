//! The neighbour graphs of several views as one, each weighted by how well it agrees with the whole.

use super::spectral::TOLERANCE;
use super::{NeighbourGraph, k_means, unit_rows};
use crate::Result;
use crate::linalg::{Eigen, Mat, leading_eigen_from, singular_values};
use crate::random::{Purpose, normal, stream};

/// How much the graph of all features side by side counts beside the views'.
const TOGETHER: f64 = 0.5;
/// Rounds of weights and whole.
const ROUNDS: usize = 10;
/// Steps of the diffusion: powers of the eigenvalues.
const STEPS: i32 = 3;
/// Directions that are carried beside those that are wanted.
const BESIDE: usize = 10;

/// S = Σ_v q_v S_v + ½ S_c for the normalised graphs S_v of views and S_c of all features side by side.
#[derive(Clone, Debug)]
pub struct FusedGraph {
    /// S; the diagonal of its Laplacian is the sum of the weights.
    pub graph: NeighbourGraph,
    /// q, which add up to 1.
    pub view_weights: Vec<f64>,
    /// The leading eigenvalues and eigenvectors of S, twice as many as clusters.
    eigen: Eigen,
    clusters: usize,
}

impl FusedGraph {
    /// Of the graphs of `views` and that of all features `together`, for `clusters` k: q_v ∝ b_v² with b_v = ‖E_vᵀ E‖_* / k for the leading k
    /// eigenvectors E_v of S_v and E of S, ten rounds from equal weights. All graphs are over the same samples.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for graphs of other samples, [`Error::Parameter`](crate::Error::Parameter) for none.
    pub fn new(
        views: &[NeighbourGraph],
        together: &NeighbourGraph,
        clusters: usize,
    ) -> Result<Self> {
        let graphs: Vec<NeighbourGraph> =
            views.iter().cloned().map(NeighbourGraph::normalised).collect();
        let together = together.clone().normalised();
        let size = together.samples();
        let mut random = stream(0, Purpose::Sketch, 0);
        let mut block = |count: usize| {
            let width = (count.min(size) + BESIDE).min(size);
            Mat::from_fn(size, width, |_, _| normal(&mut random))
        };
        let own: Result<Vec<Mat>> = graphs
            .iter()
            .map(|graph| Ok(leading(graph, 1.0, &block(clusters), clusters)?.0.vectors))
            .collect();
        let own = own?;
        let mut weights = vec![1.0 / graphs.len() as f64; graphs.len()];
        let mut start = block(2 * clusters);
        let whole = |weights: &[f64]| {
            let parts = weights.iter().copied().zip(&graphs);
            let parts: Vec<(f64, &NeighbourGraph)> = parts.chain([(TOGETHER, &together)]).collect();
            NeighbourGraph::sum(&parts)
        };
        for _ in 0..ROUNDS {
            let graph = whole(&weights)?;
            let (found, block) = leading(&graph, 1.0 + TOGETHER, &start, clusters)?;
            start = block;
            let agreement = |own: &Mat| -> Result<f64> {
                let sum: f64 =
                    singular_values(own.t().times(found.vectors.view()).view())?.iter().sum();
                Ok((sum / clusters as f64).powi(2))
            };
            let squares: Vec<f64> = own.iter().map(agreement).collect::<Result<_>>()?;
            let sum: f64 = squares.iter().sum();
            if sum > 0.0 {
                weights = squares.iter().map(|b| b / sum).collect();
            }
        }
        let graph = whole(&weights)?;
        let eigen = leading(&graph, 1.0 + TOGETHER, &start, 2 * clusters)?.0;
        Ok(Self { graph, view_weights: weights, eigen, clusters })
    }

    /// Where samples lie after three steps of a diffusion, samples × 2 k: eigenvector j times (λ_j/λ_1)³, rows of length 1.
    pub fn diffusion(&self) -> Mat {
        let Eigen { values, vectors } = &self.eigen;
        let largest = values.first().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
        let size = |j: usize| (values[j].max(0.0) / largest).powi(STEPS);
        unit_rows(Mat::from_fn(vectors.rows(), vectors.cols(), |i, j| vectors[(i, j)] * size(j)))
    }

    /// Clusters: those of k-means on the diffusion, the best of so many `restarts`.
    ///
    /// # Errors
    /// Those of [`k_means`].
    pub fn clusters(&self, restarts: usize, seed: u64) -> Result<Vec<usize>> {
        Ok(k_means(&self.diffusion(), self.clusters, restarts.max(1), seed)?.labels)
    }
}

/// The leading eigenpairs of a graph whose eigenvalues are not below −`bound`, and the block for a start nearby.
fn leading(graph: &NeighbourGraph, bound: f64, start: &Mat, count: usize) -> Result<(Eigen, Mat)> {
    let apply = |x: &[f64], out: &mut [f64]| {
        graph.apply(x, out);
        out.iter_mut().zip(x).for_each(|(out, x)| *out = 0.5 * (*out + bound * x));
    };
    let (mut found, block) = leading_eigen_from(&apply, start, count, TOLERANCE)?;
    found.values.iter_mut().for_each(|value| *value = 2.0 * *value - bound);
    Ok((found, block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Features, View};

    fn view(samples: usize, spread: f64, item: u64) -> View {
        let mut random = stream(4, Purpose::Truth, item);
        let values = Mat::from_fn(samples, 4, |i, j| {
            let corner = if i % 3 == j { 6.0 } else { 0.0 };
            corner + spread * normal(&mut random)
        });
        View::new("a", Features::Dense(values)).unwrap()
    }

    #[test]
    fn a_view_of_noise_weighs_less_and_the_clusters_are_those_of_the_others() {
        let views = [view(120, 1.0, 0), view(120, 1.0, 1), view(120, 100.0, 2)];
        let graphs: Vec<NeighbourGraph> = views
            .iter()
            .map(|view| NeighbourGraph::new(std::slice::from_ref(view), 7).unwrap())
            .collect();
        let together = NeighbourGraph::new(&views[..2], 7).unwrap();
        let fused = FusedGraph::new(&graphs, &together, 3).unwrap();
        let q = &fused.view_weights;
        assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(q[2] < 0.5 * q[0] && q[2] < 0.5 * q[1], "{q:?}");
        let labels = fused.clusters(5, 0).unwrap();
        assert!((3..120).all(|i| labels[i] == labels[i % 3]));
    }
}
