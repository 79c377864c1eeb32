//! Fits of small matrices and videos: choice, resuming, and what is refused.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::analysis::metrics::compare_lines;
use crate::data::{Scene, SceneSettings, Video};
use crate::linalg::Mat;
use crate::model::DecoderSize;
use crate::random::{Purpose, normal, stream};
use crate::spec::{MatrixTransport, Restarts, SparseTransport, VariationTransport, VideoTransport};
use crate::train::{Nmf, StopReason};

/// A fit of so many steps.
type Fit<'a> = &'a dyn Fn(&LightTransport<'_>, u64) -> FoundLight;

fn observed() -> Mat {
    let transport = Mat::from_fn(16, 12, |i, k| 1.0 / (1.0 + (i as f64 - 1.3 * k as f64).powi(2)));
    let light = Mat::from_fn(12, 24, |k, t| f64::from(u8::from((k + t / 2) % 5 == 0)) + 0.1);
    transport.times(&light)
}

fn small(steps: u64) -> MatrixTransport {
    MatrixTransport {
        inner: 12,
        size: DecoderSize::Eighth,
        keep: 1.0,
        direct: 1.0,
        restarts: Restarts { seeds: 2, steps, rate: 5e-3, average: 20, ..Restarts::default() },
        ..MatrixTransport::default()
    }
}

fn scene() -> Scene {
    let settings = SceneSettings {
        observed: (12, 14),
        hidden: (8, 8),
        frames: 19,
        ..SceneSettings::default()
    };
    Scene::simulated(&settings, 0).unwrap()
}

fn short(steps: u64) -> VideoTransport {
    VideoTransport {
        hidden: (8, 8),
        vectors: 6,
        light: DecoderSize::Eighth,
        transport: DecoderSize::Eighth,
        restarts: Restarts {
            seeds: 2,
            steps,
            rate: 2e-3,
            held_out: 0.1,
            average: 20,
            ..Restarts::default()
        },
        ..VideoTransport::default()
    }
}

#[test]
fn a_fit_lowers_the_error_and_the_seed_with_the_least_held_out_error_is_kept() {
    let z = observed();
    let found = LightTransport::new(3).matrix(&small(150), &z).unwrap();
    assert_eq!(found.trials.iter().map(|trial| trial.seed).collect::<Vec<_>>(), [3, 4]);
    let errors: Vec<f64> = found.trials.iter().map(|t| t.held_out_error.unwrap()).collect();
    let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(found.kept().held_out_error, Some(least));
    assert!(found.kept().product_error < 0.6, "{:?}", found.trials);
    let (transport, light) = (&found.transport[0], &found.light[0]);
    assert_eq!((transport.rows(), transport.cols()), (16, 12));
    assert_eq!((light.rows(), light.cols()), (12, 24));
    let error = transport.times(light).minus(&z).frobenius() / z.frobenius();
    assert!((error - found.kept().product_error).abs() < 1e-4, "{error}");
}

fn varied(steps: u64) -> VariationTransport {
    VariationTransport {
        starts: 6,
        refined: 3,
        vectors: 5,
        refined_vectors: 8,
        steps,
        refined_steps: steps,
        ..VariationTransport::default()
    }
}

#[test]
fn images_of_least_variation_are_found_where_other_factors_are_scrambled() {
    // A light field, whose columns shift what they see, and a dark and a bright bar that move before a background.
    let texture = |place: f64| ((place.floor() * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0);
    let sees = |x: f64| texture(x) * (1.0 - x.fract()) + texture(x + 1.0) * x.fract();
    let transport = Mat::from_fn(24, 16, |i, k| sees(100.0 + 0.7 * (i as f64 - 0.25 * k as f64)));
    let place = |t: usize, slow: f64| 7.5 + 6.0 * (t as f64 / slow).sin();
    let bar = |k: usize, at: f64, wide: f64| f64::from(u8::from((k as f64 - at).abs() < wide));
    let light = Mat::from_fn(16, 48, |k, t| {
        0.4 - 0.3 * bar(k, place(t, 5.0), 2.0) + 0.5 * bar(k, place(t + 9, 11.0), 1.0)
    });
    let z = transport.times(&light);
    let settings = VariationTransport { starts: 24, refined: 6, ..VariationTransport::default() };
    let found = LightTransport::new(0).variation(&settings, 16, &z).unwrap();
    let by_variation = compare_lines(&found.light[0], &light).unwrap().correlation;
    let nmf = Nmf { inner: 16, updates: 500, seed: 0 }.factor(&z).unwrap();
    let by_nmf = compare_lines(&nmf.right, &light).unwrap().correlation;
    assert!(by_variation > 0.5 && by_nmf < 0.3, "{by_variation} {by_nmf}");
    let product = found.transport[0].times(&found.light[0]);
    assert!(product.minus(&z).frobenius() < 0.05 * z.frobenius());
    let one = LightTransport::new(0).variation(&settings, 1, &z).unwrap_err();
    assert_eq!(one.to_string(), "inner must be 2 or more, but it is 1");
    assert!(LightTransport::new(0).variation(&settings, 0, &z).is_err());
    let agreement = |trial: &LightTrial| trial.agreement.unwrap();
    assert!(found.trials.iter().all(|trial| agreement(trial) <= agreement(found.kept())));
}

fn sparse(steps: u64) -> SparseTransport {
    SparseTransport {
        images: VariationTransport {
            starts: 6,
            refined: 5,
            steps,
            refined_steps: steps,
            ..SparseTransport::default().images
        },
        rounds: 4,
        by_size: 2,
        round_steps: steps,
        last: 3,
        ..SparseTransport::default()
    }
}

#[test]
fn a_sparse_light_is_found_where_other_factors_are_scrambled() {
    let (transport, light) = tracks();
    let z = transport.times(&light);
    let default = SparseTransport::default();
    let settings = SparseTransport {
        images: VariationTransport { starts: 48, refined: 12, ..default.images },
        rounds: 40,
        by_size: 12,
        ..default
    };
    let found = LightTransport::new(0).sparse(&settings, 24, &z).unwrap();
    let of = |light_found: &Mat| compare_lines(light_found, &light).unwrap().correlation;
    let nmf = Nmf { inner: 24, updates: 500, seed: 0 }.factor(&z).unwrap();
    let (by_search, by_nmf) = (of(&found.light[0]), of(&nmf.right));
    assert!(by_search > 0.5 && by_nmf < 0.3, "{by_search} {by_nmf}");
    let product = found.transport[0].times(&found.light[0]);
    assert!(product.minus(&z).frobenius() < 0.05 * z.frobenius());
    assert!(found.warnings.is_empty());
    let agreement = |trial: &LightTrial| trial.agreement.unwrap();
    assert!(found.trials.iter().all(|trial| agreement(trial) <= agreement(found.kept())));
    let one = LightTransport::new(0).sparse(&settings, 1, &z).unwrap_err();
    assert_eq!(one.to_string(), "inner must be 2 or more, but it is 1");
}

/// A light field, whose columns shift what they see, and bars that move in the dark, each at a pace of its own.
fn tracks() -> (Mat, Mat) {
    let texture = |place: f64| ((place.floor() * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0);
    let sees = |x: f64| texture(x) * (1.0 - x.fract()) + texture(x + 1.0) * x.fract();
    let transport = Mat::from_fn(32, 24, |i, k| sees(100.0 + 0.7 * (i as f64 - 0.25 * k as f64)));
    let light = Mat::from_fn(24, 80, |k, t| {
        let bar = |pace: f64, begin: f64, wide: f64| {
            let from = (k as f64 - (begin + pace * t as f64).rem_euclid(40.0)).abs();
            (1.0 + wide - from).clamp(0.0, 1.0)
        };
        bar(0.37, 0.0, 0.6) + 0.5 * bar(0.61, 20.0, 0.9) + 0.7 * bar(-0.83, 33.0, 0.4)
    });
    (transport, light)
}

#[test]
fn places_that_noise_hides_are_not_spaced_anew_which_is_said() {
    let (transport, light) = tracks();
    let z = transport.times(&light);
    let mut draws = stream(4, Purpose::Noise, 0);
    let mut noisy = z.clone();
    noisy.values_mut().iter_mut().for_each(|x| *x += 0.1 * normal(&mut draws));
    let told = |z: &Mat| LightTransport::new(0).sparse(&sparse(20), 24, z).unwrap().warnings;
    assert!(told(&z).is_empty());
    assert!(told(&noisy)[0].contains("a bent line is left bent"), "{:?}", told(&noisy));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let app = LightTransport::new(0).threads(Some(threads));
            let matrix = app.matrix(&small(30), &observed()).unwrap();
            let video = app.video(&short(20), &scene().observed).unwrap();
            let images = app.variation(&varied(30), 12, &observed()).unwrap();
            let search = app.sparse(&sparse(30), 12, &observed()).unwrap();
            [matrix, video, images, search].map(|found| found.light[0].values().to_vec())
        })
    };
    assert_eq!(of(1), of(2));
}

