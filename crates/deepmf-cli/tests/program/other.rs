//! `sense`, `run`, `report`, `analyse`, `data` and `study`.

use deepmf::data::{Entries, Table, low_rank, read_video, write};
use deepmf::linalg::Mat;
use deepmf::problem::Sensing;

use crate::support::{Desk, stderr, table};

const SWEEP: &str = "
data.low-rank = { shape = [12, 12], rank = 1 }
problem.mask.count = 100
model.deep-linear = { depth = 2, init.gaussian.scale = 1e-1 }
train.gradient-descent.rate = 0.2
train.stop.steps = 50
[[vary]]
\"model.deep-linear.depth\" = [1, 2]
";

/// Operators of 6 x 5 as rows of 30 numbers, row after row, and what they measure of a truth.
fn measured(desk: &Desk, count: usize) {
    let (rows, cols) = (6, 5);
    let truth = low_rank((rows, cols), 1, 0).unwrap();
    let operators = Sensing::gaussian((rows, cols), count, 1).unwrap();
    let values = operators.measure(&truth).unwrap();
    let flat = Mat::from_fn(count, rows * cols, |i, cell| {
        operators.operators()[i * rows * cols + cell % cols * rows + cell / cols]
    });
    let save = |name: &str, matrix: &Mat| {
        write(desk.path(name), &Table::new(Entries::from_dense(matrix).unwrap())).unwrap();
    };
    save("a.npy", &flat);
    save("y.npy", &Mat::from_columns(count, 1, values));
    save("truth.npy", &truth);
}

#[test]
fn a_matrix_is_recovered_from_flat_operators() {
    let desk = Desk::new();
    measured(&desk, 25);
    let line = "sense a.npy y.npy --shape 6x5 --truth truth.npy --holdout 0 --init-scale 1e-3 --json --run r -o w.csv";
    let value = desk.json(line);
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let expected = [
        "rows",
        "cols",
        "measurements",
        "depth",
        "width",
        "init_scale",
        "steps",
        "stop_reason",
        "train_rmse",
        "holdout_rmse",
        "effective_rank",
        "seconds",
        "seed",
        "truth_rmse",
        "truth_mse",
    ];
    assert_eq!(keys, expected);
    assert!(value["truth_rmse"].as_f64().unwrap() < 0.1, "{value}");
    assert_eq!(desk.text("w.csv").lines().count(), 6);
    assert_eq!(desk.json("run r/spec.toml --json -q")["train_rmse"], value["train_rmse"]);
    let spectrum = desk.json("analyse r --json");
    assert_eq!((spectrum["depth"].as_u64(), spectrum["rows"].as_u64()), (Some(3), Some(6)));
}

#[test]
fn the_curvature_of_factors_in_any_file_is_the_same_and_a_wrong_use_is_told() {
    let desk = Desk::new();
    // W_1 = 2 I and W_2 = I / 2 fit the identity: λ_max = 2 (4 + 1/4), at the least 4.
    desk.write("w1.csv", "2,0\n0,2\n");
    desk.write("w2.csv", "0.5,0\n0,0.5\n");
    desk.write("seen.csv", "a,b\n1,\n,2\n");
    let found = desk.json("analyse w1.csv w2.csv --sharpness --trace --density --json -q");
    assert!((found["sharpness"].as_f64().unwrap() - 8.5).abs() < 1e-9, "{found}");
    assert!((found["flatness_gap"].as_f64().unwrap() - 2.125).abs() < 1e-9, "{found}");
    assert!((found["trace"].as_f64().unwrap() - 34.0).abs() < 1e-9, "{found}");
    assert!((found["induced_minimum"].as_f64().unwrap() - 16.0).abs() < 1e-9, "{found}");
    let (low, high) = (&found["sharpness_interval"][0], &found["sharpness_interval"][1]);
    assert!(low.as_f64().unwrap() <= 8.5 && 8.5 <= high.as_f64().unwrap() + 1e-9);
    assert_eq!(found["at_minimizer"], true);
    let output = desk.run("analyse w1.csv w2.csv --sharpness --problem seen.csv --json");
    let told = "the loss is not near zero: the relative residual is 4.472e-1";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    // (1 − 1)² + (1 − 2)²: the Hessian there is not that of the fit, 2 (4 + 1/4).
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["at_minimizer"], &found["flatness_gap"]), (&false.into(), &().into()));
    let expected = 4.25 + (4.25_f64.powi(2) - 4.0 * (4.0 - 4.0)).sqrt();
    assert!((found["sharpness"].as_f64().unwrap() / expected - 1.0).abs() < 0.2, "{found}");
    let output = desk.run("analyse w1.csv seen.csv --sharpness");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("must be finite, but it is NaN"), "{}", stderr(&output));
    desk.done("analyse w1.csv w2.csv --sharpness --density --report page.html -q");
    assert!(desk.text("page.html").contains("<svg"));
}

