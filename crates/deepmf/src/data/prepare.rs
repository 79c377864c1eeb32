//! Views made ready to be compared: samples of unit length, perhaps of counts that are weighted first, or features of mean 0 and variance 1.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Entries, Features, View};
use crate::linalg::Mat;
use crate::{Error, Result};

/// A view with fewer stored numbers than this share of its cells is sparse.
const SPARSE: f64 = 0.2;

/// How a view is made ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preparation {
    /// Where no number is negative and at most a fifth of them is not zero, counts if all of them are whole and else samples of unit length; standardised
    /// features otherwise.
    #[default]
    Auto,
    /// Of a count x in one of n known samples, f of which have the feature: ln(1 + x) ln(1 + n/f); then each sample is divided by its length.
    Counts,
    /// Each sample is divided by its length; one of zeros stays.
    Unit,
    /// Each feature gets mean 0 and variance 1 over the known samples; a constant one becomes zero.
    Standard,
    /// Numbers stay as they are.
    Raw,
}

impl fmt::Display for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Counts => "counts",
            Self::Unit => "unit",
            Self::Standard => "standard",
            Self::Raw => "raw",
        })
    }
}

/// What makes a view ready, kept so that new samples can be made ready alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewTransform {
    /// How; never [`Preparation::Auto`], which chooses one.
    pub how: Preparation,
    width: usize,
    /// What is subtracted from each feature and what the rest is multiplied by; where features are standardised or, of counts, their logarithms weighted.
    standard: Vec<(f64, f64)>,
}

impl ViewTransform {
    /// The number of features of the views that it makes ready.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Refuses one that was read and does not fit itself.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not a pair of numbers a feature where one is asked for.
    pub(crate) fn check(&self) -> Result<()> {
        let asked = matches!(self.how, Preparation::Counts | Preparation::Standard);
        let expected = if asked { self.width } else { 0 };
        if self.standard.len() == expected {
            return Ok(());
        }
        Err(Error::shape("the scales of the features", expected, self.standard.len()))
    }

    /// The view made ready. Of unit length, few numbers are stored sparse.
    ///
    /// # Errors
    /// [`Error::Shape`] if it has other features than the view that this was made for.
    pub fn apply(&self, view: View) -> Result<View> {
        if view.width() != self.width {
            let expected = format!("{} features", self.width);
            return Err(Error::shape(format!("view `{}`", view.name), expected, view.width()));
        }
        let features = match self.how {
            Preparation::Unit => view.unit()?,
            Preparation::Counts => {
                let mut least = 0.0_f64;
                view.each(|_, _, x| least = least.min(x));
                if least < 0.0 {
                    let what = format!("every number of view `{}`", view.name);
                    return Err(Error::parameter(what, "0 or more, to be a count", least));
                }
                view.mapped(|j, x| x.ln_1p() * self.standard[j].1)?.unit()?
            }
            Preparation::Standard => Features::Dense(self.standardised(&view)),
            _ => view.features,
        };
        Ok(View { features, name: view.name, missing: view.missing })
    }

    fn standardised(&self, view: &View) -> Mat {
        let mut values = view.to_dense();
        for (j, (mean, factor)) in self.standard.iter().enumerate() {
            let known = values.col_mut(j).iter_mut().zip(&view.missing).filter(|(_, gone)| !**gone);
            known.for_each(|(x, _)| *x = (*x - mean) * factor);
        }
        values
    }
}

impl View {
    /// The view made ready, and how: [`Preparation::Auto`] says what it has chosen. Of unit length, few numbers are stored sparse.
    ///
    /// # Errors
    /// As [`View::transform`].
    pub fn prepared(self, how: Preparation) -> Result<(Self, Preparation)> {
        let transform = self.transform(how)?;
        Ok((transform.apply(self)?, transform.how))
    }

    /// What makes this view ready.
    ///
    /// # Errors
    /// [`Error::Parameter`] if all known samples are the same, so that nothing could tell them apart.
    pub fn transform(&self, how: Preparation) -> Result<ViewTransform> {
        let (mut negative, mut whole) = (false, true);
        self.each(|_, _, x| {
            negative |= x < 0.0;
            whole &= x.fract() == 0.0;
        });
        if self.is_constant() {
            let what = format!("view `{}`", self.name);
            return Err(Error::parameter(what, "different among its samples", "constant"));
        }
        let how = match how {
            Preparation::Auto if self.is_sparse() && !negative && whole => Preparation::Counts,
            Preparation::Auto if self.is_sparse() && !negative => Preparation::Unit,
            Preparation::Auto => Preparation::Standard,
            how => how,
        };
        let standard = match how {
            Preparation::Standard => self.standard(),
            Preparation::Counts => self.rarity(),
            _ => Vec::new(),
        };
        Ok(ViewTransform { how, width: self.width(), standard })
    }

