//! A training step allocates nothing: counted, after the first step has made its room.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::alloc::System;

use deepmf::data;
use deepmf::model::{DeepLinear, Init, Model, Residual};
use deepmf::problem::{Constant, Problem, Sensing};
use deepmf::train::optimizer::{
    Adam, GradientDescent, GroupRmsProp, LabelNoise, Momentum, RmsProp, Rprop, SharpnessAware,
};
use deepmf::train::{Flow, Optimizer, Room};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn network(depth: usize) -> Box<dyn Model> {
    let model = DeepLinear::with_width((100, 100), depth, 100).unwrap();
    Box::new(model.init(&Init::Gaussian { scale: 1e-3 }, 0).unwrap())
}

/// One test, since the counter sees every thread of the process.
#[test]
fn a_step_allocates_nothing() {
    // A worker that starts late, on a busy machine, would be counted.
    rayon::broadcast(|_| ());
    let shape = (100, 100);
    let truth = data::low_rank(shape, 5, 0).unwrap();
    let sparse = data::observe(&truth, &data::random_cells(shape, 1_900, 0).unwrap()).unwrap();
    let dense = data::observe(&truth, &data::random_cells(shape, 6_000, 0).unwrap()).unwrap();
    let operators = Sensing::gaussian(shape, 20, 0).unwrap();
    let targets = operators.measure(&truth).unwrap();
    let problems = [
        Problem::completion(&sparse).unwrap(),
        Problem::completion(&dense).unwrap(),
        Problem::robust_completion(&sparse, 1.0, Constant::Mean).unwrap(),
        Problem::sensing(operators, targets, Constant::Mean).unwrap(),
        Problem::full(&truth, Constant::Mean).unwrap(),
    ];
    let optimizers: [fn() -> Box<dyn Optimizer>; 10] = [
        || Box::new(GradientDescent::new(0.1).unwrap()),
        || {
            let descent = GradientDescent::new(0.1).unwrap().decay(1e-3).unwrap();
            Box::new(descent.outer(0.5).unwrap())
        },
        || Box::new(Momentum::new(0.1, 0.9).unwrap()),
        || Box::new(GroupRmsProp::new(1e-3).unwrap()),
        || Box::new(RmsProp::new(1e-3).unwrap()),
        || Box::new(Rprop::new(1e-3).unwrap()),
        || Box::new(Adam::new(1e-3).unwrap().amsgrad(true)),
        || Box::new(Flow::new(1e-6).unwrap()),
        || {
            let descent = GradientDescent::new(0.1).unwrap();
            Box::new(SharpnessAware::new(descent, 0.1).unwrap())
        },
        || Box::new(LabelNoise::new(0.1, 0.1, 10, 0).unwrap()),
    ];
    for (place, problem) in problems.iter().enumerate() {
        for depth in 2..=5 {
            for make in optimizers {
                // The last case is a residual network.
                let residual = || Box::new(Residual::new(&[100, 100, 100]).unwrap());
                let mut model = if depth < 5 { network(depth) } else { residual() };
                let (mut room, mut optimizer) = (Room::new(&*model), make());
                let mut step = || {
                    room.evaluate(problem, &*model);
                    optimizer.step(problem, &mut *model, &mut room);
                };
                (0..3).for_each(|_| step());
                let region = Region::new(GLOBAL);
                (0..5).for_each(|_| step());
                let counted = region.change();
                assert_eq!(counted.allocations + counted.reallocations, 0, "{place} {depth}");
            }
        }
    }
}
