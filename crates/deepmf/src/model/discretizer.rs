//! Ratings on a scale from a continuous score: a piecewise sigmoid with learnable boundaries.

use crate::{Error, Result};

/// Levels v_1 < … < v_V of a rating scale with a boundary between each two neighbours.
///
/// Softly a score s in the cell \[v_k, v_{k+1}\] becomes Q(s) = v_k + (v_{k+1} − v_k) σ(λ (s − b_k)); as λ grows it becomes the level on whose side of
/// the boundary b_k it lies (Nguyen, Tsiligianni and Deligiannis 2018, "Learning discrete matrix factorization models").
///
/// ```
/// use deepmf::model::Discretizer;
///
/// let stars = Discretizer::new(&[1.0, 2.0, 3.0, 4.0, 5.0])?;
/// assert_eq!(stars.level(3.4), 3.0);
/// assert_eq!(stars.level(3.6), 4.0);
/// assert!((stars.soft(3.5, 10.0).value - 3.5).abs() < 1e-12);
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Discretizer {
    levels: Vec<f64>,
    boundaries: Vec<f64>,
}

/// A soft level and its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftLevel {
    /// Q(s).
    pub value: f64,
    /// dQ/ds; the derivative with respect to the boundary of the cell is its negative.
    pub slope: f64,
    /// The cell, counted from 0: its boundary is the one that moves Q.
    pub cell: usize,
}

impl Discretizer {
    /// Boundaries halfway between `levels`, which must ascend.
    ///
    /// # Errors
    /// [`Error::Parameter`] for fewer than two levels or levels that do not ascend; [`Error::NotFinite`].
    pub fn new(levels: &[f64]) -> Result<Self> {
        if let Some(&found) = levels.iter().find(|level| !level.is_finite()) {
            return Err(Error::NotFinite { what: "every level".into(), found });
        }
        if levels.len() < 2 {
            return Err(Error::parameter("the number of levels", "2 or more", levels.len()));
        }
        if let Some([low, high]) = levels.array_windows().find(|[low, high]| low >= high) {
            let found = format!("{low} before {high}");
            return Err(Error::parameter("levels", "ascending", found));
        }
        let boundaries = levels.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
        Ok(Self { levels: levels.to_vec(), boundaries })
    }

    /// The levels that occur among `ratings`, ascending.
    ///
    /// # Errors
    /// As [`Discretizer::new`]: one level alone makes no scale.
    pub fn of_ratings(ratings: &[f64]) -> Result<Self> {
        let mut levels = ratings.to_vec();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        Self::new(&levels)
    }

    /// The levels.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// The place of a rating among the levels.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is none of them.
    pub fn place_of(&self, rating: f64) -> Result<usize> {
        self.levels.iter().position(|level| *level == rating).ok_or_else(|| {
            let words: Vec<String> = self.levels.iter().map(f64::to_string).collect();
            let allowed = format!("one of the levels {}", words.join(", "));
            Error::parameter("every rating", allowed, rating)
        })
    }

    /// The boundaries, one between each two levels.
    pub fn boundaries(&self) -> &[f64] {
        &self.boundaries
    }

    /// Sets the boundaries, each moved into its cell if it lies outside.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one between each two levels; [`Error::NotFinite`].
    pub fn set_boundaries(&mut self, boundaries: &[f64]) -> Result<()> {
        let (expected, found) = (self.levels.len() - 1, boundaries.len());
        if expected != found {
            let expected = format!("{expected} numbers, one between each two levels,");
            return Err(Error::shape("the list of boundaries", expected, found));
        }
        if let Some(&found) = boundaries.iter().find(|b| !b.is_finite()) {
            return Err(Error::NotFinite { what: "every boundary".into(), found });
        }
        let cells = self.levels.windows(2).zip(boundaries);
        self.boundaries = cells.map(|(cell, b)| b.clamp(cell[0], cell[1])).collect();
        Ok(())
    }

    /// The level of a score: the upper one of its cell if it is above the boundary; on it, the lower one. Scores outside the
    /// scale have the level at its end.
    pub fn level(&self, score: f64) -> f64 {
        self.levels[self.place(score)]
    }

    /// The place of [`Discretizer::level`] among the levels.
    pub fn place(&self, score: f64) -> usize {
        self.boundaries.partition_point(|b| score > *b)
    }

