//! Experiment files, sweeps and claims, from the file to the verdict.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use deepmf::experiment::Judgement::{self, Failed, Passed};
use deepmf::experiment::study::{self, CheckOptions};
use deepmf::experiment::{Experiment, Outcome, RunOptions};
use deepmf::spec;

const SWEEP: &str = r#"
title = "A small sweep"

[data.low-rank]
shape = [12, 10]
rank  = 2

[problem.mask]
count = 70

[model.deep-linear]
depth = 2
init  = { gaussian = { scale = 1e-2 } }

[train.group-rms-prop]
rate = 1e-2

[train.stop]
steps = 300

[train.record]
every  = 50
probes = ["test-error", "effective-rank"]

[[vary]]
"model.deep-linear.depth" = [2, 3]
"seed" = [0, 1]
"#;

fn message(text: &str) -> String {
    spec::parse(text, Path::new("a.toml")).unwrap_err().to_string()
}

fn sweep(folder: &Path) -> Experiment {
    let path = folder.join("sweep.toml");
    fs::write(&path, SWEEP).unwrap();
    Experiment::load(path).unwrap()
}

fn options(folder: &Path, threads: usize) -> RunOptions {
    let (folder, threads) = (Some(folder.to_path_buf()), Some(threads));
    RunOptions { folder, threads, resume: true, ..RunOptions::default() }
}

/// The rows of `results.csv` in a fixed order, without the last field, the seconds.
fn rows(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("results.csv")).unwrap();
    let mut rows: Vec<String> =
        text.lines().map(|row| row.rsplit_once(',').unwrap().0.to_string()).collect();
    rows[1..].sort();
    rows
}

#[test]
fn an_unknown_key_is_told_with_place_and_nearest_key() {
    let text = SWEEP.replace("depth = 2\n", "depht = 2\n");
    assert_eq!(
        message(&text),
        "a.toml:12:1: unknown key `depht`; did you mean `depth`? \
         known here: `depth`, `width`, `widths`, `init`, `determinant`, \
         `layer-scales`, `perturb`"
    );
    let text = SWEEP.replace("[data.low-rank]", "[data.low-rnk]");
    assert_eq!(
        message(&text),
        "a.toml:4:7: unknown name `low-rnk`; did you mean `low-rank`? \
         known here: `low-rank`, `spectrum`, `planted`, `cells`, `file`, `entries-order`, `ratings`, `random-ratings`, `views`, `random-views`, `scene`, `pictures`, `matrix`, `video`"
    );
    let text = SWEEP.replace("[train.stop]", "[train.stopp]");
    assert!(message(&text).contains("unknown key `stopp`; did you mean `stop`?"));
}

