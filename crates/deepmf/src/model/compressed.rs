//! The compressed model: the few directions of a wide network that gradient descent moves, and what it leaves.

use super::{DeepLinear, Model, Pass};
use crate::linalg::{Mat, MatRef, Svd, dot, leading_svd, orthonormal};
use crate::problem::{Evaluation, Problem};
use crate::{Error, Result};

/// How far WᵀW may be from a multiple of the identity, relative to it.
const ORTHOGONAL: f64 = 1e-10;
/// The residual of the decomposition that gives the directions, relative to the largest value.
const RESIDUAL: f64 = 1e-14;

/// A wide network W_N … W_1 that starts at scaled orthogonal layers ε_l Q_l, written with 2 r instead of d directions.
///
/// With G the gradient of the loss with respect to W_1 at the start, of rank r but for a multiple of W_1, the directions are
/// V_1 = orth[right vectors of G, W_1ᵀ (left vectors of G) / ε_1], d × 2r, and U_1 = W_N … W_1 V_1 / ∏ε. The network
/// U_1 · C_N … C_1 · V_1ᵀ has N + 2 layers and begins with cores C_l = ε_l I.
///
/// With every entry observed and a target of rank at most r, gradient descent on the cores alone (an
/// [`outer`](crate::train::optimizer::GradientDescent::outer) factor 0) is exactly that of the wide network, but for its
/// [`tail`](Self::tail). With a mask the outer layers must learn too, slowly: outer factor 0.01 to 0.1.
///
/// Source: Yaras, Wang, Balzano and Qu 2024, "Compressible dynamics in deep overparameterized low-rank learning &
/// adaptation". The start from a surrogate by Kwon et al. is [`Init::Spectral`](super::Init::Spectral).
#[derive(Clone, Debug)]
pub struct Compressed {
    /// The network of N + 2 layers: V_1ᵀ, C_1, …, C_N, U_1.
    pub model: DeepLinear,
    sizes: Vec<f64>,
}

impl Compressed {
    /// Compresses `wide`, at its start, to 2 · `rank` directions.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a layer is not a multiple of a square orthogonal matrix or 2 · `rank` is not from 2 to d;
    /// [`Error::NotFinite`] if the gradient is not finite.
    pub fn new(wide: &DeepLinear, problem: &Problem, rank: usize) -> Result<Self> {
        let (side, width) = (wide.widths()[0], 2 * rank);
        if wide.widths().iter().any(|d| *d != side) {
            let words = format!("{:?}", wide.widths());
            return Err(Error::parameter("the widths", "all the same", words));
        }
        if !(2..=side).contains(&width) {
            let most = side / 2;
            return Err(Error::parameter("rank", format!("from 1 to {most}, half the side"), rank));
        }
        let sizes = wide.layers().into_iter().map(size).collect::<Result<Vec<f64>>>()?;

        let right = directions(wide, problem, rank, sizes[0])?;
        let total: f64 = sizes.iter().product();
        let image = wide.layers().into_iter().fold(right.clone(), |x, w| w.times(x.view()));
        let left = image.scaled(1.0 / total);

        let depth = wide.depth();
        let mut widths = vec![width; depth + 3];
        (widths[0], widths[depth + 2]) = (side, side);
        let mut model = DeepLinear::new(&widths)?;
        model.params_mut().set(0, &right.t().to_mat())?;
        for (place, size) in sizes.iter().enumerate() {
            model.params_mut().set(place + 1, &Mat::eye(width, width).scaled(*size))?;
        }
        model.params_mut().set(depth + 1, &left)?;
        Ok(Self { model, sizes })
    }

    /// The part of `wide`, the network that was compressed, that the compressed model leaves out.
    pub fn tail(&self, wide: &DeepLinear) -> Tail {
        let total: f64 = self.sizes.iter().product();
        let last = self.model.depth() - 1;
        let kept = self.model.layer(last).times(self.model.layer(0));
        let directions = wide.product().scaled(1.0 / total).minus(&kept);
        Tail { directions, sizes: self.sizes.clone() }
    }
}

/// ε of a layer ε Q.
fn size(layer: MatRef<'_>) -> Result<f64> {
    let gram = layer.t().times(layer);
    let square = (0..gram.cols()).map(|i| gram[(i, i)]).sum::<f64>() / gram.cols() as f64;
    let off = gram.minus(&Mat::eye(layer.cols(), layer.cols()).scaled(square)).max_abs();
    if square > 0.0 && off <= ORTHOGONAL * square {
        return Ok(square.sqrt());
    }
    Err(Error::parameter("every layer", "a multiple of an orthogonal matrix", "another"))
}

