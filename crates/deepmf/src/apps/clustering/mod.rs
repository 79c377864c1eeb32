//! Clusters of samples that several views describe: made ready, brought to one embedding, and told apart by k-means.

mod clustered;
mod found;
mod gathered;
mod ready;
mod saved;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use clustered::Clustered;

use crate::analysis::{clusters_by_eigengap, k_means, usual_neighbours};
use crate::data::View;
use crate::random::{Purpose, RngExt, stream};
use crate::spec::{ClusteringMethod, ClusteringSettings, PartitionStart};
use crate::{Error, Result};
use found::Found;
use gathered::Gathered;
use ready::Ready;

/// Clusters samples by several views.
///
/// ```
/// use deepmf::apps::Clustering;
/// use deepmf::data::{Features, View};
/// use deepmf::linalg::Mat;
/// use deepmf::spec::ClusteringSettings;
///
/// let view = |name: &str, width: usize| {
///     let wave = |i: usize, j: usize| ((i * 7 + j * 3) % 5) as f64 / 20.0;
///     let blob = |i: usize, j: usize| if j % 3 == i % 3 { 1.0 } else { 0.0 };
///     View::new(name, Features::Dense(Mat::from_fn(60, width, |i, j| blob(i, j) + wave(i, j))))
/// };
/// let settings = ClusteringSettings { clusters: Some(3), ..ClusteringSettings::default() };
/// let found = Clustering::new(settings)?.fit(&[view("a", 6)?, view("b", 9)?], 0)?;
/// assert!((3..60).all(|i| found.labels[i] == found.labels[i % 3]));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clustering {
    settings: ClusteringSettings,
    interrupt: Option<Arc<AtomicBool>>,
}

impl Clustering {
    /// With these settings.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that is out of its range.
    pub fn new(settings: ClusteringSettings) -> Result<Self> {
        settings.check()?;
        Ok(Self { settings, interrupt: None })
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Clusters the samples of `views`, each samples × features.
    ///
    /// A sample that a view does not know is placed by the others; one of zeros in all views goes where zeros are nearest.
    ///
    /// # Errors
    /// Those of [`View::common_samples`]; [`Error::Parameter`] for a view whose samples are all the same, fewer samples than clusters, or a
    /// number of clusters to be chosen among fewer than 4 samples.
    pub fn fit(&self, views: &[View], seed: u64) -> Result<Clustered> {
        let ready = Ready::new(views, self.settings.preparation)?;
        let (clusters, chosen) = self.clusters(&ready)?;
        let gathered = Gathered::new(&self.settings, &ready, clusters)?;
        let found = self.found(&ready, &gathered, clusters, seed)?;
        self.labelled(ready, found, (clusters, chosen), seed)
    }

    /// Clusters the samples `repeats` times, each from a seed of its own that `seed` draws; where nothing but the k-means on the embedding
    /// is drawn, only that is ([`Clustered::only_labels_drawn`]).
    ///
    /// # Errors
    /// Those of [`Clustering::fit`]; [`Error::Parameter`] if there are no repeats.
    pub fn repeated(&self, views: &[View], repeats: usize, seed: u64) -> Result<Vec<Clustered>> {
        if repeats == 0 {
            return Err(Error::parameter("repeats", "1 or more", repeats));
        }
        let ready = Ready::new(views, self.settings.preparation)?;
        let clusters = self.clusters(&ready)?;
        let mut random = stream(seed, Purpose::Cluster, u64::MAX);
        let seeds: Vec<u64> = (0..repeats).map(|_| random.random()).collect();
        let gathered = Gathered::new(&self.settings, &ready, clusters.0)?;
        let fit = |seed: u64| self.found(&ready, &gathered, clusters.0, seed);
        let once = if self.only_labels_drawn() { Some(fit(seeds[0])?) } else { None };
        let one = |&seed: &u64| {
            let found = match &once {
                Some(found) => found.clone(),
                None => fit(seed)?,
            };
            self.labelled(ready.clone(), found, clusters, seed)
        };
        seeds.iter().map(one).collect()
    }

    fn found(&self, ready: &Ready, gathered: &Gathered, k: usize, seed: u64) -> Result<Found> {
        Found::new(&self.settings, self.interrupt.clone(), ready, gathered, k, seed)
    }

    fn neighbours(&self, samples: usize) -> usize {
        self.settings.neighbours.unwrap_or(usual_neighbours(samples))
    }

    /// The number of clusters, and whether the eigengap chose it.
    fn clusters(&self, ready: &Ready) -> Result<(usize, bool)> {
        let (clusters, chosen) = match self.settings.clusters {
            Some(clusters) => (clusters, false),
            None => (clusters_by_eigengap(&ready.views, self.neighbours(ready.samples))?, true),
        };
        if ready.samples < clusters {
            let allowed = format!("{clusters} or more, one a cluster");
            return Err(Error::parameter("the number of samples", allowed, ready.samples));
        }
        Ok((clusters, chosen))
    }

    /// Whether what comes before the k-means on the embedding draws nothing.
    fn only_labels_drawn(&self) -> bool {
        let drawn =
            !matches!(self.settings.first_start(), PartitionStart::Lp | PartitionStart::Svd);
        match self.settings.method {
            ClusteringMethod::LateFusion | ClusteringMethod::Spectral => true,
            ClusteringMethod::Awdmvc
            | ClusteringMethod::OnePass
            | ClusteringMethod::KMeans
            | ClusteringMethod::KMeansBestView => false,
            _ => !drawn,
        }
    }

    fn labelled(
        &self,
        ready: Ready,
        found: Found,
        (clusters, chosen): (usize, bool),
        seed: u64,
    ) -> Result<Clustered> {
        let Found { embedding, labels, .. } = &found;
        let (labels, centers) = if let Some(labels) = labels {
            (labels.clone(), None)
        } else {
            let found = k_means(embedding, clusters, self.settings.restarts, seed)?;
            (found.labels, Some(found.centers))
        };
        Ok(Clustered {
            method: self.settings.method,
            clusters,
            clusters_chosen: chosen,
            only_labels_drawn: self.only_labels_drawn(),
            labels,
            embedding: found.embedding,
            feature_weights: found.feature_weights,
            view_weights: found.view_weights,
            exponent: found.exponent,
            best_view: found.best_view,
            objective: found.objective,
            trajectory: found.trajectory,
            reason: found.reason,
            preparations: ready.transforms.iter().map(|transform| transform.how).collect(),
            projection: found.projection,
            transforms: ready.transforms,
            sizes: ready.sizes,
            centers,
        })
    }
}

#[cfg(test)]
mod tests;
