//! Where a flow begins: at gaussian layers, at W(0) = 0, or at W(0) = 0 with the likeness of lines in the layers.

use crate::Result;
use crate::data::Shape;
use crate::linalg::{Mat, MatRef, eigen};
use crate::model::{DeepLinear, Init};

/// Directions of a likeness at most …
const DIRECTIONS: usize = 120;
/// … each with at least this share of the largest eigenvalue.
const LEAST: f64 = 1e-3;

/// The lines whose likeness a start knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Cols,
    Rows,
    Both,
}

/// A start of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    /// Independent gaussian layers.
    Gaussian { depth: usize, width: usize, scale: f64 },
    /// The limit of these for wide layers at depth 2.
    OneSided { gain: f64 },
    /// Like lines learn together: the kernel of two lines is exp(−D/h), where D is the squared distance of the lines in an
    /// earlier fit and h the `quantile` of all distances.
    Likeness { side: Side, quantile: f64, gain: f64 },
}

impl Start {
    /// What it is called in tables.
    pub(super) fn words(&self) -> String {
        match *self {
            Self::Gaussian { depth, width, scale } => {
                format!("gaussian, depth {depth}, width {width}, initial scale {scale}")
            }
            Self::OneSided { gain } => format!("zero, gain {gain}"),
            Self::Likeness { side, quantile, gain } => {
                let lines = match side {
                    Side::Cols => "columns",
                    Side::Rows => "rows",
                    Side::Both => "rows and columns",
                };
                format!("likeness of {lines}, quantile {quantile}, gain {gain}")
            }
        }
    }

    /// The initial scale ‖W(0)‖_F / √min(rows, cols).
    pub(super) fn scale(&self) -> f64 {
        if let Self::Gaussian { scale, .. } = self { *scale } else { 0.0 }
    }

    /// The network at its start; none if all lines of `before` are the same, so that no likeness tells them apart.
    ///
    /// # Errors
    /// As [`Init::fill`].
    pub(super) fn model(
        &self,
        shape: Shape,
        before: Option<&DeepLinear>,
        seed: u64,
    ) -> Result<Option<DeepLinear>> {
        let (depth, width, init) = match *self {
            Self::Gaussian { depth, width, scale } => (depth, width, Init::Gaussian { scale }),
            Self::OneSided { gain } => (2, shape.0.min(shape.1), Init::OneSided { gain }),
            Self::Likeness { side, quantile, gain } => {
                let Some(before) = before else { return Ok(None) };
                let root = |of: Side| match side {
                    side if side == of || side == Side::Both => root(&gram(before, of), quantile),
                    _ => Ok(None),
                };
                let (rows, cols) = (root(Side::Rows)?, root(Side::Cols)?);
                let width = [&rows, &cols].into_iter().flatten().map(Mat::cols).sum();
                if width == 0 {
                    return Ok(None);
                }
                (2, width, Init::Kernel { gain, rows, cols })
            }
        };
        DeepLinear::with_width(shape, depth, width)?.init(&init, seed).map(Some)
    }
}

/// Inner products of the rows or of the columns of W = W_2 W_1.
fn gram(model: &DeepLinear, of: Side) -> Mat {
    let (right, left) = (model.layer(0), model.layer(1));
    let (lines, other): (MatRef<'_>, MatRef<'_>) =
        if of == Side::Cols { (right.t(), left) } else { (left, right.t()) };
    let inner = other.t().times(other);
    lines.times(inner.view()).view().times(lines.t())
}

