//! `data split`: what is written, and that it is read back.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::{Desk, stderr};

/// Ratings of 40 users and 25 films with a time in the fourth field.
fn ratings() -> String {
    let mut text = String::new();
    for user in 0..40 {
        for film in (0..25).filter(|film| (user * 7 + film * 3) % 5 < 2) {
            let time = 1_000 + (user * 31 + film * 17) % 97;
            writeln!(text, "u{user}\tf{film}\t{}\t{time}", 1 + (user + film) % 5).unwrap();
        }
    }
    text
}

fn lines(text: &str) -> BTreeSet<Vec<String>> {
    let fields = |line: &str| line.split(['\t', ',']).take(3).map(str::to_owned).collect();
    text.lines().map(fields).collect()
}

#[test]
fn every_way_to_split_writes_all_ratings_once_and_what_is_written_is_read_back() {
    let desk = Desk::new();
    desk.write("u.data", &ratings());
    for (by, files) in [
        ("entry", &["train.csv", "test.csv"][..]),
        ("time", &["train.csv", "test.csv"]),
        ("time --after 1060", &["train.csv", "test.csv"]),
        ("row", &["train.csv", "input.csv", "test.csv"]),
        ("cold", &["train.csv", "input.csv", "test.csv"]),
    ] {
        let share = if by.contains("after") { "" } else { "--share 0.2" };
        desk.done(&format!("data split u.data --by {by} {share} --seed 3 -o s -q"));
        let parts: Vec<_> =
            files.iter().map(|file| lines(&desk.text(&format!("s/{file}")))).collect();
        let all: BTreeSet<_> = parts.iter().flatten().cloned().collect();
        assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), all.len(), "{by}");
        assert_eq!(all, lines(&ratings()), "{by}");
        desk.done("recommend fit s/train.csv -o m -q");
        let found = desk.json("recommend evaluate m s/test.csv --json -q");
        assert_eq!(found["ratings"], parts[parts.len() - 1].len(), "{by}");
        assert_eq!(found["rmse_blocks"]["new_both"].is_number(), by == "cold", "{by}");
        std::fs::remove_dir_all(desk.path("s")).unwrap();
    }
}

#[test]
fn a_split_that_cannot_be_is_refused() {
    let desk = Desk::new();
    desk.write("u.data", &ratings());
    desk.write("train.csv", "a,x,1\nb,y,2\n");
    for (line, words) in [
        (
            "train.csv --by time -o s",
            "the place of a triplet's field must be from 1 to 3, but it is 4",
        ),
        ("u.data --by entry --after 3 -o s", "--after must be given with --by time"),
        (
            "u.data --by time --after 9999 -o s",
            "the number of held-out entries must be some, but not all",
        ),
        ("u.data --share 0 -o s", "must be above 0 and below 1"),
        ("train.csv -o .", "must be other than the input"),
    ] {
        let output = desk.run(&format!("data split {line}"));
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{line}: {told}");
        assert_eq!(desk.names(), ["train.csv", "u.data"], "{line}");
    }
}
