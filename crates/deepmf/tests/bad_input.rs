//! Every bad text in `tests/data/bad` gets one message that says where, what must be, and what is.
#![allow(clippy::unwrap_used, reason = "tests fail by panic")]

use std::path::{Path, PathBuf};

use deepmf::data::{ReadOptions, read_with};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad")
}

fn wide() -> ReadOptions {
    ReadOptions::default()
}

fn triplets(words: &str) -> ReadOptions {
    ReadOptions { triplets: Some(words.parse().unwrap()), ..wide() }
}

/// Each file, how it is read, and its message (after the folder).
fn cases() -> Vec<(&'static str, ReadOptions, &'static str)> {
    let named = || triplets("user,item,rating");
    vec![
        ("ragged.csv", wide(), "ragged.csv:3: a line must have 5 fields, but it has 4"),
        (
            "text-in-number.csv",
            wide(),
            r#"text-in-number.csv:10:2: a field must be a number, but it is "twelve, or so""#,
        ),
        (
            "duplicate-triplets.csv",
            named(),
            r#"duplicate-triplets.csv:8: the entry of row "ann", column "tea" must be given once, but it is 3 on line 4 and 4 on line 8"#,
        ),
        (
            "text-in-triplets.csv",
            named(),
            r#"text-in-triplets.csv:4:3: a value must be a number, but it is "good""#,
        ),
        (
            "text-in-triplets.csv",
            triplets("user,item,stars"),
            r#"text-in-triplets.csv:1: the header must have "stars", but it has user, item, rating"#,
        ),
        (
            "text-in-triplets.csv",
            triplets("1,2,4"),
            "text-in-triplets.csv: the place of a triplet's field must be from 1 to 3, but it is 4",
        ),
        (
            "text-in-triplets.csv",
            ReadOptions { header: Some(false), ..named() },
            r#"text-in-triplets.csv: a text without a header must be read by places, but a field is "user""#,
        ),
        (
            "ragged-triplets.tsv",
            named(),
            "ragged-triplets.tsv:3: a line must have 3 fields, but it has 2",
        ),
        (
            "infinity-triplets.data",
            named(),
            r#"infinity-triplets.data:2:3: a value must be finite, but it is "-inf""#,
        ),
        (
            "negative-weight.csv",
            triplets("1,2,3,4"),
            r#"negative-weight.csv:2:4: a weight must be 0 or more, but it is "-1""#,
        ),
        (
            "nameless.csv",
            triplets("1,2,3"),
            "nameless.csv:2:1: the name of a row or column must be a word, but it is empty",
        ),
        ("empty.csv", wide(), "empty.csv: a table must have an observed entry, but it has none"),
        (
            "header-only.csv",
            wide(),
            "header-only.csv: a table must have an observed entry, but it has none",
        ),
        (
            "nothing.csv",
            wide(),
            "nothing.csv: a table must have an observed entry, but it has none",
        ),
        (
            "nothing.csv",
            triplets("1,2,3"),
            "nothing.csv: the place of a triplet's field must be from 1 to 0, but it is 1",
        ),
        (
            "comment-only.txt",
            wide(),
            "comment-only.txt: a table must have an observed entry, but it has none",
        ),
        (
            "words-alone.csv",
            wide(),
            "words-alone.csv: a table must have an observed entry, but it has none",
        ),
        ("infinity.csv", wide(), r#"infinity.csv:3:2: a number must be finite, but it is "1e999""#),
        (
            "infinity.txt",
            wide(),
            r#"infinity.txt:3:2: a number must be finite, but it is "Infinity""#,
        ),
        ("not-utf8.csv", wide(), "not-utf8.csv:2: a text must be UTF-8, but it has the byte 0xfc"),
        (
            "cut-short.csv",
            wide(),
            "cut-short.csv: a compressed text must be whole gzip, but it has: unexpected end of file",
        ),
        (
            "ragged.csv",
            ReadOptions { delimiter: Some(b'"'), ..wide() },
            "a delimiter must be an ASCII character other than a quote or a line end, but it is byte 34",
        ),
        ("absent.csv", wide(), "absent.csv: cannot read: No such file or directory (os error 2)"),
    ]
}

#[test]
fn every_bad_text_is_named_with_its_place() {
    for (file, options, expected) in cases() {
        let error = read_with(folder().join(file), &options).unwrap_err().to_string();
        let beside = format!("{}/", folder().display());
        assert_eq!(error.replace(&beside, ""), expected, "{file}");
    }
}

#[test]
fn every_text_in_the_folder_has_a_case() {
    let cases = cases();
    let ends = [".csv", ".tsv", ".txt", ".data"];
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_text = ends.iter().any(|end| name.ends_with(end));
        assert!(!is_text || cases.iter().any(|case| case.0 == name), "{name}");
    }
}
