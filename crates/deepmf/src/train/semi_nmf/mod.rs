//! Semi-NMF and its deep form: a basis of any sign and a non-negative partition in turn, layer after layer.

mod block;
mod operand;
mod start;

pub use block::{
    GraphTerms, coordinate, gram, multiplicative, quadratic_value, update_basis, update_partition,
};
pub use operand::Operand;
pub use start::{memberships, partition_start};

use super::StopReason;
use crate::linalg::{Mat, dot};
use crate::model::SemiNmf;
use crate::spec::{NonNegativeSolver, PartitionStart};
use crate::{Error, Result};

/// Fits X ≈ F_1 … F_m G with G ≥ 0, greedily: X ≈ F_1 G_1, then G_1 ≈ F_2 G_2 and so on, each by sweeps that set F to
/// its least squares solution and lower the residual over G (Ding, Li and Jordan 2010; Trigeorgis et al. 2014).
///
/// | setting | default | what it is |
/// |---|---|---|
/// | `start` | `Lp` | where each partition begins |
/// | `solver` | `Coordinate` | how it is moved |
/// | `sweeps` | 150 | at most, in each layer |
/// | `tolerance` | 1e-6 | the relative change of the squared residual, over one sweep, that ends a layer |
#[derive(Clone, Copy, Debug)]
pub struct SemiNmfFit {
    /// Where each partition begins.
    pub start: PartitionStart,
    /// How it is moved.
    pub solver: NonNegativeSolver,
    /// Sweeps at most, in each layer.
    pub sweeps: usize,
    /// The relative change of the squared residual that ends a layer.
    pub tolerance: f64,
}

impl Default for SemiNmfFit {
    fn default() -> Self {
        Self {
            start: PartitionStart::Lp,
            solver: NonNegativeSolver::default(),
            sweeps: 150,
            tolerance: 1e-6,
        }
    }
}

/// A fitted semi-NMF.
#[derive(Clone, Debug)]
pub struct SemiNmfFitted {
    /// The factors.
    pub model: SemiNmf,
    /// The squared residual of each layer after each of its sweeps; the first number is that of the start.
    pub objective: Vec<Vec<f64>>,
    /// How the last layer ended.
    pub reason: StopReason,
}

impl SemiNmfFit {
    /// Fits layers of these `widths` k_1, …, k_m.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a start by a graph, if there is no width or one is 0, if the view has fewer samples than the last one, or is zero;
    /// [`Error::NotFinite`] if it is not finite.
    pub fn fit(&self, operand: &Operand, widths: &[usize], seed: u64) -> Result<SemiNmfFitted> {
        let Some(&last) = widths.last() else {
            return Err(Error::parameter("the number of layers", "1 or more", 0));
        };
        if let Some(width) = widths.iter().find(|width| **width == 0) {
            return Err(Error::parameter("the width of a layer", "1 or more", width));
        }
        let samples = operand.shape().0;
        if samples < last {
            let allowed = format!("{last} or more, the width of the last layer");
            return Err(Error::parameter("the number of samples", allowed, samples));
        }
        let square = operand.square();
        if !(square.is_finite() && square > 0.0) {
            return Err(Error::parameter("the squared norm of a view", "above 0", square));
        }
        let (mut factors, mut objective) = (Vec::new(), Vec::new());
        let (mut basis, mut partition, mut trace, mut reason) =
            self.layer(operand, widths[0], seed)?;
        for &width in &widths[1..] {
            // The next layer sees how much each row of G explains, not how the scale happens to be shared with F.
            share_scale(&mut basis, &mut partition);
            factors.push(basis.t().to_mat());
            objective.push(trace);
            let below = Operand::dense(partition.t().to_mat());
            (basis, partition, trace, reason) = self.layer(&below, width, seed)?;
        }
        factors.push(basis.t().to_mat());
        objective.push(trace);
        Ok(SemiNmfFitted { model: SemiNmf::new(factors, partition)?, objective, reason })
    }

    /// One layer: basis (k × features), partition, squared residuals, and how it ended.
    fn layer(
        &self,
        operand: &Operand,
        width: usize,
        seed: u64,
    ) -> Result<(Mat, Mat, Vec<f64>, StopReason)> {
        let square = operand.square();
        let (mut partition, _) = partition_start(operand, width, self.start, seed)?;
        let mut basis = Mat::zeros(width, operand.shape().1);
        let (mut projected, mut linear) = (Mat::default(), Mat::default());
        let mut trace = Vec::with_capacity(self.sweeps + 1);
        for sweep in 0..=self.sweeps {
            operand.onto_features(&partition, &mut projected);
            let inner = gram(&partition);
            update_basis(&mut basis, &inner, &projected)?;
            // ‖X − D G‖² by what the next basis needs anyway.
            let fitted = dot(basis.values(), inner.times(&basis).values());
            let residual = square - 2.0 * dot(basis.values(), projected.values()) + fitted;
            let before = trace.last().copied().unwrap_or(f64::INFINITY);
            trace.push(residual.max(0.0));
            if !residual.is_finite() {
                return Ok((basis, partition, trace, StopReason::Diverged));
            }
            if before - residual <= self.tolerance * residual.max(self.tolerance * square) {
                return Ok((basis, partition, trace, StopReason::ObjectiveSettled));
            }
            if sweep < self.sweeps {
                operand.onto_samples(&basis, &mut linear);
                update_partition(self.solver, &gram(&basis), &linear, &[], &mut partition);
            }
        }
        Ok((basis, partition, trace, StopReason::StepsDone))
    }
}

/// Gives each row of `basis` length 1, and the row of `partition` its length.
fn share_scale(basis: &mut Mat, partition: &mut Mat) {
    let k = basis.rows();
    let mut lengths = vec![0.0; k];
    for column in basis.values().chunks_exact(k) {
        lengths.iter_mut().zip(column).for_each(|(sum, x)| *sum += x * x);
    }
    for x in &mut lengths {
        *x = if *x > 0.0 { x.sqrt() } else { 1.0 };
    }
    for column in basis.values_mut().chunks_exact_mut(k) {
        column.iter_mut().zip(&lengths).for_each(|(x, length)| *x /= length);
    }
    for column in partition.values_mut().chunks_exact_mut(k) {
        column.iter_mut().zip(&lengths).for_each(|(x, length)| *x *= length);
    }
}

#[cfg(test)]
mod tests;