#[test]
fn a_fit_that_is_taken_up_again_ends_in_the_same_bits() {
    let scene = scene();
    let fits: [Fit<'_>; 2] =
        [&|app, steps| app.matrix(&small(steps), &observed()).unwrap(), &|app, steps| {
            app.video(&short(steps), &scene.observed).unwrap()
        }];
    for fit in fits {
        let folder = tempfile::tempdir().unwrap();
        let within = || LightTransport::new(0).folder(folder.path());
        fit(&within(), 25);
        let resumed = fit(&within().resume(true), 60);
        let whole = fit(&LightTransport::new(0), 60);
        assert_eq!(resumed.light[0], whole.light[0]);
        assert_eq!(resumed.transport[0], whole.transport[0]);
        assert_eq!(resumed.params, whole.params);
    }
}

#[test]
fn fits_of_images_go_on_from_where_they_were_stopped() {
    let (varied, sparse) = (varied(300), sparse(300));
    let by_variation: Fit<'_> = &|app, _| app.variation(&varied, 12, &observed()).unwrap();
    let by_search: Fit<'_> = &|app, _| app.sparse(&sparse, 12, &observed()).unwrap();
    let stops = [
        (by_variation, vec![("start 4", 100), ("refinement 2", 200)]),
        (by_search, vec![("start 4", 100), ("round 3, fit 2", 200), ("last fit 1", 200)]),
    ];
    for (fit, stops) in stops {
        let whole = fit(&LightTransport::new(5), 0);
        assert_eq!(whole.reason(), StopReason::StepsDone);
        for (what, step) in stops {
            let folder = tempfile::tempdir().unwrap();
            let flag = Arc::new(AtomicBool::new(false));
            let within = || LightTransport::new(5).threads(Some(1)).folder(folder.path());
            let stopping = within().interrupt(Arc::clone(&flag)).watch(|stage| {
                let reached = stage.what == what && stage.progress.step == step;
                flag.fetch_or(reached, Ordering::Relaxed);
            });
            let stopped = fit(&stopping, 0);
            assert_eq!(stopped.reason(), StopReason::Interrupted, "{what}");
            assert_ne!(stopped.light, whole.light);
            assert_eq!(stopped.light[0].rows(), 12);
            let resumed = fit(&within().resume(true), 0);
            assert_eq!((&resumed.light, &resumed.params), (&whole.light, &whole.params), "{what}");
            assert_eq!(resumed.reason(), StopReason::StepsDone);
        }
    }
}

#[test]
fn rounds_of_another_search_are_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let within = || LightTransport::new(5).folder(folder.path());
    within().sparse(&sparse(20), 12, &observed()).unwrap();
    let error = within().resume(true).sparse(&sparse(20), 14, &observed()).unwrap_err();
    assert!(error.to_string().contains("rounds.npy, kept by the run that is resumed"), "{error}");
}

