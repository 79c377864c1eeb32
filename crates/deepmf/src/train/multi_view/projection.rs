//! New samples in the embedding of a fit: partitions given the factors, fused as those of the fit were.

use super::fusion::{Part, mean_partition};
use super::{Fused, Prepared};
use crate::linalg::{Mat, scale};
use crate::train::semi_nmf::coordinate;
use crate::{Error, Result};

/// Sweeps over the coordinates of each sample.
const SWEEPS: usize = 200;

impl Fused {
    /// The embedding of new samples, samples × k: in each view min ‖W (x − D g)‖² over g ≥ 0, then (P S⁻¹ Pᵀ) Σ_v β_v M_vᵀ g_v.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the method has no projection, [`Error::Shape`] if views are not as those that were fitted.
    pub fn embed(&self, views: &[Prepared], samples: usize) -> Result<Mat> {
        let Some(whitening) = self.whitening.as_ref().filter(|_| !self.views.is_empty()) else {
            let allowed = "one that learns a basis of each view";
            return Err(Error::parameter("the method of a projection", allowed, "without one"));
        };
        let stacked = self.stacked.then(|| Prepared::stacked(views, samples));
        let (views, weights) = match &stacked {
            Some(whole) => (std::slice::from_ref(whole), &[1.0][..]),
            None => (views, self.view_weights.as_slice()),
        };
        if views.len() != self.views.len() {
            let expected = format!("{} of them", self.views.len());
            return Err(Error::shape("the views", expected, views.len()));
        }
        let mut parts = Vec::new();
        for (view, fitted) in views.iter().zip(&self.views) {
            let basis = fitted.model.basis().t().to_mat();
            if view.operand.shape().1 != basis.cols() {
                let expected = format!("{} features", basis.cols());
                return Err(Error::shape("a view", expected, view.operand.shape().1));
            }
            let mut weighted = basis.clone();
            for (j, w) in fitted.feature_weights.iter().enumerate() {
                scale(w.powf(self.weight_power), weighted.col_mut(j));
            }
            let quadratic = weighted.view().times(basis.t());
            let mut linear = Mat::default();
            view.operand.onto_samples(&weighted, &mut linear);
            let mut partition = Mat::zeros(basis.rows(), view.present.len());
            coordinate(&quadratic, &linear, &[], &mut partition, SWEEPS);
            let rotation = fitted.rotation.clone();
            parts.push(Part { partition, present: view.present.clone(), rotation });
        }
        let parts: Vec<&Part> = parts.iter().collect();
        let mean = mean_partition(&parts, weights, samples);
        Ok(whitening.times(&mean).t().to_mat())
    }
}
