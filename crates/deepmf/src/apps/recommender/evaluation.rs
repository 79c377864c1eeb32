//! How well a recommender predicts ratings that it has not seen.

use super::{Known, Recommends};
use crate::Result;
use crate::analysis::metrics::{
    Reliability, exact_rate, level_log_loss, mean_absolute_error, reliability,
    root_mean_square_error,
};
use crate::data::Table;

/// Bins of a reliability diagram.
const BINS: usize = 10;

/// Errors on test ratings. What needs levels or their probabilities is none where the recommender has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Number of test ratings.
    pub ratings: usize,
    /// Root mean squared error of the predictions.
    pub rmse: f64,
    /// Mean absolute error of the predictions.
    pub mae: f64,
    /// The same for predictions rounded to the nearest level, on a tie to the lower one.
    pub rmse_rounded: Option<f64>,
    /// The same for rounded predictions.
    pub mae_rounded: Option<f64>,
    /// The same for the median level of the calibrated probabilities; of a discrete model for the level that its boundaries say.
    pub rmse_discrete: Option<f64>,
    /// The same for median levels.
    pub mae_discrete: Option<f64>,
    /// The share of ratings that are the median level.
    pub exact_rate: Option<f64>,
    /// The mean of −ln P(rating).
    pub log_loss: Option<f64>,
    /// Said against seen probabilities of all levels, in ten bins; empty without probabilities.
    pub reliability: Vec<Reliability>,
    /// How many ratings of which row and column, the row alone, the column alone, neither were known in the fit (what was folded in was not), and the
    /// root mean squared error on them.
    pub blocks: [(Known, usize, Option<f64>); 4],
}

impl Recommends {
    /// Judges predictions of the ratings in a table, matched as by [`Recommends::pairs`].
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if there are none, or one is not among the levels.
    pub fn evaluate(&self, table: &Table) -> Result<Evaluation> {
        let truth = table.entries.values();
        let pairs = self.pairs(table);
        let predictions: Vec<_> = pairs.iter().map(|pair| self.predict(*pair)).collect();
        let scores: Vec<f64> = predictions.iter().map(|prediction| prediction.value).collect();
        let (rmse, mae) =
            (root_mean_square_error(&scores, truth)?, mean_absolute_error(&scores, truth)?);
        let block = |known: Known| {
            let cells = predictions.iter().zip(truth).zip(&pairs);
            let here = cells.filter(|(_, pair)| self.known_in_fit(**pair) == known);
            let (found, is): (Vec<f64>, Vec<f64>) = here.map(|((p, x), _)| (p.value, *x)).unzip();
            (known, is.len(), root_mean_square_error(&found, &is).ok())
        };
        let mut evaluation = Evaluation {
            ratings: truth.len(),
            rmse,
            mae,
            rmse_rounded: None,
            mae_rounded: None,
            rmse_discrete: None,
            mae_discrete: None,
            exact_rate: None,
            log_loss: None,
            reliability: Vec::new(),
            blocks: [Known::Both, Known::Row, Known::Column, Known::Neither].map(block),
        };
        let Some(scale) = &self.scale else { return Ok(evaluation) };
        let places = truth.iter().map(|x| scale.place_of(*x)).collect::<Result<Vec<usize>>>()?;
        let rounded: Vec<f64> = scores.iter().map(|score| scale.level(*score)).collect();
        evaluation.rmse_rounded = Some(root_mean_square_error(&rounded, truth)?);
        evaluation.mae_rounded = Some(mean_absolute_error(&rounded, truth)?);
        let answer = |score: &f64| match (&self.learned_scale, &self.probabilities) {
            (Some(learned), _) => Some(learned.level(*score)),
            (None, probabilities) => probabilities.as_ref().map(|p| p.median(*score)),
        };
        if let Some(answers) = scores.iter().map(answer).collect::<Option<Vec<f64>>>() {
            evaluation.rmse_discrete = Some(root_mean_square_error(&answers, truth)?);
            evaluation.mae_discrete = Some(mean_absolute_error(&answers, truth)?);
            evaluation.exact_rate = Some(exact_rate(&answers, truth)?);
        }
        let Some(probabilities) = &self.probabilities else { return Ok(evaluation) };
        let chances: Vec<Vec<f64>> = scores.iter().map(|score| probabilities.at(*score)).collect();
        evaluation.log_loss = Some(level_log_loss(&chances, &places)?);
        evaluation.reliability = reliability(&chances, &places, BINS)?;
        Ok(evaluation)
    }
}
