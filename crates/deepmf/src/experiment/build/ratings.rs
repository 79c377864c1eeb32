//! The ratings of a run: those that are fitted, those that are given to it afterwards, and those of the test.

use std::path::Path;

use super::source::{file, options, table};
use crate::data::{self, Entries, Format, ReadOptions, Table, align};
use crate::spec::{self, Data, Hold};
use crate::{Error, Result};

/// The ratings of a run.
pub(in crate::experiment) struct Ratings {
    /// What is fitted.
    pub(in crate::experiment) train: Table,
    /// Ratings of rows and columns that are new after the fit.
    pub(in crate::experiment) inputs: Option<Table>,
    /// What is predicted.
    pub(in crate::experiment) test: Table,
}

impl Ratings {
    /// # Errors
    /// What reading gives; [`Error::Parameter`] for other data, or where not exactly one way to a test is said.
    pub(in crate::experiment) fn load(data: &Data, seed: u64, base: &Path) -> Result<Self> {
        match data {
            Data::Ratings(ratings) => Self::of_file(ratings, seed, base),
            Data::RandomRatings(random) => {
                let (shape, rank) = (random.shape, random.rank);
                let all = data::random_ratings(shape, rank, random.count, seed)?;
                Self::held(&Table::new(all), &random.hold, seed)
            }
            _ => Err(Error::parameter("data", "ratings or random-ratings", "other data")),
        }
    }

    fn of_file(ratings: &spec::Ratings, seed: u64, base: &Path) -> Result<Self> {
        let spec::Ratings { path, train_mask, test_mask, test, hold, read } = ratings;
        let mut read = read.clone();
        if Format::of(path).has_fields() && read.triplets.is_none() {
            read.triplets = Some("1,2,3".into());
        }
        let all = table(path, &read, base)?;
        let options = ReadOptions { variable: None, ..options(&read)? };
        let beside =
            |path: &Path, what: &str| align::read(&file(path, base)?, what, &options, &all);
        let of = |entries: Entries| Table { entries, ..all.clone() };
        let masked = |mask: &Path, what: &str| {
            Ok::<_, Error>(of(align::within(&all.entries, &beside(mask, what)?)))
        };
        let train = |otherwise: Table| match train_mask {
            Some(mask) => masked(mask, "the mask of the training ratings"),
            None => Ok(otherwise),
        };
        match (test_mask, test, hold) {
            (Some(mask), None, None) => {
                let test = masked(mask, "the mask of the test ratings")?;
                let rest = of(align::without(&all.entries, &test.entries));
                Ok(Self { train: train(rest)?, inputs: None, test })
            }
            (None, Some(path), None) => {
                let test = of(beside(path, "the test ratings")?);
                let rest = of(align::without(&all.entries, &test.entries));
                Ok(Self { train: train(rest)?, inputs: None, test })
            }
            (None, None, Some(hold)) if train_mask.is_none() => Self::held(&all, hold, seed),
            _ => {
                let allowed =
                    "given by one of test-mask, test and hold (hold without a train-mask)";
                Err(Error::parameter("data.ratings", allowed, "not"))
            }
        }
    }

    fn held(all: &Table, hold: &Hold, seed: u64) -> Result<Self> {
        let of = |entries: Entries| Table { entries, ..all.clone() };
        match hold {
            Hold::Share(share) => {
                let (rest, held) = data::hide(&all.entries, *share, seed)?;
                Ok(Self { train: of(rest), inputs: None, test: of(held) })
            }
            Hold::Cold(share) => {
                let cold = data::cold_split(&all.entries, *share, *share, seed)?;
                let (train, inputs, test) = (of(cold.train), of(cold.input), of(cold.test));
                Ok(Self { train, inputs: Some(inputs), test })
            }
        }
    }
}
