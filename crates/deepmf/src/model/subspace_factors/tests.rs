//! Gradients, penalties by hand, and what is refused.

use super::*;
use crate::linalg::{dot, svd};
use crate::problem::{Constant, Evaluation, Problem};
use crate::random::{Purpose, normal, stream};

const HIDDEN: usize = 7;
const MODES: [Mode; 3] =
    [Mode::Inference, Mode::Training { seed: 0, step: 3 }, Mode::Training { seed: 0, step: 40 }];

fn random(rows: usize, cols: usize, seed: u64) -> Mat {
    let mut draws = stream(seed, Purpose::Truth, 0);
    Mat::from_fn(rows, cols, |_, _| normal(&mut draws))
}

fn settings() -> (Svd, [FactorVariation; 2], Continuation) {
    let parts = svd(random(20, 35, 1).view()).unwrap().first(5);
    let variations = [
        FactorVariation {
            along: 0.3,
            across: 1.0,
            non_negative: 10.0,
            size: 7.0,
            blunt: 2.0,
            ..FactorVariation::default()
        },
        FactorVariation {
            along: 4.0,
            across: 0.7,
            non_negative: 5.0,
            dark: 0.3,
            blunt: 3.0,
            sharp: true,
            ..FactorVariation::default()
        },
    ];
    let continuation = Continuation { steps: 9, width: (0.1, 1e-3), power: (1.0, 0.25) };
    (parts, variations, continuation)
}

fn model<T: Precision>() -> SubspaceFactors<T> {
    let (parts, variations, continuation) = settings();
    let mut model = SubspaceFactors::new(&parts, HIDDEN, variations, continuation).unwrap();
    model.set(&[random(5, HIDDEN, 2), random(5, HIDDEN, 3)]).unwrap();
    model
}

fn any_light<T: Precision>() -> SubspaceFactors<T> {
    let (parts, variations, continuation) = settings();
    let mut model =
        SubspaceFactors::with_any_light(&parts, HIDDEN, variations, continuation).unwrap();
    model.set(&[random(5, HIDDEN, 2), random(35, HIDDEN, 3)]).unwrap();
    model
}

fn loss<T: Precision>(
    model: &SubspaceFactors<T>,
    mode: Mode,
    into: Option<&mut Params>,
) -> (f64, f64) {
    let mut pass = Pass { mode, ..Pass::default() };
    let mut evaluation = Evaluation::default();
    let (rows, cols) = model.shape();
    let problem = Problem::full(&Mat::zeros(rows, cols), Constant::Mean).unwrap();
    let loss = problem.evaluate(&model.forward(&mut pass), &mut evaluation);
    let penalty = model.penalty(&mut pass);
    if let Some(into) = into {
        model.pullback(&evaluation.cotangent, &mut pass, into);
    }
    (loss, penalty)
}

#[test]
fn the_gradient_agrees_with_difference_quotients_along_the_continuation() {
    let cases = [model::<f64>(), any_light()].into_iter();
    for (mut model, mode) in cases.flat_map(|it| MODES.map(|mode| (it.clone(), mode))) {
        let mut gradient = model.params().zeros_like();
        loss(&model, mode, Some(&mut gradient));
        let along = random(model.params().values().len(), 1, 9);
        let start = model.params().values().to_vec();
        let h = 1e-7;
        let [up, down] = [h, -h].map(|h| {
            let moved: Vec<f64> =
                start.iter().zip(along.values()).map(|(x, a)| x + h * a).collect();
            model.params_mut().values_mut().copy_from_slice(&moved);
            let (loss, penalty) = loss(&model, mode, None);
            loss + penalty
        });
        model.params_mut().values_mut().copy_from_slice(&start);
        let (quotient, exact) = ((up - down) / (2.0 * h), dot(gradient.values(), along.values()));
        assert!((quotient - exact).abs() < 1e-6 * exact.abs(), "{mode:?}: {quotient} {exact}");
    }
}

#[test]
fn single_precision_follows_double_precision() {
    let cases = [(model::<f64>(), model::<f32>()), (any_light(), any_light())].into_iter();
    for (double, single, mode) in
        cases.flat_map(|(a, b)| MODES.map(|mode| (a.clone(), b.clone(), mode)))
    {
        let mut gradients = [double.params().zeros_like(), single.params().zeros_like()];
        let [first, second] = &mut gradients;
        let (a, b) = (loss(&double, mode, Some(first)), loss(&single, mode, Some(second)));
        assert!((a.0 - b.0).abs() < 1e-5 * a.0 && (a.1 - b.1).abs() < 1e-5 * a.1, "{a:?} {b:?}");
        let (first, second) = (first.numbers().to_double(), second.numbers().to_double());
        let off: f64 = first.iter().zip(&second).map(|(a, b)| (a - b).powi(2)).sum();
        assert!(off < 1e-8 * dot(&first, &first), "{off}");
    }
}

