//! Closed-form motion under a constant force against layers that feel this force.

use deepmf::analysis::theory::{blow_up_time, constant_force};
use deepmf::linalg::{Mat, singular_values, svd};

use crate::layers::Layers;

#[test]
fn a_singular_value_of_layers_moves_in_the_closed_form() {
    let (start, force) = (0.05, 0.8);
    for widths in [vec![4, 3], vec![4, 5, 3], vec![4, 5, 4, 3], vec![4, 3, 5, 6, 3]] {
        let depth = (widths.len() - 1) as f64;
        let mut layers = Layers::balanced(&widths, &[start], 2);
        let basis = svd(layers.product().view()).unwrap();
        let pull = Mat::from_fn(3, 4, |i, j| -force * basis.u[(i, 0)] * basis.v[(j, 0)]);
        let end = match blow_up_time(depth, start, force).unwrap() {
            Some(time) => 0.9 * time,
            None => 2.0,
        };
        for step in 1..=2000 {
            layers = layers.step(&|_| pull.clone(), end / 2000.0);
            if step % 400 == 0 {
                let expected =
                    constant_force(depth, start, force, end * f64::from(step) / 2000.0).unwrap();
                let found = singular_values(layers.product().view()).unwrap();
                let gap = (found[0] / expected - 1.0).abs();
                assert!(gap < 1e-8, "{widths:?}, step {step}: {gap}");
                assert!(found[1] < 1e-13, "{widths:?}: only one value moves");
            }
        }
    }
}

#[test]
fn small_euler_steps_of_the_law_come_near_the_closed_form() {
    let (start, force, time) = (0.1, 0.5, 1.0);
    for depth in [1.0, 1.5, 2.0, 3.0, 4.0] {
        let mut s: f64 = start;
        for _ in 0..100_000 {
            s += 1e-5 * depth * force * s.powf(2.0 - 2.0 / depth);
        }
        let expected = constant_force(depth, start, force, time).unwrap();
        assert!((s / expected - 1.0).abs() < 4e-5, "depth {depth}: {s} {expected}");
    }
}
