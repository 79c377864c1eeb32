//! What can be typed after `transport`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use deepmf::model::DecoderSize;
use deepmf::spec::{
    Data, LightFit, LightMethod, MatrixTransport, ObservedMatrix, ObservedVideo, Pictures,
    Restarts, TransportSettings, VideoTransport,
};
use deepmf::{Error, Result};

use super::value;

/// What light is told from.
#[derive(Debug, Subcommand)]
pub(crate) enum Transport {
    Matrix(Box<TransportMatrix>),
    Video(Box<TransportVideo>),
}

/// Find a transport T and a light L, both images, of which only the product Z is known.
///
/// Z is a matrix whose columns are moments of time, or T·L of two pictures. Both factors are images of least variation, from many random starts; with --method
/// sparse, the light is dark at most places most of the time and Z without noise; with --method decoders, both are written by untrained convolutional networks
/// that are fitted to this one matrix (Aittala et al. 2019). DIR gets transport.npy and light.npy, both as .png too, model.safetensors, result.json,
/// trajectory.csv, report.html, the checkpoints, preview.png (the light so far, while it is fitted) and spec.toml, which `deepmf run` repeats. With --json
/// stdout holds one JSON object with the keys rows, cols, inner, steps, seconds, seconds_per_step, stop_reason, held_out_error, objective, agreement,
/// product_error, chosen_seed, kept, parameters, trials [{seed, steps, stop_reason, held_out_error, objective, agreement, product_error, kept, seconds,
/// correlation}], correlation, psnr, ssim, flip, transport_correlation, static_correlation, baseline_nmf {product_error, correlation, psnr, ssim},
/// baseline_singular {…}, baseline_known_transport {…, ridge}, seed; what needs a truth is null without one.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf transport matrix observed.npy --inner 64 --truth-light light.npy -o found"
)]
pub(crate) struct TransportMatrix {
    /// The observed matrix.
    #[arg(value_name = "Z", required_unless_present = "transport")]
    pub(crate) observed: Option<PathBuf>,
    /// A picture that is the true transport: resized to inner x inner, from 0 to 1; with --light, forms Z.
    #[arg(
        long,
        value_name = "FILE",
        requires = "light",
        conflicts_with = "observed",
        help_heading = "Input"
    )]
    pub(crate) transport: Option<PathBuf>,
    /// A picture that is the true light: resized to inner x frames, from 0 to 1.
    #[arg(long, value_name = "FILE", requires = "transport", help_heading = "Input")]
    pub(crate) light: Option<PathBuf>,
    /// Columns of the light from a picture [default: twice inner].
    #[arg(long, value_name = "N", value_parser = value::count, requires = "light", help_heading = "Input")]
    pub(crate) frames: Option<usize>,
    /// Noise on Z from pictures, as a share of its standard deviation.
    #[arg(long, value_name = "SHARE", value_parser = value::not_negative, allow_hyphen_values = true, default_value_t = 0.0, requires = "light", help_heading = "Input")]
    pub(crate) noise: f64,
    /// The transport that is true, rows of Z x inner: what is found is compared with it, nothing is fitted to it.
    #[arg(long, value_name = "FILE", requires = "observed", help_heading = "Input")]
    pub(crate) truth_transport: Option<PathBuf>,
    /// The light that is true, inner x columns of Z, likewise.
    #[arg(long, value_name = "FILE", requires = "observed", help_heading = "Input")]
    pub(crate) truth_light: Option<PathBuf>,
    /// Columns of the transport and rows of the light.
    #[arg(long, value_name = "N", value_parser = value::count, default_value_t = 64, help_heading = "Fit")]
    pub(crate) inner: usize,
    /// By what the factors are found [default: variation; decoders where an option of theirs is given: preset, size, seeds, steps, minutes or rate].
    #[arg(long, value_enum, value_name = "METHOD", help_heading = "Fit")]
    method: Option<MethodName>,
    /// Random starts of images of least variation, of which the best 16 (of a sparse light 48) go on [default: 256].
    #[arg(long, value_name = "N", value_parser = value::count, help_heading = "Fit")]
    starts: Option<usize>,
    /// Networks, rate and steps as published, or a smaller fit that needs minutes [default: fast].
    #[arg(long, value_enum, value_name = "PRESET", help_heading = "Fit")]
    preset: Option<PresetName>,
    /// The widths of the networks [default: those of the preset].
    #[arg(long, value_enum, value_name = "SIZE", help_heading = "Fit")]
    size: Option<SizeName>,
    #[command(flatten)]
    fit: TransportFit,
    /// The folder to write to: new or empty.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kept: TransportKept,
}

