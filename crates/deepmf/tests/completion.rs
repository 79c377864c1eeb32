//! Completion and sensing as their users meet them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use deepmf::apps::{Completed, Completion, Sensing};
use deepmf::data::{self, Entries};
use deepmf::linalg::Mat;
use deepmf::problem;
use deepmf::random::{Purpose, normal, stream};
use deepmf::spec::{CompletionSettings, Method, SensingSettings};
use deepmf::train::StopReason;

/// Offsets of rows and columns, three directions, noise of 0.1; 40 % hidden.
fn table(seed: u64) -> (Mat, Entries, Entries) {
    table_of((50, 40), seed)
}

fn table_of((rows, cols): (usize, usize), seed: u64) -> (Mat, Entries, Entries) {
    let low = data::low_rank((rows, cols), 3, seed).unwrap();
    let mut random = stream(seed, Purpose::Noise, 0);
    let truth = Mat::from_fn(rows, cols, |i, j| {
        20.0 + (i % 7) as f64 - (j % 5) as f64 + low[(i, j)] + 0.1 * normal(&mut random)
    });
    let all = Entries::from_dense(&truth).unwrap();
    let (seen, hidden) = data::hide(&all, 0.4, seed).unwrap();
    (truth, seen, hidden)
}

fn settings() -> CompletionSettings {
    CompletionSettings {
        method: Method::Descent,
        depths: vec![2, 3],
        ..CompletionSettings::default()
    }
}

fn complete(entries: &Entries) -> Completed {
    Completion::new(settings(), 0).fit(entries).unwrap()
}

#[test]
fn a_table_of_offsets_and_low_rank_is_completed_far_better_than_by_offsets() {
    let (_, seen, hidden) = table(1);
    let completed = complete(&seen);
    let error = completed.truth_errors(&hidden, &seen).unwrap().rmse_missing;
    let baselines = completed.baselines.unwrap();
    assert!(error < 0.4 * baselines.offsets, "{error} against {baselines:?}");
    // The estimate is honest: from fewer entries, so a little above, never far below the error.
    let estimate = completed.holdout_rmse.unwrap();
    assert!((0.6..2.0).contains(&(estimate / error)), "{estimate} for {error}");
}

#[test]
fn known_entries_stay_as_they_are_and_holes_are_filled() {
    let (_, seen, _) = table(2);
    let filled = complete(&seen).fill(&seen);
    assert!(seen.iter().all(|(i, j, x)| filled[(i, j)] == x));
    assert!(filled.values().iter().all(|x| x.is_finite()));
}

#[test]
fn bounds_and_whole_numbers_are_kept() {
    let (_, seen, _) = table(3);
    let settings = CompletionSettings { bounds: Some((18.5, 21.5)), integer: true, ..settings() };
    let answers = Completion::new(settings, 0).fit(&seen).unwrap().predict();
    assert!(answers.values().iter().all(|x| (19.0..=21.0).contains(x) && x.fract() == 0.0));
}

#[test]
fn a_saved_completion_predicts_the_same_and_fills_new_rows() {
    let (truth, seen, _) = table(4);
    let keep = |entries: &Entries, first: bool| {
        let places: Vec<usize> =
            (0..entries.len()).filter(|&e| (entries.rows()[e] < 40) == first).collect();
        let taken = entries.take(&places);
        let shift = if first { 0 } else { 40 };
        let rows = taken.rows().iter().map(|i| i - shift).collect();
        let count = if first { 40 } else { 10 };
        Entries::new((count, 40), rows, taken.cols().to_vec(), taken.values().to_vec()).unwrap()
    };
    let (old, new) = (keep(&seen, true), keep(&seen, false));
    let completed = complete(&old);
    let folder = tempfile::tempdir().unwrap();
    completed.save(folder.path()).unwrap();
    let loaded = Completed::load(folder.path()).unwrap();
    assert_eq!(loaded.predict(), completed.predict());
    let filled = loaded.fold_in(&new).unwrap();
    let dense = new.to_dense();
    let (mut ours, mut means, mut count) = (0.0, 0.0, 0.0);
    for i in 0..10 {
        let known: Vec<f64> = (0..40).map(|j| dense[(i, j)]).filter(|x| !x.is_nan()).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        for j in 0..40 {
            if dense[(i, j)].is_nan() {
                ours += (filled[(i, j)] - truth[(40 + i, j)]).powi(2);
                means += (mean - truth[(40 + i, j)]).powi(2);
                count += 1.0;
            }
        }
    }
    let (ours, means) = ((ours / count).sqrt(), (means / count).sqrt());
    assert!(ours < 0.4 * means, "{ours} against {means} of the row means");
    assert!(loaded.fold_in(&Entries::new((1, 3), vec![0], vec![0], vec![1.0]).unwrap()).is_err());
}