#[test]
fn a_light_can_be_looked_at_while_it_is_fitted_which_changes_nothing() {
    let scene = scene();
    let fits: [(Fit<'_>, [usize; 2]); 2] = [
        (&|app, steps| app.matrix(&small(steps), &observed()).unwrap(), [12, 24]),
        (&|app, steps| app.video(&short(steps), &scene.observed).unwrap(), [64, 16]),
    ];
    for (fit, shape) in fits {
        let mut seen = Vec::new();
        let app = LightTransport::new(7).threads(Some(1)).look(Duration::ZERO, |look| {
            let light = look.light();
            assert_eq!([light[0].rows(), light[0].cols()], shape);
            seen.push((look.seed, look.progress.step, light));
        });
        let found = fit(&app, 210);
        drop(app);
        let whole = fit(&LightTransport::new(7), 210);
        assert_eq!((&found.light[0], &found.params), (&whole.light[0], &whole.params));
        // The first seed leads until the second, which is fitted afterwards, passes it.
        let told = |(seed, step, _): &(u64, u64, Vec<Mat>)| (*seed, *step);
        assert_eq!(seen[..3].iter().map(told).collect::<Vec<_>>(), [(7, 100), (7, 200), (7, 210)]);
        assert_ne!(seen[0].2[0], seen[1].2[0]);
        let last = found.trials[0].kept == "last";
        assert!(!last || seen[2].2[0] == found.trials[0].light[0]);
    }
}

#[test]
fn a_video_is_fitted_over_its_pixels_and_in_its_basis() {
    let scene = scene();
    for in_basis in [false, true] {
        let settings = VideoTransport { in_basis, penalty_rows: 5, ..short(300) };
        let found = LightTransport::new(0).video(&settings, &scene.observed).unwrap();
        assert!(found.kept().product_error < 0.2, "{in_basis} {:?}", found.trials);
        assert_eq!((found.transport[0].rows(), found.transport[0].cols()), (168, 64));
        assert_eq!((found.light[0].rows(), found.light[0].cols()), (64, 16));
        assert_eq!(found.warnings, ["19 frames: the last 3 frames are left out"]);
        let product = found.transport[0].times(&found.light[0]);
        let (ready, _) = scene.observed.in_multiples_of(8).unwrap();
        let z = ready.channel(0);
        let error = product.minus(&z).frobenius() / z.frobenius();
        assert!((error - found.kept().product_error).abs() < 1e-4, "{in_basis} {error}");
    }
}

#[test]
fn over_exposed_pixels_are_left_out() {
    let scene = scene();
    let mut values = scene.observed.values().to_vec();
    values[3] = 1.0;
    let video = Video::new(scene.observed.shape(), values).unwrap();
    let found = LightTransport::new(0).video(&short(5), &video).unwrap();
    let last = found.warnings.last().unwrap();
    assert_eq!(last, "1 of 168 pixels are over-exposed and left out");
    assert!((0..64).all(|h| found.transport[0][(3, h)] == 0.0));
}

#[test]
fn what_cannot_be_told_is_refused() {
    let matrix = |settings: &MatrixTransport, z: &Mat| {
        LightTransport::new(0).matrix(settings, z).unwrap_err().to_string()
    };
    assert_eq!(
        matrix(&small(1), &Mat::zeros(7, 9)),
        "the observed matrix must be of 8 rows and columns or more, but it is 7 x 9"
    );
    assert_eq!(
        matrix(&small(1), &Mat::from_fn(9, 9, |i, _| i as f64)),
        "the observed matrix must be one in which something changes, but it is the same in every column"
    );
    let mut z = observed();
    z[(2, 3)] = f64::NAN;
    assert_eq!(
        matrix(&small(1), &z),
        "every entry of the observed matrix must be finite, but it is NaN"
    );
    let none = MatrixTransport { inner: 0, ..small(1) };
    assert_eq!(matrix(&none, &observed()), "inner must be 1 or more, but it is 0");
    let video = |settings: VideoTransport| {
        LightTransport::new(0).video(&settings, &scene().observed).unwrap_err().to_string()
    };
    assert_eq!(
        video(VideoTransport { hidden: (10, 8), ..short(1) }),
        "the size of the hidden video must be multiples of 8 on both sides, such as 16 x 8, but it is 10 x 8"
    );
    assert_eq!(
        video(VideoTransport { longest_lag: 8, ..short(1) }),
        "longest-lag must be from 1 to 7, but it is 8"
    );
    assert_eq!(
        video(VideoTransport { white: 1e-9, ..short(1) }),
        "the observed video must be below 0.000000001 all the time in some pixel, but it is over-exposed in every pixel"
    );
    let refused = memory::refusal(3_000_000_000, 2_000_000_000).to_string();
    assert_eq!(
        refused,
        "the memory that the fit needs must be at most the 2.0 GB that are free (fewer pixels by a crop, fewer frames, \
         fewer threads or a smaller hidden size need less), but it is 3.0 GB"
    );
}

#[test]
fn the_memory_that_is_foreseen_is_that_of_the_networks_and_of_the_product() {
    use crate::model::VideoDecoders;
    let settings = VideoTransport::default();
    let sizes = VideoDecoders {
        hidden: (16, 16),
        frames: 256,
        colours: 3,
        vectors: 32,
        light: DecoderSize::Published,
        transport: DecoderSize::Published,
    };
    let of = |pixels: usize| {
        let (light, transport) = (sizes.light::<f32>().unwrap(), sizes.transport().unwrap());
        memory::needed(&settings, &sizes, pixels, [&light, &transport], 1) as f64
    };
    // A video of 128 x 128 x 256 x 3 numbers takes 0.1 GB, which is there four times.
    assert!((0.6e9..1.2e9).contains(&of(128 * 128)), "{}", of(128 * 128));
    assert!(of(64 * 64) < of(128 * 128) - 0.4e9);
}
