//! Clusters as they were found, and the places of new samples among them.

use super::found::Projection;
use super::ready::{prepared, resized};
use crate::analysis::unit_rows;
use crate::data::{Preparation, View, ViewTransform};
use crate::linalg::{Mat, MatRef, sum_of_squares};
use crate::spec::ClusteringMethod;
use crate::train::multi_view::Prepared;
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// Samples in clusters.
#[derive(Clone, Debug)]
pub struct Clustered {
    /// By what.
    pub method: ClusteringMethod,
    /// How many clusters there are.
    pub clusters: usize,
    /// Whether the eigengap chose their number.
    pub clusters_chosen: bool,
    /// Whether the k-means on the embedding is all that the seed draws.
    pub only_labels_drawn: bool,
    /// The cluster of each sample, counted from 0.
    pub labels: Vec<usize>,
    /// What they were found by, samples × k, rows of length 1; memberships where a method finds clusters only.
    pub embedding: Mat,
    /// The weights of each view's features; ones where the method has none.
    pub feature_weights: Vec<Vec<f64>>,
    /// The weight of each view.
    pub view_weights: Vec<f64>,
    /// The exponent p of the feature weights, where there are some.
    pub exponent: Option<f64>,
    /// The view whose clusters were taken, where one is (by its silhouette).
    pub best_view: Option<usize>,
    /// What was lowered, at its end.
    pub objective: f64,
    /// One row a sweep.
    pub trajectory: Trajectory,
    /// How the sweeps ended.
    pub reason: StopReason,
    /// How each view was made ready.
    pub preparations: Vec<Preparation>,
    pub(super) projection: Projection,
    pub(super) transforms: Vec<ViewTransform>,
    pub(super) sizes: Vec<f64>,
    /// The centres in the embedding, k × k.
    pub(super) centers: Option<Mat>,
}

impl Clustered {
    /// Sweeps made.
    pub fn sweeps(&self) -> usize {
        self.trajectory.rows().last().map_or(0, |row| row[0] as usize)
    }

    /// The clusters of new samples, given in the same views: each is projected onto the factors (or compared with the centres), and goes
    /// to the nearest cluster.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the method has no projection, or there are other views than were fitted; [`Error::Shape`] if one has
    /// other features; those of [`View::common_samples`].
    pub fn predict(&self, views: &[View]) -> Result<Vec<usize>> {
        if views.len() != self.transforms.len() {
            let allowed = format!("{}, as were fitted", self.transforms.len());
            return Err(Error::parameter("the number of views", allowed, views.len()));
        }
        let samples = View::common_samples(views)?;
        let alike = |((view, transform), size): ((&View, &ViewTransform), &f64)| {
            Ok(prepared(&resized(transform.apply(view.clone())?, *size)?))
        };
        let ready: Result<Vec<Prepared>> =
            views.iter().zip(&self.transforms).zip(&self.sizes).map(alike).collect();
        match (&self.projection, &self.centers) {
            (Projection::Fused(fused), Some(centers)) => {
                let embedding = fused.embed(&ready?, samples)?;
                Ok(nearest(&unit_rows(embedding), centers))
            }
            (Projection::Centres { centers, views }, _) => {
                Ok(nearest_in_views(&ready?, samples, centers, views))
            }
            _ => {
                let name = self.method.name();
                Err(Error::parameter("method", "one that can place new samples", name))
            }
        }
    }
}

/// The nearest of `centers` (k × features) for each row of `samples`.
fn nearest(samples: &Mat, centers: &Mat) -> Vec<usize> {
    let meetings = samples.view().times(centers.t());
    let of = |i: usize, c: usize| {
        let center: f64 = (0..centers.cols()).map(|j| centers[(c, j)].powi(2)).sum();
        center - 2.0 * meetings[(i, c)]
    };
    (0..samples.rows()).map(|i| least(centers.rows(), |c| of(i, c))).collect()
}

/// The same over the views of these places, of those that know the sample.
fn nearest_in_views(
    all: &[Prepared],
    samples: usize,
    centers: &Mat,
    views: &[usize],
) -> Vec<usize> {
    let k = centers.rows();
    let mut distances = Mat::zeros(k, samples);
    let mut first = 0;
    let mut meetings = Mat::default();
    for view in views.iter().map(|&place| &all[place]) {
        let width = view.operand.shape().1;
        let own = MatRef::new(k, width, &centers.values()[k * first..k * (first + width)]).to_mat();
        let squares: Vec<f64> = (0..k)
            .map(|c| sum_of_squares(&(0..width).map(|j| own[(c, j)]).collect::<Vec<_>>()))
            .collect();
        view.operand.onto_samples(&own, &mut meetings);
        for (new, &old) in view.present.iter().enumerate() {
            let column = distances.col_mut(old).iter_mut().zip(meetings.col(new)).zip(&squares);
            column.for_each(|((distance, meeting), square)| *distance += square - 2.0 * meeting);
        }
        first += width;
    }
    (0..samples).map(|i| least(k, |c| distances[(c, i)])).collect()
}

/// The first of 0, …, count − 1 with the least value.
fn least(count: usize, value: impl Fn(usize) -> f64) -> usize {
    (1..count).fold(0, |best, c| if value(c) < value(best) { c } else { best })
}