#[test]
fn what_is_missing_or_mistyped_is_told_with_its_place() {
    let cases = [
        ("rank  = 2", "rank  = \"two\"", "a.toml:6:9: "),
        ("rank  = 2", "rank  = -2", "a.toml:6:9: "),
        ("rate = 1e-2", "", "missing key `rate`"),
        ("rate = 1e-2", "rate = ", "a.toml:16:"),
        ("[problem.mask]", "[problem.full]\n[problem.mask]", "exactly one of `mask`"),
        ("[train.group-rms-prop]", "[train.adam]\nrate = 1\n[train.group-rms-prop]", "exactly one"),
        ("\"test-error\"", "\"test-eror\"", "a probe must be one of test-error"),
        ("title", "version = 2\ntitle", "a.toml:2:1: version must be 1, but it is 2"),
    ];
    for (old, new, expected) in cases {
        let found = message(&SWEEP.replace(old, new));
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
}

#[test]
fn a_varied_key_that_does_not_fit_is_told_with_its_place() {
    let line = SWEEP.lines().position(|line| line.starts_with("\"model.deep")).unwrap() + 1;
    let found = message(&SWEEP.replace("linear.depth\"", "linear.depht\""));
    assert!(found.starts_with(&format!("a.toml:{line}:1: unknown key `depht`")), "{found}");
    let found = message(&SWEEP.replace("= [2, 3]", "= [2, \"three\"]"));
    assert!(found.starts_with(&format!("a.toml:{line}:1: invalid type")), "{found}");
    let found = message(&SWEEP.replace("= [2, 3]", "= []"));
    assert!(found.contains("must have 1 value or more"), "{found}");
}

#[test]
fn a_spec_comes_back_from_its_own_text() {
    let full = SWEEP
        .replace("count = 70", "fraction = 0.5\n[problem]\nloss.huber.delta = 2\nconstant = \"sum\"")
        .replace("[[vary]]", "[train.validation]\nfraction = 0.2\n[report.figure]\nx = \"step\"\ny = \"loss\"\n[[vary]]")
        .replace("depth = 2\n", "widths = [3, 4]\n")
        .replace("\"model.deep-linear.depth\" = [2, 3]", "\"train.group-rms-prop.schedule\" = [\"constant\", { cosine = { steps = 9, last = 0.1 } }]");
    for text in [SWEEP, &full] {
        let read = spec::parse(text, Path::new("a.toml")).unwrap();
        let again = spec::parse(&read.toml().unwrap(), Path::new("b.toml")).unwrap();
        assert_eq!(read, again);
        assert_eq!(read.trials().unwrap().len(), 4);
    }
    let text = spec::parse(SWEEP, Path::new("a.toml")).unwrap().toml().unwrap();
    for default in ["version = 1", "seed = 0", "alpha = 0.99", "constant = \"mean\""] {
        assert!(text.contains(default), "{default} is not in {text}");
    }
}

#[test]
fn numbers_out_of_range_are_told_before_work() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (
            "depth = 2\n",
            "depth = 0\n",
            "12:1: model.deep-linear.depth must be 1 or more, but it is 0",
        ),
        (
            "rate = 1e-2",
            "rate = -1",
            "16:1: train.group-rms-prop.rate must be above 0, but it is -1",
        ),
        (
            "rate = 1e-2",
            "rate = 1e-2\nschedule.warmup.steps = 0",
            "17:17: train.group-rms-prop.schedule.warmup.steps must be 1 or more, but it is 0",
        ),
        (
            "scale = 1e-2",
            "scale = -1",
            "13:24: model.deep-linear.init.gaussian.scale must be above 0, but it is -1",
        ),
        ("rank  = 2", "rank  = 11", "6:1: data.low-rank.rank must be from 1 to 10, but it is 11"),
        ("count = 70", "count = 121", "9:1: problem.mask.count must be from 1 to 120 entries"),
        ("count = 70", "count = 7\nfraction = 0.1", "9:1: problem.mask.count must be given alone"),
        ("every  = 50", "every  = 0", "22:1: train.record.every must be 1 or more, but it is 0"),
        // A key that varies is told where it varies.
        ("\"seed\"", "\"train.record.every\"", "26:1: train.record.every must be 1 or more"),
    ];
    for (old, new, expected) in cases {
        let path = folder.path().join("bad.toml");
        let text = SWEEP.replace(old, new).replace("\"model.deep-linear.depth\" = [2, 3]\n", "");
        fs::write(&path, text).unwrap();
        let found = Experiment::load(&path).unwrap_err().to_string();
        assert!(found.starts_with(&format!("{}:{expected}", path.display())), "{found}");
    }
}

#[test]
fn a_sweep_that_was_interrupted_goes_on_to_the_same_results() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = sweep(folder.path());
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let reports = experiment.run(&options(&whole, 2)).unwrap();
    assert!(reports.iter().all(|report| matches!(report.outcome, Outcome::Done(_))));

    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let stopped = RunOptions {
        interrupt: Some(flag),
        // In the middle of the second trial.
        on_progress: Some(Arc::new(move |(place, progress)| {
            seen.store(*place == 1 && progress.step >= 100, Ordering::Relaxed);
        })),
        ..options(&parts, 1)
    };
    let reports = experiment.run(&stopped).unwrap();
    let done = reports.iter().filter(|report| report.result().is_some()).count();
    assert_eq!((done, rows(&parts).len()), (1, 2));
    assert!(matches!(reports[1].outcome, Outcome::Interrupted));

    // A row that was torn when the program ended does not count.
    let table = parts.join("results.csv");
    let torn = fs::read_to_string(&table).unwrap() + "0123456789abcdef,2,1,";
    fs::write(&table, torn).unwrap();
    let reports = experiment.run(&options(&parts, 1)).unwrap();
    assert!(matches!(reports[0].outcome, Outcome::Found(_)));
    assert!(matches!(reports[1].outcome, Outcome::Done(_)));
    assert_eq!(rows(&parts), rows(&whole));
    for trial in experiment.trials() {
        for file in ["trajectory.csv", "model.safetensors"] {
            let read =
                |folder: &Path| fs::read(folder.join(&trial.fingerprint).join(file)).unwrap();
            assert!(read(&whole) == read(&parts), "{file} of {}", trial.name());
        }
    }
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = sweep(folder.path());
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    experiment.run(&options(&one, 1)).unwrap();
    experiment.run(&options(&two, 2)).unwrap();
    assert_eq!(rows(&one), rows(&two));
    assert_eq!(rows(&one).len(), 5);
}

