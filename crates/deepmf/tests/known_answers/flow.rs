//! Gradient flow against closed forms, and against itself in other forms: narrow, wide, end to end.

use deepmf::data;
use deepmf::linalg::{Mat, random_orthogonal, singular_values, svd};
use deepmf::model::{DeepLinear, Init, Model};
use deepmf::problem::{Constant, Problem};
use deepmf::random::{Purpose, normal, stream};
use deepmf::train::flow::FlowMethod;
use deepmf::train::{EndToEnd, Event, Flow, Run, Stop, StopReason, Trainer};

fn gaussian(rows: usize, cols: usize, item: u64) -> Mat {
    let mut random = stream(7, Purpose::Truth, item);
    Mat::from_fn(rows, cols, |_, _| normal(&mut random))
}

/// A rank-2 target of which two thirds of the cells are seen, summed squares.
fn masked(rows: usize, cols: usize) -> Problem {
    let truth = gaussian(rows, 2, 1).times(&gaussian(2, cols, 2));
    let table =
        Mat::from_fn(
            rows,
            cols,
            |i, j| {
                if (i + 2 * j) % 3 == 0 { f64::NAN } else { truth[(i, j)] }
            },
        );
    let entries = data::Entries::from_dense(&table).unwrap();
    Problem::completion_with(&entries, Constant::HalfSum).unwrap()
}

/// A matrix of rank `rank` with singular values around `size`.
fn start(rows: usize, cols: usize, rank: usize, size: f64) -> Mat {
    let u = random_orthogonal(rows, rank, &mut stream(3, Purpose::Init, 0));
    let v = random_orthogonal(cols, rank, &mut stream(3, Purpose::Init, 1));
    let scaled = Mat::from_fn(rows, rank, |i, j| u[(i, j)] * size * (1.0 + j as f64));
    scaled.view().times(v.t())
}

fn balanced(widths: &[usize], matrix: &Mat) -> DeepLinear {
    let init = Init::BalancedFrom { matrix: matrix.clone() };
    DeepLinear::new(widths).unwrap().init(&init, 0).unwrap()
}

fn run(flow: &mut Flow, problem: &Problem, model: &mut DeepLinear) -> Run {
    Trainer::new(flow).stop(Stop::new().steps(50_000)).fit(problem, model).unwrap()
}

#[test]
fn one_layer_decays_exponentially_to_its_target() {
    let target = gaussian(5, 4, 0);
    let problem = Problem::full(&target, Constant::HalfSum).unwrap();
    let times = [0.1, 0.5, 1.0, 2.0];
    for (method, allowed) in [(FlowMethod::Tsitouras, 1e-7), (FlowMethod::Chebyshev, 1e-4)] {
        let mut model = DeepLinear::new(&[4, 5]).unwrap();
        let mut flow = Flow::new(1e-8).unwrap().method(method).at(&times).until(2.5).unwrap();
        let made = run(&mut flow, &problem, &mut model);
        assert_eq!(made.reason, StopReason::Event);
        assert!((flow.time() - 2.5).abs() < 1e-12);
        assert_eq!(flow.samples().len(), times.len());
        for (time, params) in flow.samples() {
            let expected = target.clone().scaled(1.0 - (-time).exp());
            let found = Mat::from_columns(5, 4, params.values().to_vec());
            let gap = found.minus(&expected).max_abs();
            assert!(gap < allowed, "{method:?} at {time}: {gap}");
        }
        let end = model.product().minus(&target.clone().scaled(1.0 - (-2.5_f64).exp())).max_abs();
        assert!(end < allowed, "{method:?}: {end}");
    }
}

#[test]
fn a_narrow_flow_is_the_flow_of_any_width() {
    let problem = masked(9, 7);
    let w = start(9, 7, 3, 0.05);
    for depth in 2..=4 {
        let at = |hidden: usize| {
            let mut widths = vec![hidden; depth + 1];
            (widths[0], widths[depth]) = (7, 9);
            let mut model = balanced(&widths, &w);
            let mut flow = Flow::new(1e-10).unwrap().until(3.0).unwrap();
            run(&mut flow, &problem, &mut model);
            model.product()
        };
        let (narrow, wide) = (at(3), at(10));
        let gap = narrow.minus(&wide).frobenius() / wide.frobenius();
        assert!(wide.minus(&w).frobenius() > 1.0, "depth {depth}: it moved");
        assert!(gap < 1e-8, "depth {depth}: {gap}");
    }
}

#[test]
fn the_end_to_end_equation_agrees_with_the_flow_of_the_factors() {
    let problem = masked(8, 6);
    for (rank, size) in [(6, 0.2), (2, 0.3)] {
        let w = start(8, 6, rank, size);
        for depth in 1..=4_usize {
            let mut widths = vec![8; depth + 1];
            widths[0] = 6;
            let mut factors = balanced(&widths, &w);
            let mut flow = Flow::new(1e-10).unwrap().until(2.0).unwrap();
            run(&mut flow, &problem, &mut factors);
            let mut matrix = balanced(&[6, 8], &w);
            let equation = EndToEnd::new(depth as f64, 1e-10).unwrap().until(2.0).unwrap();
            Trainer::new(equation).fit(&problem, &mut matrix).unwrap();
            let gap = factors.product().minus(&matrix.product()).frobenius();
            let size = matrix.product().frobenius();
            assert!(gap < 1e-6 * size, "rank {rank}, depth {depth}: {gap} of {size}");
        }
    }
}

