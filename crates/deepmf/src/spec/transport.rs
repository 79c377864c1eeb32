//! The settings of blind inverse light transport, as typed and as kept in a run folder.

use serde::{Deserialize, Serialize};

use crate::model::{DecoderSize, FactorPenalties, VideoDecoders};
use crate::{Error, Result};

/// How both decoders are fitted, from several seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Restarts {
    /// How many seeds; that with the least error of what is held out is kept.
    pub seeds: usize,
    /// Steps of each at most.
    pub steps: u64,
    /// Minutes for all of them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// The rate of Adam.
    pub rate: f64,
    /// The rate of the light's decoder as a multiple of it.
    pub light_rate: f64,
    /// What the rate falls to by the last step, along half a cosine, as a share of itself; 1 leaves it as it is.
    pub last_rate: f64,
    /// Whether Adam divides by the largest second moment so far.
    pub amsgrad: bool,
    /// Weight decay, added to the gradient.
    pub decay: f64,
    /// The share of the entries of Z that is held out, to choose iterate and seed by.
    pub held_out: f64,
    /// Steps without a lower error of what is held out after which a seed is given up; none waits to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Steps over which parameters are averaged; the average is taken where it meets what is held out better.
    pub average: u64,
}

impl Default for Restarts {
    fn default() -> Self {
        Self {
            seeds: 3,
            steps: 20_000,
            minutes: None,
            rate: 1e-4,
            light_rate: 1.0,
            last_rate: 1.0,
            amsgrad: false,
            decay: 0.0,
            held_out: 0.02,
            patience: None,
            average: 1_000,
        }
    }
}

impl Restarts {
    /// The same without a limit in time.
    #[must_use]
    pub fn without_limit(self) -> Self {
        Self { minutes: None, ..self }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that cannot be.
    pub fn check(&self) -> Result<()> {
        if self.seeds == 0 {
            return Err(Error::parameter("seeds", "1 or more", 0));
        }
        let positive = [("rate", self.rate), ("light-rate", self.light_rate)];
        let positive = positive.into_iter().chain(self.minutes.map(|it| ("minutes", it)));
        for (name, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::parameter(name, "above 0", value));
            }
        }
        if !(self.decay.is_finite() && self.decay >= 0.0) {
            return Err(Error::parameter("decay", "0 or more", self.decay));
        }
        if !(0.0..=1.0).contains(&self.last_rate) {
            return Err(Error::parameter("last-rate", "from 0 to 1", self.last_rate));
        }
        if !(0.0..=0.5).contains(&self.held_out) {
            return Err(Error::parameter("held-out", "from 0 to 0.5", self.held_out));
        }
        if self.average == 0 {
            return Err(Error::parameter("average", "1 or more", 0));
        }
        Ok(())
    }
}

/// The one-dimensional experiment: a matrix Z as a product of two images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MatrixTransport {
    /// Columns of T and rows of L.
    pub inner: usize,
    /// The widths of both decoders.
    pub size: DecoderSize,
    /// Whether the decoder of T is told the sum of each row of Z.
    pub told: bool,
    /// The probability with which a latent channel is kept in a step.
    pub keep: f64,
    /// What Z is scaled to: the mean of its entries over `inner`.
    pub level: f64,
    /// The weight of mean |T·L − Z|.
    pub direct: f64,
    /// The weight of the mean absolute error of differences from row to row.
    pub rows: f64,
    /// The same from column to column.
    pub cols: f64,
    /// How it is fitted.
    pub restarts: Restarts,
}

impl Default for MatrixTransport {
    /// As published, but for restarts.
    fn default() -> Self {
        Self {
            inner: 64,
            size: DecoderSize::Published,
            told: true,
            keep: 0.5,
            level: 0.05,
            direct: 1e-4,
            rows: 1.0,
            cols: 1.0,
            restarts: Restarts { decay: 1e-4, ..Restarts::default() },
        }
    }
}

