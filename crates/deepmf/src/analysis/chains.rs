//! The products of layers to the left and to the right of each.

use crate::linalg::{Accumulate, Mat, MatRef, multiply};
use crate::model::DeepLinear;
use crate::problem::Problem;
use crate::{Error, Result};

/// L_j = W_N … W_{j+1} and R_j = W_{j−1} … W_1 for j = 1 … N, none where it is the identity.
pub(crate) struct Chains {
    /// L_jᵀ, d_j × rows, for j = 1 … N − 1.
    lefts: Vec<Mat>,
    /// R_j, d_{j−1} × cols, for j = 2 … N.
    rights: Vec<Mat>,
}

impl Chains {
    /// Of layers that fit.
    pub(crate) fn new(layers: &[MatRef<'_>]) -> Self {
        let depth = layers.len();
        let (mut lefts, mut rights): (Vec<Mat>, Vec<Mat>) = (Vec::new(), Vec::new());
        for layer in &layers[..depth - 1] {
            rights.push(rights.last().map_or_else(|| layer.to_mat(), |r| layer.times(r.view())));
        }
        for layer in layers[1..].iter().rev() {
            let next =
                lefts.last().map_or_else(|| layer.t().to_mat(), |l| layer.t().times(l.view()));
            lefts.push(next);
        }
        lefts.reverse();
        Self { lefts, rights }
    }

    /// The number of layers N.
    pub(crate) fn depth(&self) -> usize {
        self.lefts.len() + 1
    }

    /// L_jᵀ, j counted from 1.
    pub(crate) fn left(&self, j: usize) -> Option<MatRef<'_>> {
        self.lefts.get(j - 1).map(Mat::view)
    }

    /// R_j, j counted from 1.
    pub(crate) fn right(&self, j: usize) -> Option<MatRef<'_>> {
        (j > 1).then(|| self.rights[j - 2].view())
    }

    /// L_j L_jᵀ, rows × rows; none for the identity.
    pub(crate) fn left_gram(&self, j: usize) -> Option<Mat> {
        self.left(j).map(|l| l.t().times(l))
    }

    /// R_jᵀ R_j, cols × cols; none for the identity.
    pub(crate) fn right_gram(&self, j: usize) -> Option<Mat> {
        self.right(j).map(|r| r.t().times(r))
    }
}

/// Checks that `layers` make a matrix of the problem.
///
/// # Errors
/// As [`DeepLinear::of_layers`], [`Error::Shape`] if W has not the shape of the problem, and [`Error::Parameter`] if a loss is not a sum.
pub(crate) fn must_fit(problem: &Problem, layers: &[MatRef<'_>]) -> Result<()> {
    DeepLinear::must_chain(layers)?;
    problem.must_be_separable()?;
    let (expected, found) = (problem.shape(), (layers[layers.len() - 1].rows(), layers[0].cols()));
    if expected == found {
        return Ok(());
    }
    let words = crate::data::words;
    Err(Error::shape("the product of the layers", words(expected), words(found)))
}

/// The network of `layers`, if it fits the problem.
///
/// # Errors
/// As [`must_fit`] and [`DeepLinear::of_layers`].
pub(crate) fn network(problem: &Problem, layers: &[MatRef<'_>]) -> Result<DeepLinear> {
    must_fit(problem, layers)?;
    DeepLinear::of_layers(layers)
}

/// The second derivatives of the loss at the product of the layers, one list a term.
pub(crate) fn weights(problem: &Problem, layers: &[MatRef<'_>]) -> Vec<Vec<f64>> {
    let mut curvature = crate::problem::Curvature::default();
    let quadratic = problem.terms().iter().all(|term| term.loss.is_quadratic());
    let (mut room, depth) = (Mat::default(), layers.len());
    if !quadratic {
        room = layers[..depth - 1]
            .iter()
            .rev()
            .fold(layers[depth - 1].to_mat(), |w, layer| w.view().times(*layer));
    }
    // Where no second derivative depends on W, W is not looked at.
    let product = crate::product::Product::Dense(room.view());
    problem.curvature(&product, &mut crate::problem::Evaluation::default(), &mut curvature);
    curvature.terms().to_vec()
}

/// `out ← out + a b`.
pub(crate) fn add(out: crate::linalg::MatMut<'_>, a: MatRef<'_>, b: MatRef<'_>) {
    multiply(out, Accumulate::Add, 1.0, a, b);
}
