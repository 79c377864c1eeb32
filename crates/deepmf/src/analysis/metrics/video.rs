//! How near a found hidden video is to the true one: what no product of factors can tell is left out of the comparison.
//!
//! Z = T·L tells L only up to the scale and black level of each channel and, where neighbours stay neighbours, up to a flip or
//! rotation of its grid. What changes is compared apart from what does not: a static picture correlates well with any video of
//! the same scene.

use super::similarity::structural_similarity;
use crate::data::words;
use crate::linalg::Mat;
use crate::{Error, Result};

/// What is done to the grid of a found video before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// Nothing.
    None,
    /// Left and right change places.
    LeftRight,
    /// Up and down change places.
    UpDown,
    /// A half turn.
    HalfTurn,
    /// Rows become columns.
    Transposed,
    /// A quarter turn to the left.
    QuarterLeft,
    /// A quarter turn to the right.
    QuarterRight,
    /// Mirrored at the other diagonal.
    AntiTransposed,
}

impl Flip {
    /// All of them; those that make rows of columns need a square grid.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::LeftRight,
        Self::UpDown,
        Self::HalfTurn,
        Self::Transposed,
        Self::QuarterLeft,
        Self::QuarterRight,
        Self::AntiTransposed,
    ];

    /// The name, as results have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::LeftRight => "left-right",
            Self::UpDown => "up-down",
            Self::HalfTurn => "half-turn",
            Self::Transposed => "transposed",
            Self::QuarterLeft => "quarter-left",
            Self::QuarterRight => "quarter-right",
            Self::AntiTransposed => "anti-transposed",
        }
    }

    /// Whether rows stay rows.
    fn keeps_rows(self) -> bool {
        matches!(self, Self::None | Self::LeftRight | Self::UpDown | Self::HalfTurn)
    }

    /// Where the pixel that comes to row `y`, column `x` of a grid of `height` x `width` is from.
    fn source(self, (y, x): (usize, usize), (height, width): (usize, usize)) -> (usize, usize) {
        let (down, right) = (height - 1, width - 1);
        match self {
            Self::None => (y, x),
            Self::LeftRight => (y, right - x),
            Self::UpDown => (down - y, x),
            Self::HalfTurn => (down - y, right - x),
            Self::Transposed => (x, y),
            Self::QuarterLeft => (x, right - y),
            Self::QuarterRight => (down - x, y),
            Self::AntiTransposed => (right - x, down - y),
        }
    }

    /// The rows of `pixels` (row after row of the grid) so moved.
    pub fn applied(self, pixels: &Mat, grid: (usize, usize)) -> Mat {
        Mat::from_fn(pixels.rows(), pixels.cols(), |pixel, t| {
            let (y, x) = self.source((pixel / grid.1, pixel % grid.1), grid);
            pixels[(y * grid.1 + x, t)]
        })
    }
}

/// How a found video compares with the true one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VideoAgreement {
    /// Correlation of all values after each pixel's mean over time is taken off, the mean over channels; from -1 to 1.
    pub correlation: f64,
    /// Peak signal to noise ratio in dB for a peak of 1, after the best scale (0 or more) and offset of each channel.
    pub psnr: f64,
    /// Structural similarity after the same scale and offset, the mean over frames and channels; at most 1.
    pub ssim: f64,
    /// The flip of the found video for which the correlation is largest.
    pub flip: Flip,
}

/// Compares a hidden video with the true one, each a matrix of pixels x frames a channel, pixels row after row of `grid`
/// (height, width), up to flips and rotations.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ, [`Error::Parameter`] if there is nothing to compare; [`Error::NotFinite`].
pub fn compare_videos(
    found: &[Mat],
    truth: &[Mat],
    grid: (usize, usize),
) -> Result<VideoAgreement> {
    must_match(found, truth)?;
    if let Some(first) = truth.first().filter(|first| first.rows() != grid.0 * grid.1) {
        let expected = format!("{} x {} pixels", grid.0, grid.1);
        return Err(Error::shape("the hidden video", expected, first.rows()));
    }
    let flips = Flip::ALL.iter().filter(|flip| grid.0 == grid.1 || flip.keeps_rows());
    Ok(best(found, truth, grid, flips, |fitted, truth| {
        let frame = |t| structural_similarity(fitted.col(t), truth.col(t), grid.1);
        (0..truth.cols()).map(frame).sum::<f64>() / truth.cols() as f64
    }))
}