#[test]
fn operators_and_measurements_must_fit_together() {
    let desk = Desk::new();
    measured(&desk, 25);
    for (line, words) in [
        ("sense a.npy y.npy", "operators must have the axes m x rows x cols"),
        ("sense a.npy y.npy --shape 5x5", "operators must have the axes m x rows x cols"),
        ("sense a.npy truth.npy --shape 6x5", "must hold 25 measurements"),
        ("sense a.npy y.npy --shape 6x5 --truth y.npy", "the truth must have shape (6, 5)"),
    ] {
        let output = desk.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(stderr(&output).contains(words), "{line}: {}", stderr(&output));
    }
}

#[test]
fn a_sweep_is_run_told_and_reported() {
    let desk = Desk::new();
    desk.write("sweep.toml", SWEEP);
    let value = desk.json("run sweep.toml --run s --json --report p.html");
    assert_eq!(value["trials"].as_array().unwrap().len(), 2);
    assert_eq!(value["trials"][1]["steps"], 50);
    assert!(desk.text("s/results.csv").lines().count() == 3);
    let page = desk.text("p.html");
    assert!(page.contains("<svg"));
    // Curves have the names of the trials, in their order, and not those of folders.
    let names = [0, 1].map(|place| value["trials"][place]["trial"].as_str().unwrap().to_string());
    assert!(page.contains(&format!("{}; {}", names[0], names[1])), "{names:?}");
    assert!(page.matches(&names[1]).count() > 3);
    let again = desk.run("run sweep.toml --run s");
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(desk.json("run sweep.toml --run s --resume --json"), value);
    desk.done("report s -o q.html");
    assert!(desk.text("q.html").contains("effective rank"));
    assert_eq!(desk.text("q.html"), page);
    desk.run("run sweep.toml --run u -q");
    desk.done("report s u -o both.html");
    assert!(desk.text("both.html").contains(&format!("u: {}", names[0])));
    let refused = desk.run("run sweep.toml --run t -o w.csv");
    assert!(stderr(&refused).contains("hint: --run"), "{}", stderr(&refused));
}

#[test]
fn shards_of_a_sweep_are_merged_and_what_is_missing_is_told() {
    let desk = Desk::new();
    desk.write("sweep.toml", SWEEP);
    let whole = desk.json("run sweep.toml --run whole --json");
    assert_eq!(desk.json("run sweep.toml --shard 1/2 --run p/1 --json")["trials"][0]["steps"], 50);
    let missing = desk.run("run sweep.toml --merge p/1 --run half");
    assert_eq!(missing.status.code(), Some(1));
    let told = stderr(&missing);
    assert!(told.contains("1 trials are in none of the shards"), "{told}");
    desk.done("run sweep.toml --run half --resume");
    desk.done("run sweep.toml --shard 2/2 --run p/2");
    let merged = desk.json("run sweep.toml --merge p/1 p/2 --run merged --json --report m.html");
    for place in [0, 1] {
        for key in ["trial", "stop_reason", "steps", "loss", "effective_rank"] {
            assert_eq!(merged["trials"][place][key], whole["trials"][place][key], "{key}");
        }
    }
    assert!(desk.text("m.html").contains("<svg"));
    for (line, words) in [
        ("run sweep.toml --merge p/1 --run merged", "the run folder must be new or empty"),
        ("run sweep.toml --merge p --run other", "results.csv"),
        ("run sweep.toml --shard 3/2", "must be I/N with I from 1 to N"),
        ("run sweep.toml --shards 2", "--emit"),
        ("run sweep.toml --emit slurm --shards 3", "--shards must be from 1 to 2"),
    ] {
        let output = desk.run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(stderr(&output).contains(words), "{line}: {}", stderr(&output));
    }
}

