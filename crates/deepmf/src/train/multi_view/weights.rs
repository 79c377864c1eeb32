//! Weights of features: the two closed forms, and the controller of their exponent.

use crate::spec::FeatureWeights;

/// Relative errors below this count as this one, so that no feature takes everything.
const LEAST_ERROR: f64 = 1e-6;

/// The weights w that minimise Σ m_j w_j^q r_j, for `errors` r_j ≥ 0 and `shares` m_j > 0.
///
/// | form | constraint | q | weights |
/// |---|---|---|---|
/// | `Shares` (A) | Σ m_j w_j = 1, p > 1 | p | r_j^(−1/(p−1)) / Σ m_l r_l^(−1/(p−1)) |
/// | `Powers` (B) | Σ m_j w_j^p = 1, 0 < p < 2 | 2 | r_j^(−1/(2−p)) / (Σ m_l r_l^(−p/(2−p)))^(1/p) |
/// | `Uniform` | all 1 | 1 | 1 |
///
/// With all shares 1 these are the forms as published for feature-weighted factorization; with shares that sum to 1,
/// equal errors give w = 1. A feature of share 0 (one that is zero everywhere) gets no weight.
pub fn feature_weights(form: FeatureWeights, p: f64, errors: &[f64], shares: &[f64]) -> Vec<f64> {
    let power = match form {
        FeatureWeights::Uniform => {
            return shares.iter().map(|m| f64::from(u8::from(*m > 0.0))).collect();
        }
        FeatureWeights::Shares => -1.0 / (p - 1.0),
        FeatureWeights::Powers => -1.0 / (2.0 - p),
    };
    let seen = || errors.iter().zip(shares).filter(|(_, m)| **m > 0.0);
    let least = seen().map(|(r, _)| r.max(LEAST_ERROR)).fold(f64::INFINITY, f64::min);
    // Relative to the least error no power overflows.
    let raw = |r: f64| (r.max(LEAST_ERROR) / least).powf(power);
    let sum = match form {
        FeatureWeights::Powers => {
            seen().map(|(r, m)| m * raw(*r).powf(p)).sum::<f64>().powf(1.0 / p)
        }
        _ => seen().map(|(r, m)| m * raw(*r)).sum::<f64>(),
    };
    errors.iter().zip(shares).map(|(r, m)| if *m > 0.0 { raw(*r) / sum } else { 0.0 }).collect()
}

/// The power q of a weight in the objective.
pub fn weight_power(form: FeatureWeights, p: f64) -> f64 {
    match form {
        FeatureWeights::Uniform => 1.0,
        FeatureWeights::Shares => p,
        FeatureWeights::Powers => 2.0,
    }
}

/// The entropy of the shares m_j w_j^q' that the constraint adds up to 1 (or that are made to), from 0 to 1: 1 is uniform.
pub fn entropy(weights: &[f64], shares: &[f64]) -> f64 {
    let parts = || weights.iter().zip(shares).map(|(w, m)| w * m).filter(|x| *x > 0.0);
    let (sum, count) = (parts().sum::<f64>(), parts().count());
    if count < 2 {
        return 1.0;
    }
    let uniform: f64 = {
        let total: f64 = shares.iter().sum();
        shares.iter().filter(|m| **m > 0.0).map(|m| -(m / total) * (m / total).ln()).sum()
    };
    parts().map(|x| -(x / sum) * (x / sum).ln()).sum::<f64>() / uniform
}

/// The PI rule of step-size control for the exponent: p ← p (T/ℓ)^{n₁} (ℓ₋/ℓ)^{n₂}, then T ← T (1 + |ℓ − ℓ₋|/ℓ₋), where ℓ is
/// the loss now and ℓ₋ the one before; T begins at the first loss. p changes at most twofold and stays within its bounds.
#[derive(Clone, Copy, Debug)]
pub struct ExponentRule {
    /// The exponent.
    pub p: f64,
    gains: (f64, f64),
    bounds: (f64, f64),
    /// T and the loss before, from the first loss on.
    before: Option<(f64, f64)>,
}

impl ExponentRule {
    /// Begins at `p`, clamped to `bounds`, with the gains (n₁, n₂).
    pub fn new(p: f64, gains: (f64, f64), bounds: (f64, f64)) -> Self {
        Self { p: p.clamp(bounds.0, bounds.1), gains, bounds, before: None }
    }

