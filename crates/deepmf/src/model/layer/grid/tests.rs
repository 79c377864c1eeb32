//! Laws of the layers over a grid, each held over one table of cases, and closed forms.

use std::sync::Arc;

use super::super::{Latents, Layer, Mode, Network, Tape, Way};
use super::*;
use crate::random::{Purpose, normal, stream};

const IMAGE: Grid = Grid { frames: 1, rows: 3, cols: 5 };
const VIDEO: Grid = Grid { frames: 4, rows: 2, cols: 3 };

fn layers<T: Real>() -> Vec<Arc<dyn Layer<T>>> {
    let thin = Grid::video(1, 1, 2);
    vec![
        Arc::new(Convolution::new(IMAGE, Padding::IMAGE, 2, 3)),
        Arc::new(Convolution::new(IMAGE, Padding::EVEN, 3, 2)),
        Arc::new(Convolution::new(VIDEO, Padding::VIDEO, 2, 3)),
        Arc::new(Convolution::new(thin, Padding::VIDEO, 2, 1)),
        Arc::new(Convolution::new(thin, Padding::EVEN, 1, 2)),
        Arc::new(Convolution::new(Grid::image(15, 31), Padding::IMAGE, 1, 2)),
        Arc::new(Convolution::new(VIDEO, Padding::VIDEO, 2, 3).upsampled([2, 2, 2])),
        Arc::new(Convolution::new(thin, Padding::EVEN, 3, 10).upsampled([1, 2, 2])),
        Arc::new(Convolution::new(IMAGE, Padding::EVEN, 2, 3).beside(told())),
        Arc::new(
            Convolution::new(VIDEO, Padding::VIDEO, 2, 3)
                .upsampled([2, 1, 2])
                .beside(Fixed::coordinates(VIDEO.times([2, 1, 2]))),
        ),
        Arc::new(Upsampled::new(IMAGE, [1, 2, 2], 3)),
        Arc::new(Upsampled::new(VIDEO, [2, 2, 2], 2)),
        Arc::new(Bilinear::new(IMAGE, 3)),
        Arc::new(Bilinear::new(thin, 2)),
        Arc::new(Appended::coordinates(VIDEO, 2)),
        Arc::new(Appended::coordinates(IMAGE, 3).and(numbers(15, 1))),
        Arc::new(Windowed::hann(IMAGE, 3)),
        Arc::new(ScaledChannels::new(VIDEO, 3)),
        Arc::new(ChannelDropout::new(VIDEO, 6, 0.5, 1).unwrap()),
        Arc::new(LeakyRelu::new(12)),
        Arc::new(Tanh::new(12)),
        Arc::new(ExpHead::new(12, 2.0)),
        Arc::new(DarkHead::new(VIDEO, 3)),
        Arc::new(Latents::drawn(1, 7, 1.0)),
    ]
}

/// Coordinates and a number for each row of the image.
fn told() -> Fixed {
    Fixed::coordinates(IMAGE).of_rows(numbers(3, 1))
}

