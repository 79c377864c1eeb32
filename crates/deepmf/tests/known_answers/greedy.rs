//! Greedy low-rank learning against descent from small starts (Li, Luo and Lyu 2021).

use deepmf::data;
use deepmf::linalg::Mat;
use deepmf::model::{DeepLinear, Init};
use deepmf::problem::{Constant, Problem};
use deepmf::train::optimizer::{GradientDescent, Momentum};
use deepmf::train::{Greedy, Grown, Optimizer, Room, Stop, StopReason, Trainer};

const SIDE: usize = 20;

fn truth() -> Mat {
    data::with_spectrum((SIDE, SIDE), &[1.0, 0.6, 0.3], true, 0).unwrap()
}

/// 45 % of the cells, at random.
fn problem(truth: &Mat) -> Problem {
    let cells = data::random_cells((SIDE, SIDE), 180, 0).unwrap();
    let seen = data::observe(truth, &cells).unwrap();
    Problem::completion_with(&seen, Constant::HalfSum).unwrap()
}

fn grow(depth: usize, make: fn() -> Box<dyn Optimizer>) -> Grown {
    let stop = || Stop::new().steps(100_000).gradient_below(1e-9);
    let mut trainer = || Ok(Trainer::boxed(make()).stop(stop()));
    let greedy = Greedy::new(depth).unwrap().scale(if depth == 2 { 1e-6 } else { 1e-2 }).unwrap();
    greedy.fit(&problem(&truth()), &mut trainer).unwrap()
}

#[test]
fn a_matrix_of_rank_three_is_recovered_in_three_phases() {
    let descent: fn() -> Box<dyn Optimizer> = || Box::new(GradientDescent::new(0.2).unwrap());
    let momentum: fn() -> Box<dyn Optimizer> = || Box::new(Momentum::new(0.05, 0.9).unwrap());
    for (depth, make) in [(2, descent), (2, momentum), (3, descent)] {
        let grown = grow(depth, make);
        assert_eq!(grown.phases.len(), 3, "depth {depth}: {:?}", grown.phases);
        assert!(grown.phases.windows(2).all(|pair| pair[1].loss < pair[0].loss));
        assert_eq!(grown.run.reason, StopReason::GradientVanished);
        let error = grown.model.product().minus(&truth()).frobenius() / truth().frobenius();
        assert!(error < 1e-5, "depth {depth}: {error}");
    }
}

#[test]
fn descent_passes_the_first_greedy_point_the_nearer_the_smaller_its_start() {
    let problem = problem(&truth());
    let mut first = || {
        let stop = Stop::new().steps(100_000).gradient_below(1e-9);
        Ok(Trainer::new(GradientDescent::new(0.2)?).stop(stop))
    };
    let greedy = Greedy::new(2).unwrap().ranks(1).fit(&problem, &mut first).unwrap();
    let point = greedy.model.product();
    let nearest = |scale: f64| {
        let model = DeepLinear::with_width((SIDE, SIDE), 2, SIDE).unwrap();
        let mut model = model.init(&Init::Identity { scale }, 0).unwrap();
        let (mut room, mut optimizer) = (Room::new(&model), GradientDescent::new(0.2).unwrap());
        let mut least = f64::INFINITY;
        for _ in 0..1_000 {
            room.evaluate(&problem, &model);
            optimizer.step(&problem, &mut model, &mut room);
            least = least.min(model.product().minus(&point).frobenius() / point.frobenius());
        }
        least
    };
    let [coarse, middle, fine] = [1e-4, 1e-8, 1e-12].map(nearest);
    assert!(fine < middle && middle < coarse, "{coarse} {middle} {fine}");
    assert!(coarse < 1.0);
}
