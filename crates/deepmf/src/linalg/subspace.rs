//! The leading eigenvectors of a large symmetric operator, also where several belong to one eigenvalue.

use rayon::prelude::*;

use super::{Eigen, Mat, MatRef, axpy, eigen, norm, orthonormal};
use crate::Result;
use crate::random::{Purpose, normal, stream};

/// Directions that are carried beside those that are wanted.
const BESIDE: usize = 10;
/// Products between two looks.
const TOGETHER: usize = 12;
/// Looks at most.
const MOST_LOOKS: usize = 100;

/// The `count` largest eigenvalues, descending, of the symmetric operator `apply` on vectors of `size`, whose eigenvalues are 0 or more, with
/// orthonormal eigenvectors.
///
/// Subspace iteration from a seeded start until every residual is below `tolerance` times the largest eigenvalue, or after 1,200 products; a
/// small operator is decomposed as a whole. A block meets equal eigenvalues (a graph in several pieces), which a single
/// Lanczos vector does not. Between two looks a Chebyshev polynomial damps what lies below the block (Zhou, Saad, Tiago & Chelikowsky 2006).
///
/// # Errors
/// Those of [`eigen`].
pub fn leading_eigen(
    apply: &(dyn Fn(&[f64], &mut [f64]) + Sync),
    size: usize,
    count: usize,
    tolerance: f64,
) -> Result<Eigen> {
    let mut random = stream(0, Purpose::Sketch, 0);
    let width = (count.min(size) + BESIDE).min(size);
    let start = Mat::from_fn(size, width, |_, _| normal(&mut random));
    Ok(leading_eigen_from(apply, &start, count, tolerance)?.0)
}

/// The same from a start of size × (wanted and some more); gives the whole block too, for a start on an operator nearby.
///
/// # Errors
/// Those of [`eigen`].
pub fn leading_eigen_from(
    apply: &(dyn Fn(&[f64], &mut [f64]) + Sync),
    start: &Mat,
    count: usize,
    tolerance: f64,
) -> Result<(Eigen, Mat)> {
    let (size, width) = (start.rows(), start.cols());
    let count = count.min(width);
    let image = |basis: &Mat| -> Mat {
        let mut out = Mat::zeros(size, basis.cols());
        let columns = out.values_mut().par_chunks_mut(size.max(1));
        columns.zip(basis.values().par_chunks(size.max(1))).for_each(|(out, x)| apply(x, out));
        out
    };
    if size <= 4 * width {
        let whole = eigen(image(&Mat::eye(size, size)).view())?;
        return Ok((descending(&whole, count), start.clone()));
    }
    let mut basis = orthonormal(start.view());
    let mut looks = 0;
    loop {
        let product = image(&basis);
        let small = basis.t().times(product.view());
        let ritz = descending(&eigen(small.view())?, width);
        let vectors = basis.times(&ritz.vectors);
        let images = product.times(&ritz.vectors);
        let largest = ritz.values.first().copied().unwrap_or(0.0);
        let residual = |j: usize| {
            let mut rest = images.col(j).to_vec();
            axpy(-ritz.values[j], vectors.col(j), &mut rest);
            norm(&rest)
        };
        looks += 1;
        if looks == MOST_LOOKS || (0..count).all(|j| residual(j) <= tolerance * largest) {
            let kept = MatRef::new(size, count, &vectors.values()[..size * count]).to_mat();
            let found = Eigen { values: ritz.values[..count].to_vec(), vectors: kept };
            return Ok((found, vectors));
        }
        // From 0 to the least value of the block all is damped; scaled so that the largest stays.
        let half = 0.5 * ritz.values[width - 1].max(1e-3 * largest);
        let mut sigma = half / (largest - half);
        let first = sigma;
        let mut before = vectors;
        let mut now = images;
        combined(&mut now, sigma / half, &before, -sigma, None);
        for _ in 1..TOGETHER {
            let next_sigma = 1.0 / (2.0 / first - sigma);
            let mut next = image(&now);
            let (own, old) = (2.0 * next_sigma / half, -sigma * next_sigma);
            combined(&mut next, own, &now, -2.0 * next_sigma, Some((old, &before)));
            (before, now, sigma) = (now, next, next_sigma);
        }
        basis = orthonormal(now.view());
    }
}

/// a · x + b · y + c · z, in place of x.
fn combined(x: &mut Mat, a: f64, y: &Mat, b: f64, z: Option<(f64, &Mat)>) {
    super::scale(a, x.values_mut());
    axpy(b, y.values(), x.values_mut());
    if let Some((c, z)) = z {
        axpy(c, z.values(), x.values_mut());
    }
}

/// The last `count` of ascending eigenvalues, the largest first.
fn descending(eigen: &Eigen, count: usize) -> Eigen {
    let (n, rows) = (eigen.values.len(), eigen.vectors.rows());
    let vectors = Mat::from_fn(rows, count, |i, j| eigen.vectors[(i, n - 1 - j)]);
    Eigen { values: eigen.values.iter().rev().take(count).copied().collect(), vectors }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_meets_equal_eigenvalues_and_agrees_with_the_whole_decomposition() {
        let size = 120;
        let value = |i: usize| if i < 3 { 1.0 } else { 0.9 * 0.97_f64.powf(i as f64) };
        let mut random = stream(4, Purpose::Truth, 0);
        let q = orthonormal(Mat::from_fn(size, size, |_, _| normal(&mut random)).view());
        let scaled = Mat::from_fn(size, size, |i, j| q[(i, j)] * value(j));
        let a = scaled.view().times(q.t());
        let apply = |x: &[f64], out: &mut [f64]| {
            out.copy_from_slice(a.view().times(MatRef::new(size, 1, x)).values());
        };
        let found = leading_eigen(&apply, size, 5, 1e-9).unwrap();
        for (j, found) in found.values.iter().enumerate() {
            assert!((found - value(j)).abs() < 1e-8, "{j}: {found}");
        }
        let gram = found.vectors.t().times(found.vectors.view());
        assert!(gram.minus(&Mat::eye(5, 5)).max_abs() < 1e-10);
        let whole = leading_eigen(&apply, size, 40, 1e-9).unwrap();
        assert!((0..5).all(|j| (whole.values[j] - found.values[j]).abs() < 1e-8));
    }
}