#[test]
fn the_spec_of_a_run_folder_repeats_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let table: Vec<String> = (0..6).map(|i| format!("{i},{},{}", 2 * i, i * i % 5)).collect();
    fs::write(folder.path().join("table.csv"), table.join("\n")).unwrap();
    let text = SWEEP
        .split("[[vary]]")
        .next()
        .unwrap()
        .replace(
            "[data.low-rank]\nshape = [12, 10]\nrank  = 2",
            "[data.file]\npath = \"table.csv\"",
        )
        .replace("count = 70", "fraction = 0.8");
    let path = folder.path().join("run.toml");
    fs::write(&path, text).unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let report = Experiment::load(&path).unwrap().run(&options(&first, 1)).unwrap();
    assert_eq!(report[0].result().unwrap().steps, 300);
    Experiment::load(first.join("spec.toml")).unwrap().run(&options(&second, 1)).unwrap();
    for file in ["trajectory.csv", "model.safetensors"] {
        assert!(
            fs::read(first.join(file)).unwrap() == fs::read(second.join(file)).unwrap(),
            "{file}"
        );
    }
    let json = fs::read_to_string(first.join("result.json")).unwrap();
    assert!(json.contains("\"stop_reason\": \"steps-done\"") && json.contains("\"test_error\": "));
}

#[test]
fn without_a_folder_nothing_is_written_and_trajectories_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let reports = sweep(folder.path()).run(&RunOptions::default()).unwrap();
    let trajectory = reports[3].trajectory().unwrap();
    assert_eq!(trajectory.columns(), ["step", "loss", "test_error", "effective_rank"]);
    assert_eq!(trajectory.rows().len(), 7);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn study(folder: &Path, claims: &str) -> std::path::PathBuf {
    let study = folder.join("studies/made2024");
    fs::create_dir_all(&study).unwrap();
    fs::write(study.join("README.md"), "# A made-up study\n\nMore.\n").unwrap();
    fs::write(study.join("fig1.toml"), SWEEP).unwrap();
    let missing = SWEEP.replace(
        "[data.low-rank]\nshape = [12, 10]\nrank  = 2",
        "[data.file]\npath = \"$DEEPMF_NO_SUCH_VARIABLE/a.csv\"",
    );
    fs::write(study.join("fig2.toml"), missing).unwrap();
    fs::write(study.join("claims.toml"), claims).unwrap();
    folder.join("studies")
}

fn claim(id: &str, rest: &str) -> String {
    let head = "says = \"It is so.\"\nsource = \"Figure 1\"\norigin = \"aim\"";
    let figure = if rest.contains("figure") { "" } else { "figure = \"fig1\"" };
    format!("[[claim]]\nid = \"{id}\"\n{head}\n{figure}\n{rest}\n")
}

#[test]
fn claims_pass_fail_and_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let depth = "where = { \"model.deep-linear.depth\" = 2 }\n";
    let claims = [
        claim("passes", "quick = true\nmetric = \"steps\"\nbetween = [300, 300]"),
        claim("fails", "quick = true\nmetric = \"test_error\"\nbelow = 0"),
        claim("skipped", "figure = \"fig2\"\nmetric = \"test_error\"\nabove = 0"),
        claim(
            "moment",
            "metric = \"loss\"\ntake = { at = 0 }\nwhile = { step = [0, 10] }\nabove = 0.1",
        ),
        claim(
            "no-row",
            "metric = \"loss\"\ntake = \"min\"\nwhile = { loss = [-2, -1] }\nbelow = 9",
        ),
        claim(
            "ratio",
            &format!(
                "{depth}metric = \"steps\"\nratio-to = {{ \"model.deep-linear.depth\" = 3 }}\nwithin = {{ value = 1, tolerance = 0 }}"
            ),
        ),
        claim(
            "change",
            &format!(
                "{depth}metric = \"steps\"\nchange-from = {{ \"model.deep-linear.depth\" = 3 }}\nbelow = 0.01"
            ),
        ),
        claim("median", "metric = \"truth_effective_rank\"\nmedian = true\nbetween = [1, 2]"),
    ];
    let root = study(folder.path(), &claims.concat());
    let found = study::list(&root).unwrap();
    assert_eq!((found[0].name.as_str(), found[0].title.as_str()), ("made2024", "A made-up study"));

    let verdicts = study::check(&root, "made2024", &CheckOptions::default(), &|_| ()).unwrap();
    let judged: Vec<&Judgement> = verdicts.iter().map(|verdict| &verdict.judgement).collect();
    let skipped = Judgement::Skipped("DEEPMF_NO_SUCH_VARIABLE is not set".into());
    let expected = [Passed, Failed, skipped, Passed, Failed, Passed, Passed, Passed];
    assert_eq!(judged, expected.iter().collect::<Vec<_>>(), "{verdicts:#?}");
    assert_eq!(verdicts[0].measured.len(), 4);
    assert_eq!(verdicts[5].measured.len(), 2);

    let quick = CheckOptions { quick: true, ..CheckOptions::default() };
    let verdicts = study::check(&root, "made2024", &quick, &|_| ()).unwrap();
    assert_eq!(verdicts.len(), 2);
}