fn numbers(count: usize, item: u64) -> Vec<f64> {
    let mut random = stream(3, Purpose::Noise, item);
    (0..count).map(|_| normal(&mut random)).collect()
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn moved(x: &[f64], along: &[f64], by: f64) -> Vec<f64> {
    x.iter().zip(along).map(|(x, along)| x + by * along).collect()
}

fn count<T: Real>(layer: &dyn Layer<T>) -> usize {
    layer.slots().iter().map(|(_, rows, cols)| rows * cols).sum()
}

#[test]
fn the_way_back_is_the_transpose_of_the_derivative_in_parameters_and_input() {
    for layer in layers::<f64>() {
        for mode in [Mode::Inference, Mode::Training { seed: 2, step: 7 }] {
            let (params, x) = (numbers(count(&*layer), 4), numbers(layer.widths().0, 8));
            let value = |params: &[f64], values: &[f64], tape: &mut Tape<f64>| {
                layer.forward(params, &[], Input::Dense { count: 1, values }, mode, tape);
                assert_eq!(tape.output.len(), layer.widths().1, "{layer:?}");
                tape.output.clone()
            };
            let mut tape = Tape::default();
            let slope = numbers(value(&params, &x, &mut tape).len(), 6);
            // What was there before must not matter.
            let (mut into, mut back) = (vec![f64::NAN; params.len()], vec![f64::NAN; 3]);
            let input = Input::Dense { count: 1, values: &x };
            layer.backward(&params, input, &mut tape, &slope, &mut into, Some(&mut back));
            assert_eq!(back.len(), x.len(), "{layer:?}");
            let (of_params, of_input) = (numbers(params.len(), 7), numbers(x.len(), 9));
            let h = 1e-6;
            let [up, down] = [h, -h].map(|h| {
                value(
                    &moved(&params, &of_params, h),
                    &moved(&x, &of_input, h),
                    &mut Tape::default(),
                )
            });
            let quotient = inner(&moved(&up, &down, -1.0), &slope) / (2.0 * h);
            let exact = inner(&into, &of_params) + inner(&back, &of_input);
            let size = 1.0 + exact.abs();
            assert!((exact - quotient).abs() < 1e-7 * size, "{layer:?} {exact} {quotient}");
        }
    }
}

#[test]
fn a_convolution_is_the_sum_over_its_window_with_the_border_continued() {
    let grids = [(IMAGE, Padding::EVEN), (VIDEO, Padding::VIDEO), (IMAGE, Padding::IMAGE)];
    for (grid, padding) in grids {
        let (before, after) = (2, 3);
        let layer = Convolution::new(grid, padding, before, after);
        let (params, x) = (numbers(count::<f64>(&layer), 1), numbers(grid.positions() * before, 2));
        let mut tape = Tape::default();
        let input = Input::Dense { count: 1, values: &x };
        layer.forward(&params, &[], input, Mode::Inference, &mut tape);
        let [frames, rows, cols] = padding.window;
        let bias = &params[frames * rows * cols * before * after..];
        for position in 0..grid.positions() {
            let at = grid.at(position);
            for channel in 0..after {
                let mut sum = bias[channel];
                for tap in 0..frames * rows * cols {
                    let taps = [tap / (rows * cols), tap / cols % rows, tap % cols];
                    let source = std::array::from_fn(|axis| {
                        let place = (at[axis] + taps[axis]).saturating_sub(padding.before[axis]);
                        place.min(grid.sizes()[axis] - 1)
                    });
                    for c in 0..before {
                        sum += params[(tap * before + c) * after + channel]
                            * x[grid.position(source) * before + c];
                    }
                }
                assert!((tape.output[position * after + channel] - sum).abs() < 1e-13);
            }
        }
    }
}

#[test]
fn a_convolution_does_the_work_of_layers_before_it() {
    let of = |layers: Vec<Arc<dyn Layer<f64>>>, x: &[f64]| {
        let network = Network::new(layers).unwrap();
        let (params, input) = (numbers(network.count(), 5), Input::Dense { count: 1, values: x });
        let (mut way, mut into) = (Way::default(), vec![f64::NAN; network.count()]);
        network.forward(&params, &[], input, Mode::Inference, &mut way);
        let output = way.output().to_vec();
        *way.slope_mut() = numbers(output.len(), 6);
        network.backward(&params, input, &mut way, &mut into);
        [output, into].concat()
    };
    let maps = numbers(3, 1).into_iter().flat_map(|x| [x; 5]).collect();
    for (grid, factors, padding) in [
        (IMAGE, [1, 1, 1], Padding::EVEN),
        (VIDEO, [2, 2, 2], Padding::VIDEO),
        (VIDEO, [1, 2, 2], Padding::EVEN),
        (Grid::video(5, 5, 7), [3, 2, 1], Padding::VIDEO),
        (Grid::image(1, 1), [1, 2, 2], Padding::IMAGE),
    ] {
        let fine = grid.times(factors);
        let (appended, fixed) = if grid == IMAGE {
            (Appended::coordinates(fine, 9).and(Vec::clone(&maps)), told())
        } else {
            (Appended::coordinates(fine, 9), Fixed::coordinates(fine))
        };
        let x = numbers(grid.positions() * 9, 2);
        let channels = appended.channels();
        let apart = of(
            vec![
                Arc::new(Upsampled::new(grid, factors, 9)),
                Arc::new(appended),
                Arc::new(Convolution::new(fine, padding, channels, 26)),
            ],
            &x,
        );
        let once = Convolution::new(grid, padding, 9, 26).upsampled(factors).beside(fixed);
        let whole = of(vec![Arc::new(once)], &x);
        assert_eq!(apart.len(), whole.len());
        let off = apart.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-11, "{grid:?} {factors:?} {off}");
    }
}