    fn is_sparse(&self) -> bool {
        let (samples, width) = self.shape();
        let mut filled = 0_usize;
        self.each(|_, _, x| filled += usize::from(x != 0.0));
        (filled as f64) < SPARSE * samples as f64 * width as f64
    }

    /// Visits sample, feature and value of what is stored.
    fn each(&self, mut visit: impl FnMut(usize, usize, f64)) {
        match &self.features {
            Features::Sparse(entries) => entries.iter().for_each(|(i, j, x)| visit(i, j, x)),
            Features::Dense(values) => {
                for j in 0..values.cols() {
                    values.col(j).iter().enumerate().for_each(|(i, &x)| visit(i, j, x));
                }
            }
        }
    }

    fn is_constant(&self) -> bool {
        let (samples, width) = self.shape();
        let known = samples - self.missing.iter().filter(|&&missing| missing).count();
        let mut seen = vec![(0_usize, f64::INFINITY, f64::NEG_INFINITY); width];
        self.each(|i, j, x| {
            if !self.missing[i] {
                let (count, low, high) = seen[j];
                seen[j] = (count + 1, low.min(x), high.max(x));
            }
        });
        // What is not stored is zero.
        let spread = |&(count, low, high): &(usize, f64, f64)| {
            if count < known { high.max(0.0) - low.min(0.0) } else { high - low }
        };
        known > 1 && !seen.iter().any(|feature| spread(feature) > 0.0)
    }

