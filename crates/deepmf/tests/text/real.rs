//! Real files: their sizes and sums, and the time that reading takes.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use deepmf::data::{Duplicates, ReadOptions, read, read_with};

use super::parsed;

/// A file of the data folder, or `None` with a word about it where there is no such folder.
fn data(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DEEPMF_DATA");
    if folder.is_none() {
        println!("skipped: DEEPMF_DATA is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join(path))
}

fn triplets(words: &str) -> ReadOptions {
    ReadOptions { triplets: Some(words.parse().unwrap()), ..ReadOptions::default() }
}

#[test]
fn the_traffic_speeds_are_214_by_500() {
    let Some(path) = data("matrices/guangzhou-speed/z_guangzhou.txt") else { return };
    let table = read(path).unwrap();
    assert_eq!((table.entries.shape(), table.entries.len()), ((214, 500), 107_000));
    assert_eq!((&table.row_labels, &table.col_labels), (&None, &None));
    assert_eq!(table.entries.values()[..3], [40.03, 38.17, 36.65]);
}

#[test]
fn the_air_quality_is_1000_by_10() {
    let Some(path) = data("matrices/airq/airq.txt") else { return };
    assert_eq!(read(path).unwrap().entries.shape(), (1000, 10));
}

#[test]
fn the_movie_ratings_are_100_000_triplets() {
    let Some(path) = data("ratings/ml-100k/u.data") else { return };
    let table = read_with(path, &triplets("1,2,3")).unwrap();
    assert_eq!((table.entries.shape(), table.entries.len()), ((943, 1682), 100_000));
    assert!((table.entries.mean() - 3.52986).abs() < 1e-9);
    let labels = table.row_labels.unwrap();
    assert_eq!((labels[0].as_str(), labels[942].as_str()), ("1", "943"));
    // The first line is user 196, item 242, rating 3.
    assert_eq!(table.entries.iter().next(), Some((195, 241, 3.0)));
}

#[test]
fn newer_movie_ratings_are_read_by_name() {
    let Some(path) = data("ratings/ml-latest-small/ratings.csv") else { return };
    let table = read_with(path, &triplets("userId,Id,rating,timestamp")).unwrap();
    assert_eq!((table.entries.shape(), table.entries.len()), ((610, 9724), 100_836));
}

#[test]
fn film_trust_has_the_header_of_orange_and_a_few_ratings_given_twice() {
    let Some(path) = data("ratings/filmtrust/ratings.tab") else { return };
    let refused = read_with(&path, &triplets("user,movie,score")).unwrap_err().to_string();
    assert!(refused.contains("must be given once, but it is "), "{refused}");
    let options = ReadOptions { duplicates: Duplicates::Last, ..triplets("user,movie,score") };
    let table = read_with(path, &options).unwrap();
    assert_eq!((table.entries.shape(), table.entries.len()), ((1508, 2071), 35_494));
}

#[test]
fn packed_images_of_digits_are_read() {
    let Some(path) = data("images/digits8x8/digits.csv.gz") else { return };
    assert_eq!(read(path).unwrap().entries.shape().1, 65);
}

#[test]
fn a_hundred_thousand_triplets_of_a_huge_matrix_take_little_time() {
    use std::fmt::Write;
    let mut text = String::new();
    for k in 0..100_000_u64 {
        // 99,991 is prime, so that no two lines name the same cell.
        writeln!(text, "user{},item{},{}.5", k * 7 % 99_991, k, k % 5).unwrap();
    }
    let start = Instant::now();
    let table = parsed(text, &triplets("1,2,3")).unwrap();
    assert_eq!(table.entries.shape(), (99_991, 100_000));
    let taken = start.elapsed();
    println!("{taken:?}");
    assert!(taken < Duration::from_millis(1500), "{taken:?}");
}
