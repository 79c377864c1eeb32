//! Ratings and recommenders that are not as they should be: a stated rule or a clear error.

use std::fmt::Write as _;

use crate::support::{Desk, stderr};

/// Ratings of 20 users and 10 films, one a line, with a time.
fn ratings() -> String {
    let mut text = String::from("user,film,stars,time\n");
    for user in 0..20 {
        for film in (0..10).filter(|film| (user + film) % 3 > 0) {
            writeln!(text, "u{user},f{film},{},{}", 1 + (user * film + user) % 5, 10 + film)
                .unwrap();
        }
    }
    text
}

#[test]
fn a_pair_that_is_given_twice_counts_once_if_both_agree_and_else_by_the_rule() {
    let desk = Desk::new();
    desk.write("once.csv", &ratings());
    desk.write("agree.csv", &format!("{}u1,f0,2,99\n", ratings()));
    desk.write("differ.csv", &format!("{}u1,f0,5,3\n", ratings()));
    let fit =
        |line: &str| desk.json(&format!("recommend fit {line} -o m --json -q"))["ratings"].clone();
    let once = fit("once.csv");
    assert_eq!(fit("agree.csv"), once);
    let output = desk.run("recommend fit differ.csv -o n");
    let told = stderr(&output);
    assert!(
        told.contains("must be given once, but it is 2 on line")
            && told.contains("hint: --duplicates"),
        "{told}"
    );
    assert_eq!(fit("differ.csv --duplicates last"), once);
    assert_eq!(fit("differ.csv --duplicates mean"), once);
    // By the time, the first line is the later one.
    let told = |fields: &str| {
        let line = format!(
            "recommend evaluate m differ.csv --triplets {fields} --duplicates last --json -q"
        );
        desk.json(&line)["rmse"].as_f64().unwrap()
    };
    desk.done("recommend fit once.csv -o m -q");
    let plain = desk.json("recommend evaluate m once.csv --json -q")["rmse"].as_f64().unwrap();
    assert_eq!(told("user,film,stars,time"), plain);
    assert_ne!(told("user,film,stars"), plain);
    assert_eq!(told("1,2,3,time=4"), plain);
}

#[test]
fn a_user_without_a_rating_and_a_rating_of_nan_are_unknown() {
    let desk = Desk::new();
    desk.write("train.csv", &format!("{}late,f1,NaN,9\nlate,f2,,9\n", ratings()));
    desk.write("plain.csv", &ratings());
    let fit = desk.json("recommend fit train.csv -o m --json -q");
    let plain = desk.json("recommend fit plain.csv -o n --json -q");
    assert_eq!((&fit["ratings"], &fit["rows"]), (&plain["ratings"], &21.into()));
    desk.write("pairs.csv", "user,film\nlate,f1\nu1,f1\n");
    let predicted = desk.done("recommend predict m pairs.csv --triplets user,film -q");
    let known: Vec<&str> = predicted.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(known, ["known", "column", "both"]);
    let top = desk.run("recommend top m --row late -n 2");
    assert!(stderr(&top).contains("\"late\" has no rating in the fit"), "{}", stderr(&top));
    let told = stderr(&desk.run("recommend explain m --row late --column f1"));
    assert!(told.contains("--row must be one with a rating in the fit"), "{told}");
}

#[test]
fn hostile_heads_of_a_recommender_are_refused_at_once() {
    let desk = Desk::new();
    desk.write("test.csv", &ratings());
    let file = |length: u64, head: &str| [&length.to_le_bytes()[..], head.as_bytes()].concat();
    let whole = |head: &str| file(head.len() as u64, head);
    let huge =
        r#"{"mean":{"dtype":"F64","shape":[1099511627776],"data_offsets":[0,8796093022208]}}"#;
    let wraps = r#"{"mean":{"dtype":"F64","shape":[18446744073709551615,8],"data_offsets":[0,8]}}"#;
    let back = r#"{"mean":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}}"#;
    for (name, bytes) in [
        ("empty", vec![]),
        ("longer than any file", file(u64::MAX, "{}")),
        ("longer than this file", file(1 << 20, "{}")),
        ("deep", whole(&"[".repeat(100_000))),
        ("huge", whole(huge)),
        ("wraps", [whole(wraps), vec![0; 8]].concat()),
        ("back", [whole(back), vec![0; 8]].concat()),
        ("nothing inside", whole("{}")),
        ("no JSON in the head", whole(r#"{"__metadata__":{"deepmf-recommender":"{"}}"#)),
    ] {
        std::fs::write(desk.path("m"), bytes).unwrap();
        let output = desk.run("recommend evaluate m test.csv");
        let told = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{name}: {told}");
        assert!(told.starts_with("error: m: must be"), "{name}: {told}");
    }
}
