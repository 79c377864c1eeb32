//! Recommenders: predictions, rankings, errors, files, and bad input.

#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

use deepmf::apps::{Known, RankingSettings, Recommender, Recommends, compare_recommenders};
use deepmf::data::{self, Entries, Table};
use deepmf::linalg::Mat;
use deepmf::model::{Discretizer, Tensors};
use deepmf::random::{Purpose, RngExt, stream};
use deepmf::spec::{RatingModel, RecommenderSettings, TowerSize};

const MODELS: [RatingModel; 6] = [
    RatingModel::Als,
    RatingModel::Linear,
    RatingModel::Autorec,
    RatingModel::Latent,
    RatingModel::TwoTower,
    RatingModel::Discrete,
];

/// Ratings from 1 to 5 of 80 users and 50 items: those to fit and those to test, with labels.
fn ratings() -> (Table, Table) {
    let truth = data::low_rank((80, 50), 2, 3).unwrap();
    let value = |i: usize, j: usize| {
        let x = 3.2 + 0.8 * truth[(i, j)] + 0.5 * (i as f64 * 0.9).sin() - 0.4 * (j as f64).cos();
        x.round().clamp(1.0, 5.0)
    };
    let all = Mat::from_fn(80, 50, value);
    let seen = data::observe(&all, &data::random_cells((80, 50), 2_400, 1).unwrap()).unwrap();
    let (train, test) = data::split(&seen, 0.25, 4).unwrap();
    (labelled(train), labelled(test))
}

fn labelled(entries: Entries) -> Table {
    let (rows, cols) = entries.shape();
    let names = |what: &str, count| Some((0..count).map(|i| format!("{what}{i}")).collect());
    Table {
        row_labels: names("user", rows),
        col_labels: names("item", cols),
        ..Table::new(entries)
    }
}

fn fitted(model: RatingModel, train: &Table) -> Recommends {
    let towers = matches!(model, RatingModel::TwoTower | RatingModel::Discrete);
    let epochs = towers.then_some(150);
    let size = TowerSize::Small;
    let settings = RecommenderSettings { model, size, epochs, ..Default::default() };
    Recommender::new(settings, 0).fit(train).unwrap()
}

#[test]
fn every_model_beats_the_mean_and_their_probabilities_beat_the_shares_of_levels() {
    let (train, test) = ratings();
    let mean = train.entries.mean();
    let squares = test.entries.values().iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let trivial = (squares / test.entries.len() as f64).sqrt();
    let share = |level: f64| {
        let count = train.entries.values().iter().filter(|x| **x == level).count();
        count as f64 / train.entries.len() as f64
    };
    let logs = test.entries.values().iter().map(|x| -share(*x).ln()).sum::<f64>();
    let trivial_log = logs / test.entries.len() as f64;
    for model in MODELS {
        let found = fitted(model, &train).evaluate(&test).unwrap();
        assert!(found.rmse < 0.75 * trivial, "{model:?}: {found:?} {trivial}");
        assert!(found.log_loss.unwrap() < 0.85 * trivial_log, "{found:?} {trivial_log}");
        assert!(found.exact_rate.unwrap() > 0.45, "{found:?}");
        let counted: usize = found.reliability.iter().map(|bin| bin.count).sum();
        assert_eq!(counted, 5 * test.entries.len());
        assert_eq!(found.blocks[0], (Known::Both, 600, Some(found.rmse)));
        assert_eq!(found.blocks[3], (Known::Neither, 0, None));
    }
}