/// Compares the light of a one-dimensional experiment, inner index x time, with the true one, up to a reversal.
///
/// The structural similarity is that of the whole matrix as one image.
///
/// # Errors
/// As [`compare_videos`].
pub fn compare_lines(found: &Mat, truth: &Mat) -> Result<VideoAgreement> {
    let (found, truth) = (std::slice::from_ref(found), std::slice::from_ref(truth));
    must_match(found, truth)?;
    let flips = [Flip::None, Flip::UpDown];
    Ok(best(found, truth, (truth[0].rows(), 1), flips.iter(), |fitted, truth| {
        structural_similarity(fitted.values(), truth.values(), truth.rows())
    }))
}

fn must_match(found: &[Mat], truth: &[Mat]) -> Result<()> {
    let named = |channels: &[Mat]| {
        let (rows, cols) = channels.first().map_or((0, 0), |first| (first.rows(), first.cols()));
        format!("({}, {rows}, {cols})", channels.len())
    };
    let shapes = |channels: &[Mat]| -> Vec<(usize, usize)> {
        channels.iter().map(|channel| (channel.rows(), channel.cols())).collect()
    };
    let (has, must) = (shapes(found), shapes(truth));
    if has != must {
        return Err(Error::shape("the found light", named(truth), named(found)));
    }
    if must.is_empty() || must.iter().any(|&(rows, cols)| rows * cols == 0) {
        return Err(Error::parameter("the true light", "of one value or more", named(truth)));
    }
    let values = found.iter().chain(truth).flat_map(Mat::values);
    match values.copied().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(found) => Err(Error::NotFinite { what: "a value of the light".into(), found }),
    }
}

fn best<'a>(
    found: &[Mat],
    truth: &[Mat],
    grid: (usize, usize),
    flips: impl Iterator<Item = &'a Flip>,
    similarity: impl Fn(&Mat, &Mat) -> f64,
) -> VideoAgreement {
    let flipped =
        |flip: Flip| -> Vec<Mat> { found.iter().map(|m| flip.applied(m, grid)).collect() };
    let mean = |sum: f64| sum / truth.len() as f64;
    let over_channels = |found: &[Mat]| {
        mean(found.iter().zip(truth).map(|(a, b)| temporal_correlation(a, b)).sum())
    };
    let mut first = (f64::NEG_INFINITY, Flip::None);
    for &flip in flips {
        let value = over_channels(&flipped(flip));
        if value > first.0 {
            first = (value, flip);
        }
    }
    let fitted: Vec<Mat> = flipped(first.1).iter().zip(truth).map(|(a, b)| fitted(a, b)).collect();
    let pairs = || fitted.iter().zip(truth);
    let errors: f64 = pairs().map(|(a, b)| a.clone().minus(b).frobenius().powi(2)).sum();
    let count: usize = truth.iter().map(|channel| channel.values().len()).sum();
    VideoAgreement {
        correlation: first.0,
        psnr: -10.0 * (errors / count as f64).log10(),
        ssim: mean(pairs().map(|(a, b)| similarity(a, b)).sum()),
        flip: first.1,
    }
}

/// Correlation of two matrices of pixels x frames after each row's mean is taken off; 0 if one of them does not change.
///
/// # Panics
/// If the shapes differ.
pub fn temporal_correlation(a: &Mat, b: &Mat) -> f64 {
    assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()), "one shape");
    let (change_a, change_b) = (without_row_means(a), without_row_means(b));
    // What rounding leaves of a matrix that does not change is no change.
    if [(&change_a, a), (&change_b, b)]
        .iter()
        .any(|(m, whole)| m.max_abs() <= 1e-12 * whole.max_abs())
    {
        return 0.0;
    }
    let pairs = change_a.values().iter().zip(change_b.values());
    let both: f64 = pairs.map(|(x, y)| x * y).sum();
    both / (change_a.frobenius() * change_b.frobenius())
}

