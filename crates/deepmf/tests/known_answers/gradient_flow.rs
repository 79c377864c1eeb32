//! Gradient flow on layers against the laws of balanced deep linear models (Arora et al. 2018, 2019).

use deepmf::analysis::theory::{
    end_to_end_velocity, singular_value_velocity, singular_vector_velocity,
};
use deepmf::analysis::{balancedness_gap, max_balancedness_gap};
use deepmf::linalg::{Mat, Svd, svd};
use deepmf::random::{Purpose, normal, stream};

use crate::layers::{Gradient, Layers, svd_like};

const STEP: f64 = 5e-3;
const STEPS: usize = 200;

/// A random target with singular values of order 1.
fn target(rows: usize, cols: usize, seed: u64) -> Mat {
    let mut random = stream(seed, Purpose::Truth, 0);
    Mat::from_fn(rows, cols, |_, _| normal(&mut random) / 2.0)
}

/// W − T, the gradient of ½ ‖W − T‖².
fn full(target: Mat) -> impl Fn(&Mat) -> Mat {
    move |w| w.clone().minus(&target)
}

/// The same on two thirds of the cells.
fn masked(target: Mat) -> impl Fn(&Mat) -> Mat {
    move |w| {
        Mat::from_fn(w.rows(), w.cols(), |i, j| {
            if (i + 2 * j) % 3 == 0 { 0.0 } else { w[(i, j)] - target[(i, j)] }
        })
    }
}

/// Depths 1 to 4, wide and tall products, hidden widths above the least dimension.
fn cases() -> Vec<Vec<usize>> {
    vec![
        vec![5, 4],
        vec![4, 5],
        vec![5, 6, 4],
        vec![4, 4, 4],
        vec![5, 6, 7, 4],
        vec![4, 6, 4, 5],
        vec![5, 6, 4, 7, 4],
        vec![4, 5, 5, 6, 5],
    ]
}

/// A loss as its gradient.
type Loss = Box<dyn Fn(&Mat) -> Mat>;

