//! The numbers of a run: the truth, what is observed of it, and what is kept for the test.

use std::path::{Path, PathBuf};

use crate::data::{self, Entries, ReadOptions, Table};
use crate::linalg::{Mat, Operator, leading_singular, singular_values};
use crate::problem::{Evaluation, Problem};
use crate::product::Product;
use crate::spec::{self, Data, Observe, Reading, Spec, Training};
use crate::{Error, Result};

/// Cells up to which a dense decomposition is worth its time.
pub(in crate::experiment) const DENSE_UP_TO: usize = 4_000_000;

/// The numbers of a run.
pub(super) struct Source {
    pub(super) truth: Option<Mat>,
    /// What is observed in place of the truth, where noise was added.
    noisy: Option<Mat>,
    /// What a mask sees; empty for other observations.
    pub(super) observed: Entries,
    pub(super) test: Option<Entries>,
}

/// The file that a path means, seen from `base`.
pub(super) fn file(path: &Path, base: &Path) -> Result<PathBuf> {
    let found = spec::expand(path).map_err(|reason| Error::data(path, reason))?;
    Ok(base.join(found))
}

/// How many of `known` entries a mask sees, if it does not see all.
pub(super) fn mask_count(training: &Training, known: usize) -> Result<Option<usize>> {
    let Observe::Mask(mask) = &training.problem.observe else { return Ok(None) };
    let count = match (mask.count, mask.fraction) {
        (Some(_), Some(_)) => {
            let found = "given with fraction";
            return Err(Error::parameter("problem.mask.count", "given alone", found));
        }
        (None, None) => return Ok(None),
        (Some(count), None) => count,
        (None, Some(fraction)) => {
            if !(fraction > 0.0 && fraction <= 1.0) {
                return Err(Error::parameter(
                    "problem.mask.fraction",
                    "above 0 and at most 1",
                    fraction,
                ));
            }
            #[allow(clippy::cast_sign_loss, reason = "a part of a count is not negative")]
            let count = (fraction * known as f64).round() as usize;
            count
        }
    };
    if !(1..=known).contains(&count) {
        let what = match mask.count {
            Some(_) => "problem.mask.count",
            None => "the number that problem.mask.fraction gives",
        };
        return Err(Error::parameter(what, format!("from 1 to {known} entries"), count));
    }
    Ok(Some(count))
}

impl Source {
    pub(super) fn load(spec: &Spec, training: &Training, base: &Path) -> Result<Self> {
        let nothing = || Entries::new((0, 0), vec![], vec![], vec![]);
        let masked = matches!(training.problem.observe, Observe::Mask(_));
        match &spec.data {
            Data::LowRank(low_rank) => {
                let truth = data::low_rank(low_rank.shape, low_rank.rank, spec.seed)?;
                let observed =
                    if masked { masked_cells(&truth, spec.seed, training)? } else { nothing()? };
                Ok(Self { truth: Some(truth), noisy: None, observed, test: None })
            }
            Data::Spectrum(wanted) => {
                let spec::Spectrum { shape, values, symmetric, noise } = wanted;
                let truth = data::with_spectrum(*shape, values, *symmetric, spec.seed)?;
                let noisy = data::perturbed(&truth, *noise, *symmetric, spec.seed)?;
                let observed =
                    if masked { masked_cells(&noisy, spec.seed, training)? } else { nothing()? };
                Ok(Self { truth: Some(truth), noisy: Some(noisy), observed, test: None })
            }
            Data::Planted(planted) => {
                let truth = super::start::planted(spec, training, planted.shape, base)?;
                let observed =
                    if masked { masked_cells(&truth, spec.seed, training)? } else { nothing()? };
                Ok(Self { truth: Some(truth), noisy: None, observed, test: None })
            }
            Data::Cells(cells) => {
                let pick =
                    |part: fn(&(u32, u32, f64)) -> u32| cells.known.iter().map(part).collect();
                let values = cells.known.iter().map(|cell| cell.2).collect();
                let observed =
                    Entries::new(cells.shape, pick(|cell| cell.0), pick(|cell| cell.1), values)?;
                if !masked || mask_count(training, observed.len())?.is_some() {
                    let found = "given with a count, a fraction or another observation";
                    return Err(Error::parameter("data.cells", "given with a plain mask", found));
                }
                Ok(Self { truth: None, noisy: None, observed, test: None })
            }
            Data::File(file_data) => {
                let known = table(&file_data.path, &file_data.read, base)?.entries;
                let truth = file_data.truth.as_ref();
                let mut truth =
                    truth.map(|path| data::read_dense(file(path, base)?)).transpose()?;
                if !masked && truth.is_none() {
                    truth = Some(whole(&known, &file_data.path)?);
                }
                let (observed, test) = match mask_count(training, known.len())? {
                    Some(count) if count < known.len() => {
                        let hidden = 1.0 - count as f64 / known.len() as f64;
                        let (seen, hidden) = data::hide(&known, hidden, spec.seed)?;
                        (seen, Some(hidden))
                    }
                    _ => (known, None),
                };
                Ok(Self { truth, noisy: None, observed, test })
            }
            Data::EntriesOrder(order) => {
                let known = table(&order.path, &order.read, base)?.entries;
                if mask_count(training, known.len())?.is_some() || !masked {
                    let found = "given with a count, a fraction or another observation";
                    return Err(Error::parameter(
                        "data.entries-order",
                        "given with a plain mask",
                        found,
                    ));
                }
                if !(1..known.len()).contains(&order.train) {
                    let allowed = format!("from 1 to {}", known.len().saturating_sub(1));
                    return Err(Error::parameter("data.entries-order.train", allowed, order.train));
                }
                let places: Vec<usize> = (0..known.len()).collect();
                let (train, test) = places.split_at(order.train);
                let (observed, test) = (known.take(train), Some(known.take(test)));
                Ok(Self { truth: None, noisy: None, observed, test })
            }
            Data::Views(_) | Data::RandomViews(_) => {
                let allowed = "a matrix or ratings where a model is trained";
                Err(Error::parameter("data", allowed, "views"))
            }
            Data::Scene(_) | Data::Pictures(_) | Data::Matrix(_) | Data::Video(_) => {
                let allowed = "a table or ratings where a model is trained";
                Err(Error::parameter("data", allowed, "what a light is found from"))
            }
            Data::Ratings(_) | Data::RandomRatings(_) => {
                if mask_count(training, usize::MAX)?.is_some() || !masked {
                    let found = "given with a count, a fraction or another observation";
                    return Err(Error::parameter("data.ratings", "given with a plain mask", found));
                }
                let ratings = super::ratings::Ratings::load(&spec.data, spec.seed, base)?;
                if ratings.inputs.is_some() {
                    let found = "given to a model without them";
                    return Err(Error::parameter("new rows", "given to a recommender", found));
                }
                let (observed, test) = (ratings.train.entries, Some(ratings.test.entries));
                Ok(Self { truth: None, noisy: None, observed, test })
            }
        }
    }

