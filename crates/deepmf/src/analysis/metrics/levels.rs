//! How good probabilities of levels are.

use crate::{Error, Result};

/// The mean of −ln P(true level): `probabilities[i]` has one number a level, `places[i]` is the place of the true one. A probability below 1e-15
/// counts as 1e-15.
///
/// # Errors
/// [`Error::Shape`] unless there is one list a rating and its place is among the levels; [`Error::Parameter`] if there are none.
pub fn level_log_loss(probabilities: &[Vec<f64>], places: &[usize]) -> Result<f64> {
    must_fit(probabilities, places)?;
    let pairs = probabilities.iter().zip(places);
    let sum: f64 = pairs.map(|(p, place)| -p[*place].max(1e-15).ln()).sum();
    Ok(sum / places.len() as f64)
}

fn must_fit(probabilities: &[Vec<f64>], places: &[usize]) -> Result<()> {
    if probabilities.len() != places.len() {
        let expected = format!("{} lists, one a rating,", places.len());
        return Err(Error::shape("the list of probabilities", expected, probabilities.len()));
    }
    if places.is_empty() {
        return Err(Error::parameter("the number of test ratings", "1 or more", 0));
    }
    let pairs = probabilities.iter().zip(places);
    if let Some((p, place)) = pairs.into_iter().find(|(p, place)| **place >= p.len()) {
        let expected = format!("below {}", p.len());
        return Err(Error::parameter("the place of a level", expected, place));
    }
    Ok(())
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// The mean probability that was given.
    pub said: f64,
    /// The share of times that it came true.
    pub seen: f64,
    /// How many probabilities are in the bin.
    pub count: usize,
}

/// A reliability diagram of all levels together: every probability of every level goes to one of `bins` equal bins; empty ones are
/// left out. Calibrated probabilities lie on the diagonal.
///
/// # Errors
/// As [`level_log_loss`]; [`Error::Parameter`] for no bins.
pub fn reliability(
    probabilities: &[Vec<f64>],
    places: &[usize],
    bins: usize,
) -> Result<Vec<Reliability>> {
    must_fit(probabilities, places)?;
    if bins == 0 {
        return Err(Error::parameter("the number of bins", "1 or more", 0));
    }
    let mut sums = vec![(0.0, 0.0, 0_usize); bins];
    for (p, place) in probabilities.iter().zip(places) {
        for (level, p) in p.iter().enumerate() {
            let bin = ((p * bins as f64) as usize).min(bins - 1);
            sums[bin].0 += p;
            sums[bin].1 += f64::from(u8::from(level == *place));
            sums[bin].2 += 1;
        }
    }
    let filled = sums.into_iter().filter(|(_, _, count)| *count > 0);
    Ok(filled
        .map(|(said, seen, count)| Reliability {
            said: said / count as f64,
            seen: seen / count as f64,
            count,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_loss_is_as_by_hand() {
        let p = [vec![0.5, 0.5], vec![0.1, 0.9], vec![1.0, 0.0]];
        let found = level_log_loss(&p, &[0, 1, 0]).unwrap();
        assert!((found - (2.0_f64.ln() - 0.9_f64.ln()) / 3.0).abs() < 1e-15);
        assert!(level_log_loss(&p, &[0, 1, 1]).unwrap() > 10.0);
        assert!(level_log_loss(&p, &[0, 1, 2]).is_err());
    }

    #[test]
    fn a_forecast_that_comes_true_as_often_as_it_says_is_on_the_diagonal() {
        let p = vec![vec![0.25, 0.75]; 4];
        let found = reliability(&p, &[0, 1, 1, 1], 10).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|bin| (bin.said - bin.seen).abs() < 1e-15 && bin.count == 4));
    }
}
