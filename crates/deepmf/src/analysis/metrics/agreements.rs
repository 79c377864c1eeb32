//! How well several clusterings of the same samples agree with the classes: the mean, the spread and the best of each measure.

use super::{Agreement, Normalizer};
use crate::{Error, Result};

/// One measure over several clusterings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, over one less than there are; 0 of one.
    pub std: f64,
    /// The largest, which nobody could choose without the classes.
    pub max: f64,
}

/// All measures over several clusterings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreements {
    /// [`Agreement::accuracy`].
    pub accuracy: Scores,
    /// [`Agreement::normalized_mutual_information`] over the larger entropy.
    pub nmi: Scores,
    /// [`Agreement::purity`].
    pub purity: Scores,
    /// [`Agreement::adjusted_rand_index`].
    pub ari: Scores,
    /// [`Agreement::f_score`].
    pub f_score: Scores,
}

impl Scores {
    /// Those of `values`, of which there is one or more.
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        // Around the first value, so that equal ones have exactly that mean and no deviation.
        let first = values.first().copied().unwrap_or(f64::NAN);
        let mean = first + values.iter().map(|x| x - first).sum::<f64>() / count;
        let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        let std = if values.len() > 1 { (square / (count - 1.0)).sqrt() } else { 0.0 };
        Self { mean, std, max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max) }
    }
}

impl Agreements {
    /// The agreement of each of `clusterings`, one cluster a sample, with `classes`.
    ///
    /// # Errors
    /// Those of [`Agreement::new`]; [`Error::Parameter`] if there are no clusterings.
    ///
    /// ```
    /// use deepmf::analysis::metrics::Agreements;
    /// let found = Agreements::new(&[0, 0, 1, 1], [&[5, 5, 7, 7][..], &[5, 5, 5, 7]])?;
    /// assert_eq!((found.accuracy.mean, found.accuracy.max), (0.875, 1.0));
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn new<'a>(
        classes: &[usize],
        clusterings: impl IntoIterator<Item = &'a [usize]>,
    ) -> Result<Self> {
        let all = clusterings.into_iter().map(|labels| Agreement::new(classes, labels));
        let all = all.collect::<Result<Vec<_>>>()?;
        if all.is_empty() {
            return Err(Error::parameter("the number of clusterings", "1 or more", 0));
        }
        let of = |measure: fn(&Agreement) -> f64| {
            Scores::of(&all.iter().map(measure).collect::<Vec<_>>())
        };
        Ok(Self {
            accuracy: of(Agreement::accuracy),
            nmi: of(|it| it.normalized_mutual_information(Normalizer::Max)),
            purity: of(Agreement::purity),
            ari: of(Agreement::adjusted_rand_index),
            f_score: of(Agreement::f_score),
        })
    }

    /// The measures with the names that files and JSON give them.
    pub fn named(&self) -> [(&'static str, Scores); 5] {
        [
            ("acc", self.accuracy),
            ("nmi", self.nmi),
            ("purity", self.purity),
            ("ari", self.ari),
            ("f_score", self.f_score),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample_and_none_of_one() {
        let found = Scores::of(&[1.0, 2.0, 4.0]);
        let expected = Scores { mean: 7.0 / 3.0, std: (7.0_f64 / 3.0).sqrt(), max: 4.0 };
        assert!((found.mean - expected.mean).abs() < 1e-15 && found.max == expected.max);
        assert!((found.std - expected.std).abs() < 1e-15);
        assert_eq!(Scores::of(&[0.5]), Scores { mean: 0.5, std: 0.0, max: 0.5 });
        assert_eq!(Scores::of(&[0.1; 20]), Scores { mean: 0.1, std: 0.0, max: 0.1 });
    }

    #[test]
    fn clusterings_of_other_samples_and_none_at_all_are_refused() {
        assert!(Agreements::new(&[0, 1], [&[0][..]]).is_err());
        let told = Agreements::new(&[0, 1], []).unwrap_err().to_string();
        assert_eq!(told, "the number of clusterings must be 1 or more, but it is 0");
    }
}
