//! One view in the alternation: its basis and partition, its feature weights, its rotation onto the consensus.

use super::fusion::Part;
use super::weights::{entropy, feature_weights, weight_power};
use crate::Result;
use crate::linalg::{Mat, dot, scale};
use crate::model::SemiNmf;
use crate::spec::{ClusteringSettings, FeatureWeights};
use crate::train::semi_nmf::{
    Operand, SemiNmfFit, gram, quadratic_value, update_basis, update_partition,
};

/// How often a step that would raise its own part is halved before it is given up.
const HALVINGS: usize = 12;

/// What a view brings to an alternation: its numbers, scaled as they are to be factored, and which samples they are of.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Present samples × features.
    pub operand: Operand,
    /// The samples that are present, ascending.
    pub present: Vec<usize>,
}

/// One view between two steps. Along F_1 … F_m only the product D counts for what follows: with F_1 at its least squares solution,
/// D = X G⁺ whatever F_2 … F_m are, so D is moved as a whole and F_1 follows from it at the end.
#[derive(Clone, Debug)]
pub(super) struct ViewState {
    pub(super) part: Part,
    /// Dᵀ, k × features.
    pub(super) basis: Mat,
    pub(super) weights: Vec<f64>,
    /// Squared error of each feature.
    pub(super) errors: Vec<f64>,
    /// α²: how much the fit of this view counts.
    pub(super) importance: f64,
    operand: Operand,
    inner: Vec<Mat>,
    squares: Vec<f64>,
    shares: Vec<f64>,
    /// G S, k × features.
    projected: Mat,
    /// ‖G‖.
    size: f64,
}

impl ViewState {
    /// After greedy training of all layers; `samples` counts those of all views.
    pub(super) fn pretrained(
        view: &Prepared,
        settings: &ClusteringSettings,
        clusters: usize,
        samples: usize,
        seed: u64,
    ) -> Result<Self> {
        let (present, features) = view.operand.shape();
        let fit = SemiNmfFit {
            start: settings.start,
            solver: settings.solver,
            sweeps: settings.pretraining,
            tolerance: settings.tolerance,
        };
        let model =
            fit.fit(&view.operand, &settings.widths(clusters, present, features), seed)?.model;
        let k = clusters as f64;
        let squares = view.operand.feature_squares();
        let whole: f64 = squares.iter().sum();
        let mut state = Self {
            part: Part::new(model.partition().clone(), view.present.clone()),
            basis: model.basis().t().to_mat(),
            weights: squares.iter().map(|s| f64::from(u8::from(*s > 0.0))).collect(),
            errors: Vec::new(),
            importance: 1.0,
            operand: view.operand.clone(),
            inner: model.factors()[1..].to_vec(),
            shares: squares.iter().map(|s| s / whole).collect(),
            squares,
            projected: Mat::default(),
            size: (k * present as f64 / samples as f64).sqrt(),
        };
        state.rescale();
        state.look();
        Ok(state)
    }

    /// Holds ‖G‖, the scale absorbed in D: without that the fusion has no bound.
    fn rescale(&mut self) {
        let size = self.part.partition.frobenius();
        if size > 0.0 {
            scale(self.size / size, self.part.partition.values_mut());
            scale(size / self.size, self.basis.values_mut());
        }
    }

    /// What follows from basis and partition: G S and the error of each feature.
    fn look(&mut self) {
        self.operand.onto_features(&self.part.partition, &mut self.projected);
        let fitted = gram(&self.part.partition).times(&self.basis);
        self.errors = (0..self.basis.cols())
            .map(|j| {
                let d = self.basis.col(j);
                let error =
                    self.squares[j] - 2.0 * dot(d, self.projected.col(j)) + dot(d, fitted.col(j));
                error.max(0.0)
            })
            .collect();
    }

