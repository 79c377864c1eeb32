//! What can be typed after `recommend`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use deepmf::apps::RankingSettings;
use deepmf::spec::{RatingModel, RecommenderSettings, TowerSize};

use super::{Input, Written, value};

/// The commands about ratings.
#[derive(Debug, Subcommand)]
pub(crate) enum Recommend {
    Fit(Box<RecommendFit>),
    Evaluate(Box<RecommendEvaluate>),
    Predict(Box<RecommendPredict>),
    Top(RecommendTop),
    FoldIn(RecommendFoldIn),
    Explain(RecommendExplain),
    Compare(Box<RecommendCompare>),
}

/// How ratings are read.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Input")]
pub(crate) struct RatingsInput {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Text and Parquet hold a table, one line a row, in place of one rating a line.
    #[arg(long, conflicts_with = "triplets")]
    pub(crate) wide: bool,
}

/// Fit a recommender to ratings.
///
/// RATINGS holds one rating a line (row, column, rating: the first three fields unless --triplets says), a table with --wide, or a matrix in a
/// binary format. With --json stdout holds one JSON object with the keys model, rows, cols, ratings, levels, parameters, steps, stop_reason,
/// holdout_rmse, seconds, seed.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf recommend fit ratings.csv --model als -o ratings.model")]
pub(crate) struct RecommendFit {
    /// The ratings: text (also .gz), .parquet, .npz, .mtx, .npy or .mat; - is stdin.
    pub(crate) ratings: PathBuf,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    /// Fit only the ratings in these cells: a matrix that is not zero there, or pairs.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) train_mask: Option<PathBuf>,
    /// By what ratings are predicted.
    #[arg(long, value_enum, value_name = "MODEL", default_value = "als", help_heading = "Fit")]
    model: ModelName,
    /// Of als and latent: the length of a latent; 0, for als, leaves the offsets alone.
    #[arg(long, value_name = "N", default_value_t = RecommenderSettings::default().rank, help_heading = "Fit")]
    rank: usize,
    /// Of als: the ridge of the latents [default: 9 standard deviations of the ratings].
    #[arg(long, value_name = "LAMBDA", value_parser = value::positive, allow_hyphen_values = true, help_heading = "Fit")]
    ridge: Option<f64>,
    /// Of all but linear: the ridge of the offsets (of two-tower and discrete: those for what is unknown).
    #[arg(long, value_name = "LAMBDA", value_parser = value::positive, allow_hyphen_values = true, default_value_t = RecommenderSettings::default().offset_ridge, help_heading = "Fit")]
    offset_ridge: f64,
    /// Of als: the ridges of a row or column count once for each of its ratings.
    #[arg(long, help_heading = "Fit")]
    by_count: bool,
    /// Of als: sweeps at most.
    #[arg(long, value_name = "N", default_value_t = RecommenderSettings::default().sweeps, help_heading = "Fit")]
    sweeps: u64,
    /// Of all but linear: the share of the ratings that says when to stop and calibrates probabilities; all are fitted after that.
    #[arg(long, value_name = "SHARE", value_parser = value::share, allow_hyphen_values = true, default_value_t = RecommenderSettings::default().validation, help_heading = "Fit")]
    validation: f64,
    /// Of two-tower and discrete, autorec and latent: passes over the ratings at most [default: 300 for towers; else until what is held out is predicted worse].
    #[arg(long, value_name = "N", help_heading = "Fit")]
    epochs: Option<u64>,
    /// Of autorec: the length of a code [default: 500]; of latent: the width of the hidden layer [default: 20].
    #[arg(long, value_name = "N", help_heading = "Fit")]
    hidden: Option<usize>,
    /// Of autorec and latent: the penalty of the weights (and latents) [default: 60; the better one of 25 and 5].
    #[arg(long, value_name = "LAMBDA", value_parser = value::not_negative, allow_hyphen_values = true, help_heading = "Fit")]
    penalty: Option<f64>,
    /// Of two-tower and discrete: how wide the towers are.
    #[arg(
        long,
        value_enum,
        value_name = "SIZE",
        default_value = "published",
        help_heading = "Fit"
    )]
    size: SizeName,
    /// Of two-tower and discrete: with which probability dropout keeps a number [default: 0.1, from 500,000 ratings on 0.2; for small towers 0.5].
    #[arg(long, value_name = "SHARE", value_parser = value::positive, allow_hyphen_values = true, help_heading = "Fit")]
    keep: Option<f64>,
    /// Of two-tower and discrete: the least share of its ratings that a row or column shows in training; less than 1 for what is to be folded in.
    #[arg(long, value_name = "SHARE", value_parser = value::positive, allow_hyphen_values = true, default_value_t = RecommenderSettings::default().shown, help_heading = "Fit")]
    shown: f64,
    /// Of two-tower and discrete: keep the towers that did not see what was held out, which halves the time.
    #[arg(long, help_heading = "Fit")]
    no_refit: bool,
    /// The levels that ratings may have, ascending, with commas between [default: those that occur, if there are at most 50].
    #[arg(
        long,
        value_name = "LEVELS",
        value_delimiter = ',',
        allow_hyphen_values = true,
        help_heading = "Fit"
    )]
    pub(crate) levels: Vec<f64>,
    /// The seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Fit")]
    pub(crate) seed: u64,
    /// The file of the fitted recommender.
    #[arg(long, short, value_name = "MODEL", help_heading = "Output")]
    pub(crate) output: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// A model of ratings, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ModelName {
    /// Offsets and latents by alternating least squares.
    Als,
    /// The completion by deep linear networks, chosen by cross-validation.
    Linear,
    /// An autoencoder over the columns.
    Autorec,
    /// Latents that are free parameters, decoded by a network.
    Latent,
    /// Two networks, over the ratings of a row and of a column.
    TwoTower,
    /// Two towers with levels that are learned beside them.
    Discrete,
}

