//! Laws and exact sizes of decoders and of the product of two of them.

use super::*;
use crate::linalg::{Mat, dot};
use crate::model::{Mode, Model, Params, Pass, Precision};
use crate::problem::{
    Absolute, Axis, Constant, Differences, Evaluation, Full, KnownFactor, Observation, Problem,
    Squared, Term,
};
use crate::product::Product;
use crate::random::{Purpose, normal, stream};
use std::sync::Arc;

const SIZES: VideoDecoders = VideoDecoders {
    hidden: (8, 8),
    frames: 16,
    colours: 3,
    vectors: 4,
    light: DecoderSize::Eighth,
    transport: DecoderSize::Eighth,
};

#[test]
fn published_decoders_have_their_published_numbers_of_parameters() {
    use DecoderSize::Published;
    let image = |rows, cols, told: Option<Vec<f64>>| {
        let settings = ImageDecoder { rows, cols, size: Published, told, keep: 0.5, number: 0 };
        let decoder = settings.build::<f32>().unwrap();
        (decoder.parameters() - decoder.latents(), decoder.latents())
    };
    assert_eq!(image(128, 128, Some(vec![0.0; 128])), (614_131, 1_024));
    assert_eq!(image(128, 256, None), (613_555, 2_048));
    let sizes = VideoDecoders {
        hidden: (16, 16),
        frames: 256,
        vectors: 32,
        light: Published,
        transport: Published,
        ..SIZES
    };
    assert_eq!(sizes.transport::<f32>().unwrap().parameters(), 810_400);
    assert_eq!(sizes.light::<f32>().unwrap().parameters(), 757_865);
    assert_eq!(sizes.light::<f32>().unwrap().grid().positions(), 256 * 16 * 16);
}

#[test]
fn what_a_decoder_cannot_make_is_named_with_what_it_can() {
    let message = |sizes: VideoDecoders| sizes.light::<f32>().unwrap_err().to_string();
    assert_eq!(
        message(VideoDecoders { hidden: (12, 16), ..SIZES }),
        "the size of the hidden video must be multiples of 8 on both sides, such as 16 x 16, but it is 12 x 16"
    );
    assert_eq!(
        message(VideoDecoders { frames: 9, ..SIZES }),
        "the number of frames must be a multiple of 8, but it is 9"
    );
}

fn video(pixels: usize, frames: usize, colours: usize) -> Vec<Mat> {
    let mut draws = stream(5, Purpose::Truth, 0);
    let one = |_| Mat::from_fn(pixels, frames, |_, _| 2.0 + normal(&mut draws));
    (0..colours).map(one).collect()
}

fn map(rows: usize) -> TransportMap {
    let mut known = vec![true; 30];
    known[7] = false;
    TransportMap { width: 5, known, rows }
}

fn models<T: Precision>() -> Vec<(&'static str, TransportLight<T>)> {
    let told = Some((0..20).map(f64::from).collect());
    let basis = VideoBasis::of(&video(29, 16, 3), 4).unwrap();
    let every = FactorPenalties {
        non_negative: 3.0,
        smooth_rows: 0.5,
        smooth_cols: 0.7,
        chroma: 0.4,
        magnitude: 0.3,
    };
    let some =
        |penalties| TransportLight::video(&SIZES, &basis, Some((penalties, map(6))), 1).unwrap();
    let reduced = TransportLight::video(&SIZES, &basis, Some((every, map(3))), 1).unwrap();
    let none = FactorPenalties::NONE;
    let matrix = TransportLight::matrix((20, 40), 33, DecoderSize::Eighth, told, 0.5, 1).unwrap();
    vec![
        ("matrix", matrix),
        ("video", TransportLight::video(&SIZES, &basis, None, 1).unwrap()),
        ("reduced", reduced),
        ("non-negative", some(FactorPenalties { non_negative: 3.0, ..none })),
        ("smooth rows", some(FactorPenalties { smooth_rows: 0.5, ..none })),
        ("smooth columns", some(FactorPenalties { smooth_cols: 0.7, ..none })),
        ("chroma", some(FactorPenalties { chroma: 0.4, ..none })),
        ("magnitude", some(FactorPenalties { magnitude: 0.3, ..none })),
        ("every", some(every)),
    ]
}

