//! Laws that every observation, loss, model and optimizer obeys, each held over one table of cases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::sync::Arc;

use deepmf::analysis::GaussNewton;
use deepmf::data::Entries;
use deepmf::linalg::{Mat, axpy, dot};
use deepmf::model::{Compressed, DeepLinear, Init, Model, Params, Pass, Residual, Smooth};
use deepmf::problem::{
    Absolute, Axis, Constant, Differences, Evaluation, Full, Huber, Loss, Mask, Observation,
    Problem, RootMeanSquare, Sensing, Squared, Term,
};
use deepmf::product::{Cotangent, Outer, Product};
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::train::optimizer::{
    Adam, GradientDescent, GroupRmsProp, LabelNoise, LevenbergMarquardt, Momentum, NoiseLaw,
    Penalized, RmsProp, Rprop, SharpnessAware, TraceRegularized,
};
use deepmf::train::{
    Event, Flow, Optimizer, Probe, Room, Schedule, Stop, StopReason, Trainer, Validation,
};

fn gaussian(rows: usize, cols: usize, seed: u64) -> Mat {
    let mut random = stream(seed, Purpose::Noise, (rows * 1000 + cols) as u64);
    Mat::from_fn(rows, cols, |_, _| normal(&mut random))
}

fn some_entries(shape: (usize, usize), share: f64, seed: u64) -> Entries {
    let mut random = stream(seed, Purpose::Observation, 0);
    let hidden = Mat::from_fn(shape.0, shape.1, |_, _| {
        let value = normal(&mut random);
        if random.random_bool(share) { value } else { f64::NAN }
    });
    Entries::from_dense(&hidden).unwrap()
}

fn observations(shape: (usize, usize)) -> Vec<Arc<dyn Observation>> {
    vec![
        Arc::new(Full::new(shape)),
        Arc::new(Mask::sparse(&some_entries(shape, 0.4, 1))),
        Arc::new(Mask::dense(&some_entries(shape, 0.4, 1))),
        Arc::new(Mask::new(&some_entries(shape, 0.1, 2))),
        Arc::new(Sensing::gaussian(shape, 11, 3).unwrap()),
        Arc::new(Differences::new(shape, Axis::Rows, 1, 0).unwrap()),
        Arc::new(Differences::new(shape, Axis::Cols, 2.min(shape.1 - 1), 0).unwrap()),
    ]
}

fn losses(count: usize) -> Vec<Arc<dyn Loss>> {
    let weights: Vec<f64> = (0..count).map(|i| 0.5 + (i % 3) as f64).collect();
    let mut all: Vec<Arc<dyn Loss>> = Vec::new();
    for constant in [Constant::Sum, Constant::HalfSum, Constant::Mean, Constant::HalfMean] {
        all.push(Arc::new(Squared { constant, weights: None }));
        all.push(Arc::new(Squared { constant, weights: Some(weights.clone()) }));
        all.push(Arc::new(Huber::new(0.7, constant).unwrap()));
        all.push(Arc::new(Huber::new(0.7, constant).unwrap().weighted(Some(weights.clone()))));
        all.push(Arc::new(Absolute { constant, weights: None }));
        all.push(Arc::new(Absolute { constant, weights: Some(weights.clone()) }));
    }
    all.push(Arc::new(RootMeanSquare));
    all
}

/// A model that the laws are held of.
trait Case: Smooth {
    fn copy(&self) -> Box<dyn Case>;

    fn name(&self) -> String;

    fn product(&self) -> Mat {
        self.forward(&mut Pass::default()).to_dense()
    }
}

impl Case for DeepLinear {
    fn copy(&self) -> Box<dyn Case> {
        Box::new(self.clone())
    }

    fn name(&self) -> String {
        format!("deep linear {:?}", self.widths())
    }
}

impl Case for Residual {
    fn copy(&self) -> Box<dyn Case> {
        Box::new(self.clone())
    }

    fn name(&self) -> String {
        format!("residual {:?}", self.widths())
    }
}

