//! Structural similarity of two images (Wang et al. 2004, section III.B), with the constants and windows of scikit-image.

/// Pixels of a side of a window.
const WINDOW: usize = 7;

/// Structural similarity of two images of values of which the range is 1, `line` values a line: the mean over all windows.
///
/// For means m, sample variances v and sample covariance c of a window, (2 m_a m_b + 0.01²)(2 c + 0.03²) over
/// (m_a² + m_b² + 0.01²)(v_a + v_b + 0.03²). Windows are squares of 7 x 7, or as much as an image has of a side.
///
/// # Panics
/// If an image is empty, or the two differ in length.
pub fn structural_similarity(a: &[f64], b: &[f64], line: usize) -> f64 {
    assert!(a.len() == b.len() && line > 0 && !a.is_empty(), "two images of one size");
    let lines = a.len() / line;
    let (high, wide) = (WINDOW.min(lines), WINDOW.min(line));
    let mut sum = 0.0;
    for y in 0..=lines - high {
        for x in 0..=line - wide {
            let part = |image: &[f64]| -> Vec<f64> {
                let starts = (y..y + high).map(|y| y * line + x);
                starts.flat_map(|start| image[start..start + wide].to_vec()).collect()
            };
            sum += of_window(&part(a), &part(b));
        }
    }
    sum / ((lines - high + 1) * (line - wide + 1)) as f64
}

fn of_window(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let moment = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| {
        let sum: f64 = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        sum / (count - 1.0).max(1.0)
    };
    let covariance = moment(a, mean_a, b, mean_b);
    let variances = moment(a, mean_a, a, mean_a) + moment(b, mean_b, b, mean_b);
    let (c1, c2) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    (2.0 * mean_a * mean_b + c1) * (2.0 * covariance + c2)
        / ((mean_a.powi(2) + mean_b.powi(2) + c1) * (variances + c2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(lines: usize, line: usize, step: usize) -> Vec<f64> {
        (0..lines * line).map(|k| (k * step % 256) as f64 / 255.0).collect()
    }

    /// scikit-image 0.26.0, where f(k) is `(np.arange(lines * line) * k % 256 / 255).reshape(lines, line)`:
    /// `structural_similarity(f(37), f(step), data_range=1.0)`.
    #[test]
    fn it_is_that_of_scikit_image() {
        for (lines, line, step, expected) in [
            (16, 16, 53, -0.216_525_641_410_273_17),
            (9, 12, 41, -0.050_078_065_963_017_64),
            (7, 7, 38, 0.596_061_726_777_836_6),
        ] {
            let found =
                structural_similarity(&image(lines, line, 37), &image(lines, line, step), line);
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn constants_are_alike_by_their_means_alone() {
        let found = structural_similarity(&[0.5; 64], &[0.25; 64], 8);
        let expected = (2.0 * 0.5 * 0.25 + 1e-4) / (0.25 + 0.0625 + 1e-4);
        assert!((found - expected).abs() < 1e-14);
        let image = image(10, 3, 37);
        assert!((structural_similarity(&image, &image, 3) - 1.0).abs() < 1e-14);
    }
}
