//! Fold-in: rows that were not there at the fit, from the column side of a fitted matrix.

use super::Offsets;
use crate::Result;
use crate::data::Entries;
use crate::linalg::{Cholesky, Mat, eigen};
use crate::model::{DeepLinear, Model, Pass};
use crate::product::{Outer, Product};

/// Fills `rows`, whose columns are those of the model.
///
/// A new row is z · R with W = Lᵀ · R. Its latent z has the distribution of the fitted rows, N(0, L Lᵀ / rows), and its
/// offset that of the fitted offsets; given its known entries with noise of variance `noise` (in the units of the fit), the
/// posterior mean is a small ridge regression.
pub(super) fn rows(
    model: &DeepLinear,
    offsets: &Offsets,
    noise: f64,
    rows: &Entries,
) -> Result<Mat> {
    let basis = basis(model, offsets)?;
    let k = basis.rows();
    let (count, cols) = rows.shape();
    let without_row = |j: usize| offsets.centers[j] + offsets.units[j] * offsets.cols[j];
    let mut known = vec![Vec::new(); count];
    for (i, j, x) in rows.iter() {
        known[i].push((j, (x - without_row(j)) / offsets.divisor(j)));
    }
    let mut filled = Mat::zeros(count, cols);
    let mut cholesky = Cholesky::new(k);
    for (i, known) in known.iter().enumerate() {
        let mut normal = Mat::eye(k, k).scaled(noise);
        let mut right = vec![0.0; k];
        for &(j, residual) in known {
            let feature = basis.col(j);
            for a in 0..k {
                right[a] += feature[a] * residual;
                for b in 0..k {
                    normal[(a, b)] += feature[a] * feature[b];
                }
            }
        }
        cholesky.solve(normal.values_mut(), &mut right)?;
        let latent = right;
        for j in 0..cols {
            let w: f64 = basis.col(j).iter().zip(&latent).map(|(f, z)| f * z).sum();
            filled[(i, j)] = without_row(j) + offsets.divisor(j) * w;
        }
    }
    Ok(filled)
}

/// Features of the columns, k × cols, such that a row's coefficients are N(0, I): the latent ones and the offset.
fn basis(model: &DeepLinear, offsets: &Offsets) -> Result<Mat> {
    let mut pass = Pass::default();
    let (rows, cols) = model.shape();
    let (left, right) = match model.forward(&mut pass) {
        Product::Outer(Outer { left, right }) => (left.to_mat(), right.to_mat()),
        // W = Wᵀᵀ · I or Iᵀ · W, whichever has the fewer latents.
        product if rows > cols => (product.to_dense().t().to_mat(), Mat::eye(cols, cols)),
        product => (Mat::eye(rows, rows), product.to_dense()),
    };
    let covariance = eigen(left.view().times(left.t()).scaled(1.0 / rows as f64).view())?;
    let largest = covariance.values.last().copied().unwrap_or(0.0);
    let kept: Vec<usize> = (0..covariance.values.len())
        .filter(|&r| covariance.values[r] > 1e-12 * largest && covariance.values[r] > 0.0)
        .collect();
    let turned = covariance.vectors.t().times(right.view());
    let spread = offsets.rows.iter().map(|x| x * x).sum::<f64>() / rows as f64;
    Ok(Mat::from_fn(kept.len() + 1, cols, |r, j| match kept.get(r) {
        Some(&r) => covariance.values[r].sqrt() * turned[(r, j)],
        None => spread.sqrt() * offsets.units[j] / offsets.divisor(j),
    }))
}