#[test]
fn the_plain_setting_recovers_a_matrix_of_low_rank() {
    let truth = data::low_rank((40, 40), 2, 0).unwrap();
    let cells = data::random_cells((40, 40), 800, 0).unwrap();
    let seen = data::observe(&truth, &cells).unwrap();
    let settings =
        CompletionSettings { raw: true, rate: Some(3e-3), ..CompletionSettings::default() };
    let completed = Completion::new(settings, 0).fit(&seen).unwrap();
    assert_eq!(completed.reason, StopReason::LossReached);
    assert_eq!((completed.depth, completed.width, completed.holdout_rmse), (3, 40, None));
    let truth = Entries::from_dense(&truth).unwrap();
    assert!(completed.truth_errors(&truth, &seen).unwrap().mse_all < 1e-3);
    assert!(completed.effective_rank < 2.1);
}

#[test]
fn the_same_seed_completes_to_the_same_bits_at_one_and_two_threads() {
    let (_, seen, _) = table(5);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let completed = pool.install(|| complete(&seen));
        completed.predict().values().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn tables_of_hardly_anything_are_completed_too() {
    let one = Entries::new((2, 3), vec![0], vec![1], vec![4.0]).unwrap();
    let filled = complete(&one).fill(&one);
    assert!(filled.values().iter().all(|x| x.is_finite()));
    let constant =
        Entries::from_dense(&Mat::from_fn(
            12,
            9,
            |i, j| {
                if (i + j) % 4 == 0 { f64::NAN } else { 3.0 }
            },
        ))
        .unwrap();
    let answers = complete(&constant).predict();
    assert!(answers.values().iter().all(|x| (x - 3.0).abs() < 1e-6));
}

fn automatic(entries: &Entries) -> Completed {
    Completion::new(CompletionSettings::default(), 0).fit(entries).unwrap()
}

#[test]
fn without_options_the_error_is_small_and_the_intervals_hold_nine_in_ten() {
    let (mut held, mut count) = (0.0, 0.0);
    for seed in 10..13 {
        let (_, seen, hidden) = table_of((120, 150), seed);
        let completed = automatic(&seen);
        assert_eq!((completed.method, completed.depth), (Method::Auto, 2));
        let errors = completed.truth_errors(&hidden, &seen).unwrap();
        let baselines = completed.baselines.unwrap();
        assert!(errors.rmse_missing < 0.4 * baselines.offsets, "{errors:?} {baselines:?}");
        held += errors.coverage.unwrap() * hidden.len() as f64;
        count += hidden.len() as f64;
        let measured = completed.intervals.unwrap().coverage;
        assert!((measured - 0.9).abs() < 0.03, "{measured}");
    }
    assert!((held / count - 0.9).abs() < 0.03, "{}", held / count);
}

#[test]
fn the_automatic_choice_gives_the_same_bits_at_one_and_two_threads() {
    let (_, seen, _) = table(5);
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let holes = pool.install(|| automatic(&seen)).holes(&seen);
        let bits = |hole: &deepmf::apps::Filled| {
            let (lower, upper) = hole.interval.unwrap();
            [hole.value, lower, upper].map(f64::to_bits)
        };
        holes.iter().map(bits).collect::<Vec<_>>()
    };
    assert!(bits(1) == bits(2));
}

