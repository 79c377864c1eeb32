//! One view in the alternation (or several side by side): its basis and partition, its feature weights, its rotation onto the consensus.

use std::ops::Range;
use std::sync::Arc;

use super::Prepared;
use super::fusion::Part;
use super::weights::{entropy, feature_weights, weight_power};
use crate::analysis::NeighbourGraph;
use crate::linalg::{Mat, dot, scale};
use crate::model::SemiNmf;
use crate::spec::{ClusteringSettings, FeatureWeights, NonNegativeSolver};
use crate::train::semi_nmf::{
    Operand, SemiNmfFit, gram, memberships, quadratic_value, update_basis, update_partition,
};
use crate::{Error, Result};

/// How often a step that would raise its own part is halved before it is given up.
const HALVINGS: usize = 12;

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
    operand: Arc<Operand>,
    /// The graphs, each with its weight as it stands.
    graphs: Vec<(f64, Arc<NeighbourGraph>)>,
    /// μ.
    graph_weight: f64,
    /// Views side by side: the features of each, and α.
    views: Vec<(Range<usize>, f64)>,
    inner: Vec<Mat>,
    squares: Vec<f64>,
    shares: Vec<f64>,
    /// G S, k × features.
    projected: Mat,
    /// ‖G‖.
    size: f64,
}

/// What draws a partition towards the consensus: λ β ⟨G, M G*⟩.
#[derive(Clone, Copy)]
pub(super) struct Pull<'a> {
    pub(super) consensus: &'a Mat,
    pub(super) strength: f64,
}

/// What a view begins with.
pub(super) struct First<'a> {
    pub(super) settings: &'a ClusteringSettings,
    pub(super) k: usize,
    /// All samples, those that a view does not know too.
    pub(super) samples: usize,
    /// μ.
    pub(super) graph: f64,
    /// Clusters that all views begin with.
    pub(super) labels: Option<&'a [usize]>,
    pub(super) seed: u64,
}

impl ViewState {
    /// One view at its start.
    pub(super) fn new(view: &Prepared, first: &First<'_>) -> Result<Self> {
        let mut state = Self::started(view, first)?;
        if first.graph > 0.0 {
            let own = view.graph.as_ref().ok_or_else(no_graph)?;
            state.graphs = vec![(first.graph, own.clone())];
        }
        Ok(state)
    }

    /// All views side by side as one.
    pub(super) fn side_by_side(views: &[Prepared], first: &First<'_>) -> Result<Self> {
        let mut state = Self::started(&Prepared::stacked(views, first.samples), first)?;
        state.graph_weight = first.graph;
        let mut place = 0;
        for view in views {
            if first.graph > 0.0 {
                let own = view.graph.as_ref().ok_or_else(no_graph)?;
                let own = Arc::new(own.spread(&view.present, first.samples));
                state.graphs.push((first.graph, own));
            }
            let width = view.operand.shape().1;
            state.views.push((place..place + width, 1.0 / views.len() as f64));
            place += width;
        }
        Ok(state)
    }

    /// After greedy training of all layers, or at the memberships of clusters.
    fn started(view: &Prepared, first: &First<'_>) -> Result<Self> {
        let (settings, k) = (first.settings, first.k);
        let (present, features) = view.operand.shape();
        let (partition, basis, inner) = if let Some(labels) = first.labels {
            let own: Vec<usize> = view.present.iter().map(|&i| labels[i]).collect();
            (memberships(&own, k), Mat::zeros(k, features), Vec::new())
        } else {
            let fit = SemiNmfFit {
                start: settings.first_start(),
                solver: settings.solver,
                sweeps: settings.pretraining,
                tolerance: settings.tolerance,
            };
            let widths = settings.widths(k, present, features);
            let model = fit.fit(&view.operand, &widths, first.seed)?.model;
            let inner = model.factors()[1..].to_vec();
            (model.partition().clone(), model.basis().t().to_mat(), inner)
        };
        let squares = view.operand.feature_squares();
        let whole: f64 = squares.iter().sum();
        let mut state = Self {
            part: Part::new(partition, view.present.clone()),
            basis,
            weights: squares.iter().map(|s| f64::from(u8::from(*s > 0.0))).collect(),
            errors: Vec::new(),
            importance: 1.0,
            operand: view.operand.clone(),
            graphs: Vec::new(),
            graph_weight: 0.0,
            views: Vec::new(),
            inner,
            shares: squares.iter().map(|s| s / whole).collect(),
            squares,
            projected: Mat::default(),
            size: (k as f64 * present as f64 / first.samples as f64).sqrt(),
        };
        state.rescale();
        state.project();
        state.move_basis()?;
        Ok(state)
    }

    /// Holds ‖G‖, the scale absorbed in D: without that fusion and graph have no bound.
    fn rescale(&mut self) {
        let size = self.part.partition.frobenius();
        if size > 0.0 {
            scale(self.size / size, self.part.partition.values_mut());
            scale(size / self.size, self.basis.values_mut());
        }
    }

    /// G S, which follows from the partition.
    fn project(&mut self) {
        self.operand.onto_features(&self.part.partition, &mut self.projected);
    }

