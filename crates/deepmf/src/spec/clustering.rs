//! The settings of multi-view clustering, as typed and as kept in a run folder.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::Preparation;
use crate::{Error, Result};

/// How views are clustered together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusteringMethod {
    /// Feature-weighted deep semi-NMF of each view, fused late (Khalafaoui et al. 2025).
    #[default]
    Dmfaw,
    /// The same without feature weights, views weighted by their fit (Zhang et al. 2021).
    MvcDmfPa,
    /// Deep semi-NMF with one partition shared by all views and a neighbour graph of each (Zhao, Ding and Fu 2017).
    Dmvc,
    /// Deep factorization with one-hot memberships and the 2,1-norm (Huang, Kang and Xu 2020).
    Awdmvc,
    /// Late fusion of spectral partitions (Wang et al. 2019).
    LateFusion,
    /// Late fusion that gives the memberships in one pass (Liu et al. 2021); `oplf` names it too.
    #[serde(alias = "oplf")]
    OnePass,
    /// Deep semi-NMF on the features of all views side by side (Trigeorgis et al. 2014).
    DeepSemiNmf,
    /// Semi-NMF on the features of all views side by side (Ding, Li and Jordan 2010).
    SemiNmf,
    /// k-means on the features of all views side by side.
    KMeans,
    /// k-means on the one view whose clusters have the largest silhouette.
    KMeansBestView,
    /// Spectral clustering of the sum of the views' neighbour graphs (Ng, Jordan and Weiss 2001).
    Spectral,
}

impl ClusteringMethod {
    /// All of them, the default first.
    pub const ALL: [Self; 11] = [
        Self::Dmfaw,
        Self::MvcDmfPa,
        Self::Dmvc,
        Self::Awdmvc,
        Self::LateFusion,
        Self::OnePass,
        Self::DeepSemiNmf,
        Self::SemiNmf,
        Self::KMeans,
        Self::KMeansBestView,
        Self::Spectral,
    ];

    /// The name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dmfaw => "dmfaw",
            Self::MvcDmfPa => "mvc-dmf-pa",
            Self::Dmvc => "dmvc",
            Self::Awdmvc => "awdmvc",
            Self::LateFusion => "late-fusion",
            Self::OnePass => "one-pass",
            Self::DeepSemiNmf => "deep-semi-nmf",
            Self::SemiNmf => "semi-nmf",
            Self::KMeans => "k-means",
            Self::KMeansBestView => "k-means-best-view",
            Self::Spectral => "spectral",
        }
    }
}

impl FromStr for ClusteringMethod {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        let found = found.or((name == "oplf").then_some(Self::OnePass));
        found.ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            Error::parameter("method", format!("one of {all}"), name)
        })
    }
}

/// Where the non-negative factor begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionStart {
    /// Singular vectors, shifted to where they are not negative (Gillis and Kumar 2015).
    Svd,
    /// Singular vectors, turned to where they are not negative by linear inequalities (Gillis and Kumar 2015).
    Lp,
    /// Clusters of the samples by k-means, 0.2 added.
    KMeans,
    /// Clusters of the fused neighbour graph of all views, 0.2 added: every view begins with the same ones, and inner layers are left out, as
    /// they do nothing but lead to a start.
    Graph,
    /// Uniform draws.
    Random,
}

/// How the non-negative factor is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NonNegativeSolver {
    /// Exact minimisation in one coordinate after another.
    #[default]
    Coordinate,
    /// The multiplicative update, as published.
    Multiplicative,
}

/// How features of a view are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureWeights {
    /// Weights of mean 1 count by their power p > 1 (form A).
    #[default]
    Shares,
    /// Weights whose powers p, 0 < p < 2, have mean 1 count by their square (form B).
    Powers,
    /// None.
    Uniform,
}

