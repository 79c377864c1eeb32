//! A mask: some entries of W, through a sparse or a dense residual, whichever is faster at its density.

use std::sync::Arc;

use super::block::places;
use super::observation::{scaled, squares};
use super::{Block, Observation};
use crate::data::{Entries, Shape};
use crate::linalg::{Mat, MatRef, Pattern};
use crate::product::{Cotangent, Product};

/// Share of observed cells from which W is multiplied out. At 100 x 100 both ways take the same time at a share of 0.2; at
/// 200 x 200 multiplying out is the faster one from about 0.1 on (`cargo bench --bench density`), so this errs
/// towards never forming W.
const DENSE_FROM: f64 = 0.25;

/// Sees the cells of a set of entries.
#[derive(Clone, Debug)]
pub struct Mask {
    shape: Shape,
    cells: Cells,
    /// Number of measurements.
    count: usize,
    /// Measurement of each entry that the mask was made from; none where they come in the same order.
    places: Option<Vec<u32>>,
}

#[derive(Clone, Debug)]
enum Cells {
    /// Measurements in row order.
    Sparse(Arc<Pattern>),
    /// Measurements in column order, each the place of a cell among the stored numbers of a dense matrix.
    Dense(Vec<usize>),
}

impl Mask {
    /// Sees the cells of `entries`.
    pub fn new(entries: &Entries) -> Self {
        let shape = entries.shape();
        let density = entries.len() as f64 / (shape.0 as f64 * shape.1 as f64);
        if density >= DENSE_FROM { Self::dense(entries) } else { Self::sparse(entries) }
    }

    /// Sees the cells of `entries` and never forms W.
    pub fn sparse(entries: &Entries) -> Self {
        let (pattern, places) = Pattern::new(entries.shape(), entries.rows(), entries.cols());
        Self::made(entries.shape(), Cells::Sparse(Arc::new(pattern)), places)
    }

    /// Sees the cells of `entries` in W multiplied out.
    pub fn dense(entries: &Entries) -> Self {
        let shape = entries.shape();
        let cell = |e: usize| entries.cols()[e] as usize * shape.0 + entries.rows()[e] as usize;
        let mut order: Vec<u32> = (0..entries.len() as u32).collect();
        order.sort_by_key(|&e| cell(e as usize));
        let mut places = vec![0; entries.len()];
        for (place, &e) in order.iter().enumerate() {
            places[e as usize] = place as u32;
        }
        let cells = order.iter().map(|&e| cell(e as usize)).collect();
        Self::made(shape, Cells::Dense(cells), places)
    }

    fn made(shape: Shape, cells: Cells, places: Vec<u32>) -> Self {
        let count = places.len();
        let same = places.iter().enumerate().all(|(e, &place)| e == place as usize);
        Self { shape, cells, count, places: (!same).then_some(places) }
    }

    /// Row and column of each measurement.
    fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        match &self.cells {
            Cells::Sparse(pattern) => {
                pattern.cells().enumerate().for_each(|(place, (i, j))| visit(place, i, j));
            }
            Cells::Dense(cells) => {
                let rows = self.shape.0;
                let places = cells.iter().enumerate();
                places.for_each(|(place, &cell)| visit(place, cell % rows, cell / rows));
            }
        }
    }

    /// Numbers given one an entry, in the order of the measurements.
    pub fn order(&self, numbers: &[f64]) -> Vec<f64> {
        let Some(places) = &self.places else { return numbers.to_vec() };
        let mut ordered = vec![0.0; numbers.len()];
        for (number, &place) in numbers.iter().zip(places) {
            ordered[place as usize] = *number;
        }
        ordered
    }

    /// Numbers given one a measurement, in the order of the entries.
    pub fn restore(&self, measurements: &[f64]) -> Vec<f64> {
        match &self.places {
            Some(places) => places.iter().map(|&place| measurements[place as usize]).collect(),
            None => measurements.to_vec(),
        }
    }
}

