//! Intervals hold the share of hidden cells that was asked for, and an interrupt leaves a whole answer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use deepmf::apps::{Completed, Completion};
use deepmf::data::{self, Entries};
use deepmf::linalg::Mat;
use deepmf::random::{Purpose, RngExt, normal, stream};
use deepmf::spec::CompletionSettings;
use deepmf::train::StopReason;

const SHAPE: (usize, usize) = (60, 45);

/// Three directions with noise of 0.3, known where `known` says so: what is known, and all.
fn table(seed: u64, mut known: impl FnMut(usize, usize) -> bool) -> (Entries, Entries) {
    let low = data::low_rank(SHAPE, 3, seed).unwrap();
    let mut random = stream(seed, Purpose::Noise, 0);
    let truth = Mat::from_fn(SHAPE.0, SHAPE.1, |i, j| low[(i, j)] + 0.3 * normal(&mut random));
    let seen = |i, j| if known(i, j) { truth[(i, j)] } else { f64::NAN };
    let seen = Entries::from_dense(&Mat::from_fn(SHAPE.0, SHAPE.1, seen)).unwrap();
    (seen, Entries::from_dense(&truth).unwrap())
}

fn half_known(seed: u64) -> (Entries, Entries) {
    let mut random = stream(seed, Purpose::Observation, 0);
    table(seed, |_, _| random.random_bool(0.5))
}

/// Interrupted as soon as `part` is told of.
fn interrupted(seen: &Entries, part: &str, folder: Option<&Path>) -> Completed {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let completion = Completion::new(CompletionSettings::default(), 0)
        .interrupt(flag)
        .watch(move |stage| set.store(set.load(Relaxed) || stage.what == part, Relaxed));
    let completion = match folder {
        Some(folder) => completion.folder(folder),
        None => completion,
    };
    completion.fit(seen).unwrap()
}

fn coverage((seen, truth): &(Entries, Entries)) -> f64 {
    let completed = Completion::new(CompletionSettings::default(), 0).fit(seen).unwrap();
    completed.truth_errors(truth, seen).unwrap().coverage.unwrap()
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

#[test]
fn intervals_hold_nine_in_ten_hidden_cells_at_every_density() {
    for share in [0.3, 0.5, 0.8] {
        let of = |seed: u64| {
            let mut random = stream(seed, Purpose::Observation, 0);
            coverage(&table(seed, |_, _| random.random_bool(share)))
        };
        let held: Vec<f64> = (0..4).map(of).collect();
        assert!((mean(&held) - 0.9).abs() < 0.02, "{share}: {held:?}");
    }
}

#[test]
fn intervals_hold_nine_in_ten_hidden_cells_where_some_rows_are_known_better() {
    let of = |seed: u64| {
        let mut random = stream(seed, Purpose::Observation, 0);
        let rows: Vec<f64> = (0..SHAPE.0).map(|_| random.random_range(0.15..0.9)).collect();
        coverage(&table(seed, |i, _| random.random_bool(rows[i])))
    };
    let held: Vec<f64> = (0..4).map(of).collect();
    assert!((mean(&held) - 0.9).abs() < 0.02, "{held:?}");
}

#[test]
fn a_completion_interrupted_in_its_last_fit_answers_by_the_mean_of_its_folds_and_says_so() {
    let (seen, truth) = half_known(1);
    let error = |of: &Completed| of.truth_errors(&truth, &seen).unwrap().rmse_missing;
    let whole = Completion::new(CompletionSettings::default(), 0).fit(&seen).unwrap();
    let cut = interrupted(&seen, "all known entries", None);
    assert_eq!(cut.reason, StopReason::Interrupted);
    assert!(cut.warnings.iter().any(|words| words.ends_with("the mean of fits to 5 folds")));
    assert!(error(&cut) < 1.1 * error(&whole), "{} {}", error(&cut), error(&whole));
    assert!(cut.intervals.is_some());
}

#[test]
fn a_completion_interrupted_in_its_last_fit_goes_on_to_the_same_bits() {
    let (seen, _) = half_known(2);
    let whole = Completion::new(CompletionSettings::default(), 0).fit(&seen).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = interrupted(&seen, "all known entries", Some(folder.path()));
    assert_eq!(cut.reason, StopReason::Interrupted);
    let again = Completion::new(CompletionSettings::default(), 0).folder(folder.path());
    let again = again.resume(true).fit(&seen).unwrap();
    assert!(again.holes(&seen) == whole.holes(&seen));
}

#[test]
fn whoever_interrupts_the_fits_for_the_intervals_has_the_whole_answer_already() {
    let (seen, _) = half_known(3);
    let whole = Completion::new(CompletionSettings::default(), 0).fit(&seen).unwrap();
    let cut = interrupted(&seen, "fits for the intervals", None);
    assert!(cut.predict() == whole.predict() && cut.reason == whole.reason);
    assert!(cut.intervals.is_some_and(|intervals| Some(intervals) != whole.intervals));
}