/// Every model, residual networks away from their start.
fn models() -> Vec<Box<dyn Case>> {
    let residual = |widths: &[usize]| {
        let mut model = Residual::new(widths).unwrap();
        let along = direction(&model, 6);
        axpy(0.3, along.values(), model.params_mut().values_mut());
        Box::new(model) as Box<dyn Case>
    };
    let residuals = [residual(&[5, 7]), residual(&[8, 6, 7, 5]), residual(&[5, 5, 5, 5, 5])];
    let deep = networks().into_iter().map(|model| Box::new(model) as Box<dyn Case>);
    deep.chain(residuals).collect()
}

/// Depths 1 to 5, wide and tall, narrow and wide hidden layers, so that the cut falls on either side.
fn networks() -> Vec<DeepLinear> {
    let widths: [&[usize]; 9] = [
        &[5, 7],
        &[7, 5],
        &[6, 4, 8],
        &[8, 9, 6],
        &[5, 6, 7, 8],
        &[8, 3, 7, 5],
        &[6, 6, 6, 6, 6],
        &[9, 4, 5, 6, 4],
        &[4, 7, 3, 5, 6, 9],
    ];
    let scale = 1.0;
    let gaussian = |widths: &&[usize]| {
        DeepLinear::new(widths).unwrap().init(&Init::Gaussian { scale }, 5).unwrap()
    };
    widths.iter().map(gaussian).chain([compressed()]).collect()
}

/// A compressed network of depth 2 + 2 at its start.
fn compressed() -> DeepLinear {
    let wide = DeepLinear::with_width((7, 7), 2, 7).unwrap();
    let wide = wide.init(&Init::Orthogonal { scale: 1.0 }, 5).unwrap();
    let problem = Problem::completion(&some_entries((7, 7), 0.5, 3)).unwrap();
    Compressed::new(&wide, &problem, 2).unwrap().model
}

fn direction(model: &dyn Model, seed: u64) -> Params {
    let mut params = model.params().zeros_like();
    let mut random = stream(seed, Purpose::Noise, 9);
    params.values_mut().iter_mut().for_each(|x| *x = normal(&mut random));
    params
}

fn moved(model: &dyn Case, along: &Params, by: f64) -> Box<dyn Case> {
    let mut model = model.copy();
    axpy(by, along.values(), model.params_mut().values_mut());
    model
}

/// Problems on a shape: every observation with a squared loss, a Huber loss, and a sum of two terms.
fn problems(shape: (usize, usize)) -> Vec<Problem> {
    let squared = |constant| Arc::new(Squared { constant, weights: None });
    let mut all = Vec::new();
    for observation in observations(shape) {
        let targets = gaussian(observation.len(), 1, 8).values().to_vec();
        all.push(Problem::single(observation, targets, squared(Constant::Mean)).unwrap());
    }
    let [full, mask] = [0, 1].map(|place| observations(shape)[place].clone());
    let terms = vec![
        Term {
            targets: gaussian(full.len(), 1, 4).values().to_vec(),
            observation: full,
            loss: squared(Constant::HalfSum),
            weight: 0.3,
        },
        Term {
            targets: gaussian(mask.len(), 1, 5).values().to_vec(),
            observation: mask,
            loss: Arc::new(Huber::new(1.0, Constant::Mean).unwrap()),
            weight: 2.0,
        },
    ];
    all.push(Problem::sum(terms).unwrap());
    all
}

fn loss_at(problem: &Problem, model: &dyn Model) -> f64 {
    problem.value(&model.forward(&mut Pass::default()), &mut Evaluation::default())
}

fn gradient_at(problem: &Problem, model: &dyn Model) -> (f64, Params) {
    let mut room = Room::new(model);
    room.evaluate(problem, model);
    (room.loss, room.gradient)
}