impl Observation for Mask {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        self.count
    }

    fn apply(&self, product: &Product<'_>, room: &mut Mat, out: &mut [f64]) {
        match &self.cells {
            Cells::Sparse(pattern) => product.cells(pattern, out),
            Cells::Dense(cells) => {
                let dense = product.dense_in(room);
                if let (values, false) = dense.stored() {
                    out.iter_mut().zip(cells).for_each(|(out, &cell)| *out = values[cell]);
                } else {
                    let rows = self.shape.0;
                    out.iter_mut().zip(cells).for_each(|(out, &cell)| {
                        *out = dense.at(cell % rows, cell / rows);
                    });
                }
            }
        }
    }

    fn adjoint_taking(&self, y: &mut Vec<f64>, into: &mut Cotangent) {
        match &self.cells {
            Cells::Sparse(pattern) => into.add_sparse_taking(pattern, y),
            Cells::Dense(_) => self.adjoint(y, into),
        }
    }

    fn adjoint(&self, y: &[f64], into: &mut Cotangent) {
        match &self.cells {
            Cells::Sparse(pattern) => into.add_sparse(pattern, y),
            Cells::Dense(cells) => into.add_dense(|dense| {
                let values = dense.values_mut();
                cells.iter().zip(y).for_each(|(&cell, y)| values[cell] += y);
            }),
        }
    }

    fn cells(&self) -> Option<Vec<(u32, u32)>> {
        let rows = self.shape.0;
        Some(match &self.cells {
            Cells::Sparse(pattern) => pattern.cells().map(|(i, j)| (i as u32, j as u32)).collect(),
            Cells::Dense(cells) => {
                cells.iter().map(|cell| ((cell % rows) as u32, (cell / rows) as u32)).collect()
            }
        })
    }

    fn block(&self, block: &Block) -> Option<(Arc<dyn Observation>, Vec<usize>)> {
        let cols = places(block.cols(), self.shape.1);
        let (mut found, mut cells) = (Vec::new(), (Vec::new(), Vec::new()));
        let mut keep = |place: usize, i: Option<u32>, j: usize| {
            if let (Some(i), Some(j)) = (i, cols[j]) {
                found.push(place);
                cells.0.push(i);
                cells.1.push(j);
            }
        };
        match &self.cells {
            Cells::Sparse(pattern) => {
                for (place, &i) in block.rows().iter().enumerate() {
                    let (start, ids) = pattern.row(i as usize);
                    let ids = ids.iter().enumerate();
                    ids.for_each(|(e, &j)| keep(start + e, Some(place as u32), j as usize));
                }
            }
            Cells::Dense(_) => {
                let rows = places(block.rows(), self.shape.0);
                self.each(|place, i, j| keep(place, rows[i], j));
            }
        }
        let (pattern, order) = Pattern::new(block.shape(), &cells.0, &cells.1);
        let mut measurements = vec![0; found.len()];
        found.iter().zip(order).for_each(|(&place, spot)| measurements[spot as usize] = place);
        let (shape, count) = (block.shape(), found.len());
        let cells = Cells::Sparse(Arc::new(pattern));
        Some((Arc::new(Self { shape, cells, count, places: None }), measurements))
    }

    fn gram(&self, y: &[f64], out: &mut [f64]) {
        out.copy_from_slice(y);
    }
    fn sees_all(&self) -> bool {
        self.count == self.shape.0 * self.shape.1
    }

    fn block_trace(
        &self,
        weights: &[f64],
        left: Option<MatRef<'_>>,
        right: Option<MatRef<'_>>,
    ) -> f64 {
        let (p, q) = (squares(left, self.shape.0), squares(right, self.shape.1));
        let mut sum = 0.0;
        self.each(|place, i, j| sum += weights[place] * p[i] * q[j]);
        sum
    }

    fn left_slope(&self, weights: &[f64], left: MatRef<'_>, right: Option<MatRef<'_>>) -> Mat {
        let q = squares(right, self.shape.1);
        let mut sums = vec![0.0; self.shape.0];
        self.each(|place, i, j| sums[i] += weights[place] * q[j]);
        scaled(left, &sums)
    }

    fn right_slope(&self, weights: &[f64], left: Option<MatRef<'_>>, right: MatRef<'_>) -> Mat {
        let p = squares(left, self.shape.0);
        let mut sums = vec![0.0; self.shape.1];
        self.each(|place, i, j| sums[j] += weights[place] * p[i]);
        scaled(right, &sums)
    }
}
