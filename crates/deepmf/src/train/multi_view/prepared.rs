//! What a view brings to an alternation.

use std::sync::Arc;

use crate::analysis::NeighbourGraph;
use crate::linalg::{Operator, axpy, dot, sum_of_squares};
use crate::train::semi_nmf::Operand;

/// What a view brings to an alternation: its numbers, scaled as they are to be factored, and which samples they are of.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Present samples × features.
    pub operand: Arc<Operand>,
    /// The samples that are present, ascending.
    pub present: Vec<usize>,
    /// The graph of the present samples, for methods and starts that need one.
    pub graph: Option<Arc<NeighbourGraph>>,
}

impl Prepared {
    /// All views side by side, as one; a sample that a view does not know is zero there.
    pub fn stacked(views: &[Self], samples: usize) -> Self {
        let parts: Vec<(&Operand, &[usize])> =
            views.iter().map(|view| (view.operand.as_ref(), view.present.as_slice())).collect();
        let operand = Arc::new(Operand::stacked(&parts, samples));
        Self { operand, present: (0..samples).collect(), graph: None }
    }
}

/// The samples of a view less their mean, each then of length 1 (or zero); what is sparse stays sparse.
pub(super) struct Centred<'a> {
    operand: &'a Operand,
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl<'a> Centred<'a> {
    pub(super) fn new(operand: &'a Operand) -> Self {
        let (samples, features) = operand.shape();
        let mut mean = vec![0.0; features];
        operand.apply_transposed(&vec![1.0 / samples as f64; samples], &mut mean);
        let (square, mut meeting) = (sum_of_squares(&mean), vec![0.0; samples]);
        operand.apply(&mean, &mut meeting);
        let all = operand.sample_squares();
        let scale = all.iter().zip(&meeting).map(|(own, meeting)| {
            let rest = own - 2.0 * meeting + square;
            // What rounding leaves of a sample at the mean has no direction.
            if rest > 1e-12 * (own + square) { 1.0 / rest.sqrt() } else { 0.0 }
        });
        Self { operand, scale: scale.collect(), mean }
    }
}

impl Operator for Centred<'_> {
    fn shape(&self) -> (usize, usize) {
        self.operand.shape()
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        self.operand.apply(x, out);
        let shift = dot(&self.mean, x);
        out.iter_mut().zip(&self.scale).for_each(|(out, scale)| *out = scale * (*out - shift));
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        let scaled: Vec<f64> = x.iter().zip(&self.scale).map(|(x, scale)| x * scale).collect();
        self.operand.apply_transposed(&scaled, out);
        axpy(-scaled.iter().sum::<f64>(), &self.mean, out);
    }
}

/// The views of [`Centred`] samples side by side, zero where a view does not know a sample: its left singular vectors are those of the mean kernel.
pub(super) struct Kernels<'a> {
    views: Vec<(Centred<'a>, &'a [usize])>,
    samples: usize,
    features: usize,
}

impl<'a> Kernels<'a> {
    pub(super) fn new(views: &'a [Prepared], samples: usize) -> Self {
        let features = views.iter().map(|view| view.operand.shape().1).sum();
        let one = |view: &'a Prepared| (Centred::new(&view.operand), view.present.as_slice());
        Self { views: views.iter().map(one).collect(), samples, features }
    }
}

impl Operator for Kernels<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.samples, self.features)
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let mut rest = x;
        for (view, present) in &self.views {
            let (own, after) = rest.split_at(view.shape().1);
            rest = after;
            let mut part = vec![0.0; present.len()];
            view.apply(own, &mut part);
            present.iter().zip(part).for_each(|(&i, x)| out[i] += x);
        }
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        let mut rest = out;
        for (view, present) in &self.views {
            let (own, after) = rest.split_at_mut(view.shape().1);
            rest = after;
            let part: Vec<f64> = present.iter().map(|&i| x[i]).collect();
            view.apply_transposed(&part, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::random::{Purpose, normal, stream};

    #[test]
    fn centred_samples_have_length_1_and_are_met_as_if_they_were_stored() {
        let mut random = stream(6, Purpose::Truth, 0);
        let values = Mat::from_fn(7, 4, |_, _| 1.0 + normal(&mut random));
        let operand = Operand::dense(values.clone());
        let centred = Centred::new(&operand);
        let mean: Vec<f64> = (0..4).map(|j| values.col(j).iter().sum::<f64>() / 7.0).collect();
        let mut stored = Mat::from_fn(7, 4, |i, j| values[(i, j)] - mean[j]);
        for i in 0..7 {
            let length = (0..4).map(|j| stored[(i, j)].powi(2)).sum::<f64>().sqrt();
            (0..4).for_each(|j| stored[(i, j)] /= length);
        }
        let (x, y) = ([1.0, -2.0, 0.5, 3.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let (mut forth, mut back) = ([0.0; 7], [0.0; 4]);
        centred.apply(&x, &mut forth);
        centred.apply_transposed(&y, &mut back);
        for (i, forth) in forth.iter().enumerate() {
            let expected: f64 = x.iter().enumerate().map(|(j, x)| stored[(i, j)] * x).sum();
            assert!((forth - expected).abs() < 1e-12);
        }
        for (j, back) in back.iter().enumerate() {
            assert!((back - dot(stored.col(j), &y)).abs() < 1e-12);
        }
    }
}
