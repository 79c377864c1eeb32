//! The settings of a light and a transport of least variation.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A matrix Z as the product of two images of least total variation, each in a singular subspace of Z.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VariationTransport {
    /// Random starts.
    pub starts: usize,
    /// How many of them, those with the least objective, are refined; that which agrees best with the others is kept.
    pub refined: usize,
    /// Singular vectors of a start at most.
    pub vectors: usize,
    /// Singular vectors of a refinement at most.
    pub refined_vectors: usize,
    /// A singular value that is not above this many times what noise alone would have is left out.
    pub above_noise: f64,
    /// Steps of a start.
    pub steps: u64,
    /// Steps of a refinement.
    pub refined_steps: u64,
    /// The rate of Adam, which falls to a twentieth along half a cosine; a refinement has half of it.
    pub rate: f64,
    /// What Z is scaled to: the mean of its entries over the number of hidden places.
    pub level: f64,
    /// The weight of the mean |L(next moment) − L(moment)|.
    pub over_time: f64,
    /// The weight of the mean |L(next row) − L(row)|.
    pub over_rows: f64,
    /// The weight of the mean |T(next column) − T(column)|.
    pub over_cols: f64,
    /// The width below which a difference of L from row to row counts by its square, over that of one over time.
    pub blunt_rows: f64,
    /// The same of a difference of T from column to column.
    pub blunt_cols: f64,
    /// The weight of the mean of min(x, 0)², of T and of L.
    pub non_negative: f64,
    /// The weight of the mean square of C·B − 1.
    pub inverse: f64,
}

impl Default for VariationTransport {
    fn default() -> Self {
        Self {
            starts: 256,
            refined: 16,
            vectors: 12,
            refined_vectors: 20,
            above_noise: 2.0,
            steps: 3_000,
            refined_steps: 4_000,
            rate: 5e-3,
            level: 0.25,
            over_time: 4.0,
            over_rows: 1.0,
            over_cols: 1.0,
            blunt_rows: 1.0,
            blunt_cols: 10.0,
            non_negative: 100.0,
            inverse: 30.0,
        }
    }
}

impl VariationTransport {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that cannot be.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("starts", self.starts),
            ("refined", self.refined),
            ("vectors", self.vectors),
            ("refined-vectors", self.refined_vectors),
        ];
        if let Some((name, found)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(Error::parameter(name, "1 or more", found));
        }
        let positive = [
            ("rate", self.rate),
            ("level", self.level),
            ("blunt-rows", self.blunt_rows),
            ("blunt-cols", self.blunt_cols),
            ("inverse", self.inverse),
        ];
        if let Some((name, found)) =
            positive.into_iter().find(|(_, x)| !(x.is_finite() && *x > 0.0))
        {
            return Err(Error::parameter(name, "above 0", found));
        }
        let others = [
            ("above-noise", self.above_noise),
            ("over-time", self.over_time),
            ("over-rows", self.over_rows),
            ("over-cols", self.over_cols),
            ("non-negative", self.non_negative),
        ];
        not_negative(&others)
    }
}

/// The first of several numbers that is below 0 or none is told.
pub(super) fn not_negative(all: &[(&str, f64)]) -> Result<()> {
    match all.iter().find(|(_, x)| !(x.is_finite() && *x >= 0.0)) {
        None => Ok(()),
        Some((name, found)) => Err(Error::parameter(*name, "0 or more", *found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let told = |change: &dyn Fn(&mut VariationTransport)| {
            let mut settings = VariationTransport::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(VariationTransport::default().check().is_ok());
        assert_eq!(told(&|it| it.starts = 0), "starts must be 1 or more, but it is 0");
        assert_eq!(told(&|it| it.rate = 0.0), "rate must be above 0, but it is 0");
        assert_eq!(told(&|it| it.over_rows = -1.0), "over-rows must be 0 or more, but it is -1");
    }
}
