//! Synthetic views: blobs of samples of which the classes are known.

use super::{Classes, Features, Shape, View, ViewSet};
use crate::linalg::Mat;
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// Views of `samples` samples in `clusters` blobs of about the same size, one view for each of `widths`, each with `noise` further features that say
/// nothing.
///
/// In each view every blob has a centre of its own from N(0, 1) in each of the width's features, and samples lie around it with the standard
/// deviation `spread`. The features that say nothing come last and have the variance 1 + `spread`² of the others. Sample i is of class i mod
/// `clusters`.
///
/// # Errors
/// [`Error::Parameter`] for no views, no features in one, fewer samples than clusters, or a spread that is negative or not finite.
///
/// ```
/// let set = deepmf::data::random_views((60, 3), &[8, 5], 2, 0.3, 0)?;
/// assert_eq!((set.views[0].shape(), set.views[1].shape()), ((60, 10), (60, 7)));
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn random_views(
    (samples, clusters): Shape,
    widths: &[usize],
    noise: usize,
    spread: f64,
    seed: u64,
) -> Result<ViewSet> {
    if clusters == 0 || samples < clusters {
        let allowed = format!("from 1 to {samples}, the number of samples");
        return Err(Error::parameter("the number of clusters", allowed, clusters));
    }
    if widths.is_empty() || widths.contains(&0) {
        let found = format!("{widths:?}");
        return Err(Error::parameter("the widths of views", "1 or more of 1 or more", found));
    }
    if !(spread.is_finite() && spread >= 0.0) {
        return Err(Error::parameter("the spread of blobs", "0 or more", spread));
    }
    let of: Vec<usize> = (0..samples).map(|i| i % clusters).collect();
    let view = |(place, &width): (usize, &usize)| {
        let mut draws = stream(seed, Purpose::Truth, place as u64);
        let centers = Mat::from_fn(clusters, width, |_, _| normal(&mut draws));
        let size = spread.hypot(1.0);
        let values = Mat::from_fn(samples, width + noise, |i, j| {
            if j < width {
                centers[(of[i], j)] + spread * normal(&mut draws)
            } else {
                size * normal(&mut draws)
            }
        });
        View::new(format!("view {}", place + 1), Features::Dense(values))
    };
    Ok(ViewSet {
        views: widths.iter().enumerate().map(view).collect::<Result<_>>()?,
        features: vec![None; widths.len()],
        samples: None,
        classes: Some(Classes { names: (0..clusters).map(|c| c.to_string()).collect(), of }),
        transposed: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_drawn_alike_from_a_seed_and_noise_comes_last() {
        let set = random_views((300, 3), &[4, 2], 3, 0.1, 5).unwrap();
        assert_eq!(set, random_views((300, 3), &[4, 2], 3, 0.1, 5).unwrap());
        assert_ne!(set, random_views((300, 3), &[4, 2], 3, 0.1, 6).unwrap());
        let values = set.views[0].to_dense();
        let far = |j: usize| (values[(0, j)] - values[(3, j)]).abs();
        assert!((0..4).all(|j| far(j) < 1.0));
        let square: f64 = values.col(6).iter().map(|x| x * x).sum();
        assert!((square / 300.0 - 1.01).abs() < 0.4, "{square}");
        assert_eq!(set.classes.unwrap().of[..4], [0, 1, 2, 0]);
    }

    #[test]
    fn views_that_cannot_be_drawn_are_refused() {
        assert!(random_views((2, 3), &[4], 0, 0.1, 0).is_err());
        assert!(random_views((9, 3), &[], 0, 0.1, 0).is_err());
        assert!(random_views((9, 3), &[4, 0], 0, 0.1, 0).is_err());
        let told = random_views((9, 3), &[4], 0, -1.0, 0).unwrap_err().to_string();
        assert_eq!(told, "the spread of blobs must be 0 or more, but it is -1");
    }
}