#[test]
fn what_is_recommended_was_not_rated_and_comes_best_first() {
    let (train, _) = ratings();
    let fitted = fitted(RatingModel::Als, &train);
    for row in [0, 17, 79] {
        let best = fitted.recommend(Some(row), 100);
        assert_eq!(best.len(), 50 - fitted.seen(row).len());
        assert!(best.iter().all(|(j, _)| !fitted.seen(row).contains(&(*j as u32))));
        assert!(best.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        assert_eq!(fitted.recommend(Some(row), 3), best[..3]);
        assert_eq!(best[0].1, fitted.predict((Some(row), Some(best[0].0))).value);
    }
    let unknown = fitted.recommend(None, 4);
    let most = fitted.factors.cols.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(fitted.factors.cols[unknown[0].0], most);
}

#[test]
fn similar_columns_have_alike_factors() {
    // Columns 0 and 1 are rated alike, 2 the other way, 3 by another taste.
    let value = |i: usize, j: usize| {
        let x = (i as f64 * 1.7).sin();
        let y = (i as f64 * 2.9).cos();
        (3.0 + 2.0 * [x, x, -x, y][j]).round()
    };
    let table = Table::new(Entries::from_dense(&Mat::from_fn(60, 4, value)).unwrap());
    let fitted = fitted(RatingModel::Als, &table);
    let near = fitted.similar(0, 3);
    assert_eq!((near[0].0, near[2].0), (1, 2));
    assert!(near[0].1 > 0.9 && near[2].1 < -0.9, "{near:?}");
}

#[test]
fn unknown_ids_are_predicted_by_the_offset_of_the_other() {
    let (train, _) = ratings();
    let fitted = fitted(RatingModel::Als, &train);
    let (rows, cols) = (fitted.rows(), fitted.cols());
    assert_eq!((rows.of("user7"), rows.of("nobody"), cols.of("item3")), (Some(7), None, Some(3)));
    let at = &fitted.factors;
    let found = fitted.predict((None, Some(3)));
    assert_eq!((found.value, found.known), (at.mean + at.cols[3], Known::Column));
    let found = fitted.predict((None, None));
    assert_eq!((found.value, found.known), (at.mean, Known::Neither));
    // A pair of other labels, in another order.
    let entries = Entries::new((2, 2), vec![0, 1], vec![0, 1], vec![3.0, 4.0]).unwrap();
    let names = |names: [&str; 2]| Some(names.map(String::from).to_vec());
    let (row_labels, col_labels) = (names(["nobody", "user7"]), names(["item3", "item9"]));
    let pairs = Table { row_labels, col_labels, ..Table::new(entries) };
    assert_eq!(fitted.pairs(&pairs), [(None, Some(3)), (Some(7), Some(9))]);
    let blocks = fitted.evaluate(&pairs).unwrap().blocks;
    assert_eq!(blocks.map(|block| block.1), [1, 0, 1, 0]);
}

#[test]
fn a_row_without_a_rating_counts_as_unknown() {
    let (train, _) = ratings();
    let keep: Vec<usize> =
        (0..train.entries.len()).filter(|e| train.entries.rows()[*e] != 5).collect();
    let fitted = fitted(RatingModel::Als, &labelled(train.entries.take(&keep)));
    assert_eq!((fitted.rows().of("user5"), fitted.rows().of("user6")), (None, Some(6)));
}

#[test]
fn the_same_seed_gives_the_same_bits_at_one_and_two_threads() {
    let (train, _) = ratings();
    for model in [RatingModel::Als, RatingModel::Autorec, RatingModel::Latent] {
        let fit = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fitted(model, &train).factors)
        };
        assert_eq!(fit(1), fit(2), "{model:?}");
    }
}

