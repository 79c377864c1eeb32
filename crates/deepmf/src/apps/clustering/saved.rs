//! A clustering in one file: its numbers as tensors, all else as words in the head.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Clustered;
use super::found::Projection;
use crate::data::ViewTransform;
use crate::linalg::Mat;
use crate::model::{SemiNmf, Tensors};
use crate::spec::ClusteringMethod;
use crate::train::multi_view::{Fused, FusedView};
use crate::train::{StopReason, Trajectory};
use crate::{Error, Result};

/// The version of the file format that is written, and the only one that is read.
const VERSION: u64 = 1;
/// The word of the head that holds everything but matrices.
const HEAD: &str = "deepmf-clustering";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u64,
    method: ClusteringMethod,
    clusters: usize,
    clusters_chosen: bool,
    only_labels_drawn: bool,
    labels: Vec<usize>,
    feature_weights: Vec<Vec<f64>>,
    view_weights: Vec<f64>,
    exponent: Option<f64>,
    best_view: Option<usize>,
    objective: Option<f64>,
    sweeps: usize,
    stop_reason: StopReason,
    transforms: Vec<ViewTransform>,
    sizes: Vec<f64>,
    projection: Kind,
}

/// How new samples are placed, without the matrices.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Fused { feature_weights: Vec<Vec<f64>>, view_weights: Vec<f64>, power: f64, stacked: bool },
    Centres(Vec<usize>),
    None,
}

impl Clustered {
    /// Writes one safetensors file, from which [`Clustered::load`] reads.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut file = Tensors::new();
        file.add_matrix("embedding", &self.embedding);
        if let Some(centers) = &self.centers {
            file.add_matrix("centers", centers);
        }
        let head = Head {
            version: VERSION,
            method: self.method,
            clusters: self.clusters,
            clusters_chosen: self.clusters_chosen,
            only_labels_drawn: self.only_labels_drawn,
            labels: self.labels.clone(),
            feature_weights: self.feature_weights.clone(),
            view_weights: self.view_weights.clone(),
            exponent: self.exponent,
            best_view: self.best_view,
            objective: self.objective.is_finite().then_some(self.objective),
            sweeps: self.sweeps(),
            stop_reason: self.reason,
            transforms: self.transforms.clone(),
            sizes: self.sizes.clone(),
            projection: self.projection.store(&mut file),
        };
        let text = serde_json::to_string(&head)
            .map_err(|e| Error::data(path, format!("cannot be written: {e}")))?;
        file.add_word(HEAD, text);
        file.save(path)
    }

    /// Reads what [`Clustered::save`] wrote: what was found, and how new samples are placed. Of the trajectory only the end is kept.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if the file is not a saved clustering of this version.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = Tensors::load(path)?;
        let bad = |problem: &dyn std::fmt::Display| {
            Error::data(path, format!("must be a saved clustering, but it is not: {problem}"))
        };
        let head: Head =
            serde_json::from_str(file.word(HEAD).unwrap_or_default()).map_err(|e| bad(&e))?;
        if head.version != VERSION {
            let problem = format!("must have version {VERSION}, but it has {}", head.version);
            return Err(Error::data(path, problem));
        }
        body(&file, head).map_err(|error| bad(&error))
    }
}

impl Projection {
    fn store(&self, file: &mut Tensors) -> Kind {
        match self {
            Self::Fused(fused) => {
                if let Some(whitening) = &fused.whitening {
                    file.add_matrix("whitening", whitening);
                }
                for (place, view) in fused.views.iter().enumerate() {
                    file.add_matrix(&format!("basis.{place}"), &view.model.basis());
                    file.add_matrix(&format!("rotation.{place}"), &view.rotation);
                }
                let views = fused.views.iter();
                Kind::Fused {
                    feature_weights: views.map(|view| view.feature_weights.clone()).collect(),
                    view_weights: fused.view_weights.clone(),
                    power: fused.weight_power,
                    stacked: fused.stacked,
                }
            }
            Self::Centres { centers, views } => {
                file.add_matrix("means", centers);
                Kind::Centres(views.clone())
            }
            Self::None => Kind::None,
        }
    }
}