/// How wide two towers are, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SizeName {
    /// 2048 and 1024.
    Published,
    /// 128 and 32.
    Small,
}

/// Take in rows and columns that are new after the fit, without training.
///
/// NEW holds ratings as for fit. Of a row or column that the fit did not know, those by columns and rows that it knew are its input; ratings that the fit
/// could have had, and those of a new row and a new column, are left out. The recommender that is written knows what is new, and its blocks of
/// `evaluate` count it as new. With --json stdout holds one JSON object with the keys rows, cols, ratings, left_out.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf recommend fold-in ratings.model new.csv -o larger.model"
)]
pub(crate) struct RecommendFoldIn {
    /// The fitted recommender.
    pub(crate) model: PathBuf,
    /// The ratings of what is new, as for fit.
    pub(crate) ratings: PathBuf,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    /// The file of the recommender that knows them.
    #[arg(long, short, value_name = "OUT", help_heading = "Output")]
    pub(crate) output: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Judge a recommender by ratings that it has not seen.
///
/// Rows and columns are matched by their labels. A row or column that was not rated in the fit is predicted by the mean and the offset of the other
/// one. With --json stdout holds one JSON object with the keys ratings, rmse, mae, exact_rate, log_loss, rmse_rounded, mae_rounded, rmse_discrete,
/// mae_discrete, rmse_blocks {seen_seen, new_row, new_column, new_both}, reliability [{said, seen, count}], ranking (null without --top) {top, threshold,
/// negatives, rows, relevant, precision, recall, ndcg, hit_rate}, parameters, seconds.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf recommend evaluate ratings.model test.csv --json")]
pub(crate) struct RecommendEvaluate {
    /// The fitted recommender.
    pub(crate) model: PathBuf,
    /// The ratings, as for fit.
    pub(crate) ratings: PathBuf,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    /// Judge only by the ratings in these cells: a matrix that is not zero there, or pairs.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) test_mask: Option<PathBuf>,
    /// Judge rankings too: so many places of a list count.
    #[arg(long, value_name = "N", value_parser = value::count, help_heading = "Ranking")]
    pub(crate) top: Option<usize>,
    /// Columns that are drawn against each relevant one for the rate of hits.
    #[arg(long, value_name = "N", default_value_t = RankingSettings::default().negatives, requires = "top", help_heading = "Ranking")]
    pub(crate) negatives: usize,
    /// The least rating that is relevant [default: where the upper quarter of the range begins].
    #[arg(
        long,
        value_name = "RATING",
        allow_hyphen_values = true,
        requires = "top",
        help_heading = "Ranking"
    )]
    pub(crate) relevant: Option<f64>,
    /// The seed of the drawn columns.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "top", help_heading = "Ranking")]
    pub(crate) seed: u64,
    /// Write a page with the errors and a reliability diagram.
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub(crate) report: Option<PathBuf>,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Predict the ratings of pairs.
///
/// PAIRS holds one pair a line: row and column, the first two fields unless --triplets says; a first line of words over numbers is a header. The
/// predictions go to -o, else to stdout: row, column, value, and what of the pair was rated in the fit (both, row, column, neither). Where the row or the
/// column was not, the prediction is the mean and the offset of the other one.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf recommend predict ratings.model pairs.csv -o predicted.csv"
)]
pub(crate) struct RecommendPredict {
    /// The fitted recommender.
    pub(crate) model: PathBuf,
    /// The pairs: text (also .gz) or .parquet, or the known cells of a matrix; - is stdin.
    pub(crate) pairs: PathBuf,
    /// Write lower and upper, too: an interval that holds so large a share of the true ratings; empty where the row or the column was not rated in the fit.
    #[arg(long, value_name = "COVERAGE", value_parser = value::fraction, allow_hyphen_values = true)]
    pub(crate) interval: Option<f64>,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    #[command(flatten)]
    pub(crate) written: Written,
}

