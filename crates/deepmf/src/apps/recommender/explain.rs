//! Which ratings of a row carried a prediction.

use super::Recommends;
use crate::linalg::{Cholesky, add_normal, dot, sum_of_squares};
use crate::spec::RatingModel;
use crate::{Error, Result};

/// A prediction as the sum of what the ratings of its row carry.
///
/// Given the offsets b and latents v of the columns, the offset and the latent of row i are the ridge solution for its ratings, which is linear in them: with
/// f_k = (1, v_k) and N = Σ_k f_k f_kᵀ + ridge, rating k carries f_jᵀ N⁻¹ f_k (r_k − mean − b_k) of the prediction in column j, and together they carry all of it
/// but mean + b_j.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The mean and the offset of the column: what would be said without any rating of the row.
    pub base: f64,
    /// The base and all shares: the row's ridge solution, before it is put into the range.
    pub value: f64,
    /// What the ratings of the row carry, the largest first, whichever its sign.
    pub shares: Vec<Share>,
}

/// What one rating carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Its column.
    pub col: usize,
    /// The rating.
    pub rating: f64,
    /// What it adds to the prediction.
    pub share: f64,
}

impl Recommends {
    /// Explains the prediction of a row in a column by the ratings of the row.
    ///
    /// The ridge of `als` is that of its fit. Alternating least squares ends with the columns, so its own row is the solution for those of one half sweep before and `value`
    /// differs by as little as it had left to move. Of other models the row is solved anew by the noise over the variance of the fitted rows, and `value` says how near that comes.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the row or the column is none of the fit or has no rating in it.
    pub fn explain(&self, row: usize, col: usize) -> Result<Explanation> {
        let (rows, cols) = self.factors.shape();
        if row >= rows || self.seen(row).is_empty() {
            return Err(Error::parameter("the row", "one with a rating in the fit", row));
        }
        if col >= cols || !self.rated[col] {
            return Err(Error::parameter("the column", "one with a rating in the fit", col));
        }
        let at = &self.factors;
        let d = at.rank() + 1;
        let feature = |j: usize| std::iter::once(1.0).chain(at.right.col(j).iter().copied());
        let known = self.seen(row);
        let features: Vec<f64> = known.iter().flat_map(|k| feature(*k as usize)).collect();
        let ratings = self.ratings_of(row);
        let left: Vec<f64> =
            known.iter().zip(ratings).map(|(k, r)| r - at.mean - at.cols[*k as usize]).collect();
        let (mut normal, mut unused) = (vec![0.0; d * d], vec![0.0; d]);
        add_normal(&features, &left, &mut normal, &mut unused);
        let (offset, latent) = self.ridges(known.len());
        for r in 0..d {
            normal[r * d + r] += if r == 0 { offset } else { latent };
        }
        let mut weights: Vec<f64> = feature(col).collect();
        Cholesky::new(d).solve(&mut normal, &mut weights)?;
        let share = |((k, rating), (f, y)): ((&u32, &f64), (&[f64], &f64))| Share {
            col: *k as usize,
            rating: *rating,
            share: dot(f, &weights) * y,
        };
        let terms = features.chunks_exact(d).zip(&left);
        let mut shares: Vec<Share> = known.iter().zip(ratings).zip(terms).map(share).collect();
        let base = at.mean + at.cols[col];
        let value = base + shares.iter().map(|share| share.share).sum::<f64>();
        shares.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()).then(a.col.cmp(&b.col)));
        Ok(Explanation { base, value, shares })
    }

    /// The ridges of the offset and the latent of a row with so many ratings.
    fn ridges(&self, count: usize) -> (f64, f64) {
        if self.settings.model == RatingModel::Als {
            let times = if self.settings.by_count { count as f64 } else { 1.0 };
            let ridge = super::ridge(&self.settings, &self.ratings);
            return (self.settings.offset_ridge * times, ridge * times);
        }
        let noise = self.noise();
        let ridge = |numbers: &[f64]| {
            let variance = sum_of_squares(numbers) / numbers.len().max(1) as f64;
            // Where all are zero they stay so.
            if variance > 0.0 { noise / variance } else { f64::MAX.sqrt() }
        };
        (ridge(&self.factors.rows), ridge(self.factors.left.values()))
    }
}
