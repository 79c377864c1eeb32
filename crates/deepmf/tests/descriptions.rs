//! What an experiment file can describe: every kind of data and model runs, repeats itself, and can be claimed upon.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::fs;
use std::path::Path;

use deepmf::experiment::study::{self, CheckOptions};
use deepmf::experiment::{Experiment, Judgement, RunOptions};
use deepmf::spec;
use deepmf::train::Trajectory;

const RUN: &str = r#"
[data.spectrum]
shape  = [8, 8]
values = [2, 1]

[problem]
full     = {}
constant = "half-sum"

[model.deep-linear]
depth = 3
init  = { identity = { scale = 1e-2 } }

[train.gradient-descent]
rate = 0.05

[train.stop]
steps = 400

[train.record]
every  = 20
probes = ["test-error", "gradient-norm", "intrinsic-dimension", "largest-entry", "determinant"]
"#;

fn run(text: &str) -> Trajectory {
    let spec = spec::parse(text, Path::new("a.toml")).unwrap();
    let again = spec::parse(&spec.toml().unwrap(), Path::new("b.toml")).unwrap();
    assert_eq!(spec, again);
    let reports = Experiment::new(spec, ".").unwrap().run(&RunOptions::default()).unwrap();
    reports[0].trajectory().unwrap()
}

fn last(trajectory: &Trajectory, column: &str) -> f64 {
    *trajectory.column(column).unwrap().last().unwrap()
}

fn message(text: &str) -> String {
    let spec = spec::parse(text, Path::new("a.toml")).unwrap();
    let experiment = Experiment::new(spec, ".");
    let error = experiment.and_then(|experiment| experiment.run(&RunOptions::default()));
    error.unwrap_err().to_string()
}

#[test]
fn noise_is_observed_and_the_truth_stays_clean() {
    let clean = run(RUN);
    assert!(last(&clean, "loss") < 1e-3 && last(&clean, "test_error") < 1e-3);
    let noisy = run(&RUN.replace("values = [2, 1]", "values = [2, 1]\nnoise = 0.5"));
    assert!(last(&noisy, "test_error") > 1e-3);
    let masked = RUN.replace("full     = {}", "mask = { fraction = 0.5 }");
    assert!(last(&run(&masked), "loss") < last(&clean, "loss") + 1.0);
}

#[test]
fn written_cells_are_what_is_seen_and_the_determinant_has_its_sign() {
    let cells = RUN
        .replace(
            "[data.spectrum]\nshape  = [8, 8]\nvalues = [2, 1]",
            "[data.cells]\nshape = [2, 2]\nknown = [[0, 1, 1], [1, 0, 1.5], [1, 1, 0]]",
        )
        .replace("full     = {}", "mask = {}")
        .replace("identity = { scale = 1e-2 }", "balanced = { scale = 1e-2 }")
        .replace("\"test-error\", ", "");
    for (word, sign) in [("positive", 1.0), ("negative", -1.0)] {
        let text = cells.replace("depth = 3", &format!("depth = 3\ndeterminant = \"{word}\""));
        for seed in 0..4 {
            let trajectory = run(&format!("seed = {seed}\n{text}"));
            let determinants = trajectory.column("determinant").unwrap();
            assert!(determinants.iter().all(|x| x * sign > 0.0), "{word}: {determinants:?}");
        }
    }
    let full = cells.replace("mask = {}", "full = {}");
    assert!(message(&full).starts_with("data.cells must be given with a plain mask"));
}

#[test]
fn a_compressed_model_learns_what_the_wide_one_learns() {
    let compressed = RUN
        .replace(
            "[model.deep-linear]\ndepth = 3\ninit  = { identity = { scale = 1e-2 } }",
            "[model.compressed]\nrank = 2\nscale = 1e-3",
        )
        .replace("rate = 0.05", "rate = 0.05\nouter = 0\ndecay = 1e-3");
    let wide = RUN
        .replace("identity = { scale = 1e-2 }", "orthogonal = { scale = 1e-3 }")
        .replace("rate = 0.05", "rate = 0.05\ndecay = 1e-3");
    let [compressed_run, wide] = [&compressed, &wide].map(|text| run(text));
    let (a, b) = (last(&compressed_run, "loss"), last(&wide, "loss"));
    assert!(a < 1.0 && (a - b).abs() < 1e-5, "{a} {b}");
    let error = message(&compressed.replace("rank = 2", "rank = 5"));
    assert_eq!(error, "model.compressed.rank must be from 1 to 4, but it is 5");
    let error = message(&compressed.replace("rank = 2", "rank = 0"));
    assert_eq!(error, "model.compressed.rank must be 1 or more, but it is 0");
}

