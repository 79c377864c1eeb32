//! Gradient descent at and past the edge of stability 2/λ: escapes from sharp minima, orbits above the edge.
//!
//! At a minimum of sharpness λ a step of rate k · 2/λ multiplies the deviation along the sharpest direction by 1 − 2k: below
//! k = 1 it dies out, above it grows, and descent comes to rest at a flatter minimum or on an orbit (Kamber and Parhi 2025;
//! Ghosh, Kwon, Wang, Ravishankar and Qu 2025).

/// The first recorded step at which the distance from the start is above a threshold.
pub fn escape(steps: &[f64], distances: &[f64], threshold: f64) -> Option<f64> {
    let mut rows = steps.iter().zip(distances);
    rows.find(|(_, distance)| **distance > threshold).map(|(step, _)| *step)
}

/// Steps from a `distance` along the sharpest direction to a larger one at k times the edge: ln(threshold / distance) /
/// ln(2k − 1); infinite up to k = 1.
///
/// ```
/// use deepmf::analysis::escape_time;
/// // A thousand times nearer takes ln 1000 / ln 1.1 = 72.5 steps more.
/// let longer = escape_time(1e-9, 1e-2, 1.05) - escape_time(1e-6, 1e-2, 1.05);
/// assert!((longer - 72.477).abs() < 1e-3);
/// assert!(escape_time(1e-3, 1e-2, 0.99).is_infinite());
/// ```
pub fn escape_time(distance: f64, threshold: f64, multiple: f64) -> f64 {
    if multiple <= 1.0 {
        return f64::INFINITY;
    }
    (threshold / distance).ln() / (2.0 * multiple - 1.0).ln()
}

/// The sharpness of the minimum at which descent comes to rest after it has left one just above the edge, to first order:
/// 4/rate − λ, the mirror image of λ at 2/rate.
pub fn mirrored_sharpness(sharpness: f64, rate: f64) -> f64 {
    4.0 / rate - sharpness
}

/// What a series repeats at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orbit {
    /// Numbers until it repeats; 1 where it rests.
    pub period: usize,
    /// Half the distance from the least to the greatest number.
    pub amplitude: f64,
}

/// The longest period that is looked for.
const LONGEST: usize = 64;

/// The orbit on which the second half of a series runs: the shortest period whose repetitions differ by at most `tolerance` times
/// the range. A series whose range is at most `tolerance` times its size rests. None for one that neither rests nor
/// repeats: it still moves, or is chaotic.
///
/// ```
/// use deepmf::analysis::orbit;
/// let swinging: Vec<f64> = (0..100).map(|t| if t % 2 == 0 { 1.2 } else { 0.8 }).collect();
/// let found = orbit(&swinging, 1e-3).unwrap();
/// assert!(found.period == 2 && (found.amplitude - 0.2).abs() < 1e-12);
/// ```
pub fn orbit(numbers: &[f64], tolerance: f64) -> Option<Orbit> {
    let tail = &numbers[numbers.len() / 2..];
    if tail.len() < 2 || tail.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let ends = |(low, high): (f64, f64), x: &f64| (low.min(*x), high.max(*x));
    let (low, high) = tail.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    let range = high - low;
    let repeats = |period: usize| {
        let pairs = tail.iter().zip(&tail[period..]);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) <= tolerance * range
    };
    if range <= tolerance * low.abs().max(high.abs()) {
        return Some(Orbit { period: 1, amplitude: 0.5 * range });
    }
    // What hardly differs from one number to the next drifts.
    if repeats(1) {
        return None;
    }
    let periods = 2..=LONGEST.min(tail.len() / 4);
    let period = periods.into_iter().find(|period| repeats(*period))?;
    Some(Orbit { period, amplitude: 0.5 * range })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The logistic map x ← r x (1 − x) after 2,000 steps.
    fn logistic(r: f64) -> Vec<f64> {
        let mut x = 0.3;
        let next = |_| {
            x = r * x * (1.0 - x);
            x
        };
        (0..2_400).map(next).skip(2_000).collect()
    }

    #[test]
    fn the_logistic_map_has_its_known_periods() {
        let period = |r| orbit(&logistic(r), 1e-6).map(|found| found.period);
        assert_eq!(period(2.8), Some(1));
        assert_eq!(period(3.2), Some(2));
        assert_eq!(period(3.5), Some(4));
        assert_eq!(period(3.55), Some(8));
        assert_eq!(period(3.83), Some(3));
        assert_eq!(period(3.9), None);
        // At 3.2 it swings between (r + 1 ± √((r − 3)(r + 1))) / 2r.
        let expected = (0.2_f64 * 4.2).sqrt() / 6.4;
        let found = orbit(&logistic(3.2), 1e-6).unwrap().amplitude;
        assert!((found - expected).abs() < 1e-12);
    }

    #[test]
    fn a_series_that_drifts_has_no_orbit() {
        let drifting: Vec<f64> = (0..200).map(|t| (-0.05 * f64::from(t)).exp()).collect();
        assert_eq!(orbit(&drifting, 0.1), None);
        assert_eq!(orbit(&[], 0.1), None);
        assert_eq!(orbit(&[1.0, f64::NAN, f64::NAN, f64::NAN], 0.1), None);
    }

    #[test]
    fn an_escape_takes_as_long_as_predicted() {
        let (k, eps) = (1.05, 1e-9);
        let steps: Vec<f64> = (0..400).map(f64::from).collect();
        let distances: Vec<f64> =
            steps.iter().map(|t| eps * (2.0 * k - 1.0_f64).powf(*t)).collect();
        let found = escape(&steps, &distances, 1e-3).unwrap();
        assert!((0.0..1.0).contains(&(found - escape_time(eps, 1e-3, k))));
        assert_eq!(escape(&steps, &distances, f64::INFINITY), None);
    }
}
