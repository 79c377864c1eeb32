//! Several views of the same samples brought to one partition, by alternating steps.

mod alternation;
mod fusion;
mod late;
mod one_hot;
mod prepared;
mod projection;
mod semi_nmf;
mod view;
mod weights;

pub use fusion::{Part, consensus, mean_partition, procrustes, view_weights};
pub use prepared::Prepared;
pub use weights::{ExponentRule, entropy, feature_weights, weight_power};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{StopReason, Trajectory};
use crate::analysis::FusedGraph;
use crate::linalg::Mat;
use crate::model::SemiNmf;
use crate::spec::{ClusteringMethod, ClusteringSettings, PartitionStart};
use crate::{Error, Result};
use alternation::alternate;
use late::LateFusion;
use one_hot::OneHot;
use semi_nmf::Factored;

/// Brings views to one partition, as `settings` say.
#[derive(Clone, Debug)]
pub struct MultiView {
    settings: ClusteringSettings,
    clusters: usize,
    interrupt: Option<Arc<AtomicBool>>,
}

/// What came of several views.
#[derive(Clone, Debug)]
pub struct Fused {
    /// What samples are clustered by, samples × k.
    pub embedding: Mat,
    /// The clusters themselves, where the method gives them.
    pub labels: Option<Vec<usize>>,
    /// What was learned of each view.
    pub views: Vec<FusedView>,
    /// The weight of each view.
    pub view_weights: Vec<f64>,
    /// Whether the views were factored side by side, as one.
    pub stacked: bool,
    /// What takes the weighted mean of the partitions to the embedding, k × k; where the method has one.
    pub whitening: Option<Mat>,
    /// The exponent of the feature weights, where there are some.
    pub exponent: Option<f64>,
    /// The power of a feature's weight in the squared residual.
    pub weight_power: f64,
    /// One row a sweep; `objective` is what was lowered.
    pub trajectory: Trajectory,
    /// How it ended.
    pub reason: StopReason,
}

/// What was learned of one view.
#[derive(Clone, Debug)]
pub struct FusedView {
    /// Its factors.
    pub model: SemiNmf,
    /// The weight of each feature in the squared residual; 1 is the mean where weights are shares.
    pub feature_weights: Vec<f64>,
    /// M: from the consensus to the partition, k × k.
    pub rotation: Mat,
}

impl Fused {
    /// Sweeps made.
    pub fn sweeps(&self) -> usize {
        self.trajectory.rows().len().saturating_sub(1)
    }
}

impl MultiView {
    /// With these settings, into `clusters` (whatever the settings say of their number).
    ///
    /// # Errors
    /// [`Error::Parameter`] for a setting that is out of its range, or no cluster.
    pub fn new(settings: ClusteringSettings, clusters: usize) -> Result<Self> {
        settings.check()?;
        if clusters == 0 {
            return Err(Error::parameter("clusters", "1 or more", clusters));
        }
        Ok(Self { settings, clusters, interrupt: None })
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Brings `views` of `samples` samples to one partition; a start by the graph asks for the fused graph of all of them.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a graph is asked for and there is none;
    /// [`Error::Parameter`] if there are no views, one has fewer samples than there are clusters, or is zero;
    /// [`Error::NotFinite`] if a view is not finite.
    pub fn fit(
        &self,
        views: &[Prepared],
        samples: usize,
        graph: Option<&FusedGraph>,
        seed: u64,
    ) -> Result<Fused> {
        if views.is_empty() {
            return Err(Error::parameter("the number of views", "1 or more", 0));
        }
        match self.settings.method {
            ClusteringMethod::LateFusion | ClusteringMethod::OnePass => {
                alternate(self, &mut LateFusion::new(self, views, samples, seed)?)
            }
            ClusteringMethod::Awdmvc => {
                alternate(self, &mut OneHot::new(self, views, samples, seed)?)
            }
            ClusteringMethod::KMeans
            | ClusteringMethod::KMeansBestView
            | ClusteringMethod::Spectral => {
                let found = self.settings.method.name();
                Err(Error::parameter("method", "one that alternates", found))
            }
            _ => {
                let start = self.first_labels(samples, graph, seed)?;
                let start = start.as_deref();
                alternate(self, &mut Factored::new(self, views, samples, start, seed)?)
            }
        }
    }

    /// The clusters that all views begin with, if they do.
    fn first_labels(
        &self,
        samples: usize,
        graph: Option<&FusedGraph>,
        seed: u64,
    ) -> Result<Option<Vec<usize>>> {
        if self.settings.first_start() != PartitionStart::Graph {
            return Ok(None);
        }
        let Some(graph) = graph else {
            return Err(Error::parameter("start", "another one where there is no graph", "graph"));
        };
        if graph.graph.samples() != samples {
            let expected = format!("{samples} samples");
            return Err(Error::shape("the fused graph", expected, graph.graph.samples()));
        }
        graph.clusters(self.settings.restarts, seed).map(Some)
    }
}

#[cfg(test)]
mod tests;
