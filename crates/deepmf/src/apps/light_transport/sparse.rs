//! A matrix as a transport of least variation times a light that is dark at most places most of the time.

use std::sync::Mutex;
use std::time::Instant;

use super::phase::{Phase, Scaled};
use super::search::{Search, Searched, by_root, transport};
use super::spacing::{Spacing, at_places, even_places};
use super::subspace::least_noise;
use super::trial::Fitted;
use super::variation::agreed;
use super::{FoundLight, LightTransport};
use crate::Result;
use crate::linalg::{Mat, Svd};
use crate::model::SubspaceFactors;
use crate::spec::SparseTransport;
use crate::train::{StopReason, try_trials};

impl LightTransport<'_> {
    /// Z ≈ T·L with T of rows x inner and L of inner x columns, L being dark at most places most of the time and Z without noise: the columns of Z are moments
    /// of time.
    ///
    /// Starts as of [`LightTransport::variation`] of half of the hidden places go on as any light, of which C·L are the leading right singular vectors of Z: a part
    /// of L that T does not see makes its edges sharp. A round after another fits them in another order of the places, at first by the sizes of differences, then by
    /// the roots of those of L with the mean of T held at 1, and keeps what has the least objective. The product says nothing of how far the places stand from
    /// each other. So these are counted: rows of L are the sparsest of all that the rows of Z span, and as many of them as are independent stand evenly. Then
    /// all hidden places of those with the sparsest rows are fitted, and that whose light agrees best with the others' is kept.
    ///
    /// A light whose rows span less than half as many dimensions as there are hidden places, for noise or since few of them are lit, is not spaced anew, which
    /// is said.
    ///
    /// # Errors
    /// As [`LightTransport::variation`].
    pub fn sparse(&self, settings: &SparseTransport, inner: usize, z: &Mat) -> Result<FoundLight> {
        settings.check()?;
        let begun = Instant::now();
        let of = |inner| Scaled::new(&settings.images, inner, z, least_noise);
        let (whole, half) = (of(inner)?, of(inner.div_ceil(2).max(2))?);
        let parts = half.parts(settings.images.refined_vectors);
        let search = Search { app: self, settings, scaled: &half, parts: &parts };
        let searched = search.run()?;
        let rank = whole.told.min(inner);
        let span = (2 * rank >= inner).then(|| whole.all.first(rank).v);
        let line = |it: &Searched| line((&search, it), &whole, span.as_ref());
        let (threads, flag) = (Some(self.threads_or_all()), self.interrupt.as_deref());
        let lines = try_trials(&searched, threads, flag, |_, it| line(it))?;
        let mut lines: Vec<Line> = lines.into_iter().flatten().collect();
        let interrupted = self.interrupted();
        if interrupted {
            lines = searched.first().map(line).transpose()?.into_iter().collect();
        }
        lines.sort_by_key(|line| line.spacing.lit);
        lines.truncate(settings.last);
        let last = whole.parts(settings.last_vectors);
        let phase = Phase {
            name: "last fit".into(),
            folder: (!interrupted).then_some("last"),
            variations: by_root(settings),
            any_light: true,
            steps: if interrupted { 0 } else { settings.images.refined_steps },
            rate: 0.5 * settings.images.rate,
            ..Phase::of_images(&settings.images, &whole, &last)
        };
        let mut fitted = match lines.first() {
            Some(first) if interrupted => vec![self.unfitted(&phase, &spaced(&last, first))?],
            _ => self.phase(&phase, &lines, |line| Ok(spaced(&last, line)))?,
        };
        let best = agreed(&mut fitted)?;
        let mut found = FoundLight::of(fitted, best, begun, |model| vec![model.transport()])?;
        if span.is_none() {
            found.warnings.push(format!(
                "{rank} of {inner} rows of the light can be told from noise: how far they stand from each other cannot, and a bent line is left bent"
            ));
        }
        Ok(found)
    }

    /// What a search has come to that was asked to stop.
    fn unfitted(&self, phase: &Phase<'_>, cores: &[Mat; 2]) -> Result<Fitted<SubspaceFactors>> {
        let mut model = phase.model()?;
        model.set(cores)?;
        let objectives = Mutex::new(vec![f64::INFINITY]);
        let mut fitted = self.fitted(phase, model, (0, 1), &objectives)?;
        fitted.0.reason = StopReason::Interrupted;
        Ok(fitted)
    }
}

/// Half of the hidden places, and where all of them stand.
struct Line {
    transport: Mat,
    light: Mat,
    spacing: Spacing,
}

fn line(
    (search, it): (&Search<'_, '_>, &Searched),
    whole: &Scaled,
    span: Option<&Mat>,
) -> Result<Line> {
    let [inverse, light] = &it.cores;
    let light = light.t().to_mat().scaled(whole.scale / search.scaled.scale);
    let spacing = match span {
        Some(span) => even_places(&light, span, whole.inner)?,
        None => unspaced(light.rows(), whole.inner),
    };
    Ok(Line { transport: transport(search.parts, inverse), light, spacing })
}

/// As many places along a line as are asked for.
fn unspaced(half: usize, inner: usize) -> Spacing {
    let step = (half - 1) as f64 / (inner - 1) as f64;
    Spacing { places: (0..inner).map(|k| k as f64 * step).collect(), lit: 0 }
}

/// C and Lᵀ of all hidden places, in so many singular vectors.
fn spaced(parts: &Svd, line: &Line) -> [Mat; 2] {
    let places = &line.spacing.places;
    let inner = places.len();
    // A place has the light of as much of the line as it stands for.
    let share = |k: usize| {
        let (low, high) = (k.saturating_sub(1), (k + 1).min(inner - 1));
        (places[high] - places[low]) / (high - low) as f64
    };
    let mut light = at_places(&line.light, places);
    let transport = at_places(&line.transport.t().to_mat(), places);
    for t in 0..light.cols() {
        light.col_mut(t).iter_mut().enumerate().for_each(|(k, x)| *x *= share(k));
    }
    let seen = parts.u.t().times(transport.t());
    let inverse = Mat::from_fn(seen.rows(), inner, |k, h| seen[(k, h)] / parts.s[k]);
    [inverse, light.t().to_mat()]
}
