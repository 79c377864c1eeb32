//! The settings of a recommender, as typed and as kept in its file.

use serde::{Deserialize, Serialize};

/// By what ratings are predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RatingModel {
    /// Offsets and factors by alternating least squares.
    #[default]
    Als,
    /// The completion by deep linear networks, with all that it chooses by cross-validation.
    Linear,
    /// An autoencoder over the columns (I-AutoRec).
    Autorec,
    /// Latents that are free parameters, decoded by a network.
    Latent,
    /// Two networks, over the ratings of a row and of a column.
    TwoTower,
    /// The same with levels that are learned beside them.
    Discrete,
}

/// How wide two towers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TowerSize {
    /// As published: 2048 and 1024.
    #[default]
    Published,
    /// For small tables: 128 and 32.
    Small,
}

impl RatingModel {
    /// The name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Als => "als",
            Self::Linear => "linear",
            Self::Autorec => "autorec",
            Self::Latent => "latent",
            Self::TwoTower => "two-tower",
            Self::Discrete => "discrete",
        }
    }
}

/// Settings of a recommender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RecommenderSettings {
    /// By what ratings are predicted.
    pub model: RatingModel,
    /// Least squares and free latents: the length of a latent.
    pub rank: usize,
    /// Least squares: the ridge of the factors; nine standard deviations of the ratings if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ridge: Option<f64>,
    /// Least squares: the ridge of the offsets.
    pub offset_ridge: f64,
    /// Least squares: whether the ridges of a row or column count once for each of its ratings.
    pub by_count: bool,
    /// Least squares: sweeps at most.
    pub sweeps: u64,
    /// The share of the ratings that says when to stop and calibrates probabilities; all are fitted after that.
    pub validation: f64,
    /// Networks: passes over the ratings at most; by the model if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Autoencoder: the length of a code. Free latents: the width of the decoder's hidden layer. By the model if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Autoencoder and free latents: the penalty of weights (and latents) on residuals in units of their spread; by the model if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Two towers: how wide they are.
    pub size: TowerSize,
    /// Two towers: with which probability dropout keeps a number; 0.1, for half a million ratings or more 0.2, if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<f64>,
    /// Two towers: the least share of its ratings that a row or column shows in training; less than 1 is for rows and columns that are folded in.
    pub shown: f64,
    /// Two towers: whether all ratings are fitted, with as many epochs, after those were chosen without the held-out ones.
    pub refit: bool,
}

impl Default for RecommenderSettings {
    fn default() -> Self {
        Self {
            model: RatingModel::Als,
            rank: 10,
            ridge: None,
            offset_ridge: 5.0,
            by_count: false,
            sweeps: 50,
            validation: 0.05,
            epochs: None,
            hidden: None,
            penalty: None,
            size: TowerSize::Published,
            keep: None,
            shown: 1.0,
            refit: true,
        }
    }
}
