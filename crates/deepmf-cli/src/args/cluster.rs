//! What can be typed after `cluster`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use deepmf::data::Preparation;
use deepmf::spec::{
    ClusteringMethod, ClusteringSettings, FeatureWeights, NonNegativeSolver, PartitionStart,
    Reading, Views,
};
use deepmf::{Error, Result};

use super::value;

/// Cluster samples that several views describe.
///
/// A view is a table, a sample a row: text, .npy, .npz, .mtx, .parquet or .mat; or all views are variables of one MAT file. A row without any number is a
/// sample that the view does not know. DIR gets labels.csv, embedding.csv, the features of each view by their weights, report.html, result.json,
/// trajectory.csv and spec.toml, which `deepmf run` repeats. With --json stdout holds one JSON object with the keys method, n, views, clusters,
/// clusters_chosen, objective, iterations, stop_reason, acc {mean, std, max}, nmi {…}, purity {…}, ari {…}, f_score {…}, view_weights, p, best_view,
/// preparations, repeats, fits, seconds, seed.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf cluster words.npz links.csv --clusters 5 --labels topics.csv -o clusters"
)]
pub(crate) struct Cluster {
    /// The views, a file each.
    #[arg(value_name = "VIEW", required_unless_present = "mat")]
    pub(crate) views: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: ViewsInput,
    /// How many clusters; auto is where the eigenvalues of the neighbour graph fall most.
    #[arg(long, value_name = "K|auto", value_parser = clusters, default_value = "auto", help_heading = "Fit")]
    clusters: Clusters,
    #[command(flatten)]
    pub(crate) settings: ClusterSettings,
    /// Fits, each with other draws, of which that with the least objective is written; where a fit draws nothing but the k-means at its end, that is
    /// repeated alone [default: 20 with labels, else 1].
    #[arg(long, value_name = "N", value_parser = value::count, help_heading = "Fit")]
    repeats: Option<usize>,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub(crate) seed: u64,
    /// The folder to write to: new or empty.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Where the views are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Input")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ViewsInput {
    /// A MAT file with all views.
    #[arg(long, value_name = "FILE", conflicts_with = "views")]
    pub(crate) mat: Option<PathBuf>,
    /// Its variable with the views: a cell array or matrix, or several with commas between [default: X].
    #[arg(long, value_name = "NAME", requires = "mat")]
    views_field: Option<String>,
    /// The class of each sample, a line each: clusters are judged by it, nothing is fitted to it.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// The variable of the MAT file with the classes [default: y, Y or truth, if there].
    #[arg(long, value_name = "NAME", requires = "mat", conflicts_with = "labels")]
    label_field: Option<String>,
    /// One more word that means missing, such as -999 (repeatable).
    #[arg(long, value_name = "WORD", allow_hyphen_values = true, conflicts_with = "mat")]
    missing: Vec<String>,
    /// What separates fields: a character, tab, space, comma, semicolon or ::.
    #[arg(long, value_name = "CHAR", value_parser = value::delimiter, conflicts_with = "mat")]
    delimiter: Option<u8>,
    /// The first line holds names.
    #[arg(long, overrides_with = "no_header", conflicts_with = "mat")]
    header: bool,
    /// The first line holds numbers.
    #[arg(long, conflicts_with = "mat")]
    no_header: bool,
    /// The first column holds the names of the samples.
    #[arg(long, overrides_with = "no_row_names", conflicts_with = "mat")]
    row_names: bool,
    /// The first column holds numbers.
    #[arg(long, conflicts_with = "mat")]
    no_row_names: bool,
}

