//! Fold-in: lines that were not there at the fit, from the other side of a fitted matrix.

use super::Offsets;
use crate::Result;
use crate::data::Entries;
use crate::linalg::{Cholesky, Mat, MatRef, eigen};
use crate::model::{DeepLinear, Model, Pass};
use crate::product::{Outer, Product};

/// What is known of a new line's latent z and offset before any of its entries: they have the distribution of the fitted ones, N(0, L Lᵀ / lines).
pub(super) struct Prior {
    /// k × kept: a latent is `root` times its coordinates, which are N(0, I).
    root: Mat,
    /// The standard deviation of offsets.
    offset: f64,
    /// (kept + 1) × lines of the other side: what the coordinates and the offset, in units of its deviation, are multiplied by.
    features: Mat,
}

/// A new line.
pub(super) struct Line {
    /// Its latent.
    pub(super) latent: Vec<f64>,
    /// Its offset.
    pub(super) offset: f64,
    /// All coordinates.
    coordinates: Vec<f64>,
}

impl Prior {
    /// The one that fitted latents `own` (k × lines) and `offsets` say, where the other side has `other` (k × its lines), and the offset counts
    /// `unit` times in each of its lines.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite).
    pub(super) fn new(
        own: MatRef<'_>,
        offsets: &[f64],
        other: MatRef<'_>,
        unit: impl Fn(usize) -> f64,
    ) -> Result<Self> {
        let lines = offsets.len().max(1) as f64;
        let covariance = eigen(own.times(own.t()).scaled(1.0 / lines).view())?;
        let largest = covariance.values.last().copied().unwrap_or(0.0);
        let kept: Vec<usize> = (0..covariance.values.len())
            .filter(|&r| covariance.values[r] > 1e-12 * largest && covariance.values[r] > 0.0)
            .collect();
        let k = covariance.vectors.rows();
        let root = Mat::from_fn(k, kept.len(), |i, r| {
            covariance.values[kept[r]].sqrt() * covariance.vectors[(i, kept[r])]
        });
        let offset = (offsets.iter().map(|x| x * x).sum::<f64>() / lines).sqrt();
        let turned = root.t().times(other);
        let features = Mat::from_fn(kept.len() + 1, other.cols(), |r, j| {
            if r < kept.len() { turned[(r, j)] } else { offset * unit(j) }
        });
        Ok(Self { root, offset, features })
    }

    /// The posterior mean of a line, given its entries less all that is not its own, with noise of variance `noise`: a small ridge regression.
    ///
    /// # Errors
    /// As [`Cholesky::solve`].
    pub(super) fn line(&self, known: &[(usize, f64)], noise: f64) -> Result<Line> {
        let k = self.features.rows();
        let mut normal = Mat::eye(k, k).scaled(noise);
        let mut right = vec![0.0; k];
        for &(j, residual) in known {
            let feature = self.features.col(j);
            for a in 0..k {
                right[a] += feature[a] * residual;
                for b in 0..k {
                    normal[(a, b)] += feature[a] * feature[b];
                }
            }
        }
        Cholesky::new(k).solve(normal.values_mut(), &mut right)?;
        let (kept, last) = right.split_at(k - 1);
        let latent = self.root.times(&Mat::from_columns(k - 1, 1, kept.to_vec()));
        let (latent, offset) = (latent.values().to_vec(), self.offset * last[0]);
        Ok(Line { latent, offset, coordinates: right })
    }

    /// What a line has, without all that is not its own, in line `j` of the other side.
    pub(super) fn at(&self, line: &Line, j: usize) -> f64 {
        self.features.col(j).iter().zip(&line.coordinates).map(|(f, z)| f * z).sum()
    }
}

/// Fills `rows`, whose columns are those of the model, given the variance of the noise in the units of the fit.
pub(super) fn rows(
    model: &DeepLinear,
    offsets: &Offsets,
    noise: f64,
    rows: &Entries,
) -> Result<Mat> {
    let prior = prior(model, offsets)?;
    let (count, cols) = rows.shape();
    let without_row = |j: usize| offsets.centers[j] + offsets.units[j] * offsets.cols[j];
    let mut known = vec![Vec::new(); count];
    for (i, j, x) in rows.iter() {
        known[i].push((j, (x - without_row(j)) / offsets.divisor(j)));
    }
    let mut filled = Mat::zeros(count, cols);
    for (i, known) in known.iter().enumerate() {
        let line = prior.line(known, noise)?;
        for j in 0..cols {
            filled[(i, j)] = without_row(j) + offsets.divisor(j) * prior.at(&line, j);
        }
    }
    Ok(filled)
}

fn prior(model: &DeepLinear, offsets: &Offsets) -> Result<Prior> {
    let mut pass = Pass::default();
    let (rows, cols) = model.shape();
    let (left, right) = match model.forward(&mut pass) {
        Product::Outer(Outer { left, right }) => (left.to_mat(), right.to_mat()),
        // W = Wᵀᵀ · I or Iᵀ · W, whichever has the fewer latents.
        product if rows > cols => (product.to_dense().t().to_mat(), Mat::eye(cols, cols)),
        product => (Mat::eye(rows, rows), product.to_dense()),
    };
    let unit = |j: usize| offsets.units[j] / offsets.divisor(j);
    Prior::new(left.view(), &offsets.rows, right.view(), unit)
}