#[test]
fn the_adjoint_of_every_observation_is_its_transpose() {
    for shape in [(7, 5), (4, 9)] {
        for observation in observations(shape) {
            let w = gaussian(shape.0, shape.1, 1);
            let y = gaussian(observation.len(), 1, 2);
            let mut seen = vec![0.0; observation.len()];
            observation.apply(&Product::Dense(w.view()), &mut Mat::default(), &mut seen);
            let mut back = Cotangent::default();
            back.clear(shape);
            observation.adjoint(y.values(), &mut back);
            let (left, right) = (dot(&seen, y.values()), back.inner(&Product::Dense(w.view())));
            assert!((left - right).abs() < 1e-12, "{observation:?}: {left} {right}");
        }
    }
}

#[test]
fn cells_are_where_the_measurements_are() {
    for shape in [(7, 5), (4, 9)] {
        let w = gaussian(shape.0, shape.1, 1);
        let with_cells =
            observations(shape).into_iter().filter_map(|o| o.cells().map(|cells| (o, cells)));
        let mut held = 0;
        for (observation, cells) in with_cells {
            let mut seen = vec![0.0; observation.len()];
            observation.apply(&Product::Dense(w.view()), &mut Mat::default(), &mut seen);
            let expected: Vec<f64> =
                cells.iter().map(|&(i, j)| w[(i as usize, j as usize)]).collect();
            assert_eq!(seen, expected, "{observation:?}");
            held += 1;
        }
        assert_eq!(held, 4);
    }
}

#[test]
fn thin_factors_are_seen_as_their_product() {
    let (left, right) = (gaussian(3, 7, 1), gaussian(3, 5, 2));
    let (left2, right2) = (gaussian(2, 7, 3), gaussian(2, 5, 4));
    let one = Outer { left: left.view(), right: right.view() };
    let two = Outer { left: left2.view(), right: right2.view() };
    let dense_one = left.t().times(right.view());
    let mut dense_both = left2.t().times(right2.view());
    axpy(1.0, dense_one.values(), dense_both.values_mut());
    for (thin, dense) in [
        (Product::Outer(one), &dense_one),
        (Product::Channels(vec![one, two]), &dense_both),
        (Product::Dense(dense_one.view()), &dense_one),
    ] {
        assert!(thin.to_dense().minus(dense).max_abs() < 1e-14);
        for observation in observations((7, 5)) {
            let see = |product: &Product<'_>| {
                let mut seen = vec![0.0; observation.len()];
                observation.apply(product, &mut Mat::default(), &mut seen);
                seen
            };
            let (a, b) = (see(&thin), see(&Product::Dense(dense.view())));
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-13), "{observation:?}");
        }
    }
}

#[test]
fn the_parts_of_a_cotangent_add_up() {
    let entries = some_entries((6, 4), 0.5, 3);
    let (sparse, dense) = (Mask::sparse(&entries), Mask::dense(&entries));
    let mut cotangent = Cotangent::default();
    // Twice, so that storage kept from one use to the next is held too.
    for _ in 0..2 {
        cotangent.clear((6, 4));
        sparse.adjoint(&sparse.order(entries.values()), &mut cotangent);
        dense.adjoint(&dense.order(entries.values()), &mut cotangent);
        cotangent.add_low_rank(gaussian(2, 6, 1), gaussian(2, 4, 2));
        let g = cotangent.to_dense();
        let (l, r) = (gaussian(3, 6, 3), gaussian(3, 4, 4));
        let (mut left, mut right) = (Mat::default(), Mat::default());
        cotangent.left_product(l.view(), &mut left);
        cotangent.right_product(r.view(), &mut right);
        assert!(left.minus(&l.times(&g)).max_abs() < 1e-13);
        assert!(right.minus(&r.view().times(g.t())).max_abs() < 1e-13);
    }
}

#[test]
fn slope_and_curvature_of_every_loss_are_its_derivatives() {
    let count = 9;
    let (seen, targets) = (gaussian(count, 1, 1), gaussian(count, 1, 2));
    for loss in losses(count) {
        let value = |i: usize, by: f64| {
            let mut seen = seen.values().to_vec();
            seen[i] += by;
            (loss.value_and_slope(&mut seen, targets.values()), seen[i])
        };
        let mut curvature = vec![0.0; count];
        loss.curvature(seen.values(), targets.values(), &mut curvature);
        for (i, curvature) in curvature.iter().enumerate() {
            let h = 1e-6;
            let ((up, slope_up), (down, slope_down)) = (value(i, h), value(i, -h));
            assert!(((up - down) / (2.0 * h) - value(i, 0.0).1).abs() < 1e-7, "{loss:?}");
            assert!(((slope_up - slope_down) / (2.0 * h) - curvature).abs() < 1e-6, "{loss:?}");
        }
    }
}