#[test]
fn the_script_of_an_array_job_runs_every_shard_and_merges_them() {
    let desk = Desk::new();
    desk.write("sweep.toml", SWEEP);
    let script = desk.done("run sweep.toml --emit slurm --run out");
    insta::assert_snapshot!(script);
    desk.done("run sweep.toml --emit slurm --run out -o array.sh");
    assert_eq!(desk.text("array.sh"), script);
    // What Slurm would do with it on one node.
    let task = |id: &str, words: &[&str]| {
        let mut shell = std::process::Command::new("bash");
        shell.arg("array.sh").args(words).current_dir(desk.path(""));
        shell.env("SLURM_ARRAY_TASK_ID", id).env("SLURM_CPUS_PER_TASK", "1");
        shell.env("DEEPMF_PROGRAM", env!("CARGO_BIN_EXE_deepmf"));
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    task("1", &[]);
    task("2", &[]);
    task("2", &["merge"]);
    assert!(!desk.path("out").exists());
    task("1", &["merge"]);
    assert_eq!(desk.text("out/results.csv").lines().count(), 3);
}

#[test]
fn a_claim_that_fails_gives_exit_code_1() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("studies/tiny")).unwrap();
    desk.write("studies/tiny/README.md", "# A tiny study\n");
    desk.write("studies/tiny/fig1.toml", SWEEP);
    let claims = |bound: &str| {
        format!(
            "[[claim]]\nid = \"loss\"\nsays = \"the loss falls\"\nsource = \"here\"\norigin = \"aim\"\nquick = true\n\
             figure = \"fig1\"\nmetric = \"loss\"\n{bound}\n"
        )
    };
    desk.write("studies/tiny/claims.toml", &claims("below = 1e9"));
    assert_eq!(desk.done("study list"), "tiny  A tiny study (1 claims)\n");
    assert!(
        desk.done("study check tiny --quick").starts_with("passed  the loss falls (must be below")
    );
    assert_eq!(desk.json("study check tiny --json")["claims"][0]["judgement"], "passed");
    desk.done("study run tiny --run s");
    assert!(desk.path("s/fig1/results.csv").is_file());
    desk.write("studies/tiny/claims.toml", &claims("below = -1.0"));
    let output = desk.run("study check tiny");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("failed "));
}

#[test]
fn low_rank_data_is_the_same_from_the_same_seed() {
    let desk = Desk::new();
    for folder in ["a", "b"] {
        desk.done(&format!(
            "data make low-rank --shape 9x7 --rank 2 --observe 30 --seed 5 -o {folder}"
        ));
    }
    let bytes = |name: &str| std::fs::read(desk.path(name)).unwrap();
    assert_eq!(bytes("a/truth.npy"), bytes("b/truth.npy"));
    let facts = desk.json("data describe a/observed.npy --json");
    assert_eq!((facts["rows"].as_u64(), facts["observed"].as_u64()), (Some(9), Some(30)));
}

#[test]
fn a_scene_is_the_same_from_the_same_seed_and_its_videos_can_be_looked_at() {
    let desk = Desk::new();
    for (folder, threads) in [("a", 1), ("b", 2)] {
        desk.done(&format!(
            "data make scene --observed 8x10 --hidden 4x4 --frames 9 --seed 3 --threads {threads} -o {folder}"
        ));
    }
    for name in ["observed.npy", "hidden.npy", "transport.npy", "observed.gif", "hidden.gif"] {
        let bytes = |folder: &str| std::fs::read(desk.path(&format!("{folder}/{name}"))).unwrap();
        assert_eq!(bytes("a"), bytes("b"), "{name}");
    }
    let exact = read_video(desk.path("a/observed.npy")).unwrap();
    let shown = read_video(desk.path("a/observed.gif")).unwrap();
    assert_eq!((exact.shape(), shown.shape()), ([9, 8, 10, 1], [9, 8, 10, 1]));
    let off = exact.values().iter().zip(shown.values()).map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f64::max) <= 0.5 / 255.0 + 1e-12);
    let facts = desk.json("data describe a/transport.npy --json");
    assert_eq!((facts["rows"].as_u64(), facts["cols"].as_u64()), (Some(80), Some(16)));
}

#[test]
fn a_mask_hides_its_share_and_leaves_the_rest_as_it_was() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let before = desk.json("data describe t.csv --json")["observed"].as_f64().unwrap();
    let masked = desk.done("data mask t.csv --fraction 0.4 --seed 0");
    let left = masked.lines().skip(1).flat_map(|line| line.split(',').skip(1));
    let left = left.filter(|field| !field.is_empty()).count() as f64;
    assert!((left - 0.6 * before).abs() < 1.0);
    assert_eq!(masked, desk.done("data mask t.csv --fraction 0.4 --seed 0"));
}

#[test]
fn quiet_says_nothing() {
    let desk = Desk::new();
    desk.write("t.csv", &table());
    let output = desk.run("data mask t.csv --fraction 0.4 --quiet");
    assert_eq!(stderr(&output), "");
}
