//! The entries of each row and of each column, and the regression of one of them on the other side.

use crate::data::Entries;
use crate::linalg::{Cholesky, Mat, Pattern};

/// The entries by rows and by columns.
pub(super) struct Sides {
    pub(super) by_row: Lines,
    pub(super) by_col: Lines,
    pub(super) seen: Vec<f64>,
}

/// The entries of each line, one line after another, without the mean.
pub(super) struct Lines {
    pub(super) pattern: Pattern,
    pub(super) values: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
}

impl Sides {
    pub(super) fn new(entries: &Entries, mean: f64) -> Self {
        let (rows, cols) = entries.shape();
        let lines = |shape, major: &[u32], minor: &[u32]| {
            let (pattern, places) = Pattern::new(shape, major, minor);
            let ordered = |given: &[f64], shift: f64| {
                let mut out = vec![0.0; given.len()];
                for (place, x) in places.iter().zip(given) {
                    out[*place as usize] = x - shift;
                }
                out
            };
            let weights = entries.weights().map(|weights| ordered(weights, 0.0));
            Lines { pattern, values: ordered(entries.values(), mean), weights }
        };
        Self {
            by_row: lines((rows, cols), entries.rows(), entries.cols()),
            by_col: lines((cols, rows), entries.cols(), entries.rows()),
            seen: vec![0.0; entries.len()],
        }
    }
}

/// Scratch for the systems of one side.
pub(super) struct Room {
    pub(super) cholesky: Cholesky,
    pub(super) normal: Vec<f64>,
    pub(super) features: Vec<f64>,
    pub(super) targets: Vec<f64>,
}

impl Room {
    pub(super) fn new(d: usize) -> Self {
        let (features, targets) = (Vec::new(), Vec::new());
        Self { cholesky: Cholesky::new(d), normal: vec![0.0; d * d], features, targets }
    }

    /// The regression of a line on what the other side has: y ≈ a + ⟨u, v⟩, where a is fitted unless it is fixed.
    pub(super) fn gather(
        &mut self,
        lines: &Lines,
        line: usize,
        fixed: Option<f64>,
        offsets: &[f64],
        given: &Mat,
    ) {
        self.features.clear();
        self.targets.clear();
        let (start, ids) = lines.pattern.row(line);
        for (e, id) in ids.iter().enumerate() {
            let id = *id as usize;
            let begin = self.features.len();
            self.features.extend(fixed.is_none().then_some(1.0));
            self.features.extend_from_slice(given.col(id));
            let mut target = lines.values[start + e] - offsets[id] - fixed.unwrap_or(0.0);
            if let Some(weights) = &lines.weights {
                let root = weights[start + e].sqrt();
                self.features[begin..].iter_mut().for_each(|x| *x *= root);
                target *= root;
            }
            self.targets.push(target);
        }
    }
}