/// R with R Rᵀ ≈ exp(−D/h) in its leading directions; none if h is zero.
fn root(gram: &Mat, quantile: f64) -> Result<Option<Mat>> {
    let n = gram.rows();
    let distance = |i: usize, j: usize| (gram[(i, i)] + gram[(j, j)] - 2.0 * gram[(i, j)]).max(0.0);
    let mut all: Vec<f64> = (0..n).flat_map(|j| (j + 1..n).map(move |i| distance(i, j))).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let place = (quantile * (all.len() - 1) as f64).round() as usize;
    let h = *all.select_nth_unstable_by(place, f64::total_cmp).1;
    if !(h.is_finite() && h > 0.0) {
        return Ok(None);
    }
    let kernel = Mat::from_fn(n, n, |i, j| (-distance(i, j) / h).exp());
    let found = eigen(kernel.view())?;
    let largest = found.values.last().copied().unwrap_or(0.0);
    let kept: Vec<usize> =
        (0..n).rev().take(DIRECTIONS).take_while(|&r| found.values[r] > LEAST * largest).collect();
    Ok(Some(Mat::from_fn(n, kept.len(), |i, r| {
        found.vectors[(i, kept[r])] * found.values[kept[r]].sqrt()
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[test]
    fn like_columns_share_a_kernel_and_unlike_ones_do_not() {
        // Columns 0 and 3 are the same, 1 is near them, 2 is far away.
        let w = Mat::from_fn(5, 4, |i, j| i as f64 + [0.0, 0.1, 40.0, 0.0][j]);
        let (u, v) = (w.clone(), Mat::eye(4, 4));
        let init = Init::Kernel { gain: 1.0, rows: Some(u), cols: Some(Mat::zeros(4, 1)) };
        let mut model = DeepLinear::with_width((5, 4), 2, 5).unwrap().init(&init, 0).unwrap();
        let wide = Mat::from_fn(5, 4, |r, j| if r < 4 { v[(r, j)] } else { 0.0 });
        crate::model::Model::params_mut(&mut model).set(0, &wide).unwrap();
        assert_eq!(model.product(), w);
        let root = root(&gram(&model, Side::Cols), 0.4).unwrap().unwrap();
        let kernel = root.view().times(root.t());
        assert!((kernel[(0, 3)] - 1.0).abs() < 1e-3 && (kernel[(0, 0)] - 1.0).abs() < 1e-3);
        assert!((0.3..0.99).contains(&kernel[(0, 1)]), "{}", kernel[(0, 1)]);
        assert!(kernel[(0, 2)].abs() < 1e-3);
    }

    #[test]
    fn the_kernel_is_that_of_the_distances_in_the_product() {
        let shape = (9, 7);
        let init = Init::Gaussian { scale: 1.0 };
        let model = DeepLinear::with_width(shape, 2, 7).unwrap().init(&init, 3).unwrap();
        let w = model.product();
        let apart =
            |i: usize, j: usize| -> f64 { (0..7).map(|c| (w[(i, c)] - w[(j, c)]).powi(2)).sum() };
        let mut all: Vec<f64> = (0..9)
            .flat_map(|j| (j + 1..9).map(move |i| (i, j)))
            .map(|(i, j)| apart(i, j))
            .collect();
        all.sort_by(f64::total_cmp);
        let start = Start::Likeness { side: Side::Rows, quantile: 0.2, gain: 4.0 };
        let started = start.model(shape, Some(&model), 0).unwrap().unwrap();
        let root = started.layer(1);
        let kernel = root.times(root.t());
        for (i, j) in [(0, 0), (3, 5), (8, 1)] {
            let expected = 4.0 * (-apart(i, j) / all[7]).exp();
            assert!((kernel[(i, j)] - expected).abs() < 4e-2, "{} {expected}", kernel[(i, j)]);
        }
    }

    #[test]
    fn lines_that_are_all_the_same_have_no_likeness() {
        let model = DeepLinear::with_width((4, 3), 2, 3).unwrap();
        let start = Start::Likeness { side: Side::Both, quantile: 0.2, gain: 4.0 };
        assert!(start.model((4, 3), Some(&model), 0).unwrap().is_none());
        let truth = data::low_rank((4, 3), 1, 0).unwrap();
        assert!(truth.max_abs() > 0.0 && start.model((4, 3), None, 0).unwrap().is_none());
    }
}