/// Calls `at` every 40 steps of the flow from balanced layers, once for each loss; each step is made in `parts`.
fn along_balanced_flows(
    widths: &[usize],
    s: &[f64],
    parts: u32,
    at: impl Fn(&Layers, Gradient<'_>, &str),
) {
    let (rows, cols) = (widths[widths.len() - 1], widths[0]);
    let losses: [(&str, Loss); 2] = [
        ("full", Box::new(full(target(rows, cols, 3)))),
        ("masked", Box::new(masked(target(rows, cols, 4)))),
    ];
    for (name, gradient) in losses {
        let mut layers = Layers::balanced(widths, s, 7);
        for step in 0..=STEPS {
            if step % 40 == 0 {
                at(&layers, &*gradient, &format!("{widths:?}, {name} loss, step {step}"));
            }
            for _ in 0..parts {
                layers = layers.step(&*gradient, STEP / f64::from(parts));
            }
        }
    }
}

const APART: [f64; 4] = [1.3, 0.8, 0.45, 0.2];

#[test]
fn balanced_layers_stay_balanced() {
    for widths in cases() {
        along_balanced_flows(&widths, &APART, 1, |layers, _, place| {
            let gap = max_balancedness_gap(&layers.views()).unwrap();
            assert!(gap < 1e-7, "{place}: {gap}");
        });
    }
}

#[test]
fn differences_of_grams_are_conserved_from_any_start() {
    for widths in cases() {
        let gradient = masked(target(widths[widths.len() - 1], widths[0], 5));
        let start = Layers::random(&widths, 0.3, 8);
        let end = (0..STEPS).fold(start.clone(), |layers, _| layers.step(&gradient, STEP));
        assert!(end.product().minus(&start.product()).frobenius() > 1e-2, "{widths:?} moved");
        let gram = |layers: &Layers, j: usize| {
            let (upper, lower) = (&layers.0[j + 1], &layers.0[j]);
            upper.t().times(upper.view()).minus(&lower.view().times(lower.t()))
        };
        for j in 0..widths.len() - 2 {
            let drift = gram(&end, j).minus(&gram(&start, j)).frobenius();
            assert!(drift < 1e-7, "{widths:?}, pair {j}: {drift}");
            let gap = balancedness_gap(&end.views()).unwrap()[j];
            assert!((gap - gram(&start, j).frobenius()).abs() < 1e-7, "{widths:?}, pair {j}");
        }
    }
}

fn end_to_end_residual(layers: &Layers, gradient: Gradient<'_>) -> f64 {
    let w = layers.product();
    let svd = svd(w.view()).unwrap();
    let depth = layers.0.len() as f64;
    let found = end_to_end_velocity(&svd, gradient(&w).view(), depth).unwrap();
    found.minus(&layers.product_velocity(gradient)).max_abs()
}

#[test]
fn the_product_moves_as_the_end_to_end_equation_says() {
    for widths in cases() {
        along_balanced_flows(&widths, &APART, 1, |layers, gradient, place| {
            let gap = end_to_end_residual(layers, gradient);
            assert!(gap < 1e-6, "{place}: {gap}");
        });
        // The equation needs balanced layers, and finer steps keep them balanced.
        along_balanced_flows(&widths, &APART, 5, |layers, gradient, place| {
            let gap = end_to_end_residual(layers, gradient);
            assert!(gap < 1e-10, "{place}, in fine steps: {gap}");
        });
    }
}

#[test]
fn the_product_of_low_rank_moves_as_the_end_to_end_equation_says() {
    for widths in cases() {
        along_balanced_flows(&widths, &[0.9, 0.3], 1, |layers, gradient, place| {
            let gap = end_to_end_residual(layers, gradient);
            assert!(gap < 1e-6, "{place}: {gap}");
        });
    }
}

/// Decompositions at −2h, −h, h, 2h along the flow, with the signs of the one at 0.
fn around(layers: &Layers, gradient: Gradient<'_>, at: &Svd, h: f64) -> [Svd; 4] {
    [-2.0, -1.0, 1.0, 2.0].map(|k| svd_like(&layers.step(gradient, k * h).product(), at))
}

/// The largest gap between `found` and the fourth-order central difference of `part`.
fn worst(around: &[Svd; 4], part: impl Fn(&Svd) -> &[f64], h: f64, found: &[f64]) -> f64 {
    let [a, b, c, d] = around.each_ref().map(part);
    assert_eq!(found.len(), a.len());
    (0..found.len()).fold(0.0, |m: f64, i| {
        let slope = (8.0 * (c[i] - b[i]) - (d[i] - a[i])) / (12.0 * h);
        m.max((slope - found[i]).abs())
    })
}

#[test]
fn singular_values_and_vectors_move_as_the_theorem_says() {
    // Fine steps, since the laws need balanced layers.
    let h = 5e-5;
    for widths in cases() {
        let depth = (widths.len() - 1) as f64;
        along_balanced_flows(&widths, &APART, 5, |layers, gradient, place| {
            let w = layers.product();
            let at = svd(w.view()).unwrap();
            let g = gradient(&w);
            let around = around(layers, gradient, &at, h);
            let values = singular_value_velocity(&at, g.view(), depth).unwrap();
            let gap = worst(&around, |x| &x.s, h, &values);
            assert!(gap < 1e-8, "{place}, singular values: {gap}");
            let (du, dv) = singular_vector_velocity(&at, g.view(), depth).unwrap();
            let gap = worst(&around, |x| x.u.values(), h, du.values());
            assert!(gap < 1e-8, "{place}, left vectors: {gap}");
            let gap = worst(&around, |x| x.v.values(), h, dv.values());
            assert!(gap < 1e-8, "{place}, right vectors: {gap}");
        });
    }
}
