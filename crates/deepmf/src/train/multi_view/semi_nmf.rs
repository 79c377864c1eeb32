//! Deep semi-NMF of views: each with feature weights and fused late (Khalafaoui et al. 2025), unweighted (Zhang et al. 2021), or all side by
//! side, with a neighbour graph (Zhao, Ding and Fu 2017) or without (Trigeorgis et al. 2014; Ding, Li and Jordan 2010).

use rayon::prelude::*;

use super::alternation::Alternation;
use super::fusion::{Part, consensus, inner, mean_partition, view_weights};
use super::view::{First, Pull, ViewState};
use super::{ExponentRule, Fused, FusedView, MultiView, Prepared};
use crate::analysis::{NeighbourGraph, usual_neighbours};
use crate::data::{Features, View};
use crate::linalg::{Mat, axpy};
use crate::spec::{ClusteringMethod, ClusteringSettings, FeatureWeights};
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// λ of the unweighted method's program, where β = f/‖f‖² in place of f/‖f‖: so λ here is 16/‖f‖, and ‖f‖ = k √V where all views agree.
const PUBLISHED_FUSION: f64 = 16.0;
/// λ in units of samples / clusters with feature weights.
const FUSION: f64 = 10.0;

/// Minimises Σ_v α_v² Σ_j w_j^q e_j + μ Σ_v tr(G_v L_v G_vᵀ) − λ (Σ_v β_v ⟨G_v, M_v G*⟩ + ρ ⟨G*, H_0⟩) with ‖G_v‖ = √k, G* G*ᵀ = 1, M_v orthogonal and ‖β‖ = 1, where
/// e_j is the squared residual of feature j. Views side by side are one view without fusion, with a weight α_v^γ of the features and the graph of each.
///
/// A sweep moves G*, then D, G, the feature weights and M of every view, then α, β and the exponent; no step raises the objective as it
/// stands, but for α (published rules of their own) and the exponent.
pub(super) struct Factored<'a> {
    method: &'a MultiView,
    states: Vec<ViewState>,
    form: FeatureWeights,
    exponent: ExponentRule,
    /// β.
    weights: Vec<f64>,
    /// λ; none where views are side by side.
    fusion: Option<f64>,
    consensus: Mat,
    whitening: Mat,
    /// ρ and H_0.
    anchor: Option<(f64, Mat)>,
    samples: usize,
}

/// The objective and its parts.
struct Terms {
    fit: f64,
    rough: f64,
    fusion: f64,
}

/// The exponent at the start and its bounds: form A above 1, form B between 0 and 2.
fn rule(settings: &ClusteringSettings, form: FeatureWeights) -> ExponentRule {
    let (start, bounds) = match form {
        FeatureWeights::Powers => (1.0, (0.05, 1.5)),
        _ => (1.5, (1.1, 2.0)),
    };
    let bounds = settings.exponent_bounds.unwrap_or(bounds);
    ExponentRule::new(settings.exponent.unwrap_or(start), settings.exponent_gains, bounds)
}

/// Clusters as a matrix of orthonormal rows, k × samples; rows of empty ones are zero.
fn indicator(labels: &[usize], k: usize) -> Mat {
    let mut counts = vec![0.0_f64; k];
    for &label in labels {
        counts[label] += 1.0;
    }
    let member = |r: usize, i: usize| if labels[i] == r { 1.0 / counts[r].sqrt() } else { 0.0 };
    Mat::from_fn(k, labels.len(), member)
}