/// Find a hidden video from what its light does to what is seen.
///
/// Transport and hidden video are written by untrained convolutional networks that are fitted to this one video (Aittala et al. 2019). DIR gets hidden.npy and
/// hidden.gif, transport.npy, transport.png (what each hidden pixel lights, side by side), model.safetensors, result.json, trajectory.csv, report.html, the
/// checkpoints, preview.gif (the hidden video so far, while it is fitted) and spec.toml, which `deepmf run` repeats. With --json stdout holds one JSON object with
/// the keys height, width, frames, colours, hidden, steps, seconds, seconds_per_step, stop_reason, held_out_error, product_error, chosen_seed, kept, parameters,
/// trials [{seed, steps, stop_reason, held_out_error, product_error, kept, seconds, correlation}], correlation, psnr, ssim, flip, transport_correlation,
/// static_correlation, baseline_nmf {product_error, correlation, psnr, ssim}, baseline_singular {…}, baseline_known_transport {…, ridge}, seed; what needs a truth
/// is null without one.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  deepmf transport video observed.gif --crop 20,10,96,80 --hidden 16x16 --minutes 30 -o found"
)]
pub(crate) struct TransportVideo {
    /// The observed video: .gif, .png, .npy, a folder of frames, or what ffmpeg reads.
    #[arg(value_name = "Z")]
    pub(crate) observed: PathBuf,
    /// The part of each frame that is used: column and row of its upper left corner, width, height.
    #[arg(long, value_name = "X,Y,W,H", value_parser = value::crop, help_heading = "Input")]
    pub(crate) crop: Option<(usize, usize, usize, usize)>,
    /// The hidden video that is true: what is found is compared with it, nothing is fitted to it.
    #[arg(long, value_name = "VIDEO", help_heading = "Input")]
    pub(crate) truth: Option<PathBuf>,
    /// The transport that is true, observed pixels x hidden pixels, to say what it would give.
    #[arg(long, value_name = "FILE", requires = "truth", help_heading = "Input")]
    pub(crate) truth_transport: Option<PathBuf>,
    /// Height and width of the hidden video, multiples of 8.
    #[arg(long, value_name = "HxW", value_parser = value::shape, default_value = "16x16", help_heading = "Fit")]
    pub(crate) hidden: (usize, usize),
    /// Networks, terms and steps as published, or a smaller fit that needs minutes.
    #[arg(long, value_enum, value_name = "PRESET", default_value_t = PresetName::Fast, help_heading = "Fit")]
    preset: PresetName,
    #[command(flatten)]
    fit: TransportFit,
    /// The folder to write to: new or empty.
    #[arg(long, short, value_name = "DIR", help_heading = "Output")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) kept: TransportKept,
}