#[test]
fn the_ensemble_answers_by_the_mean_of_its_fits_and_an_honest_holdout_is_kept_apart() {
    let (_, seen, hidden) = table(7);
    let settings =
        CompletionSettings { ensemble: true, holdout: Some(0.2), ..CompletionSettings::default() };
    let completed = Completion::new(settings, 0).fit(&seen).unwrap();
    let error = completed.truth_errors(&hidden, &seen).unwrap().rmse_missing;
    assert!(error < 0.4 * completed.baselines.unwrap().offsets, "{error}");
    let ratio = completed.holdout_rmse.unwrap() / error;
    assert!((0.6..2.0).contains(&ratio), "{ratio}");
    assert_eq!(completed.holdout.len(), seen.len() / 5);
}

#[test]
fn intervals_keep_bounds_and_whole_numbers_and_are_saved() {
    let (_, seen, _) = table(8);
    let settings = CompletionSettings {
        bounds: Some((17.0, 23.0)),
        integer: true,
        ..CompletionSettings::default()
    };
    let completed = Completion::new(settings, 0).fit(&seen).unwrap();
    let holes = completed.holes(&seen);
    assert_eq!(holes.len(), completed.missing);
    for hole in &holes {
        let (lower, upper) = hole.interval.unwrap();
        assert!(17.0 <= lower && lower <= hole.value && hole.value <= upper && upper <= 23.0);
        assert!([lower, hole.value, upper].iter().all(|x| x.fract() == 0.0));
    }
    let folder = tempfile::tempdir().unwrap();
    completed.save(folder.path()).unwrap();
    let loaded = Completed::load(folder.path()).unwrap();
    assert_eq!(loaded.holes(&seen), holes);
    let row = Entries::new((1, 40), vec![0, 0], vec![3, 9], vec![20.0, 21.0]).unwrap();
    let folded = loaded.fold_in_holes(&row).unwrap();
    assert_eq!(folded.len(), 38);
    assert!(folded.iter().all(|hole| hole.interval.is_some()));
}

#[test]
fn tables_that_leave_nothing_to_choose_are_completed_without_options() {
    let constant = |i: usize, j: usize| if (i + j).is_multiple_of(4) { f64::NAN } else { 3.0 };
    let constant = Entries::from_dense(&Mat::from_fn(12, 9, constant)).unwrap();
    assert!(automatic(&constant).predict().values().iter().all(|x| (x - 3.0).abs() < 1e-6));
    let (truth, seen, _) = table(9);
    let full = Entries::from_dense(&truth).unwrap();
    assert!(automatic(&full).holes(&full).is_empty());
    let row = Entries::from_dense(&Mat::from_fn(1, 60, |_, j| {
        if j % 3 == 0 { f64::NAN } else { (j % 7) as f64 }
    }))
    .unwrap();
    assert!(automatic(&row).predict().values().iter().all(|x| x.is_finite()));
    let one = Entries::new((2, 3), vec![0], vec![1], vec![4.0]).unwrap();
    let alone = automatic(&one);
    assert!(alone.warnings.iter().any(|w| w.starts_with("fewer than 20 known entries")));
    assert!(alone.predict().values().iter().all(|x| x.is_finite()) && alone.intervals.is_none());
    assert_eq!(alone.reason, StopReason::ObjectiveSettled);
    let places: Vec<usize> =
        (0..seen.len()).filter(|&e| seen.rows()[e] != 4 && seen.cols()[e] != 6).collect();
    let gaps = automatic(&seen.take(&places));
    assert!(gaps.predict().values().iter().all(|x| x.is_finite()));
    assert!(gaps.warnings.iter().any(|w| w.contains("without a known entry")));
}