/// Every kind of term that is used of videos, on a matrix of this shape.
fn problem(shape: (usize, usize)) -> Problem {
    let mut draws = stream(6, Purpose::Truth, 0);
    let mut term = |observation: Arc<dyn Observation>, weight, squared: bool| {
        let targets = (0..observation.len()).map(|_| normal(&mut draws)).collect();
        let constant = Constant::Mean;
        let loss: Arc<dyn crate::problem::Loss> = if squared {
            Arc::new(Squared { constant, weights: None })
        } else {
            Arc::new(Absolute { constant, weights: None })
        };
        Term { observation, targets, loss, weight }
    };
    let over = |axis, lag, trim| Arc::new(Differences::new(shape, axis, lag, trim).unwrap());
    let fixed = vec![
        term(Arc::new(Full::new(shape)), 0.5, true),
        term(Arc::new(Full::new(shape)), 0.25, false),
        term(over(Axis::Rows, 1, 1), 2.0, false),
        term(over(Axis::Cols, 1, 0), 1.0, false),
    ];
    let lags = (1..=4).map(|lag| term(over(Axis::Cols, lag, 0), 3.0, false)).collect();
    Problem::sum(fixed).unwrap().one_of(lags).unwrap()
}

/// Parameters that are not at a start, at which much of the light is near one value.
fn shaken<T: Precision>(model: &mut TransportLight<T>) {
    let mut draws = stream(9, Purpose::Noise, 0);
    for x in T::slice_mut(model.params_mut().numbers_mut()) {
        *x += T::of(0.05 * normal(&mut draws));
    }
}

fn loss<T: Precision>(
    model: &TransportLight<T>,
    problem: &Problem,
    mode: Mode,
    into: Option<&mut Params>,
) -> f64 {
    let mut pass = Pass { mode, ..Pass::default() };
    let draw = match mode {
        Mode::Training { seed, step } => Some((seed, step)),
        Mode::Inference => None,
    };
    let mut evaluation = Evaluation::default();
    evaluation.draw = draw;
    let loss = problem.evaluate(&model.forward(&mut pass), &mut evaluation);
    let loss = loss + model.penalty(&mut pass);
    if let Some(into) = into {
        model.pullback(&evaluation.cotangent, &mut pass, into);
    }
    loss
}

#[test]
fn the_gradient_of_every_term_and_penalty_agrees_with_difference_quotients() {
    for (name, mut model) in models::<f64>() {
        shaken(&mut model);
        let problem = problem(model.shape());
        for mode in [Mode::Inference, Mode::Training { seed: 3, step: 2 }] {
            let mut gradient = model.params().zeros_like();
            loss(&model, &problem, mode, Some(&mut gradient));
            let mut draws = stream(7, Purpose::Noise, 0);
            let along: Vec<f64> =
                (0..gradient.values().len()).map(|_| normal(&mut draws)).collect();
            let start = model.params().values().to_vec();
            let h = 1e-7;
            let [up, down] = [h, -h].map(|h| {
                let moved = start.iter().zip(&along).map(|(x, along)| x + h * along);
                let moved: Vec<f64> = moved.collect();
                model.params_mut().values_mut().copy_from_slice(&moved);
                loss(&model, &problem, mode, None)
            });
            model.params_mut().values_mut().copy_from_slice(&start);
            let (quotient, exact) = ((up - down) / (2.0 * h), dot(gradient.values(), &along));
            let off = (quotient - exact).abs();
            assert!(off < 2e-5 * (1.0 + exact.abs()), "{name} {mode:?}: {quotient} {exact}");
        }
    }
}

#[test]
fn single_precision_follows_double_precision() {
    for ((name, mut double), (_, mut single)) in models::<f64>().into_iter().zip(models::<f32>()) {
        shaken(&mut double);
        shaken(&mut single);
        let problem = problem(double.shape());
        let mode = Mode::Training { seed: 3, step: 2 };
        let mut gradients = [double.params().zeros_like(), single.params().zeros_like()];
        let [first, second] = &mut gradients;
        let a = loss(&double, &problem, mode, Some(first));
        let b = loss(&single, &problem, mode, Some(second));
        assert!((a - b).abs() < 1e-4 * a.abs(), "{name} {a} {b}");
        let (first, second) = (first.numbers().to_double(), second.numbers().to_double());
        let cosine = dot(&first, &second) / (dot(&first, &first) * dot(&second, &second)).sqrt();
        assert!(cosine > 1.0 - 1e-3, "{name} {cosine}");
    }
}

