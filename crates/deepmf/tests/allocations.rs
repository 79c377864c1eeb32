//! A training step allocates nothing: counted, after the first step has made its room.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::alloc::System;
use std::sync::Arc;

use deepmf::data;
use deepmf::linalg::Mat;
use deepmf::model::{
    DecoderSize, DeepLinear, FactorPenalties, Init, Mode, Model, Residual, TransportLight,
    TransportMap, VideoBasis, VideoDecoders,
};
use deepmf::problem::{
    Absolute, Axis, Constant, Differences, Full, KnownFactor, Loss, Observation, Problem, Sensing,
    Squared, Term,
};
use deepmf::train::optimizer::{
    Adam, Averaged, GradientDescent, GroupRmsProp, LabelNoise, Momentum, Penalized, RmsProp, Rprop,
    SharpnessAware,
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
    // From inside the pool: whoever hands it work from outside makes room for it every so many times.
    rayon::scope(|_| decoders_allocate_nothing());
}

/// A step of a fit of light transport: a matrix; a video with its product formed, and one in the basis with penalties on a few rows.
fn decoders_allocate_nothing() {
    let sizes = VideoDecoders {
        hidden: (8, 8),
        frames: 24,
        colours: 3,
        vectors: 4,
        light: DecoderSize::Eighth,
        transport: DecoderSize::Eighth,
    };
    let video = [0, 1, 2].map(|c| Mat::from_fn(30, 24, |i, t| 1.0 + ((i * t + c) % 7) as f64));
    let basis = VideoBasis::of(&video, 4).unwrap();
    let penalised = |rows: usize| {
        let map = TransportMap { width: 5, known: vec![true; 30], rows };
        let penalties = Some((FactorPenalties::default(), map));
        TransportLight::<f32>::video(&sizes, &basis, penalties, 0).unwrap()
    };
    let told = Some((0..40).map(f64::from).collect());
    let matrix = TransportLight::<f32>::matrix((40, 64), 33, DecoderSize::Eighth, told, 0.5, 0);
    for (place, mut model) in [matrix.unwrap(), penalised(6), penalised(2)].into_iter().enumerate()
    {
        let lifted = place == 1;
        let shape = if lifted { (30, 24) } else { model.shape() };
        let term = |over: Arc<dyn Observation>, loss: Arc<dyn Loss>| {
            let targets = vec![1.0; over.len()];
            Term { observation: over, targets, loss, weight: 0.5 }
        };
        let lag = |lag| {
            let over = Differences::new(shape, Axis::Cols, lag, 0).unwrap();
            term(Arc::new(over), Arc::new(Absolute::default()))
        };
        let direct = term(Arc::new(Full::new(shape)), Arc::new(Squared::default()));
        let problem = Problem::sum(vec![direct]).unwrap().one_of((1..8).map(lag).collect());
        let mut problem = problem.unwrap();
        if lifted {
            let known = video.iter().enumerate();
            let known = known.map(|(c, z)| KnownFactor::new(&basis.orthonormal(c), z.clone()));
            let known = known.collect::<Result<_, _>>().unwrap();
            problem = Problem::lifted(known, |_| Ok(problem.clone())).unwrap();
        }
        let slots = model.params().slots().len();
        let adam = Adam::new(1e-3).unwrap().amsgrad(true).groups(vec![(3, 2.0)]).unwrap();
        let adam = Penalized::new(adam, vec![1e-4; slots]).unwrap();
        let mut optimizer = Averaged::new(adam, 10).unwrap();
        let mut room = Room::new(&model);
        let mut step = |step| {
            room.pass.mode = Mode::Training { seed: 0, step };
            room.evaluation.draw = Some((0, step));
            room.evaluate(&problem, &model);
            optimizer.step(&problem, &mut model, &mut room);
        };
        // A lag of 1 sees the most differences, and must have been drawn.
        (0..40).for_each(&mut step);
        let region = Region::new(GLOBAL);
        (40..50).for_each(&mut step);
        let counted = region.change();
        assert_eq!(counted.allocations + counted.reallocations, 0, "decoders {place}");
    }
}
