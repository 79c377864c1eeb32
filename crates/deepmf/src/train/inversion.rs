//! Light from a known transport: the ridge solution, for any ridge from one decomposition.

use crate::linalg::{Accumulate, Mat, Svd, multiply, svd};
use crate::{Error, Result};

/// The least and largest ridge that [`Inversion::best`] tries, as a power of ten times the largest singular value.
const EXPONENTS: (i32, i32) = (-8, 0);
/// Ridges that are tried in each power of ten.
const PER_DECADE: i32 = 4;

/// The inverse problem Z = T·L for a known T.
#[derive(Clone, Debug)]
pub struct Inversion {
    decomposition: Svd,
}

/// The light of one ridge.
#[derive(Clone, Debug)]
pub struct Inverted {
    /// The ridge, as a share of the largest singular value.
    pub ridge: f64,
    /// L: columns of T x columns of Z, one matrix a channel.
    pub light: Vec<Mat>,
    /// What the judge said of it.
    pub value: f64,
}

impl Inversion {
    /// Decomposes the transport T, pixels x sources.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Shape`] if T is empty; [`Error::Parameter`] if it is zero.
    pub fn new(transport: &Mat) -> Result<Self> {
        if transport.values().is_empty() {
            let found = format!("({}, {})", transport.rows(), transport.cols());
            return Err(Error::shape("a transport", "one entry or more", found));
        }
        let decomposition = svd(transport.view())?;
        if decomposition.s.first().is_none_or(|&largest| largest == 0.0) {
            return Err(Error::parameter("a transport", "above 0 somewhere", 0));
        }
        Ok(Self { decomposition })
    }

    /// The singular values of T, descending.
    pub fn singular_values(&self) -> &[f64] {
        &self.decomposition.s
    }

    /// The minimizer of ‖Z − T·L‖² + (ridge · σ₁)² ‖L‖² over L.
    ///
    /// # Errors
    /// [`Error::Shape`] if Z has other rows than T; [`Error::Parameter`] if the ridge is not above 0.
    pub fn light(&self, observed: &Mat, ridge: f64) -> Result<Mat> {
        if !(ridge.is_finite() && ridge > 0.0) {
            return Err(Error::parameter("the ridge", "above 0", ridge));
        }
        Ok(self.filtered(&self.seen(observed)?, ridge))
    }

    /// The light with the ridge, the same for all channels, that the judge likes best: the largest value wins, the larger ridge on a tie.
    ///
    /// A judge that knows the truth makes this a bound for what any ridge can do.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not one Z a channel, or it has other rows than T; what the judge refuses.
    pub fn best(
        channels: &[Self],
        observed: &[Mat],
        judge: impl Fn(&[Mat]) -> Result<f64>,
    ) -> Result<Inverted> {
        if channels.len() != observed.len() {
            let expected = format!("{} channels, as the transport", channels.len());
            return Err(Error::shape("the observed video", expected, observed.len()));
        }
        let pairs = channels.iter().zip(observed);
        let seen = pairs.map(|(channel, z)| channel.seen(z)).collect::<Result<Vec<Mat>>>()?;
        let tried = |step: i32| -> Result<Inverted> {
            let ridge = 10_f64.powf(f64::from(step) / f64::from(PER_DECADE));
            let pairs = channels.iter().zip(&seen);
            let light: Vec<Mat> =
                pairs.map(|(channel, seen)| channel.filtered(seen, ridge)).collect();
            Ok(Inverted { ridge, value: judge(&light)?, light })
        };
        let mut best = tried(EXPONENTS.1 * PER_DECADE)?;
        for step in (EXPONENTS.0 * PER_DECADE..EXPONENTS.1 * PER_DECADE).rev() {
            let next = tried(step)?;
            if next.value > best.value {
                best = next;
            }
        }
        Ok(best)
    }

    /// Uᵀ Z.
    fn seen(&self, observed: &Mat) -> Result<Mat> {
        let u = &self.decomposition.u;
        if observed.rows() != u.rows() {
            return Err(Error::shape(
                "the observed video",
                format!("{} pixels, the rows of the transport", u.rows()),
                observed.rows(),
            ));
        }
        Ok(u.t().times(observed.view()))
    }

    /// V diag(σ / (σ² + λ²)) seen.
    fn filtered(&self, seen: &Mat, ridge: f64) -> Mat {
        let Svd { s, v, .. } = &self.decomposition;
        let least = ridge * s[0];
        let weighted = Mat::from_fn(seen.rows(), seen.cols(), |k, t| {
            seen[(k, t)] * s[k] / (s[k] * s[k] + least * least)
        });
        let mut light = Mat::zeros(v.rows(), seen.cols());
        multiply(light.view_mut(), Accumulate::Replace, 1.0, v.view(), weighted.view());
        light
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::temporal_correlation;
    use crate::data::{low_rank, with_spectrum};

    #[test]
    fn the_light_solves_the_normal_equations() {
        let transport = with_spectrum((12, 5), &[2.0, 1.0, 0.5, 0.1, 0.01], false, 0).unwrap();
        let observed = low_rank((12, 7), 3, 1).unwrap();
        let inversion = Inversion::new(&transport).unwrap();
        let light = inversion.light(&observed, 0.05).unwrap();
        // Tᵀ(Z − T L) = (0.05 · 2)² L.
        let residual = observed.minus(&transport.times(&light));
        let off = transport.t().times(residual.view()).minus(&light.scaled(0.01));
        assert!(off.max_abs() < 1e-13, "{}", off.max_abs());
        assert!((inversion.singular_values()[3] - 0.1).abs() < 1e-13);
    }

    #[test]
    fn without_noise_the_least_ridge_is_best_and_with_noise_it_is_not() {
        let transport =
            with_spectrum((30, 6), &[1.0, 0.3, 0.1, 0.03, 0.01, 0.003], false, 2).unwrap();
        let truth = low_rank((6, 40), 4, 3).unwrap();
        let clean = transport.times(&truth);
        let channel = [Inversion::new(&transport).unwrap()];
        let judge = |light: &[Mat]| Ok(temporal_correlation(&light[0], &truth));
        let best = Inversion::best(&channel, std::slice::from_ref(&clean), judge).unwrap();
        assert!(best.value > 1.0 - 1e-9 && best.ridge < 1e-5, "{best:?}");
        let noise = low_rank((30, 40), 30, 4).unwrap().scaled(-0.01);
        let noisy = Inversion::best(&channel, &[clean.minus(&noise)], judge).unwrap();
        assert!(noisy.value < 0.999 && noisy.value > 0.5, "{}", noisy.value);
        assert!(noisy.ridge > 1e-3 && noisy.ridge < 0.3, "{}", noisy.ridge);
    }

    #[test]
    fn what_cannot_be_inverted_is_named() {
        assert!(Inversion::new(&Mat::zeros(0, 2)).is_err());
        assert!(
            Inversion::new(&Mat::zeros(3, 2)).unwrap_err().to_string().ends_with("but it is 0")
        );
        let inversion = Inversion::new(&Mat::eye(3, 3)).unwrap();
        assert!(inversion.light(&Mat::eye(3, 3), 0.0).is_err());
        assert!(Inversion::best(std::slice::from_ref(&inversion), &[], |_| Ok(0.0)).is_err());
        assert_eq!(
            inversion.light(&Mat::eye(4, 4), 0.1).unwrap_err().to_string(),
            "the observed video must have 3 pixels, the rows of the transport, but it has 4"
        );
    }
}
