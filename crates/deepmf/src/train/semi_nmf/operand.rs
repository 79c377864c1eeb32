//! A view as the operand of thin products, dense or sparse: all that semi-NMF asks of it.

use crate::data::{Features, View};
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, Operator, Pattern, multiply, sum_of_squares};

/// The present samples of a view, samples × features; what is sparse stays sparse.
///
/// Thin factors are stored with their short side first: k × samples and k × features.
#[derive(Clone, Debug)]
pub struct Operand {
    samples: usize,
    features: usize,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Dense(Mat),
    Sparse { pattern: Pattern, values: Vec<f64> },
}

impl Operand {
    /// Of the samples that are not missing.
    pub fn new(view: &View) -> Self {
        let kept: Vec<usize> = (0..view.samples()).filter(|&i| !view.missing[i]).collect();
        match &view.features {
            Features::Dense(all) => {
                Self::dense(Mat::from_fn(kept.len(), all.cols(), |i, j| all[(kept[i], j)]))
            }
            Features::Sparse(entries) => {
                let mut place = vec![u32::MAX; view.samples()];
                kept.iter().enumerate().for_each(|(new, &old)| place[old] = new as u32);
                let (mut rows, mut cols, mut seen) = (Vec::new(), Vec::new(), Vec::new());
                for (i, j, value) in entries.iter().filter(|(i, ..)| place[*i] != u32::MAX) {
                    rows.push(place[i]);
                    cols.push(j as u32);
                    seen.push(value);
                }
                Self::of_cells((kept.len(), view.width()), &rows, &cols, &seen)
            }
        }
    }

    /// Of a dense matrix, samples × features.
    pub fn dense(matrix: Mat) -> Self {
        let (samples, features) = (matrix.rows(), matrix.cols());
        Self { samples, features, content: Content::Dense(matrix) }
    }

    /// Views side by side, each with the places of its samples among `samples`; zero where a view does not know a sample, and sparse where
    /// less than a third of the numbers is stored.
    pub fn stacked(views: &[(&Self, &[usize])], samples: usize) -> Self {
        let features = views.iter().map(|(view, _)| view.features).sum();
        let stored: usize = views.iter().map(|(view, _)| view.stored()).sum();
        if 3 * stored >= samples * features {
            let (mut whole, mut first) = (Mat::zeros(samples, features), 0);
            for (view, present) in views {
                view.each(|i, j, x| whole[(present[i], first + j)] = x);
                first += view.features;
            }
            return Self::dense(whole);
        }
        let (mut rows, mut cols, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = 0;
        for (view, present) in views {
            view.each(|i, j, x| {
                if x != 0.0 {
                    rows.push(present[i] as u32);
                    cols.push((first + j) as u32);
                    seen.push(x);
                }
            });
            first += view.features;
        }
        Self::of_cells((samples, features), &rows, &cols, &seen)
    }

    fn of_cells(shape: (usize, usize), rows: &[u32], cols: &[u32], seen: &[f64]) -> Self {
        let (pattern, places) = Pattern::new(shape, rows, cols);
        let mut values = vec![0.0; seen.len()];
        places.iter().zip(seen).for_each(|(&p, value)| values[p as usize] = *value);
        let (samples, features) = shape;
        Self { samples, features, content: Content::Sparse { pattern, values } }
    }

    /// How many numbers are stored.
    fn stored(&self) -> usize {
        match &self.content {
            Content::Dense(matrix) => matrix.values().len(),
            Content::Sparse { values, .. } => values.len(),
        }
    }

    /// Samples and features.
    pub fn shape(&self) -> (usize, usize) {
        (self.samples, self.features)
    }

    /// Calls `seen` with sample, feature and value of all numbers that are stored.
    pub fn each(&self, mut seen: impl FnMut(usize, usize, f64)) {
        match &self.content {
            Content::Dense(matrix) => {
                for j in 0..self.features {
                    matrix.col(j).iter().enumerate().for_each(|(i, x)| seen(i, j, *x));
                }
            }
            Content::Sparse { pattern, values } => {
                pattern.cells().zip(values).for_each(|((i, j), x)| seen(i, j, *x));
            }
        }
    }

    /// The squared norm of every feature.
    pub fn feature_squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.features];
        self.each(|_, j, x| squares[j] += x * x);
        squares
    }

    /// The squared norm of every sample.
    pub fn sample_squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.samples];
        self.each(|i, _, x| squares[i] += x * x);
        squares
    }

    /// The squared Frobenius norm.
    pub fn square(&self) -> f64 {
        match &self.content {
            Content::Dense(matrix) => sum_of_squares(matrix.values()),
            Content::Sparse { values, .. } => sum_of_squares(values),
        }
    }

    /// G S, k × features, for `partition` G, k × samples, and the samples × features S.
    pub fn onto_features(&self, partition: &Mat, out: &mut Mat) {
        out.reshape(partition.rows(), self.features);
        match &self.content {
            Content::Dense(matrix) => {
                let (out, replace) = (out.view_mut(), Accumulate::Replace);
                multiply(out, replace, 1.0, partition.view(), matrix.view());
            }
            Content::Sparse { pattern, values } => {
                out.values_mut().fill(0.0);
                pattern.add_left_product(values, partition.view(), out.view_mut());
            }
        }
    }

    /// B Sᵀ, k × samples, for B of k × features.
    pub fn onto_samples(&self, basis: &Mat, out: &mut Mat) {
        out.reshape(basis.rows(), self.samples);
        match &self.content {
            Content::Dense(matrix) => {
                let (out, replace) = (out.view_mut(), Accumulate::Replace);
                multiply(out, replace, 1.0, basis.view(), matrix.t());
            }
            Content::Sparse { pattern, values } => {
                out.values_mut().fill(0.0);
                pattern.add_right_product(values, basis.view(), out.view_mut());
            }
        }
    }
}

impl Operator for Operand {
    fn shape(&self) -> (usize, usize) {
        Operand::shape(self)
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        match &self.content {
            Content::Dense(matrix) => matrix.view().apply(x, out),
            Content::Sparse { pattern, values } => {
                out.fill(0.0);
                let (x, n) = (MatRef::new(1, x.len(), x), out.len());
                pattern.add_right_product(values, x, MatMut::new(1, n, out));
            }
        }
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        match &self.content {
            Content::Dense(matrix) => matrix.view().apply_transposed(x, out),
            Content::Sparse { pattern, values } => {
                out.fill(0.0);
                let (x, n) = (MatRef::new(1, x.len(), x), out.len());
                pattern.add_left_product(values, x, MatMut::new(1, n, out));
            }
        }
    }
}