#[test]
fn the_squared_loss_in_the_basis_is_the_explicit_one() {
    let z = video(29, 16, 3);
    let basis = VideoBasis::of(&z, 4).unwrap();
    let mut model = TransportLight::<f64>::video(&SIZES, &basis, None, 1).unwrap();
    shaken(&mut model);
    let full = |z: &Mat| Problem::full(z, Constant::Sum);
    let (transport, light) = (model.transport(Some(&basis)), model.light());
    let (mut explicit, mut rest) = (0.0, 0.0);
    let mut targets = Vec::new();
    for (c, z) in z.iter().enumerate() {
        explicit += transport[c].times(&light[c]).minus(z).frobenius().powi(2);
        let target = basis.reduced(c, z).unwrap();
        rest += z.frobenius().powi(2) - target.frobenius().powi(2);
        targets.push(target);
    }
    let target = Mat::from_fn(15, 16, |i, t| targets[i / 5][(i % 5, t)]);
    let short = loss(&model, &full(&target).unwrap(), Mode::Inference, None) + rest;
    assert!((explicit - short).abs() < 1e-12 * explicit, "{explicit} {short}");
    let known = z
        .iter()
        .enumerate()
        .map(|(c, z)| KnownFactor::new(&basis.orthonormal(c), z.clone()).unwrap());
    // All pixels are of one strip a colour, each a third of them.
    let lifted = Problem::lifted(known.collect(), |rows| full(&Mat::zeros(rows, 16))).unwrap();
    let strips = 3.0 * loss(&model, &lifted, Mode::Inference, None);
    assert!((explicit - strips).abs() < 1e-12 * explicit, "{explicit} {strips}");
}

#[test]
fn factors_multiply_to_the_product() {
    let z = video(29, 16, 3);
    let basis = VideoBasis::of(&z, 4).unwrap();
    let video = TransportLight::<f64>::video(&SIZES, &basis, None, 1).unwrap();
    let matrix =
        TransportLight::<f64>::matrix((20, 40), 33, DecoderSize::Eighth, None, 0.5, 1).unwrap();
    for (model, basis) in [(video, Some(&basis)), (matrix, None)] {
        let (transport, light) = (model.transport(basis), model.light());
        let whole = model.forward(&mut Pass::default()).to_dense();
        let rows = whole.rows() / light.len();
        for (c, (t, l)) in transport.iter().zip(&light).enumerate() {
            let own = Mat::from_fn(rows, whole.cols(), |i, j| whole[(c * rows + i, j)]);
            let own = basis.map_or(own.clone(), |basis| basis.orthonormal(c).times(&own));
            assert!(t.times(l).minus(&own).max_abs() < 1e-12 * (1.0 + own.max_abs()));
            assert!(l.values().iter().all(|x| *x > 0.0));
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit_and_a_step_draws_what_it_sees() {
    let of = |threads: usize, step: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (_, model) = models::<f32>().swap_remove(2);
            let problem = problem(model.shape());
            let mut gradient = model.params().zeros_like();
            loss(&model, &problem, Mode::Training { seed: 3, step }, Some(&mut gradient));
            gradient.numbers().to_double()
        })
    };
    assert_eq!(of(1, 4), of(2, 4));
    assert_ne!(of(1, 4), of(1, 5));
}

#[test]
fn a_basis_that_does_not_fit_is_refused() {
    let basis = VideoBasis::of(&video(29, 16, 1), 4).unwrap();
    let message = |penalties, basis: &VideoBasis, colours| {
        let sizes = VideoDecoders { colours, ..SIZES };
        TransportLight::<f32>::video(&sizes, basis, penalties, 1).unwrap_err().to_string()
    };
    assert_eq!(
        message(None, &basis, 3),
        "the basis must have 3 colours of 4 vectors, but it has 1 colours of 4 vectors"
    );
    let small = TransportMap { width: 5, known: vec![true; 10], rows: 1 };
    assert_eq!(
        message(Some((FactorPenalties::default(), small)), &basis, 1),
        "the map of pixels must have as many known pixels as the basis, but it has 10 of 10 in rows of 5"
    );
    let negative = FactorPenalties { chroma: -1.0, ..FactorPenalties::NONE };
    assert_eq!(
        message(Some((negative, map(6))), &basis, 1),
        "chroma must be 0 or more, but it is -1"
    );
    assert!(VideoBasis::of(&[Mat::zeros(3, 3)], 2).is_err());
    let dense = Mat::zeros(2, 2);
    assert!(basis.reduced(0, &dense).is_err());
    assert_eq!(Product::Dense(dense.view()).shape(), (2, 2));
}
