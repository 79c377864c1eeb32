//! A matrix as the product of two images of least variation: many random starts, of which the best are refined.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::phase::{Phase, SHARP, Scaled};
use super::subspace::{noise_level, refinement, start};
use super::trial::Fitted;
use super::{FoundLight, LightTransport};
use crate::Result;
use crate::analysis::metrics::compare_lines;
use crate::linalg::Mat;
use crate::model::{Continuation, SubspaceFactors};
use crate::spec::VariationTransport;
use crate::train::StopReason;

/// Fits that are fewer do not vote.
const LEAST_TO_AGREE: usize = 3;
/// The width below which a difference counts by its square at first.
const BLUNT: f64 = 0.1;

impl LightTransport<'_> {
    /// Z ≈ T·L with T of rows x inner and L of inner x columns, both of least total variation: the columns of Z are moments of time.
    ///
    /// T = U diag(s) C and L = B Vᵀ in the leading singular subspaces of Z, as many as stand above its noise. C·B must be the identity, which
    /// tells the small singular values as well as the large ones; the variation of L over time and from row to row, that of T from column to column, and the
    /// sign of both tell the rest. Each start goes from the large singular values and a smooth measure of variation to all of them and a sharp one; those with
    /// the least objective are refined in more singular vectors, and that whose light agrees best with the others' is kept.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a matrix with fewer than 8 rows or columns, one of which all columns are the same or whose mean is not
    /// above 0, or a setting that cannot be; [`Error::NotFinite`](crate::Error::NotFinite).
    pub fn variation(
        &self,
        settings: &VariationTransport,
        inner: usize,
        z: &Mat,
    ) -> Result<FoundLight> {
        settings.check()?;
        let begun = Instant::now();
        let scaled = Scaled::new(settings, inner, z, noise_level)?;
        let mut fitted = self.starts(settings, &scaled)?;
        let second = scaled.parts(settings.refined_vectors);
        let refined = Phase {
            name: "refinement".into(),
            folder: Some("refinements"),
            steps: settings.refined_steps,
            rate: 0.5 * settings.rate,
            ..Phase::of_images(settings, &scaled, &second)
        };
        let mut fitted = if self.interrupted() {
            // What was not refined did not come to its end.
            for (trial, ..) in &mut fitted {
                trial.reason = StopReason::Interrupted;
            }
            fitted
        } else {
            self.phase(&refined, &fitted, |(_, model, _)| refinement(model, &scaled.z, &second))?
        };
        let best = agreed(&mut fitted)?;
        FoundLight::of(fitted, best, begun, |model| vec![model.transport()])
    }

    /// Those of many random starts that have the least objective.
    pub(super) fn starts(
        &self,
        settings: &VariationTransport,
        scaled: &Scaled,
    ) -> Result<Vec<Fitted<SubspaceFactors>>> {
        let first = scaled.parts(settings.vectors);
        let starts = Phase {
            name: "start".into(),
            folder: Some("starts"),
            steps: settings.steps,
            continuation: Continuation {
                steps: settings.steps / 2,
                width: (BLUNT, SHARP),
                power: (1.0, 0.0),
            },
            ..Phase::of_images(settings, scaled, &first)
        };
        let begins: Vec<usize> = (0..settings.starts).collect();
        let mut fitted = self.phase(&starts, &begins, |place| {
            start(&first, scaled.inner, (self.seed, *place as u64))
        })?;
        fitted.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
        fitted.truncate(settings.refined);
        Ok(fitted)
    }

    pub(super) fn interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// The place of that which agrees best with the others, and of few the least objective.
pub(super) fn agreed(fitted: &mut [Fitted<SubspaceFactors>]) -> Result<Option<usize>> {
    agree(fitted)?;
    Ok((0..fitted.len()).min_by(|a, b| {
        let agreement = |place: &usize| fitted[*place].0.agreement.unwrap_or(0.0);
        let nearer = agreement(b).total_cmp(&agreement(a));
        nearer.then(worth(&fitted[*a]).total_cmp(&worth(&fitted[*b])))
    }))
}

/// The mean correlation of each light with those of the others: the objective tells the best of them no further, but what many starts come to is likelier
/// than what one does.
fn agree(fitted: &mut [Fitted<SubspaceFactors>]) -> Result<()> {
    let count = fitted.len();
    if count < LEAST_TO_AGREE {
        return Ok(());
    }
    let mut sums = vec![0.0; count];
    for (first, (a, ..)) in fitted.iter().enumerate() {
        for (second, (b, ..)) in fitted.iter().enumerate().skip(first + 1) {
            let found = compare_lines(&a.light[0], &b.light[0])?.correlation;
            let found = if found.is_nan() { 0.0 } else { found };
            sums[first] += found;
            sums[second] += found;
        }
    }
    for ((trial, ..), sum) in fitted.iter_mut().zip(sums) {
        trial.agreement = Some(sum / (count - 1) as f64);
    }
    Ok(())
}

/// By what a start is refined, the least being the best.
pub(super) fn worth((trial, ..): &Fitted<SubspaceFactors>) -> f64 {
    trial.objective.filter(|it| !it.is_nan()).unwrap_or(f64::INFINITY)
}