/// The settings of a clustering; what is not given has the default of the method.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fit")]
pub(crate) struct ClusterSettings {
    /// How views are clustered together.
    #[arg(long, value_enum, value_name = "METHOD", default_value = "dmfaw")]
    method: MethodName,
    /// The widths of the layers in multiples of the clusters, the last one 1; cut to half of a view [default: 12,6,1].
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = value::count)]
    layers: Vec<usize>,
    /// Where the non-negative factors begin [default: graph for dmfaw, lp for mvc-dmf-pa, else k-means].
    #[arg(long, value_enum, value_name = "START")]
    start: Option<StartName>,
    /// How the non-negative factors are moved [default: coordinate].
    #[arg(long, value_enum, value_name = "SOLVER")]
    solver: Option<SolverName>,
    /// Sweeps over each layer before the views are fused, at most.
    #[arg(long, value_name = "N", default_value_t = ClusteringSettings::default().pretraining)]
    pretraining: usize,
    /// Sweeps of the whole alternation, at most.
    #[arg(long, value_name = "N", default_value_t = ClusteringSettings::default().sweeps)]
    sweeps: usize,
    /// The relative change of the objective, over one sweep, that ends it.
    #[arg(long, value_name = "TOL", value_parser = value::not_negative, allow_hyphen_values = true, default_value_t = ClusteringSettings::default().tolerance)]
    tolerance: f64,
    /// The weight of the fusion, in units of samples / clusters [default: 10 for dmfaw; for mvc-dmf-pa λ = 16 / (K √views), the published 16 where β has length one].
    #[arg(long, value_name = "LAMBDA", value_parser = value::not_negative, allow_hyphen_values = true)]
    fusion: Option<f64>,
    /// Of dmfaw: how features are weighted [default: shares].
    #[arg(long, value_enum, value_name = "FORM")]
    feature_weights: Option<WeightsName>,
    /// Of dmfaw: the exponent p of the feature weights at the start [default: 1.5 of shares, 1 of powers].
    #[arg(long, value_name = "P", value_parser = value::positive, allow_hyphen_values = true)]
    exponent: Option<f64>,
    /// Of dmfaw: the least and the largest exponent [default: 1.1,2 of shares; 0.05,1.5 of powers].
    #[arg(long, value_name = "LOW,HIGH", value_parser = value::bounds, allow_hyphen_values = true)]
    exponent_bounds: Option<(f64, f64)>,
    /// Of dmfaw: the gains by which the exponent follows the loss; 0,0 keeps it [default: by measurement].
    #[arg(long, value_name = "N1,N2", value_parser = value::gains, allow_hyphen_values = true)]
    exponent_gains: Option<(f64, f64)>,
    /// The weight, within the fusion, of the consensus that the partitions begin with [default: 1 for dmfaw and late fusion, else 0].
    #[arg(long, value_name = "WEIGHT", value_parser = value::not_negative, allow_hyphen_values = true)]
    anchor: Option<f64>,
    /// Weight all views alike.
    #[arg(long)]
    uniform_views: bool,
    /// The weight of each view's neighbour graph, in units of samples / clusters [default: 1 for dmfaw, 0.01 for dmvc, else 0].
    #[arg(long, value_name = "WEIGHT", value_parser = value::not_negative, allow_hyphen_values = true)]
    graph: Option<f64>,
    /// With a neighbour graph, and for --clusters auto: neighbours of a sample [default: the logarithm of samples to base 2].
    #[arg(long, value_name = "N", value_parser = value::count)]
    neighbours: Option<usize>,
    /// Of dmvc: the power of a view's weight.
    #[arg(long, value_name = "GAMMA", value_parser = value::positive, allow_hyphen_values = true, default_value_t = ClusteringSettings::default().view_exponent)]
    view_exponent: f64,
    /// How views are made ready [default: auto].
    #[arg(long, value_enum, value_name = "HOW")]
    preparation: Option<PreparationName>,
    /// Starts of each k-means, of which the best counts.
    #[arg(long, value_name = "N", value_parser = value::count, default_value_t = ClusteringSettings::default().restarts)]
    restarts: usize,
}

/// A number of clusters, or none where it is to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clusters(Option<usize>);

fn clusters(word: &str) -> std::result::Result<Clusters, String> {
    match word {
        "auto" => Ok(Clusters(None)),
        _ => value::count(word)
            .map(|count| Clusters(Some(count)))
            .map_err(|_| "must be a whole number from 1, or auto".into()),
    }
}

