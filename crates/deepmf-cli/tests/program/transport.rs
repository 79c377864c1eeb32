//! `transport`: what is written, what is told, and what is refused.

use crate::support::{Desk, stderr};

const KEYS_OF_FIT: [&str; 10] = [
    "steps",
    "seconds",
    "seconds_per_step",
    "stop_reason",
    "held_out_error",
    "product_error",
    "chosen_seed",
    "kept",
    "parameters",
    "trials",
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
    let expected: Vec<&str> = ["rows", "cols", "inner"]
        .into_iter()
        .chain(KEYS_OF_FIT)
        .chain(["correlation", "psnr", "ssim", "flip", "static_correlation", "baseline_nmf"])
        .chain(["baseline_singular", "baseline_known_transport", "transport_correlation", "seed"])
        .collect();
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
    let message = refused(&desk, &format!("{fit} -o whole"));
    assert!(message.contains("must be new or empty"), "{message}");
    let message = refused(&desk, "transport matrix z.csv --truth-light z.csv --steps 1");
    assert!(message.contains("the true light must have shape (64, 20)"), "{message}");
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
        .chain(["correlation", "psnr", "ssim", "flip", "static_correlation", "baseline_nmf"])
        .chain(["baseline_singular", "baseline_known_transport", "seed"])
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