#[test]
fn a_greedy_model_grows_and_its_folder_holds_all_phases() {
    let greedy = RUN
        .replace(
            "[model.deep-linear]\ndepth = 3\ninit  = { identity = { scale = 1e-2 } }",
            "[model.greedy]\nscale = 1e-3",
        )
        .replace("steps = 400", "steps = 2_000\ngradient-below = 1e-7");
    let trajectory = run(&greedy);
    assert_eq!(last(&trajectory, "rank"), 2.0);
    assert!(last(&trajectory, "test_error") < 1e-9);
    let steps = trajectory.column("step").unwrap();
    assert!(steps.windows(2).all(|pair| pair[1] >= pair[0]));

    let folder = tempfile::tempdir().unwrap();
    let experiment =
        Experiment::new(spec::parse(&greedy, Path::new("a.toml")).unwrap(), ".").unwrap();
    let options =
        RunOptions { folder: Some(folder.path().into()), resume: true, ..RunOptions::default() };
    let first = experiment.run(&options).unwrap();
    assert_eq!(first[0].trajectory().unwrap(), trajectory);
    assert_eq!(Trajectory::read(folder.path().join("trajectory.csv")).unwrap(), trajectory);
    // Found again, not run again.
    assert_eq!(experiment.run(&options).unwrap()[0].trajectory().unwrap(), trajectory);
    let error = message(&greedy.replace("scale = 1e-3", "depth = 1"));
    assert_eq!(error, "model.greedy.depth must be 2 or more, but it is 1");
}

#[test]
fn claims_divide_by_powers_and_compare_models() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("made2024");
    fs::create_dir_all(&study).unwrap();
    let text = RUN.to_string()
        + "[[vary]]\n\"model\" = [{ deep-linear = { depth = 2, init.identity.scale = 1e-2 } }, { greedy = { scale = 1e-3 } }]\n";
    fs::write(study.join("fig1.toml"), text).unwrap();
    let head = "says = \"It is so.\"\nsource = \"here\"\norigin = \"aim\"\nfigure = \"fig1\"\n";
    let claims = [
        // The gradient norm is at most a multiple of the root of the loss.
        "id = \"power\"\nmetric = \"gradient_norm\"\nover = \"loss\"\nover-power = 0.5\ntake = \"max\"\nbetween = [0.1, 10]",
        "id = \"other-model\"\nmetric = \"steps\"\nwhere = { \"model.greedy.depth\" = 2 }\nratio-to = { \"model.deep-linear.depth\" = 2 }\nbetween = [1, 3]",
    ]
    .map(|claim| format!("[[claim]]\n{head}{claim}\n"));
    fs::write(study.join("claims.toml"), claims.concat()).unwrap();
    let verdicts =
        study::check(folder.path(), "made2024", &CheckOptions::default(), &|_| ()).unwrap();
    assert!(verdicts.iter().all(|v| v.judgement == Judgement::Passed), "{verdicts:#?}");
    assert_eq!(verdicts[1].measured.len(), 1);

    let wrong = claims[0].replace("over = \"loss\"\n", "");
    fs::write(study.join("claims.toml"), wrong).unwrap();
    let error = study::check(folder.path(), "made2024", &CheckOptions::default(), &|_| ());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("must have `over` where it has `over-power`"), "{error}");
}

const PLANTED: &str = r#"
[data.planted]
shape = [5, 4]

[problem]
full     = {}
constant = "sum"

[model.deep-linear]
widths       = [6]
init         = { gaussian = { scale = 1.0 } }
layer-scales = [2, 0.8]
perturb      = { size = 1e-6, along = "sharpest" }

[train.gradient-descent]
edge = 1.05

[train.stop]
steps = 120

[train.record]
every  = 1
probes = ["distance", "sharpness:60", "coupling", "gain-deviation"]
"#;

#[test]
fn a_planted_start_is_a_minimum_that_descent_leaves_above_the_edge_alone() {
    let above = run(PLANTED);
    let (steps, distances) = (above.column("step").unwrap(), above.column("distance").unwrap());
    // 1e-6 · 1.1^t, as far as it is linear.
    let found = deepmf::analysis::escape(&steps, &distances, 1e-4).unwrap();
    let predicted = deepmf::analysis::escape_time(1e-6, 1e-4, 1.05);
    assert!((found - predicted).abs() < 1.5, "{found} {predicted}");
    let below = run(&PLANTED.replace("edge = 1.05", "edge = 0.95"));
    assert!(last(&below, "distance") < 2e-6 && last(&below, "loss") < 1e-14);
    let random = run(&PLANTED.replace(", along = \"sharpest\"", ""));
    assert!(last(&random, "distance") < last(&above, "distance"));
}

