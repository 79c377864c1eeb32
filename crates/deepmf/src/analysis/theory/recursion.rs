//! Gradient descent from α I on a symmetric target, one eigenvalue at a time.
//!
//! The layers of W = W_N … W_1 start at `W_j` = α I and descend on ½ ‖W − T‖_F² with a symmetric T. They stay equal to each
//! other and commute with T, so each eigenvalue λ of T has a number d of its own, the same in every layer:
//!
//! `d ← d − η d^{N−1} (d^N − λ)`, d(0) = α, and d^N is the eigenvalue of W.
//!
//! Eigenvalues below 0 are not learned: d falls to 0. Source: Chou, Gieshoff, Maly and Rauhut, "Gradient descent for deep
//! matrix factorization: dynamics and implicit bias towards low rank".

use super::check_depth;
use crate::{Error, Result};

/// One step d − η d^{N−1} (d^N − λ) of a layer's eigenvalue `d`, for N = `depth`, η = `rate` and λ = `target`.
pub fn eigenvalue_step(d: f64, depth: i32, rate: f64, target: f64) -> f64 {
    d - rate * d.powi(depth - 1) * (d.powi(depth) - target)
}

/// The largest rate 2 / (N λ_1^{2−2/N}) at which the recursion settles at the largest eigenvalue λ_1 = `top`.
///
/// # Errors
/// [`Error::Parameter`] if `depth` is below 1 or `top` is not above 0.
pub fn stable_rate(depth: f64, top: f64) -> Result<f64> {
    check_depth(depth)?;
    check_positive("the largest eigenvalue", top)?;
    Ok(2.0 / (depth * top.powf(2.0 - 2.0 / depth)))
}

/// The time T(λ, f) at which the flow d' = d^{N−1} (λ − d^N) from d(0) = α = `start` reaches f λ^{1/N}:
///
/// `T = ∫_α^{f λ^{1/N}} dx / (x^{N−1} (λ − x^N))`, with λ = `target` and f = `fraction`; 0 if it starts there.
///
/// Descent with a small rate η needs T / η steps. As α → 0 it is ln(1/α) / λ at N = 2 and 1 / ((N−2) λ α^{N−2}) above.
/// Source: as for [`eigenvalue_step`].
///
/// # Errors
/// [`Error::Parameter`] if `depth` is below 1, `start` or `target` is not above 0, or `fraction` is not above 0 and below 1.
pub fn hitting_time(depth: f64, start: f64, target: f64, fraction: f64) -> Result<f64> {
    check_depth(depth)?;
    check_positive("the start", start)?;
    check_positive("the eigenvalue", target)?;
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::parameter("the fraction", "above 0 and below 1", fraction));
    }
    let layer = target.powf(1.0 / depth);
    let first = start / layer;
    if first >= fraction {
        return Ok(0.0);
    }
    // 1 / (y^{N−1} (1 − y^N)) = y^{1−N} + y / (1 − y^N) in units of λ^{1/N}: the first part is singular at 0, and the
    // second is the series Σ y^{kN+1}, of which the differences of the integrals are added up.
    let excess = depth - 2.0;
    let singular = if excess.abs() < 1e-12 {
        (fraction / first).ln()
    } else {
        (first.powf(-excess) - fraction.powf(-excess)) / excess
    };
    let (mut sum, mut power) = (0.0, 2.0);
    loop {
        let term = (fraction.powf(power) - first.powf(power)) / power;
        sum += term;
        // What is left out is at most the geometric series that follows.
        if term <= f64::EPSILON * (1.0 - fraction) * (sum + singular) {
            return Ok((singular + sum) * target.powf(2.0 / depth - 2.0));
        }
        power += depth;
    }
}

/// When W is near rank k: from the time at which its k-th eigenvalue is learned to the time at which the next one shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowRankInterval {
    /// The time at which eigenvalue k reaches its share of its target.
    pub from: f64,
    /// The time at which eigenvalue k + 1 reaches its share of the largest one; none if it never does.
    pub to: Option<f64>,
}

/// The interval in which W is near rank `rank`, as the flow of [`hitting_time`] predicts it for a target with the
/// eigenvalues `spectrum`, in any order.
///
/// It begins when eigenvalue k reaches `learned` times its target and ends when eigenvalue k + 1 reaches `shown` times the
/// largest target. With a noise matrix E on the target the spectrum is that of the sum, within ‖E‖₂ of the
/// clean one (Weyl). Source of the question: Wang and Chou 2026, "Implicit regularization in perturbed deep matrix
/// factorization"; the answer follows from the recursion.
///
/// # Errors
/// [`Error::Parameter`] if `rank` is 0 or the spectrum has not as many eigenvalues above 0; as [`hitting_time`].
pub fn low_rank_interval(
    spectrum: &[f64],
    rank: usize,
    depth: f64,
    start: f64,
    (learned, shown): (f64, f64),
) -> Result<LowRankInterval> {
    let mut sorted: Vec<f64> = spectrum.iter().copied().filter(|x| *x > 0.0).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    if !(1..=sorted.len()).contains(&rank) {
        let allowed = format!("from 1 to {}, the eigenvalues above 0", sorted.len());
        return Err(Error::parameter("the rank", allowed, rank));
    }
    let layer = |share: f64| share.powf(1.0 / depth);
    let from = hitting_time(depth, start, sorted[rank - 1], layer(learned))?;
    let level = shown * sorted[0];
    let to = match sorted.get(rank) {
        Some(next) if level < *next => {
            Some(hitting_time(depth, start, *next, layer(level / next))?)
        }
        _ => None,
    };
    Ok(LowRankInterval { from, to })
}

