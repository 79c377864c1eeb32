//! The rank-adaptive flow against the flow of full width.

use deepmf::data;
use deepmf::linalg::{Mat, Svd, random_orthogonal};
use deepmf::model::{DeepLinear, Init, Model, Pass};
use deepmf::problem::Problem;
use deepmf::random::{Purpose, stream};
use deepmf::train::rank_adaptive::FullStart;
use deepmf::train::{Flow, Probe, RankAdaptive, Stop, Trainer, Validation};

const SHAPE: (usize, usize) = (36, 30);

fn problem(seed: u64) -> Problem {
    let truth = data::low_rank(SHAPE, 2, seed).unwrap();
    let seen = data::observe(&truth, &data::random_cells(SHAPE, 600, seed).unwrap()).unwrap();
    Problem::completion(&seen).unwrap().truth(&truth).unwrap()
}

fn full_width(problem: &Problem, depth: usize, init: &Init, until: f64) -> Mat {
    let mut model = DeepLinear::with_width(SHAPE, depth, 30).unwrap().init(init, 5).unwrap();
    let flow = Flow::new(1e-7).unwrap().until(until).unwrap();
    Trainer::new(flow).stop(Stop::new()).fit(problem, &mut model).unwrap();
    model.product()
}

#[test]
fn it_stays_within_its_tolerance_of_the_flow_of_full_width() {
    for (seed, depth) in [(1, 2), (2, 2), (1, 3), (2, 3), (3, 3), (1, 4)] {
        let problem = problem(seed);
        for until in [60.0, 120.0, 400.0] {
            let expected = full_width(&problem, depth, &Init::Identity { scale: 1e-3 }, until);
            for tolerance in [3e-2, 1e-2, 1e-3] {
                let done = RankAdaptive::new(depth, 1e-3, tolerance)
                    .unwrap()
                    .fit(&problem, |flow| flow.until(until), |trainer| trainer)
                    .unwrap();
                let gap = done.model.product().minus(&expected).frobenius();
                let relative = gap / expected.frobenius().max(10.0);
                assert!((done.time - until).abs() < 1e-9 * until);
                assert!(relative < tolerance, "depth {depth}, {until}, {tolerance}: {relative}");
            }
        }
    }
}

#[test]
fn an_orthogonal_start_is_followed_too() {
    let problem = problem(2);
    // The isometries as they are drawn from seed 9, as a network of full width.
    let left = random_orthogonal(SHAPE.0, 30, &mut stream(9, Purpose::Init, 1));
    let right = random_orthogonal(30, SHAPE.1, &mut stream(9, Purpose::Init, 0));
    let start = Svd { u: left, s: vec![1e-3; 30], v: right.t().to_mat() };
    for depth in [2, 3] {
        let mut wide = DeepLinear::balanced(&start, depth).unwrap();
        let flow = Flow::new(1e-7).unwrap().until(300.0).unwrap();
        Trainer::new(flow).fit(&problem, &mut wide).unwrap();
        let narrow = RankAdaptive::new(depth, 1e-3, 1e-2)
            .unwrap()
            .start(FullStart::Orthogonal(9))
            .fit(&problem, |flow| flow.until(300.0), |trainer| trainer)
            .unwrap();
        let gap = narrow.model.product().minus(&wide.product()).frobenius();
        assert!(gap < 1e-2 * wide.product().frobenius(), "depth {depth}: {gap}");
    }
}

#[test]
fn it_is_narrow_where_depth_keeps_the_rest_small() {
    let problem = problem(1);
    let fit = |depth| {
        RankAdaptive::new(depth, 1e-4, 1e-2)
            .unwrap()
            .fit(&problem, Ok, |trainer| trainer.stop(Stop::new().loss_below(1e-5)))
            .unwrap()
    };
    let (shallow, deep) = (fit(2), fit(4));
    let width = |done: &deepmf::train::rank_adaptive::Adapted| done.model.widths()[1];
    assert!(width(&deep) < width(&shallow), "{} {}", width(&deep), width(&shallow));
    assert!(deep.run.trajectory.rows().windows(2).all(|pair| pair[0][0] < pair[1][0]));
    assert!(deep.evaluations > 0 && deep.left_out >= 0.0);
}

#[test]
fn the_best_iterate_of_all_phases_is_kept() {
    let truth = data::low_rank(SHAPE, 2, 3).unwrap();
    let noisy = Mat::from_fn(SHAPE.0, SHAPE.1, |i, j| {
        truth[(i, j)] + 0.8 * f64::from(u8::from((i * 7 + j * 13) % 5 == 0))
    });
    let seen = data::observe(&noisy, &data::random_cells(SHAPE, 500, 3).unwrap()).unwrap();
    let (train, held) = data::split(&seen, 0.2, 3).unwrap();
    let problem = Problem::completion(&train).unwrap();
    let validation = Problem::completion(&held).unwrap();
    let done = RankAdaptive::new(2, 1e-3, 3e-2)
        .unwrap()
        .fit(&problem, Ok, |trainer| {
            trainer
                .validation(Validation::new(validation.clone()).every(1).patience(40))
                .record(Probe::EffectiveRank)
                .every(1)
                .stop(Stop::new().steps(400))
        })
        .unwrap();
    let (_, best) = done.run.best.unwrap();
    let product = done.model.forward(&mut Pass::default()).to_dense();
    let value = validation.value(
        &deepmf::product::Product::Dense(product.view()),
        &mut deepmf::problem::Evaluation::default(),
    );
    assert!((value - best).abs() < 1e-9 * best, "{value} {best}");
}

#[test]
fn settings_out_of_range_are_refused() {
    assert!(RankAdaptive::new(1, 1e-3, 1e-2).is_err());
    assert!(RankAdaptive::new(2, 0.0, 1e-2).is_err());
    assert!(RankAdaptive::new(2, 1e-3, f64::NAN).is_err());
}
