//! min ‖X‖_* under |A(X) − y| ≤ within, by the method of multipliers with a growing penalty.

use super::certificate::{self, Certificate};
use super::factors::{Factors, best_step};
use super::measure::Measure;
use super::newton::{Newton, Subproblem, shrink};
use super::{Minimizer, NuclearNorm, StopReason};
use crate::Result;
use crate::linalg::{Svd, leading_singular, norm};
use crate::product::Cotangent;

/// The first penalty is this share of the one above which the solution is zero …
const FIRST: f64 = 0.5;
/// … each of the next ones is so much smaller …
const FACTOR: f64 = 5.0;
/// … and from this share on the multipliers are kept.
const LAST: f64 = 2e-3;
/// Relative gradient at which a round is done at first, and at last …
const LOOSE: f64 = 3e-2;
const TIGHTEST: f64 = 1e-12;
/// … and between them this share of what is missed of the constraints.
const TIED: f64 = 0.3;
/// Residuals that do not fall by this factor make the penalty stronger.
const FALL: f64 = 5.0;
const STRONGEST: f64 = 1e7;
/// How well an equality is met, relative to the targets, and a box, relative to its size.
const EQUAL: f64 = 1e-9;
const BOX: f64 = 1e-3;

impl NuclearNorm {
    /// The matrix of least nuclear norm with |A(X) − y| ≤ within.
    ///
    /// A problem that no matrix satisfies ends with an infinite gap and its infeasibility.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if numbers overflow.
    pub fn constrained(&self) -> Result<Minimizer> {
        let mut guard = self.guard();
        let mut measure = Measure::new(&*self.observation);
        let mut factors = Factors::zero(self.shape());
        let targets = &self.targets;
        let mut pull = Cotangent::default();
        measure.adjoint(targets, &mut pull);
        let largest = leading_singular(&pull, 1)?[0];
        if largest == 0.0 || targets.iter().all(|y| y.abs() <= self.within) {
            let certificate = Certificate { primal: 0.0, dual: 0.0, gap: 0.0, infeasibility: 0.0 };
            let zeros = vec![0.0; targets.len()];
            return guard.finish(&factors, certificate, &zeros, StopReason::GapClosed, 0);
        }
        let density = measure.density();
        let size = norm(targets);
        let allowed = self.infeasibility.map_or_else(
            || (EQUAL * size).max(BOX * self.within * (targets.len() as f64).sqrt()),
            |share| share * size,
        );
        let mut newton = Newton::default();
        let mut multipliers = vec![0.0; targets.len()];
        let mut moved = vec![0.0; targets.len()];
        let mut beta = 1.0 / (FIRST * largest);
        let mut tolerance = LOOSE;
        let mut before = f64::INFINITY;
        let mut sharp = SHARP;
        let problem = Subproblem { targets, within: self.within, beta, density };
        newton.restart(&problem, &factors, &mut measure);
        loop {
            let kept = beta * largest * LAST >= 1.0;
            grow(&mut factors, &newton, beta, (sharp, ROUGH), &mut measure)?;
            for ((out, y), z) in moved.iter_mut().zip(targets).zip(&multipliers) {
                *out = y + z / beta;
            }
            let problem = Subproblem { targets: &moved, within: self.within, beta, density };
            let aim = if kept { tolerance } else { LOOSE };
            newton.minimise(&problem, &mut factors, aim, &mut measure, &mut guard)?;
            if !kept && !guard.ended() {
                beta = (beta * FACTOR).min(1.0 / (LAST * largest) * (1.0 + 1e-9));
                continue;
            }
            multipliers.copy_from_slice(&newton.multipliers);
            let missed: Vec<f64> = targets
                .iter()
                .zip(&newton.seen)
                .map(|(y, seen)| shrink(y - seen, self.within))
                .collect();
            let missed = norm(&missed);
            let near = missed <= allowed;
            let reason = guard.reason();
            if near || reason.is_some() {
                let mut point = multipliers.clone();
                let certificate = certificate::constrained(
                    &factors,
                    &newton.seen,
                    targets,
                    self.within,
                    (&mut point, &newton.pull),
                    (0.1 * self.gap).min(1e-8),
                    &mut measure,
                )?;
                let closed = near && certificate.gap <= self.gap;
                if let Some(reason) = closed.then_some(StopReason::GapClosed).or(reason) {
                    let evaluations = measure.evaluations;
                    return guard.finish(&factors, certificate, &point, reason, evaluations);
                }
                sharp = (SHARPEN * sharp).max(SHARPEST);
            }
            if missed > before / FALL && beta * largest < STRONGEST {
                beta *= FACTOR;
            }
            before = missed;
            tolerance = (0.1 * tolerance).min(TIED * missed / size).max(TIGHTEST);
        }
    }
}

/// Adds the directions in which the pull of the multipliers is above one; the largest is resolved
/// to `sharp`, all of them to `rough`.
pub(super) fn grow(
    factors: &mut Factors,
    newton: &Newton,
    beta: f64,
    (sharp, rough): (f64, f64),
    measure: &mut Measure<'_>,
) -> Result<()> {
    let (rows, cols) = factors.shape;
    let room = rows.min(cols) - factors.rank();
    let above = |found: &Svd| found.s.iter().take_while(|&&s| s > ABOVE).count();
    // Mostly none is above one, and one direction is found far sooner than many.
    let mut new = factors.outside(&newton.pull, room.min(1), sharp)?;
    if above(&new) == 0 {
        return Ok(());
    }
    let more = factors.outside(&newton.pull, LOOK.min(room), rough)?;
    if above(&more) > 0 {
        new = more;
    }
    let count = above(&new);
    let step = best_step(&new, count, beta, measure);
    factors.grow(&new, count, step)
}

/// Directions that are looked at together.
const LOOK: usize = 32;
/// How well they are resolved, relative to the largest: penalties follow that turn them.
const ROUGH: f64 = 0.1;
/// How well the largest is resolved at first, which tells whether any is above one.
pub(super) const SHARP: f64 = 1e-3;
/// From round to round without a proof it is resolved so much better, to this at most.
pub(super) const SHARPEN: f64 = 0.1;
pub(super) const SHARPEST: f64 = 1e-10;
/// Singular values are above one from here on.
const ABOVE: f64 = 1.0 + 1e-9;