/// A video Z whose light comes from a hidden one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VideoTransport {
    /// Height and width of the hidden video, multiples of 8.
    pub hidden: (usize, usize),
    /// Basis vectors of the transport, for each colour.
    pub vectors: usize,
    /// The widths of the light's decoder.
    pub light: DecoderSize,
    /// The widths of the transport's decoder.
    pub transport: DecoderSize,
    /// Whether the losses are squared ones in the basis instead of those over all pixels.
    pub in_basis: bool,
    /// The power of s_2 / s_k by which the rows of the basis are weighted, where the losses are in it.
    pub whitening: f64,
    /// The weight of the mean squared error.
    pub direct: f64,
    /// The weight of the error of differences over time: their mean absolute value, or square in the basis.
    pub lagged: f64,
    /// The longest lag of these; each step draws one from 1 on.
    pub longest_lag: usize,
    /// What the transport itself is asked for.
    pub penalties: FactorPenalties,
    /// Rows of the observed frame at which a step looks at the transport; 0 looks at all.
    pub penalty_rows: usize,
    /// A pixel that reaches this in some frame is over-exposed and left out.
    pub white: f64,
    /// How it is fitted.
    pub restarts: Restarts,
}

impl Default for VideoTransport {
    /// As published, but for restarts.
    fn default() -> Self {
        Self {
            hidden: (16, 16),
            vectors: 32,
            light: DecoderSize::Published,
            transport: DecoderSize::Published,
            in_basis: false,
            whitening: 0.0,
            direct: 0.01,
            lagged: 1.0,
            longest_lag: 7,
            penalties: FactorPenalties::default(),
            penalty_rows: 0,
            white: 0.998,
            restarts: Restarts { rate: 6e-5, amsgrad: true, steps: 100_000, ..Restarts::default() },
        }
    }
}

impl MatrixTransport {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that cannot be.
    pub fn check(&self) -> Result<()> {
        self.restarts.check()?;
        if self.inner == 0 {
            return Err(Error::parameter("inner", "1 or more", 0));
        }
        if !(self.level.is_finite() && self.level > 0.0) {
            return Err(Error::parameter("level", "above 0", self.level));
        }
        Ok(())
    }

    /// Smaller networks with a larger rate that falls, and no weight decay: minutes instead of an hour.
    pub fn fast() -> Self {
        let restarts =
            Restarts { rate: 1e-3, last_rate: 0.05, steps: 8_000, ..Restarts::default() };
        Self { size: DecoderSize::Quarter, restarts, ..Self::default() }
    }
}

impl VideoTransport {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that cannot be.
    pub fn check(&self) -> Result<()> {
        self.restarts.check()?;
        let numbers =
            [("direct", self.direct), ("lagged", self.lagged), ("whitening", self.whitening)];
        for (name, found) in numbers {
            if !(found.is_finite() && found >= 0.0) {
                return Err(Error::parameter(name, "0 or more", found));
            }
        }
        if self.direct + self.lagged == 0.0 {
            return Err(Error::parameter("direct and lagged", "above 0 together", 0));
        }
        let longest = VideoDecoders::MULTIPLE - 1;
        if !(1..=longest).contains(&self.longest_lag) {
            let allowed = format!("from 1 to {longest}");
            return Err(Error::parameter("longest-lag", allowed, self.longest_lag));
        }
        if self.vectors == 0 {
            return Err(Error::parameter("vectors", "1 or more", 0));
        }
        Ok(())
    }

    /// Smaller networks and squared losses in the basis: a fit of minutes instead of hours.
    pub fn fast() -> Self {
        let default = Self::default();
        Self {
            light: DecoderSize::Quarter,
            transport: DecoderSize::Half,
            in_basis: true,
            // Squares of values below one are smaller than what the penalties are weighed against.
            direct: 300.0,
            lagged: 3e4,
            penalty_rows: 8,
            restarts: Restarts { rate: 2e-4, last_rate: 0.05, steps: 2_500, ..default.restarts },
            ..default
        }
    }
}