/// Settings of a clustering of several views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClusteringSettings {
    /// How views are clustered together.
    pub method: ClusteringMethod,
    /// How many clusters there are; where the eigenvalues of the neighbour graph fall most (the eigengap) if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    /// The widths of the layers in multiples of the clusters, the last one 1. Each is cut to half of the features and half of the samples of a view and
    /// is never below the number of clusters; a layer that would not be narrower than the one before is left out.
    pub layers: Vec<usize>,
    /// Where the non-negative factors begin; if none, `graph` in dmfaw, `lp` in mvc-dmf-pa, as published, and
    /// `k-means` elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PartitionStart>,
    /// How they are moved.
    pub solver: NonNegativeSolver,
    /// Sweeps over each layer before the views are fused, at most.
    pub pretraining: usize,
    /// Sweeps of the whole alternation, at most.
    pub sweeps: usize,
    /// The relative change of the objective, over one sweep, that ends it.
    pub tolerance: f64,
    /// The weight λ of the fusion in units of samples / clusters; if none, 10 with feature weights; without, λ = 16 / (k √views), to which
    /// the published 16 comes where β has length one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion: Option<f64>,
    /// How features are weighted.
    pub feature_weights: FeatureWeights,
    /// The exponent p of the feature weights at the start; 1.5 (form A) or 1 (form B) if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponent: Option<f64>,
    /// The least and largest exponent; 1.1 and 2 (form A) or 0.05 and 1.5 (form B) if none. Without a bound
    /// the rule flattens the weights of form A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponent_bounds: Option<(f64, f64)>,
    /// The gains n₁ and n₂ by which the exponent follows the loss; zeros keep it.
    pub exponent_gains: (f64, f64),
    /// The weight ρ, within the fusion, of the consensus that the partitions begin with; if none, 1 with feature weights and in late
    /// fusion, and 0 elsewhere. At 1 the consensus stays near its start; 0 is the published objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<f64>,
    /// Whether views are weighted by how well they agree with the consensus; else all alike.
    pub weighted_views: bool,
    /// The weight μ of the neighbour graph of each view, in units of samples / clusters; if none, 1 with feature weights, 0.01 in dmvc and 0 elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<f64>,
    /// Neighbours of a sample in a graph; ⌈log₂ samples⌉ if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<usize>,
    /// With a neighbour graph: the power γ of a view's weight.
    pub view_exponent: f64,
    /// How views are made ready.
    pub preparation: Preparation,
    /// Starts of each k-means.
    pub restarts: usize,
}

impl Default for ClusteringSettings {
    fn default() -> Self {
        Self {
            method: ClusteringMethod::Dmfaw,
            clusters: None,
            layers: vec![12, 6, 1],
            start: None,
            solver: NonNegativeSolver::default(),
            pretraining: 150,
            sweeps: 150,
            tolerance: 1e-6,
            fusion: None,
            feature_weights: FeatureWeights::default(),
            exponent: None,
            exponent_bounds: None,
            exponent_gains: (0.3, 0.4),
            anchor: None,
            weighted_views: true,
            graph: None,
            neighbours: None,
            view_exponent: 0.1,
            preparation: Preparation::Auto,
            restarts: 20,
        }
    }
}

