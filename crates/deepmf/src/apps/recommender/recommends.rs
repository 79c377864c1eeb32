//! A fitted recommender: its predictions, and what it would recommend.

use crate::data::Entries;
use crate::linalg::{Pattern, dot, norm};
use crate::model::{Discretizer, Factors, LevelProbabilities, TwoTower};
use crate::spec::RecommenderSettings;
use crate::train::StopReason;

/// The standard deviation of ratings about their predictions where nothing was held out, as a share of the range.
const DEVIATION: f64 = 0.25;

/// What came of fitting ratings.
#[derive(Clone, Debug)]
pub struct Recommends {
    /// Offsets and factors, whatever the model.
    pub factors: Factors,
    /// Names of the rows, where the ratings had them.
    pub row_labels: Option<Vec<String>>,
    /// Names of the columns, where the ratings had them.
    pub col_labels: Option<Vec<String>>,
    /// The least and the largest rating: predictions stay within.
    pub range: (f64, f64),
    /// The levels; none if the ratings are no levels.
    pub scale: Option<Discretizer>,
    /// The probability of each level, calibrated on ratings that a fit did not see; none if there are no levels or nothing was held out.
    pub probabilities: Option<LevelProbabilities>,
    /// Root mean squared error on these ratings.
    pub held_rmse: Option<f64>,
    /// Number of numbers that were fitted.
    pub parameters: usize,
    /// Sweeps or steps of the last fit.
    pub steps: u64,
    /// How the fit ended.
    pub reason: StopReason,
    /// The seed.
    pub seed: u64,
    /// The settings.
    pub settings: RecommenderSettings,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// The levels with the boundaries that a discrete model learned.
    pub learned_scale: Option<Discretizer>,
    pub(super) towers: Option<TwoTower<f32>>,
    pub(super) fallback: Option<Factors>,
    /// Which rows, and columns, were folded in after the fit.
    pub(super) folded: [Vec<bool>; 2],
    pub(super) seen: Pattern,
    /// The ratings of the fit, row after row as in `seen`.
    pub(super) ratings: Vec<f64>,
    /// |rating − prediction| of what was held out, ascending.
    pub(super) held_errors: Vec<f64>,
    pub(super) rated: Vec<bool>,
}

/// What was known of a pair when it was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Row and column.
    Both,
    /// The row alone: the column was not rated in the fit, so the prediction is the mean and the offset of the row.
    Row,
    /// The column alone: the mean and the offset of the column.
    Column,
    /// Nothing: the mean.
    Neither,
}

impl Known {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Row => "row",
            Self::Column => "column",
            Self::Neither => "neither",
        }
    }

    pub(super) fn of(pair: (Option<usize>, Option<usize>)) -> Self {
        match pair {
            (Some(_), Some(_)) => Self::Both,
            (Some(_), None) => Self::Row,
            (None, Some(_)) => Self::Column,
            (None, None) => Self::Neither,
        }
    }
}

/// A predicted rating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The rating, within the range of the fitted ones.
    pub value: f64,
    /// What it is based on.
    pub known: Known,
    /// The interval that was asked for, lower and upper end.
    pub interval: Option<(f64, f64)>,
}

impl Recommends {
    /// A fit of which only the factors and what they saw are known.
    pub(super) fn new(factors: Factors, entries: &Entries, range: (f64, f64)) -> Self {
        let mut made = Self {
            seen: Pattern::new((0, 0), &[], &[]).0,
            ratings: Vec::new(),
            held_errors: Vec::new(),
            rated: Vec::new(),
            learned_scale: None,
            towers: None,
            fallback: None,
            folded: [vec![false; factors.shape().0], vec![false; factors.shape().1]],
            parameters: factors.len(),
            factors,
            row_labels: None,
            col_labels: None,
            range,
            scale: None,
            probabilities: None,
            held_rmse: None,
            steps: 0,
            reason: StopReason::StepsDone,
            seed: 0,
            settings: RecommenderSettings::default(),
            seconds: 0.0,
        };
        made.remember(entries);
        made
    }

