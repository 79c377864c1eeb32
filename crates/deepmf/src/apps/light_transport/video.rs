//! A video whose light comes from a hidden one.

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
use crate::problem::{Axis, Problem};
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
        let whole: Vec<Mat> = (0..video.channels()).map(|c| video.channel(c)).collect();
        let z: Vec<Mat> = whole.iter().map(|z| only(z, &good)).collect();
        let most = z[0].rows().min(z[0].cols());
        let sizes = VideoDecoders {
            hidden: settings.hidden,
            frames: video.frames(),
            colours: video.channels(),
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
        let stacked = if settings.in_basis {
            let reduced: Result<Vec<Mat>> =
                z.iter().enumerate().map(|(c, z)| basis.reduced(c, z)).collect();
            stack(&reduced?)
        } else {
            stack(&z)
        };
        let held = HeldOut::frames(&stacked, settings.restarts.held_out, self.seed)?;
        let terms = |part| terms(settings, &stacked, (&held, part), &basis);
        let problem = terms(Part::Fitted)?;
        let held_out = held.any().then(|| terms(Part::HeldOut)).transpose()?;
        let map = TransportMap {
            width: video.width(),
            rows: match settings.penalty_rows {
                0 => video.height(),
                rows => rows.min(video.height()),
            },
            known: good.clone(),
        };
        let length: f64 = z.iter().map(|z| z.frobenius().powi(2)).sum();
        let outside = length - stacked.frobenius().powi(2);
        let error = |model: &TransportLight| {
            let product = model.forward(&mut Pass::default()).to_dense();
            let squares = product.minus(&stacked).frobenius().powi(2);
            // In the basis, what lies outside of it is missed whatever the factors are.
            ((squares + outside.max(0.0)) / length).sqrt()
        };
        let fit = Fit {
            restarts: &settings.restarts,
            problem: &problem,
            held_out: held_out.as_ref(),
            error: &error,
            light: &TransportLight::light,
        };
        let penalties =
            (settings.penalties != FactorPenalties::NONE).then_some((settings.penalties, map));
        let make = |seed| {
            TransportLight::video(&sizes, &basis, settings.in_basis, penalties.clone(), seed)
        };
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

    /// How many seeds are fitted side by side.
    fn workers(&self, seeds: usize) -> usize {
        self.threads.unwrap_or_else(rayon::current_num_threads).min(seeds).max(1)
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
fn only(z: &Mat, good: &[bool]) -> Mat {
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
