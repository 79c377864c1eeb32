//! `transport`: what is written, what is told, and what is refused.

use crate::support::{Desk, stderr};

const KEYS_OF_FIT: [&str; 12] = [
    "steps",
    "seconds",
    "seconds_per_step",
    "stop_reason",
    "held_out_error",
    "objective",
    "agreement",
    "product_error",
    "chosen_seed",
    "kept",
    "parameters",
    "trials",
];

const KEYS_OF_TRUTH: [&str; 10] = [
    "correlation",
    "psnr",
    "ssim",
    "flip",
    "transport_correlation",
    "static_correlation",
    "baseline_nmf",
    "baseline_singular",
    "baseline_known_transport",
    "seed",
];

fn matrix() -> String {
    let row = |i: usize| {
        let cell = |t: usize| format!("{}", 1.0 + ((i * t) as f64 * 0.37).sin() + i as f64 / 9.0);
        (0..20).map(cell).collect::<Vec<_>>().join(",")
    };
    (0..16).map(|i| row(i) + "\n").collect()
}

fn keys(value: &serde_json::Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn refused(desk: &Desk, line: &str) -> String {
    let output = desk.run(line);
    assert_eq!(output.status.code(), Some(2), "{line}");
    stderr(&output)
}

#[test]
fn a_matrix_gives_its_factors_and_a_run_goes_on_from_where_it_ended() {
    let desk = Desk::new();
    desk.write("z.csv", &matrix());
    let fit = "transport matrix z.csv --inner 8 --size eighth --seeds 2 --steps 6 --json";
    let whole = desk.json(&format!("{fit} -o whole"));
    let expected: Vec<&str> =
        ["rows", "cols", "inner"].into_iter().chain(KEYS_OF_FIT).chain(KEYS_OF_TRUTH).collect();
    assert_eq!(keys(&whole), expected);
    assert!(whole["correlation"].is_null() && whole["baseline_nmf"]["correlation"].is_null());
    assert_eq!(whole["trials"].as_array().unwrap().len(), 2);
    for name in ["light.npy", "light.png", "transport.npy", "report.html", "model.safetensors"] {
        assert!(desk.path("whole").join(name).exists(), "{name}");
    }
    // The light itself as the truth: it correlates with itself.
    let truth = "--truth-light whole/light.npy --truth-transport whole/transport.npy";
    let again = desk.json(&format!("{fit} {truth} -o again"));
    assert!(again["correlation"].as_f64().unwrap() > 1.0 - 1e-9);
    assert!(again["baseline_known_transport"]["ridge"].as_f64().is_some());
    assert_eq!(again["trials"][0]["held_out_error"], whole["trials"][0]["held_out_error"]);
    let resumed = desk.json(&format!("{fit} --resume --minutes 3 -o whole"));
    assert_eq!(resumed["product_error"], whole["product_error"]);
    assert!(desk.text("whole/spec.toml").contains("minutes = 3.0"));
    let message = refused(&desk, &format!("{fit} --rate 1e-4 --resume -o whole"));
    assert!(message.contains("must be the spec of this run"), "{message}");
    let message = refused(&desk, &format!("{fit} -o whole"));
    assert!(message.contains("must be new or empty"), "{message}");
    let message = refused(&desk, "transport matrix z.csv --truth-light z.csv --steps 1");
    assert!(message.contains("the true light must have shape (64, 20)"), "{message}");
}

#[test]
fn images_of_least_variation_are_what_a_matrix_gives_if_nothing_else_is_asked() {
    let desk = Desk::new();
    desk.write("z.csv", &matrix());
    let fit = "transport matrix z.csv --inner 8 --starts 5 --seed 4 --json";
    let whole = desk.json(&format!("{fit} -o whole"));
    let agreement = whole["agreement"].as_f64().unwrap();
    let trials = whole["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 5);
    assert!(trials.iter().all(|trial| trial["agreement"].as_f64().unwrap() <= agreement));
    assert!(whole["objective"].as_f64().is_some() && whole["held_out_error"].is_null());
    let by_name = desk.json(&format!("{fit} --method variation"));
    assert_eq!(by_name["product_error"], whole["product_error"]);
    desk.done("run whole/spec.toml --run again");
    for name in ["light.npy", "transport.npy", "model.safetensors", "trajectory.csv"] {
        let bytes = |path: String| std::fs::read(desk.path(&path)).unwrap();
        assert!(bytes(format!("whole/{name}")) == bytes(format!("again/{name}")), "{name}");
    }
    let message = refused(&desk, "transport matrix z.csv --method variation --steps 3");
    assert!(message.contains("--steps must be given with --method decoders"), "{message}");
    let message = refused(&desk, "transport matrix z.csv --method decoders --starts 3");
    assert!(
        message.contains("--starts must be given with --method variation or sparse"),
        "{message}"
    );
}

#[test]
fn a_video_gives_what_was_hidden() {
    let desk = Desk::new();
    desk.done("data make scene --observed 12x14 --hidden 8x8 --frames 17 -o s");
    let fit = "transport video s/observed.npy --hidden 8x8 --seeds 1 --steps 3 --json";
    let truth = "--truth s/hidden.npy --truth-transport s/transport.npy";
    let found = desk.json(&format!("{fit} {truth} -o f"));
    let expected: Vec<&str> = ["height", "width", "frames", "colours", "hidden"]
        .into_iter()
        .chain(KEYS_OF_FIT)
        .chain(KEYS_OF_TRUTH)
        .collect();
    assert_eq!(keys(&found), expected);
    assert_eq!((&found["frames"], &found["height"]), (&16.into(), &12.into()));
    assert!(found["baseline_known_transport"]["correlation"].as_f64().unwrap() > 0.5);
    for name in ["hidden.gif", "hidden.npy", "observed.gif", "transport.png", "transport.npy"] {
        assert!(desk.path("f").join(name).exists(), "{name}");
    }
    let page = desk.text("f/report.html");
    assert!(page.matches("data:image/gif;base64,").count() == 3 && page.contains("last frame"));
    let cropped = "transport video s/observed.gif --crop 2,1,10,9 --hidden 8x8 --preset published";
    let found = desk.json(&format!("{cropped} --seeds 1 --steps 1 --json -o g"));
    assert_eq!((&found["height"], &found["width"]), (&9.into(), &10.into()));
}

#[test]
fn the_spec_of_a_run_repeats_it() {
    let desk = Desk::new();
    desk.write("z.csv", &matrix());
    desk.done("data make scene --observed 12x14 --hidden 8x8 --frames 17 -o s");
    let matrix = "matrix z.csv --inner 8 --size eighth --seeds 2 --steps 6 --seed 3 -o m";
    let video = "video s/observed.gif --crop 2,1,10,9 --hidden 8x8 --truth s/hidden.npy";
    let video = format!("{video} --seeds 1 --steps 3 --minutes 5 -o v");
    for (line, folder, light) in [(matrix, "m", "light.npy"), (&video, "v", "hidden.npy")] {
        desk.done(&format!("transport {line}"));
        desk.done(&format!("run {folder}/spec.toml --run {folder}/again"));
        let bytes = |name: &str| std::fs::read(desk.path(folder).join(name)).unwrap();
        for name in [light, "transport.npy", "model.safetensors", "trajectory.csv", "spec.toml"] {
            assert!(bytes(name) == bytes(&format!("again/{name}")), "{folder}/{name}");
        }
        let number = |name: &str| {
            let text = String::from_utf8(bytes(name)).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            (value["correlation"].clone(), value["held_out_error"].clone())
        };
        assert_eq!(number("result.json"), number("again/result.json"));
    }
}

#[test]
fn the_light_can_be_looked_at_while_it_is_fitted_and_the_fit_is_the_same() {
    let desk = Desk::new();
    desk.write("z.csv", &matrix());
    desk.done("data make scene --observed 12x14 --hidden 8x8 --frames 9 -o s");
    let fit = "transport matrix z.csv --inner 8 --size eighth --seeds 2 --steps 120 --json";
    let (alone, shown) = (desk.json(fit), desk.json(&format!("{fit} -o m")));
    for key in ["held_out_error", "product_error", "chosen_seed", "kept"] {
        assert_eq!(alone[key], shown[key], "{key}");
    }
    let desk = &desk;
    let size = |path: &str| deepmf::data::read_video(desk.path(path)).unwrap().shape();
    assert_eq!(size("m/preview.png"), [1, 8, 20, 1]);
    // While it goes on, what is there is whole.
    let line = "transport video s/observed.npy --hidden 8x8 --seeds 1 --steps 1000000 -o v";
    let mut child = desk.spawn(line);
    let begun = std::time::Instant::now();
    while !desk.path("v/preview.gif").exists() && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let found = size("v/preview.gif");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, [8, 8, 8, 1]);
}

#[test]
fn what_tells_nothing_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    desk.done("data make scene --observed 12x14 --hidden 8x8 --frames 9 -o s");
    desk.done("data make scene --observed 12x14 --hidden 8x8 --frames 7 -o short");
    let bytes = std::fs::read(desk.path("s/observed.gif")).unwrap();
    std::fs::write(desk.path("cut.gif"), &bytes[..bytes.len() / 2]).unwrap();
    for (line, told) in [
        (
            "s/observed.npy --hidden 10x8",
            "multiples of 8 on both sides, such as 16 x 8, but it is 10 x 8",
        ),
        ("s/observed.npy --crop 9,0,9,9", "the crop must be within the frame of 14 x 12"),
        ("short/observed.npy", "must be of 8 frames or more, but it is of 7"),
        ("cut.gif", "the video must be a whole GIF"),
        (
            "s/observed.npy --hidden 8x8 --truth short/hidden.npy",
            "9 frames, as the observed one, but it has 7",
        ),
        (
            "s/observed.npy --hidden 8x8 --truth s/hidden.npy --truth-transport s/hidden.npy",
            "a table must have 1 or 2 axes, but the array has 3",
        ),
    ] {
        let message = refused(&desk, &format!("transport video {line} --steps 1 -o out"));
        assert!(message.contains(told), "{line}: {message}");
        assert!(!desk.path("out").exists(), "{line}");
    }
    let message = refused(&desk, "transport video s/observed.npy --crop 1,2,3 -o out");
    assert!(message.contains("must be X,Y,W,H in pixels, such as 20,10,96,80"), "{message}");
}
