//! The compressed model: the few directions of a wide network that gradient descent moves, and what it leaves.

use super::{DeepLinear, Model, Pass};
use crate::linalg::{Mat, MatRef, Svd, dot, leading_svd, orthonormal};
use crate::problem::{Evaluation, Problem};
use crate::{Error, Result};

/// How far WᵀW may be from a multiple of the identity, relative to it.
const ORTHOGONAL: f64 = 1e-10;
/// The residual of the decomposition that gives the directions, relative to the largest value.
const RESIDUAL: f64 = 1e-14;

/// A wide network W_N … W_1 that starts at scaled orthogonal layers ε_l Q_l, written with few directions.
///
/// W is m × n and all hidden layers have d = min(m, n) directions. With G_1 the gradient of the loss with respect to W_1 at
/// the start, of rank r but for a multiple of W_1, the directions on the right are
/// V_1 = orth[right vectors of G_1, W_1ᵀ (left vectors of G_1) / ε_1], d × 2r, and each layer carries them to the next. Where W
/// is not square, the longer side has 3r: those and the singular vectors of the gradient that the layer does not reach. The
/// network U_1 · C_N … C_1 · V_1ᵀ has N + 2 layers, and its cores C_l begin as ε_l I (but for the longer side).
///
/// With every entry observed and a target of rank at most r, gradient descent on the cores alone (an
/// [`outer`](crate::train::optimizer::GradientDescent::outer) factor 0) is exactly that of the wide network, but for its
/// [`tail`](Self::tail). With a mask the outer layers must learn too, slowly: outer factor 0.01 to 0.1.
///
/// Source: Yaras, Wang, Balzano and Qu 2024, "Compressible dynamics in deep overparameterized low-rank learning &
/// adaptation", for square W. The start from a surrogate by Kwon et al. is [`Init::Spectral`](super::Init::Spectral).
#[derive(Clone, Debug)]
pub struct Compressed {
    /// The network of N + 2 layers: V_1ᵀ, C_1, …, C_N, U_1.
    pub model: DeepLinear,
    sizes: Vec<f64>,
}

impl Compressed {
    /// Compresses `wide`, at its start, to the directions of a target of rank `rank`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a hidden width is not d, a layer is not a multiple of one with orthonormal rows or columns, or
    /// `rank` is not from 1 to d / 2 (a third of the longer side, if that is less); [`Error::NotFinite`] if the gradient is
    /// not finite.
    pub fn new(wide: &DeepLinear, problem: &Problem, rank: usize) -> Result<Self> {
        let (rows, cols) = wide.shape();
        let side = rows.min(cols);
        let depth = wide.depth();
        if wide.widths()[1..depth].iter().any(|d| *d != side) {
            let words = format!("{:?}", wide.widths());
            let allowed = format!("{side} in all hidden layers");
            return Err(Error::parameter("the widths", allowed, words));
        }
        let most = if rows == cols { side / 2 } else { (side / 2).min(rows.max(cols) / 3) };
        if !(1..=most).contains(&rank) {
            return Err(Error::parameter("rank", format!("from 1 to {most}"), rank));
        }
        let sizes = wide.layers().into_iter().map(size).collect::<Result<Vec<f64>>>()?;
        let bases = bases(wide, problem, rank, &sizes)?;

        let widths: Vec<usize> =
            [cols].into_iter().chain(bases.iter().map(Mat::cols)).chain([rows]).collect();
        let mut model = DeepLinear::new(&widths)?;
        model.params_mut().set(0, &bases[0].t().to_mat())?;
        for place in 0..depth {
            let image = wide.layer(place).times(bases[place].view());
            model.params_mut().set(place + 1, &bases[place + 1].t().times(image.view()))?;
        }
        model.params_mut().set(depth + 1, &bases[depth])?;
        Ok(Self { model, sizes })
    }

    /// The part of `wide`, the network that was compressed, that the compressed model leaves out.
    pub fn tail(&self, wide: &DeepLinear) -> Tail {
        let total: f64 = self.sizes.iter().product();
        let rest = wide.product().minus(&self.model.product());
        Tail { directions: rest.scaled(1.0 / total), sizes: self.sizes.clone() }
    }
}

