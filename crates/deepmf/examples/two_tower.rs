//! Two towers on ratings that are split by masks: prints epoch, loss of its last block, test RMSE and seconds, one line every ten epochs.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use deepmf::data::{align, read};
use deepmf::model::{TowerSizes, TwoTower};
use deepmf::problem::{Mask, Problem, RootMeanSquare};
use deepmf::train::optimizer::Adam;
use deepmf::train::{Blocks, Probe, Schedule, Stop, Trainer};
use deepmf::{Error, Result};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        return Err(Error::parameter("the folder of rating.npz and its masks", "given", "not"));
    };
    let number = |text: Option<String>, otherwise: u64| {
        text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (epochs, seed) = (number(arguments.next(), 100), number(arguments.next(), 0));
    let file = |name: &str| read(Path::new(&folder).join(name)).map(|table| table.entries);
    let all = file("rating.npz")?;
    let (train, test) = (
        align::within(&all, &file("train_mask.npz")?),
        align::within(&all, &file("test_mask.npz")?),
    );

    let mask = Mask::sparse(&train);
    let targets = mask.order(train.values());
    let problem = Problem::single(Arc::new(mask), targets, Arc::new(RootMeanSquare))?;
    let problem = problem.test_entries(&test)?;
    let mut model = TwoTower::<f32>::new(&train, (1.0, 5.0), &TowerSizes::default(), seed)?;
    let blocks = Blocks::new(100, 170)?;
    let steps = blocks.steps_per_epoch(problem.shape()).0;
    let schedule = Schedule::Decay { steps: 50 * steps, factor: 0.65 };
    let begun = Instant::now();
    let run = Trainer::new(Adam::new(0.01)?.schedule(schedule))
        .blocks(blocks)
        .seed(seed)
        .stop(Stop::new().steps(epochs * steps))
        .record(Probe::TestError)
        .every(10 * steps)
        .watch(|at| {
            println!("{} {:.4} {:.1}", at.step / steps, at.loss, begun.elapsed().as_secs_f64());
        })
        .fit(&problem, &mut model)?;
    for row in run.trajectory.rows() {
        println!("{} {:.4} {:.4}", row[0] as u64 / steps, row[1], row[2].sqrt());
    }
    println!("{:.3} seconds an epoch", run.seconds / epochs as f64);
    Ok(())
}