fn matrix(file: &Tensors, name: &str, rows: Option<usize>, cols: Option<usize>) -> Result<Mat> {
    let matrix = file
        .matrix(name)
        .ok_or_else(|| Error::parameter(format!("the tensor {name}"), "there", "missing"))?;
    let found = (matrix.rows(), matrix.cols());
    let expected = (rows.unwrap_or(found.0), cols.unwrap_or(found.1));
    if found != expected {
        let words = crate::data::words;
        return Err(Error::shape(format!("the tensor {name}"), words(expected), words(found)));
    }
    match matrix.values().iter().find(|x| !x.is_finite()) {
        Some(&found) => Err(Error::NotFinite { what: format!("every number of {name}"), found }),
        None => Ok(matrix),
    }
}

fn body(file: &Tensors, head: Head) -> Result<Clustered> {
    let (k, views) = (head.clusters, head.transforms.len());
    let widths: Vec<usize> = head.transforms.iter().map(ViewTransform::width).collect();
    let lists = [
        ("sizes", head.sizes.len()),
        ("view weights", head.view_weights.len()),
        ("feature weights", head.feature_weights.len()),
    ];
    if let Some((what, found)) = lists.into_iter().find(|(_, found)| *found != views) {
        return Err(Error::shape(format!("the list of {what}"), views, found));
    }
    head.transforms.iter().try_for_each(ViewTransform::check)?;
    if let Some(label) = head.labels.iter().find(|label| **label >= k) {
        return Err(Error::parameter("a label", format!("below {k}"), label));
    }
    let objective = head.objective.unwrap_or(f64::NAN);
    let projection = match head.projection {
        Kind::None => Projection::None,
        Kind::Centres(places) => {
            if let Some(place) = places.iter().find(|place| **place >= views) {
                return Err(Error::parameter("a view", format!("below {views}"), place));
            }
            let width = places.iter().map(|&place| widths[place]).sum();
            let centers = matrix(file, "means", Some(k), Some(width))?;
            Projection::Centres { centers, views: places }
        }
        Kind::Fused { feature_weights, view_weights, power, stacked } => {
            let expected = if stacked { 1 } else { views };
            if !feature_weights.is_empty() && feature_weights.len() != expected {
                return Err(Error::shape("the list of bases", expected, feature_weights.len()));
            }
            if !stacked && view_weights.len() != views {
                return Err(Error::shape("the list of weights", views, view_weights.len()));
            }
            let whitening = file.matrix("whitening");
            let mut fused = Fused {
                embedding: Mat::default(),
                labels: None,
                views: Vec::new(),
                view_weights,
                stacked,
                whitening,
                exponent: head.exponent,
                weight_power: power,
                trajectory: Trajectory::default(),
                reason: head.stop_reason,
            };
            for (place, feature_weights) in feature_weights.into_iter().enumerate() {
                let features = Some(feature_weights.len());
                let basis = matrix(file, &format!("basis.{place}"), features, Some(k))?;
                let rotation = matrix(file, &format!("rotation.{place}"), Some(k), Some(k))?;
                let model = SemiNmf::new(vec![basis], Mat::zeros(k, 0))?;
                fused.views.push(FusedView { model, feature_weights, rotation });
            }
            if fused.whitening.is_some() {
                fused.whitening = Some(matrix(file, "whitening", Some(k), Some(k))?);
            }
            Projection::Fused(Box::new(fused))
        }
    };
    let centers = match file.matrix("centers") {
        Some(_) => Some(matrix(file, "centers", Some(k), Some(k))?),
        None => None,
    };
    Ok(Clustered {
        method: head.method,
        clusters: k,
        clusters_chosen: head.clusters_chosen,
        only_labels_drawn: head.only_labels_drawn,
        embedding: matrix(file, "embedding", Some(head.labels.len()), None)?,
        labels: head.labels,
        feature_weights: head.feature_weights,
        view_weights: head.view_weights,
        exponent: head.exponent,
        best_view: head.best_view,
        objective,
        trajectory: Trajectory::of_end(head.sweeps, objective),
        reason: head.stop_reason,
        preparations: head.transforms.iter().map(|transform| transform.how).collect(),
        projection,
        transforms: head.transforms,
        sizes: head.sizes,
        centers,
    })
}
