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
    assert!(message(&full).starts_with("cells must be given with a plain mask"));
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
    assert_eq!(error, "rank must be from 1 to 4, but it is 5");
    let error = message(&compressed.replace("rank = 2", "rank = 0"));
    assert_eq!(error, "rank must be 1 or more, but it is 0");
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
    assert_eq!(error, "depth must be 2 or more, but it is 1");
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
