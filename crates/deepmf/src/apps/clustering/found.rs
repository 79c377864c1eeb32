//! What a method finds in views that are ready: an embedding of the samples or their clusters, and the weights it learned.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::gathered::Gathered;
use super::ready::Ready;
use crate::analysis::metrics::silhouette_of_views;
use crate::analysis::{
    KMeans, k_means, k_means_of_views, spectral_embedding, unit_rows, usual_neighbours,
};
use crate::linalg::Mat;
use crate::spec::{ClusteringMethod, ClusteringSettings};
use crate::train::multi_view::{Fused, MultiView};
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// How new samples are placed.
#[derive(Clone, Debug)]
pub(super) enum Projection {
    /// By the factors of each view, then the nearest centre in the embedding.
    Fused(Box<Fused>),
    /// By the nearest centre in the views of these places.
    Centres { centers: Mat, views: Vec<usize> },
    /// Not: the method knows no samples but those it was fitted to.
    None,
}

/// What a method found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Samples × k, rows of length 1.
    pub(super) embedding: Mat,
    pub(super) labels: Option<Vec<usize>>,
    pub(super) feature_weights: Vec<Vec<f64>>,
    pub(super) view_weights: Vec<f64>,
    pub(super) exponent: Option<f64>,
    pub(super) best_view: Option<usize>,
    pub(super) objective: f64,
    pub(super) trajectory: Trajectory,
    pub(super) reason: StopReason,
    pub(super) projection: Projection,
}

impl Found {
    pub(super) fn new(
        settings: &ClusteringSettings,
        interrupt: Option<Arc<AtomicBool>>,
        ready: &Ready,
        gathered: &Gathered,
        k: usize,
        seed: u64,
    ) -> Result<Self> {
        match settings.method {
            ClusteringMethod::KMeans => {
                let found = k_means_of_views(&ready.views, k, settings.restarts, seed)?;
                Ok(Self::of_means(ready, found, &(0..ready.views.len()).collect::<Vec<_>>()))
            }
            ClusteringMethod::KMeansBestView => best_view(settings, ready, k, seed),
            ClusteringMethod::Spectral => spectral(settings, ready, k, seed),
            _ => {
                let mut method = MultiView::new(settings.clone(), k)?;
                if let Some(flag) = interrupt {
                    method = method.interrupt(flag);
                }
                let fused =
                    method.fit(&gathered.views, ready.samples, gathered.graph.as_ref(), seed)?;
                Ok(Self::of_fused(ready, fused))
            }
        }
    }

    fn of_fused(ready: &Ready, fused: Fused) -> Self {
        let objective = fused.trajectory.column("objective");
        Self {
            embedding: unit_rows(fused.embedding.clone()),
            labels: fused.labels.clone(),
            feature_weights: if fused.views.is_empty() || fused.stacked {
                ones(ready)
            } else {
                fused.views.iter().map(|view| view.feature_weights.clone()).collect()
            },
            view_weights: fused.view_weights.clone(),
            exponent: fused.exponent,
            best_view: None,
            objective: objective.and_then(|all| all.last().copied()).unwrap_or(f64::NAN),
            trajectory: fused.trajectory.clone(),
            reason: fused.reason,
            projection: Projection::Fused(Box::new(fused)),
        }
    }

    /// Clusters around means: the embedding is the membership.
    fn of_means(ready: &Ready, found: KMeans, views: &[usize]) -> Self {
        let k = found.centers.rows();
        let member = |i: usize, c: usize| f64::from(u8::from(found.labels[i] == c));
        let trajectory = Trajectory::of_end(found.steps, found.inertia);
        let used = |view: usize| f64::from(u8::from(views.contains(&view)));
        Self {
            embedding: Mat::from_fn(ready.samples, k, member),
            labels: Some(found.labels),
            feature_weights: ones(ready),
            view_weights: (0..ready.views.len()).map(used).collect(),
            exponent: None,
            best_view: None,
            objective: found.inertia,
            trajectory,
            reason: StopReason::ObjectiveSettled,
            projection: Projection::Centres { centers: found.centers, views: views.to_vec() },
        }
    }
}

/// Of the clusters in each view those with the largest silhouette in their view; of equal ones the first.
fn best_view(settings: &ClusteringSettings, ready: &Ready, k: usize, seed: u64) -> Result<Found> {
    let mut best: Option<(f64, usize, KMeans)> = None;
    for (place, view) in ready.views.iter().enumerate() {
        let alone = std::slice::from_ref(view);
        // One that leaves samples out cannot give the clusters of all.
        if view.missing.iter().any(|&missing| missing) {
            continue;
        }
        let found = k_means_of_views(alone, k, settings.restarts, seed)?;
        let score = if k < 2 || k >= ready.samples {
            0.0
        } else {
            silhouette_of_views(alone, &found.labels)?
        };
        if best.as_ref().is_none_or(|(most, ..)| score > *most) {
            best = Some((score, place, found));
        }
    }
    let Some((_, place, means)) = best else {
        let allowed = "1 or more that know every sample";
        return Err(Error::parameter("the number of views", allowed, 0));
    };
    let found = Found::of_means(ready, means, &[place]);
    Ok(Found { best_view: Some(place), ..found })
}

fn spectral(settings: &ClusteringSettings, ready: &Ready, k: usize, seed: u64) -> Result<Found> {
    let neighbours = settings.neighbours.unwrap_or(usual_neighbours(ready.samples));
    let embedding = spectral_embedding(&ready.views, k, neighbours)?.samples;
    let inertia = k_means(&embedding, k, settings.restarts, seed)?.inertia;
    Ok(Found {
        embedding,
        labels: None,
        feature_weights: ones(ready),
        view_weights: vec![1.0; ready.views.len()],
        exponent: None,
        best_view: None,
        objective: inertia,
        trajectory: Trajectory::of_end(1, inertia),
        reason: StopReason::ObjectiveSettled,
        projection: Projection::None,
    })
}

fn ones(ready: &Ready) -> Vec<Vec<f64>> {
    ready.views.iter().map(|view| vec![1.0; view.width()]).collect()
}
