//! The time of one gradient step, for `bench/step`: prints microseconds a step, one line a batch of steps.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use deepmf::data;
use deepmf::model::{DeepLinear, Init};
use deepmf::problem::Problem;
use deepmf::train::optimizer::GradientDescent;
use deepmf::train::{Optimizer, Room};
use deepmf::{Error, Result};

/// rows, cols, hidden width, depth, known entries, steps a batch.
const CASES: [(&str, [usize; 6]); 2] =
    [("square", [100, 100, 100, 3, 2_000, 400]), ("movielens", [1682, 943, 943, 2, 10_000, 20])];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let batches: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(10);
    let Some((_, [rows, cols, width, depth, count, steps])) =
        CASES.iter().find(|(known, _)| *known == name)
    else {
        return Err(Error::parameter("the case", "square or movielens", name));
    };
    let shape = (*rows, *cols);
    let truth = data::low_rank(shape, 5, 0)?;
    let seen = data::observe(&truth, &data::random_cells(shape, *count, 0)?)?;
    let problem = Problem::completion(&seen)?;
    let mut model =
        DeepLinear::with_width(shape, *depth, *width)?.init(&Init::Gaussian { scale: 1e-3 }, 0)?;
    let mut room = Room::new(&model);
    let mut descent = GradientDescent::new(0.1)?;
    for batch in 0..=batches {
        let begun = Instant::now();
        for _ in 0..*steps {
            room.evaluate(&problem, &model);
            descent.step(&problem, &mut model, &mut room);
        }
        // The first batch warms up.
        if batch > 0 {
            println!("{:.3}", begun.elapsed().as_secs_f64() * 1e6 / *steps as f64);
        }
    }
    Ok(())
}
