//! Entries of Z that no term of the fit touches, by which iterate and seed are chosen.

use std::sync::Arc;

use crate::Result;
use crate::data::{Entries, Shape, random_cells};
use crate::linalg::Mat;
use crate::problem::{
    Absolute, Axis, Constant, Differences, Full, Loss, Observation, Problem, Squared, Term,
};

/// Which entries of a matrix are fitted, and the problem that the others are.
pub(super) struct HeldOut {
    kept: Vec<bool>,
    shape: Shape,
    /// The mean square error of the entries held out; none where none is.
    pub(super) problem: Option<Problem>,
    /// Their mean square.
    pub(super) mean_square: f64,
}

impl HeldOut {
    /// A share of the entries, drawn from all of them.
    pub(super) fn entries(z: &Mat, share: f64, seed: u64) -> Result<Self> {
        let shape = (z.rows(), z.cols());
        let count = (share * z.values().len() as f64).round() as usize;
        let cells = if count > 0 { random_cells(shape, count, seed)? } else { Vec::new() };
        Self::cells(z, cells)
    }

    /// A share of the columns, drawn from all of them but the first and the last.
    pub(super) fn frames(z: &Mat, share: f64, seed: u64) -> Result<Self> {
        let shape = (z.rows(), z.cols());
        let inside = z.cols().saturating_sub(2);
        let count = ((share * z.cols() as f64).round() as usize).min(inside);
        let drawn = if count > 0 { random_cells((1, inside), count, seed)? } else { Vec::new() };
        let column = |(_, t): (u32, u32)| (0..shape.0 as u32).map(move |i| (i, t + 1));
        Self::cells(z, drawn.into_iter().flat_map(column).collect())
    }

    fn cells(z: &Mat, cells: Vec<(u32, u32)>) -> Result<Self> {
        let shape = (z.rows(), z.cols());
        let mut kept = vec![true; shape.0 * shape.1];
        if cells.is_empty() {
            return Ok(Self { kept, shape, problem: None, mean_square: 0.0 });
        }
        for &(i, j) in &cells {
            kept[j as usize * shape.0 + i as usize] = false;
        }
        let values: Vec<f64> = cells.iter().map(|&(i, j)| z[(i as usize, j as usize)]).collect();
        let mean_square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
        let (rows, cols) = cells.into_iter().unzip();
        let problem = Problem::completion(&Entries::new(shape, rows, cols, values)?)?;
        Ok(Self { kept, shape, problem: Some(problem), mean_square })
    }

    /// Ones for what is fitted and zeros for what is not; none if everything is.
    fn weights(&self, fitted: Vec<bool>) -> Option<Vec<f64>> {
        self.problem
            .as_ref()
            .map(|_| fitted.into_iter().map(|it| f64::from(u8::from(it))).collect())
    }

    /// For each measurement of a term, given as this type made it, one where it is fitted and else zero.
    pub(super) fn fitted(&self, term: &Term) -> Vec<f64> {
        let mut slopes = vec![1.0; term.targets.len()];
        // The slope of the loss one above the targets is nowhere zero but where the weight is.
        let targets = vec![0.0; slopes.len()];
        term.loss.value_and_slope(&mut slopes, &targets);
        slopes.into_iter().map(|slope| f64::from(u8::from(slope != 0.0))).collect()
    }

    /// The error of the entries themselves: mean absolute, or mean squared.
    pub(super) fn direct(&self, z: &Mat, weight: f64, squared: bool) -> Term {
        let observation = Arc::new(Full::new(self.shape));
        let loss = loss(squared, self.weights(self.kept.clone()));
        Term { observation, targets: z.values().to_vec(), loss, weight }
    }

    /// The error of differences: mean absolute, or mean squared.
    pub(super) fn differences(
        &self,
        z: &Mat,
        (axis, lag, trim): (Axis, usize, usize),
        weight: f64,
        squared: bool,
    ) -> Result<Term> {
        let over = Differences::new(self.shape, axis, lag, trim)?;
        let mut targets = vec![0.0; over.len()];
        let whole = crate::product::Product::Dense(z.view());
        over.apply(&whole, &mut Mat::default(), &mut targets);
        let loss = loss(squared, self.weights(over.both_in(&self.kept)));
        Ok(Term { observation: Arc::new(over), targets, loss, weight })
    }
}

fn loss(squared: bool, weights: Option<Vec<f64>>) -> Arc<dyn Loss> {
    let constant = Constant::Mean;
    if squared {
        Arc::new(Squared { constant, weights })
    } else {
        Arc::new(Absolute { constant, weights })
    }
}
