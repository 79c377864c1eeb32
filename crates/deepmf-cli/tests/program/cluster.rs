//! `cluster`: what is written, what is told, and what is refused.

use std::fmt::Write as _;

use crate::support::{Desk, stderr};

/// 60 samples in 3 blobs; `place` tells views apart, and `skip` leaves samples out.
fn view(place: usize, skip: impl Fn(usize) -> bool) -> String {
    let mut text = String::from("sample,a,b,c,d\n");
    for i in 0..60 {
        write!(text, "s{i}").unwrap();
        for j in 0..4 {
            let blob = if j % 3 == (i + place) % 3 { 4.0 } else { 0.0 };
            // Digits that look drawn.
            let place = ((i * 4 + j) * 2 + place) as f64;
            let wave = ((place * 12.9898).sin() * 43_758.545_3).fract().abs();
            if skip(i) { text.push(',') } else { write!(text, ",{}", blob + wave).unwrap() }
        }
        text.push('\n');
    }
    text
}

fn labels() -> String {
    let mut text = String::from("topic\n");
    (0..60).for_each(|i| text += &format!("{}\n", ["sun", "moon", "star"][i % 3]));
    text
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("one.csv", &view(0, |_| false));
    desk.write("two.csv", &view(1, |_| false));
    desk.write("y.csv", &labels());
    desk
}

const KEYS: [&str; 21] = [
    "method",
    "n",
    "views",
    "clusters",
    "clusters_chosen",
    "objective",
    "iterations",
    "stop_reason",
    "acc",
    "nmi",
    "purity",
    "ari",
    "f_score",
    "view_weights",
    "p",
    "best_view",
    "preparations",
    "repeats",
    "fits",
    "seconds",
    "seed",
];

#[test]
fn clusters_are_found_written_and_told() {
    let desk = desk();
    let line = "cluster one.csv two.csv --labels y.csv --clusters 3 --repeats 4 --json -o out";
    let value = desk.json(line);
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, KEYS);
    let help = desk.done("cluster --help");
    assert!(keys.iter().all(|key| help.contains(key)));
    assert_eq!(
        (&value["n"], &value["views"], &value["clusters"]),
        (&60.into(), &2.into(), &3.into())
    );
    for measure in ["acc", "nmi", "purity", "ari", "f_score"] {
        assert_eq!(value[measure]["mean"], 1.0, "{measure}: {value}");
        assert_eq!((&value[measure]["std"], &value[measure]["max"]), (&0.0.into(), &1.0.into()));
    }
    assert_eq!(value["view_weights"].as_array().unwrap().len(), 2);
    let written = desk.text("out/labels.csv");
    let fields: Vec<Vec<&str>> = written.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(fields[0], ["sample", "class", "cluster"]);
    assert_eq!((fields.len(), fields[4][0], fields[4][1]), (61, "s3", "sun"));
    assert!((4..=60).all(|i| fields[i][2] == fields[i - 3][2]) && fields[1][2] != fields[2][2]);
    assert!(desk.text("out/embedding.csv").starts_with("sample,axis_1,axis_2,axis_3\ns0,"));
    let features = desk.text("out/features-1-one.csv");
    let weights: Vec<f64> = features
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(weights.len() == 4 && weights.is_sorted_by(|a, b| a >= b), "{features}");
    assert!(features.contains("\na,") || features.starts_with("feature,weight\na,"));
    let page = desk.text("out/report.html");
    for words in ["Samples by cluster", "Samples by class and cluster", "Objective", "View weights"]
    {
        assert!(page.contains(words), "{words}");
    }
    let again = desk.run("run out/spec.toml --run again");
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(desk.text("again/labels.csv"), written);
}

#[test]
fn without_labels_nothing_is_judged_and_the_number_of_clusters_may_be_chosen() {
    let desk = desk();
    let value = desk.json("cluster one.csv two.csv --method k-means --json -o out -q");
    assert!(value["acc"].is_null() && value["p"].is_null() && value["best_view"].is_null());
    assert_eq!((&value["clusters_chosen"], &value["clusters"]), (&true.into(), &3.into()));
    assert_eq!(value["repeats"], 1);
    assert!(desk.text("out/labels.csv").starts_with("sample,cluster\n"));
    let line = "cluster one.csv two.csv --method k-means-best-view --clusters 3 --json -o best -q";
    assert!(["one", "two"].contains(&desk.json(line)["best_view"].as_str().unwrap()));
}

#[test]
fn one_seed_gives_the_same_files_at_any_number_of_threads() {
    let desk = desk();
    for (threads, folder) in [(1, "a"), (2, "b")] {
        let line = format!(
            "cluster one.csv two.csv --clusters 3 --start k-means --repeats 2 --threads {threads} -o {folder} -q"
        );
        desk.done(&line);
    }
    for file in ["labels.csv", "embedding.csv", "features-2-two.csv", "trajectory.csv"] {
        assert_eq!(desk.text(&format!("a/{file}")), desk.text(&format!("b/{file}")), "{file}");
    }
}

