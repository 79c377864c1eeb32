//! Steps of the decoders of light transport: prints the seconds of each step, and at the end the peak of resident memory in MiB.
//!
//! `light CASE SIZE STEPS`, where CASE is `image ROWS COLS`, `light FRAMES COLOURS`, `matrix`, `video` or `basis`, and SIZE a decoder's.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use deepmf::data::Shape;
use deepmf::linalg::Mat;
use deepmf::model::layer::{Input, Network, Way};
use deepmf::model::{
    DecoderSize, FactorPenalties, ImageDecoder, Mode, Model, Numbers, Params, Pass, TransportLight,
    TransportMap, VideoBasis, VideoDecoders,
};
use deepmf::problem::{
    Absolute, Axis, Constant, Differences, Full, KnownFactor, Loss, Observation, Problem, Squared,
    Term,
};
use deepmf::product::{Cotangent, Product};
use deepmf::random::{Purpose, RngExt, stream};
use deepmf::train::optimizer::{Adam, Penalized};
use deepmf::train::{Optimizer, Room};
use deepmf::{Error, Result};

/// Observed pixels along a side, hidden ones, frames, basis vectors, and rows that a penalty looks at where it looks at few.
const SIDE: usize = 128;
const HIDDEN: usize = 16;
const FRAMES: usize = 256;
const VECTORS: usize = 32;
const FEW_ROWS: usize = 8;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| -> Result<usize> {
        let found = arguments.get(place).and_then(|text| text.parse().ok());
        found.ok_or_else(|| Error::parameter("a number of the case", "given", place))
    };
    let name = arguments.get(1).map_or("published", String::as_str);
    let size = DecoderSize::ALL.into_iter().find(|size| size.name() == name).unwrap_or_default();
    let steps = number(2)?;
    let one = Problem::full(&Mat::zeros(1, 1), Constant::Sum)?;
    match arguments.first().map(String::as_str) {
        Some("image") => {
            let (rows, cols) = (number(3)?, number(4)?);
            let image = ImageDecoder { rows, cols, size, told: None, keep: 0.5, number: 0 };
            let decoder = image.build()?;
            timed(steps, &one, &mut Alone::new(decoder.network().clone()), Adam::new(1e-4)?)
        }
        Some("light") => {
            let sizes = VideoDecoders { frames: number(3)?, colours: number(4)?, ..decoders(size) };
            let decoder = sizes.light()?;
            timed(steps, &one, &mut Alone::new(decoder.network().clone()), Adam::new(1e-4)?)
        }
        Some("matrix") => matrix(size, steps),
        Some("video") => video(size, steps, false),
        Some("basis") => video(size, steps, true),
        found => {
            let all = "image, light, matrix, video or basis";
            Err(Error::parameter("the case", all, found.unwrap_or("none")))
        }
    }
}

fn decoders(size: DecoderSize) -> VideoDecoders {
    let hidden = (HIDDEN, HIDDEN);
    VideoDecoders {
        hidden,
        frames: FRAMES,
        colours: 3,
        vectors: VECTORS,
        light: size,
        transport: size,
    }
}

/// Steps as a fit takes them, after two that are not counted.
fn timed(
    steps: usize,
    problem: &Problem,
    model: &mut dyn Model,
    mut optimizer: impl Optimizer,
) -> Result<()> {
    optimizer.check(problem, model)?;
    let mut room = Room::new(model);
    for step in 0..steps as u64 + 2 {
        let begun = Instant::now();
        room.pass.mode = Mode::Training { seed: 0, step };
        room.evaluation.draw = Some((0, step));
        room.evaluate(problem, model);
        optimizer.step(problem, model, &mut room);
        if step > 1 {
            println!("{:.6}", begun.elapsed().as_secs_f64());
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        peak.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    println!("{:.0}", kilobytes.unwrap_or(f64::NAN) / 1024.0);
    Ok(())
}

/// A decoder with the mean of its output as loss.
struct Alone {
    network: Network<f32>,
    params: Params,
    way: std::sync::Mutex<Way<f32>>,
    /// Stands for the product, of which nothing is asked.
    nothing: Mat,
}

impl Alone {
    fn new(network: Network<f32>) -> Self {
        let slots: Vec<_> =
            network.slots().map(|(name, rows, cols)| (name, rows, cols, false)).collect();
        let mut params = Params::singles(slots);
        if let Numbers::Single(numbers) = params.numbers_mut() {
            network.start(numbers, &mut [], 0, 0);
        }
        Self { network, params, way: std::sync::Mutex::default(), nothing: Mat::zeros(1, 1) }
    }
}

const NOTHING: Input<'_, f32> = Input::Dense { count: 1, values: &[] };

impl Model for Alone {
    fn shape(&self) -> Shape {
        (1, 1)
    }
    fn params(&self) -> &Params {
        &self.params
    }
    fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }
    fn is_network(&self) -> bool {
        true
    }
    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        if let (Numbers::Single(params), Ok(mut way)) = (self.params.numbers(), self.way.lock()) {
            self.network.forward(params, &[], NOTHING, pass.mode, &mut way);
        }
        Product::Dense(self.nothing.view())
    }
    fn pullback(&self, _product: &Cotangent, _pass: &mut Pass, into: &mut Params) {
        let numbers = (self.params.numbers(), into.numbers_mut());
        if let ((Numbers::Single(params), Numbers::Single(into)), Ok(mut way)) =
            (numbers, self.way.lock())
        {
            let count = way.output().len();
            let slope = way.slope_mut();
            slope.clear();
            slope.resize(count, 1.0 / count as f32);
            self.network.backward(params, NOTHING, &mut way, into);
        }
    }
}