impl<'a> Factored<'a> {
    pub(super) fn new(
        method: &'a MultiView,
        views: &[Prepared],
        samples: usize,
        labels: Option<&[usize]>,
        seed: u64,
    ) -> Result<Self> {
        let unit = samples as f64 / method.clusters as f64;
        let mut settings = method.settings.clone();
        let graph = settings.graph_weight() * unit;
        let (weighted, fusion) = match settings.method {
            ClusteringMethod::Dmfaw => (true, Some(FUSION * unit)),
            ClusteringMethod::MvcDmfPa => {
                let agreed = method.clusters as f64 * (views.len() as f64).sqrt();
                (false, Some(PUBLISHED_FUSION / agreed))
            }
            _ => (false, None),
        };
        if settings.method == ClusteringMethod::SemiNmf {
            settings.layers = vec![1];
        }
        let form = if weighted { settings.feature_weights } else { FeatureWeights::Uniform };
        let first = First { settings: &settings, k: method.clusters, samples, graph, labels, seed };
        let states: Result<Vec<ViewState>> = if fusion.is_some() {
            views.par_iter().map(|view| ViewState::new(view, &first)).collect()
        } else if let Some(view) = views.iter().find(|view| view.present.len() < samples) {
            let name = settings.method.name();
            let allowed = format!("{samples} of them, as `{name}` asks for all views of a sample");
            return Err(Error::parameter(
                "the known samples of a view",
                allowed,
                view.present.len(),
            ));
        } else {
            ViewState::side_by_side(views, &first).map(|state| vec![state])
        };
        let states = states?;
        let mut at = Self {
            method,
            weights: vec![1.0 / (states.len() as f64).sqrt(); states.len()],
            states,
            form,
            exponent: rule(&settings, form),
            fusion: fusion.map(|default| settings.fusion.map_or(default, |fusion| fusion * unit)),
            consensus: Mat::default(),
            whitening: Mat::default(),
            anchor: None,
            samples,
        };
        at.agree()?;
        let anchor = settings.anchor_weight();
        if anchor > 0.0 && at.fusion.is_some() {
            let start =
                labels.map_or_else(|| at.consensus.clone(), |l| indicator(l, method.clusters));
            at.anchor = Some((anchor, start));
            at.agree()?;
        }
        at.weigh_fits();
        Ok(at)
    }

    /// G* given the rest.
    fn agree(&mut self) -> Result<()> {
        if self.fusion.is_some() {
            let parts: Vec<&Part> = self.states.iter().map(|state| &state.part).collect();
            let mut mean = mean_partition(&parts, &self.weights, self.samples);
            if let Some((anchor, start)) = &self.anchor {
                axpy(*anchor, start.values(), mean.values_mut());
            }
            (self.consensus, self.whitening) = consensus(&mean)?;
        }
        Ok(())
    }

    /// α_v: in the unweighted method the inverse residuals, made to add up to 1; with a graph by the power γ.
    fn weigh_fits(&mut self) {
        let settings = &self.method.settings;
        if settings.method == ClusteringMethod::Dmvc {
            for state in &mut self.states {
                state.weigh_views(settings.view_exponent);
            }
        }
        if settings.method != ClusteringMethod::MvcDmfPa {
            return;
        }
        let residual =
            |state: &ViewState| state.fit(self.form, 1.0).sqrt().max(f64::MIN_POSITIVE.sqrt());
        let inverse: Vec<f64> = self.states.iter().map(|state| 1.0 / residual(state)).collect();
        let sum: f64 = inverse.iter().sum();
        for (state, inverse) in self.states.iter_mut().zip(inverse) {
            state.importance = (inverse / sum).powi(2);
        }
    }

    fn terms(&self) -> Terms {
        let mut terms = Terms { fit: 0.0, rough: 0.0, fusion: 0.0 };
        for (state, beta) in self.states.iter().zip(&self.weights) {
            terms.fit += state.importance * state.fit(self.form, self.exponent.p);
            terms.rough += state.roughness();
            if self.fusion.is_some() {
                let wanted = state.part.wanted(&self.consensus);
                terms.fusion += beta * inner(&state.part.partition, &wanted);
            }
        }
        if let Some((anchor, start)) = &self.anchor {
            terms.fusion += anchor * inner(start, &self.consensus);
        }
        terms
    }

