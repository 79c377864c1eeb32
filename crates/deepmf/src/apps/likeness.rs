//! Likeness of the lines of a fitted matrix: kernels from whose roots another fit starts.

use crate::Result;
use crate::linalg::{Eigen, Mat, MatRef, Svd, eigen, leading_svd, multiply};
use crate::linalg::Accumulate;
use crate::model::{DeepLinear, Model, Pass};
use crate::product::{Outer, Product};

/// Eigenvectors of a kernel that are kept at most …
const WIDEST: usize = 120;
/// … if their eigenvalues are above this share of the largest.
const LEAST: f64 = 1e-3;
/// Larger kernels are decomposed by products alone.
const DIRECT: usize = 600;

/// Which lines of a matrix are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Rows,
    Cols,
    Both,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Cols => "columns",
            Self::Both => "rows and columns",
        }
    }

    pub(super) fn has_rows(self) -> bool {
        self != Self::Cols
    }

    pub(super) fn has_cols(self) -> bool {
        self != Self::Rows
    }
}

/// Squared distances between the rows of W, or between its columns.
pub(super) struct Distances {
    squared: Mat,
    /// Those between different lines, ascending.
    sorted: Vec<f64>,
}

impl Distances {
    pub(super) fn rows(model: &DeepLinear) -> Self {
        let mut pass = Pass::default();
        match model.forward(&mut pass) {
            Product::Outer(Outer { left, right }) => Self::of(left, right),
            product => Self::of(product.to_dense().t(), Mat::eye(model.shape().1, model.shape().1).view()),
        }
    }

    pub(super) fn cols(model: &DeepLinear) -> Self {
        let mut pass = Pass::default();
        match model.forward(&mut pass) {
            Product::Outer(Outer { left, right }) => Self::of(right, left),
            product => Self::of(product.to_dense().view(), Mat::eye(model.shape().0, model.shape().0).view()),
        }
    }

    /// Distances between the columns of otherᵀ · lines, both k × n.
    fn of(lines: MatRef<'_>, other: MatRef<'_>) -> Self {
        let n = lines.cols();
        let metric = other.times(other.t());
        let turned = metric.view().times(lines);
        let mut gram = Mat::zeros(n, n);
        multiply(gram.view_mut(), Accumulate::Replace, 1.0, lines.t(), turned.view());
        let sizes: Vec<f64> = (0..n).map(|i| gram[(i, i)]).collect();
        let mut sorted = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        for j in 0..n {
            for i in 0..=j {
                let distance = (sizes[i] + sizes[j] - 2.0 * gram[(i, j)]).max(0.0);
                (gram[(i, j)], gram[(j, i)]) = (distance, distance);
                if i < j {
                    sorted.push(distance);
                }
            }
        }
        sorted.sort_by(f64::total_cmp);
        Self { squared: gram, sorted }
    }

    /// A thin root of the kernel exp(−d/h), with h the `quantile` of the distances; none if the lines do not differ.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) as for [`eigen`].
    pub(super) fn root(&self, quantile: f64) -> Result<Option<Mat>> {
        let place = quantile * self.sorted.len().saturating_sub(1) as f64;
        let scale = self.sorted.get(place.round() as usize).copied().unwrap_or(0.0);
        if scale.is_nan() || scale <= 0.0 {
            return Ok(None);
        }
        let n = self.squared.rows();
        let kernel = self.squared.values().iter().map(|d| (-d / scale).exp()).collect();
        let kernel = Mat::from_columns(n, n, kernel);
        let (values, vectors) = leading(&kernel)?;
        let kept = values.iter().filter(|value| **value > LEAST * values[0]).count();
        Ok(Some(Mat::from_fn(n, kept, |i, r| values[r].sqrt() * vectors[(i, r)])))
    }
}

/// The leading eigenvalues of a positive semidefinite matrix, descending, and their vectors.
fn leading(kernel: &Mat) -> Result<(Vec<f64>, Mat)> {
    let n = kernel.rows();
    if n > DIRECT {
        let Svd { s, u, .. } = leading_svd(&Product::Dense(kernel.view()), WIDEST)?;
        return Ok((s, u));
    }
    let Eigen { values, vectors } = eigen(kernel.view())?;
    let count = n.min(WIDEST);
    let turned = Mat::from_fn(n, count, |i, r| vectors[(i, n - 1 - r)]);
    Ok((values.iter().rev().take(count).copied().collect(), turned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Init;

    #[test]
    fn a_root_multiplies_back_to_the_kernel_of_the_distances() {
        let shape = (9, 7);
        let model = DeepLinear::with_width(shape, 2, 4).unwrap();
        let model = model.init(&Init::Gaussian { scale: 1.0 }, 0).unwrap();
        let w = model.product();
        for (distances, lines) in [
            (Distances::rows(&model), w.clone()),
            (Distances::cols(&model), w.t().to_mat()),
        ] {
            let n = lines.rows();
            let squared = |i: usize, j: usize| -> f64 {
                (0..lines.cols()).map(|k| (lines[(i, k)] - lines[(j, k)]).powi(2)).sum()
            };
            let mut all: Vec<f64> =
                (0..n).flat_map(|j| (0..j).map(move |i| (i, j))).map(|(i, j)| squared(i, j)).collect();
            all.sort_by(f64::total_cmp);
            let scale = all[(0.5 * (all.len() - 1) as f64).round() as usize];
            let expected = Mat::from_fn(n, n, |i, j| (-squared(i, j) / scale).exp());
            let root = distances.root(0.5).unwrap().unwrap();
            let back = root.view().times(root.t());
            assert!(back.minus(&expected).max_abs() < 5e-3);
        }
    }

    #[test]
    fn lines_that_do_not_differ_have_no_kernel() {
        let model = DeepLinear::with_width((5, 4), 2, 2).unwrap();
        assert!(Distances::rows(&model).root(0.2).unwrap().is_none());
        let one = DeepLinear::with_width((1, 4), 2, 1).unwrap();
        assert!(Distances::rows(&one).root(0.2).unwrap().is_none());
    }
}
