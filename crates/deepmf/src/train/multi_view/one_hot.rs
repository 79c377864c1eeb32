//! Clusters around robust centres of every view, views weighted by themselves (Huang, Kang and Xu 2020).

use rayon::prelude::*;

use super::alternation::Alternation;
use super::{Fused, MultiView, Prepared};
use crate::Result;
use crate::analysis::k_means;
use crate::linalg::{Mat, sum_of_squares};
use crate::train::semi_nmf::Operand;
use crate::train::{StopReason, Trajectory};

/// A residual below this share of the mean one counts as this share, so that no sample takes everything.
const LEAST_RESIDUAL: f64 = 1e-6;
/// Starts of the k-means for the first memberships.
const RESTARTS: usize = 10;

/// Minimises Σ_v √(Σ_i ‖x_i − Ψ_v y_i‖) over one-hot y shared by all views.
///
/// A sweep lowers the quadratic above it, Σ_v α_v Σ_i d_vi ‖x_i − Ψ_v y_i‖² with α_v = 1 / (2 √‖·‖_{2,1}) and d_vi = 1 / (2 ‖x_i − Ψ_v y_i‖): Ψ to
/// weighted means, then y. Of the factors Ψ = U_1 … U_r the first one is free, so Ψ is these means whatever the others are.
pub(super) struct OneHot<'a> {
    method: &'a MultiView,
    views: &'a [Prepared],
    labels: Vec<usize>,
    /// Ψ of each view, k × features.
    centers: Vec<Mat>,
    /// ‖x_i − Ψ y_i‖ of the present samples of each view.
    residuals: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
}

impl<'a> OneHot<'a> {
    pub(super) fn new(
        method: &'a MultiView,
        views: &'a [Prepared],
        samples: usize,
        seed: u64,
    ) -> Result<Self> {
        let k = method.clusters;
        let stacked = Prepared::stacked(views, samples);
        let spread = spread(&stacked.operand, k)?;
        let labels = k_means(&spread, k, RESTARTS, seed)?.labels;
        let mut at = Self {
            method,
            views,
            labels,
            centers: views.iter().map(|view| Mat::zeros(k, view.operand.shape().1)).collect(),
            residuals: views.iter().map(|view| vec![1.0; view.present.len()]).collect(),
            squares: views.iter().map(|view| view.operand.sample_squares()).collect(),
        };
        at.move_centers();
        at.measure();
        Ok(at)
    }

    /// α_v d_vi of the present samples of each view.
    fn weights(&self) -> Vec<Vec<f64>> {
        let of = |residuals: &Vec<f64>| {
            let sum: f64 = residuals.iter().sum();
            let least = LEAST_RESIDUAL * sum / residuals.len() as f64;
            let alpha = if sum > 0.0 { 0.5 / sum.sqrt() } else { 1.0 };
            let weight = |r: &f64| if sum > 0.0 { 0.5 * alpha / r.max(least) } else { 1.0 };
            residuals.iter().map(weight).collect()
        };
        self.residuals.iter().map(of).collect()
    }

    fn move_centers(&mut self) {
        let (k, labels, weights) = (self.method.clusters, &self.labels, self.weights());
        let each = self.views.par_iter().zip(&weights).zip(&mut self.centers);
        each.for_each(|((view, weights), centers)| {
            let mut members = Mat::zeros(k, view.present.len());
            let mut sums = vec![0.0; k];
            for ((new, &old), weight) in view.present.iter().enumerate().zip(weights) {
                members[(labels[old], new)] = *weight;
                sums[labels[old]] += weight;
            }
            let mut next = Mat::default();
            view.operand.onto_features(&members, &mut next);
            for (next, old) in
                next.values().chunks_exact(k).zip(centers.values_mut().chunks_exact_mut(k))
            {
                for c in 0..k {
                    // A cluster without samples stays where it was.
                    if sums[c] > 0.0 {
                        old[c] = next[c] / sums[c];
                    }
                }
            }
        });
    }

    /// ‖x_i − ψ_c‖², k × present samples of a view.
    fn distances(&self, view: usize) -> Mat {
        let centers = &self.centers[view];
        let k = centers.rows();
        let mut lengths = vec![0.0; k];
        for column in centers.values().chunks_exact(k) {
            lengths.iter_mut().zip(column).for_each(|(sum, x)| *sum += x * x);
        }
        let mut out = Mat::default();
        self.views[view].operand.onto_samples(centers, &mut out);
        for (column, square) in out.values_mut().chunks_exact_mut(k).zip(&self.squares[view]) {
            for (x, length) in column.iter_mut().zip(&lengths) {
                *x = (square + length - 2.0 * *x).max(0.0);
            }
        }
        out
    }

    fn measure(&mut self) {
        for view in 0..self.views.len() {
            let distances = self.distances(view);
            for (new, &old) in self.views[view].present.iter().enumerate() {
                self.residuals[view][new] = distances[(self.labels[old], new)].sqrt();
            }
        }
    }
}

impl Alternation for OneHot<'_> {
    fn columns(&self) -> Vec<String> {
        (1..=self.views.len()).map(|view| format!("view_weight_{view}")).collect()
    }

    fn row(&self) -> Vec<f64> {
        let roots: Vec<f64> =
            self.residuals.iter().map(|all| all.iter().sum::<f64>().sqrt()).collect();
        let objective = roots.iter().sum();
        [vec![objective], self.finished_weights()].concat()
    }

    fn sweep(&mut self) -> Result<()> {
        self.move_centers();
        let weights = self.weights();
        let k = self.method.clusters;
        let mut costs = Mat::zeros(k, self.labels.len());
        for (view, weights) in weights.iter().enumerate() {
            let distances = self.distances(view);
            for (new, &old) in self.views[view].present.iter().enumerate() {
                crate::linalg::axpy(weights[new], distances.col(new), costs.col_mut(old));
            }
        }
        for (i, label) in self.labels.iter_mut().enumerate() {
            let column = costs.col(i);
            // The present one stays unless another is nearer.
            *label = (0..k).fold(*label, |a, b| if column[b] < column[a] { b } else { a });
        }
        self.measure();
        Ok(())
    }

    fn finished(&self) -> Result<Fused> {
        let k = self.method.clusters;
        let member = |i: usize, c: usize| f64::from(u8::from(self.labels[i] == c));
        Ok(Fused {
            embedding: Mat::from_fn(self.labels.len(), k, member),
            labels: Some(self.labels.clone()),
            views: Vec::new(),
            view_weights: self.finished_weights(),
            whitening: None,
            stacked: false,
            exponent: None,
            weight_power: 1.0,
            trajectory: Trajectory::default(),
            reason: StopReason::StepsDone,
        })
    }
}

impl OneHot<'_> {
    /// α_v, made to have length 1.
    fn finished_weights(&self) -> Vec<f64> {
        let alpha: Vec<f64> = self
            .residuals
            .iter()
            .map(|all| 0.5 / all.iter().sum::<f64>().sqrt().max(f64::MIN_POSITIVE.sqrt()))
            .collect();
        let length = sum_of_squares(&alpha).sqrt();
        alpha.iter().map(|a| a / length).collect()
    }
}

/// Where samples lie along the leading singular vectors, samples × rank.
fn spread(operand: &Operand, rank: usize) -> Result<Mat> {
    let found = crate::linalg::leading_svd(operand, rank, 1e-8)?;
    Ok(Mat::from_fn(operand.shape().0, found.s.len(), |i, r| found.u[(i, r)] * found.s[r]))
}
