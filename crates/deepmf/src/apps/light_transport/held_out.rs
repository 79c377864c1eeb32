//! Entries of Z that no term of the fit touches: the same loss over what touches them chooses iterate and seed.

use std::sync::Arc;

use crate::Result;
use crate::data::{Shape, random_cells};
use crate::linalg::Mat;
use crate::problem::{
    Absolute, Axis, Constant, Differences, Full, Loss, Observation, Squared, Term,
};

/// Which part of a loss a term is of: what is fitted, or what is held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What touches nothing that is held out.
    Fitted,
    /// What touches something of it.
    HeldOut,
}

/// How errors are measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure<'a> {
    /// Their mean absolute value.
    Absolute,
    /// Their mean square.
    Squared,
    /// The sum of their squares, each row with a weight of its own.
    RowsSquared(&'a [f64]),
}

/// Which entries of a matrix are held out.
pub(super) struct HeldOut {
    kept: Vec<bool>,
    shape: Shape,
}

impl HeldOut {
    /// A share of the entries, drawn from all of them.
    pub(super) fn entries(z: &Mat, share: f64, seed: u64) -> Result<Self> {
        let shape = (z.rows(), z.cols());
        let count = (share * z.values().len() as f64).round() as usize;
        let cells = if count > 0 { random_cells(shape, count, seed)? } else { Vec::new() };
        Ok(Self::cells(shape, cells))
    }

    /// A share of the columns, drawn from all of them but the first and the last.
    pub(super) fn frames(z: &Mat, share: f64, seed: u64) -> Result<Self> {
        let shape = (z.rows(), z.cols());
        let inside = z.cols().saturating_sub(2);
        let count = ((share * z.cols() as f64).round() as usize).min(inside);
        let drawn = if count > 0 { random_cells((1, inside), count, seed)? } else { Vec::new() };
        let column = |(_, t): (u32, u32)| (0..shape.0 as u32).map(move |i| (i, t + 1));
        Ok(Self::cells(shape, drawn.into_iter().flat_map(column).collect()))
    }

    fn cells(shape: Shape, cells: Vec<(u32, u32)>) -> Self {
        let mut kept = vec![true; shape.0 * shape.1];
        for (i, j) in cells {
            kept[j as usize * shape.0 + i as usize] = false;
        }
        Self { kept, shape }
    }

    /// Whether something is held out.
    pub(super) fn any(&self) -> bool {
        self.kept.contains(&false)
    }

    /// Ones for the measurements of a part and zeros for the others; none if nothing is held out.
    fn weights(&self, fitted: Vec<bool>, part: Part) -> Option<Vec<f64>> {
        let one = |fitted: bool| f64::from(u8::from(fitted == (part == Part::Fitted)));
        self.any().then(|| fitted.into_iter().map(one).collect())
    }

    /// The error of the entries themselves.
    pub(super) fn direct(&self, z: &Mat, weight: f64, measure: Measure<'_>, part: Part) -> Term {
        let observation = Arc::new(Full::new(self.shape));
        let loss = loss(measure, self.kept.len(), self.weights(self.kept.clone(), part));
        Term { observation, targets: z.values().to_vec(), loss, weight }
    }

    /// The error of differences.
    pub(super) fn differences(
        &self,
        z: &Mat,
        (axis, lag, trim): (Axis, usize, usize),
        weight: f64,
        measure: Measure<'_>,
        part: Part,
    ) -> Result<Term> {
        let over = Differences::new(self.shape, axis, lag, trim)?;
        let mut targets = vec![0.0; over.len()];
        let whole = crate::product::Product::Dense(z.view());
        over.apply(&whole, &mut Mat::default(), &mut targets);
        let loss = loss(measure, over.len(), self.weights(over.both_in(&self.kept), part));
        Ok(Term { observation: Arc::new(over), targets, loss, weight })
    }
}

fn loss(measure: Measure<'_>, count: usize, weights: Option<Vec<f64>>) -> Arc<dyn Loss> {
    // The mean over nothing is nothing.
    let empty = weights.as_ref().is_some_and(|weights| weights.iter().all(|w| *w == 0.0));
    let constant = if empty { Constant::Sum } else { Constant::Mean };
    match measure {
        Measure::Absolute => Arc::new(Absolute { constant, weights }),
        Measure::Squared => Arc::new(Squared { constant, weights }),
        Measure::RowsSquared(each) => {
            let mut weights = weights.unwrap_or_else(|| vec![1.0; count]);
            let rows = each.iter().cycle();
            weights.iter_mut().zip(rows).for_each(|(weight, row)| *weight *= row);
            Arc::new(Squared { constant: Constant::Sum, weights: Some(weights) })
        }
    }
}