#[test]
fn the_pullback_is_the_transpose_of_the_pushforward() {
    for model in models() {
        let (rows, cols) = model.shape();
        let along = direction(&*model, 3);
        let pushed = model.pushforward(&along, &mut Pass::default()).to_dense();
        for (place, observation) in observations((rows, cols)).into_iter().enumerate() {
            let mut g = Cotangent::default();
            g.clear((rows, cols));
            observation.adjoint(gaussian(observation.len(), 1, 7).values(), &mut g);
            let (mut pass, mut pulled) = (Pass::default(), model.params().zeros_like());
            model.forward(&mut pass);
            model.pullback(&g, &mut pass, &mut pulled);
            let left = dot(pulled.values(), along.values());
            let right = g.inner(&Product::Dense(pushed.view()));
            assert!((left - right).abs() < 1e-11, "{} {place}: {left} {right}", model.name());
        }
    }
}

#[test]
fn the_pushforward_is_the_derivative_of_the_product() {
    for model in models() {
        let along = direction(&*model, 3);
        let h = 1e-6;
        let quotient = moved(&*model, &along, h)
            .product()
            .minus(&moved(&*model, &along, -h).product())
            .scaled(0.5 / h);
        let pushed = model.pushforward(&along, &mut Pass::default()).to_dense();
        assert!(quotient.minus(&pushed).max_abs() < 1e-7, "{}", model.name());
    }
}

#[test]
fn the_pullback_along_a_direction_is_the_derivative_of_the_pullback() {
    for model in models() {
        let (rows, cols) = model.shape();
        let along = direction(&*model, 3);
        for observation in observations((rows, cols)) {
            let mut g = Cotangent::default();
            g.clear((rows, cols));
            observation.adjoint(gaussian(observation.len(), 1, 7).values(), &mut g);
            let pulled = |model: &dyn Case| {
                let (mut pass, mut into) = (Pass::default(), model.params().zeros_like());
                model.forward(&mut pass);
                model.pullback(&g, &mut pass, &mut into);
                into
            };
            let mut exact = model.params().zeros_like();
            model.pullback_along(&along, &g, &mut Pass::default(), &mut exact);
            let h = 1e-6;
            let (up, down) =
                (pulled(&*moved(&*model, &along, h)), pulled(&*moved(&*model, &along, -h)));
            for (place, exact) in exact.values().iter().enumerate() {
                let quotient = (up.values()[place] - down.values()[place]) / (2.0 * h);
                assert!((quotient - exact).abs() < 1e-6, "{} {place}", model.name());
            }
        }
    }
}

#[test]
fn the_gradient_of_every_problem_is_that_of_difference_quotients() {
    for model in models() {
        for problem in problems(model.shape()) {
            let (loss, gradient) = gradient_at(&problem, &*model);
            assert!((loss - loss_at(&problem, &*model)).abs() < 1e-14);
            let along = direction(&*model, 4);
            let h = 1e-6;
            let quotient = (loss_at(&problem, &*moved(&*model, &along, h))
                - loss_at(&problem, &*moved(&*model, &along, -h)))
                / (2.0 * h);
            let exact = dot(gradient.values(), along.values());
            assert!((quotient - exact).abs() < 1e-6 * exact.abs().max(1.0), "{}", model.name());
        }
    }
}

