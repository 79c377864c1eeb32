//! The graph that joins near samples of a view.

use rayon::prelude::*;

use super::Points;
use crate::data::View;
use crate::linalg::Mat;
use crate::{Error, Result};

/// A symmetric graph over samples, weights at its edges.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourGraph {
    starts: Vec<usize>,
    ids: Vec<u32>,
    weights: Vec<f64>,
    degrees: Vec<f64>,
}

impl NeighbourGraph {
    /// A sample is joined with its `neighbours` nearest known samples by exp(−d²/t), t the mean of the squared distances to the last one of
    /// them; an edge is there if either end chose the other. Missing samples have no edge. Takes samples² · features operations.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no neighbour, [`Error::NotFinite`] for a number that is not finite.
    pub fn new(view: &View, neighbours: usize) -> Result<Self> {
        if neighbours == 0 {
            return Err(Error::parameter("the number of neighbours", "1 or more", neighbours));
        }
        let alone = std::slice::from_ref(view);
        // A view may leave out samples that others know, so it is not checked as the only one.
        let points = Points::unchecked(alone)?;
        let size = points.samples();
        let nearest: Vec<Vec<(usize, f64)>> = (0..size)
            .into_par_iter()
            .map(|i| {
                if view.missing[i] {
                    return Vec::new();
                }
                let mut distances = vec![0.0; size];
                points.distances_from(i, &mut distances);
                let others = (0..size).filter(|&j| j != i && !view.missing[j]);
                let mut order: Vec<(usize, f64)> = others.map(|j| (j, distances[j])).collect();
                let by_distance =
                    |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
                if order.len() > neighbours {
                    order.select_nth_unstable_by(neighbours, by_distance);
                    order.truncate(neighbours);
                }
                order.sort_by(by_distance);
                order
            })
            .collect();
        let last: Vec<f64> = nearest.iter().filter_map(|row| row.last()).map(|(_, d)| *d).collect();
        let mean = last.iter().sum::<f64>() / last.len().max(1) as f64;
        let width = if mean > 0.0 { mean } else { 1.0 };
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); size];
        for (i, row) in nearest.iter().enumerate() {
            for &(j, distance) in row {
                let weight = (-distance / width).exp();
                rows[i].push((j, weight));
                // Both ends know the edge once, whoever is whose neighbour.
                if !nearest[j].iter().any(|&(back, _)| back == i) {
                    rows[j].push((i, weight));
                }
            }
        }
        Ok(Self::of_rows(rows))
    }

    fn of_rows(rows: Vec<Vec<(usize, f64)>>) -> Self {
        let sum = |row: &Vec<(usize, f64)>| row.iter().map(|(_, weight)| weight).sum();
        let degrees = rows.iter().map(sum).collect();
        let mut graph = Self { starts: vec![0], ids: Vec::new(), weights: Vec::new(), degrees };
        for mut row in rows {
            row.sort_by_key(|(j, _)| *j);
            for (j, weight) in row {
                graph.ids.push(j as u32);
                graph.weights.push(weight);
            }
            graph.starts.push(graph.ids.len());
        }
        graph
    }

    /// The sum of graphs over the same samples.
    ///
    /// # Errors
    /// [`Error::Shape`] if one has other samples, [`Error::Parameter`] if there is none.
    pub fn sum(graphs: &[Self]) -> Result<Self> {
        let Some(first) = graphs.first() else {
            return Err(Error::parameter("the number of graphs", "1 or more", 0));
        };
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); first.samples()];
        for graph in graphs {
            if graph.samples() != rows.len() {
                let expected = format!("{} samples", rows.len());
                return Err(Error::shape("a graph", expected, graph.samples()));
            }
            rows.iter_mut().enumerate().for_each(|(i, row)| row.extend(graph.neighbours(i)));
        }
        for row in &mut rows {
            row.sort_by_key(|(j, _)| *j);
            row.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 += if same { next.1 } else { 0.0 };
                same
            });
        }
        Ok(Self::of_rows(rows))
    }

    /// The graph over these samples alone, ascending and counted anew.
    #[must_use]
    pub fn restricted(&self, samples: &[usize]) -> Self {
        let mut place = vec![usize::MAX; self.samples()];
        samples.iter().enumerate().for_each(|(new, &old)| place[old] = new);
        let kept = |&i: &usize| {
            let row = self.neighbours(i).filter(|(j, _)| place[*j] != usize::MAX);
            row.map(|(j, weight)| (place[j], weight)).collect()
        };
        Self::of_rows(samples.iter().map(kept).collect())
    }

    /// The graph over `samples` samples, where sample i of this one is `places[i]`.
    #[must_use]
    pub fn spread(&self, places: &[usize], samples: usize) -> Self {
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); samples];
        for (i, &place) in places.iter().enumerate() {
            rows[place] = self.neighbours(i).map(|(j, weight)| (places[j], weight)).collect();
        }
        Self::of_rows(rows)
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.starts.len() - 1
    }

    /// The samples that sample `i` is joined with, ascending, and the weights.
    pub fn neighbours(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let row = self.starts[i]..self.starts[i + 1];
        self.ids[row.clone()].iter().zip(&self.weights[row]).map(|(&j, &w)| (j as usize, w))
    }

    /// The sum of the weights of each sample's edges.
    pub fn degrees(&self) -> &[f64] {
        &self.degrees
    }

    /// tr(G L Gᵀ) = Σ over edges a_ij ‖g_i − g_j‖² for `partition` G, k × samples, and the Laplacian L = D − A.
    pub fn roughness(&self, partition: &Mat) -> f64 {
        let apart = |i: usize, j: usize| -> f64 {
            let (a, b) = (partition.col(i), partition.col(j));
            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let row = |i: usize| -> f64 { self.neighbours(i).map(|(j, w)| w * apart(i, j)).sum() };
        0.5 * (0..self.samples()).map(row).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Features;

    fn line() -> View {
        let places = [0.0, 1.0, 2.0, 10.0, 11.0];
        View::new("line", Features::Dense(Mat::from_fn(5, 1, |i, _| places[i]))).unwrap()
    }

    #[test]
    fn near_samples_are_joined_on_both_ends() {
        let graph = NeighbourGraph::new(&line(), 1).unwrap();
        let joined = |i: usize| graph.neighbours(i).map(|(j, _)| j).collect::<Vec<_>>();
        // Sample 2 chose 1; 1 chose 0, the first of two that are equally near.
        assert_eq!([0, 1, 2, 3, 4].map(joined), [vec![1], vec![0, 2], vec![1], vec![4], vec![3]]);
        let weight = (-1.0_f64).exp();
        assert!(
            graph
                .degrees()
                .iter()
                .zip([1.0, 2.0, 1.0, 1.0, 1.0])
                .all(|(d, c)| { (d - c * weight).abs() < 1e-15 })
        );
        assert!(NeighbourGraph::new(&line(), 0).is_err());
    }

    #[test]
    fn graphs_add_up_and_are_restricted_to_samples() {
        let graph = NeighbourGraph::new(&line(), 1).unwrap();
        let double = NeighbourGraph::sum(&[graph.clone(), graph.clone()]).unwrap();
        assert!(double.degrees().iter().zip(graph.degrees()).all(|(a, b)| *a == 2.0 * b));
        let few = graph.restricted(&[0, 2, 3, 4]);
        assert_eq!(few.degrees()[..2], [0.0, 0.0]);
        let steps = Mat::from_fn(1, 4, |_, i| i as f64);
        assert!((few.roughness(&steps) - (-1.0_f64).exp()).abs() < 1e-15);
        assert_eq!(few.neighbours(2).map(|(j, _)| j).collect::<Vec<_>>(), [3]);
        let back = few.spread(&[0, 2, 3, 4], 5);
        assert_eq!(back.neighbours(3).collect::<Vec<_>>(), graph.neighbours(3).collect::<Vec<_>>());
        assert!(NeighbourGraph::sum(&[graph, few]).is_err());
        assert!(NeighbourGraph::sum(&[]).is_err());
    }
}