#[test]
fn the_penalties_are_those_of_the_factors_that_are_given() {
    for model in [model::<f64>(), any_light()] {
        let size = |x: f64, width: f64| x.hypot(width);
        let by_size = |x: f64, width: f64| size(x, width) - width;
        let by_root = |x: f64, width: f64| size(x, width).sqrt() - width.sqrt();
        let below = |m: &Mat| m.values().iter().map(|x| x.min(0.0).powi(2)).sum::<f64>();
        let (t, l) = (model.transport(), model.light());
        assert_eq!(((t.rows(), t.cols()), (l.rows(), l.cols())), ((20, HIDDEN), (HIDDEN, 35)));
        let rows = |m: &Mat, count: &dyn Fn(f64) -> f64| {
            let (rows, cols) = (m.rows() - 1, m.cols());
            let all = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
            let sum: f64 = all.map(|(i, j)| count(m[(i + 1, j)] - m[(i, j)])).sum();
            sum / (rows * cols) as f64
        };
        let mean = t.values().iter().sum::<f64>() / (20 * HIDDEN) as f64;
        let roots: f64 = l.values().iter().map(|x| by_root(*x, 1e-3)).sum();
        let by_hand = 0.3 * rows(&t, &|x| by_size(x, 1e-3))
            + rows(&t.t().to_mat(), &|x| by_size(x, 2e-3))
            + 10.0 * below(&t) / (20 * HIDDEN) as f64
            + 7.0 * (mean - 1.0).powi(2)
            + 4.0 * rows(&l.t().to_mat(), &|x| by_root(x, 1e-3))
            + 0.7 * rows(&l, &|x| by_root(x, 3e-3))
            + 5.0 * below(&l) / (HIDDEN * 35) as f64
            + 0.3 * roots / (HIDDEN * 35) as f64;
        let (_, penalty) = loss(&model, Mode::Inference, None);
        assert!((penalty - by_hand).abs() < 1e-12 * by_hand, "{penalty} {by_hand}");
    }
}

#[test]
fn any_light_of_which_the_core_gives_the_singular_vectors_is_without_loss() {
    let z = random(20, 35, 1);
    let (parts, ..) = settings();
    // What T does not see of L adds nothing: C meets the rows of Z alone.
    let unseen = {
        let noise = random(3, 35, 8);
        let seen = noise.view().times(parts.v.view());
        noise.minus(&seen.view().times(parts.v.t()))
    };
    let light = Mat::from_fn(HIDDEN, 35, |h, t| match h {
        0..5 => parts.v[(t, h)],
        5 => unseen[(0, t)],
        _ => 0.0,
    });
    let mut model = any_light::<f64>();
    let core = Mat::from_fn(5, HIDDEN, |k, h| f64::from(u8::from(k == h)));
    model.set(&[core, light.t().to_mat()]).unwrap();
    assert!(loss(&model, Mode::Inference, None).0 < 1e-28);
    assert_eq!(model.light(), light);
    let leading = svd(z.view()).unwrap().first(5);
    let leading = Mat::from_fn(20, 35, |i, j| {
        (0..5).map(|k| leading.s[k] * leading.u[(i, k)] * leading.v[(j, k)]).sum()
    });
    assert!(model.transport().times(&model.light()).minus(&leading).max_abs() < 1e-12);
}

#[test]
fn inverse_cores_multiply_to_the_leading_part() {
    let z = random(20, 35, 1);
    let parts = svd(z.view()).unwrap().first(5);
    let leading = Mat::from_fn(20, 35, |i, j| {
        (0..5).map(|k| parts.s[k] * parts.u[(i, k)] * parts.v[(j, k)]).sum()
    });
    let mut model = model::<f64>();
    let place = |k: usize, j: usize, size: f64| if k == j { size } else { 0.0 };
    let [c, b] = [2.0, 0.5].map(|size| Mat::from_fn(5, HIDDEN, |k, j| place(k, j, size)));
    model.set(&[c, b]).unwrap();
    assert!(loss(&model, Mode::Inference, None).0 < 1e-28);
    let product = model.transport().times(&model.light());
    assert!(product.minus(&leading).max_abs() < 1e-12);
}

#[test]
fn what_cannot_be_is_told() {
    let parts = svd(random(20, 35, 1).view()).unwrap().first(5);
    let continuation = Continuation { steps: 9, width: (0.1, 0.0), power: (1.0, 0.0) };
    let told = |parts: &Svd, hidden, weight, continuation| {
        let variations = [FactorVariation { along: weight, ..FactorVariation::default() }; 2];
        SubspaceFactors::<f32>::new(parts, hidden, variations, continuation)
            .unwrap_err()
            .to_string()
    };
    let good = Continuation { width: (0.1, 0.1), ..continuation };
    assert_eq!(
        told(&parts, 7, 0.0, continuation),
        "the widths of a continuation must be above 0, but it is 0.1 and 0"
    );
    assert_eq!(told(&parts, 7, -1.0, good), "along must be 0 or more, but it is -1");
    assert_eq!(
        told(&parts, 1, 0.0, good),
        "the factors must be 2 x 2 or larger, but it is 20 x 1 and 1 x 35"
    );
    assert!(told(&parts.first(0), 7, 0.0, good).starts_with("singular values above 0 must be"));
    let mut model = model::<f32>();
    let error = model.set(&[Mat::zeros(5, 7), Mat::zeros(4, 7)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "both cores must have shape (5, 7) and (5, 7), but it has (5, 7) and (4, 7)"
    );
}