#[test]
fn a_sparse_and_a_dense_residual_give_the_same_gradient() {
    let entries = some_entries((9, 8), 0.4, 6);
    for depth in 1..=4 {
        let model = DeepLinear::with_width((9, 8), depth, 7).unwrap();
        let model = model.init(&Init::Gaussian { scale: 0.5 }, 1).unwrap();
        let problem = |mask: Mask| {
            let targets = mask.order(entries.values());
            let loss = Squared { constant: Constant::Mean, weights: None };
            Problem::single(Arc::new(mask), targets, Arc::new(loss)).unwrap()
        };
        let sparse = gradient_at(&problem(Mask::sparse(&entries)), &model);
        let dense = gradient_at(&problem(Mask::dense(&entries)), &model);
        assert!((sparse.0 - dense.0).abs() < 1e-14);
        let gap = sparse.1.values().iter().zip(dense.1.values());
        assert!(gap.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-13);
    }
}

#[test]
fn permuting_the_rows_permutes_the_gradient() {
    let entries = some_entries((6, 5), 0.5, 2);
    let model = networks().into_iter().find(|m| m.shape() == (6, 8)).unwrap();
    let entries = {
        let (rows, cols) = (entries.rows().to_vec(), entries.cols().to_vec());
        Entries::new((6, 8), rows, cols, entries.values().to_vec()).unwrap()
    };
    let turn = |i: usize| (i + 2) % 6;
    let turned_entries = {
        let rows = entries.rows().iter().map(|&i| turn(i as usize) as u32).collect();
        Entries::new((6, 8), rows, entries.cols().to_vec(), entries.values().to_vec()).unwrap()
    };
    let last = model.depth() - 1;
    let mut turned = model.clone();
    let w = model.layer(last).to_mat();
    let turned_w = Mat::from_fn(w.rows(), w.cols(), |i, j| w[((i + 4) % 6, j)]);
    turned.params_mut().set(last, &turned_w).unwrap();
    let (a, ga) = gradient_at(&Problem::completion(&entries).unwrap(), &model);
    let (b, gb) = gradient_at(&Problem::completion(&turned_entries).unwrap(), &turned);
    assert!((a - b).abs() < 1e-15);
    let (ga, gb) = (ga.matrix(last), gb.matrix(last));
    for i in 0..6 {
        for j in 0..w.cols() {
            assert!((ga.at(i, j) - gb.at(turn(i), j)).abs() < 1e-14);
        }
    }
}

#[test]
fn every_initialisation_has_its_scale_and_balanced_ones_are_balanced() {
    let scale = 0.02;
    let shape = (40, 40);
    for (init, exact) in [
        (Init::Gaussian { scale }, false),
        (Init::Uniform { scale }, false),
        (Init::Identity { scale }, true),
        (Init::Orthogonal { scale }, true),
        (Init::Balanced { scale }, true),
        (Init::Spectral { scale, surrogate: gaussian(40, 40, 1) }, true),
    ] {
        for depth in 1..=4 {
            let model = DeepLinear::with_width(shape, depth, 40).unwrap().init(&init, 3).unwrap();
            let found = model.product().frobenius() / 40.0_f64.sqrt();
            let tolerance = if exact { 1e-12 } else { 0.1 };
            assert!((found / scale - 1.0).abs() < tolerance, "{init:?} depth {depth}: {found}");
            if exact {
                let gaps = deepmf::analysis::balancedness_gap(&model.layers()).unwrap();
                assert!(gaps.iter().all(|gap| *gap < 1e-12), "{init:?} depth {depth}");
            }
        }
    }
    let target = gaussian(7, 5, 2);
    let model = DeepLinear::new(&[5, 6, 9, 7]).unwrap();
    let model = model.init(&Init::BalancedFrom { matrix: target.clone() }, 0).unwrap();
    assert!(model.product().minus(&target).max_abs() < 1e-13);
}