    fn unit(&self) -> Result<Features> {
        let (samples, width) = self.shape();
        let mut squares = vec![0.0; samples];
        self.each(|i, _, x| squares[i] += x * x);
        let scaled = |i: usize, x: f64| if x == 0.0 { 0.0 } else { x / squares[i].sqrt() };
        if let (Features::Dense(values), false) = (&self.features, self.is_sparse()) {
            let unit = Mat::from_fn(samples, width, |i, j| scaled(i, values[(i, j)]));
            return Ok(Features::Dense(unit));
        }
        let (mut rows, mut cols, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        self.each(|i, j, x| {
            if x != 0.0 {
                rows.push(i as u32);
                cols.push(j as u32);
                kept.push(scaled(i, x));
            }
        });
        Ok(Features::Sparse(Entries::new((samples, width), rows, cols, kept)?))
    }

    /// The view with `f` of feature and value in place of the values.
    fn mapped(&self, f: impl Fn(usize, f64) -> f64) -> Result<Self> {
        let features = match &self.features {
            Features::Dense(values) => {
                Features::Dense(Mat::from_fn(values.rows(), values.cols(), |i, j| {
                    f(j, values[(i, j)])
                }))
            }
            Features::Sparse(entries) => {
                let values = entries.iter().map(|(_, j, x)| f(j, x)).collect();
                Features::Sparse(entries.with_values(values)?)
            }
        };
        Ok(Self { features, name: self.name.clone(), missing: self.missing.clone() })
    }

    /// ln(1 + n/f) of each feature that f of n known samples have; 0 where none has.
    fn rarity(&self) -> Vec<(f64, f64)> {
        let known = self.missing.iter().filter(|&&missing| !missing).count() as f64;
        let mut having = vec![0_usize; self.width()];
        self.each(|i, j, x| having[j] += usize::from(x != 0.0 && !self.missing[i]));
        let weight = |f: &usize| if *f > 0 { (known / *f as f64).ln_1p() } else { 0.0 };
        having.iter().map(|f| (0.0, weight(f))).collect()
    }

    /// Mean and inverse standard deviation of each feature over the known samples; 0 for that of a constant.
    fn standard(&self) -> Vec<(f64, f64)> {
        let (samples, width) = self.shape();
        let known = samples - self.missing.iter().filter(|&&missing| missing).count();
        let count = known as f64;
        // What is not stored is zero: it enters by the counts.
        let mut sums = vec![(0_usize, 0.0, 0.0_f64); width];
        self.each(|i, j, x| {
            if !self.missing[i] {
                let (seen, sum, size) = sums[j];
                sums[j] = (seen + 1, sum + x, size.max(x.abs()));
            }
        });
        let means: Vec<f64> = sums.iter().map(|(_, sum, _)| sum / count).collect();
        let mut squares: Vec<f64> = sums
            .iter()
            .zip(&means)
            .map(|((seen, ..), mean)| (known - seen) as f64 * mean * mean)
            .collect();
        self.each(|i, j, x| {
            if !self.missing[i] {
                squares[j] += (x - means[j]).powi(2);
            }
        });
        let factor = |j: usize| {
            let deviation = (squares[j] / count).sqrt();
            // What rounding leaves of a constant is no spread.
            if deviation > 1e-12 * sums[j].2 { 1.0 / deviation } else { 0.0 }
        };
        means.iter().enumerate().map(|(j, mean)| (*mean, factor(j))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(rows: &[[f64; 3]]) -> View {
        let values = Mat::from_fn(rows.len(), 3, |i, j| rows[i][j]);
        View::new("a", Features::Dense(values)).unwrap()
    }

    #[test]
    fn features_get_mean_0_and_variance_1_over_the_known_samples() {
        let nan = f64::NAN;
        let made = view(&[[1.0, 5.0, -2.0], [nan; 3], [3.0, 5.0, 2.0]]);
        let (made, how) = made.prepared(Preparation::Auto).unwrap();
        assert_eq!(how, Preparation::Standard);
        let expected = view(&[[-1.0, 0.0, -1.0], [0.0; 3], [1.0, 0.0, 1.0]]);
        assert_eq!(made.features, expected.features);
    }

    #[test]
    fn samples_of_few_numbers_get_unit_length_and_are_stored_sparse() {
        let mut rows = vec![[0.0; 3]; 6];
        rows[0] = [0.3, 0.0, 0.4];
        rows[4] = [0.0, 2.0, 0.0];
        let (made, how) = view(&rows).prepared(Preparation::Auto).unwrap();
        assert_eq!(how, Preparation::Unit);
        assert!(matches!(&made.features, Features::Sparse(entries) if entries.len() == 3));
        let dense = made.to_dense();
        assert_eq!((dense[(0, 0)], dense[(0, 2)], dense[(4, 1)]), (3.0 / 5.0, 4.0 / 5.0, 1.0));
        let (raw, _) = view(&rows).prepared(Preparation::Raw).unwrap();
        assert_eq!(raw, view(&rows));
    }

    #[test]
    fn counts_are_weighted_by_how_rare_their_features_are() {
        let mut rows = vec![[0.0; 3]; 8];
        rows[0] = [3.0, 0.0, 1.0];
        rows[5] = [1.0, 0.0, 0.0];
        let (made, how) = view(&rows).prepared(Preparation::Auto).unwrap();
        assert_eq!(how, Preparation::Counts);
        let (common, rare) = (4.0_f64.ln() * 5.0_f64.ln(), 2.0_f64.ln() * 9.0_f64.ln());
        let dense = made.to_dense();
        assert!((dense[(0, 0)] - common / common.hypot(rare)).abs() < 1e-15);
        assert!((dense[(0, 2)] - rare / common.hypot(rare)).abs() < 1e-15);
        assert!((dense[(5, 0)] - 1.0).abs() < 1e-15);
        rows[5][0] = -1.0;
        let told = view(&rows).prepared(Preparation::Counts).unwrap_err().to_string();
        assert!(told.contains("0 or more, to be a count"), "{told}");
    }

    #[test]
    fn new_samples_are_made_ready_as_the_old_ones_were() {
        let old = view(&[[1.0, 5.0, -2.0], [3.0, 5.0, 2.0]]);
        let transform = old.transform(Preparation::Standard).unwrap();
        let new = transform.apply(view(&[[4.0, 7.0, 1.0]])).unwrap().to_dense();
        assert_eq!(new.values(), [2.0, 0.0, 0.5]);
        let few = View::new("few", Features::Dense(Mat::eye(2, 2))).unwrap();
        let told = transform.apply(few).unwrap_err().to_string();
        assert_eq!(told, "view `few` must have 3 features, but it has 2");
    }

    #[test]
    fn a_constant_view_is_refused() {
        let error = view(&[[1.0, 2.0, 3.0]; 4]).prepared(Preparation::Auto).unwrap_err();
        let expected = "view `a` must be different among its samples, but it is constant";
        assert_eq!(error.to_string(), expected);
    }
}
