//! The settings of a light that is dark at most places most of the time.

use serde::{Deserialize, Serialize};

use super::variation::{VariationTransport, not_negative};
use crate::{Error, Result};

/// A matrix Z as a transport of least variation times a light of few and sharp changes, searched for in one order of the hidden places after another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SparseTransport {
    /// The starts, of which `refined` go on, and the weights of the first rounds. `refined_vectors` are those of a round, `refined_steps` those of the last
    /// fits.
    pub images: VariationTransport,
    /// How often half of the hidden places are fitted in another order, any light being allowed.
    pub rounds: usize,
    /// After how many of them a difference of L counts the root of its size, with the weights below, and no longer its size.
    pub by_size: usize,
    /// Steps of a fit in a round.
    pub round_steps: u64,
    /// The weight of the mean √|L(next moment) − L(moment)|.
    pub over_time: f64,
    /// The weight of the mean √|L(next row) − L(row)|.
    pub over_rows: f64,
    /// The weight of the mean |T(next column) − T(column)|.
    pub over_cols: f64,
    /// The weight of the mean √|L|.
    pub dark: f64,
    /// The weight of (m − 1)², m being the mean of T, of which the size would be free.
    pub size: f64,
    /// How many of the searched, those whose rows are dark most often once they are spaced evenly, are fitted with all hidden places.
    pub last: usize,
    /// Singular vectors of these fits at most.
    pub last_vectors: usize,
}

impl Default for SparseTransport {
    fn default() -> Self {
        Self {
            images: VariationTransport {
                refined: 48,
                refined_steps: 6_000,
                rate: 1e-2,
                over_time: 1.0,
                blunt_cols: 100.0,
                inverse: 300.0,
                ..VariationTransport::default()
            },
            rounds: 140,
            by_size: 40,
            round_steps: 1_000,
            over_time: 0.3,
            over_rows: 0.05,
            over_cols: 2.0,
            dark: 0.05,
            size: 100.0,
            last: 12,
            last_vectors: 28,
        }
    }
}

impl SparseTransport {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that cannot be.
    pub fn check(&self) -> Result<()> {
        self.images.check().map_err(|error| error.below("images"))?;
        let counts =
            [("rounds", self.rounds), ("last", self.last), ("last-vectors", self.last_vectors)];
        if let Some((name, found)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(Error::parameter(name, "1 or more", found));
        }
        if self.by_size >= self.rounds {
            let allowed = format!("below rounds, which is {}", self.rounds);
            return Err(Error::parameter("by-size", allowed, self.by_size));
        }
        let weights = [
            ("over-time", self.over_time),
            ("over-rows", self.over_rows),
            ("over-cols", self.over_cols),
            ("dark", self.dark),
            ("size", self.size),
        ];
        not_negative(&weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let told = |change: &dyn Fn(&mut SparseTransport)| {
            let mut settings = SparseTransport::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(SparseTransport::default().check().is_ok());
        assert_eq!(told(&|it| it.last = 0), "last must be 1 or more, but it is 0");
        assert_eq!(told(&|it| it.dark = -1.0), "dark must be 0 or more, but it is -1");
        assert_eq!(
            told(&|it| it.images.starts = 0),
            "images.starts must be 1 or more, but it is 0"
        );
        assert_eq!(
            told(&|it| it.rounds = 40),
            "by-size must be below rounds, which is 40, but it is 40"
        );
    }
}