#[test]
fn the_gauss_newton_operator_is_symmetric_and_the_hessian_where_nothing_is_left() {
    for model in models() {
        let shape = model.shape();
        let w = model.product();
        for observation in observations(shape) {
            let mut targets = vec![0.0; observation.len()];
            observation.apply(&Product::Dense(w.view()), &mut Mat::default(), &mut targets);
            let loss = Arc::new(Squared { constant: Constant::HalfSum, weights: None });
            let problem = Problem::single(observation, targets, loss).unwrap();
            let mut operator = GaussNewton::default();
            operator.prepare(&problem, &*model);
            let mut product = |along: &Params| {
                let mut out = along.zeros_like();
                operator.multiply(&problem, &*model, along, &mut out);
                out
            };
            let (u, v) = (direction(&*model, 1), direction(&*model, 2));
            let (gu, gv) = (product(&u), product(&v));
            let (left, right) = (dot(u.values(), gv.values()), dot(v.values(), gu.values()));
            assert!((left - right).abs() < 1e-10 * left.abs().max(1.0), "{left} {right}");
            let h = 1e-6;
            let (_, ahead) = gradient_at(&problem, &*moved(&*model, &v, h));
            let (_, behind) = gradient_at(&problem, &*moved(&*model, &v, -h));
            let scale = gv.values().iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            for ((a, b), g) in ahead.values().iter().zip(behind.values()).zip(gv.values()) {
                assert!(((a - b) / (2.0 * h) - g).abs() < 1e-5 * scale);
            }
        }
    }
}

fn optimizers() -> Vec<fn() -> Box<dyn Optimizer>> {
    vec![
        || Box::new(GradientDescent::new(0.1).unwrap().schedule(Schedule::Warmup { steps: 20 })),
        || {
            let descent = GradientDescent::new(0.1).unwrap().decay(1e-3).unwrap();
            Box::new(descent.outer(0.5).unwrap())
        },
        || Box::new(Momentum::new(0.02, 0.9).unwrap()),
        || Box::new(Momentum::new(0.02, 0.9).unwrap().nesterov(true)),
        || Box::new(GroupRmsProp::new(1e-2).unwrap()),
        || Box::new(RmsProp::new(1e-3).unwrap()),
        || Box::new(Rprop::new(1e-3).unwrap()),
        || {
            let rprop = Rprop::new(1e-3).unwrap();
            Box::new(Penalized::new(rprop, vec![1e-4, 0.0, 1e-4]).unwrap())
        },
        || Box::new(Adam::new(1e-2).unwrap()),
        || Box::new(Adam::new(1e-2).unwrap().amsgrad(true)),
        || Box::new(LevenbergMarquardt::new(0.1).unwrap()),
        || Box::new(Flow::new(1e-5).unwrap().event(Event::Loss(1e-3))),
        || {
            let adam = Adam::new(1e-2).unwrap();
            Box::new(SharpnessAware::new(adam, 0.05).unwrap())
        },
        || {
            let descent = GradientDescent::new(0.1).unwrap();
            let regularized = TraceRegularized::new(descent, 1e-4).unwrap();
            Box::new(regularized.schedule(Schedule::Cosine { steps: 100, last: 0.0 }))
        },
        || {
            // Resumed at step 50 amid the noise.
            let noisy = LabelNoise::new(0.05, 0.1, 20, 3).unwrap().steps(40);
            let noisy = noisy.law(NoiseLaw::Gaussian).fit(0.1, 30, 0.0).unwrap();
            Box::new(noisy.clean(0.1, 1_000).unwrap())
        },
    ]
}

fn small_problem() -> (Problem, Validation, DeepLinear) {
    let truth = gaussian(12, 2, 1).times(&gaussian(2, 10, 2));
    let all = Entries::from_dense(&truth).unwrap();
    let (seen, held): (Vec<usize>, Vec<usize>) = (0..all.len()).partition(|e| e % 3 != 0);
    let problem = Problem::completion(&all.take(&seen)).unwrap().truth(&truth).unwrap();
    let validation = Validation::new(Problem::completion(&all.take(&held)).unwrap());
    let model = DeepLinear::with_width((12, 10), 3, 10).unwrap();
    (problem, validation, model.init(&Init::Gaussian { scale: 0.1 }, 1).unwrap())
}

#[test]
fn every_optimizer_lowers_the_loss() {
    for make in optimizers() {
        let (problem, _, mut model) = small_problem();
        let before = loss_at(&problem, &model);
        Trainer::boxed(make()).stop(Stop::new().steps(400)).fit(&problem, &mut model).unwrap();
        assert!(loss_at(&problem, &model) < 0.5 * before);
    }
}