impl ClusteringSettings {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Parameter`] for the first that is not.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("clusters", self.clusters.unwrap_or(1), 1),
            ("layers", self.layers.len(), 1),
            ("neighbours", self.neighbours.unwrap_or(1), 1),
            ("restarts", self.restarts, 1),
            ("a width in layers", self.layers.iter().copied().min().unwrap_or(1), 1),
        ];
        if let Some((name, found, _)) = counts.into_iter().find(|(_, found, least)| found < least) {
            return Err(Error::parameter(name, "1 or more", found));
        }
        if self.layers.last() != Some(&1) {
            let found = format!("{:?}", self.layers);
            return Err(Error::parameter("layers", "a list that ends with 1", found));
        }
        let sizes = [
            ("tolerance", self.tolerance),
            ("fusion", self.fusion.unwrap_or(0.0)),
            ("anchor", self.anchor.unwrap_or(0.0)),
            ("graph", self.graph.unwrap_or(0.0)),
            ("a gain of the exponent", self.exponent_gains.0),
            ("a gain of the exponent", self.exponent_gains.1),
        ];
        if let Some((name, found)) = sizes.into_iter().find(|(_, x)| !(x.is_finite() && *x >= 0.0))
        {
            return Err(Error::parameter(name, "0 or more", found));
        }
        let gamma = self.view_exponent;
        if !(gamma.is_finite() && gamma > 0.0 && gamma != 1.0) {
            return Err(Error::parameter("view-exponent", "above 0 and not 1", gamma));
        }
        let (allowed, fits): (&str, fn(f64) -> bool) = match self.feature_weights {
            FeatureWeights::Powers => ("above 0 and below 2", |p| p > 0.0 && p < 2.0),
            _ => ("above 1", |p| p.is_finite() && p > 1.0),
        };
        if let Some(found) = self.exponent.filter(|p| !fits(*p)) {
            return Err(Error::parameter("exponent", allowed, found));
        }
        match self.exponent_bounds.filter(|(a, b)| !(fits(*a) && fits(*b) && a <= b)) {
            Some((a, b)) => {
                let allowed = format!("{allowed}, the least first");
                Err(Error::parameter("exponent-bounds", allowed, format!("{a}, {b}")))
            }
            None => Ok(()),
        }
    }

    /// Where the non-negative factors begin, as given or by the method.
    pub fn first_start(&self) -> PartitionStart {
        let default = match self.method {
            ClusteringMethod::Dmfaw => PartitionStart::Graph,
            ClusteringMethod::MvcDmfPa => PartitionStart::Lp,
            _ => PartitionStart::KMeans,
        };
        self.start.unwrap_or(default)
    }

    /// μ, as given or by the method.
    pub fn graph_weight(&self) -> f64 {
        let default = match self.method {
            ClusteringMethod::Dmfaw => 1.0,
            // As published.
            ClusteringMethod::Dmvc => 0.01,
            _ => 0.0,
        };
        self.graph.unwrap_or(default)
    }

    /// ρ, as given or by the method.
    pub fn anchor_weight(&self) -> f64 {
        let anchored =
            matches!(self.method, ClusteringMethod::Dmfaw | ClusteringMethod::LateFusion);
        self.anchor.unwrap_or(if anchored { 1.0 } else { 0.0 })
    }

    /// The widths of the layers of a view of so many samples and features, in `k` clusters.
    pub fn widths(&self, k: usize, samples: usize, features: usize) -> Vec<usize> {
        let most = samples.min(features) / 2;
        let mut widths: Vec<usize> = Vec::new();
        let (last, inner) = self.layers.split_last().map_or((1, &[][..]), |(l, i)| (*l, i));
        for multiple in inner {
            let width = (k * multiple).min(most).max(k);
            if width > k * last && widths.last().is_none_or(|before| width < *before) {
                widths.push(width);
            }
        }
        widths.push(k);
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_cut_to_half_of_a_view_and_layers_that_would_not_narrow_are_left_out() {
        let settings = ClusteringSettings::default();
        assert_eq!(settings.widths(10, 2_000, 3_000), [120, 60, 10]);
        assert_eq!(settings.widths(10, 2_000, 216), [108, 60, 10]);
        assert_eq!(settings.widths(10, 2_000, 76), [38, 10]);
        assert_eq!(settings.widths(10, 2_000, 6), [10]);
        let one = ClusteringSettings { layers: vec![1], ..settings };
        assert_eq!(one.widths(5, 544, 3_183), [5]);
    }

    #[test]
    fn every_method_is_found_by_its_name() {
        for method in ClusteringMethod::ALL {
            assert_eq!(method.name().parse::<ClusteringMethod>().unwrap(), method);
        }
        assert_eq!("oplf".parse::<ClusteringMethod>().unwrap(), ClusteringMethod::OnePass);
        let told = "x".parse::<ClusteringMethod>().unwrap_err().to_string();
        assert!(told.starts_with("method must be one of dmfaw, mvc-dmf-pa"), "{told}");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let wrong = |change: fn(&mut ClusteringSettings)| {
            let mut settings = ClusteringSettings::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(ClusteringSettings::default().check().is_ok());
        let told = wrong(|settings| settings.clusters = Some(0));
        assert_eq!(told, "clusters must be 1 or more, but it is 0");
        let told = wrong(|settings| settings.exponent = Some(1.0));
        assert_eq!(told, "exponent must be above 1, but it is 1");
        let told = wrong(|settings| settings.layers = vec![6]);
        assert_eq!(told, "layers must be a list that ends with 1, but it is [6]");
        assert!(wrong(|settings| settings.fusion = Some(f64::NAN)).contains("fusion"));
        assert!(wrong(|settings| settings.view_exponent = 1.0).contains("view-exponent"));
    }
}
