//! How good ranked lists are: of `ranked` (best first) the first k against what is relevant.

use std::collections::BTreeSet;

/// The relevant ones among the first k, over k; 0 for k = 0.
pub fn precision(ranked: &[usize], relevant: &BTreeSet<usize>, k: usize) -> f64 {
    if k == 0 { 0.0 } else { hits(ranked, relevant, k) / k as f64 }
}

/// The relevant ones among the first k, over all that are relevant; NaN if none is.
pub fn recall(ranked: &[usize], relevant: &BTreeSet<usize>, k: usize) -> f64 {
    hits(ranked, relevant, k) / relevant.len() as f64
}

fn hits(ranked: &[usize], relevant: &BTreeSet<usize>, k: usize) -> f64 {
    ranked.iter().take(k).filter(|place| relevant.contains(place)).count() as f64
}

/// Normalised discounted cumulative gain of the first k: Σ \[relevant\] / log₂(place + 1), places from 1, over the greatest that it could be (Järvelin and Kekäläinen
/// 2002); NaN if nothing is relevant.
pub fn ndcg(ranked: &[usize], relevant: &BTreeSet<usize>, k: usize) -> f64 {
    let discount = |place: usize| 1.0 / ((place + 2) as f64).log2();
    let gained: f64 = ranked
        .iter()
        .take(k)
        .enumerate()
        .filter(|(_, item)| relevant.contains(item))
        .map(|(place, _)| discount(place))
        .sum();
    gained / (0..k.min(relevant.len())).map(discount).sum::<f64>()
}

/// Whether one held-out item scores among the first k beside `others` that were drawn against it (ties count against it).
pub fn hit(score: f64, others: &[f64], k: usize) -> bool {
    others.iter().filter(|other| **other >= score).count() < k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_judged_as_by_hand() {
        let relevant: BTreeSet<usize> = [3, 5, 9].into();
        let ranked = [5, 1, 3, 7, 9];
        assert!((precision(&ranked, &relevant, 3) - 2.0 / 3.0).abs() < 1e-15);
        assert!((recall(&ranked, &relevant, 3) - 2.0 / 3.0).abs() < 1e-15);
        let ideal = 1.0 + 1.0 / 3.0_f64.log2() + 0.5;
        assert!((ndcg(&ranked, &relevant, 3) - 1.5 / ideal).abs() < 1e-15);
        assert!((ndcg(&[3, 9, 5], &relevant, 10) - 1.0).abs() < 1e-15);
        assert!(hit(0.7, &[0.9, 0.1, 0.2], 2) && !hit(0.7, &[0.9, 0.7, 0.2], 2));
        assert!(recall(&ranked, &BTreeSet::new(), 3).is_nan());
    }
}
