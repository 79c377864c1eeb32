//! Gradient flow to a test error, for `bench/flow`: prints seconds, evaluations, width, the test error reached and the flow's time.
//!
//! `flow synthetic` is the completion of 100 x 100 numbers of rank 5 from 2,000 entries at depth 3 from a start of 1e-3, to a test
//! error of 1e-4; `flow movielens` is MovieLens-100K in the order of Arora et al. 2019 (in the folder `DEEPMF_DATA`), the first 10,000
//! ratings, depth 2 from 1e-3 times the identity, to the least test error. A first run finds the time of the flow at which that is
//! so; the second, which looks at no test entry, is timed up to there.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use deepmf::data;
use deepmf::problem::Problem;
use deepmf::train::rank_adaptive::Adapted;
use deepmf::train::{Probe, RankAdaptive, Stop, Trainer};
use deepmf::{Error, Result};

/// What is solved, and the test error at which the first run has gone far enough.
struct Case {
    problem: Problem,
    depth: usize,
    tolerance: f64,
    goal: f64,
    end: f64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let mut case = match name.as_str() {
        "synthetic" => synthetic()?,
        "movielens" => movielens()?,
        _ => return Err(Error::parameter("the case", "synthetic or movielens", name)),
    };
    if let Some(tolerance) = arguments.next().and_then(|x| x.parse().ok()) {
        case.tolerance = tolerance;
    }
    let looked = solve(&case, case.end, |t| t.record(Probe::TestError).every(1))?;
    let column = |name: &str| looked.run.trajectory.column(name).unwrap_or_default();
    let (times, errors) = (column("time"), column("test_error"));
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    let Some(place) = errors.iter().position(|error| *error <= case.goal.max(least)) else {
        return Err(Error::parameter("the test error", "a number", least));
    };
    let begun = Instant::now();
    let done = solve(&case, times[place], |trainer| trainer.every(u64::MAX))?;
    let seconds = begun.elapsed().as_secs_f64();
    let width = done.model.widths()[1];
    println!("{seconds:.6} {} {width} {:.6e} {:.1}", done.evaluations, errors[place], done.time);
    Ok(())
}

fn solve(
    case: &Case,
    end: f64,
    configure: impl Fn(Trainer<'static>) -> Trainer<'static>,
) -> Result<Adapted> {
    RankAdaptive::new(case.depth, 1e-3, case.tolerance)?.fit(
        &case.problem,
        |flow| flow.until(end),
        |trainer| configure(trainer).stop(Stop::new()),
    )
}

fn synthetic() -> Result<Case> {
    let shape = (100, 100);
    let truth = data::low_rank(shape, 5, 0)?;
    let seen = data::observe(&truth, &data::random_cells(shape, 2_000, 0)?)?;
    let problem = Problem::completion(&seen)?.truth(&truth)?;
    Ok(Case { problem, depth: 3, tolerance: 1e-3, goal: 1e-4, end: 4_000.0 })
}

fn movielens() -> Result<Case> {
    let folder = std::env::var("DEEPMF_DATA")
        .map_err(|_| Error::parameter("DEEPMF_DATA", "the folder of the data", "not set"))?;
    let path = format!("{folder}/ratings/ml-100k/arora2019-order/ml-100k.npz");
    let all = data::read(&path)?.entries;
    let places: Vec<usize> = (0..all.len()).collect();
    let (train, test) = (all.take(&places[..10_000]), all.take(&places[10_000..]));
    let problem = Problem::completion(&train)?.test_entries(&test)?;
    Ok(Case { problem, depth: 2, tolerance: 1e-2, goal: 0.0, end: 3_500.0 })
}