    /// Σ_j w_j^q e_j.
    pub(super) fn fit(&self, form: FeatureWeights, p: f64) -> f64 {
        let q = weight_power(form, p);
        self.weights.iter().zip(&self.errors).map(|(w, e)| w.powf(q) * e).sum()
    }

    /// From 0 to 1: 1 is uniform.
    pub(super) fn entropy(&self) -> f64 {
        entropy(&self.weights, &self.shares)
    }

    /// D to its least squares solution; feature weights above zero do not change it.
    pub(super) fn move_basis(&mut self) -> Result<()> {
        update_basis(&mut self.basis, &gram(&self.part.partition), &self.projected)?;
        self.look();
        Ok(())
    }

    /// G where α² Σ w^q e − pull · ⟨G, M G*⟩ is lower, `pull` being λ β, with ‖G‖ held.
    pub(super) fn move_partition(
        &mut self,
        settings: &ClusteringSettings,
        form: FeatureWeights,
        p: f64,
        consensus: &Mat,
        pull: f64,
    ) {
        let q = weight_power(form, p);
        let mut weighted = self.basis.clone();
        for (j, w) in self.weights.iter().enumerate() {
            scale(w.powf(q), weighted.col_mut(j));
        }
        let quadratic = weighted.view().times(self.basis.t());
        let mut linear = Mat::default();
        self.operand.onto_samples(&weighted, &mut linear);
        let wanted = self.part.wanted(consensus);
        let pull = pull / self.importance;
        // Its own part, as it is after rescaling: the fit does not see the scale.
        let own = |at: &Mat| {
            let size = at.frobenius();
            if size == 0.0 {
                return f64::INFINITY;
            }
            quadratic_value(&quadratic, &linear, at)
                - pull * self.size / size * dot(wanted.values(), at.values())
        };
        let before = own(&self.part.partition);
        let mut towards = linear.clone();
        crate::linalg::axpy(0.5 * pull, wanted.values(), towards.values_mut());
        let mut moved = self.part.partition.clone();
        update_partition(settings.solver, &quadratic, &towards, &mut moved);
        for _ in 0..HALVINGS {
            if own(&moved) <= before {
                self.part.partition = moved;
                break;
            }
            let old = self.part.partition.values();
            moved.values_mut().iter_mut().zip(old).for_each(|(new, old)| *new = 0.5 * (*new + old));
        }
        self.rescale();
        self.look();
    }

    /// Feature weights to the minimum of the fit; to those of another exponent if they are `renewed`.
    pub(super) fn move_weights(&mut self, form: FeatureWeights, p: f64, renewed: bool) {
        let relative: Vec<f64> = self
            .errors
            .iter()
            .zip(&self.squares)
            .map(|(e, s)| if *s > 0.0 { e / s } else { 1.0 })
            .collect();
        let before = (self.fit(form, p), std::mem::take(&mut self.weights));
        self.weights = feature_weights(form, p, &relative, &self.shares);
        // Errors that are nothing count as a little: then the closed form may lie above.
        if !renewed && self.fit(form, p) > before.0 {
            self.weights = before.1;
        }
    }

    /// The factors, F_1 following from D: F_1 = D (F_2 … F_m)⁺.
    pub(super) fn model(&self) -> Result<SemiNmf> {
        let basis = self.basis.t().to_mat();
        let factors = match self.inner.split_first() {
            None => vec![basis],
            Some((second, rest)) => {
                let inner = rest.iter().fold(second.clone(), |product, next| product.times(next));
                let found = crate::linalg::svd(inner.view())?;
                let least = 1e-12 * found.s.first().copied().unwrap_or(0.0);
                let inverse = Mat::from_fn(found.v.rows(), found.s.len(), |i, r| {
                    if found.s[r] > least { found.v[(i, r)] / found.s[r] } else { 0.0 }
                });
                let first = basis.times(&inverse).view().times(found.u.t());
                [first].into_iter().chain(self.inner.iter().cloned()).collect()
            }
        };
        SemiNmf::new(factors, self.part.partition.clone())
    }
}
