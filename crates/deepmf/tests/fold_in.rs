//! Rows and columns that are new after a fit.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

use deepmf::apps::{Known, Recommender, Recommends};
use deepmf::data::{self, ColdSplit, Entries, Table};
use deepmf::spec::{RatingModel, RecommenderSettings, TowerSize};

fn cold() -> ColdSplit {
    let ratings = data::random_ratings((150, 100), 1, 6_000, 3).unwrap();
    data::cold_split(&ratings, 0.1, 0.1, 0).unwrap()
}

fn fitted(model: RatingModel, rank: usize, train: &Table) -> Recommends {
    let size = TowerSize::Small;
    let epochs = matches!(model, RatingModel::TwoTower | RatingModel::Discrete).then_some(200);
    let settings =
        RecommenderSettings { model, rank, size, epochs, shown: 0.3, ..Default::default() };
    Recommender::new(settings, 0).fit(train).unwrap()
}

#[test]
fn new_rows_and_columns_are_predicted_better_than_by_offsets_alone() {
    let ColdSplit { train, input, test } = cold();
    let [train, input, test] = [train, input, test].map(Table::new);
    let blocks = |model, rank| {
        let before = fitted(model, rank, &train);
        let known = before.fold_in(&input).unwrap().recommends;
        let found = known.evaluate(&test).unwrap();
        let counts = found.blocks.map(|block| block.1);
        assert!(counts[0] == 0 && counts[1..].iter().all(|count| *count > 20), "{counts:?}");
        [Known::Column, Known::Row, Known::Neither]
            .map(|known| found.blocks.iter().find(|block| block.0 == known).unwrap().2.unwrap())
    };
    let offsets = blocks(RatingModel::Als, 0);
    for model in [RatingModel::Als, RatingModel::TwoTower, RatingModel::Discrete] {
        let found = blocks(model, 10);
        for (found, offsets) in found.iter().zip(offsets).take(2) {
            assert!(*found < 0.97 * offsets, "{model:?}: {found} {offsets}");
        }
        assert!(found[2] < 1.02 * offsets[2], "{model:?}: {found:?} {offsets:?}");
    }
}

#[test]
fn what_was_known_stays_as_it_was_and_what_is_new_is_found_by_its_label() {
    let ColdSplit { train, input, .. } = cold();
    let keep = |entries: &Entries, is_in: &dyn Fn(usize, usize) -> bool| {
        let cells = entries.iter().enumerate();
        let places = cells.filter(|(_, (i, j, _))| is_in(*i, *j)).map(|(place, _)| place);
        entries.take(&places.collect::<Vec<_>>())
    };
    let named = |entries: Entries| {
        let names = |what: &str, count| Some((0..count).map(|i| format!("{what}{i}")).collect());
        let (rows, cols) = entries.shape();
        let (row_labels, col_labels) = (names("u", rows), names("m", cols));
        Table { row_labels, col_labels, ..Table::new(entries) }
    };
    // The fit has a table of the first 120 rows alone, the others come later.
    let first = keep(&train, &|i, _| i < 120);
    let first = Entries::new(
        (120, 100),
        first.rows().to_vec(),
        first.cols().to_vec(),
        first.values().to_vec(),
    );
    let (first, later) = (named(first.unwrap()), named(train));
    for model in [RatingModel::Als, RatingModel::TwoTower] {
        let before = fitted(model, 5, &first);
        let done = before.fold_in(&later).unwrap();
        let after = &done.recommends;
        assert_eq!(done.left_out, first.entries.len());
        assert!(done.rows > 20 && done.cols == 0, "{} {}", done.rows, done.cols);
        assert_eq!(after.row_labels.as_ref().unwrap().len(), 150);
        let rated = later.entries.rows().iter().find(|i| **i >= 120).unwrap();
        let (old, new) = (before.rows().of("u7"), after.rows().of(&format!("u{rated}")));
        assert_eq!(before.rows().of(&format!("u{rated}")), None);
        for col in 0..100 {
            let cell = (old, Some(col));
            assert_eq!(before.predict(cell), after.predict(cell));
        }
        assert_eq!(after.predict((new, Some(4))).known, Known::Both);
        assert_eq!(after.known_in_fit((new, Some(4))), Known::Column);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        after.save(&path).unwrap();
        let read = Recommends::load(&path).unwrap();
        for col in 0..100 {
            assert_eq!(after.predict((new, Some(col))), read.predict((new, Some(col))));
            assert_eq!(after.recommend(new, 5), read.recommend(new, 5));
        }
        // What was read can take in more.
        let again = read.fold_in(&named(input.clone())).unwrap();
        assert!(again.rows + again.cols > 0);
        assert_eq!(
            read.fold_in(&first).unwrap_err().to_string(),
            "the number of ratings of a new row by a known column, or the reverse, must be 1 or more, but it is 0"
        );
    }
}

#[test]
fn towers_have_the_same_bits_at_one_and_two_threads() {
    let train = Table::new(cold().train);
    let at = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let size = TowerSize::Small;
            let model = RatingModel::Discrete;
            let settings =
                RecommenderSettings { model, size, epochs: Some(12), ..Default::default() };
            Recommender::new(settings, 1).fit(&train).unwrap()
        })
    };
    let (one, two) = (at(1), at(2));
    assert_eq!(one.factors, two.factors);
    assert_eq!(one.learned_scale, two.learned_scale);
}
