//! The curvature of the saddles that descent passes (Cao et al.), from the derivatives of the model.

use deepmf::data;
use deepmf::linalg::{Mat, Svd, eigen, svd};
use deepmf::model::{DeepLinear, Init, Model, Pass, Smooth};
use deepmf::problem::{Constant, Evaluation, Problem};
use deepmf::product::Cotangent;
use deepmf::train::optimizer::GradientDescent;
use deepmf::train::{Stop, Trainer};

/// The Hessian of ½ ‖W − T‖_F² with respect to the layers: H v = Jᵀ (J v) + (D Jᵀ\[v\]) (W − T).
fn hessian(target: &Mat, model: &DeepLinear) -> Mat {
    let problem = Problem::full(target, Constant::HalfSum).unwrap();
    let (mut pass, mut evaluation) = (Pass::default(), Evaluation::default());
    problem.evaluate(&model.forward(&mut pass), &mut evaluation);
    let size = model.params().values().len();
    let mut hessian = Mat::zeros(size, size);
    for place in 0..size {
        let mut along = model.params().zeros_like();
        along.values_mut()[place] = 1.0;
        let pushed = model.pushforward(&along, &mut Pass::default()).to_dense();
        let mut moved = Cotangent::default();
        moved.clear(model.shape());
        moved.add_dense(|dense| dense.values_mut().copy_from_slice(pushed.values()));
        let mut first = model.params().zeros_like();
        model.forward(&mut pass);
        model.pullback(&moved, &mut pass, &mut first);
        let mut second = model.params().zeros_like();
        model.pullback_along(&along, &evaluation.cotangent, &mut Pass::default(), &mut second);
        let column = hessian.col_mut(place).iter_mut();
        for ((out, a), b) in column.zip(first.values()).zip(second.values()) {
            *out = a + b;
        }
    }
    hessian
}

/// The saddle at which `rank` singular values are learned and the others are `size` in each layer.
fn saddle(svd: &Svd, rank: usize, size: f64, depth: usize) -> DeepLinear {
    let side = svd.s.len();
    let mut at = svd.clone();
    let unused = size.powi(i32::try_from(depth).unwrap());
    at.s.iter_mut().skip(rank).for_each(|s| *s = unused);
    let scaled = Mat::from_fn(side, side, |i, j| at.u[(i, j)] * at.s[j]);
    let matrix = scaled.view().times(at.v.t());
    let model = DeepLinear::with_width((side, side), depth, side).unwrap();
    model.init(&Init::BalancedFrom { matrix }, 0).unwrap()
}

#[test]
fn the_least_curvature_at_a_saddle_is_that_of_the_next_singular_value() {
    let target = data::with_spectrum((5, 5), &[3.0, 2.0, 1.0], false, 2).unwrap();
    let svd = svd(target.view()).unwrap();
    for depth in [2, 3, 4] {
        for rank in 0..3 {
            // Of the unused modes: at depth 2 the exact saddle is strict, deeper ones need some size.
            let size = match depth {
                2 => 1e-4,
                3 => 1e-3,
                _ => 0.03,
            };
            let model = saddle(&svd, rank, size, depth);
            let least = eigen(hessian(&target, &model).view()).unwrap().values[0];
            let n = i32::try_from(depth).unwrap();
            let expected = -f64::from(n - 1) * svd.s[rank] * size.powi(n - 2);
            assert!((least / expected - 1.0).abs() < 0.01, "{depth}, {rank}: {least} {expected}");
        }
    }
}

#[test]
fn the_saddles_of_deep_networks_are_degenerate() {
    let target = data::with_spectrum((4, 4), &[3.0, 2.0], false, 2).unwrap();
    let svd = svd(target.view()).unwrap();
    let curvature = |size| {
        let model = saddle(&svd, 1, size, 3);
        -eigen(hessian(&target, &model).view()).unwrap().values[0]
    };
    assert!(curvature(1e-4) < 1.1e-1 * curvature(1e-3) && curvature(1e-4) > 0.0);
}

#[test]
fn descent_ends_where_no_curvature_is_below_zero() {
    let target = data::with_spectrum((5, 5), &[3.0, 2.0, 1.0], false, 2).unwrap();
    let problem = Problem::full(&target, Constant::HalfSum).unwrap();
    let model = DeepLinear::with_width((5, 5), 3, 5).unwrap();
    let mut model = model.init(&Init::Gaussian { scale: 1e-6 }, 1).unwrap();
    Trainer::new(GradientDescent::new(0.02).unwrap())
        .stop(Stop::new().steps(40_000))
        .fit(&problem, &mut model)
        .unwrap();
    let values = eigen(hessian(&target, &model).view()).unwrap().values;
    assert!(values[0] > -1e-6, "{}", values[0]);
    assert!(model.product().minus(&target).max_abs() < 1e-4);
}
