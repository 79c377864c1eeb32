//! Gradient descent on the compressed model against gradient descent on the wide network (Yaras et al. 2024).

use deepmf::data::{self, Shape};
use deepmf::model::{Compressed, DeepLinear, Init};
use deepmf::problem::{Constant, Problem};
use deepmf::train::optimizer::GradientDescent;
use deepmf::train::{Optimizer, Room};

const RANK: usize = 3;
const STEPS: usize = 3_000;
const SIZE: f64 = 0.1;

fn step(optimizer: &mut GradientDescent, problem: &Problem, model: &mut DeepLinear) {
    let mut room = Room::new(model);
    room.evaluate(problem, model);
    optimizer.step(problem, model, &mut room);
}

/// Trains the wide network and the compressed one side by side and compares them every 100 steps.
fn compare(shape: Shape, depth: u32, decay: f64) {
    let case = format!("{shape:?}, depth {depth}, decay {decay}");
    let side = shape.0.min(shape.1);
    let truth = data::low_rank(shape, RANK, 1).unwrap().scaled(0.1);
    let problem = Problem::full(&truth, Constant::HalfSum).unwrap();
    let wide = DeepLinear::with_width(shape, depth as usize, side).unwrap();
    let scale = SIZE.powf(f64::from(depth));
    let mut wide = wide.init(&Init::Orthogonal { scale }, 2).unwrap();
    let compressed = Compressed::new(&wide, &problem, RANK).unwrap();
    let (mut tail, mut narrow) = (compressed.tail(&wide), compressed.model);
    let rate = 0.05;
    let plain = GradientDescent::new(rate).unwrap().decay(decay).unwrap();
    let mut optimizers = [plain.clone(), plain.outer(0.0).unwrap()];
    let bound = ((side - 2 * RANK) as f64).sqrt() * scale;
    for at in 0..=STEPS {
        if at % 100 == 0 {
            let rest = wide.product().minus(&narrow.product());
            let gap = rest.clone().minus(&tail.product()).frobenius();
            assert!(gap < 1e-10, "{case}, step {at}: {gap}");
            let ratio = rest.frobenius() / bound;
            assert!(ratio <= 1.0 + 1e-10, "{case}, step {at}: {ratio}");
            assert!(at > 0 || (ratio - 1.0).abs() < 1e-10, "{case}: {ratio}");
        }
        step(&mut optimizers[0], &problem, &mut wide);
        step(&mut optimizers[1], &problem, &mut narrow);
        tail.step(rate, decay, 1.0);
    }
    let left = wide.product().minus(&truth).frobenius() / truth.frobenius();
    assert!(left < 0.1, "{case}: the network has learned, {left} is left");
}

#[test]
fn the_wide_network_stays_the_compressed_one_and_its_tail() {
    for depth in 2..=4 {
        for decay in [0.0, 1e-3] {
            compare((24, 24), depth, decay);
        }
    }
}

#[test]
fn so_does_one_for_a_matrix_that_is_not_square() {
    for shape in [(20, 28), (28, 20)] {
        for depth in 1..=4 {
            compare(shape, depth, 1e-3);
        }
    }
}