#[test]
fn epochs_hidden_and_penalty_are_those_of_the_settings() {
    let (train, _) = ratings();
    for model in [RatingModel::Autorec, RatingModel::Latent] {
        let settings = RecommenderSettings {
            model,
            rank: 3,
            epochs: Some(7),
            hidden: Some(6),
            penalty: Some(2.0),
            validation: 0.0,
            ..Default::default()
        };
        let fit = |settings: &RecommenderSettings| {
            Recommender::new(settings.clone(), 0).fit(&train).unwrap()
        };
        let found = fit(&settings);
        // Offsets and mean; weights and biases of a network of width 6 over 80 rows, its codes those of the rows or of 50 latents of length 3.
        let own =
            if model == RatingModel::Autorec { 6 * 81 + 80 * 7 } else { 3 * 50 + 6 * 4 + 80 * 7 };
        assert_eq!((found.steps, found.parameters), (7, 131 + own), "{model:?}");
        assert_eq!((found.factors.rank(), found.probabilities.is_none()), (6, true));
        let stiff = fit(&RecommenderSettings { penalty: Some(1e4), epochs: Some(60), ..settings });
        assert!(stiff.factors.left.frobenius() < 0.1 * found.factors.left.frobenius());
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let (train, _) = ratings();
    let told = |model, hidden, penalty| {
        let settings = RecommenderSettings { model, hidden, penalty, ..Default::default() };
        Recommender::new(settings, 0).fit(&train).unwrap_err().to_string()
    };
    let width = "every width of an autoencoder must be 1 or more, but it is 0";
    assert_eq!(told(RatingModel::Autorec, Some(0), None), width);
    let width = "every width of a decoder must be 1 or more, but it is 0";
    assert_eq!(told(RatingModel::Latent, Some(0), None), width);
    let penalty = "penalty must be 0 or more, but it is -1";
    assert_eq!(told(RatingModel::Autorec, None, Some(-1.0)), penalty);
    let settings =
        RecommenderSettings { model: RatingModel::Latent, epochs: Some(0), ..Default::default() };
    let epochs = Recommender::new(settings, 0).fit(&train).unwrap_err().to_string();
    assert_eq!(epochs, "epochs must be 1 or more, but it is 0");
}

#[test]
fn a_saved_recommender_comes_back() {
    let (train, test) = ratings();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let continuous = train.entries.values().iter().zip(0..).map(|(x, e)| x + 1e-3 * f64::from(e));
    let continuous = labelled(train.entries.with_values(continuous.collect()).unwrap());
    for table in [&train, &continuous] {
        let before = fitted(RatingModel::Als, table);
        before.save(&path).unwrap();
        let after = Recommends::load(&path).unwrap();
        assert_eq!(after.factors, before.factors);
        assert_eq!((&after.scale, &after.probabilities), (&before.scale, &before.probabilities));
        assert_eq!((&after.settings, after.held_rmse), (&before.settings, before.held_rmse));
        assert_eq!(after.recommend(Some(3), 9), before.recommend(Some(3), 9));
        assert_eq!(after.evaluate(&test).unwrap(), before.evaluate(&test).unwrap());
        assert_eq!(before.scale.is_none(), std::ptr::eq(table, &raw const continuous));
    }
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), {
        Recommends::load(&path).unwrap().save(&path).unwrap();
        bytes
    });
}