/// How long and how often is fitted.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fit")]
pub(crate) struct TransportFit {
    /// Fits from so many seeds; that which best meets what is held out is kept [default: 3].
    #[arg(long, value_name = "N", value_parser = value::count)]
    seeds: Option<usize>,
    /// Steps of each fit at most.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Minutes for all fits together.
    #[arg(long, value_name = "M", value_parser = value::positive, allow_hyphen_values = true)]
    minutes: Option<f64>,
    /// The learning rate.
    #[arg(long, value_name = "RATE", value_parser = value::positive, allow_hyphen_values = true)]
    rate: Option<f64>,
    /// The first seed of all that is random.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// What is kept of a fit, and printed.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct TransportKept {
    /// Go on from where the fits in the folder end.
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SizeName {
    Published,
    /// Half of the published widths.
    Half,
    /// A quarter.
    Quarter,
    /// An eighth.
    Eighth,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum MethodName {
    /// Images of least total variation in the singular subspaces of Z, what many random starts agree on: half a minute.
    Variation,
    /// A transport of least variation and a light that is dark at most places most of the time, of a Z without noise: minutes.
    Sparse,
    /// Untrained convolutional networks.
    Decoders,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresetName {
    Published,
    Fast,
}

impl TransportFit {
    /// The first option that only decoders have, if one is given.
    fn given(&self) -> Option<&'static str> {
        let all = [
            ("--seeds", self.seeds.is_some()),
            ("--steps", self.steps.is_some()),
            ("--minutes", self.minutes.is_some()),
            ("--rate", self.rate.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }

    fn over(&self, default: Restarts) -> Restarts {
        Restarts {
            seeds: self.seeds.unwrap_or(default.seeds),
            steps: self.steps.unwrap_or(default.steps),
            minutes: self.minutes.or(default.minutes),
            rate: self.rate.unwrap_or(default.rate),
            ..default
        }
    }
}

impl TransportMatrix {
    /// Where the matrix comes from.
    pub(crate) fn data(&self) -> Result<Data> {
        if let (Some(transport), Some(light)) = (&self.transport, &self.light) {
            return Ok(Data::Pictures(Pictures {
                transport: transport.clone(),
                light: light.clone(),
                inner: self.inner,
                frames: self.frames,
                noise: self.noise,
            }));
        }
        let Some(path) = self.observed.clone() else {
            return Err(Error::parameter("the observed matrix", "given", "not"));
        };
        let (transport, light) = (self.truth_transport.clone(), self.truth_light.clone());
        Ok(Data::Matrix(ObservedMatrix { path, transport, light }))
    }

    /// The settings.
    pub(crate) fn settings(&self) -> Result<TransportSettings> {
        let preset = self.preset.map(|_| "--preset").or(self.size.map(|_| "--size"));
        let of_decoders = preset.or(self.fit.given());
        let implied =
            if of_decoders.is_some() { MethodName::Decoders } else { MethodName::Variation };
        let method = self.method.unwrap_or(implied);
        let fit = LightFit::Matrix(self.decoders());
        match (method, of_decoders, self.starts) {
            (MethodName::Decoders, _, Some(_)) => {
                let allowed = "given with --method variation or sparse";
                Err(Error::parameter("--starts", allowed, "with decoders"))
            }
            (MethodName::Decoders, ..) => Ok(TransportSettings::decoders(fit)),
            (MethodName::Variation | MethodName::Sparse, Some(name), _) => {
                let found = if method == MethodName::Sparse { "sparse" } else { "variation" };
                let found = format!("with {found}");
                Err(Error::parameter(name, "given with --method decoders", found))
            }
            (MethodName::Variation, None, starts) => {
                let mut settings = TransportSettings::by(LightMethod::Variation, fit);
                settings.variation.starts = starts.unwrap_or(settings.variation.starts);
                Ok(settings)
            }
            (MethodName::Sparse, None, starts) => {
                let mut settings = TransportSettings::by(LightMethod::Sparse, fit);
                let of_starts = &mut settings.sparse.images;
                of_starts.starts = starts.unwrap_or(of_starts.starts);
                Ok(settings)
            }
        }
    }

    fn decoders(&self) -> MatrixTransport {
        let default = match self.preset {
            Some(PresetName::Published) => MatrixTransport::default(),
            Some(PresetName::Fast) | None => MatrixTransport::fast(),
        };
        MatrixTransport {
            inner: self.inner,
            size: match self.size {
                None => default.size,
                Some(SizeName::Published) => DecoderSize::Published,
                Some(SizeName::Half) => DecoderSize::Half,
                Some(SizeName::Quarter) => DecoderSize::Quarter,
                Some(SizeName::Eighth) => DecoderSize::Eighth,
            },
            restarts: self.fit.over(default.restarts),
            ..default
        }
    }

    /// The first seed.
    pub(crate) fn seed(&self) -> u64 {
        self.fit.seed
    }
}

impl TransportVideo {
    /// Where the video comes from.
    pub(crate) fn data(&self) -> ObservedVideo {
        ObservedVideo {
            path: self.observed.clone(),
            crop: self.crop,
            transport: self.truth_transport.clone(),
            light: self.truth.clone(),
        }
    }

    /// The settings.
    pub(crate) fn settings(&self) -> VideoTransport {
        let default = match self.preset {
            PresetName::Published => VideoTransport::default(),
            PresetName::Fast => VideoTransport::fast(),
        };
        let restarts = self.fit.over(default.restarts);
        VideoTransport { hidden: self.hidden, restarts, ..default }
    }

    /// The first seed.
    pub(crate) fn seed(&self) -> u64 {
        self.fit.seed
    }
}
