//! A video whose light comes from a hidden one.

use std::sync::Arc;

use super::held_out::{HeldOut, Measure, Part};
use super::memory;
use super::trial::Fit;
use super::{FoundLight, LightTransport};
use crate::Result;
use crate::data::{Padding, Video};
use crate::linalg::Mat;
use crate::model::{
    FactorPenalties, Model, Pass, TransportLight, TransportMap, VideoBasis, VideoDecoders,
};
use crate::problem::{Axis, KnownFactor, Problem};
use crate::spec::VideoTransport;

const MULTIPLE: usize = VideoDecoders::MULTIPLE;

impl LightTransport<'_> {
    /// The hidden video and the transport of an observed one.
    ///
    /// Frames are cut or repeated to a multiple of 8; pixels that are over-exposed in some frame are left out, and no light falls on them in the transport that
    /// is given. A share of the frames is held out: no term of the fit touches them, but the basis knows them.
    ///
    /// # Errors
    /// As [`Video::must_tell`]; [`Error::Parameter`](crate::Error::Parameter) for a hidden size that the decoder cannot make, settings that cannot be,
    /// or more memory than there is.
    pub fn video(&self, settings: &VideoTransport, observed: &Video) -> Result<FoundLight> {
        settings.check()?;
        observed.must_tell(settings.white)?;
        let (video, padding) = observed.in_multiples_of(MULTIPLE)?;
        let good = video.well_exposed(settings.white);
        let [frames, height, width, colours] = video.shape();
        let z: Vec<Mat> = (0..colours).map(|c| only(video.channel(c), &good)).collect();
        drop(video);
        let most = z[0].rows().min(z[0].cols());
        let sizes = VideoDecoders {
            hidden: settings.hidden,
            frames,
            colours,
            vectors: settings.vectors.min(most),
            light: settings.light,
            transport: settings.transport,
        };
        // What the decoder cannot make is told before anything is computed.
        let decoders = [sizes.light::<f32>()?, sizes.transport::<f32>()?];
        memory::must_fit(
            settings,
            &sizes,
            z[0].rows(),
            decoders.each_ref(),
            self.workers(settings.restarts.seeds),
        )?;
        let basis = VideoBasis::of(&z, sizes.vectors)?;
        let length: f64 = z.iter().map(|z| z.frobenius().powi(2)).sum();
        let reduced: Result<Vec<Mat>> =
            z.iter().enumerate().map(|(c, z)| basis.reduced(c, z)).collect();
        let stacked = stack(&reduced?);
        let (fitted, held_out) = self.problems(settings, &basis, z, &stacked)?;
        let map = TransportMap {
            width,
            rows: match settings.penalty_rows {
                0 => height,
                rows => rows.min(height),
            },
            known: good.clone(),
        };
        let outside = length - stacked.frobenius().powi(2);
        let error = |model: &TransportLight| {
            let product = model.forward(&mut Pass::default()).to_dense();
            let squares = product.minus(&stacked).frobenius().powi(2);
            // What lies outside of the basis is missed whatever the factors are.
            ((squares + outside.max(0.0)) / length).sqrt()
        };
        let fit = Fit {
            restarts: &settings.restarts,
            problem: &fitted,
            held_out: held_out.as_ref(),
            error: &error,
            light: &TransportLight::light,
        };
        let penalties =
            (settings.penalties != FactorPenalties::NONE).then_some((settings.penalties, map));
        let make = |seed| TransportLight::video(&sizes, &basis, penalties.clone(), seed);
        let mut found = self.fit(&fit, make, |model| {
            model.transport(Some(&basis)).iter().map(|t| spread(t, &good)).collect()
        })?;
        if padding != Padding::None {
            found.warnings.push(format!("{} frames: {padding}", observed.frames()));
        }
        let bad = good.iter().filter(|good| !**good).count();
        if bad > 0 {
            found
                .warnings
                .push(format!("{bad} of {} pixels are over-exposed and left out", good.len()));
        }
        Ok(found)
    }

    /// What is fitted and, if some frames are held out, what is not: of the reduced video in the basis, or of all pixels as products with the basis.
    fn problems(
        &self,
        settings: &VideoTransport,
        basis: &VideoBasis,
        z: Vec<Mat>,
        reduced: &Mat,
    ) -> Result<(Problem, Option<Problem>)> {
        let held = |of: &Mat| HeldOut::frames(of, settings.restarts.held_out, self.seed);
        let of: Box<dyn Fn(Part) -> Result<Problem>> = if settings.in_basis {
            let held = held(reduced)?;
            Box::new(move |part| terms(settings, reduced, (&held, part), basis))
        } else {
            let known =
                z.into_iter().enumerate().map(|(c, z)| KnownFactor::new(&basis.orthonormal(c), z));
            let known: Arc<[KnownFactor]> = known.collect::<Result<_>>()?;
            Box::new(move |part| {
                Problem::lifted(known.clone(), |rows| {
                    let left = Mat::zeros(rows, reduced.cols());
                    terms(settings, &left, (&held(&left)?, part), basis)
                })
            })
        };
        let held_out = held(reduced)?.any().then(|| of(Part::HeldOut)).transpose()?;
        Ok((of(Part::Fitted)?, held_out))
    }

    /// How many seeds are fitted side by side.
    fn workers(&self, seeds: usize) -> usize {
        self.threads_or_all().min(seeds).max(1)
    }
}

