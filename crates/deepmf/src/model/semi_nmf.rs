//! A view as factors of any sign times a partition that is nowhere negative.

use crate::linalg::Mat;
use crate::{Error, Result};

/// Deep semi-non-negative factorization X ≈ F_1 … F_m G with G ≥ 0; at m = 1 plain semi-NMF (Ding, Li and Jordan 2010).
///
/// X is features × samples, F_1 features × k_1, F_i k_{i−1} × k_i, G k_m × samples: columns of G are the samples' memberships.
#[derive(Clone, Debug, PartialEq)]
pub struct SemiNmf {
    factors: Vec<Mat>,
    partition: Mat,
}

impl SemiNmf {
    /// Of F_1, …, F_m and G.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit, [`Error::Parameter`] if there is no factor or a number of G is negative or not finite.
    pub fn new(factors: Vec<Mat>, partition: Mat) -> Result<Self> {
        let Some(first) = factors.first() else {
            return Err(Error::parameter("the number of factors", "1 or more", 0));
        };
        let mut width = first.cols();
        for next in factors[1..].iter().chain([&partition]) {
            if next.rows() != width {
                let expected = format!("{width} rows");
                return Err(Error::shape("a factor of a semi-NMF", expected, next.rows()));
            }
            width = next.cols();
        }
        let negative = partition.values().iter().find(|x| !(x.is_finite() && **x >= 0.0));
        match negative {
            Some(found) => Err(Error::parameter("a membership", "finite and 0 or more", found)),
            None => Ok(Self { factors, partition }),
        }
    }

    /// F_1, …, F_m.
    pub fn factors(&self) -> &[Mat] {
        &self.factors
    }

    /// G, k_m × samples.
    pub fn partition(&self) -> &Mat {
        &self.partition
    }

    /// k_1, …, k_m.
    pub fn widths(&self) -> Vec<usize> {
        self.factors.iter().map(Mat::cols).collect()
    }

    /// F_1 … F_m, features × k_m: what a sample of one cluster looks like.
    pub fn basis(&self) -> Mat {
        let last = self.factors.len() - 1;
        let before = self.factors[..last].iter().rev();
        before.fold(self.factors[last].clone(), |basis, factor| factor.times(&basis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basis_is_the_product_of_the_factors() {
        let first = Mat::from_fn(3, 2, |i, j| (i + 2 * j) as f64);
        let second = Mat::from_fn(2, 1, |i, _| 1.0 - 3.0 * i as f64);
        let deep = SemiNmf::new(vec![first.clone(), second.clone()], Mat::eye(1, 4)).unwrap();
        assert_eq!(deep.basis(), first.times(&second));
        assert_eq!(deep.widths(), [2, 1]);
    }

    #[test]
    fn what_does_not_fit_or_is_negative_is_refused() {
        let first = || vec![Mat::eye(3, 2)];
        assert!(SemiNmf::new(vec![], Mat::eye(2, 2)).is_err());
        assert!(SemiNmf::new(first(), Mat::eye(3, 4)).is_err());
        let negative = Mat::from_fn(2, 2, |i, j| i as f64 - j as f64);
        let error = SemiNmf::new(first(), negative).unwrap_err().to_string();
        assert_eq!(error, "a membership must be finite and 0 or more, but it is -1");
    }
}
