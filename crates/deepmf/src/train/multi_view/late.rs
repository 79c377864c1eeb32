//! Late fusion of given partitions: by a consensus with orthonormal rows (Wang et al. 2019), or by memberships in one pass (Liu et al. 2021).

use super::alternation::Alternation;
use super::fusion::{Part, consensus, inner, mean_partition, procrustes, view_weights};
use super::prepared::{Centred, Kernels};
use super::{Fused, MultiView, Prepared};
use crate::analysis::k_means;
use crate::linalg::{Mat, leading_svd};
use crate::spec::{ClusteringMethod, PartitionStart};
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// The residual of the leading vectors, relative to the largest singular value.
const RESIDUAL: f64 = 1e-8;
/// Starts of the k-means for the first memberships.
const RESTARTS: usize = 30;

/// Maximises Σ_v β_v ⟨G_v, M_v G*⟩ + λ ⟨G*, G_0⟩ with fixed G_v, or the same with G* = C Yᵀ, Y one-hot and C orthogonal, and no λ.
pub(super) struct LateFusion<'a> {
    method: &'a MultiView,
    parts: Vec<Part>,
    weights: Vec<f64>,
    /// λ and G_0.
    anchor: Option<(f64, Mat)>,
    consensus: Mat,
    /// C and the memberships.
    one_hot: Option<(Mat, Vec<usize>)>,
    samples: usize,
}

impl<'a> LateFusion<'a> {
    pub(super) fn new(
        method: &'a MultiView,
        views: &[Prepared],
        samples: usize,
        seed: u64,
    ) -> Result<Self> {
        let (settings, k) = (&method.settings, method.clusters);
        let by_graph = settings.start == Some(PartitionStart::Graph);
        let parts: Result<Vec<Part>> = views
            .iter()
            .map(|view| {
                let partition = if by_graph {
                    let Some(graph) = &view.graph else {
                        let allowed = "one without a graph where there is none";
                        return Err(Error::parameter("start", allowed, "graph"));
                    };
                    graph.embedding(k)?.samples.t().to_mat()
                } else {
                    kernel_partition(view, k)?
                };
                Ok(Part::new(orthonormal_rows(&partition)?, view.present.clone()))
            })
            .collect();
        let parts = parts?;
        let mut at = Self {
            method,
            weights: vec![1.0 / (views.len() as f64).sqrt(); views.len()],
            anchor: None,
            consensus: Mat::default(),
            one_hot: None,
            parts,
            samples,
        };
        at.align()?;
        let mean = at.mean();
        (at.consensus, _) = consensus(&mean)?;
        if settings.method == ClusteringMethod::OnePass {
            let found = k_means(&mean.t().to_mat(), k, RESTARTS, seed)?;
            let centers = procrustes(&found.centers.t().to_mat())?.0;
            at.one_hot = Some((centers, found.labels));
            at.consensus = at.memberships();
        } else {
            at.anchor = Some((settings.anchor_weight(), mean_kernel_partition(views, samples, k)?));
        }
        Ok(at)
    }

    /// Turns every partition onto the first, so that their mean means something.
    fn align(&mut self) -> Result<()> {
        let fullest = (0..self.parts.len())
            .max_by_key(|&v| (self.parts[v].present.len(), usize::MAX - v))
            .unwrap_or(0);
        let mut target = Mat::zeros(self.method.clusters, self.samples);
        for (new, &old) in self.parts[fullest].present.iter().enumerate() {
            target.col_mut(old).copy_from_slice(self.parts[fullest].partition.col(new));
        }
        for part in &mut self.parts {
            part.rotate(&target)?;
        }
        Ok(())
    }

    fn mean(&self) -> Mat {
        let parts: Vec<&Part> = self.parts.iter().collect();
        mean_partition(&parts, &self.weights, self.samples)
    }

    /// C Yᵀ.
    fn memberships(&self) -> Mat {
        let mut out = Mat::zeros(self.method.clusters, self.samples);
        if let Some((centers, labels)) = &self.one_hot {
            for (i, &label) in labels.iter().enumerate() {
                out.col_mut(i).copy_from_slice(centers.col(label));
            }
        }
        out
    }
}

impl Alternation for LateFusion<'_> {
    fn columns(&self) -> Vec<String> {
        (1..=self.parts.len()).map(|view| format!("view_weight_{view}")).collect()
    }

    fn row(&self) -> Vec<f64> {
        let sum: f64 = self
            .parts
            .iter()
            .zip(&self.weights)
            .map(|(part, beta)| beta * inner(&part.partition, &part.wanted(&self.consensus)))
            .sum();
        let anchored =
            self.anchor.as_ref().map_or(0.0, |(a, start)| a * inner(start, &self.consensus));
        [vec![-sum - anchored], self.weights.clone()].concat()
    }

    fn sweep(&mut self) -> Result<()> {
        let mut mean = self.mean();
        if let Some((centers, labels)) = &mut self.one_hot {
            let meetings = centers.t().times(mean.view());
            for (i, label) in labels.iter_mut().enumerate() {
                let column = meetings.col(i);
                *label =
                    (1..column.len()).fold(0, |a, b| if column[b] > column[a] { b } else { a });
            }
            let mut sums = Mat::zeros(centers.rows(), centers.cols());
            for (i, &label) in labels.iter().enumerate() {
                crate::linalg::axpy(1.0, mean.col(i), sums.col_mut(label));
            }
            *centers = procrustes(&sums)?.0;
            self.consensus = self.memberships();
        } else {
            if let Some((weight, start)) = &self.anchor {
                crate::linalg::axpy(*weight, start.values(), mean.values_mut());
            }
            (self.consensus, _) = consensus(&mean)?;
        }
        let consensus = &self.consensus;
        let alignments: Result<Vec<f64>> =
            self.parts.iter_mut().map(|part| part.rotate(consensus)).collect();
        if self.method.settings.weighted_views {
            self.weights = view_weights(&alignments?);
        }
        Ok(())
    }

    fn finished(&self) -> Result<Fused> {
        Ok(Fused {
            embedding: self.consensus.t().to_mat(),
            labels: self.one_hot.as_ref().map(|(_, labels)| labels.clone()),
            views: Vec::new(),
            view_weights: self.weights.clone(),
            whitening: None,
            stacked: false,
            exponent: None,
            weight_power: 1.0,
            trajectory: Trajectory::default(),
            reason: StopReason::StepsDone,
        })
    }
}

/// The leading eigenvectors, k × samples, of the kernel of a view that is centred and then normalised to cosines.
fn kernel_partition(view: &Prepared, k: usize) -> Result<Mat> {
    let found = leading_svd(&Centred::new(&view.operand), k, RESIDUAL)?;
    let (u, have) = (&found.u, found.u.cols());
    Ok(Mat::from_fn(k, u.rows(), |r, i| if r < have { u[(i, r)] } else { 0.0 }))
}

/// The leading eigenvectors of the mean of these kernels, k × samples.
fn mean_kernel_partition(views: &[Prepared], samples: usize, k: usize) -> Result<Mat> {
    let found = leading_svd(&Kernels::new(views, samples), k, RESIDUAL)?;
    let (u, have) = (&found.u, found.u.cols());
    Ok(Mat::from_fn(k, samples, |r, i| if r < have { u[(i, r)] } else { 0.0 }))
}

/// The nearest matrix of orthonormal rows.
fn orthonormal_rows(partition: &Mat) -> Result<Mat> {
    Ok(consensus(partition)?.0)
}
