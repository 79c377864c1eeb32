//! One flow to the least validation error on many made-up ratings, for `bench/scale`.
//!
//! `scale COUNT` draws COUNT ratings of COUNT/100 x COUNT/500 cells, at least 2,000 columns (100,000 x 20,000 for 10⁷), of rank 20 with noise, holds a tenth out, and prints
//! the count, seconds of making the problem and of the flow, evaluations, the validation error over the noise, the peak of memory in bytes
//! when the problem was made and at the end, and the bytes of the factors, of which a flow keeps 17 copies.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use deepmf::data::Entries;
use deepmf::linalg::{Mat, dot};
use deepmf::model::{DeepLinear, Init, Model};
use deepmf::problem::Problem;
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::train::{Flow, Stop, Trainer, Validation};
use deepmf::{Error, Result};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const RANK: usize = 20;
const WIDTH: usize = 32;
const NOISE: f64 = 0.5;

fn main() -> Result<()> {
    let text = std::env::args().nth(1).unwrap_or_default();
    let count: usize = match text.parse() {
        Ok(count) if count >= 10_000 => count,
        _ => return Err(Error::parameter("COUNT", "10000 or more", text)),
    };
    let begun = Instant::now();
    let (problem, validation) = made(count)?;
    let making = begun.elapsed().as_secs_f64();
    let shape = problem.shape();
    let mut model =
        DeepLinear::with_width(shape, 2, WIDTH)?.init(&Init::Gaussian { scale: 1e-2 }, 0)?;
    let made_at = MEMORY.peak_usage();
    let factors = 8 * model.params().values().len();
    let begun = Instant::now();
    let mut flow = Flow::new(3e-3)?;
    let run = Trainer::new(&mut flow)
        .stop(Stop::new().steps(2_000))
        .validation(Validation::new(validation).every(1).patience(5).tolerance(1e-4))
        .every(u64::MAX)
        .fit(&problem, &mut model)?;
    let seconds = begun.elapsed().as_secs_f64();
    let error = run.best.map_or(f64::NAN, |(_, value)| value.sqrt());
    println!(
        "{count} {making:.2} {seconds:.2} {} {:.4} {made_at} {} {factors}",
        flow.evaluations(),
        error / NOISE,
        MEMORY.peak_usage()
    );
    Ok(())
}

/// Every row has 100 ratings, at columns that are drawn with replacement and used once.
fn made(count: usize) -> Result<(Problem, Problem)> {
    let shape = (count / 100, (count / 500).max(2_000));
    let factor = |length: usize, item: u64| {
        let mut random = stream(0, Purpose::Truth, item);
        Mat::from_fn(RANK, length, |_, _| normal(&mut random))
    };
    let (left, right) = (factor(shape.0, 0), factor(shape.1, 1));
    let mut parts = [Drawn::default(), Drawn::default()];
    for i in 0..shape.0 {
        let mut random = stream(0, Purpose::Observation, i as u64);
        let mut seen: Vec<u32> = (0..100).map(|_| random.random_range(0..shape.1 as u32)).collect();
        seen.sort_unstable();
        seen.dedup();
        for j in seen {
            let signal = dot(left.col(i), right.col(j as usize)) / (RANK as f64).sqrt();
            let part = &mut parts[usize::from(random.random_bool(0.1))];
            part.rows.push(i as u32);
            part.cols.push(j);
            part.values.push(signal + NOISE * normal(&mut random));
        }
    }
    let [train, held] = parts.map(|Drawn { mut rows, mut cols, mut values }| {
        rows.shrink_to_fit();
        cols.shrink_to_fit();
        values.shrink_to_fit();
        Problem::completion(&Entries::new(shape, rows, cols, values)?)
    });
    Ok((train?, held?))
}

#[derive(Default)]
struct Drawn {
    rows: Vec<u32>,
    cols: Vec<u32>,
    values: Vec<f64>,
}