#[test]
fn a_wrong_claim_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("metric = \"steps\"\nbelow = 1\nabove = 0", "must have exactly one of `below`, `above`"),
        ("metric = \"steps\"", "must have exactly one of `below`, `above`"),
        ("metric = \"speed\"\nbelow = 1", "must take one of steps, loss"),
        ("metric = \"steps\"\nbelow = 1\nwher = {}", "unknown key `wher`; did you mean `where`?"),
        ("metric = \"steps\"\nbelow = 1\nwhere = { seed = 7 }", "must be of a trial of fig1"),
        ("metric = \"ranc\"\ntake = \"min\"\nbelow = 1", "must be one of step, loss"),
    ];
    for (rest, expected) in cases {
        let root = study(folder.path(), &claim("wrong", rest));
        let error = study::check(&root, "made2024", &CheckOptions::default(), &|_| ());
        let found = error.unwrap_err().to_string();
        assert!(found.contains(expected), "{found}");
    }
    let root = folder.path().join("studies");
    let error = study::check(&root, "none", &CheckOptions::default(), &|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "a study must be one of made2024, but it is none");
}

#[test]
fn the_studies_of_this_project_can_be_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    for study in study::list(root).unwrap() {
        assert!(!study.title.is_empty() && !study.claims.is_empty());
        for claim in &study.claims {
            let experiment = Experiment::load(claim.experiment(&study.folder)).unwrap();
            assert!(!experiment.trials().is_empty(), "{}", claim.figure);
        }
    }
}

/// Every file under a folder by its path there; times, which no two runs share, are cut out.
fn contents(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let inner = contents(&path);
            found.extend(inner.into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if name == "result.json" {
            let text = String::from_utf8(bytes).unwrap();
            let lines = text.lines().filter(|line| !line.contains("\"seconds\""));
            bytes = lines.collect::<Vec<_>>().join("\n").into_bytes();
        } else if name == "results.csv" {
            bytes = rows(folder).join("\n").into_bytes();
        }
        found.insert(name, bytes);
    }
    found
}

#[test]
fn shards_of_a_sweep_merged_are_the_whole_sweep_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let experiment = sweep(folder.path());
    let whole = experiment.run(&options(&path("whole"), 1)).unwrap();
    let mut shards = Vec::new();
    for i in 1..=3 {
        let shard = format!("{i}/3").parse().unwrap();
        shards.push(path(&format!("shard{i}")));
        experiment.run_shard(shard, &options(&shards[i - 1], i)).unwrap();
    }
    let some = experiment.merge(&shards[1..], &path("some")).unwrap();
    let missing = some.iter().filter(|report| report.outcome == Outcome::Interrupted).count();
    assert_eq!(missing, 2);
    experiment.run(&options(&path("some"), 2)).unwrap();
    let merged = experiment.merge(&shards, &path("merged")).unwrap();
    for (one, other) in whole.iter().zip(&merged) {
        let (mut one, mut other) = (one.clone(), other.clone());
        assert_eq!(one.trajectory().unwrap(), other.trajectory().unwrap());
        let numbers = |report: &mut deepmf::experiment::TrialReport| {
            let result = report.result().unwrap();
            let names = ["steps", "loss", "test_error", "effective_rank", "nuclear_norm"];
            (result.fingerprint.clone(), names.map(|name| result.number(name)))
        };
        assert_eq!(numbers(&mut one), numbers(&mut other));
    }
    let expected = contents(&path("whole"));
    assert!(expected.len() > 4 * 4, "{:?}", expected.keys());
    assert!(contents(&path("merged")) == expected);
    assert!(contents(&path("some")) == expected);

    let alone = SWEEP.split("[[vary]]").next().unwrap();
    let alone = Experiment::new(spec::parse(alone, Path::new("a.toml")).unwrap(), ".").unwrap();
    let told = alone.merge(&shards, &path("none")).unwrap_err().to_string();
    assert_eq!(told, "an experiment in shards must be a sweep, but it is a single run");
    let other = SWEEP.replace("\"seed\" =", "\"train.stop.steps\" =");
    let other = Experiment::new(spec::parse(&other, Path::new("a.toml")).unwrap(), ".").unwrap();
    let told = other.merge(&shards, &path("none")).unwrap_err().to_string();
    assert!(
        told.ends_with("must be the results of this sweep, but it has other columns"),
        "{told}"
    );
}