#[test]
fn a_run_that_is_resumed_gives_the_same_bits_as_one_that_was_not() {
    for make in optimizers() {
        let (problem, validation, start) = small_problem();
        let train = |steps, folder: Option<&std::path::Path>| {
            let mut model = start.clone();
            let mut trainer = Trainer::boxed(make())
                .stop(Stop::new().steps(steps).settled(1e-9, 30))
                .validation(validation.clone())
                .record(Probe::TestError)
                .record(Probe::EffectiveRank)
                .record(Probe::Distance)
                .every(10);
            if let Some(folder) = folder {
                trainer = trainer.folder(folder).resume(true);
            }
            let run = trainer.fit(&problem, &mut model).unwrap();
            (model.params().values().to_vec(), run.trajectory.csv(), run.best)
        };
        let folder = tempfile::tempdir().unwrap();
        let whole = train(120, None);
        train(50, Some(folder.path()));
        assert_eq!(train(120, Some(folder.path())), whole);
    }
}

#[test]
fn an_interrupted_run_keeps_what_it_reached() {
    let (problem, _, mut model) = small_problem();
    let flag = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let folder = tempfile::tempdir().unwrap();
    let run = Trainer::new(GradientDescent::new(0.1).unwrap())
        .interrupt(flag)
        .folder(folder.path())
        .fit(&problem, &mut model)
        .unwrap();
    assert_eq!(run.reason, StopReason::Interrupted);
    assert!(folder.path().join("checkpoint.safetensors").exists());
}

#[test]
fn the_same_seed_gives_the_same_bits_at_one_and_two_threads() {
    // Large enough that products, inner products and sums are split.
    let shape = (300, 260);
    let entries = some_entries(shape, 0.15, 4);
    let dense = some_entries(shape, 0.6, 4);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            [&entries, &dense].map(|entries| {
                let model = DeepLinear::with_width(shape, 3, 260).unwrap();
                let mut model = model.init(&Init::Gaussian { scale: 0.1 }, 1).unwrap();
                let problem = Problem::completion(entries).unwrap();
                Trainer::new(GroupRmsProp::new(1e-2).unwrap())
                    .stop(Stop::new().steps(5))
                    .fit(&problem, &mut model)
                    .unwrap();
                model.params().values().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            })
        })
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn saved_layers_come_back() {
    let model = networks().remove(5);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut tensors = deepmf::model::Tensors::of(model.params());
    tensors.add_word("depth", "3");
    tensors.save(&path).unwrap();
    let read = deepmf::model::Tensors::load(&path).unwrap();
    assert_eq!(read, tensors);
    assert_eq!(read.word("depth"), Some("3"));
    for (layer, saved) in model.layers().iter().zip(read.layers()) {
        assert_eq!(layer.to_mat(), saved);
    }
}

#[test]
fn the_imbalance_left_by_descent_is_proportional_to_the_rate() {
    // Arora et al. 2019: balancedness is conserved by the flow, so descent to a fixed time leaves O(rate).
    let target = gaussian(4, 4, 3);
    let problem = Problem::full(&target, Constant::HalfSum).unwrap();
    let defect = |rate: f64| {
        let model = DeepLinear::with_width((4, 4), 3, 4).unwrap();
        let mut model = model.init(&Init::Balanced { scale: 0.3 }, 2).unwrap();
        let steps = (4.0 / rate).round() as u64;
        Trainer::new(GradientDescent::new(rate).unwrap())
            .stop(Stop::new().steps(steps))
            .fit(&problem, &mut model)
            .unwrap();
        deepmf::analysis::max_balancedness_gap(&model.layers()).unwrap()
    };
    let [coarse, middle, fine] = [4e-3, 2e-3, 1e-3].map(defect);
    for ratio in [coarse / middle, middle / fine] {
        assert!((ratio - 2.0).abs() < 0.1, "{coarse} {middle} {fine}");
    }
}