#[test]
fn what_is_given_decides_on_the_method() {
    let base = CompletionSettings::default;
    let of = |settings: CompletionSettings| settings.resolved();
    assert_eq!(of(base()), Method::Auto);
    assert_eq!(of(CompletionSettings { depths: vec![3], ..base() }), Method::Flow);
    assert_eq!(of(CompletionSettings { rate: Some(0.1), ..base() }), Method::Descent);
    assert_eq!(of(CompletionSettings { raw: true, ..base() }), Method::Descent);
    let (_, seen, _) = table(5);
    let settings = CompletionSettings { method: Method::Descent, depths: vec![2], ..base() };
    let descended = Completion::new(settings, 0).fit(&seen).unwrap();
    assert!(descended.rate.is_some() && descended.intervals.is_some());
}

#[test]
fn settings_outside_their_range_are_named() {
    let (_, seen, _) = table(6);
    let message = |settings: CompletionSettings| {
        Completion::new(settings, 0).fit(&seen).unwrap_err().to_string()
    };
    let base = CompletionSettings::default;
    for (settings, expected) in [
        (CompletionSettings { depths: vec![0], ..base() }, "depth must be 1 or more, but it is 0"),
        (
            CompletionSettings { init_scales: vec![-1.0], ..base() },
            "init-scale must be above 0, but it is -1",
        ),
        (CompletionSettings { width: Some(0), ..base() }, "width must be 1 or more, but it is 0"),
        (
            CompletionSettings { bounds: Some((2.0, 1.0)), ..base() },
            "bounds must be LOW,HIGH with LOW below HIGH, but it is 2,1",
        ),
        (CompletionSettings { rate: Some(-1.0), ..base() }, "rate must be above 0, but it is -1"),
    ] {
        assert_eq!(message(settings), expected);
    }
}

#[test]
fn a_matrix_is_recovered_from_measurements() {
    let shape = (20, 16);
    let truth = data::low_rank(shape, 2, 3).unwrap();
    let operators = problem::Sensing::gaussian(shape, 260, 3).unwrap();
    let targets = operators.measure(&truth).unwrap();
    let settings = SensingSettings { rate: 3e-3, ..SensingSettings::default() };
    let sensed = Sensing::new(settings, 0).fit(shape, &operators, &targets).unwrap();
    let error = sensed.matrix.clone().minus(&truth).frobenius() / truth.frobenius();
    assert!(error < 0.02, "{error} {:?} {}", sensed.reason, sensed.steps);
    assert!(sensed.holdout_rmse.unwrap() < 0.1);
    let few = Sensing::new(SensingSettings::default(), 0).fit(shape, &operators, &targets[1..]);
    assert!(few.unwrap_err().to_string().contains("260 numbers, one a operator"));
}

#[test]
fn every_method_completes_a_matrix_of_low_rank() {
    let truth = data::low_rank((60, 50), 2, 7).unwrap();
    let seen = data::observe(&truth, &data::random_cells((60, 50), 1_500, 7).unwrap()).unwrap();
    let all = Entries::from_dense(&truth).unwrap();
    for method in [
        Method::Auto,
        Method::Flow,
        Method::Descent,
        Method::Compressed,
        Method::Greedy,
        Method::Nuclear,
        Method::SoftImpute,
    ] {
        let settings = CompletionSettings { method, ..CompletionSettings::default() };
        let done = Completion::new(settings, 1).fit(&seen).unwrap();
        let error = done.truth_errors(&all, &seen).unwrap().rmse_missing;
        assert_eq!(done.method, method);
        // A compressed network only approximates the wide one under a mask.
        let bound = if method == Method::Compressed { 0.35 } else { 0.25 };
        assert!(error < bound, "{}: {error}", method.name());
        assert!(done.evaluations > 0 && done.holdout_rmse.unwrap() < 0.4, "{}", method.name());
        let convex = matches!(method, Method::Nuclear | Method::SoftImpute);
        assert_eq!(done.gap.is_some(), convex);
        assert!(done.gap.is_none_or(|gap| gap < 1e-3), "{}: {:?}", method.name(), done.gap);
        assert!(done.intervals.is_some(), "{}", method.name());
    }
}
