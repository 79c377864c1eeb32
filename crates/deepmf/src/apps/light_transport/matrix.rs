//! The one-dimensional experiment: a matrix as the product of two images.

use super::held_out::{HeldOut, Measure, Part};
use super::trial::Fit;
use super::{FoundLight, LightTransport};
use crate::data::LEAST_FRAMES;
use crate::linalg::Mat;
use crate::model::{Model, Pass, TransportLight};
use crate::problem::{Axis, Problem};
use crate::spec::MatrixTransport;
use crate::{Error, Result};

impl LightTransport<'_> {
    /// Z ≈ T·L with T of rows x inner and L of inner x columns: the columns are moments of time.
    ///
    /// The loss is that of differences from row to row and from column to column (the first and the last one left out) and, with a small weight, of
    /// the entries themselves: Z is so ill-conditioned that its values alone say next to nothing of L.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a matrix with fewer than 8 rows or columns, one of which all columns are the same or whose mean is not above 0, or a setting
    /// that cannot be; [`Error::NotFinite`].
    pub fn matrix(&self, settings: &MatrixTransport, z: &Mat) -> Result<FoundLight> {
        settings.check()?;
        let mean = must_tell(z)?;
        let scale = settings.level * settings.inner as f64 / mean;
        let scaled = z.clone().scaled(scale);
        let shape = (z.rows(), z.cols());
        let held = HeldOut::entries(&scaled, settings.restarts.held_out, self.seed)?;
        let terms = |part| {
            Problem::sum(vec![
                held.direct(&scaled, settings.direct, Measure::Absolute, part),
                held.differences(
                    &scaled,
                    (Axis::Rows, 1, 1),
                    settings.rows,
                    Measure::Absolute,
                    part,
                )?,
                held.differences(
                    &scaled,
                    (Axis::Cols, 1, 1),
                    settings.cols,
                    Measure::Absolute,
                    part,
                )?,
            ])
        };
        let problem = terms(Part::Fitted)?;
        let held_out = held.any().then(|| terms(Part::HeldOut)).transpose()?;
        let told = settings.told.then(|| standardised_sums(&scaled));
        let whole = scaled.frobenius();
        let error = |model: &TransportLight| {
            model.forward(&mut Pass::default()).to_dense().minus(&scaled).frobenius() / whole
        };
        let light = |model: &TransportLight| {
            let back = |m: Mat| m.scaled(1.0 / scale);
            model.light().into_iter().map(back).collect()
        };
        let fit = Fit {
            restarts: &settings.restarts,
            problem: &problem,
            held_out: held_out.as_ref(),
            error: &error,
            light: &light,
        };
        let MatrixTransport { inner, size, keep, .. } = *settings;
        let make = |seed| TransportLight::matrix(shape, inner, size, told.clone(), keep, seed);
        self.fit(&fit, make, |model| model.transport(None))
    }
}

/// Refuses a matrix of which no light can be told; gives its mean.
pub(super) fn must_tell(z: &Mat) -> Result<f64> {
    if z.rows().min(z.cols()) < LEAST_FRAMES {
        let allowed = format!("of {LEAST_FRAMES} rows and columns or more");
        let found = format!("{} x {}", z.rows(), z.cols());
        return Err(Error::parameter("the observed matrix", allowed, found));
    }
    if let Some(&found) = z.values().iter().find(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "every entry of the observed matrix".into(), found });
    }
    if (1..z.cols()).all(|t| z.col(t) == z.col(0)) {
        let allowed = "one in which something changes";
        return Err(Error::parameter("the observed matrix", allowed, "the same in every column"));
    }
    let mean = z.values().iter().sum::<f64>() / z.values().len() as f64;
    if mean > 0.0 {
        Ok(mean)
    } else {
        Err(Error::parameter("the mean of the observed matrix", "above 0", mean))
    }
}

/// Row sums, their mean taken off, their root mean square 1.
fn standardised_sums(z: &Mat) -> Vec<f64> {
    let sums: Vec<f64> = (0..z.rows()).map(|i| (0..z.cols()).map(|j| z[(i, j)]).sum()).collect();
    let mean = sums.iter().sum::<f64>() / sums.len() as f64;
    let off: Vec<f64> = sums.iter().map(|sum| sum - mean).collect();
    let size = (off.iter().map(|x| x * x).sum::<f64>() / off.len() as f64).sqrt();
    // Rows that all have one sum tell nothing apart.
    let factor = if size > 0.0 { 1.0 / size } else { 0.0 };
    off.into_iter().map(|x| factor * x).collect()
}
