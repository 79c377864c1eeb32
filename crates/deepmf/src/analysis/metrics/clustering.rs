//! How well clusters agree with classes, and how well they are apart.

use std::collections::BTreeMap;

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use rayon::prelude::*;

use crate::analysis::Points;
use crate::data::View;
use crate::linalg::Mat;
use crate::{Error, Result};

/// By what mutual information is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalizer {
    /// The larger of both entropies.
    #[default]
    Max,
    /// Their mean.
    Mean,
    /// Their geometric mean.
    Geometric,
}

/// How many samples of each class each cluster holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    counts: Vec<Vec<u64>>,
    classes: Vec<usize>,
    clusters: Vec<usize>,
}

impl Agreement {
    /// The agreement of `classes` with `clusters`, one of each a sample; neither needs to count from 0 without gaps.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many of both, [`Error::Parameter`] if there are none.
    pub fn new(classes: &[usize], clusters: &[usize]) -> Result<Self> {
        if classes.len() != clusters.len() {
            let expected = format!("one class for each of {} samples", clusters.len());
            return Err(Error::shape("the list of classes", expected, classes.len()));
        }
        if classes.is_empty() {
            return Err(Error::parameter("the number of samples", "1 or more", 0));
        }
        let (class_places, cluster_places) = (places(classes), places(clusters));
        let mut counts = vec![vec![0; cluster_places.len()]; class_places.len()];
        for (class, cluster) in classes.iter().zip(clusters) {
            counts[class_places[class]][cluster_places[cluster]] += 1;
        }
        let (classes, clusters) =
            (class_places.into_keys().collect(), cluster_places.into_keys().collect());
        Ok(Self { counts, classes, clusters })
    }

