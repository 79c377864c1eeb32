//! The mean of several fits as one network.

use super::Offsets;
use super::part::{Fit, Part};
use crate::Result;
use crate::linalg::{Mat, Svd};
use crate::model::{DeepLinear, Model, Pass};
use crate::product::{Outer, Product};

/// Directions below this share of the largest are left out.
const LEAST: f64 = 1e-12;

/// The balanced network of depth 2 that answers, with `offsets`, by the mean of the answers of all fits.
///
/// The answer of a fit is additive + scale · w. What its offsets differ by from `offsets` has rank 2 and goes into the network.
pub(super) fn mean(parts: &[Part], fits: &[Fit], offsets: &Offsets) -> Result<DeepLinear> {
    let (rows, cols) = (offsets.rows.len(), offsets.cols.len());
    let share = 1.0 / fits.len() as f64;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut push = |l: Vec<f64>, r: &dyn Fn(usize) -> f64| {
        left.push(l);
        right.push((0..cols).map(|j| r(j) / offsets.divisor(j)).collect::<Vec<f64>>());
    };
    let of_cols = |o: &Offsets, j: usize| o.centers[j] + o.units[j] * o.cols[j];
    for (part, fit) in parts.iter().zip(fits) {
        let svd = fit.model.forward(&mut Pass::default()).thin_svd()?;
        let own = &part.offsets;
        for (r, s) in svd.s.iter().enumerate().take_while(|(_, s)| **s > LEAST * svd.s[0]) {
            let v = svd.v.col(r);
            push(svd.u.col(r).to_vec(), &|j| share * s * own.scale(j) * v[j]);
        }
        push(vec![share; rows], &|j| of_cols(own, j) - of_cols(offsets, j));
        push(own.rows.clone(), &|j| share * own.units[j]);
    }
    push(offsets.rows.clone(), &|j| -offsets.units[j]);
    let width = left.len();
    let left = Mat::from_fn(width, rows, |r, i| left[r][i]);
    let right = Mat::from_fn(width, cols, |r, j| right[r][j]);
    let svd = Product::Outer(Outer { left: left.view(), right: right.view() }).thin_svd()?;
    let kept = svd.s.iter().take_while(|s| **s > LEAST * svd.s[0]).count().max(1);
    let svd: Svd = svd.first(kept);
    DeepLinear::balanced(&svd, 2)
}
