//! Feature-weighted deep semi-NMF of every view with late fusion (Khalafaoui et al. 2025), and its unweighted parent (Zhang et al. 2021).

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::fusion::{Part, consensus, inner, mean_partition, view_weights};
use super::view::ViewState;
use super::{ExponentRule, Fused, FusedView, MultiView, Prepared};
use crate::Result;
use crate::linalg::Mat;
use crate::spec::{ClusteringMethod, ClusteringSettings, FeatureWeights};
use crate::train::{StopReason, Trajectory};

/// λ of the unweighted method, as published.
const PUBLISHED_FUSION: f64 = 16.0;
/// λ in units of samples / clusters with feature weights.
const FUSION: f64 = 0.15;
/// Sweeps before the change of the objective may end the alternation.
const LEAST_SWEEPS: usize = 3;

/// The exponent at the start and its bounds: form A above 1, form B between 0 and 2.
fn rule(settings: &ClusteringSettings, form: FeatureWeights) -> ExponentRule {
    let (start, bounds) = match form {
        FeatureWeights::Powers => (1.0, (0.05, 1.95)),
        _ => (2.0, (1.05, 10.0)),
    };
    ExponentRule::new(settings.exponent.unwrap_or(start), settings.exponent_gains, bounds)
}

/// The alternation between two sweeps.
struct Alternation<'a> {
    method: &'a MultiView,
    states: Vec<ViewState>,
    form: FeatureWeights,
    exponent: ExponentRule,
    /// β.
    weights: Vec<f64>,
    /// λ.
    fusion: f64,
    consensus: Mat,
    whitening: Mat,
    samples: usize,
}

/// The objective and its parts.
struct Terms {
    fit: f64,
    fusion: f64,
}

impl MultiView {
    /// Minimises Σ_v α_v² Σ_j w_j^q e_j − λ Σ_v β_v ⟨G_v, M_v G*⟩ with ‖G_v‖ = √k, G* G*ᵀ = 1, M_v orthogonal and ‖β‖ = 1, where e_j is the squared
    /// residual of feature j. A sweep moves G*, then D, G, the feature weights and M of every view, then α, β and the exponent; no step
    /// raises the objective as it stands, but for α (a published rule of its own) and the exponent.
    pub(super) fn by_semi_nmf(
        &self,
        views: &[Prepared],
        samples: usize,
        seed: u64,
    ) -> Result<Fused> {
        let settings = &self.settings;
        let weighted = settings.method == ClusteringMethod::Dmfaw;
        let form = if weighted { settings.feature_weights } else { FeatureWeights::Uniform };
        let states: Result<Vec<ViewState>> = views
            .par_iter()
            .map(|view| ViewState::pretrained(view, settings, self.clusters, samples, seed))
            .collect();
        let unit = samples as f64 / self.clusters as f64;
        let default = if weighted { FUSION * unit } else { PUBLISHED_FUSION };
        let mut at = Alternation {
            method: self,
            weights: vec![1.0 / (views.len() as f64).sqrt(); views.len()],
            states: states?,
            form,
            exponent: rule(settings, form),
            fusion: settings.fusion.map_or(default, |fusion| fusion * unit),
            consensus: Mat::default(),
            whitening: Mat::default(),
            samples,
        };
        at.agree()?;
        at.weigh_fits();
        let mut trajectory = Trajectory::new(at.columns());
        trajectory.push(at.row(0));
        let mut reason = StopReason::StepsDone;
        for sweep in 1..=settings.sweeps {
            if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                reason = StopReason::Interrupted;
                break;
            }
            let before = at.objective();
            at.sweep()?;
            let now = at.objective();
            trajectory.push(at.row(sweep));
            if !now.is_finite() {
                reason = StopReason::Diverged;
                break;
            }
            if sweep >= LEAST_SWEEPS && (before - now).abs() <= settings.tolerance * now.abs() {
                reason = StopReason::ObjectiveSettled;
                break;
            }
            at.adapt();
        }
        at.agree()?;
        at.finished(trajectory, reason)
    }
}

impl Alternation<'_> {
    /// G* given the rest.
    fn agree(&mut self) -> Result<()> {
        let parts: Vec<&Part> = self.states.iter().map(|state| &state.part).collect();
        let mean = mean_partition(&parts, &self.weights, self.samples);
        (self.consensus, self.whitening) = consensus(&mean)?;
        Ok(())
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
                state.move_partition(settings, form, p, consensus, fusion * beta);
                state.move_weights(form, p, false);
                state.part.rotate(consensus)
            })
            .collect();
        let alignments = alignments?;
        self.weigh_fits();
        if settings.weighted_views {
            self.weights = view_weights(&alignments);
        }
        Ok(())
    }

    /// α_v, in the unweighted method: the inverse residuals, made to add up to 1.
    fn weigh_fits(&mut self) {
        if self.method.settings.method != ClusteringMethod::MvcDmfPa {
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

    fn terms(&self) -> Terms {
        let mut terms = Terms { fit: 0.0, fusion: 0.0 };
        for (state, beta) in self.states.iter().zip(&self.weights) {
            terms.fit += state.importance * state.fit(self.form, self.exponent.p);
            let wanted = state.part.wanted(&self.consensus);
            terms.fusion += beta * inner(&state.part.partition, &wanted);
        }
        terms
    }

    fn objective(&self) -> f64 {
        let Terms { fit, fusion } = self.terms();
        fit - self.fusion * fusion
    }

    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            ["sweep", "objective", "fit", "fusion", "exponent", "entropy"].map(String::from).into();
        columns.extend((1..=self.states.len()).map(|view| format!("view_weight_{view}")));
        columns
    }

    fn row(&self, sweep: usize) -> Vec<f64> {
        let Terms { fit, fusion } = self.terms();
        let entropy = self.states.iter().map(ViewState::entropy).sum::<f64>();
        let mut row = vec![sweep as f64, fit - self.fusion * fusion, fit, fusion];
        row.extend([self.exponent.p, entropy / self.states.len() as f64]);
        row.extend(&self.weights);
        row
    }

    fn finished(self, trajectory: Trajectory, reason: StopReason) -> Result<Fused> {
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
        Ok(Fused {
            embedding: self.consensus.t().to_mat(),
            labels: None,
            views: views?,
            view_weights: self.weights,
            whitening: Some(self.whitening),
            exponent: (self.form != FeatureWeights::Uniform).then_some(self.exponent.p),
            weight_power: super::weight_power(self.form, self.exponent.p),
            trajectory,
            reason,
        })
    }
}