    /// Sees the next loss.
    pub fn see(&mut self, loss: f64) {
        if !(loss.is_finite() && loss > 0.0) {
            return;
        }
        let Some((tolerance, previous)) = self.before else {
            self.before = Some((loss, loss));
            return;
        };
        let factor = (tolerance / loss).powf(self.gains.0) * (previous / loss).powf(self.gains.1);
        let factor = if factor.is_finite() { factor.clamp(0.5, 2.0) } else { 1.0 };
        self.p = (self.p * factor).clamp(self.bounds.0, self.bounds.1);
        let tolerance = tolerance * (1.0 + (loss - previous).abs() / previous);
        self.before = Some((tolerance, loss));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERRORS: [f64; 4] = [0.1, 0.5, 0.9, 0.02];
    const FORMS: [(FeatureWeights, f64); 6] = [
        (FeatureWeights::Shares, 1.5),
        (FeatureWeights::Shares, 2.0),
        (FeatureWeights::Shares, 6.0),
        (FeatureWeights::Powers, 0.5),
        (FeatureWeights::Powers, 1.0),
        (FeatureWeights::Powers, 1.7),
    ];

    fn constraint(form: FeatureWeights, p: f64, w: &[f64], m: &[f64]) -> f64 {
        let power = if form == FeatureWeights::Powers { p } else { 1.0 };
        w.iter().zip(m).map(|(w, m)| m * w.powf(power)).sum()
    }

    fn value(form: FeatureWeights, p: f64, w: &[f64], m: &[f64]) -> f64 {
        let q = weight_power(form, p);
        w.iter().zip(m).zip(ERRORS).map(|((w, m), r)| m * w.powf(q) * r).sum()
    }

    #[test]
    fn closed_forms_hold_their_constraint_and_give_equal_weights_to_equal_errors() {
        for shares in [[1.0; 4], [0.4, 0.3, 0.2, 0.1]] {
            for (form, p) in FORMS {
                let w = feature_weights(form, p, &ERRORS, &shares);
                assert!((constraint(form, p, &w, &shares) - 1.0).abs() < 1e-12, "{form:?} {p}");
                let equal = feature_weights(form, p, &[0.3; 4], &shares);
                assert!(equal.iter().all(|w| (w - equal[0]).abs() < 1e-12 * equal[0]));
            }
        }
        let by_hand = feature_weights(FeatureWeights::Shares, 2.0, &[1.0, 0.5, 0.25], &[1.0; 3]);
        for (found, expected) in by_hand.iter().zip([1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
        let by_hand = feature_weights(FeatureWeights::Powers, 1.0, &[1.0, 0.5, 0.25], &[1.0; 3]);
        for (found, expected) in by_hand.iter().zip([1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    /// Minimises over the constraint by exact pairwise exchanges, each a golden-section search.
    fn minimised(form: FeatureWeights, p: f64, m: &[f64]) -> Vec<f64> {
        let power = if form == FeatureWeights::Powers { p } else { 1.0 };
        // In t = m w^power the constraint is the simplex.
        let mut t = vec![0.25; 4];
        let weights = |t: &[f64]| -> Vec<f64> {
            t.iter().zip(m).map(|(t, m)| (t / m).powf(1.0 / power)).collect()
        };
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        for _ in 0..200 {
            for a in 0..4 {
                for b in 0..a {
                    let sum = t[a] + t[b];
                    let at = |x: f64| {
                        let mut moved = t.clone();
                        (moved[a], moved[b]) = (x, sum - x);
                        value(form, p, &weights(&moved), m)
                    };
                    let (mut low, mut high) = (0.0, sum);
                    for _ in 0..80 {
                        let (x, y) = (high - golden * (high - low), low + golden * (high - low));
                        if at(x) < at(y) { high = y } else { low = x }
                    }
                    let x = 0.5 * (low + high);
                    (t[a], t[b]) = (x, sum - x);
                }
            }
        }
        weights(&t)
    }

    #[test]
    fn closed_forms_agree_with_a_numeric_minimiser() {
        for shares in [[1.0; 4], [0.4, 0.3, 0.2, 0.1]] {
            for (form, p) in FORMS {
                let w = feature_weights(form, p, &ERRORS, &shares);
                let numeric = minimised(form, p, &shares);
                for (found, expected) in w.iter().zip(&numeric) {
                    assert!((found - expected).abs() < 1e-6, "{form:?} {p}: {w:?} {numeric:?}");
                }
                let (best, other) =
                    (value(form, p, &w, &shares), value(form, p, &numeric, &shares));
                assert!(best <= other * (1.0 + 1e-9), "{form:?} {p}");
            }
        }
    }

    #[test]
    fn a_feature_that_is_zero_everywhere_gets_no_weight() {
        for (form, p) in FORMS {
            let w = feature_weights(form, p, &[0.0, 0.5, 0.5], &[0.0, 0.5, 0.5]);
            assert_eq!(w[0], 0.0);
            assert!((w[1] - 1.0).abs() < 1e-12 && (w[2] - 1.0).abs() < 1e-12, "{form:?} {p}");
        }
        assert_eq!(entropy(&[0.0, 1.0, 1.0], &[0.0, 0.5, 0.5]), 1.0);
        assert!(entropy(&[1.9, 0.1], &[0.5, 0.5]) < 0.3);
    }

    #[test]
    fn the_exponent_rises_as_the_loss_falls_and_stays_within_its_bounds() {
        let mut rule = ExponentRule::new(2.0, (0.3, 0.4), (1.1, 4.0));
        rule.see(1.0);
        assert_eq!(rule.p, 2.0);
        rule.see(0.5);
        // (1/0.5)^0.3 (1/0.5)^0.4 = 2^0.7.
        assert!((rule.p - 2.0 * 2.0_f64.powf(0.7)).abs() < 1e-12);
        rule.see(0.5);
        // T is 1.5 now: (1.5/0.5)^0.3 is beyond the bound.
        assert_eq!(rule.p, 4.0);
        rule.see(1e6);
        assert_eq!(rule.p, 2.0);
        (0..9).for_each(|_| rule.see(1e9));
        assert!(rule.p >= 1.1);
        rule.see(f64::NAN);
        assert!(rule.p.is_finite());
    }
}
