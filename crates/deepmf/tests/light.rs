//! Light transport as an experiment: from the file to the numbers of its trials, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use deepmf::experiment::{Experiment, Outcome, RunOptions};
use deepmf::spec::parse;

const SCENE: &str = r#"
[data.scene]
observed = [12, 14]
hidden   = [8, 8]
frames   = 16

[transport.video]
hidden    = [8, 8]
light     = "eighth"
transport = "eighth"

[transport.video.restarts]
seeds = 2
steps = 5
held-out = 0.1

[[vary]]
"transport.method" = ["decoders", "nmf", "singular", "known"]
"data.scene.seed"  = [3]
"#;

fn read(text: &str) -> deepmf::Result<Experiment> {
    Experiment::new(parse(text, "light.toml".as_ref())?, ".")
}

#[test]
fn decoders_and_what_they_are_held_against_have_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = read(SCENE).unwrap();
    let options = RunOptions { folder: Some(folder.path().into()), ..RunOptions::default() };
    let reports = experiment.run(&options).unwrap();
    let number = |trial: usize, name: &str| {
        reports[trial].result().unwrap().number(name).filter(|number| number.is_finite())
    };
    for trial in 0..4 {
        for name in ["correlation", "psnr", "ssim", "product_error", "seconds"] {
            assert!(number(trial, name).is_some(), "{trial} {name}");
        }
        let still = number(trial, "static_correlation").unwrap();
        assert!((0.0..1.0).contains(&still));
    }
    for name in ["transport_correlation", "held_out_error", "chosen_seed", "parameters"] {
        assert!(number(0, name).is_some() && number(1, name).is_none(), "{name}");
    }
    assert!(number(1, "correlation") < Some(0.4) && number(1, "product_error") < Some(0.05));
    assert!(number(3, "correlation") > Some(0.6) && number(3, "ridge").is_some());
    assert_eq!((number(1, "steps"), number(2, "steps")), (Some(200.0), Some(0.0)));
    let files = reports[0].folder().unwrap();
    for name in ["hidden.npy", "hidden-truth.gif", "transport.npy", "model.safetensors"] {
        assert!(files.join(name).exists(), "{name}");
    }
    // What is there is found, and without a folder the numbers are the same.
    let again = experiment.run(&RunOptions { resume: true, ..options }).unwrap();
    assert!(again.iter().all(|report| matches!(report.outcome, Outcome::Found(_))));
    let alone = experiment.run(&RunOptions::default()).unwrap();
    let correlation = alone[0].result().unwrap().number("correlation");
    assert_eq!(correlation, number(0, "correlation"));
}

#[test]
fn what_does_not_fit_is_told_before_work() {
    let told = |from: &str, to: &str| read(&SCENE.replace(from, to)).unwrap_err().to_string();
    assert_eq!(
        told("steps = 5", "last-rate = 2.0"),
        "transport.video.restarts.last-rate must be from 0 to 1, but it is 2"
    );
    let other = told("[data.scene]", "[data.random-ratings]\nshape = [9, 9]\n[data.scene]");
    assert!(other.contains("wanted exactly 1 element"), "{other}");
    let pictures = "[data.pictures]\ntransport = \"a.png\"\nlight = \"b.png\"\n";
    let message = |rest: &str| read(&format!("{pictures}{rest}")).unwrap_err().to_string();
    assert_eq!(
        message("[transport.video]"),
        "data must be scene or video where a video is fitted, but it is other data"
    );
    assert_eq!(
        message("[transport.matrix]\ninner = 32"),
        "transport.matrix.inner must be that of the pictures, 64, but it is 32"
    );
    assert_eq!(
        message("[transport]\nupdates = 0\n[transport.matrix]"),
        "transport.updates must be 1 or more, but it is 0"
    );
    let unknown = message("[transport.matrix]\ninnner = 64");
    assert!(unknown.starts_with("light.toml:4:"), "{unknown}");
    assert!(unknown.contains("unknown key `innner`; did you mean `inner`?"), "{unknown}");
    let both = message("[transport.matrix]\n[recommender]");
    assert!(both.contains("`recommender` must stand without `transport`"), "{both}");
}
