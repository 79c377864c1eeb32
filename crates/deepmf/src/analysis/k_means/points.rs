//! Samples as k-means and graphs see them: squared distances over the views in which a sample is known.

use crate::data::{Features, View};
use crate::linalg::{Mat, Operator, axpy, dot};
use crate::{Error, Result};

/// Samples of several views side by side; sparse ones are never made dense.
pub(crate) struct Points<'a> {
    samples: usize,
    width: usize,
    parts: Vec<Part<'a>>,
}

/// The features of one view.
struct Part<'a> {
    /// The place of its first feature among all.
    first: usize,
    width: usize,
    rows: Rows,
    /// ‖x_i‖² of every sample.
    squares: Vec<f64>,
    missing: &'a [bool],
    /// What was taken out of every sample (of dense features only), so that large offsets cost no digits.
    mean: Vec<f64>,
}

enum Rows {
    /// Features × samples.
    Dense(Mat),
    /// The features of sample i are those from `starts[i]` to `starts[i + 1]`.
    Sparse { starts: Vec<usize>, ids: Vec<u32>, values: Vec<f64> },
}

impl<'a> Points<'a> {
    /// The samples of `views`.
    ///
    /// # Errors
    /// As [`View::common_samples`]; [`Error::NotFinite`] for a number that is not finite.
    pub(crate) fn of(views: &'a [View]) -> Result<Self> {
        View::common_samples(views)?;
        Self::unchecked(views)
    }

    /// The same, where a sample may be missing in all of them.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a number that is not finite.
    pub(crate) fn unchecked(views: &'a [View]) -> Result<Self> {
        let samples = views.first().map_or(0, View::samples);
        let mut points = Self { samples, width: 0, parts: Vec::with_capacity(views.len()) };
        for view in views {
            let (rows, mean) = match &view.features {
                Features::Dense(values) => centred(values, &view.missing),
                Features::Sparse(_) => (by_sample(view), vec![0.0; view.width()]),
            };
            points.push(rows, mean, view.width(), &view.missing, &view.name)?;
        }
        Ok(points)
    }

    /// The rows of one matrix; `missing` says which of them are zeros in place of numbers.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a number that is not finite.
    pub(crate) fn of_matrix(samples: &Mat, missing: &'a [bool]) -> Result<Self> {
        let (rows, mean) = centred(samples, missing);
        let mut points = Self { samples: samples.rows(), width: 0, parts: Vec::with_capacity(1) };
        points.push(rows, mean, samples.cols(), missing, "samples")?;
        Ok(points)
    }

    fn push(
        &mut self,
        rows: Rows,
        mean: Vec<f64>,
        width: usize,
        missing: &'a [bool],
        name: &str,
    ) -> Result<()> {
        let squares: Vec<f64> = (0..self.samples).map(|i| rows.square(i)).collect();
        if let Some(&found) = squares.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: format!("a sample of `{name}`"), found });
        }
        self.parts.push(Part { first: self.width, width, rows, squares, missing, mean });
        self.width += width;
        Ok(())
    }

    /// The number of samples.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// The number of features of all views.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// ‖c‖² of each part of a centre.
    pub(super) fn squares_of(&self, centre: &[f64]) -> Vec<f64> {
        let of = |part: &Part<'_>| {
            let centre = &centre[part.first..part.first + part.width];
            dot(centre, centre)
        };
        self.parts.iter().map(of).collect()
    }

    /// ‖x_i − c‖² over the parts in which sample i is known; `squares` are those of [`Points::squares_of`].
    pub(super) fn to_centre(&self, i: usize, centre: &[f64], squares: &[f64]) -> f64 {
        let parts = self.parts.iter().zip(squares).filter(|(part, _)| !part.missing[i]);
        let distance = |(part, square): (&Part<'_>, &f64)| {
            let centre = &centre[part.first..part.first + part.width];
            (part.squares[i] + square - 2.0 * part.rows.dot(i, centre)).max(0.0)
        };
        parts.map(distance).sum()
    }

    /// Sample i as a centre; zeros, the mean of dense features, where it is missing.
    pub(super) fn centre_at(&self, i: usize, centre: &mut [f64]) {
        centre.fill(0.0);
        for part in self.parts.iter().filter(|part| !part.missing[i]) {
            part.rows.add(i, &mut centre[part.first..part.first + part.width]);
        }
    }

    /// The means of the samples of each cluster over those that are known, in place of `centres` (features × clusters); a part of
    /// a cluster without a known sample stays as it was.
    pub(super) fn means(&self, labels: &[usize], centres: &mut Mat) {
        for part in &self.parts {
            let mut counts = vec![0_usize; centres.cols()];
            let known = |i: &usize| !part.missing[*i];
            (0..self.samples).filter(known).for_each(|i| counts[labels[i]] += 1);
            let range = part.first..part.first + part.width;
            let filled: Vec<usize> = (0..counts.len()).filter(|&c| counts[c] > 0).collect();
            for &c in &filled {
                centres.col_mut(c)[range.clone()].fill(0.0);
            }
            for i in (0..self.samples).filter(known) {
                part.rows.add(i, &mut centres.col_mut(labels[i])[range.clone()]);
            }
            for c in filled {
                let share = 1.0 / counts[c] as f64;
                centres.col_mut(c)[range.clone()].iter_mut().for_each(|x| *x *= share);
            }
        }
    }

    /// Centres as clusters × features, with what was taken out put back.
    pub(super) fn given_back(&self, centres: &Mat) -> Mat {
        let mean: Vec<f64> = self.parts.iter().flat_map(|part| part.mean.iter().copied()).collect();
        Mat::from_fn(centres.cols(), centres.rows(), |c, j| centres[(j, c)] + mean[j])
    }

    /// ‖x_i − x_j‖² for every j, over the parts that know both; `out` has one number a sample.
    pub(crate) fn distances_from(&self, i: usize, out: &mut [f64]) {
        out.fill(0.0);
        let mut sample = Vec::new();
        for part in self.parts.iter().filter(|part| !part.missing[i]) {
            sample.clear();
            sample.resize(part.width, 0.0);
            part.rows.add(i, &mut sample);
            for (j, out) in out.iter_mut().enumerate() {
                if !part.missing[j] && i != j {
                    let both = part.squares[i] + part.squares[j];
                    *out += (both - 2.0 * part.rows.dot(j, &sample)).max(0.0);
                }
            }
        }
    }
}

