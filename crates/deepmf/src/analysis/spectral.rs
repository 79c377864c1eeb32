//! Spectral embedding: the leading eigenvectors of a graph that joins near samples.

use super::NeighbourGraph;
use crate::data::View;
use crate::linalg::{Mat, leading_eigen, norm};
use crate::{Error, Result};

/// The residual of an eigenvector, relative to the largest eigenvalue.
pub(super) const TOLERANCE: f64 = 1e-6;
/// The most clusters that an eigengap is looked for.
const MOST_CLUSTERS: usize = 20;

/// Where samples lie by the graph of their neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralEmbedding {
    /// The largest eigenvalues of D^(−1/2) A D^(−1/2), descending from 1.
    pub values: Vec<f64>,
    /// Samples × eigenvectors, each row of length 1 (Ng, Jordan & Weiss 2001).
    pub samples: Mat,
}

/// The embedding of the samples of `views` side by side in `count` dimensions, by their neighbour graph ([`NeighbourGraph::new`]).
///
/// # Errors
/// As [`View::common_samples`]; [`Error::Parameter`] for no dimension or neighbour.
pub fn spectral_embedding(
    views: &[View],
    count: usize,
    neighbours: usize,
) -> Result<SpectralEmbedding> {
    View::common_samples(views)?;
    NeighbourGraph::new(views, neighbours)?.embedding(count)
}

impl NeighbourGraph {
    /// Where samples lie by this graph, in `count` dimensions.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no dimension.
    pub fn embedding(&self, count: usize) -> Result<SpectralEmbedding> {
        if count == 0 {
            return Err(Error::parameter("the number of dimensions", "1 or more", count));
        }
        let size = self.samples();
        let graph = self.clone().normalised();
        // (I + S)/2 has the eigenvectors of S and no negative eigenvalue.
        let apply = |x: &[f64], out: &mut [f64]| {
            graph.apply(x, out);
            out.iter_mut().zip(x).for_each(|(out, x)| *out = 0.5 * (*out + x));
        };
        let mut found = leading_eigen(&apply, size, count, TOLERANCE)?;
        found.values.iter_mut().for_each(|value| *value = 2.0 * *value - 1.0);
        Ok(SpectralEmbedding { values: found.values, samples: unit_rows(found.vectors) })
    }
}

/// Each row divided by its length; one of zeros stays.
pub fn unit_rows(mut samples: Mat) -> Mat {
    for i in 0..samples.rows() {
        let row: Vec<f64> = (0..samples.cols()).map(|j| samples[(i, j)]).collect();
        let length = norm(&row);
        if length > 0.0 {
            (0..samples.cols()).for_each(|j| samples[(i, j)] /= length);
        }
    }
    samples
}

/// The number of clusters, from 2 to 20, after which the eigenvalues of the embedding fall most: the *eigengap*.
///
/// # Errors
/// Those of [`spectral_embedding`]; [`Error::Parameter`] for fewer than 4 samples.
pub fn clusters_by_eigengap(views: &[View], neighbours: usize) -> Result<usize> {
    let samples = View::common_samples(views)?;
    if samples < 4 {
        return Err(Error::parameter(
            "the number of samples for an eigengap",
            "4 or more",
            samples,
        ));
    }
    let most = MOST_CLUSTERS.min(samples - 2);
    let values = spectral_embedding(views, most + 1, neighbours)?.values;
    let gap = |k: &usize| values[k - 1] - values[*k];
    let best = (2..=most).reduce(|best, k| if gap(&k) > gap(&best) { k } else { best });
    Ok(best.unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::k_means;
    use crate::analysis::metrics::Agreement;
    use crate::data::Features;
    use crate::random::{Purpose, normal, stream};

    /// Three rings within each other, 80 samples each: no means tell them apart.
    fn rings() -> (View, Vec<usize>) {
        let mut random = stream(2, Purpose::Truth, 0);
        let mut values = Mat::zeros(240, 2);
        for i in 0..240 {
            let angle = std::f64::consts::TAU * (i % 80) as f64 / 80.0;
            let radius = (1 + 3 * (i / 80)) as f64 + 0.05 * normal(&mut random);
            (values[(i, 0)], values[(i, 1)]) = (radius * angle.cos(), radius * angle.sin());
        }
        let classes = (0..240).map(|i| i / 80).collect();
        (View::new("rings", Features::Dense(values)).unwrap(), classes)
    }

    #[test]
    fn rings_are_told_apart_and_counted() {
        let (view, classes) = rings();
        let views = [view];
        let found = spectral_embedding(&views, 3, 5).unwrap();
        assert!((found.values[0] - 1.0).abs() < 1e-9);
        let clusters = k_means(&found.samples, 3, 5, 0).unwrap().labels;
        assert_eq!(Agreement::new(&classes, &clusters).unwrap().accuracy(), 1.0);
        let by_means = crate::analysis::k_means_of_views(&views, 3, 5, 0).unwrap().labels;
        assert!(Agreement::new(&classes, &by_means).unwrap().accuracy() < 0.7);
    }

    #[test]
    fn far_blobs_are_counted_by_the_eigengap() {
        let mut random = stream(3, Purpose::Truth, 0);
        let values = Mat::from_fn(120, 4, |i, j| {
            let corner = if i / 30 == j { 12.0 } else { 0.0 };
            corner + normal(&mut random)
        });
        let view = View::new("blobs", Features::Dense(values)).unwrap();
        assert_eq!(clusters_by_eigengap(&[view], 10).unwrap(), 4);
        let few = View::new("few", Features::Dense(Mat::eye(3, 3))).unwrap();
        assert!(clusters_by_eigengap(&[few], 1).is_err());
    }

    #[test]
    fn a_sample_that_one_view_does_not_know_is_placed_by_the_other() {
        let (view, classes) = rings();
        let mut other = view.clone();
        (other.missing[7], other.name) = (true, "other".into());
        let found = spectral_embedding(&[view, other], 3, 5).unwrap();
        let clusters = k_means(&found.samples, 3, 5, 0).unwrap().labels;
        assert_eq!(Agreement::new(&classes, &clusters).unwrap().accuracy(), 1.0);
    }
}