    /// Q(s) at steepness λ; a score outside the scale counts as its end.
    pub fn soft(&self, score: f64, steepness: f64) -> SoftLevel {
        let last = self.levels.len() - 1;
        let score = score.clamp(self.levels[0], self.levels[last]);
        let cell = self.levels[1..last].partition_point(|level| score >= *level);
        let (low, high) = (self.levels[cell], self.levels[cell + 1]);
        let share = sigmoid(steepness * (score - self.boundaries[cell]));
        let step = high - low;
        SoftLevel {
            value: low + step * share,
            slope: step * steepness * share * (1.0 - share),
            cell,
        }
    }

    /// The mean square of how far boundaries are from halfway, and its derivatives: what keeps them in their cells.
    pub fn regularizer(&self) -> (f64, Vec<f64>) {
        let count = self.boundaries.len() as f64;
        let cells = self.levels.windows(2).zip(&self.boundaries);
        let off: Vec<f64> = cells.map(|(cell, b)| b - 0.5 * (cell[0] + cell[1])).collect();
        let value = off.iter().map(|x| x * x).sum::<f64>() / count;
        (value, off.iter().map(|x| 2.0 * x / count).collect())
    }
}

/// 1 / (1 + e^{−x}), without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, RngExt, stream};

    fn stars() -> Discretizer {
        Discretizer::new(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap()
    }

    #[test]
    fn hard_levels_are_rounding_and_ties_go_down() {
        let found = [1.0, 1.49, 1.51, 2.5 + 1e-9, 4.999, 5.0, 2.5, -3.0, 9.0];
        let levels = found.map(|s| stars().level(s));
        assert_eq!(levels, [1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 2.0, 1.0, 5.0]);
        let halves = Discretizer::new(&[0.5, 1.0, 1.5, 3.0]).unwrap();
        assert_eq!([0.0, 0.8, 2.2, 2.3].map(|s| halves.level(s)), [0.5, 1.0, 1.5, 3.0]);
    }

    #[test]
    fn a_soft_level_becomes_the_hard_one_as_it_steepens() {
        for s in [1.0, 1.49, 1.51, 2.5 + 1e-3, 4.999, 5.0, 0.2, 7.0] {
            let soft = stars().soft(s, 1e30).value;
            assert_eq!(soft, stars().level(s), "{s}");
        }
    }

    #[test]
    fn derivatives_of_soft_levels_are_difference_quotients() {
        let mut random = stream(1, Purpose::Noise, 0);
        let mut scale = stars();
        scale.set_boundaries(&[1.4, 2.7, 3.5, 4.2]).unwrap();
        for steepness in [0.1, 1.0, 10.0] {
            for _ in 0..200 {
                let s: f64 = random.random_range(1.0..5.0);
                if s.fract() < 1e-3 || s.fract() > 1.0 - 1e-3 {
                    continue;
                }
                let at = scale.soft(s, steepness);
                let ahead = scale.soft(s + 1e-6, steepness).value;
                let behind = scale.soft(s - 1e-6, steepness).value;
                let quotient = (ahead - behind) / 2e-6;
                assert!((at.slope - quotient).abs() < 1e-4 * quotient.abs() + 1e-9, "{s}");
                let moved = |by: f64| {
                    let mut moved = scale.clone();
                    moved.boundaries[at.cell] += by;
                    moved.soft(s, steepness).value
                };
                let quotient = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((at.slope + quotient).abs() < 1e-4 * quotient.abs() + 1e-9);
            }
        }
    }

    #[test]
    fn the_regularizer_is_zero_halfway_and_has_its_derivatives() {
        assert_eq!(stars().regularizer(), (0.0, vec![0.0; 4]));
        let mut scale = stars();
        scale.set_boundaries(&[1.4, 2.7, 3.5, 9.0]).unwrap();
        assert_eq!(scale.boundaries()[3], 5.0);
        let (value, slopes) = scale.regularizer();
        assert!((value - (0.01 + 0.04 + 0.25) / 4.0).abs() < 1e-12);
        assert!((slopes[1] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn scales_that_are_none_are_refused() {
        let told = |levels: &[f64]| Discretizer::new(levels).unwrap_err().to_string();
        assert_eq!(told(&[3.0]), "the number of levels must be 2 or more, but it is 1");
        assert_eq!(told(&[1.0, 3.0, 2.0]), "levels must be ascending, but it is 3 before 2");
        assert!(Discretizer::of_ratings(&[4.0, 4.0]).is_err());
    }
}
