//! The data sets that can be fetched, and what their publisher says of them.

use clap::ValueEnum;

/// The folder of the publisher's server.
pub(crate) const PUBLISHER: &str = "https://files.grouplens.org/datasets/movielens";

/// A data set that can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataSet {
    /// MovieLens 100K: 100,000 ratings from 1 to 5.
    #[value(name = "ml-100k")]
    Ml100k,
    /// MovieLens 1M: 1,000,209 ratings from 1 to 5.
    #[value(name = "ml-1m")]
    Ml1m,
    /// The small one of the latest MovieLens: 100,836 ratings from 0.5 to 5.
    #[value(name = "ml-latest-small")]
    MlLatestSmall,
}

impl DataSet {
    /// The name of the set, of its archive and of the folder in there.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ml100k => "ml-100k",
            Self::Ml1m => "ml-1m",
            Self::MlLatestSmall => "ml-latest-small",
        }
    }

    /// The file of the ratings.
    pub(super) fn ratings_file(self) -> &'static str {
        match self {
            Self::Ml100k => "u.data",
            Self::Ml1m => "ratings.dat",
            Self::MlLatestSmall => "ratings.csv",
        }
    }

    /// The file of the publisher's terms.
    pub(super) fn terms_file(self) -> &'static str {
        match self {
            Self::Ml100k | Self::Ml1m => "README",
            Self::MlLatestSmall => "README.txt",
        }
    }

    /// Its ratings, and rows and columns with at least one.
    pub(super) fn counts(self) -> (usize, (usize, usize)) {
        match self {
            Self::Ml100k => (100_000, (943, 1_682)),
            Self::Ml1m => (1_000_209, (6_040, 3_706)),
            Self::MlLatestSmall => (100_836, (610, 9_724)),
        }
    }

    /// Whether a sum must lie beside the archive; elsewhere one is compared if it does.
    pub(super) fn must_have_sum(self) -> bool {
        self == Self::Ml100k
    }
}