#[test]
fn the_end_to_end_equation_of_a_broken_depth_moves_singular_values_by_its_law() {
    // From a start in the singular basis of the target each singular value obeys ds/dt = N s^{2−2/N} (σ − s).
    let (u, v) = (gaussian(5, 5, 3), gaussian(4, 4, 4));
    let (u, v) = (svd(u.view()).unwrap().u, svd(v.view()).unwrap().u);
    let compose =
        |s: [f64; 2]| Mat::from_fn(5, 4, |i, j| (0..2).map(|r| u[(i, r)] * s[r] * v[(j, r)]).sum());
    let sigma = [2.0, 1.2];
    let problem = Problem::full(&compose(sigma), Constant::HalfSum).unwrap();
    for depth in [1.5, 2.5, 3.7] {
        let mut model = balanced(&[4, 5], &compose([0.2, 0.1]));
        let equation = EndToEnd::new(depth, 1e-10).unwrap().until(1.0).unwrap();
        Trainer::new(equation).fit(&problem, &mut model).unwrap();
        let found = singular_values(model.product().view()).unwrap();
        for (r, mut s) in [0.2_f64, 0.1].into_iter().enumerate() {
            let velocity = |s: f64| depth * s.powf(2.0 - 2.0 / depth) * (sigma[r] - s);
            let h = 1e-4;
            for _ in 0..10_000 {
                let middle = s + 0.5 * h * velocity(s);
                let other = s + 0.5 * h * velocity(middle);
                let last = s + h * velocity(other);
                let sum = velocity(s) + 2.0 * velocity(middle) + 2.0 * velocity(other);
                s += h / 6.0 * (sum + velocity(last));
            }
            assert!((found[r] - s).abs() < 1e-8, "depth {depth}: {} {s}", found[r]);
        }
    }
}

#[test]
fn the_two_methods_follow_one_path_and_the_stabilised_one_needs_less_where_it_is_stiff() {
    let problem = masked(20, 16);
    let w = start(20, 16, 4, 0.01);
    let at = |method, tolerance| {
        let mut model = balanced(&[16, 4, 4, 20], &w);
        let mut flow = Flow::new(tolerance).unwrap().method(method).until(60.0).unwrap();
        run(&mut flow, &problem, &mut model);
        (model.product(), flow.evaluations(), flow.is_stiff())
    };
    let (explicit, many, _) = at(FlowMethod::Tsitouras, 1e-4);
    let (exact, ..) = at(FlowMethod::Tsitouras, 1e-9);
    let (auto, few, stiff) = at(FlowMethod::Auto, 1e-4);
    assert!(stiff);
    assert!(explicit.minus(&exact).frobenius() < 1e-3 * exact.frobenius());
    assert!(auto.minus(&exact).frobenius() < 1e-3 * exact.frobenius());
    assert!(3 * few < many, "{few} {many}");
}

#[test]
fn events_are_found_between_steps() {
    let target = Mat::from_fn(3, 3, |i, j| if i == j { 3.0 - i as f64 } else { 0.0 });
    let problem = Problem::full(&target, Constant::HalfSum).unwrap();
    // One layer: σ₁(t) = 3 (1 − e^{−t}), ℓ(t) = 7 e^{−2t}, ‖∇‖²/ℓ = 2 always.
    let mut model = DeepLinear::new(&[3, 3]).unwrap();
    let mut flow = Flow::new(1e-9)
        .unwrap()
        .event(Event::SingularValue { index: 1, level: 1.5 })
        .event(Event::Loss(0.7))
        .event(Event::Plateau(1.0))
        .until(4.0)
        .unwrap();
    run(&mut flow, &problem, &mut model);
    let times: Vec<f64> = flow.occurrences().iter().map(|o| o.time).collect();
    let expected = [2.0_f64.ln(), 0.5 * 10.0_f64.ln()];
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(times.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{times:?}");
    let mut model = DeepLinear::new(&[3, 3]).unwrap();
    let mut flow = Flow::new(1e-9).unwrap().event(Event::Loss(0.7)).stop_at_event();
    let made = run(&mut flow, &problem, &mut model);
    assert_eq!(made.reason, StopReason::Event);
    assert!((made.loss - 0.7).abs() < 1e-7, "{}", made.loss);
}

#[test]
fn a_model_of_several_layers_has_no_end_to_end_equation() {
    let problem = masked(4, 4);
    let mut model = balanced(&[4, 4, 4], &start(4, 4, 2, 0.1));
    let error = Trainer::new(EndToEnd::new(2.0, 1e-6).unwrap()).fit(&problem, &mut model);
    let found = error.unwrap_err().to_string();
    assert!(found.contains("must be 1, but it is 2"), "{found}");
    assert!(model.params().values().iter().all(|x| x.is_finite()));
}
