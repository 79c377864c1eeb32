//! k-means: k-means++ starts, Lloyd's steps, the best of several restarts.

mod points;

use rayon::prelude::*;

use crate::data::View;
use crate::linalg::Mat;
use crate::random::{Purpose, RngExt, Stream, stream};
use crate::{Error, Result};

pub(crate) use points::Points;

/// Steps of one start at most.
const MOST_STEPS: usize = 300;

/// Clusters around their means.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// The cluster of each sample, counted from 0.
    pub labels: Vec<usize>,
    /// The centres, clusters × features.
    pub centers: Mat,
    /// Σ ‖x_i − centre of its cluster‖².
    pub inertia: f64,
    /// Steps of the start that was best.
    pub steps: usize,
}

/// The `k` clusters of `samples` (samples × features) with the least inertia of `restarts` starts.
///
/// Starts are greedy k-means++ (Arthur & Vassilvitskii 2007: of 2 + ln k candidates the one that helps most); an emptied cluster takes the
/// sample that is farthest from its centre. Restarts run in parallel, each with a stream of its own: the same seed gives the same bits.
///
/// # Errors
/// [`Error::Parameter`] if `k` is not from 1 to the number of samples or there is no restart; [`Error::NotFinite`] for a
/// number that is not finite.
pub fn k_means(samples: &Mat, k: usize, restarts: usize, seed: u64) -> Result<KMeans> {
    let known = vec![false; samples.rows()];
    of_points(&Points::of_matrix(samples, &known)?, k, restarts, seed)
}

/// The same for views side by side; centres have the features of all views. Where a view does not know a sample, it counts neither in the
/// distances of that sample nor in the means (the *partial distance* of Hathaway & Bezdek 2001).
///
/// # Errors
/// As [`k_means`] and [`View::common_samples`].
pub fn k_means_of_views(views: &[View], k: usize, restarts: usize, seed: u64) -> Result<KMeans> {
    of_points(&Points::of(views)?, k, restarts, seed)
}

fn of_points(points: &Points<'_>, k: usize, restarts: usize, seed: u64) -> Result<KMeans> {
    if k == 0 || k > points.samples() {
        let allowed = format!("from 1 to the {} samples", points.samples());
        return Err(Error::parameter("the number of clusters", allowed, k));
    }
    let runs: Vec<KMeans> = (0..restarts)
        .into_par_iter()
        .map(|restart| {
            let mut random = stream(seed, Purpose::Cluster, restart as u64);
            lloyd(points, start(points, k, &mut random))
        })
        .collect();
    let best =
        runs.into_iter().reduce(|best, run| if run.inertia < best.inertia { run } else { best });
    let mut best = best.ok_or_else(|| Error::parameter("restarts", "1 or more", restarts))?;
    best.centers = points.given_back(&best.centers);
    Ok(best)
}

/// Samples that lie far from each other, features × clusters.
fn start(points: &Points<'_>, k: usize, random: &mut Stream) -> Mat {
    let samples = points.samples();
    let candidates = 2 + (k as f64).ln() as usize;
    let mut centres = Mat::zeros(points.width(), k);
    points.centre_at(random.random_range(0..samples), centres.col_mut(0));
    let squares = points.squares_of(centres.col(0));
    let mut nearest: Vec<f64> =
        (0..samples).map(|i| points.to_centre(i, centres.col(0), &squares)).collect();
    let mut centre = vec![0.0; points.width()];
    for c in 1..k {
        let total: f64 = nearest.iter().sum();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for _ in 0..candidates {
            let place = drawn(&nearest, total, random);
            points.centre_at(place, &mut centre);
            let squares = points.squares_of(&centre);
            let now: Vec<f64> = (0..samples)
                .map(|i| points.to_centre(i, &centre, &squares).min(nearest[i]))
                .collect();
            let sum = now.iter().sum();
            if best.as_ref().is_none_or(|(least, _)| sum < *least) {
                best = Some((sum, now));
                centres.col_mut(c).copy_from_slice(&centre);
            }
        }
        nearest = best.map_or(nearest, |(_, now)| now);
    }
    centres
}

/// A place with a chance in proportion to its weight; any where all weights are zero.
fn drawn(weights: &[f64], total: f64, random: &mut Stream) -> usize {
    if total <= 0.0 {
        return random.random_range(0..weights.len());
    }
    let mut rest = random.random::<f64>() * total;
    for (place, weight) in weights.iter().enumerate() {
        rest -= weight;
        if rest < 0.0 {
            return place;
        }
    }
    weights.len() - 1
}

fn lloyd(points: &Points<'_>, mut centres: Mat) -> KMeans {
    let mut labels = vec![usize::MAX; points.samples()];
    let mut steps = 0;
    loop {
        let (mut next, mut distances) = assigned(points, &centres);
        fill_empty(&mut next, &mut distances, centres.cols());
        let settled = next == labels;
        labels = next;
        if settled || steps == MOST_STEPS {
            let inertia = distances.iter().sum();
            return KMeans { labels, centers: centres, inertia, steps };
        }
        points.means(&labels, &mut centres);
        steps += 1;
    }
}

