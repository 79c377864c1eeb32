//! How well a recommender ranks: lists of what a row has not rated, against what it then rated highly.

use std::collections::BTreeSet;

use super::Recommends;
use crate::analysis::metrics::{hit, ndcg, precision, recall};
use crate::data::Table;
use crate::random::{Purpose, RngExt, Stream, stream};
use crate::{Error, Result};

/// A rating in this upper part of the range is relevant where nothing else is said.
const UPPER: f64 = 0.25;

/// How rankings are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankingSettings {
    /// Places of a list that count.
    pub top: usize,
    /// Columns drawn against each relevant one for the rate of hits.
    pub negatives: usize,
    /// The least rating that is relevant; if none, where the upper quarter of the range of the fitted ratings begins (4 of 1 to 5).
    pub threshold: Option<f64>,
    /// Draws the negatives.
    pub seed: u64,
}

impl Default for RankingSettings {
    fn default() -> Self {
        Self { top: 10, negatives: 99, threshold: None, seed: 0 }
    }
}

/// How well rows were ranked.
///
/// Ranked are the columns that were rated in the fit and that the row had not rated there. Relevant are those that it rates at the threshold or above in the
/// test. Precision, recall and NDCG are means over rows with a relevant column; a hit is a relevant column that scores among the first
/// beside the drawn ones, which the row rated neither in the fit nor in the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Places that count.
    pub top: usize,
    /// The least rating that is relevant.
    pub threshold: f64,
    /// Rows with something relevant.
    pub rows: usize,
    /// What is relevant, over all rows.
    pub relevant: usize,
    /// The mean share of relevant ones among the first.
    pub precision: f64,
    /// The mean share of the relevant ones that are among the first.
    pub recall: f64,
    /// The mean normalised discounted cumulative gain.
    pub ndcg: f64,
    /// The share of relevant columns that are hits.
    pub hit_rate: f64,
}

impl Recommends {
    /// Judges rankings by the ratings in a table, matched as by [`Recommends::pairs`]; ratings of rows and columns without one in the fit, and those that were
    /// in the fit, say nothing here.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `top` is 0 or nothing is relevant.
    pub fn ranking(&self, table: &Table, settings: &RankingSettings) -> Result<Ranking> {
        let RankingSettings { top, negatives, threshold, seed } = *settings;
        if top == 0 {
            return Err(Error::parameter("the number of places", "1 or more", top));
        }
        let (least, most) = self.range;
        let threshold = threshold.unwrap_or(most - UPPER * (most - least));
        let rows = self.factors.shape().0;
        let (mut rated, mut relevant) = (vec![BTreeSet::new(); rows], vec![BTreeSet::new(); rows]);
        for (pair, rating) in self.pairs(table).into_iter().zip(table.entries.values()) {
            let (Some(row), Some(col)) = pair else { continue };
            rated[row].insert(col);
            if *rating >= threshold && self.seen(row).binary_search(&(col as u32)).is_err() {
                relevant[row].insert(col);
            }
        }
        let (mut judged, mut count, mut hits, mut sums) = (0, 0, 0, [0.0; 3]);
        for (row, relevant) in relevant.iter().enumerate().filter(|(_, r)| !r.is_empty()) {
            let list: Vec<usize> =
                self.recommend(Some(row), top).into_iter().map(|item| item.0).collect();
            judged += 1;
            for (sum, measure) in sums.iter_mut().zip([precision, recall, ndcg]) {
                *sum += measure(&list, relevant, top);
            }
            let mut open: Vec<usize> = (0..self.factors.shape().1)
                .filter(|j| self.is_open(row, *j) && !rated[row].contains(j))
                .collect();
            let mut draws = stream(seed, Purpose::Observation, row as u64);
            for &col in relevant {
                let score = |j: usize| self.factors.at(row, j);
                let others: Vec<f64> =
                    drawn(&mut open, negatives, &mut draws).iter().map(|j| score(*j)).collect();
                count += 1;
                hits += usize::from(hit(score(col), &others, top));
            }
        }
        if judged == 0 {
            let name = format!("the number of test ratings of {threshold} or more in known pairs");
            return Err(Error::parameter(name, "1 or more", 0));
        }
        let [precision, recall, ndcg] = sums.map(|sum| sum / judged as f64);
        let hit_rate = hits as f64 / count as f64;
        Ok(Ranking {
            top,
            threshold,
            rows: judged,
            relevant: count,
            precision,
            recall,
            ndcg,
            hit_rate,
        })
    }
}

/// `count` of the list at random without repetition, or all; they come to its front.
fn drawn<'l>(list: &'l mut [usize], count: usize, draws: &mut Stream) -> &'l [usize] {
    let count = count.min(list.len());
    for place in 0..count {
        let other = draws.random_range(place..list.len());
        list.swap(place, other);
    }
    &list[..count]
}