#[test]
fn starts_and_rates_that_do_not_fit_are_refused() {
    let refused = |old: &str, new: &str| message(&PLANTED.replace(old, new));
    assert_eq!(
        refused("[2, 0.8]", "[2, 0.8, 1]"),
        "model.deep-linear.layer-scales must have 2 numbers, one a layer, but it has 3"
    );
    assert_eq!(
        refused("1e-6", "-1"),
        "model.deep-linear.perturb.size must be 0 or more, but it is -1"
    );
    assert_eq!(
        refused("edge = 1.05", "edge = 0"),
        "train.gradient-descent.edge must be above 0, but it is 0"
    );
    let text = PLANTED.replace("edge = 1.05", "edge = 1.05\nrate = 0.1");
    let error = spec::parse(&text, Path::new("a.toml")).unwrap_err().to_string();
    assert!(error.contains("exactly one of `rate`, `edge`"), "{error}");
    let grown = PLANTED.replace("[data.planted]\n", "[data.low-rank]\nrank = 1\n");
    let begin = grown.find("[model").unwrap();
    let end = grown.find("[train.gradient").unwrap();
    let grown = format!("{}[model.greedy]\n{}", &grown[..begin], &grown[end..]);
    assert!(
        message(&grown).starts_with("train.gradient-descent.edge must be given with a deep-linear")
    );
}

#[test]
fn a_residual_network_starts_at_the_identity_and_its_folder_holds_its_layers() {
    let text = RUN
        .replace(
            "[model.deep-linear]\ndepth = 3\ninit  = { identity = { scale = 1e-2 } }",
            "[model.residual]\ndepth = 2",
        )
        .replace("values = [2, 1]", "values = [2, 1.5, 1]\nsymmetric = true");
    let trajectory = run(&text);
    assert_eq!(trajectory.column("determinant").unwrap()[0], 1.0);
    let folder = tempfile::tempdir().unwrap();
    let spec = spec::parse(&text, Path::new("a.toml")).unwrap();
    let options = RunOptions { folder: Some(folder.path().into()), ..RunOptions::default() };
    Experiment::new(spec, ".").unwrap().run(&options).unwrap();
    let saved = deepmf::model::Tensors::load(folder.path().join("model.safetensors")).unwrap();
    let layers = saved.layers();
    assert_eq!(layers.len(), 2);
    let residual = saved.matrix("residuals.0").unwrap();
    assert!((layers[0][(0, 0)] - 1.0 - residual[(0, 0)]).abs() < 1e-15);
}

#[test]
fn label_noise_and_regularization_lower_the_trace_and_tell_their_phases() {
    let sensed = RUN
        .replace("full     = {}", "sensing = { count = 30 }")
        .replace("identity = { scale = 1e-2 }", "gaussian = { scale = 1 }")
        .replace("\"test-error\"", "\"test-error\", \"hessian-trace:1\"");
    let begin = sensed.find("[train.gradient-descent]").unwrap();
    let end = sensed.find("[train.stop]").unwrap();
    let with = |optimizer: &str| run(&format!("{}{optimizer}{}", &sensed[..begin], &sensed[end..]));
    let noisy = with(
        "[train.label-noise]\nrate = 0.02\nnoise = 0.5\nbatch = 5\nsteps = 200\n\
         fit = { rate = 0.05, steps = 100 }\nclean = { rate = 0.05, steps = 60 }\n",
    );
    let phases = noisy.column("phase").unwrap();
    assert_eq!((phases[1], phases[10], phases[18]), (1.0, 2.0, 3.0));
    assert_eq!(last(&noisy, "step"), 360.0);
    assert_eq!(last(&noisy, "phase_step"), 60.0);
    let plain = with("[train.gradient-descent]\nrate = 0.05\n");
    let flat = with("[train.trace-regularized]\nrate = 0.05\nweight = 0.01\n");
    let aware = with("[train.sharpness-aware]\nrate = 0.05\nradius = 0.3\n");
    assert!(last(&flat, "hessian_trace") < last(&plain, "hessian_trace"));
    assert!(last(&aware, "hessian_trace") < last(&plain, "hessian_trace"));
}

#[test]
fn what_led_to_a_divergence_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = PLANTED.replace("edge = 1.05", "edge = 8");
    let spec = spec::parse(&text, Path::new("a.toml")).unwrap();
    let options = RunOptions { folder: Some(folder.path().into()), ..RunOptions::default() };
    let reports = Experiment::new(spec, ".").unwrap().run(&options).unwrap();
    let reason = reports[0].result().unwrap().reason;
    assert_eq!(reason, deepmf::train::StopReason::Diverged);
    let losses = reports[0].trajectory().unwrap().column("loss").unwrap();
    assert!(losses.len() > 3 && !losses.last().unwrap().is_finite());
    assert!(!folder.path().join("checkpoint.safetensors").exists());
}