fn term(
    observation: impl Observation + 'static,
    z: &Mat,
    loss: Arc<dyn Loss>,
    weight: f64,
) -> Term {
    let mut targets = vec![0.0; observation.len()];
    observation.apply(&Product::Dense(z.view()), &mut Mat::default(), &mut targets);
    Term { observation: Arc::new(observation), targets, loss, weight }
}

/// The published step of the one-dimensional experiment: T 128 x 128, L 128 x 256.
fn matrix(size: DecoderSize, steps: usize) -> Result<()> {
    let shape = (SIDE, FRAMES);
    let z =
        Mat::from_fn(SIDE, FRAMES, |i, t| 3.0 + (0.05 * i as f64).sin() + (0.03 * t as f64).cos());
    let absolute = || Arc::new(Absolute::default());
    let over = |axis| Differences::new(shape, axis, 1, 1);
    let problem = Problem::sum(vec![
        term(Full::new(shape), &z, absolute(), 1e-4),
        term(over(Axis::Rows)?, &z, absolute(), 1.0),
        term(over(Axis::Cols)?, &z, absolute(), 1.0),
    ])?;
    let told = (0..SIDE).map(|i| (0.05 * i as f64).sin()).collect();
    let mut model = TransportLight::<f32>::matrix(shape, SIDE, size, Some(told), 0.5, 0)?;
    let decay = vec![1e-4; model.params().slots().len()];
    timed(steps, &problem, &mut model, Penalized::new(Adam::new(1e-4)?, decay)?)
}

/// The published step of a video, its whole transport and product formed; or squared losses in the basis and penalties on a few rows.
fn video(size: DecoderSize, steps: usize, in_basis: bool) -> Result<()> {
    // A pixel in a hundred is over-exposed, and left out.
    let known: Vec<bool> = (0..SIDE * SIDE).map(|pixel| pixel % 100 != 50).collect();
    let z = smooth(&known, FRAMES);
    let basis = VideoBasis::of(&z, VECTORS)?;
    let lagged = || -> Arc<dyn Loss> {
        if in_basis { Arc::new(Squared::default()) } else { Arc::new(Absolute::default()) }
    };
    let terms = |all: &Mat| {
        let shape = (all.rows(), FRAMES);
        let lag = |lag| Ok(term(Differences::new(shape, Axis::Cols, lag, 0)?, all, lagged(), 1.0));
        let lags = (1..=7).map(lag).collect::<Result<_>>()?;
        let squared = Arc::new(Squared::default());
        Problem::sum(vec![term(Full::new(shape), all, squared, 0.01)])?.one_of(lags)
    };
    let colours = z.into_iter().enumerate();
    let problem = if in_basis {
        let parts: Vec<Mat> = colours.map(|(c, z)| basis.reduced(c, &z)).collect::<Result<_>>()?;
        let rows = parts[0].rows();
        terms(&Mat::from_fn(3 * rows, FRAMES, |i, t| parts[i / rows][(i % rows, t)]))?
    } else {
        let known = colours.map(|(c, z)| KnownFactor::new(&basis.orthonormal(c), z));
        let known = known.collect::<Result<_>>()?;
        Problem::lifted(known, |rows| terms(&Mat::zeros(rows, FRAMES)))?
    };
    let rows = if in_basis { FEW_ROWS } else { SIDE };
    let map = TransportMap { width: SIDE, known, rows };
    let penalties = Some((FactorPenalties::default(), map));
    let mut model = TransportLight::<f32>::video(&decoders(size), &basis, penalties, 0)?;
    let slots = model.params().slots().len();
    let first = model.transport_slots();
    let groups = vec![(first, 1.0), (slots - first, 1.0)];
    let adam = Adam::new(6e-5)?.amsgrad(true).groups(groups)?;
    drop(basis);
    timed(steps, &problem, &mut model, adam)
}

/// A smooth positive video of three colours, known pixels x frames, with a little noise.
fn smooth(known: &[bool], frames: usize) -> Vec<Mat> {
    let pixels: Vec<usize> = (0..known.len()).filter(|pixel| known[*pixel]).collect();
    let mut draws = stream(0, Purpose::Truth, 0);
    let mut colour = |c: usize| {
        Mat::from_fn(pixels.len(), frames, |place, t| {
            let (row, col) = ((pixels[place] / SIDE) as f64, (pixels[place] % SIDE) as f64);
            let wave = (0.05 * row + 0.03 * t as f64).sin() * (0.04 * col + c as f64).cos();
            1.0 + 0.4 * wave + 0.01 * draws.random::<f64>()
        })
    };
    (0..3).map(&mut colour).collect()
}
