//! Alternating least squares: offsets and thin factors, each side in turn the exact ridge solution for the other one.

mod lines;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use lines::{Lines, Room, Sides};

use super::StopReason;
use crate::data::Entries;
use crate::linalg::{Mat, add_normal, sum_of_squares};
use crate::model::Factors;
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// The size of the initial factors of columns, relative to the root of the spread of the values.
const START: f64 = 0.1;
/// Lines of one part: a property of the problem, never of the number of threads.
const PART: usize = 16;

/// Alternating least squares (Zhou et al. 2008, with offsets as in Koren et al. 2009).
///
/// Minimises ½ Σ w (x − mean − a_i − b_j − ⟨u_i, v_j⟩)² + ½ λ (Σ ‖u_i‖² + Σ ‖v_j‖²) + ½ μ (Σ a_i² + Σ b_j²) over the known entries, where the
/// mean is that of the entries. A sweep sets all (a_i, u_i), then all (b_j, v_j), each to the minimum given the others, so the objective never rises.
///
/// | setting | default | what it is |
/// |---|---|---|
/// | `ridge` | 10 | λ |
/// | `offsets` | 5 | μ; without offsets (`None`) the mean is zero too |
/// | `by_count` | no | whether λ and μ of a line count once for each of its entries |
/// | `sweeps` | 20 | at most |
/// | `patience` | 3 | sweeps without a lower error on what is held out |
#[derive(Clone, Debug)]
pub struct LeastSquares {
    rank: usize,
    ridge: f64,
    offsets: Option<f64>,
    by_count: bool,
    sweeps: u64,
    patience: u64,
    interrupt: Option<Arc<AtomicBool>>,
}

/// What came of alternating least squares.
#[derive(Clone, Debug)]
pub struct Alternated {
    /// The factors: of the sweep with the least error on what was held out, else of the last one.
    pub factors: Factors,
    /// The objective after each sweep.
    pub objective: Vec<f64>,
    /// The root mean squared error on what was held out, after each sweep; empty if nothing was.
    pub held_rmse: Vec<f64>,
    /// The sweep (from 1) that the factors are of.
    pub sweeps: u64,
    /// How it ended.
    pub reason: StopReason,
}

impl LeastSquares {
    /// With latents of length `rank`; 0 leaves the offsets alone.
    pub fn new(rank: usize) -> Self {
        Self {
            rank,
            ridge: 10.0,
            offsets: Some(5.0),
            by_count: false,
            sweeps: 20,
            patience: 3,
            interrupt: None,
        }
    }

    /// Sets the ridge of the factors.
    #[must_use]
    pub fn ridge(self, ridge: f64) -> Self {
        Self { ridge, ..self }
    }

    /// Sets the ridge of the offsets, or leaves offsets and mean out.
    #[must_use]
    pub fn offsets(self, offsets: Option<f64>) -> Self {
        Self { offsets, ..self }
    }

    /// Counts the ridges of a row or column once for each of its entries.
    #[must_use]
    pub fn by_count(self, by_count: bool) -> Self {
        Self { by_count, ..self }
    }

    /// Makes at most so many sweeps.
    #[must_use]
    pub fn sweeps(self, sweeps: u64) -> Self {
        Self { sweeps, ..self }
    }

    /// Stops after so many sweeps without a lower error on what is held out.
    #[must_use]
    pub fn patience(self, sweeps: u64) -> Self {
        Self { patience: sweeps, ..self }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Fits from random factors; `held`, if it is not empty, says when to stop.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a ridge that is not above 0, no entries, or neither factors nor offsets; [`Error::Shape`] if `held` has another shape.
    pub fn fit(&self, entries: &Entries, held: &Entries, seed: u64) -> Result<Alternated> {
        let mean = if self.offsets.is_some() { entries.mean() } else { 0.0 };
        let mut start = Factors::constant(entries.shape(), self.rank, mean);
        let squares: f64 = entries.values().iter().map(|x| (x - mean).powi(2)).sum();
        let scale = START * (squares / entries.len().max(1) as f64).sqrt().sqrt();
        let mut random = stream(seed, Purpose::Init, 0);
        start.right.values_mut().iter_mut().for_each(|x| *x = scale * normal(&mut random));
        self.fit_from(entries, held, start)
    }

    /// Fits from given factors: a warm start. Their mean is kept.
    ///
    /// # Errors
    /// As [`LeastSquares::fit`]; [`Error::Shape`] if the factors have another shape or rank.
    pub fn fit_from(
        &self,
        entries: &Entries,
        held: &Entries,
        start: Factors,
    ) -> Result<Alternated> {
        self.check(entries, held, &start)?;
        let mut sides = Sides::new(entries, start.mean);
        let mut current = start;
        let mut done = Alternated {
            factors: current.clone(),
            objective: Vec::new(),
            held_rmse: Vec::new(),
            sweeps: 0,
            reason: StopReason::StepsDone,
        };
        let (mut best, mut since) = (f64::INFINITY, 0);
        for sweep in 1..=self.sweeps {
            if self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                done.reason = StopReason::Interrupted;
                break;
            }
            self.sweep(&sides, &mut current)?;
            let objective = self.objective(&mut sides, &current);
            done.objective.push(objective);
            if !objective.is_finite() {
                done.reason = StopReason::Diverged;
                break;
            }
            if held.is_empty() {
                done.sweeps = sweep;
                continue;
            }
            let error = rmse(&current, held);
            done.held_rmse.push(error);
            since += 1;
            if error < best {
                (best, since) = (error, 0);
                (done.sweeps, done.factors) = (sweep, current.clone());
            } else if since >= self.patience {
                done.reason = StopReason::ValidationWorse;
                break;
            }
        }
        if held.is_empty() {
            done.factors = current;
        }
        Ok(done)
    }