#[test]
fn files_that_are_no_whole_recommender_are_refused() {
    let (train, _) = ratings();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    fitted(RatingModel::Als, &train).save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let told = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Recommends::load(&path).unwrap_err().to_string()
    };
    for end in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(told(&bytes[..end]).contains("must be"), "{end}");
    }
    let swap = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.clone();
        let place = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        bytes[place..place + from.len()].copy_from_slice(to.as_bytes());
        told(&bytes)
    };
    let version = r#"{\"version\":2"#;
    assert!(swap(version, r#"{\"version\":7"#).ends_with("must have version 2, but it has 7"));
    assert!(swap(version, r#"{\"versian\":2"#).contains("it has no version"));
    assert!(swap("user12", "user\\u").contains("must be"));
    assert!(swap("parameters", "paramefers").contains("unknown field"));
    assert!(swap("\"mean\"", "\"me_n\"").contains("the tensor mean must be there"));
    std::fs::write(&path, &bytes).unwrap();
    let wrong = |change: &dyn Fn(&mut Tensors)| {
        let mut file = Tensors::load(folder.path().join("m")).unwrap();
        change(&mut file);
        let other = folder.path().join("other");
        file.save(&other).unwrap();
        Recommends::load(&other).unwrap_err().to_string()
    };
    assert!(wrong(&|file| file.add("mean", vec![f64::NAN])).contains("must be finite"));
    assert!(wrong(&|file| file.add("mean", vec![])).contains("must have 1 number"));
    assert!(wrong(&|file| file.add("range", vec![5.0, 1.0])).contains("ascending"));
    assert!(wrong(&|file| file.add("row_offsets", vec![0.0])).contains("factors"));
    assert!(wrong(&|file| file.add("seen_rows", vec![1e9; 3])).contains("below 80"));
    assert!(wrong(&|file| file.add("seen_rows", vec![1.0; 3])).contains("ids"));
    assert!(wrong(&|file| file.add("seen_ratings", vec![1.0; 3])).contains("ids"));
    assert!(wrong(&|file| file.add("held_errors", vec![-1.0])).contains("ascending"));
    assert!(wrong(&|file| file.add("levels", vec![1.0, 1.0])).contains("ascending"));
    assert!(wrong(&|file| file.add("steepness", vec![-1.0; 4])).contains("finite and rising"));
    assert!(wrong(&|file| file.add_matrix("left", &Mat::zeros(3, 80))).contains("factors"));
    assert!(wrong(&|file| file.add_word("deepmf-recommender", "[]")).contains("no version"));
}

#[test]
fn bad_ratings_and_settings_are_refused() {
    let (train, test) = ratings();
    let told = |table: &Table, settings: RecommenderSettings| {
        Recommender::new(settings, 0).fit(table).unwrap_err().to_string()
    };
    let flat = Table::new(Entries::from_dense(&Mat::from_fn(9, 9, |_, _| 4.0)).unwrap());
    let one = "the number of levels must be 2 or more, but it is 1";
    assert_eq!(told(&flat, RecommenderSettings::default()), one);
    let nothing = labelled(train.entries.take(&[]));
    let none = "the number of ratings must be 1 or more, but it is 0";
    assert_eq!(told(&nothing, RecommenderSettings::default()), none);
    let settings = RecommenderSettings { validation: 1.0, ..Default::default() };
    assert_eq!(told(&train, settings), "validation must be from 0 to 0.9, but it is 1");
    let settings = RecommenderSettings { ridge: Some(-1.0), ..Default::default() };
    assert_eq!(told(&train, settings), "ridge must be above 0, but it is -1");
    let fitted = fitted(RatingModel::Als, &train);
    let empty = fitted.evaluate(&labelled(test.entries.take(&[]))).unwrap_err().to_string();
    assert_eq!(empty, "the number of test ratings must be 1 or more, but it is 0");
    let off = test.entries.with_values(vec![2.5; test.entries.len()]).unwrap();
    let off = fitted.evaluate(&labelled(off)).unwrap_err().to_string();
    assert!(off.starts_with("every rating must be one of the levels 1, 2, 3, 4, 5"), "{off}");
}

#[test]
fn without_validation_there_are_no_probabilities() {
    let (train, test) = ratings();
    let settings = RecommenderSettings { validation: 0.0, ..Default::default() };
    let found = Recommender::new(settings, 0).fit(&train).unwrap();
    assert!(found.probabilities.is_none() && found.held_rmse.is_none());
    let found = found.evaluate(&test).unwrap();
    assert!(found.rmse_rounded.is_some() && found.log_loss.is_none() && found.exact_rate.is_none());
}

#[test]
fn no_mutated_file_makes_the_reader_panic() {
    let (train, _) = ratings();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    fitted(RatingModel::Als, &train).save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut random = stream(1, Purpose::Noise, 0);
    let (mut read, mut refused) = (0, 0);
    for trial in 0..400 {
        let mut bytes = whole.clone();
        // Every other time only in the head, where most of what is checked stands.
        let end = if trial % 2 == 0 { bytes.len() } else { 2_500 };
        for _ in 0..random.random_range(1..4) {
            let place = random.random_range(0..end);
            bytes[place] = random.random();
        }
        std::fs::write(&path, &bytes).unwrap();
        match Recommends::load(&path) {
            Ok(found) => {
                read += 1;
                assert!(found.recommend(Some(0), 3).iter().all(|best| best.1.is_finite()));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 0 && refused > 0, "{read} {refused}");
}

#[test]
fn rankings_beat_those_of_the_best_liked_and_are_the_same_for_one_seed() {
    let (train, test) = ratings();
    let settings = RankingSettings { top: 5, negatives: 20, ..Default::default() };
    let offsets = RecommenderSettings { rank: 0, ..Default::default() };
    let offsets = Recommender::new(offsets, 0).fit(&train).unwrap();
    let trivial = offsets.ranking(&test, &settings).unwrap();
    let model = fitted(RatingModel::Als, &train);
    let found = model.ranking(&test, &settings).unwrap();
    assert_eq!((found.top, found.threshold), (5, 4.0));
    let relevant = test.entries.values().iter().filter(|x| **x >= 4.0).count();
    assert_eq!((found.relevant, trivial.relevant), (relevant, relevant));
    assert!(found.ndcg > trivial.ndcg + 0.05, "{found:?} {trivial:?}");
    assert!(found.hit_rate > trivial.hit_rate + 0.05, "{found:?} {trivial:?}");
    assert!(found.recall > trivial.recall && found.precision > trivial.precision);
    assert_eq!(model.ranking(&test, &settings).unwrap(), found);
    let all = RankingSettings { top: 50, negatives: 0, ..settings };
    let all = model.ranking(&test, &all).unwrap();
    assert_eq!((all.recall, all.hit_rate), (1.0, 1.0));
    let told = |settings| model.ranking(&test, &settings).unwrap_err().to_string();
    let none = told(RankingSettings { threshold: Some(6.0), ..settings });
    assert!(none.starts_with("the number of test ratings of 6 or more in known pairs"), "{none}");
    assert!(told(RankingSettings { top: 0, ..settings }).contains("the number of places"));
}

/// Ratings with noise and without levels, those to fit and those to test.
fn noisy() -> (Table, Table) {
    let truth = data::low_rank((150, 80), 2, 8).unwrap();
    let mut random = stream(5, Purpose::Noise, 0);
    let all = Mat::from_fn(150, 80, |i, j| {
        truth[(i, j)] + 0.5 * deepmf::random::normal(&mut random) + (j as f64).sin()
    });
    let seen = data::observe(&all, &data::random_cells((150, 80), 8_000, 2).unwrap()).unwrap();
    let (train, test) = data::split(&seen, 0.25, 4).unwrap();
    (labelled(train), labelled(test))
}

#[test]
fn intervals_hold_the_share_that_was_asked_for_of_ratings_with_levels_too() {
    let share = |model: &Recommends, test: &Table, coverage: f64| {
        let pairs = model.pairs(test).into_iter().zip(test.entries.values());
        let held = pairs.filter(|(pair, x)| {
            let found = model.predict_within(*pair, coverage).unwrap();
            let (lower, upper) = found.interval.unwrap();
            assert!(lower <= found.value && found.value <= upper);
            lower <= **x && **x <= upper
        });
        held.count() as f64 / test.entries.len() as f64
    };
    let settings = RecommenderSettings { validation: 0.2, ..Default::default() };
    let (train, test) = noisy();
    let model = Recommender::new(settings.clone(), 0).fit(&train).unwrap();
    // 1200 errors of held-out ratings and 2000 test ratings: a deviation of 0.011 at 0.9.
    for coverage in [0.5, 0.8, 0.9] {
        let found = share(&model, &test, coverage);
        assert!((found - coverage).abs() < 0.04, "{coverage} {found}");
    }
    let (train, test) = ratings();
    let model = Recommender::new(settings, 0).fit(&train).unwrap();
    // 360 errors and 600 test ratings.
    for coverage in [0.5, 0.8, 0.9] {
        let found = share(&model, &test, coverage);
        assert!((found - coverage).abs() < 0.06, "{coverage} {found}");
    }
    let pair = (Some(3), Some(4));
    let (lower, upper) = model.predict_within(pair, 0.5).unwrap().interval.unwrap();
    assert!([lower, upper].iter().all(|end| (1.0..=5.0).contains(end)));
    assert_eq!(model.predict_within((None, Some(4)), 0.5).unwrap().interval, None);
    assert_eq!(model.predict_within(pair, 0.999_99).unwrap().interval, None);
    assert!(
        model.predict_within(pair, 1.0).is_err() && model.predict_within(pair, f64::NAN).is_err()
    );
}

#[test]
fn what_the_ratings_of_a_row_carry_adds_up_to_its_prediction() {
    let (train, _) = ratings();
    for model in [RatingModel::Als, RatingModel::Linear] {
        let fitted = fitted(model, &train);
        let mut squares = 0.0;
        for row in 0..80 {
            let found = fitted.explain(row, 7).unwrap();
            let sum: f64 = found.shares.iter().map(|share| share.share).sum();
            assert!((found.base + sum - found.value).abs() < 1e-12);
            assert_eq!(found.shares.len(), fitted.seen(row).len());
            let sizes = found.shares.windows(2).all(|w| w[0].share.abs() >= w[1].share.abs());
            assert!(sizes && found.base == fitted.factors.mean + fitted.factors.cols[7]);
            squares += (found.value - fitted.factors.at(row, 7)).powi(2);
        }
        let apart = (squares / 80.0).sqrt();
        assert!(apart < if model == RatingModel::Als { 0.05 } else { 0.3 }, "{model:?} {apart}");
        let told = fitted.explain(80, 7).unwrap_err().to_string();
        assert_eq!(told, "the row must be one with a rating in the fit, but it is 80");
        assert!(fitted.explain(0, 50).is_err());
    }
}

#[test]
fn a_rating_carries_what_its_change_would_change() {
    let (train, _) = ratings();
    let settings = RecommenderSettings { rank: 0, ..Default::default() };
    let model = Recommender::new(settings, 0).fit(&train).unwrap();
    // Offsets alone: each rating carries its residual over the number of ratings and the ridge of 5.
    let found = model.explain(3, 7).unwrap();
    let count = model.seen(3).len() as f64;
    for share in &found.shares {
        let left = share.rating - model.factors.mean - model.factors.cols[share.col];
        assert!((share.share - left / (count + 5.0)).abs() < 1e-12, "{share:?}");
    }
}

#[test]
fn models_are_compared_on_the_same_folds_in_their_order() {
    let (train, _) = ratings();
    let offsets = RecommenderSettings { rank: 0, ..Default::default() };
    let models = [offsets, RecommenderSettings::default()];
    let found = compare_recommenders(&models, &train, 4, 1, None).unwrap();
    assert_eq!(found.iter().map(|c| c.settings.rank).collect::<Vec<_>>(), [0, 10]);
    assert!(found[1].rmse < found[0].rmse - 2.0 * found[0].rmse_error, "{found:?}");
    assert!(found.iter().all(|c| c.log_loss.is_some() && c.exact_rate.is_some()));
    let (rest, held) = &data::k_fold(&train.entries, 4, 1).unwrap()[2];
    let alone = Recommender::new(models[1].clone(), 1).fit(&labelled(rest.clone())).unwrap();
    let alone = alone.evaluate(&labelled(held.clone())).unwrap();
    assert!((alone.rmse - found[1].rmse).abs() < 3.0 * 2.0 * found[1].rmse_error);
    assert!(compare_recommenders(&models, &train, 1, 1, None).is_err());
    assert!(compare_recommenders(&[], &train, 4, 1, None).is_err());
}

#[test]
fn a_level_that_occurs_once_is_no_obstacle_to_a_comparison() {
    let (train, _) = ratings();
    let mut values = train.entries.values().to_vec();
    let lowest = values.iter().fold(f64::INFINITY, |least, x| least.min(*x));
    values[7] = lowest - 1.0;
    let train = labelled(train.entries.with_values(values).unwrap());
    let found = compare_recommenders(&[RecommenderSettings::default()], &train, 3, 1, None);
    assert!(found.unwrap()[0].log_loss.is_some());
}

#[test]
fn levels_may_be_given_and_then_hold_for_every_rating() {
    let (train, test) = ratings();
    let half_stars: Vec<f64> = (1..=10).map(|k| 0.5 * f64::from(k)).collect();
    let scale = Discretizer::new(&half_stars).unwrap();
    let fitted = Recommender::new(RecommenderSettings::default(), 0).scale(scale).fit(&train);
    let mut values = test.entries.values().to_vec();
    values[0] = 0.5;
    let test = labelled(test.entries.with_values(values).unwrap());
    let found = fitted.unwrap().evaluate(&test).unwrap();
    assert!(found.log_loss.unwrap().is_finite() && found.rmse_discrete.is_some());
    let whole = Discretizer::new(&[2.0, 3.0, 4.0, 5.0]).unwrap();
    let refused = Recommender::new(RecommenderSettings::default(), 0).scale(whole).fit(&train);
    let told = refused.unwrap_err().to_string();
    assert_eq!(told, "every rating must be one of the levels 2, 3, 4, 5, but it is 1");
}