/// The nearest centre of each sample and the squared distance to it; the first of equally near ones.
fn assigned(points: &Points<'_>, centres: &Mat) -> (Vec<usize>, Vec<f64>) {
    let squares: Vec<_> = (0..centres.cols()).map(|c| points.squares_of(centres.col(c))).collect();
    let nearest = |i: usize| {
        let all =
            (0..centres.cols()).map(|c| (c, points.to_centre(i, centres.col(c), &squares[c])));
        all.reduce(|best, next| if next.1 < best.1 { next } else { best }).unwrap_or((0, 0.0))
    };
    (0..points.samples()).map(nearest).unzip()
}

/// Gives each empty cluster the sample that is farthest from its centre, of the clusters with more than one.
fn fill_empty(labels: &mut [usize], distances: &mut [f64], k: usize) {
    let mut counts = vec![0_usize; k];
    for &c in labels.iter() {
        counts[c] += 1;
    }
    for empty in 0..k {
        if counts[empty] > 0 {
            continue;
        }
        let spare = (0..labels.len()).filter(|&i| counts[labels[i]] > 1);
        let farthest = spare.reduce(|a, b| if distances[b] > distances[a] { b } else { a });
        let Some(i) = farthest else { continue };
        counts[labels[i]] -= 1;
        counts[empty] = 1;
        labels[i] = empty;
        distances[i] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Entries, Features};
    use crate::random::normal;

    /// Blobs of ten samples around far corners.
    fn blobs(clusters: usize, width: usize, noise: f64) -> Mat {
        let mut random = stream(5, Purpose::Truth, 0);
        let mut samples = Mat::zeros(10 * clusters, width);
        for i in 0..10 * clusters {
            for j in 0..width {
                let corner = if j % clusters == i / 10 { 8.0 } else { 1000.0 };
                samples[(i, j)] = corner + noise * normal(&mut random);
            }
        }
        samples
    }

    #[test]
    fn far_blobs_are_found_and_their_means_are_the_centres() {
        let samples = blobs(4, 6, 0.5);
        let found = k_means(&samples, 4, 3, 1).unwrap();
        for blob in found.labels.chunks(10) {
            assert!(blob.iter().all(|c| *c == blob[0]));
        }
        let (mut inertia, c) = (0.0, found.labels[0]);
        for j in 0..6 {
            let mean = samples.col(j)[..10].iter().sum::<f64>() / 10.0;
            assert!((found.centers[(c, j)] - mean).abs() < 1e-9);
            for i in 0..40 {
                inertia += (samples[(i, j)] - found.centers[(found.labels[i], j)]).powi(2);
            }
        }
        assert!((found.inertia - inertia).abs() < 1e-8 * inertia);
    }

    #[test]
    fn sparse_and_dense_views_and_the_matrix_side_by_side_give_the_same_clusters() {
        let samples = blobs(3, 5, 40.0);
        let part = |from: usize, to: usize| {
            Mat::from_fn(samples.rows(), to - from, |i, j| samples[(i, from + j)])
        };
        let views = [
            View::new("a", Features::Dense(part(0, 2))).unwrap(),
            View::new("b", Features::Sparse(Entries::from_dense(&part(2, 5)).unwrap())).unwrap(),
        ];
        let (joint, apart) =
            (k_means(&samples, 3, 2, 7).unwrap(), k_means_of_views(&views, 3, 2, 7).unwrap());
        assert_eq!(joint.labels, apart.labels);
        assert!((joint.inertia - apart.inertia).abs() < 1e-6 * joint.inertia);
        assert!(joint.centers.minus(&apart.centers).max_abs() < 1e-8);
    }

    #[test]
    fn a_view_that_does_not_know_a_sample_leaves_it_to_the_others() {
        let samples = blobs(2, 2, 0.1);
        let mut gone = samples.clone();
        (0..2).for_each(|j| gone[(3, j)] = f64::NAN);
        let views = [
            View::new("a", Features::Dense(gone)).unwrap(),
            View::new("b", Features::Dense(samples)).unwrap(),
        ];
        let found = k_means_of_views(&views, 2, 1, 0).unwrap();
        assert!((0..20).all(|i| found.labels[i] == found.labels[i / 10 * 10]));
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_at_one_and_two_threads() {
        let samples = blobs(3, 4, 300.0);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| k_means(&samples, 5, 6, 3).unwrap())
        };
        assert_eq!(with(1), with(2));
    }

    #[test]
    fn equal_samples_and_as_many_clusters_as_samples_are_no_trouble() {
        let equal = k_means(&Mat::from_columns(3, 1, vec![2.0; 3]), 2, 1, 0).unwrap();
        assert_eq!(equal.inertia, 0.0);
        let mut all = k_means(&Mat::from_columns(3, 1, vec![1.0, 2.0, 4.0]), 3, 1, 0).unwrap();
        assert_eq!(all.inertia, 0.0);
        all.labels.sort_unstable();
        assert_eq!(all.labels, [0, 1, 2]);
        let message = k_means(&Mat::zeros(3, 1), 4, 1, 0).unwrap_err().to_string();
        assert_eq!(message, "the number of clusters must be from 1 to the 3 samples, but it is 4");
        assert!(k_means(&Mat::zeros(3, 1), 2, 0, 0).is_err());
        assert!(k_means(&Mat::from_columns(1, 1, vec![f64::NAN]), 1, 1, 0).is_err());
    }
}