/// Correlation of all values of two matrices; 0 if one of them is constant.
///
/// # Panics
/// If the shapes differ.
pub fn correlation(a: &Mat, b: &Mat) -> f64 {
    assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()), "one shape");
    let off = |m: &Mat| {
        let mean = m.values().iter().sum::<f64>() / m.values().len() as f64;
        Mat::from_fn(m.rows(), m.cols(), |i, j| m[(i, j)] - mean)
    };
    let (a, b) = (off(a), off(b));
    let both: f64 = a.values().iter().zip(b.values()).map(|(x, y)| x * y).sum();
    let size = a.frobenius() * b.frobenius();
    if size > 0.0 { both / size } else { 0.0 }
}

/// Correlation of all entries of a transport, observed x hidden pixels, with the true one, at the flip of `grid` (height, width; inner and 1 of a line)
/// for which it is largest.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ or the columns are not the pixels of the grid.
pub fn transport_correlation(found: &Mat, truth: &Mat, grid: (usize, usize)) -> Result<f64> {
    let shape = (truth.rows(), grid.0 * grid.1);
    for (what, matrix) in [("the found transport", found), ("the true transport", truth)] {
        let own = (matrix.rows(), matrix.cols());
        if own != shape {
            return Err(Error::shape(what, words(shape), words(own)));
        }
    }
    let (found, truth) = (found.t().to_mat(), truth.t().to_mat());
    let flips = Flip::ALL.iter().filter(|flip| grid.0 == grid.1 || flip.keeps_rows());
    Ok(flips
        .map(|flip| correlation(&flip.applied(&found, grid), &truth))
        .fold(f64::NEG_INFINITY, f64::max))
}

/// What the mean of each pixel over time alone would correlate with a light, a matrix of pixels x frames for each channel, were it not taken off; the mean
/// over channels.
pub fn static_correlation(light: &[Mat]) -> f64 {
    let still = |channel: &Mat| {
        let means = row_means(channel);
        correlation(&Mat::from_fn(channel.rows(), channel.cols(), |i, _| means[i]), channel)
    };
    light.iter().map(still).sum::<f64>() / light.len().max(1) as f64
}

fn row_means(a: &Mat) -> Vec<f64> {
    let mut means = vec![0.0; a.rows()];
    for t in 0..a.cols() {
        means.iter_mut().zip(a.col(t)).for_each(|(mean, value)| *mean += value / a.cols() as f64);
    }
    means
}

fn without_row_means(a: &Mat) -> Mat {
    let means = row_means(a);
    Mat::from_fn(a.rows(), a.cols(), |pixel, t| a[(pixel, t)] - means[pixel])
}

