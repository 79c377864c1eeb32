//! Principal components: where samples lie along the directions in which they differ most.

use crate::Result;
use crate::linalg::{Mat, eigen};

/// The places of `samples` (samples × features) along the `count` directions of most variance, samples × `count`; zeros where there are fewer
/// features than that.
///
/// The mean of each is 0, and the entry of its direction that is largest in size is positive, so that the same samples give the same picture. Takes
/// samples · features² operations: for embeddings, not for raw views.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) for a number that is not finite.
pub fn principal_components(samples: &Mat, count: usize) -> Result<Mat> {
    let (rows, width) = (samples.rows(), samples.cols());
    let mut centred = samples.clone();
    for j in 0..width {
        let column = centred.col_mut(j);
        let mean = column.iter().sum::<f64>() / rows.max(1) as f64;
        for x in column {
            *x -= mean;
        }
    }
    // Of equal eigenvalues none comes first by rounding alone, as the decomposition is sequential.
    let found = eigen(centred.t().times(centred.view()).view())?;
    let mut directions = Mat::zeros(width, count);
    for place in 0..count.min(width) {
        let direction = found.vectors.col(width - 1 - place);
        let largest = direction.iter().fold(0.0_f64, |a, &b| if b.abs() > a.abs() { b } else { a });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        let into = directions.col_mut(place).iter_mut().zip(direction);
        into.for_each(|(into, x)| *into = sign * x);
    }
    Ok(centred.times(&directions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_on_a_line_lie_along_the_first_component() {
        let line = Mat::from_fn(5, 3, |i, j| i as f64 * [2.0, -1.0, 2.0][j] + 7.0);
        let found = principal_components(&line, 2).unwrap();
        for i in 0..5 {
            assert!((found[(i, 0)] - 3.0 * (i as f64 - 2.0)).abs() < 1e-12);
            assert!(found[(i, 1)].abs() < 1e-7);
        }
        let one = Mat::from_fn(4, 1, |i, _| i as f64);
        assert_eq!(principal_components(&one, 2).unwrap().col(1), [0.0; 4]);
    }
}