fn check_positive(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::parameter(name, "finite and above 0", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps_to(depth: i32, start: f64, rate: f64, target: f64, level: f64) -> u32 {
        let mut d = start;
        for step in 0.. {
            if d >= level {
                return step;
            }
            d = eigenvalue_step(d, depth, rate, target);
        }
        unreachable!("the loop ends where the level is reached")
    }

    #[test]
    fn the_hitting_time_is_the_integral() {
        for depth in [1.0, 1.5, 2.0, 2.5, 3.0, 4.0] {
            for (start, target, fraction) in [(0.05, 4.0, 0.9), (0.2, 0.5, 0.99), (1e-3, 1.0, 0.5)]
            {
                let end = fraction * f64::powf(target, 1.0 / depth);
                // Simpson's rule in ln x.
                let (pieces, low, high) = (200_000, f64::ln(start), end.ln());
                let h = (high - low) / f64::from(pieces);
                let at = |i: i32| {
                    let x = (low + h * f64::from(i)).exp();
                    x.powf(2.0 - depth) / (target - x.powf(depth))
                };
                let inner: f64 =
                    (1..pieces).map(|i| at(i) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
                let expected = h / 3.0 * (at(0) + inner + at(pieces));
                let found = hitting_time(depth, start, target, fraction).unwrap();
                assert!((found / expected - 1.0).abs() < 1e-9, "{depth}: {found} {expected}");
            }
        }
    }

    #[test]
    fn two_layers_have_the_logistic_curve() {
        let logit = |x: f64| (x / (1.0 - x)).ln();
        let found = hitting_time(2.0, 0.01, 3.0, 0.9).unwrap();
        let expected = (logit(0.81) - logit(1e-4 / 3.0)) / 6.0;
        assert!((found - expected).abs() < 1e-13);
    }

    #[test]
    fn descent_takes_the_hitting_time_over_the_rate() {
        for (depth, start) in [(2, 1e-3), (3, 0.05), (4, 0.2)] {
            for target in [4.0, 1.0] {
                let (rate, fraction) = (1e-4, 0.99);
                let level = fraction * f64::powf(target, 1.0 / f64::from(depth));
                let steps = f64::from(steps_to(depth, start, rate, target, level));
                let time = hitting_time(f64::from(depth), start, target, fraction).unwrap();
                assert!((steps * rate / time - 1.0).abs() < 2e-3, "{depth} {target}");
            }
        }
    }

    #[test]
    fn small_starts_have_the_leading_order() {
        let time = |depth, start| hitting_time(depth, start, 2.0, 0.5).unwrap();
        assert!((time(2.0, 1e-100) / (1e100_f64.ln() / 2.0) - 1.0).abs() < 0.01);
        assert!((time(3.0, 1e-6) / (1.0 / (2.0 * 1e-6)) - 1.0).abs() < 1e-5);
        assert!((time(4.0, 1e-4) / (1.0 / (2.0 * 2.0 * 1e-8)) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_stable_rate_is_sharp() {
        for depth in [2, 3, 4] {
            let rate = stable_rate(f64::from(depth), 3.0).unwrap();
            let end = |factor: f64| {
                (0..20_000).fold(0.3, |d, _| eigenvalue_step(d, depth, factor * rate, 3.0))
            };
            assert!((end(0.98).powi(depth) - 3.0).abs() < 1e-8, "depth {depth}");
            assert!((end(1.02).powi(depth) - 3.0).abs() > 1e-2, "depth {depth}");
        }
    }

    #[test]
    fn a_negative_eigenvalue_is_not_learned() {
        let end = (0..100_000).fold(0.1, |d, _| eigenvalue_step(d, 3, 1e-2, -1.0));
        assert!((0.0..1e-2).contains(&end), "{end}");
    }

    #[test]
    fn the_interval_ends_where_the_next_eigenvalue_shows() {
        let interval = |next| {
            low_rank_interval(&[0.1, 4.0, next, 6.0, -3.0], 2, 3.0, 1e-3, (0.99, 0.01)).unwrap()
        };
        let LowRankInterval { from, to } = interval(0.5);
        // To leading order both times are 1 / (λ α), so that their ratio is that of the eigenvalues.
        assert!((to.unwrap() / from - 8.0).abs() < 0.1, "{from} {to:?}");
        assert_eq!(interval(0.05).to, Some(interval(0.05).to.unwrap()));
        assert_eq!(low_rank_interval(&[6.0, 0.05], 1, 3.0, 1e-3, (0.99, 0.01)).unwrap().to, None);
    }

    #[test]
    fn what_has_no_time_is_refused() {
        let error = hitting_time(3.0, 0.1, 1.0, 1.0).unwrap_err();
        assert_eq!(error.to_string(), "the fraction must be above 0 and below 1, but it is 1");
        assert!(hitting_time(3.0, 0.1, -1.0, 0.5).is_err());
        assert!(low_rank_interval(&[1.0], 2, 3.0, 0.1, (0.9, 0.1)).is_err());
        assert!(hitting_time(3.0, 2.0, 1.0, 0.5).unwrap() <= 0.0, "it starts there");
    }
}