    fn check(&self, entries: &Entries, held: &Entries, start: &Factors) -> Result<()> {
        if entries.is_empty() {
            return Err(Error::parameter("the number of observed entries", "1 or more", 0));
        }
        if self.rank == 0 && self.offsets.is_none() {
            return Err(Error::parameter("the rank", "1 or more, without offsets", 0));
        }
        for (name, ridge) in [("ridge", Some(self.ridge)), ("the ridge of offsets", self.offsets)] {
            if let Some(ridge) = ridge.filter(|ridge| !(ridge.is_finite() && *ridge > 0.0)) {
                return Err(Error::parameter(name, "above 0", ridge));
            }
        }
        held.must_have_shape("what is held out", entries.shape())?;
        let (rows, cols) = entries.shape();
        let expected = [(self.rank, rows), (self.rank, cols)];
        let found = [&start.left, &start.right].map(|side| (side.rows(), side.cols()));
        if expected != found || start.shape() != (rows, cols) {
            let expected = format!("factors of {expected:?}");
            return Err(Error::shape("the start", expected, format!("{found:?}")));
        }
        Ok(())
    }

    /// Rows given the columns, then columns given the rows.
    fn sweep(&self, sides: &Sides, at: &mut Factors) -> Result<()> {
        let Factors { rows, cols, left, right, .. } = at;
        self.solve(&sides.by_row, (cols, right), (rows, left))?;
        self.solve(&sides.by_col, (rows, left), (cols, right))
    }

    /// Sets each line to the minimum given the other side.
    fn solve(
        &self,
        lines: &Lines,
        (given_offsets, given): (&[f64], &Mat),
        (offsets, latents): (&mut [f64], &mut Mat),
    ) -> Result<()> {
        let (k, first) = (self.rank, usize::from(self.offsets.is_some()));
        let d = k + first;
        let fixed = (first == 0).then_some(&*offsets);
        let mut solved = vec![0.0; d * offsets.len()];
        let parts = solved.par_chunks_mut(d * PART).enumerate();
        parts.try_for_each_init(
            || Room::new(d),
            |room, (part, solved)| {
                for (line, solved) in solved.chunks_exact_mut(d).enumerate() {
                    let line = part * PART + line;
                    room.gather(lines, line, fixed.map(|own| own[line]), given_offsets, given);
                    let weight = if self.by_count { room.targets.len() as f64 } else { 1.0 };
                    // A line without entries is zero; the ridge keeps its system solvable.
                    let weight = if weight > 0.0 { weight } else { 1.0 };
                    room.normal.fill(0.0);
                    for a in 0..d {
                        let ridge = self.offsets.filter(|_| a < first).unwrap_or(self.ridge);
                        room.normal[a * d + a] = weight * ridge;
                    }
                    solved.fill(0.0);
                    add_normal(&room.features, &room.targets, &mut room.normal, solved);
                    room.cholesky.solve(&mut room.normal, solved)?;
                }
                Ok::<(), Error>(())
            },
        )?;
        for (line, solved) in solved.chunks_exact(d).enumerate() {
            if first == 1 {
                offsets[line] = solved[0];
            }
            latents.col_mut(line).copy_from_slice(&solved[first..]);
        }
        Ok(())
    }

    fn objective(&self, sides: &mut Sides, at: &Factors) -> f64 {
        let Sides { by_row: lines, seen, by_col, .. } = sides;
        lines.pattern.inner_products(at.left.view(), at.right.view(), seen);
        let mut sum = 0.0;
        for (place, (i, j)) in lines.pattern.cells().enumerate() {
            let weight = lines.weights.as_ref().map_or(1.0, |weights| weights[place]);
            let miss = lines.values[place] - at.rows[i] - at.cols[j] - seen[place];
            sum += weight * miss * miss;
        }
        for (lines, offsets, latents) in
            [(&*lines, &at.rows, &at.left), (&*by_col, &at.cols, &at.right)]
        {
            for (line, offset) in offsets.iter().enumerate() {
                let count = lines.pattern.row(line).1.len();
                let weight = if self.by_count && count > 0 { count as f64 } else { 1.0 };
                let latent = self.ridge * sum_of_squares(latents.col(line));
                sum += weight * (latent + self.offsets.unwrap_or(0.0) * offset * offset);
            }
        }
        0.5 * sum
    }
}

/// The root mean squared error of factors on entries.
fn rmse(factors: &Factors, entries: &Entries) -> f64 {
    let squares = entries.iter().map(|(i, j, x)| (x - factors.at(i, j)).powi(2));
    (squares.sum::<f64>() / entries.len() as f64).sqrt()
}
