//! The graph that joins near samples of a view.

use rayon::prelude::*;

use super::Points;
use crate::data::View;
use crate::linalg::{Mat, dot};
use crate::{Error, Result};

/// A symmetric graph over samples, weights at its edges.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourGraph {
    starts: Vec<usize>,
    ids: Vec<u32>,
    weights: Vec<f64>,
    degrees: Vec<f64>,
}

/// ⌈log₂ samples⌉: with fewer neighbours than about the logarithm of the samples a graph falls to pieces (Brito, Chávez, Quiroz & Yukich 1997).
pub fn usual_neighbours(samples: usize) -> usize {
    (samples.max(2) as f64).log2().ceil() as usize
}

impl NeighbourGraph {
    /// Joins a sample with its `neighbours` nearest known samples by exp(−d²/(s_i s_j)), s the distance to the last one of them (Zelnik-Manor & Perona
    /// 2004); an edge is there if either end chose the other.
    ///
    /// Distances go over all of `views` side by side; where not all know both samples, those that do count for the rest, and samples that no
    /// view knows both are not joined. Takes samples² · features operations.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no neighbour, [`Error::NotFinite`] for a number that is not finite.
    pub fn new(views: &[View], neighbours: usize) -> Result<Self> {
        if neighbours == 0 {
            return Err(Error::parameter("the number of neighbours", "1 or more", neighbours));
        }
        // A view may leave out samples that others know, so views are not checked as the only ones.
        let points = Points::unchecked(views)?;
        let size = points.samples();
        let shared =
            |i: usize, j: usize| views.iter().filter(|v| !v.missing[i] && !v.missing[j]).count();
        let by_distance =
            |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
        let nearest: Vec<Vec<(usize, f64)>> = (0..size)
            .into_par_iter()
            .map(|i| {
                let mut distances = vec![0.0; size];
                points.distances_from(i, &mut distances);
                let others = (0..size).filter(|&j| j != i).filter_map(|j| match shared(i, j) {
                    0 => None,
                    both => Some((j, distances[j] * views.len() as f64 / both as f64)),
                });
                let mut order: Vec<(usize, f64)> = others.collect();
                if order.len() > neighbours {
                    order.select_nth_unstable_by(neighbours, by_distance);
                    order.truncate(neighbours);
                }
                order.sort_by(by_distance);
                order
            })
            .collect();
        let last = |row: &Vec<(usize, f64)>| row.last().map_or(0.0, |(_, square)| square.sqrt());
        let reach: Vec<f64> = nearest.iter().map(last).collect();
        let positive = reach.iter().filter(|x| **x > 0.0);
        let mean = positive.clone().sum::<f64>() / positive.count().max(1) as f64;
        // A sample with as many doubles as neighbours sees as far as the others do.
        let reach: Vec<f64> =
            reach.iter().map(|x| if *x > 0.0 { *x } else { mean.max(f64::MIN_POSITIVE) }).collect();
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); size];
        for (i, row) in nearest.iter().enumerate() {
            for &(j, square) in row {
                let weight = (-square / (reach[i] * reach[j])).exp();
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

    /// D^(−1/2) A D^(−1/2), the weights over the roots of the degrees of both ends; its Laplacian is that less the unit matrix, and a sample
    /// without edges has the degree 0.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        let root = |d: &f64| if *d > 0.0 { 1.0 / d.sqrt() } else { 0.0 };
        let scale: Vec<f64> = self.degrees.iter().map(root).collect();
        for i in 0..self.samples() {
            for place in self.starts[i]..self.starts[i + 1] {
                self.weights[place] *= scale[i] * scale[self.ids[place] as usize];
            }
        }
        self.degrees.iter_mut().for_each(|d| *d = f64::from(u8::from(*d > 0.0)));
        self
    }

    /// Σ_g f_g A_g over graphs of the same samples.
    ///
    /// # Errors
    /// [`Error::Shape`] if one has other samples, [`Error::Parameter`] if there is none.
    pub fn sum(graphs: &[(f64, &Self)]) -> Result<Self> {
        let Some((_, first)) = graphs.first() else {
            return Err(Error::parameter("the number of graphs", "1 or more", 0));
        };
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); first.samples()];
        let mut degrees = vec![0.0; rows.len()];
        for (factor, graph) in graphs {
            if graph.samples() != rows.len() {
                let expected = format!("{} samples", rows.len());
                return Err(Error::shape("a graph", expected, graph.samples()));
            }
            for (i, row) in rows.iter_mut().enumerate() {
                row.extend(graph.neighbours(i).map(|(j, weight)| (j, factor * weight)));
                degrees[i] += factor * graph.degrees[i];
            }
        }
        for row in &mut rows {
            row.sort_by_key(|(j, _)| *j);
            row.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 += if same { next.1 } else { 0.0 };
                same
            });
        }
        Ok(Self { degrees, ..Self::of_rows(rows) })
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
        let rows = Self::of_rows(samples.iter().map(kept).collect());
        Self { degrees: samples.iter().map(|&i| self.degrees[i]).collect(), ..rows }
    }

    /// The graph over `samples` samples, where sample i of this one is `places[i]`.
    #[must_use]
    pub fn spread(&self, places: &[usize], samples: usize) -> Self {
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); samples];
        let mut degrees = vec![0.0; samples];
        for (i, &place) in places.iter().enumerate() {
            rows[place] = self.neighbours(i).map(|(j, weight)| (places[j], weight)).collect();
            degrees[place] = self.degrees[i];
        }
        Self { degrees, ..Self::of_rows(rows) }
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

    /// Σ_j a_ij x_j for every sample i.
    pub fn apply(&self, x: &[f64], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.neighbours(i).map(|(j, weight)| weight * x[j]).sum();
        }
    }

    /// The diagonal of the Laplacian: the sum of the weights of each sample's edges, or 1 where a graph was normalised.
    pub fn degrees(&self) -> &[f64] {
        &self.degrees
    }

    /// tr(G L Gᵀ) for `partition` G, k × samples, and the Laplacian L = D − A.
    pub fn roughness(&self, partition: &Mat) -> f64 {
        let row = |i: usize| -> f64 {
            let own = partition.col(i);
            let joined: f64 = self.neighbours(i).map(|(j, w)| w * dot(own, partition.col(j))).sum();
            self.degrees[i] * dot(own, own) - joined
        };
        (0..self.samples()).map(row).sum()
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

    fn joined(graph: &NeighbourGraph) -> Vec<Vec<usize>> {
        (0..5).map(|i| graph.neighbours(i).map(|(j, _)| j).collect()).collect()
    }

    #[test]
    fn near_samples_are_joined_on_both_ends() {
        let graph = NeighbourGraph::new(&[line()], 1).unwrap();
        // Sample 2 chose 1; 1 chose 0, the first of two that are equally near.
        assert_eq!(joined(&graph), [vec![1], vec![0, 2], vec![1], vec![4], vec![3]]);
        let weight = (-1.0_f64).exp();
        let counts = [1.0, 2.0, 1.0, 1.0, 1.0];
        assert!(graph.degrees().iter().zip(counts).all(|(d, c)| (d - c * weight).abs() < 1e-15));
        assert!(NeighbourGraph::new(&[line()], 0).is_err());
        assert_eq!([2, 40, 2_000].map(usual_neighbours), [1, 6, 11]);
    }

    #[test]
    fn a_sample_is_joined_by_the_views_that_know_it() {
        let (first, mut second) = (line(), line());
        second.missing = vec![false, true, true, false, false];
        assert_eq!(joined(&NeighbourGraph::new(&[first, second.clone()], 1).unwrap())[0], [1]);
        assert_eq!(joined(&NeighbourGraph::new(&[second], 1).unwrap())[1], [0_usize; 0]);
    }

    #[test]
    fn the_laplacian_of_a_normalised_graph_is_flat_along_the_roots_of_the_degrees() {
        let graph = NeighbourGraph::new(&[line()], 2).unwrap();
        let roots = Mat::from_fn(1, 5, |_, i| graph.degrees()[i].sqrt());
        let ones = Mat::from_fn(1, 5, |_, _| 1.0);
        assert!(graph.roughness(&ones).abs() < 1e-12);
        let graph = graph.normalised();
        assert!(graph.roughness(&roots).abs() < 1e-12 && graph.roughness(&ones) > 0.0);
        assert_eq!(graph.degrees(), [1.0; 5]);
    }

    #[test]
    fn graphs_add_up_and_are_restricted_to_samples() {
        let graph = NeighbourGraph::new(&[line()], 1).unwrap();
        let triple = NeighbourGraph::sum(&[(1.0, &graph), (2.0, &graph)]).unwrap();
        assert!(
            triple.degrees().iter().zip(graph.degrees()).all(|(a, b)| (a - 3.0 * b).abs() < 1e-15)
        );
        let few = graph.restricted(&[0, 2, 3, 4]);
        assert_eq!(few.neighbours(0).count() + few.neighbours(1).count(), 0);
        assert_eq!(few.neighbours(2).map(|(j, _)| j).collect::<Vec<_>>(), [3]);
        let back = few.spread(&[0, 2, 3, 4], 5);
        assert_eq!(back.neighbours(3).collect::<Vec<_>>(), graph.neighbours(3).collect::<Vec<_>>());
        assert!(NeighbourGraph::sum(&[(1.0, &graph), (1.0, &few)]).is_err());
        assert!(NeighbourGraph::sum(&[]).is_err());
    }
}
