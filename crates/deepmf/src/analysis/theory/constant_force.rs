//! The motion of one singular value under a constant force, in closed form.

use super::check_depth;
use crate::{Error, Result};

/// The solution at `time` of `ds/dt = N a s^{2−2/N}`, s(0) = `start` > 0,
/// with the constant force a = −⟨∇ℓ, u vᵀ⟩:
///
/// - N = 1: s₀ + a t (which may change sign);
/// - N = 2: s₀ e^{2at};
/// - otherwise: `(s₀^{−(N−2)/N} − (N−2) a t)^{−N/(N−2)}`, infinite from [`blow_up_time`] on for N > 2;
///   for 1 < N < 2 and a negative force 0 is reached in finite time and kept.
///
/// Two modes with different forces so part linearly, by powers, or at an asymptote, the faster the deeper.
/// It follows by integrating the law of [`singular_value_velocity`](super::singular_value_velocity).
///
/// # Errors
/// [`Error::Parameter`] if `depth` is below 1, `start` is not above 0, `time` is negative, or a number is not finite.
pub fn constant_force(depth: f64, start: f64, force: f64, time: f64) -> Result<f64> {
    check(depth, start, force)?;
    if !(time.is_finite() && time >= 0.0) {
        return Err(Error::parameter("the time", "finite and 0 or more", time));
    }
    let excess = depth - 2.0;
    if depth <= 1.0 {
        return Ok(start + force * time);
    }
    if excess == 0.0 {
        return Ok(start * (2.0 * force * time).exp());
    }
    // The form with ln(1 + x) keeps its digits where N is nearly 2.
    let x = -excess * force * time * start.powf(excess / depth);
    if x <= -1.0 {
        return Ok(if excess > 0.0 { f64::INFINITY } else { 0.0 });
    }
    Ok(start * (-depth / excess * x.ln_1p()).exp())
}

/// The time `s₀^{−(N−2)/N} / ((N−2) a)` at which [`constant_force`] is infinite: none unless N > 2 and a > 0.
///
/// # Errors
/// [`Error::Parameter`] if `depth` is below 1, `start` is not above 0, or a number is not finite.
pub fn blow_up_time(depth: f64, start: f64, force: f64) -> Result<Option<f64>> {
    check(depth, start, force)?;
    let excess = depth - 2.0;
    Ok((excess > 0.0 && force > 0.0).then(|| start.powf(-excess / depth) / (excess * force)))
}

fn check(depth: f64, start: f64, force: f64) -> Result<()> {
    check_depth(depth)?;
    if !(start.is_finite() && start > 0.0) {
        let name = "the singular value at the start";
        return Err(Error::parameter(name, "finite and above 0", start));
    }
    if !force.is_finite() {
        return Err(Error::parameter("the force", "finite", force));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_holds_at_every_depth() {
        let h = 1e-5;
        for depth in [1.0, 1.5, 2.0 - 1e-9, 2.0, 2.0 + 1e-9, 2.5, 3.0, 4.0, 6.0] {
            for force in [0.5, -0.4] {
                let at = |t| constant_force(depth, 0.3, force, t).unwrap();
                assert!((at(0.0) - 0.3).abs() < 1e-15);
                let slope = (at(0.5 + h) - at(0.5 - h)) / (2.0 * h);
                let law = depth * force * at(0.5).powf(2.0 - 2.0 / depth);
                assert!((slope - law).abs() < 1e-8, "depth {depth}: {slope} {law}");
            }
        }
    }

    #[test]
    fn the_integer_depths_are_as_by_hand() {
        for (depth, expected) in [(1.0, 0.11), (2.0, 0.01 * 0.2_f64.exp())] {
            assert!((constant_force(depth, 0.01, 1.0, 0.1).unwrap() - expected).abs() < 1e-15);
        }
        // s^{-1/3} falls from 10 to 5.
        assert!((constant_force(3.0, 1e-3, 2.0, 2.5).unwrap() - 8e-3).abs() < 1e-15);
        // s^{-1/2} falls from 10 to 2.
        assert!((constant_force(4.0, 1e-2, 1.0, 4.0).unwrap() - 0.25).abs() < 1e-14);
    }

    #[test]
    fn deep_models_blow_up_and_shallow_ones_do_not() {
        let time = blow_up_time(3.0, 1e-3, 2.0).unwrap().unwrap();
        assert!((time - 5.0).abs() < 1e-13);
        assert!(constant_force(3.0, 1e-3, 2.0, 0.999 * time).unwrap().is_finite());
        assert!(constant_force(3.0, 1e-3, 2.0, 1.001 * time).unwrap().is_infinite());
        assert_eq!(blow_up_time(2.0, 1e-3, 2.0).unwrap(), None);
        assert_eq!(blow_up_time(3.0, 1e-3, -2.0).unwrap(), None);
    }

    #[test]
    fn below_depth_two_zero_is_reached_and_kept_but_passed_at_depth_one() {
        assert!(constant_force(1.5, 0.1, -1.0, 100.0).unwrap() <= 0.0);
        assert!((constant_force(1.0, 0.1, -1.0, 1.0).unwrap() + 0.9).abs() < 1e-15);
    }

    #[test]
    fn a_start_at_zero_and_a_negative_time_are_refused() {
        assert!(constant_force(3.0, 0.0, 1.0, 1.0).is_err());
        assert!(blow_up_time(3.0, 0.0, 1.0).is_err());
        assert!(blow_up_time(3.0, 1.0, f64::NAN).is_err());
        let error = constant_force(3.0, 1.0, 1.0, -1.0).unwrap_err();
        assert_eq!(error.to_string(), "the time must be finite and 0 or more, but it is -1");
    }
}
