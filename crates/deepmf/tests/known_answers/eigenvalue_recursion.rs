//! Descent on matrices from α I against the scalar recursion (Chou et al. 2020; Wang and Chou 2026).

use deepmf::analysis::theory::{eigenvalue_step, hitting_time, low_rank_interval};
use deepmf::data;
use deepmf::linalg::{Mat, eigen, singular_values};
use deepmf::model::{DeepLinear, Init};
use deepmf::problem::{Constant, Problem};
use deepmf::train::optimizer::GradientDescent;
use deepmf::train::{Probe, Run, Stop, Trainer};

const RATE: f64 = 1e-3;
const START: f64 = 0.05;

fn descend(target: &Mat, depth: usize, steps: u64, every: u64) -> (DeepLinear, Run) {
    let shape = (target.rows(), target.cols());
    let model = DeepLinear::with_width(shape, depth, shape.0).unwrap();
    let scale = START.powi(i32::try_from(depth).unwrap());
    let mut model = model.init(&Init::Identity { scale }, 0).unwrap();
    let problem = Problem::full(target, Constant::HalfSum).unwrap();
    let run = Trainer::new(GradientDescent::new(RATE).unwrap())
        .stop(Stop::new().steps(steps))
        .record(Probe::SingularValues(5))
        .every(every)
        .fit(&problem, &mut model)
        .unwrap();
    (model, run)
}

/// The largest gap between the eigenvalues of the network and the recursion after so many steps.
fn gap(spectrum: &[f64], depth: i32, steps: u64) -> f64 {
    let side = spectrum.len();
    let target = data::with_spectrum((side, side), spectrum, true, 3).unwrap();
    let targets = eigen(target.view()).unwrap().values;
    let (model, _) = descend(&target, depth as usize, steps, 1_000_000);
    let found = eigen(model.product().view()).unwrap().values;
    let mut expected: Vec<f64> = targets
        .iter()
        .map(|target| {
            let step = |d, _| eigenvalue_step(d, depth, RATE, *target);
            (0..steps).fold(START, step).powi(depth)
        })
        .collect();
    expected.sort_by(f64::total_cmp);
    found.iter().zip(expected).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()))
}

#[test]
fn every_eigenvalue_of_the_network_follows_the_recursion() {
    let spectrum = [10.0, 9.5, 9.0, 3.0, 2.9, 0.5, 0.4, 0.3];
    for depth in [2, 3, 4] {
        for steps in [0, 1, 100, 1_000, 5_000, 20_000] {
            let gap = gap(&spectrum, depth, steps);
            assert!(gap < 1e-10, "depth {depth}, step {steps}: {gap}");
        }
    }
}

#[test]
fn so_do_negative_ones_until_rounding_errors_have_grown() {
    // The layers stay equal in exact arithmetic only: at depth 2 their differences grow like exp(|λ| t).
    for depth in [2, 3, 4] {
        for steps in [0, 1_000, 5_000] {
            let gap = gap(&[3.0, 1.0, -2.0], depth, steps);
            assert!(gap < 1e-10, "depth {depth}, step {steps}: {gap}");
        }
    }
}

/// The first recorded step at which singular value `place` is at `level` or above.
fn reached(run: &Run, place: usize, level: f64) -> Option<f64> {
    let values = run.trajectory.column(&format!("singular_value_{place}")).unwrap();
    let steps = run.trajectory.column("step").unwrap();
    values.iter().position(|value| *value >= level).map(|row| steps[row])
}

#[test]
fn a_perturbed_target_is_near_low_rank_as_long_as_predicted() {
    let clean = [6.0, 5.0, 4.0];
    let truth = data::with_spectrum((10, 10), &clean, true, 0).unwrap();
    for (noise, steps, ends) in [(0.0, 8_000, false), (0.05, 8_000, false), (0.6, 60_000, true)] {
        let target = data::perturbed(&truth, noise, true, 0).unwrap();
        let spectrum = eigen(target.view()).unwrap().values;
        let (model, run) = descend(&target, 3, steps, 10);
        let interval = low_rank_interval(&spectrum, 3, 3.0, START, (0.99, 0.01)).unwrap();
        let from = reached(&run, 3, 0.99 * spectrum[7]).unwrap();
        assert!((from * RATE / interval.from - 1.0).abs() < 0.05, "{noise}: {from} {interval:?}");
        let shown = reached(&run, 4, 0.01 * spectrum[9]);
        assert_eq!(shown.is_some(), ends, "noise {noise}: {interval:?}");
        if let Some(to) = shown {
            let predicted = interval.to.unwrap();
            assert!((to * RATE / predicted - 1.0).abs() < 0.15, "{noise}: {to} {interval:?}");
        }
        let found = singular_values(model.product().view()).unwrap();
        for (found, clean) in found.iter().zip(clean) {
            assert!((found - clean).abs() <= noise + 1e-9, "noise {noise}: {found} {clean}");
        }
    }
}

#[test]
fn the_effective_rank_rests_at_that_of_each_truncation() {
    // Times are so far apart that each plateau is met in its middle, by the hitting times alone.
    let spectrum = [10.0, 9.5, 9.0, 3.0, 2.9, 0.5, 0.4, 0.3];
    let target = data::with_spectrum((8, 8), &spectrum, true, 1).unwrap();
    for rank in [3, 5] {
        let learned = hitting_time(3.0, START, spectrum[rank - 1], 0.999).unwrap();
        let shown = hitting_time(3.0, START, spectrum[rank], 0.2).unwrap();
        assert!(learned < shown);
        let steps = (learned + 0.5 * (shown - learned)) / RATE;
        let (model, _) = descend(&target, 3, steps as u64, 1_000_000);
        let s = singular_values(model.product().view()).unwrap();
        let found = deepmf::analysis::intrinsic_dimension(&s);
        let expected = deepmf::analysis::intrinsic_dimension(&spectrum[..rank]);
        assert!((found / expected - 1.0).abs() < 0.01, "rank {rank}: {found} {expected}");
    }
}