#[test]
fn upsampling_keeps_constants_and_bilinear_keeps_slopes_inside() {
    let grid = Grid::image(4, 6);
    let x: Vec<f64> = (0..24).map(|p| f64::from(p / 6) + 10.0 * f64::from(p % 6)).collect();
    let mut tape = Tape::default();
    let input = Input::Dense { count: 1, values: &x };
    Bilinear::new(grid, 1).forward(&[], &[], input, Mode::Inference, &mut tape);
    for row in 1..7 {
        for col in 1..11 {
            let expected = (row as f64 - 0.5) / 2.0 + 10.0 * (col as f64 - 0.5) / 2.0;
            assert!((tape.output[row * 12 + col] - expected).abs() < 1e-13);
        }
    }
    assert_eq!((tape.output[0], tape.output[95]), (x[0], x[23]));
    Upsampled::new(grid, [1, 2, 2], 1).forward(&[], &[], input, Mode::Inference, &mut tape);
    assert!((0..96).all(|p| tape.output[p] == x[p / 12 / 2 * 6 + p % 12 / 2]));
}

#[test]
fn coordinates_run_from_minus_one_to_one_and_windows_are_zero_at_the_border() {
    let mut tape = Tape::default();
    let ones = vec![1.0; 15];
    let input = Input::Dense { count: 1, values: &ones };
    Appended::coordinates(IMAGE, 1).forward(&[], &[], input, Mode::Inference, &mut tape);
    assert_eq!(tape.output[..3], [1.0, -1.0, -1.0]);
    assert_eq!(tape.output[42..], [1.0, 1.0, 1.0]);
    assert_eq!(tape.output[3 * 7..3 * 8], [1.0, 0.0, 0.0]);
    Windowed::hann(IMAGE, 1).forward(&[], &[], input, Mode::Inference, &mut tape);
    let middle = [0.0, 0.5_f64.sqrt(), 1.0, 0.5_f64.sqrt(), 0.0];
    assert!((0..5).all(|c| tape.output[c] == 0.0 && tape.output[10 + c] == 0.0));
    assert!((0..5).all(|c| (tape.output[5 + c] - middle[c]).abs() < 1e-15));
}

#[test]
fn channels_are_dropped_whole_and_anew_for_each_step() {
    let layer = ChannelDropout::new(IMAGE, 400, 0.25, 0).unwrap();
    let ones = vec![1.0; 15 * 400];
    let input = Input::Dense { count: 1, values: &ones };
    let drawn = |step| {
        let mut tape = Tape::default();
        layer.forward(&[], &[], input, Mode::Training { seed: 1, step }, &mut tape);
        tape.output
    };
    let first = drawn(0);
    assert!(first.chunks_exact(400).all(|place| place == &first[..400]));
    let kept = first[..400].iter().filter(|x| **x == 4.0).count();
    // 100 expected, with a standard deviation of 9.
    assert!(kept.abs_diff(100) < 40 && first != drawn(1) && first == drawn(0), "{kept}");
    let refused = ChannelDropout::new(IMAGE, 1, 0.0, 0).unwrap_err().to_string();
    assert_eq!(refused, "keep must be above 0 and at most 1, but it is 0");
}

#[test]
fn the_same_seed_gives_the_same_bits_of_convolutions_at_one_and_two_threads() {
    let (small, large) = (Grid::video(6, 8, 9), Grid::video(12, 16, 18));
    let layers: Vec<Arc<dyn Layer<f32>>> = vec![
        Arc::new(Latents::drawn(1, small.positions() * 5, 1.0)),
        Arc::new(Convolution::new(small, Padding::VIDEO, 5, 16).bias(0.0, 0.2)),
        Arc::new(LeakyRelu::new(small.positions() * 16)),
        Arc::new(Convolution::new(small, Padding::VIDEO, 16, 7).upsampled([2, 2, 2])),
        Arc::new(Convolution::new(large, Padding::VIDEO, 7, 2).beside(Fixed::coordinates(large))),
        Arc::new(DarkHead::new(large, 1)),
    ];
    let network = Network::new(layers).unwrap();
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut params = vec![0.0; network.count()];
            network.start(&mut params, &mut [], 1, 0);
            let (mut way, mut into) = (Way::default(), params.clone());
            let input = Input::Dense { count: 1, values: &[] };
            network.forward(&params, &[], input, Mode::Inference, &mut way);
            way.slope_mut().resize(large.positions(), 0.25);
            network.backward(&params, input, &mut way, &mut into);
            way.output().iter().chain(&into).map(|x| x.to_bits()).collect::<Vec<_>>()
        })
    };
    let first = bits(1);
    assert!(first == bits(2) && first.iter().any(|x| *x != first[0]));
}