/// A method, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// Feature-weighted deep semi-NMF of each view, fused late.
    Dmfaw,
    /// The same without feature weights.
    MvcDmfPa,
    /// Deep semi-NMF with one partition for all views, and a neighbour graph of each.
    Dmvc,
    /// Deep factorization with one-hot memberships and the 2,1-norm.
    Awdmvc,
    /// Late fusion of spectral partitions.
    LateFusion,
    /// Late fusion that gives the memberships in one pass.
    #[value(alias = "oplf")]
    OnePass,
    /// Deep semi-NMF on the features of all views side by side.
    DeepSemiNmf,
    /// Semi-NMF on the features of all views side by side.
    SemiNmf,
    /// k-means on the features of all views side by side.
    KMeans,
    /// k-means on the one view whose clusters have the largest silhouette.
    KMeansBestView,
    /// Spectral clustering of the sum of the views' neighbour graphs.
    Spectral,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StartName {
    /// Singular vectors, shifted to where they are not negative.
    Svd,
    /// Singular vectors, turned to where they are not negative.
    Lp,
    /// Clusters of the samples by k-means.
    KMeans,
    /// Uniform draws.
    Random,
    /// Clusters of the fused neighbour graph of all views; inner layers are left out.
    Graph,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SolverName {
    /// Exact minimisation in one coordinate after another.
    Coordinate,
    /// The multiplicative update, as published.
    Multiplicative,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WeightsName {
    /// Weights of mean 1 count by their power p > 1.
    Shares,
    /// Weights whose powers p, 0 < p < 2, have mean 1 count by their square.
    Powers,
    /// None.
    Uniform,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PreparationName {
    /// Where no number is negative and few are not zero, counts or unit samples; else standardised features.
    Auto,
    /// Counts are weighted by how rare their features are, then each sample is divided by its length.
    Counts,
    /// Each sample is divided by its length.
    Unit,
    /// Each feature gets mean 0 and variance 1.
    Standard,
    /// Numbers stay as they are.
    Raw,
}

impl ViewsInput {
    /// The same as a part of a spec; the files are `views`.
    ///
    /// # Errors
    /// For the name of a variable without a MAT file.
    pub(crate) fn spec(&self, views: &[PathBuf]) -> Result<Views> {
        // The parser does not ask for what it would refuse beside the files.
        let named = [("--views-field", &self.views_field), ("--label-field", &self.label_field)];
        let alone = named.into_iter().find(|(_, name)| name.is_some() && self.mat.is_none());
        if let Some((flag, _)) = alone {
            return Err(Error::parameter(flag, "given with --mat", "given with files"));
        }
        let flag = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        Ok(Views {
            mat: self.mat.clone(),
            files: views.into(),
            field: self.views_field.clone(),
            labels: self.labels.clone(),
            label_field: self.label_field.clone(),
            read: Reading {
                missing: self.missing.clone(),
                delimiter: self.delimiter.map(char::from),
                header: flag(self.header, self.no_header),
                row_names: flag(self.row_names, self.no_row_names),
                ..Reading::default()
            },
        })
    }
}

impl Cluster {
    /// The settings as a part of a spec.
    ///
    /// # Errors
    /// For one that is out of its range.
    pub(crate) fn settings(&self) -> Result<ClusteringSettings> {
        let settings =
            ClusteringSettings { clusters: self.clusters.0, ..self.settings.in_any_clusters() };
        settings.check()?;
        Ok(settings)
    }

    /// How often, where `judged` says whether there are classes.
    pub(crate) fn repeats(&self, judged: bool) -> usize {
        self.repeats.unwrap_or(if judged { 20 } else { 1 })
    }
}

impl ClusterSettings {
    fn in_any_clusters(&self) -> ClusteringSettings {
        let default = ClusteringSettings::default();
        ClusteringSettings {
            method: self.method.method(),
            layers: if self.layers.is_empty() { default.layers } else { self.layers.clone() },
            start: self.start.map(|it| match it {
                StartName::Svd => PartitionStart::Svd,
                StartName::Lp => PartitionStart::Lp,
                StartName::KMeans => PartitionStart::KMeans,
                StartName::Random => PartitionStart::Random,
                StartName::Graph => PartitionStart::Graph,
            }),
            solver: self.solver.map_or(default.solver, |it| match it {
                SolverName::Coordinate => NonNegativeSolver::Coordinate,
                SolverName::Multiplicative => NonNegativeSolver::Multiplicative,
            }),
            pretraining: self.pretraining,
            sweeps: self.sweeps,
            tolerance: self.tolerance,
            fusion: self.fusion,
            feature_weights: self.feature_weights.map_or(default.feature_weights, |it| match it {
                WeightsName::Shares => FeatureWeights::Shares,
                WeightsName::Powers => FeatureWeights::Powers,
                WeightsName::Uniform => FeatureWeights::Uniform,
            }),
            exponent: self.exponent,
            exponent_bounds: self.exponent_bounds,
            exponent_gains: self.exponent_gains.unwrap_or(default.exponent_gains),
            anchor: self.anchor,
            weighted_views: !self.uniform_views,
            graph: self.graph,
            neighbours: self.neighbours,
            view_exponent: self.view_exponent,
            preparation: self.preparation.map_or(default.preparation, |it| match it {
                PreparationName::Auto => Preparation::Auto,
                PreparationName::Counts => Preparation::Counts,
                PreparationName::Unit => Preparation::Unit,
                PreparationName::Standard => Preparation::Standard,
                PreparationName::Raw => Preparation::Raw,
            }),
            restarts: self.restarts,
            ..default
        }
    }
}

impl MethodName {
    fn method(self) -> ClusteringMethod {
        match self {
            Self::Dmfaw => ClusteringMethod::Dmfaw,
            Self::MvcDmfPa => ClusteringMethod::MvcDmfPa,
            Self::Dmvc => ClusteringMethod::Dmvc,
            Self::Awdmvc => ClusteringMethod::Awdmvc,
            Self::LateFusion => ClusteringMethod::LateFusion,
            Self::OnePass => ClusteringMethod::OnePass,
            Self::DeepSemiNmf => ClusteringMethod::DeepSemiNmf,
            Self::SemiNmf => ClusteringMethod::SemiNmf,
            Self::KMeans => ClusteringMethod::KMeans,
            Self::KMeansBestView => ClusteringMethod::KMeansBestView,
            Self::Spectral => ClusteringMethod::Spectral,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_and_start_is_typed_as_the_library_names_it() {
        let name = |value: clap::builder::PossibleValue| value.get_name().to_owned();
        for typed in MethodName::value_variants() {
            assert_eq!(typed.to_possible_value().map(name).as_deref(), Some(typed.method().name()));
        }
        assert_eq!(MethodName::value_variants().len(), ClusteringMethod::ALL.len());
    }

    #[test]
    fn a_number_of_clusters_is_a_count_or_auto() {
        assert_eq!(clusters("auto"), Ok(Clusters(None)));
        assert_eq!(clusters("3"), Ok(Clusters(Some(3))));
        assert!(clusters("0").is_err() && clusters("many").is_err());
    }
}