#[test]
fn samples_that_a_view_does_not_know_are_placed_by_the_others() {
    let desk = desk();
    desk.write("two.csv", &view(1, |i| i % 10 == 0));
    let output = desk.run("cluster one.csv two.csv --labels y.csv --clusters 3 --json -o out");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("view `two` does not know 6 of 60 samples"), "{told}");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(value["acc"]["mean"].as_f64().unwrap() > 0.9, "{value}");
}

#[test]
fn views_with_a_sample_a_column_are_turned_and_it_is_said() {
    let desk = Desk::new();
    let turned = |text: &str| {
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let line = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<_>>().join(",");
        (0..rows[0].len()).map(|j| line(j) + "\n").collect::<String>()
    };
    desk.write("one.csv", &turned(&view(0, |_| false)));
    let few = turned(&view(1, |_| false));
    desk.write("two.csv", &few.split_inclusive('\n').take(4).collect::<String>());
    let output = desk.run("cluster one.csv two.csv --clusters 3 --method k-means -o out");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("the files hold a sample a column"), "{told}");
    assert!(desk.text("out/labels.csv").contains("\ns1,"));
}

#[test]
fn what_cannot_be_clustered_is_refused_and_nothing_is_written() {
    let desk = desk();
    desk.write("short.csv", "a,b\n1,2\n3,4\n5,7\n");
    desk.write("half.csv", &("a,b\n1,\n".to_owned() + &"1,2\n".repeat(59)));
    desk.write("flat.csv", &"1,2\n".repeat(60));
    desk.write("word.csv", &"x\n".repeat(59));
    desk.write("here.txt", "");
    std::fs::create_dir(desk.path("full")).unwrap();
    desk.write("full/mine.txt", "");
    let before = desk.names();
    for (line, words) in [
        (
            "one.csv short.csv --clusters 3 -o out",
            "view `short` must have 60 samples, as `one` has, but it has 3",
        ),
        (
            "half.csv --clusters 3 -o out",
            "sample 1 of view `half` must be known or missing as a whole",
        ),
        ("flat.csv --clusters 2 -o out", "must be different among its samples, but it is constant"),
        (
            "short.csv --clusters 5 -o out",
            "the number of samples must be 5 or more, one a cluster, but it is 3",
        ),
        ("short.csv -o out", "the number of samples for an eigengap must be 4 or more"),
        (
            "one.csv --labels word.csv --clusters 3 -o out",
            "there must be one label for each of 60 samples, but there are 59",
        ),
        ("one.csv --labels none.csv --clusters 3 -o out", "none.csv: cannot read"),
        ("none.csv --clusters 3 -o out", "none.csv: cannot read"),
        ("one.csv --clusters 3 --layers 6 -o out", "layers must be a list that ends with 1"),
        ("one.csv --clusters 3 --exponent 0.5 -o out", "exponent must be above 1, but it is 0.5"),
        (
            "one.csv --clusters 3 -o full",
            "the folder to write must be new or empty, but it is full",
        ),
        ("one.csv --clusters 3 -o here.txt", "the folder to write must be a folder"),
        ("one.csv --clusters none -o out", "must be a whole number from 1, or auto"),
        (
            "one.csv --clusters 3 --method best -o out",
            "invalid value 'best' for '--method <METHOD>'",
        ),
        ("--clusters 3 -o out", "<VIEW>..."),
        ("one.csv --mat two.mat -o out", "cannot be used with"),
        ("one.csv --label-field y -o out", "--label-field must be given with --mat"),
        ("one.csv --clusters 3", "--output <DIR>"),
    ] {
        let output = desk.run(&format!("cluster {line}"));
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{line}: {told}");
        assert_eq!(desk.names(), before, "{line}");
    }
}

#[test]
fn a_variable_that_a_mat_file_does_not_have_is_answered_by_those_that_it_has() {
    let Some(root) = std::env::var_os("DEEPMF_DATA") else { return };
    let path = std::path::Path::new(&root).join("multiview/synthetic3d/synthetic3d.mat");
    let desk = Desk::new();
    let path = path.display();
    let output = desk.run(&format!("cluster --mat {path} --views-field views --clusters 3 -o out"));
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told.contains("a variable `views` with the views, but there are X (a cell array"),
        "{told}"
    );
    assert!(told.contains("hint: --views-field NAME"), "{told}");
    let output = desk.run(&format!("cluster --mat {path} --label-field z --clusters 3 -o out"));
    assert!(stderr(&output).contains("hint: --label-field NAME"), "{}", stderr(&output));
    assert!(desk.names().is_empty());
}