    /// What samples are clustered by.
    fn embedding(&self) -> Result<Mat> {
        if self.fusion.is_some() {
            return Ok(self.consensus.t().to_mat());
        }
        let shared = self.states[0].part.partition.t().to_mat();
        let settings = &self.method.settings;
        if settings.method != ClusteringMethod::Dmvc {
            return Ok(shared);
        }
        let missing = vec![false; self.samples];
        let view = View { name: "partition".into(), features: Features::Dense(shared), missing };
        let neighbours = settings.neighbours.unwrap_or(usual_neighbours(self.samples));
        let graph = NeighbourGraph::new(&[view], neighbours)?;
        Ok(graph.embedding(self.method.clusters)?.samples)
    }
}

impl Alternation for Factored<'_> {
    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            ["fit", "fusion", "roughness", "exponent", "entropy"].map(String::from).into();
        columns.extend((1..=self.view_weights().len()).map(|view| format!("view_weight_{view}")));
        columns
    }

    fn row(&self) -> Vec<f64> {
        let Terms { fit, rough, fusion } = self.terms();
        let entropy = self.states.iter().map(ViewState::entropy).sum::<f64>();
        let objective = fit + rough - self.fusion.unwrap_or(0.0) * fusion;
        let mut row = vec![objective, fit, fusion, rough];
        row.extend([self.exponent.p, entropy / self.states.len() as f64]);
        row.extend(self.view_weights());
        row
    }

    fn sweep(&mut self) -> Result<()> {
        self.agree()?;
        let (settings, form, p) = (&self.method.settings, self.form, self.exponent.p);
        let (consensus, fusion) = (&self.consensus, self.fusion);
        let alignments: Result<Vec<f64>> = self
            .states
            .par_iter_mut()
            .zip(&self.weights)
            .map(|(state, beta)| {
                state.move_basis()?;
                let pull = fusion.map(|fusion| Pull { consensus, strength: fusion * beta });
                state.move_partition(settings.solver, form, p, pull);
                state.move_weights(form, p, false);
                if fusion.is_some() { state.part.rotate(consensus) } else { Ok(1.0) }
            })
            .collect();
        let alignments = alignments?;
        self.weigh_fits();
        if settings.weighted_views {
            self.weights = view_weights(&alignments);
        }
        Ok(())
    }

    /// The exponent, by the relative loss of the fit; weights follow it.
    fn adapt(&mut self) {
        let settings = &self.method.settings;
        if self.form == FeatureWeights::Uniform || settings.exponent_gains == (0.0, 0.0) {
            return;
        }
        let before = self.exponent.p;
        let loss = self.terms().fit / (self.samples * self.states.len()) as f64;
        self.exponent.see(loss);
        if self.exponent.p != before {
            for state in &mut self.states {
                state.move_weights(self.form, self.exponent.p, true);
            }
        }
    }

    fn finished(&self) -> Result<Fused> {
        let views: Result<Vec<FusedView>> = self
            .states
            .iter()
            .map(|state| {
                Ok(FusedView {
                    model: state.model()?,
                    feature_weights: state.weights.clone(),
                    rotation: state.part.rotation.clone(),
                })
            })
            .collect();
        let k = self.method.clusters;
        let whitening = match self.method.settings.method {
            // The graph of the partition places no new samples.
            ClusteringMethod::Dmvc => None,
            _ if self.fusion.is_none() => Some(Mat::eye(k, k)),
            _ => Some(self.whitening.clone()),
        };
        Ok(Fused {
            embedding: self.embedding()?,
            labels: None,
            views: views?,
            view_weights: self.view_weights(),
            whitening,
            stacked: self.fusion.is_none(),
            exponent: (self.form != FeatureWeights::Uniform).then_some(self.exponent.p),
            weight_power: super::weight_power(self.form, self.exponent.p),
            trajectory: Trajectory::default(),
            reason: StopReason::StepsDone,
        })
    }
}

impl Factored<'_> {
    /// β of views that are fused; α of views side by side.
    fn view_weights(&self) -> Vec<f64> {
        match self.fusion {
            Some(_) => self.weights.clone(),
            None => self.states[0].shares_of_views(),
        }
    }
}