    /// Remembers which ratings are known.
    pub(super) fn remember(&mut self, entries: &Entries) {
        self.rated = vec![false; entries.shape().1];
        entries.cols().iter().for_each(|j| self.rated[*j as usize] = true);
        let (seen, places) = Pattern::new(entries.shape(), entries.rows(), entries.cols());
        self.ratings = vec![0.0; entries.len()];
        for (place, rating) in places.iter().zip(entries.values()) {
            self.ratings[*place as usize] = *rating;
        }
        self.seen = seen;
    }

    /// The columns that a row rated, ascending.
    pub fn seen(&self, row: usize) -> &[u32] {
        self.seen.row(row).1
    }

    /// The ratings of these columns, in their order.
    pub fn ratings_of(&self, row: usize) -> &[f64] {
        let (begin, cols) = self.seen.row(row);
        &self.ratings[begin..begin + cols.len()]
    }

    /// The variance of ratings about their predictions: that of what was held out, or of a quarter of the range.
    pub(super) fn noise(&self) -> f64 {
        let (least, most) = self.range;
        self.held_rmse.unwrap_or(DEVIATION * (most - least)).powi(2)
    }

    /// Whether a column may be recommended to a row.
    pub(super) fn is_open(&self, row: usize, col: usize) -> bool {
        self.rated[col] && self.seen(row).binary_search(&(col as u32)).is_err()
    }

    /// The prediction for a row and a column, either of which may be unknown.
    pub fn predict(&self, pair: (Option<usize>, Option<usize>)) -> Prediction {
        let value = self.score(pair.0, pair.1).clamp(self.range.0, self.range.1);
        Prediction { value, known: Known::of(pair), interval: None }
    }

    /// The prediction before it is put into the range.
    fn score(&self, row: Option<usize>, col: Option<usize>) -> f64 {
        match (&self.fallback, row, col) {
            (Some(offsets), None, _) | (Some(offsets), _, None) => offsets.at_known(row, col),
            _ => self.factors.at_known(row, col),
        }
    }

    /// What of a pair the fit itself knew: what was folded in since is new.
    pub fn known_in_fit(&self, (row, col): (Option<usize>, Option<usize>)) -> Known {
        let [rows, cols] = &self.folded;
        Known::of((row.filter(|i| !rows[*i]), col.filter(|j| !cols[*j])))
    }

    /// The `count` columns with the highest predictions among those that the row has not rated, best first, with their predictions. For a row of which
    /// nothing is known these are the columns of the highest offsets.
    ///
    /// Predictions are within the range of the ratings; the order is that before they were put there.
    pub fn recommend(&self, row: Option<usize>, count: usize) -> Vec<(usize, f64)> {
        let seen = row.map_or(&[][..], |row| self.seen(row));
        let open = |j: &usize| self.rated[*j] && seen.binary_search(&(*j as u32)).is_err();
        let score = |j: usize| (j, self.score(row, Some(j)));
        let mut best = first(count, (0..self.rated.len()).filter(open).map(score).collect());
        for (_, x) in &mut best {
            *x = x.clamp(self.range.0, self.range.1);
        }
        best
    }

    /// The `count` columns whose factors have the largest cosine with those of `col`, without itself, best first.
    pub fn similar(&self, col: usize, count: usize) -> Vec<(usize, f64)> {
        let right = &self.factors.right;
        let length = norm(right.col(col));
        let cosine = |j: usize| {
            let both = length * norm(right.col(j));
            (both > 0.0).then(|| (j, dot(right.col(col), right.col(j)) / both))
        };
        let others = (0..right.cols()).filter(|j| *j != col && self.rated[*j]);
        first(count, others.filter_map(cosine).collect())
    }
}

/// The `count` largest, in order; of equal ones that with the lower id first.
fn first(count: usize, mut scored: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(count);
    scored
}