/// V_1, d × 2r.
fn directions(wide: &DeepLinear, problem: &Problem, rank: usize, size: f64) -> Result<Mat> {
    let (mut pass, mut evaluation) = (Pass::default(), Evaluation::default());
    let mut gradient = wide.params().zeros_like();
    problem.evaluate(&wide.forward(&mut pass), &mut evaluation);
    wide.pullback(&evaluation.cotangent, &mut pass, &mut gradient);
    let Svd { u, v, .. } = leading_svd(&gradient.matrix(0), rank, RESIDUAL)?;
    let turned = wide.layer(0).t().times(u.view()).scaled(1.0 / size);
    let both: Vec<f64> = v.values().iter().chain(turned.values()).copied().collect();
    Ok(orthonormal(MatRef::new(v.rows(), 2 * rank, &both)))
}

/// What a [`Compressed`] model leaves out of the wide network: (∏ρ_l) U_2 V_2ᵀ, with d − 2r equal singular values.
///
/// Under gradient descent on c Σ r² over every entry it shrinks by itself:
/// `ρ_l ← ρ_l (1 − rate · decay − rate · 2c ∏_{k≠l} ρ_k²)`, from ρ_l = ε_l. So the compressed model is within
/// √(d − 2r) ∏ρ_l of the wide network in the Frobenius norm. Source: as for [`Compressed`].
#[derive(Clone, Debug)]
pub struct Tail {
    directions: Mat,
    sizes: Vec<f64>,
}

impl Tail {
    /// One step of descent with `rate` and weight decay on a loss with `curvature` 2c (1 for half the sum of squares).
    pub fn step(&mut self, rate: f64, decay: f64, curvature: f64) {
        let before = self.sizes.clone();
        for (l, size) in self.sizes.iter_mut().enumerate() {
            let others = (0..before.len()).filter(|k| *k != l).map(|k| before[k] * before[k]);
            *size *= 1.0 - rate * decay - rate * curvature * others.product::<f64>();
        }
    }

    /// ∏ρ_l, each of its singular values.
    pub fn size(&self) -> f64 {
        self.sizes.iter().product()
    }

    /// Its Frobenius norm, √(d − 2r) ∏ρ_l.
    pub fn frobenius(&self) -> f64 {
        self.size().abs() * dot(self.directions.values(), self.directions.values()).sqrt()
    }

    /// (∏ρ_l) U_2 V_2ᵀ.
    pub fn product(&self) -> Mat {
        self.directions.clone().scaled(self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::model::Init;
    use crate::problem::Constant;

    fn start(depth: usize, rank: usize) -> (DeepLinear, Problem) {
        let wide = DeepLinear::with_width((12, 12), depth, 12).unwrap();
        let problem = Problem::full(&data::low_rank((12, 12), rank, 0).unwrap(), Constant::HalfSum);
        (wide.init(&Init::Orthogonal { scale: 1e-2 }, 3).unwrap(), problem.unwrap())
    }

    #[test]
    fn model_and_tail_add_up_to_the_wide_network_at_the_start() {
        for depth in 1..=4 {
            let (wide, problem) = start(depth, 2);
            let compressed = Compressed::new(&wide, &problem, 2).unwrap();
            let tail = compressed.tail(&wide);
            let rest = wide.product().minus(&compressed.model.product());
            assert!(rest.clone().minus(&tail.product()).max_abs() < 1e-16, "depth {depth}");
            assert!((tail.frobenius() / (8.0_f64.sqrt() * 1e-2) - 1.0).abs() < 1e-12);
            assert_eq!(compressed.model.depth(), depth + 2);
        }
    }

    #[test]
    fn a_tail_step_is_as_by_hand() {
        let mut tail = Tail { directions: Mat::eye(1, 1), sizes: vec![2.0, 3.0] };
        tail.step(0.1, 0.5, 2.0);
        // 2 (1 − 0.05 − 0.2 · 9) and 3 (1 − 0.05 − 0.2 · 4).
        assert!((tail.sizes[0] + 1.7).abs() < 1e-14 && (tail.sizes[1] - 0.45).abs() < 1e-14);
    }

    #[test]
    fn what_cannot_be_compressed_is_refused() {
        let (wide, problem) = start(2, 2);
        let message = |wide: &DeepLinear, rank| {
            Compressed::new(wide, &problem, rank).unwrap_err().to_string()
        };
        assert_eq!(message(&wide, 7), "rank must be from 1 to 6, half the side, but it is 7");
        let gaussian = wide.init(&Init::Gaussian { scale: 1e-2 }, 0).unwrap();
        assert!(
            message(&gaussian, 2).starts_with("every layer must be a multiple of an orthogonal")
        );
        let narrow = DeepLinear::new(&[12, 5, 12]).unwrap();
        assert_eq!(message(&narrow, 2), "the widths must be all the same, but it is [12, 5, 12]");
    }
}