/// Recommend columns to a row.
///
/// Columns that the row has rated are left out. The list goes to stdout, best first: column, value. A row that was not rated in the fit gets the columns
/// with the highest offsets. With --json stdout holds one JSON object with the keys row, known, items [{column, value}].
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  deepmf recommend top ratings.model --row 196 -n 10")]
pub(crate) struct RecommendTop {
    /// The fitted recommender.
    pub(crate) model: PathBuf,
    /// The row: its label, or its place from 0 where the ratings had no labels.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) row: String,
    /// How many columns.
    #[arg(long, short = 'n', value_name = "N", value_parser = value::count, default_value = "10")]
    pub(crate) count: usize,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Say which ratings of a row carried a prediction.
///
/// The prediction is the mean and the offset of the column (base) and what each rating of the row adds (share), by the ridge solution of the row; the list goes
/// to stdout, the largest share first, whichever its sign: column, rating, share. With --json stdout holds one JSON object with the keys row, column, prediction, solved
/// (base and all shares), base, ratings [{column, rating, share}].
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf recommend explain ratings.model --row 196 --column 242 -n 5"
)]
pub(crate) struct RecommendExplain {
    /// The fitted recommender.
    pub(crate) model: PathBuf,
    /// The row: its label, or its place from 0 where the ratings had no labels.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) row: String,
    /// The column, likewise.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) column: String,
    /// How many ratings.
    #[arg(long, short = 'n', value_name = "N", value_parser = value::count, default_value = "5")]
    pub(crate) count: usize,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Compare models on the same ratings by cross-validation.
///
/// Each model is fitted to all folds but one and judged by that one, in turn; a table goes to stderr. With --json stdout holds one JSON object with the keys
/// ratings, folds, models [{model, rmse, rmse_error, mae, exact_rate, log_loss, seconds}]: means over the folds, and the standard error of the first.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf recommend compare ratings.csv --models als,linear --folds 5"
)]
pub(crate) struct RecommendCompare {
    /// The ratings, as for fit.
    pub(crate) ratings: PathBuf,
    #[command(flatten)]
    pub(crate) input: RatingsInput,
    /// The models [default: all].
    #[arg(long, value_enum, value_name = "MODELS", value_delimiter = ',')]
    models: Vec<ModelName>,
    /// Folds.
    #[arg(long, value_name = "N", value_parser = value::count, default_value = "5")]
    pub(crate) folds: usize,
    /// The seed of the folds and of the fits.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print one JSON object on stdout.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

impl RecommendCompare {
    /// The settings of the models, all else by default.
    pub(crate) fn settings(&self) -> Vec<RecommenderSettings> {
        let all = ModelName::value_variants();
        let names = if self.models.is_empty() { all } else { &self.models };
        let with =
            |name: &ModelName| RecommenderSettings { model: name.model(), ..Default::default() };
        names.iter().map(with).collect()
    }
}

impl ModelName {
    fn model(self) -> RatingModel {
        match self {
            Self::Als => RatingModel::Als,
            Self::Linear => RatingModel::Linear,
            Self::Autorec => RatingModel::Autorec,
            Self::Latent => RatingModel::Latent,
            Self::TwoTower => RatingModel::TwoTower,
            Self::Discrete => RatingModel::Discrete,
        }
    }
}

impl RecommendFit {
    /// The settings for the library.
    pub(crate) fn settings(&self) -> RecommenderSettings {
        RecommenderSettings {
            model: self.model.model(),
            rank: self.rank,
            ridge: self.ridge,
            offset_ridge: self.offset_ridge,
            by_count: self.by_count,
            sweeps: self.sweeps,
            validation: self.validation,
            size: match self.size {
                SizeName::Published => TowerSize::Published,
                SizeName::Small => TowerSize::Small,
            },
            keep: self.keep,
            shown: self.shown,
            refit: !self.no_refit,
            epochs: self.epochs,
            hidden: self.hidden,
            penalty: self.penalty,
        }
    }
}