/// All features side by side, samples × features, as k-means sees them.
impl Operator for Points<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.samples, self.width)
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for part in &self.parts {
            let x = &x[part.first..part.first + part.width];
            for (i, out) in out.iter_mut().enumerate() {
                *out += part.rows.dot(i, x);
            }
        }
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for part in &self.parts {
            let out = &mut out[part.first..part.first + part.width];
            for (i, &factor) in x.iter().enumerate() {
                part.rows.add_times(i, factor, out);
            }
        }
    }
}

impl Rows {
    fn square(&self, i: usize) -> f64 {
        match self {
            Self::Dense(values) => dot(values.col(i), values.col(i)),
            Self::Sparse { starts, values, .. } => {
                values[starts[i]..starts[i + 1]].iter().map(|x| x * x).sum()
            }
        }
    }

    fn dot(&self, i: usize, other: &[f64]) -> f64 {
        match self {
            Self::Dense(values) => dot(values.col(i), other),
            Self::Sparse { starts, ids, values } => {
                let range = starts[i]..starts[i + 1];
                let pairs = ids[range.clone()].iter().zip(&values[range]);
                pairs.map(|(&j, x)| x * other[j as usize]).sum()
            }
        }
    }

    fn add(&self, i: usize, sum: &mut [f64]) {
        self.add_times(i, 1.0, sum);
    }

    fn add_times(&self, i: usize, factor: f64, sum: &mut [f64]) {
        match self {
            Self::Dense(values) => axpy(factor, values.col(i), sum),
            Self::Sparse { starts, ids, values } => {
                let range = starts[i]..starts[i + 1];
                let pairs = ids[range.clone()].iter().zip(&values[range]);
                pairs.for_each(|(&j, x)| sum[j as usize] += factor * x);
            }
        }
    }
}

/// Features × samples with the mean of the known samples taken out, and that mean.
fn centred(values: &Mat, missing: &[bool]) -> (Rows, Vec<f64>) {
    let known: Vec<usize> = (0..values.rows()).filter(|&i| !missing[i]).collect();
    let mean: Vec<f64> = (0..values.cols())
        .map(|j| known.iter().map(|&i| values.col(j)[i]).sum::<f64>() / known.len().max(1) as f64)
        .collect();
    let less = |j: usize, i: usize| if missing[i] { 0.0 } else { values[(i, j)] - mean[j] };
    (Rows::Dense(Mat::from_fn(values.cols(), values.rows(), less)), mean)
}

/// The entries of sparse features, sample after sample.
fn by_sample(view: &View) -> Rows {
    let Features::Sparse(entries) = &view.features else {
        return Rows::Dense(Mat::zeros(0, 0));
    };
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&e| (entries.rows()[e], entries.cols()[e]));
    let mut starts = vec![0; view.samples() + 1];
    entries.rows().iter().for_each(|&i| starts[i as usize + 1] += 1);
    (0..view.samples()).for_each(|i| starts[i + 1] += starts[i]);
    let ids = order.iter().map(|&e| entries.cols()[e]).collect();
    let values = order.iter().map(|&e| entries.values()[e]).collect();
    Rows::Sparse { starts, ids, values }
}