/// s·a + o, the nearest to `b` with s >= 0.
fn fitted(a: &Mat, b: &Mat) -> Mat {
    let count = a.values().len() as f64;
    let mean = |m: &Mat| m.values().iter().sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let pairs = a.values().iter().zip(b.values());
    let (both, own) = pairs.fold((0.0, 0.0), |(both, own), (x, y)| {
        (both + (x - mean_a) * (y - mean_b), own + (x - mean_a).powi(2))
    });
    let slope = if own > 0.0 { (both / own).max(0.0) } else { 0.0 };
    Mat::from_fn(a.rows(), a.cols(), |i, j| slope * (a[(i, j)] - mean_a) + mean_b)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn moving(height: usize, width: usize, frames: usize) -> Mat {
        Mat::from_fn(height * width, frames, |pixel, t| {
            let (y, x) = (pixel / width, pixel % width);
            ((x * 3 + y * 7 + t * 5 + x * y * t) % 11) as f64 / 10.0
        })
    }

    #[test]
    fn every_flip_is_found_and_undone() {
        let truth = moving(5, 5, 9);
        for flip in Flip::ALL {
            // Offsets of pixels and a scale change nothing of the correlation.
            let turned = flip.applied(&truth, (5, 5));
            let found = Mat::from_fn(25, 9, |i, t| 3.0 * turned[(i, t)] + 0.1 * i as f64);
            let agreement = compare_videos(&[found], from_ref(&truth), (5, 5)).unwrap();
            assert!((agreement.correlation - 1.0).abs() < 1e-12, "{flip:?} {agreement:?}");
            assert_eq!(agreement.flip.applied(&turned, (5, 5)), truth);
        }
    }

    #[test]
    fn scale_and_offset_are_left_out() {
        let truth = moving(4, 6, 8);
        let found = truth.clone().scaled(0.25).minus(&Mat::from_fn(24, 8, |_, _| 2.0));
        let agreement = compare_videos(&[found], &[truth], (4, 6)).unwrap();
        assert!(agreement.psnr > 250.0 && (agreement.ssim - 1.0).abs() < 1e-12, "{agreement:?}");
        assert_eq!(agreement.flip.name(), "none");
    }

    #[test]
    fn the_signal_to_noise_ratio_is_as_by_hand() {
        // An error that is orthogonal to the truth and to 1 stays, whatever the scale and offset.
        let truth = Mat::from_columns(1, 4, vec![0.0, 1.0, 0.0, 1.0]);
        let found = Mat::from_columns(1, 4, vec![0.1, 1.1, -0.1, 0.9]);
        let agreement = compare_lines(&found, &truth).unwrap();
        // The slope of the fit is 1 / 1.04, the mean square of what is left 0.01 / 1.04.
        assert!((agreement.psnr + 10.0 * (0.01_f64 / 1.04).log10()).abs() < 1e-12);
        assert!((agreement.correlation - 1.0 / 1.04_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_static_picture_and_a_reversal_are_no_agreement() {
        let truth = moving(6, 1, 10);
        let still = Mat::from_fn(6, 10, |i, _| truth[(i, 0)]);
        assert_eq!(temporal_correlation(&still, &truth), 0.0);
        assert_eq!(correlation(&Mat::zeros(truth.rows(), truth.cols()), &truth), 0.0);
        assert!((correlation(&truth.clone().scaled(-2.0), &truth) + 1.0).abs() < 1e-12);
        // One row that stays at 1 and one that goes from 1 to −1: deviations of length 1 and √3, and a product of 1.
        let blinks = Mat::from_columns(2, 2, vec![1.0, 1.0, 1.0, -1.0]);
        assert!((static_correlation(&[blinks]) - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        let reversed = Mat::from_fn(6, 10, |i, t| truth[(5 - i, t)]);
        assert_eq!(compare_lines(&reversed, &truth).unwrap().flip, Flip::UpDown);
        let negative = compare_lines(&truth.clone().scaled(-1.0), &truth).unwrap();
        assert!(negative.correlation < 0.9);
    }

    #[test]
    fn a_transport_is_compared_up_to_the_flips_of_the_light() {
        let truth = moving(6, 1, 8).t().to_mat();
        for (grid, flip) in [((3, 2), Flip::HalfTurn), ((6, 1), Flip::UpDown)] {
            let found = flip.applied(&truth.t().to_mat(), grid).t().to_mat().scaled(2.0);
            let told = transport_correlation(&found, &truth, grid).unwrap();
            assert!((told - 1.0).abs() < 1e-12, "{told}");
        }
        let told = transport_correlation(&truth, &truth, (2, 2)).unwrap_err().to_string();
        assert_eq!(told, "the found transport must have shape (8, 4), but it has (8, 6)");
    }

    #[test]
    fn other_shapes_are_refused() {
        let (a, b) = (moving(4, 4, 8), moving(4, 4, 9));
        assert_eq!(
            compare_videos(from_ref(&a), &[b], (4, 4)).unwrap_err().to_string(),
            "the found light must have shape (1, 16, 9), but it has (1, 16, 8)"
        );
        assert!(compare_videos(from_ref(&a), from_ref(&a), (4, 5)).is_err());
        assert!(compare_videos(&[], &[], (4, 5)).is_err());
        let nan = a.clone().scaled(f64::NAN);
        assert!(compare_lines(&nan, &a).is_err());
    }
}