/// ε of a layer ε Q, where Q has orthonormal rows or columns.
fn size(layer: MatRef<'_>) -> Result<f64> {
    let short = if layer.rows() < layer.cols() { layer.t() } else { layer };
    let gram = short.t().times(short);
    let side = gram.cols();
    let square = (0..side).map(|i| gram[(i, i)]).sum::<f64>() / side as f64;
    let off = gram.minus(&Mat::eye(side, side).scaled(square)).max_abs();
    if square > 0.0 && off <= ORTHOGONAL * square {
        return Ok(square.sqrt());
    }
    Err(Error::parameter("every layer", "a multiple of an orthogonal matrix", "another"))
}

/// Orthonormal bases before the first layer, between the layers and after the last one.
fn bases(wide: &DeepLinear, problem: &Problem, rank: usize, sizes: &[f64]) -> Result<Vec<Mat>> {
    let (mut pass, mut evaluation) = (Pass::default(), Evaluation::default());
    let mut gradient = wide.params().zeros_like();
    problem.evaluate(&wide.forward(&mut pass), &mut evaluation);
    wide.pullback(&evaluation.cotangent, &mut pass, &mut gradient);

    let (rows, cols) = wide.shape();
    let last = wide.depth() - 1;
    let first = wide.layer(0);
    let Svd { u, v, .. } = leading_svd(&gradient.matrix(0), rank, RESIDUAL)?;
    let carried =
        |place: usize, x: &Mat| wide.layer(place).times(x.view()).scaled(1.0 / sizes[place]);
    let back = |x: &Mat| first.t().times(x.view()).scaled(1.0 / sizes[0]);
    let mut bases = if rows < cols {
        let next = spanned(&carried(0, &v), &u);
        vec![spanned(&v, &back(&next)), next]
    } else {
        let start = spanned(&v, &back(&u));
        let next = carried(0, &start);
        vec![start, next]
    };
    for place in 1..=last {
        let next = carried(place, &bases[place]);
        bases.push(next);
    }
    if rows > cols {
        let Svd { u, .. } = leading_svd(&gradient.matrix(last), rank, RESIDUAL)?;
        bases[last + 1] = spanned(&u, &bases[last + 1]);
    }
    Ok(bases)
}

/// An orthonormal basis of the columns of both.
fn spanned(a: &Mat, b: &Mat) -> Mat {
    let both: Vec<f64> = a.values().iter().chain(b.values()).copied().collect();
    orthonormal(MatRef::new(a.rows(), a.cols() + b.cols(), &both))
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
        start_of((12, 12), depth, rank)
    }

    fn start_of(shape: data::Shape, depth: usize, rank: usize) -> (DeepLinear, Problem) {
        let wide = DeepLinear::with_width(shape, depth, shape.0.min(shape.1)).unwrap();
        let problem = Problem::full(&data::low_rank(shape, rank, 0).unwrap(), Constant::HalfSum);
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
    fn cores_begin_as_multiples_of_the_identity() {
        let (wide, problem) = start(3, 2);
        let compressed = Compressed::new(&wide, &problem, 2).unwrap();
        let size = 1e-2_f64.powf(1.0 / 3.0);
        for core in 1..=3 {
            let gap = compressed.model.layer(core).to_mat().minus(&Mat::eye(4, 4).scaled(size));
            assert!(gap.max_abs() < 1e-14);
        }
    }

    #[test]
    fn the_longer_side_has_three_directions_a_rank() {
        for (shape, widths) in [((10, 14), [14, 6, 4, 4, 10]), ((14, 10), [10, 4, 4, 6, 14])] {
            let (wide, problem) = start_of(shape, 2, 2);
            let compressed = Compressed::new(&wide, &problem, 2).unwrap();
            assert_eq!(compressed.model.widths(), widths);
            let tail = compressed.tail(&wide).frobenius();
            assert!((tail / (6.0_f64.sqrt() * 1e-2) - 1.0).abs() < 1e-10, "{tail}");
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
        assert_eq!(message(&wide, 7), "rank must be from 1 to 6, but it is 7");
        let gaussian = wide.init(&Init::Gaussian { scale: 1e-2 }, 0).unwrap();
        assert!(
            message(&gaussian, 2).starts_with("every layer must be a multiple of an orthogonal")
        );
        let narrow = DeepLinear::new(&[12, 5, 12]).unwrap();
        let expected = "the widths must be 12 in all hidden layers, but it is [12, 5, 12]";
        assert_eq!(message(&narrow, 2), expected);
    }
}