    /// The whole matrix that is observed: the truth, or with noise added to it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not known.
    pub(super) fn whole(&self) -> Result<&Mat> {
        let missing = || Error::parameter("the truth", "known where all is observed", "not known");
        self.noisy.as_ref().or(self.truth.as_ref()).ok_or_else(missing)
    }

    /// What is known before any step.
    pub(super) fn facts(&self, problem: &Problem) -> Result<Vec<(&'static str, f64)>> {
        let mut facts = Vec::new();
        if let Some(test) = problem.test() {
            let zero = Zero(problem.shape());
            facts.push(("zero_test_error", zero.error(test)));
        }
        if let Some(truth) = &self.truth {
            let spectrum = singular_values(truth.view())?;
            facts.push(("truth_effective_rank", crate::analysis::effective_rank(&spectrum)));
            facts.push(("truth_nuclear_norm", crate::analysis::nuclear_norm(&spectrum)));
        }
        if !self.observed.is_empty() {
            let leading = leading_singular(&Filled(&self.observed), 1)?;
            facts.push(("observed_singular_value_1", leading.first().copied().unwrap_or(0.0)));
        }
        Ok(facts)
    }
}

/// What the mask of `spec` sees of a whole matrix.
fn masked_cells(whole: &Mat, seed: u64, training: &Training) -> Result<Entries> {
    let shape = (whole.rows(), whole.cols());
    match mask_count(training, shape.0 * shape.1)? {
        None => Entries::from_dense(whole),
        Some(count) => data::observe(whole, &data::random_cells(shape, count, seed)?),
    }
}

pub(super) fn table(path: &Path, reading: &Reading, base: &Path) -> Result<Table> {
    data::read_with(file(path, base)?, &options(reading)?)
}

/// The options that a description means.
pub(super) fn options(reading: &Reading) -> Result<ReadOptions> {
    let delimiter = reading.delimiter.map(u8::try_from).transpose().map_err(|_| {
        Error::parameter("delimiter", "one ASCII character", format!("{:?}", reading.delimiter))
    })?;
    Ok(ReadOptions {
        triplets: reading.triplets.as_deref().map(str::parse).transpose()?,
        missing: reading.missing.clone(),
        duplicates: reading.duplicates,
        header: reading.header,
        row_names: reading.row_names,
        delimiter,
        variable: reading.variable.clone(),
        ..ReadOptions::default()
    })
}

/// A table without holes as a matrix.
fn whole(known: &Entries, path: &Path) -> Result<Mat> {
    let (rows, cols) = known.shape();
    if rows.checked_mul(cols) == Some(known.len()) {
        return Ok(known.to_dense());
    }
    let problem = format!(
        "a matrix of {rows} x {cols} must be known everywhere, but {} entries are",
        known.len()
    );
    Err(Error::data(path, problem))
}

/// The zero matrix, as two thin factors.
struct Zero(data::Shape);

impl Zero {
    fn error(&self, test: &Problem) -> f64 {
        let (left, right) = (Mat::zeros(1, self.0.0), Mat::zeros(1, self.0.1));
        let outer = crate::product::Outer { left: left.view(), right: right.view() };
        test.value(&Product::Outer(outer), &mut Evaluation::default())
    }
}

/// The observed entries with zeros elsewhere.
struct Filled<'a>(&'a Entries);

impl Operator for Filled<'_> {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.0.iter().for_each(|(i, j, value)| out[i] += value * x[j]);
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.0.iter().for_each(|(i, j, value)| out[j] += value * x[i]);
    }
}