/// The terms that see the product.
fn terms(
    settings: &VideoTransport,
    z: &Mat,
    (held, part): (&HeldOut, Part),
    basis: &VideoBasis,
) -> Result<Problem> {
    let each = row_weights(settings, basis);
    let (direct, lagged) = if settings.in_basis {
        (Measure::RowsSquared(&each), Measure::RowsSquared(&each))
    } else {
        (Measure::Squared, Measure::Absolute)
    };
    // In the basis, means over the pixels of the frame, of which its rows are so many fewer.
    let pixels = (basis.colours() * basis.pixels()) as f64;
    let share = |weight: f64, columns: usize| {
        if settings.in_basis { weight / (pixels * columns as f64) } else { weight }
    };
    let lag = |lag| {
        let weight = share(settings.lagged, z.cols() - lag);
        held.differences(z, (Axis::Cols, lag, 0), weight, lagged, part)
    };
    let lags = (1..=settings.longest_lag).map(lag).collect::<Result<_>>()?;
    let direct = held.direct(z, share(settings.direct, z.cols()), direct, part);
    Problem::sum(vec![direct])?.one_of(lags)
}

/// (s_2 / s_k)^(2 p) for each row of the basis, colour by colour; at most as much for its last row as for its last vector.
fn row_weights(settings: &VideoTransport, basis: &VideoBasis) -> Vec<f64> {
    let of = |c: usize| {
        let s = basis.singular_values(c);
        let unit = s.get(1).copied().unwrap_or(s[0]);
        let least = 1e-6 * unit;
        let weight = |s: f64| (unit / s.max(least)).powf(2.0 * settings.whitening);
        let last = s.last().copied().unwrap_or(unit);
        s.iter().map(move |s| weight(*s)).chain([weight(last)]).collect::<Vec<_>>()
    };
    (0..basis.colours()).flat_map(of).collect()
}

/// The rows of the pixels that are kept.
fn only(z: Mat, good: &[bool]) -> Mat {
    if good.iter().all(|good| *good) {
        return z;
    }
    let rows: Vec<usize> = (0..z.rows()).filter(|row| good[*row]).collect();
    Mat::from_fn(rows.len(), z.cols(), |i, t| z[(rows[i], t)])
}

/// Zeros at the pixels that were not kept.
fn spread(transport: &Mat, good: &[bool]) -> Mat {
    let mut all = Mat::zeros(good.len(), transport.cols());
    for (own, row) in (0..good.len()).filter(|row| good[*row]).enumerate() {
        (0..transport.cols()).for_each(|h| all[(row, h)] = transport[(own, h)]);
    }
    all
}

/// One below the other.
fn stack(parts: &[Mat]) -> Mat {
    let rows = parts[0].rows();
    Mat::from_fn(rows * parts.len(), parts[0].cols(), |i, t| parts[i / rows][(i % rows, t)])
}
