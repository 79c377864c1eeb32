//! The probability of every level of a rating scale given a score.

use super::Discretizer;
use super::discretizer::sigmoid;
use crate::{Error, Result};

/// The probability of every level given a score, by the cumulative form P(R > v_k) = σ(λ_k (s − b_k)).
#[derive(Clone, Debug, PartialEq)]
pub struct LevelProbabilities {
    levels: Vec<f64>,
    /// λ_k and b_k.
    cumulative: Vec<(f64, f64)>,
}

/// Newton steps of a fit, at most, and the weight of its ridge on log λ.
const STEPS: usize = 60;
const RIDGE: f64 = 1e-3;

impl LevelProbabilities {
    /// Fits λ_k and b_k to held-out scores and their ratings, each k by maximum likelihood with a slight pull on λ_k towards 1.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there are as many scores as ratings; [`Error::Parameter`] if there are none or a rating is no level.
    pub fn fit(scale: &Discretizer, scores: &[f64], ratings: &[f64]) -> Result<Self> {
        if scores.len() != ratings.len() {
            let expected = format!("{} numbers, one a rating,", ratings.len());
            return Err(Error::shape("the list of scores", expected, scores.len()));
        }
        if scores.is_empty() {
            return Err(Error::parameter("the number of held-out ratings", "1 or more", 0));
        }
        if let Some(found) = ratings.iter().find(|r| !scale.levels().contains(r)) {
            let levels: Vec<String> = scale.levels().iter().map(f64::to_string).collect();
            let expected = format!("one of {}", levels.join(", "));
            return Err(Error::parameter("every held-out rating", expected, found));
        }
        let cumulative = scale.levels()[..scale.levels().len() - 1].iter().zip(scale.boundaries());
        let cumulative = cumulative.map(|(level, b)| logistic(scores, ratings, *level, *b));
        Ok(Self { levels: scale.levels().to_vec(), cumulative: cumulative.collect() })
    }

    /// From λ_k and b_k, one pair between each two levels.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one pair between each two levels; [`Error::Parameter`] unless every λ_k is above 0 and every b_k finite.
    pub fn new(scale: &Discretizer, cumulative: Vec<(f64, f64)>) -> Result<Self> {
        let (expected, found) = (scale.levels().len() - 1, cumulative.len());
        if expected != found {
            let expected = format!("{expected} pairs, one between each two levels,");
            return Err(Error::shape("the list of probabilities' curves", expected, found));
        }
        let is_right =
            |(steep, b): &&(f64, f64)| steep.is_finite() && *steep > 0.0 && b.is_finite();
        if let Some((steep, b)) = cumulative.iter().find(|pair| !is_right(pair)) {
            let found = format!("{steep} at {b}");
            return Err(Error::parameter("a curve of probabilities", "finite and rising", found));
        }
        Ok(Self { levels: scale.levels().to_vec(), cumulative })
    }

    /// The median level: the least one that the rating is above with probability at most ½.
    pub fn median(&self, score: f64) -> f64 {
        let mut at_most = 0.0;
        let chances = self.at(score).into_iter().zip(&self.levels);
        let found = chances.into_iter().find(|(p, _)| {
            at_most += p;
            at_most >= 0.5
        });
        found.map_or(self.levels[self.levels.len() - 1], |(_, level)| *level)
    }

    /// λ_k and b_k, one pair between each two levels.
    pub fn cumulative(&self) -> &[(f64, f64)] {
        &self.cumulative
    }

    /// P(R = v) for every level v, ascending. Where the curves of two boundaries cross, P(R > v) is pooled so that it never rises with v.
    pub fn at(&self, score: f64) -> Vec<f64> {
        let above: Vec<f64> =
            self.cumulative.iter().map(|(steep, b)| sigmoid(steep * (score - b))).collect();
        let above = pooled(&above);
        let mut out = Vec::with_capacity(self.levels.len());
        let mut before = 1.0;
        for p in above.into_iter().chain([0.0]) {
            out.push(before - p);
            before = p;
        }
        out
    }

    /// Σ v P(R = v): the mean of the rating.
    pub fn mean(&self, score: f64) -> f64 {
        self.at(score).iter().zip(&self.levels).map(|(p, level)| p * level).sum()
    }
}