    /// The error of each feature, which follows from basis and partition.
    fn measure(&mut self) {
        let fitted = gram(&self.part.partition).times(&self.basis);
        self.errors.resize(self.basis.cols(), 0.0);
        for (j, error) in self.errors.iter_mut().enumerate() {
            let d = self.basis.col(j);
            let rest = dot(d, fitted.col(j)) - 2.0 * dot(d, self.projected.col(j));
            *error = (self.squares[j] + rest).max(0.0);
        }
    }

    /// Σ_j w_j^q e_j.
    pub(super) fn fit(&self, form: FeatureWeights, p: f64) -> f64 {
        let q = weight_power(form, p);
        self.weights.iter().zip(&self.errors).map(|(w, e)| w.powf(q) * e).sum()
    }

    /// Σ_v μ_v tr(G L_v Gᵀ).
    pub(super) fn roughness(&self) -> f64 {
        let at = &self.part.partition;
        self.graphs.iter().map(|(weight, graph)| weight * graph.roughness(at)).sum()
    }

    /// From 0 to 1: 1 is uniform.
    pub(super) fn entropy(&self) -> f64 {
        entropy(&self.weights, &self.shares)
    }

    /// D to its least squares solution; feature weights above zero do not change it.
    pub(super) fn move_basis(&mut self) -> Result<()> {
        update_basis(&mut self.basis, &gram(&self.part.partition), &self.projected)?;
        self.measure();
        Ok(())
    }

    /// G where its own part of the objective is lower, with ‖G‖ held.
    pub(super) fn move_partition(
        &mut self,
        solver: NonNegativeSolver,
        form: FeatureWeights,
        p: f64,
        pull: Option<Pull<'_>>,
    ) {
        let q = weight_power(form, p);
        let mut weighted = self.basis.clone();
        for (j, w) in self.weights.iter().enumerate() {
            scale(w.powf(q), weighted.col_mut(j));
        }
        let quadratic = weighted.view().times(self.basis.t());
        let mut linear = Mat::default();
        self.operand.onto_samples(&weighted, &mut linear);
        let graphs: Vec<(f64, Arc<NeighbourGraph>)> =
            self.graphs.iter().map(|(w, graph)| (w / self.importance, graph.clone())).collect();
        let pull =
            pull.map(|pull| (pull.strength / self.importance, self.part.wanted(pull.consensus)));
        // Its own part, as it is after rescaling: the fit does not see the scale.
        let own = |at: &Mat| {
            let size = at.frobenius();
            if size == 0.0 {
                return f64::INFINITY;
            }
            let held = self.size / size;
            let rough: f64 = graphs.iter().map(|(w, graph)| w * graph.roughness(at)).sum();
            let drawn = pull
                .as_ref()
                .map_or(0.0, |(pull, wanted)| pull * held * dot(wanted.values(), at.values()));
            quadratic_value(&quadratic, &linear, at) + held * held * rough - drawn
        };
        let before = own(&self.part.partition);
        let mut towards = linear.clone();
        if let Some((pull, wanted)) = &pull {
            crate::linalg::axpy(0.5 * pull, wanted.values(), towards.values_mut());
        }
        let mut moved = self.part.partition.clone();
        update_partition(solver, &quadratic, &towards, &graphs, &mut moved);
        // Without a pull or a graph a step of a solver never raises it.
        let certain = pull.is_none() && graphs.is_empty();
        for _ in 0..HALVINGS {
            if certain || own(&moved) <= before {
                self.part.partition = moved;
                break;
            }
            let old = self.part.partition.values();
            moved.values_mut().iter_mut().zip(old).for_each(|(new, old)| *new = 0.5 * (*new + old));
        }
        self.rescale();
        self.project();
        self.measure();
    }

    /// Feature weights to the minimum of the fit; to those of another exponent if they are `renewed`.
    pub(super) fn move_weights(&mut self, form: FeatureWeights, p: f64, renewed: bool) {
        if form == FeatureWeights::Uniform {
            return;
        }
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

    /// α_v = (γ R_v)^{1/(1−γ)}, made to add up to 1, for R_v the residual and roughness in view v; α_v^γ weighs its features and its graph.
    pub(super) fn weigh_views(&mut self, gamma: f64) {
        let rough = |v: usize| {
            self.graphs
                .get(v)
                .map_or(0.0, |(_, graph)| self.graph_weight * graph.roughness(&self.part.partition))
        };
        let raw: Vec<f64> = (0..self.views.len())
            .map(|v| {
                let rest: f64 = self.errors[self.views[v].0.clone()].iter().sum();
                (gamma * (rest + rough(v))).max(f64::MIN_POSITIVE).powf(1.0 / (1.0 - gamma))
            })
            .collect();
        let sum: f64 = raw.iter().sum();
        for (v, raw) in raw.iter().enumerate() {
            let alpha = raw / sum;
            if !alpha.is_finite() {
                continue;
            }
            self.views[v].1 = alpha;
            let factor = alpha.powf(gamma);
            for j in self.views[v].0.clone() {
                self.weights[j] = if self.squares[j] > 0.0 { factor } else { 0.0 };
            }
            if let Some((weight, _)) = self.graphs.get_mut(v) {
                *weight = self.graph_weight * factor;
            }
        }
    }

    /// α of views side by side.
    pub(super) fn shares_of_views(&self) -> Vec<f64> {
        self.views.iter().map(|(_, alpha)| *alpha).collect()
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

fn no_graph() -> Error {
    Error::parameter("graph", "0 where there is no neighbour graph", "more")
}