    /// Samples by class (in ascending order) and cluster (in ascending order).
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// The classes that occur, ascending.
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }

    /// The clusters that occur, ascending.
    pub fn clusters(&self) -> &[usize] {
        &self.clusters
    }

    fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Samples of each class, and of each cluster.
    fn sides(&self) -> (Vec<u64>, Vec<u64>) {
        let of_class = self.counts.iter().map(|row| row.iter().sum()).collect();
        let column = |c: usize| self.counts.iter().map(|row| row[c]).sum();
        (of_class, (0..self.clusters.len()).map(column).collect())
    }

    /// For each cluster the place of its class where at most one cluster is given to a class and the most samples agree
    /// (the Hungarian method of Kuhn and Munkres).
    pub fn matching(&self) -> Vec<Option<usize>> {
        let (rows, cols) = (self.classes.len(), self.clusters.len());
        let count = |i: usize, j: usize| i64::try_from(self.counts[i][j]).unwrap_or(i64::MAX);
        let mut of_cluster = vec![None; cols];
        // The method wants at least as many columns as rows.
        if rows <= cols {
            let (_, chosen) = kuhn_munkres(&Matrix::from_fn(rows, cols, |(i, j)| count(i, j)));
            chosen.iter().enumerate().for_each(|(i, &j)| of_cluster[j] = Some(i));
        } else {
            let (_, chosen) = kuhn_munkres(&Matrix::from_fn(cols, rows, |(j, i)| count(i, j)));
            chosen.iter().enumerate().for_each(|(j, &i)| of_cluster[j] = Some(i));
        }
        of_cluster
    }

    /// ACC: the share of samples whose cluster is given to their class, of the best one-to-one [`Agreement::matching`].
    pub fn accuracy(&self) -> f64 {
        let agreed = self.matching().into_iter().enumerate();
        let agreed: u64 = agreed.filter_map(|(j, i)| i.map(|i| self.counts[i][j])).sum();
        agreed as f64 / self.total() as f64
    }

    /// The share of samples that belong to the largest class of their cluster.
    pub fn purity(&self) -> f64 {
        let largest = |j: usize| self.counts.iter().map(|row| row[j]).max().unwrap_or(0);
        let sum: u64 = (0..self.clusters.len()).map(largest).sum();
        sum as f64 / self.total() as f64
    }

    /// NMI: the mutual information over what `by` says; 1 where classes and clusters are one each, 0 where only one of them is.
    pub fn normalized_mutual_information(&self, by: Normalizer) -> f64 {
        let (of_class, of_cluster) = self.sides();
        let n = self.total() as f64;
        if of_class.len() == 1 && of_cluster.len() == 1 {
            return 1.0;
        }
        let mut information = 0.0;
        for (row, &a) in self.counts.iter().zip(&of_class) {
            for (&both, &b) in row.iter().zip(&of_cluster).filter(|(both, _)| **both > 0) {
                let both = both as f64;
                information += both / n * (both * n / (a as f64 * b as f64)).ln();
            }
        }
        let entropy = |sides: &[u64]| -> f64 {
            sides.iter().map(|&count| count as f64 / n).map(|share| -share * share.ln()).sum()
        };
        let (a, b) = (entropy(&of_class), entropy(&of_cluster));
        let size = match by {
            Normalizer::Max => a.max(b),
            Normalizer::Mean => f64::midpoint(a, b),
            Normalizer::Geometric => (a * b).sqrt(),
        };
        if size > 0.0 { (information / size).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Pairs of samples that are together in class and cluster, in class, in cluster, and all.
    fn pairs(&self) -> (f64, f64, f64, f64) {
        let pairs = |count: &u64| *count as f64 * (*count as f64 - 1.0) / 2.0;
        let (of_class, of_cluster) = self.sides();
        let sum = |sides: &[u64]| sides.iter().map(pairs).sum();
        let both = self.counts.iter().flatten().map(pairs).sum();
        (both, sum(&of_class), sum(&of_cluster), pairs(&self.total()))
    }

    /// ARI: the Rand index over pairs of samples, less what chance gives (Hubert & Arabie 1985); 1 where both are the same partition.
    pub fn adjusted_rand_index(&self) -> f64 {
        let (both, classes, clusters, all) = self.pairs();
        let chance = if all > 0.0 { classes * clusters / all } else { 0.0 };
        let most = f64::midpoint(classes, clusters);
        if most == chance { 1.0 } else { (both - chance) / (most - chance) }
    }

    /// The harmonic mean of precision and recall over pairs of samples: those that a cluster puts together against those that are of one
    /// class; 1 where neither puts any together.
    pub fn f_score(&self) -> f64 {
        let (both, classes, clusters, _) = self.pairs();
        if classes + clusters == 0.0 { 1.0 } else { 2.0 * both / (classes + clusters) }
    }
}

fn places(labels: &[usize]) -> BTreeMap<usize, usize> {
    let mut places: BTreeMap<usize, usize> = labels.iter().map(|&label| (label, 0)).collect();
    places.values_mut().enumerate().for_each(|(place, at)| *at = place);
    places
}

/// The mean of (b − a) / max(a, b) over samples, a the mean Euclidean distance to the others of the own cluster, b the least mean distance to those of
/// another one; 0 for a sample that is alone (Rousseeuw 1987). `samples` are samples × features. Takes samples² · features operations.
///
/// # Errors
/// [`Error::Shape`] unless there is one label a sample; [`Error::Parameter`] unless there are 2 clusters or more, and fewer than samples;
/// [`Error::NotFinite`] for a number that is not finite.
pub fn silhouette(samples: &Mat, labels: &[usize]) -> Result<f64> {
    let known = vec![false; samples.rows()];
    silhouette_of(&Points::of_matrix(samples, &known)?, labels)
}

/// The same for views side by side; distances go over the views that know both samples.
///
/// # Errors
/// As [`silhouette`] and [`View::common_samples`].
pub fn silhouette_of_views(views: &[View], labels: &[usize]) -> Result<f64> {
    silhouette_of(&Points::of(views)?, labels)
}

fn silhouette_of(points: &Points<'_>, labels: &[usize]) -> Result<f64> {
    let samples = points.samples();
    if labels.len() != samples {
        let expected = format!("one label for each of {samples} samples");
        return Err(Error::shape("the list of labels", expected, labels.len()));
    }
    let clusters = places(labels);
    if clusters.len() < 2 || clusters.len() >= samples {
        let allowed = format!("from 2 to {}", samples.saturating_sub(1));
        return Err(Error::parameter("the number of clusters", allowed, clusters.len()));
    }
    let places: Vec<usize> = labels.iter().map(|label| clusters[label]).collect();
    let mut counts = vec![0.0; clusters.len()];
    for &c in &places {
        counts[c] += 1.0;
    }
    let widths: Vec<f64> = (0..samples)
        .into_par_iter()
        .map(|i| {
            let own = places[i];
            if counts[own] == 1.0 {
                return 0.0;
            }
            let mut distances = vec![0.0; samples];
            points.distances_from(i, &mut distances);
            let mut sums = vec![0.0; counts.len()];
            places.iter().zip(&distances).for_each(|(&c, d)| sums[c] += d.sqrt());
            let inner = sums[own] / (counts[own] - 1.0);
            let others = (0..counts.len()).filter(|&c| c != own).map(|c| sums[c] / counts[c]);
            let outer = others.fold(f64::INFINITY, f64::min);
            let larger = inner.max(outer);
            if larger > 0.0 { (outer - inner) / larger } else { 0.0 }
        })
        .collect();
    Ok(widths.iter().sum::<f64>() / samples as f64)
}

#[cfg(test)]
mod tests;
