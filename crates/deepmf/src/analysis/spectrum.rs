//! Ranks and norms of a matrix, from its singular values.
//!
//! Every function takes the singular values `s` of a matrix W in any order, zeros included or left out.
//! Of a negative number (the analytic decomposition along a trajectory has them) the absolute value counts.
//! The zero matrix has rank 0 in every sense. A NaN gives NaN, except that it does not count in
//! [`numerical_rank`].

use crate::{Error, Result};

fn largest(s: &[f64]) -> f64 {
    s.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// Σ f(|sᵢ| / s₁) over the values that are not zero; 0 if there are none.
fn relative_sum(s: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let largest = largest(s);
    s.iter().filter(|x| **x != 0.0).map(|x| f(x.abs() / largest)).sum()
}

/// The effective rank exp(−Σ pᵢ ln pᵢ) with pᵢ = sᵢ / Σⱼ sⱼ: from 1 (one direction) to the number of values
/// that are not zero (all alike), and 0 for the zero matrix. Exact zeros are left out.
///
/// Source: Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality".
pub fn effective_rank(s: &[f64]) -> f64 {
    let total = relative_sum(s, |x| x);
    if total == 0.0 {
        return 0.0;
    }
    // A share can vanish by underflow, and 0 ln 0 is 0.
    let surprise = |p: f64| if p == 0.0 { 0.0 } else { -p * p.ln() };
    relative_sum(s, |x| surprise(x / total)).exp()
}

/// The stable rank `‖W‖_F² / ‖W‖₂²` = Σ sᵢ² / s₁²; 0 for the zero matrix.
///
/// Source: Rudelson and Vershynin 2007, "Sampling from large matrices" (there "numerical rank").
pub fn stable_rank(s: &[f64]) -> f64 {
    relative_sum(s, |x| x * x)
}

/// The intrinsic dimension ‖W‖_* / ‖W‖₂ = Σ sᵢ / s₁ of (WᵀW)^{1/2}; 0 for the zero matrix.
///
/// Source of the term: Tropp 2015, "An introduction to matrix concentration inequalities", chapter 7.
/// Chou, Gieshoff, Maly and Rauhut (gradient descent for deep matrix factorization) call this one the
/// effective rank; here that is [`effective_rank`].
pub fn intrinsic_dimension(s: &[f64]) -> f64 {
    relative_sum(s, |x| x)
}

/// The number of singular values above `tolerance` · s₁; 0 for the zero matrix.
///
/// `tolerance` is relative. For a matrix known to rounding, max(rows, columns) · 2.2e-16 is usual.
pub fn numerical_rank(s: &[f64], tolerance: f64) -> usize {
    let bound = tolerance * largest(s);
    s.iter().filter(|x| x.abs() > bound).count()
}

/// The nuclear norm ‖W‖_* = Σ sᵢ.
pub fn nuclear_norm(s: &[f64]) -> f64 {
    s.iter().map(|x| x.abs()).sum()
}

/// The sum Σ sᵢᵖ: the Schatten-p (quasi-)norm to the power p, without the root that [`schatten_norm`] takes.
///
/// With p = 2/N it is the least value of `Σⱼ ‖Wⱼ‖_F² / N` over all factorizations of W into N layers that are wide
/// enough.
///
/// # Errors
/// [`Error::Parameter`] if `p` is not a finite number above 0.
pub fn schatten_sum(s: &[f64], p: f64) -> Result<f64> {
    check_power(p)?;
    Ok(s.iter().map(|x| x.abs().powf(p)).sum())
}

/// The Schatten-p norm (Σ sᵢᵖ)^{1/p}, a quasi-norm for p < 1: nuclear for p = 1, Frobenius for p = 2.
///
/// # Errors
/// [`Error::Parameter`] if `p` is not a finite number above 0.
pub fn schatten_norm(s: &[f64], p: f64) -> Result<f64> {
    check_power(p)?;
    Ok(largest(s) * relative_sum(s, |x| x.powf(p)).powf(1.0 / p))
}

fn check_power(p: f64) -> Result<()> {
    if p.is_finite() && p > 0.0 {
        return Ok(());
    }
    Err(Error::parameter("the power p of a Schatten norm", "finite and above 0", p))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-14 * expected.abs().max(1.0), "{found} {expected}");
    }

    #[test]
    fn equal_values_have_full_rank_in_every_sense() {
        let s = [3.0; 4];
        close(effective_rank(&s), 4.0);
        close(stable_rank(&s), 4.0);
        close(intrinsic_dimension(&s), 4.0);
        assert_eq!(numerical_rank(&s, 0.5), 4);
    }

    #[test]
    fn a_spectrum_worked_by_hand_has_its_ranks_and_norms() {
        let s = [2.0, 1.0, 1.0, 0.0];
        // p = 1/2, 1/4, 1/4: entropy 1.5 ln 2.
        close(effective_rank(&s), 2.0_f64.powf(1.5));
        close(stable_rank(&s), 1.5);
        close(intrinsic_dimension(&s), 2.0);
        close(nuclear_norm(&s), 4.0);
        close(schatten_sum(&s, 2.0).unwrap(), 6.0);
        close(schatten_norm(&s, 2.0).unwrap(), 6.0_f64.sqrt());
        close(schatten_norm(&s, 1.0).unwrap(), 4.0);
        close(schatten_sum(&[4.0, 9.0], 0.5).unwrap(), 5.0);
        close(schatten_norm(&[4.0, 9.0], 0.5).unwrap(), 25.0);
        assert_eq!(numerical_rank(&[1.0, 1e-3, 1e-9], 1e-6), 2);
    }

    #[test]
    fn the_zero_matrix_has_rank_zero_in_every_sense() {
        for s in [&[][..], &[0.0, 0.0]] {
            close(effective_rank(s) + stable_rank(s) + intrinsic_dimension(s), 0.0);
            close(schatten_norm(s, 0.5).unwrap() + nuclear_norm(s), 0.0);
            assert_eq!(numerical_rank(s, 0.0), 0);
        }
    }

    #[test]
    fn ranks_do_not_depend_on_scale_even_where_squares_would_overflow_or_vanish() {
        let s = [5.0, 2.0, 0.1];
        for scale in [1e-300, 1e300] {
            let scaled = s.map(|x| x * scale);
            close(effective_rank(&scaled), effective_rank(&s));
            close(stable_rank(&scaled), stable_rank(&s));
            close(schatten_norm(&scaled, 0.5).unwrap() / scale, schatten_norm(&s, 0.5).unwrap());
        }
    }

    #[test]
    fn a_value_far_below_the_first_adds_nothing() {
        close(effective_rank(&[1e300, 1e-300]), 1.0);
        close(effective_rank(&[1.0, 1.0, 1.0, 5e-324]), 3.0);
    }

    #[test]
    fn signs_do_not_count_and_a_nan_is_not_hidden() {
        close(effective_rank(&[2.0, -1.0]), effective_rank(&[2.0, 1.0]));
        assert!(effective_rank(&[1.0, f64::NAN]).is_nan());
        assert!(stable_rank(&[1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn a_power_of_zero_is_refused() {
        let error = schatten_norm(&[1.0], 0.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the power p of a Schatten norm must be finite and above 0, but it is 0"
        );
        assert!(schatten_sum(&[1.0], f64::INFINITY).is_err());
    }
}