/// λ and b of P(R > level) = σ(λ (s − b)), as slope λ and offset −λ b of a logistic regression from λ = 1.
fn logistic(scores: &[f64], ratings: &[f64], level: f64, start: f64) -> (f64, f64) {
    let count = scores.len() as f64;
    // log λ and b: λ stays above 0.
    let (mut log_steep, mut b) = (0.0_f64, start);
    let loss = |log_steep: f64, b: f64| {
        let steep = log_steep.exp();
        let pairs = scores.iter().zip(ratings);
        let sum: f64 = pairs
            .map(|(s, r)| {
                let x = steep * (s - b);
                // log(1 + e^{±x}) without overflow.
                let x = if *r > level { -x } else { x };
                x.max(0.0) + (-x.abs()).exp().ln_1p()
            })
            .sum();
        sum / count + RIDGE * (log_steep * log_steep + (b - start).powi(2))
    };
    let mut value = loss(log_steep, b);
    for _ in 0..STEPS {
        let steep = log_steep.exp();
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for (s, r) in scores.iter().zip(ratings) {
            let p = sigmoid(steep * (s - b));
            let off = p - f64::from(u8::from(*r > level));
            // d x / d log λ = x, d x / d b = −λ; the curvature of x itself is left out, which keeps the matrix positive.
            let d = [steep * (s - b), -steep];
            let w = p * (1.0 - p);
            for i in 0..2 {
                g[i] += off * d[i] / count;
            }
            h[0] += w * d[0] * d[0] / count;
            h[1] += w * d[0] * d[1] / count;
            h[2] += w * d[1] * d[1] / count;
        }
        g[0] += 2.0 * RIDGE * log_steep;
        g[1] += 2.0 * RIDGE * (b - start);
        h[0] += 2.0 * RIDGE;
        h[2] += 2.0 * RIDGE;
        let determinant = h[0] * h[2] - h[1] * h[1];
        let step =
            [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        let mut length = 1.0;
        let next = loop {
            let next = loss(log_steep - length * step[0], b - length * step[1]);
            if next <= value || length < 1e-6 {
                break next;
            }
            length *= 0.5;
        };
        if next.is_nan() || next >= value {
            break;
        }
        log_steep -= length * step[0];
        b -= length * step[1];
        let fall = value - next;
        value = next;
        if fall < 1e-14 {
            break;
        }
    }
    (log_steep.exp(), b)
}

/// The nearest sequence that never rises, by pooling neighbours that do.
fn pooled(values: &[f64]) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for value in values {
        blocks.push((*value, 1));
        while let [.., before, last] = &mut blocks[..] {
            if before.0 >= last.0 {
                break;
            }
            let count = before.1 + last.1;
            before.0 = (before.0 * before.1 as f64 + last.0 * last.1 as f64) / count as f64;
            before.1 = count;
            blocks.pop();
        }
    }
    blocks.into_iter().flat_map(|(value, count)| std::iter::repeat_n(value, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, RngExt, stream};

    fn stars() -> Discretizer {
        Discretizer::new(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap()
    }

    #[test]
    fn calibration_finds_the_law_that_ratings_were_drawn_from() {
        let scale = stars();
        let truth = LevelProbabilities {
            levels: scale.levels().to_vec(),
            cumulative: vec![(2.0, 1.3), (1.5, 2.4), (1.8, 3.5), (2.2, 4.6)],
        };
        let mut random = stream(2, Purpose::Noise, 0);
        let scores: Vec<f64> = (0..40_000).map(|_| random.random_range(1.0..5.0)).collect();
        let ratings: Vec<f64> = scores
            .iter()
            .map(|s| {
                let mut u: f64 = random.random();
                let p = truth.at(*s);
                let place = p.iter().position(|p| {
                    u -= p;
                    u < 0.0
                });
                scale.levels()[place.unwrap_or(4)]
            })
            .collect();
        let found = LevelProbabilities::fit(&scale, &scores, &ratings).unwrap();
        for ((steep, b), (s, c)) in found.cumulative().iter().zip(truth.cumulative()) {
            assert!((steep / s - 1.0).abs() < 0.06 && (b - c).abs() < 0.05, "{found:?}");
        }
        let p = found.at(3.3);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|p| *p >= 0.0));
        assert!((found.mean(3.3) - truth.mean(3.3)).abs() < 0.03);
    }

    #[test]
    fn curves_that_cross_are_pooled() {
        let crossed = LevelProbabilities {
            levels: vec![1.0, 2.0, 3.0],
            cumulative: vec![(1.0, 2.0), (5.0, 2.0)],
        };
        let p = crossed.at(3.0);
        assert!(p.iter().all(|p| *p >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(pooled(&[0.2, 0.5, 0.1]), [0.35, 0.35, 0.1]);
    }

    #[test]
    fn the_median_level_changes_where_a_curve_is_one_half() {
        let curves = vec![(2.0, 1.3), (1.5, 2.4), (1.8, 3.5), (2.2, 4.6)];
        let made = LevelProbabilities::new(&stars(), curves).unwrap();
        let medians = [0.0, 1.29, 1.31, 3.49, 3.51, 4.7].map(|s| made.median(s));
        assert_eq!(medians, [1.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert!(LevelProbabilities::new(&stars(), vec![(1.0, 2.0)]).is_err());
        assert!(LevelProbabilities::new(&stars(), vec![(0.0, 2.0); 4]).is_err());
    }

    #[test]
    fn ratings_off_the_scale_are_refused() {
        let off = LevelProbabilities::fit(&stars(), &[3.0], &[3.5]).unwrap_err().to_string();
        assert_eq!(off, "every held-out rating must be one of 1, 2, 3, 4, 5, but it is 3.5");
    }
}
