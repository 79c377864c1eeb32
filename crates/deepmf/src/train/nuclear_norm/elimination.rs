//! Newton's step for a mask: one factor is eliminated block by block, conjugate gradients find the other.
//!
//! A row of the left factor meets no other row of it in any measurement, so its part of the Hessian is one small block a row, and
//! likewise for the right factor. With H = [A B; Bᵀ C] and the blocks of A and C factored, the step of the kept factor solves
//! (C − Bᵀ A⁻¹ B) x = c − Bᵀ A⁻¹ a, preconditioned by C: half the unknowns and half the rounds of the whole system.

use super::Guard;
use super::factors::{Factors, Pair};
use super::newton::Subproblem;
use crate::data::Shape;
use crate::linalg::{Blocks, Lines, Mat, axpy, dot, norm};

/// Conjugate gradients in one step at most.
const ROUNDS: u64 = 500;

/// The cells of a mask, and storage for steps. Of each two, the first belongs to the longer factor, which is eliminated.
#[derive(Default)]
pub(super) struct Elimination {
    /// Line, other line and measurement of every cell, sorted.
    cells: [Vec<(u32, u32, u32)>; 2],
    lengths: [usize; 2],
    lines: [Lines; 2],
    blocks: [Blocks; 2],
    /// A⁻¹ B · along.
    image: Mat,
    bent: Mat,
    rest: Mat,
    softened: Mat,
    along: Mat,
    /// C · along.
    weighed: Mat,
}

impl Elimination {
    pub(super) fn new(shape: Shape, cells: &[(u32, u32)]) -> Self {
        let listed = cells.iter().zip(0..);
        let mut by_row: Vec<_> = listed.clone().map(|(&(i, j), e)| (i, j, e)).collect();
        let mut by_col: Vec<_> = listed.map(|(&(i, j), e)| (j, i, e)).collect();
        by_row.sort_unstable();
        by_col.sort_unstable();
        let (mut cells, mut lengths) = ([by_row, by_col], [shape.0, shape.1]);
        if lengths[0] < lengths[1] {
            cells.swap(0, 1);
            lengths.swap(0, 1);
        }
        Self { cells, lengths, ..Self::default() }
    }

    /// Newton's step, until what is left of the gradient is `enough` or the curvature is not positive; returns the rounds.
    pub(super) fn direction(
        &mut self,
        problem: &Subproblem<'_>,
        factors: &Factors,
        multipliers: &[f64],
        (gradient, enough): (&Pair, f64),
        step: &mut Pair,
        guard: &Guard,
    ) -> u64 {
        let beta = problem.beta;
        let swapped = factors.shape.0 < factors.shape.1;
        let [gone, kept] = ordered(&factors.pair, swapped);
        for (side, other) in [kept, gone].into_iter().enumerate() {
            self.collect(side, multipliers);
            self.blocks[side].fit(factors.rank(), &self.lines[side], other, beta);
        }
        let [gone_slope, kept_slope] = ordered(gradient, swapped);
        step.reshape(factors.width(), factors.shape);
        let (gone_step, kept_step) = if swapped {
            (&mut step.right, &mut step.left)
        } else {
            (&mut step.left, &mut step.right)
        };
        let [gone_lines, kept_lines] = &self.lines;
        let [gone_blocks, kept_blocks] = &self.blocks;
        negative_into(gone_slope, gone_step);
        gone_blocks.solve(gone_step);
        negative_into(kept_slope, &mut self.rest);
        kept_lines.mixed(beta, kept, gone, gone_step, &mut self.bent);
        axpy(-1.0, self.bent.values(), self.rest.values_mut());
        kept_step.values_mut().fill(0.0);
        self.softened.clone_from(&self.rest);
        kept_blocks.solve(&mut self.softened);
        self.along.clone_from(&self.softened);
        self.weighed.clone_from(&self.rest);
        let mut product = dot(self.rest.values(), self.softened.values());
        for round in 1..=ROUNDS {
            if norm(self.rest.values()) <= enough || guard.ended() {
                return round;
            }
            gone_lines.mixed(beta, gone, kept, &self.along, &mut self.image);
            gone_blocks.solve(&mut self.image);
            kept_lines.mixed(beta, kept, gone, &self.image, &mut self.bent);
            let along = self.along.values();
            let curvature = dot(along, self.weighed.values()) - dot(along, self.bent.values());
            let bends = curvature > 1e-14 * dot(along, along);
            if !bends && round > 1 {
                return round;
            }
            let length = if bends { product / curvature } else { 1.0 };
            axpy(length, along, kept_step.values_mut());
            axpy(-length, self.image.values(), gone_step.values_mut());
            if !bends {
                return round;
            }
            axpy(-length, self.weighed.values(), self.rest.values_mut());
            axpy(length, self.bent.values(), self.rest.values_mut());
            self.softened.clone_from(&self.rest);
            kept_blocks.solve(&mut self.softened);
            let next = dot(self.rest.values(), self.softened.values());
            renew(&mut self.along, next / product, &self.softened);
            // C · softened is the rest.
            renew(&mut self.weighed, next / product, &self.rest);
            product = next;
        }
        ROUNDS
    }

    /// The cells that bend, line by line.
    fn collect(&mut self, side: usize, multipliers: &[f64]) {
        let lines = &mut self.lines[side];
        lines.clear();
        let mut cells = self.cells[side].iter().peekable();
        for line in 0..self.lengths[side] as u32 {
            while let Some(&(_, other, place)) = cells.next_if(|cell| cell.0 == line) {
                let multiplier = multipliers[place as usize];
                if multiplier != 0.0 {
                    lines.push(other, multiplier);
                }
            }
            lines.end();
        }
    }
}

/// The factor that is eliminated and the one that is kept.
fn ordered(pair: &Pair, swapped: bool) -> [&Mat; 2] {
    if swapped { [&pair.right, &pair.left] } else { [&pair.left, &pair.right] }
}

fn negative_into(from: &Mat, into: &mut Mat) {
    into.reshape(from.rows(), from.cols());
    into.values_mut().iter_mut().zip(from.values()).for_each(|(out, x)| *out = -x);
}

/// `x ← factor · x + by`.
fn renew(x: &mut Mat, factor: f64, by: &Mat) {
    x.values_mut().iter_mut().zip(by.values()).for_each(|(x, by)| *x = factor * *x + by);
}
