//! Initialisations of a deep linear network.

use super::{DeepLinear, Model};
use crate::linalg::{Mat, Svd, random_orthogonal, svd};
use crate::random::{Purpose, RngExt, normal, stream};
use crate::{Error, Result};

/// How the layers start.
///
/// The initial scale a is ‖W(0)‖_F / √min(rows, cols), in expectation where layers are drawn independently.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// Independent entries N(0, σ²), one σ for all layers: σ = a^{1/N} n^{−1/2} if all widths are n
    /// (Arora et al. 2019).
    Gaussian {
        /// The initial scale a.
        scale: f64,
    },
    /// Independent entries uniform on [−√3 σ, √3 σ], with σ as for gaussian ones.
    Uniform {
        /// The initial scale a.
        scale: f64,
    },
    /// Every layer is a multiple of the (rectangular) identity, so that W(0) = a I: exactly balanced.
    Identity {
        /// The initial scale a.
        scale: f64,
    },
    /// Every layer is a multiple of a random matrix with orthonormal rows or columns: balanced.
    Orthogonal {
        /// The initial scale a.
        scale: f64,
    },
    /// A gaussian W(0), factored into balanced layers W_1 = S^{1/N} Vᵀ, …, W_N = U S^{1/N}.
    Balanced {
        /// The initial scale a.
        scale: f64,
    },
    /// A given W(0), of rank at most the smallest width, factored into balanced layers.
    BalancedFrom {
        /// W(0), rows × cols.
        matrix: Mat,
    },
    /// W(0) = a' U Vᵀ with the leading singular vectors of a surrogate of the truth, such as
    /// [`Problem::surrogate`](crate::problem::Problem::surrogate), as many as the smallest width (Kwon et al. 2024).
    Spectral {
        /// The initial scale a.
        scale: f64,
        /// The surrogate, rows × cols.
        surrogate: Mat,
    },
    /// Depth 2 with W(0) = 0: the layer along the shorter side is √g · I, the other zero, so that W first moves as
    /// dW/dt = −g ∇ℓ(W). It is what independent gaussian layers become as the width grows and the product shrinks, without
    /// their noise.
    OneSided {
        /// The gain g.
        gain: f64,
    },
    /// Depth 2 with W(0) = 0 and roots of kernels in the layers: with K_r = R Rᵀ of the rows and K_c = C Cᵀ of the columns,
    /// W_2 = √g \[R 0\] and W_1 = √g \[0 C\]ᵀ, so that W first moves as dW/dt = −g (K_r ∇ℓ + ∇ℓ K_c): lines that are
    /// alike learn together. The width is that of the roots together.
    Kernel {
        /// The gain g.
        gain: f64,
        /// R, rows × r; none is a kernel of zero.
        rows: Option<Mat>,
        /// C, cols × r; none is a kernel of zero.
        cols: Option<Mat>,
    },
}

impl Init {
    /// Sets the layers of `model`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale or gain that is not above 0, a rank or root that does not fit the widths, or
    /// a start of depth 2 for another depth,
    /// [`Error::Shape`] for a matrix of another shape than W, [`Error::NotFinite`].
    pub fn fill(&self, model: &mut DeepLinear, seed: u64) -> Result<()> {
        let depth = model.depth();
        let widths = model.widths().to_vec();
        let (rows, cols) = model.shape();
        let side = rows.min(cols) as f64;
        let narrowest = widths.iter().copied().min().unwrap_or(1);
        if let Some(scale) = self.scale()
            && !(scale.is_finite() && scale > 0.0)
        {
            return Err(Error::parameter("init-scale", "above 0", scale));
        }
        // The size of one layer when W(0) has `narrowest` equal singular values and Frobenius norm a √side.
        let layer_size =
            |scale: f64| (scale * (side / narrowest as f64).sqrt()).powf(1.0 / depth as f64);
        match self {
            Self::Gaussian { scale } | Self::Uniform { scale } => {
                let hidden: f64 = widths[1..depth].iter().map(|&d| (d as f64).ln()).sum();
                let log =
                    2.0 * scale.ln() + side.ln() - (rows as f64).ln() - (cols as f64).ln() - hidden;
                let sigma = (log / (2.0 * depth as f64)).exp();
                let uniform = matches!(self, Self::Uniform { .. });
                for j in 0..depth {
                    let mut random = stream(seed, Purpose::Init, j as u64);
                    let layer = Mat::from_fn(widths[j + 1], widths[j], |_, _| {
                        if uniform {
                            sigma * 3.0_f64.sqrt() * random.random_range(-1.0..=1.0)
                        } else {
                            sigma * normal(&mut random)
                        }
                    });
                    model.params_mut().set(j, &layer)?;
                }
                Ok(())
            }
            Self::Identity { scale } => {
                for j in 0..depth {
                    let layer = Mat::eye(widths[j + 1], widths[j]).scaled(layer_size(*scale));
                    model.params_mut().set(j, &layer)?;
                }
                Ok(())
            }
            Self::Orthogonal { scale } => {
                for j in 0..depth {
                    let mut random = stream(seed, Purpose::Init, j as u64);
                    let q = random_orthogonal(widths[j + 1], widths[j], &mut random);
                    model.params_mut().set(j, &q.scaled(layer_size(*scale)))?;
                }
                Ok(())
            }
            Self::Balanced { scale } => {
                let mut random = stream(seed, Purpose::Init, 0);
                let w = if narrowest < rows.min(cols) {
                    let left = Mat::from_fn(rows, narrowest, |_, _| normal(&mut random));
                    let right = Mat::from_fn(narrowest, cols, |_, _| normal(&mut random));
                    left.times(&right)
                } else {
                    Mat::from_fn(rows, cols, |_, _| normal(&mut random))
                };
                let factor = scale * side.sqrt() / w.frobenius();
                balance(model, &svd(w.scaled(factor).view())?, narrowest)
            }
            Self::BalancedFrom { matrix } => {
                expect_shape("the initial matrix", matrix, (rows, cols))?;
                let svd = svd(matrix.view())?;
                let rank = svd.s.iter().filter(|s| **s > 1e-12 * svd.s[0]).count();
                if rank > narrowest {
                    let allowed = format!("at most the smallest width {narrowest}");
                    return Err(Error::parameter("the rank of the initial matrix", allowed, rank));
                }
                balance(model, &svd, narrowest)
            }
            Self::Spectral { scale, surrogate } => {
                expect_shape("the surrogate", surrogate, (rows, cols))?;
                let mut svd = svd(surrogate.view())?;
                let size = scale * (side / narrowest as f64).sqrt();
                svd.s.iter_mut().enumerate().for_each(|(r, s)| {
                    *s = if r < narrowest { size } else { 0.0 };
                });
                balance(model, &svd, narrowest)
            }
            Self::OneSided { gain } => {
                let root = gain_of_two_layers(*gain, depth)?.sqrt();
                for j in 0..2 {
                    let outer = (j == 0) == (cols < rows);
                    let layer = Mat::eye(widths[j + 1], widths[j]);
                    let size = if outer { root } else { 0.0 };
                    model.params_mut().set(j, &layer.scaled(size))?;
                }
                Ok(())
            }
            Self::Kernel { gain, rows: left, cols: right } => {
                kernel(model, *gain, left.as_ref(), right.as_ref())
            }
        }
    }

    /// The initial scale a, where it is given.
    pub fn scale(&self) -> Option<f64> {
        match self {
            Self::Gaussian { scale }
            | Self::Uniform { scale }
            | Self::Identity { scale }
            | Self::Orthogonal { scale }
            | Self::Balanced { scale }
            | Self::Spectral { scale, .. } => Some(*scale),
            Self::BalancedFrom { .. } | Self::OneSided { .. } | Self::Kernel { .. } => None,
        }
    }
}

/// Sets the layers of a start with roots of kernels.
fn kernel(
    model: &mut DeepLinear,
    gain: f64,
    left: Option<&Mat>,
    right: Option<&Mat>,
) -> Result<()> {
    let (depth, widths) = (model.depth(), model.widths().to_vec());
    let (rows, cols) = (widths[depth], widths[0]);
    let root = gain_of_two_layers(gain, depth)?.sqrt();
    let first = left.map_or(0, Mat::cols);
    let width = first + right.map_or(0, Mat::cols);
    for (what, factor, lines) in [("rows", left, rows), ("columns", right, cols)] {
        if let Some(found) = factor.map(Mat::rows).filter(|&n| n != lines) {
            let what = format!("the root of the kernel of the {what}");
            return Err(Error::shape(what, format!("{lines} rows"), found));
        }
    }
    if width != widths[1] {
        let found = widths[1];
        return Err(Error::parameter("the width of a kernel start", width.to_string(), found));
    }
    let left = Mat::from_fn(rows, width, |i, r| match left {
        Some(left) if r < first => root * left[(i, r)],
        _ => 0.0,
    });
    let right = Mat::from_fn(width, cols, |r, j| match right {
        Some(right) if r >= first => root * right[(j, r - first)],
        _ => 0.0,
    });
    model.params_mut().set(0, &right)?;
    model.params_mut().set(1, &left)
}

/// The gain of a start that has two layers.
fn gain_of_two_layers(gain: f64, depth: usize) -> Result<f64> {
    if depth != 2 {
        return Err(Error::parameter("the depth of a start with W(0) = 0", "2", depth));
    }
    if !(gain.is_finite() && gain > 0.0) {
        return Err(Error::parameter("gain", "above 0", gain));
    }
    Ok(gain)
}

fn expect_shape(what: &str, matrix: &Mat, expected: (usize, usize)) -> Result<()> {
    let found = (matrix.rows(), matrix.cols());
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(what, crate::data::words(expected), crate::data::words(found)))
}

/// W_1 = S^{1/N} Vᵀ, W_j = S^{1/N}, W_N = U S^{1/N}, padded with zeros to the widths.
pub(super) fn balance(model: &mut DeepLinear, svd: &Svd, narrowest: usize) -> Result<()> {
    let depth = model.depth();
    let widths = model.widths().to_vec();
    let rank = narrowest.min(svd.s.len());
    let root: Vec<f64> = svd.s[..rank].iter().map(|s| s.powf(1.0 / depth as f64)).collect();
    for j in 0..depth {
        let layer = Mat::from_fn(widths[j + 1], widths[j], |a, b| match (j == 0, j + 1 == depth) {
            (true, true) => (0..rank).map(|r| svd.u[(a, r)] * root[r] * svd.v[(b, r)]).sum(),
            (true, false) if a < rank => root[a] * svd.v[(b, a)],
            (false, true) if b < rank => svd.u[(a, b)] * root[b],
            (false, false) if a == b && a < rank => root[a],
            _ => 0.0,
        });
        model.params_mut().set(j, &layer)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::model::{Pass, Smooth};
    use crate::problem::{Constant, Problem};
    use crate::train::Room;

    /// −dW/dt of the gradient flow at the start.
    fn first_move(problem: &Problem, model: &DeepLinear) -> Mat {
        let mut room = Room::new(model);
        room.evaluate(problem, model);
        model.pushforward(&room.gradient, &mut Pass::default()).to_dense()
    }

    fn setting(shape: (usize, usize)) -> (Problem, Mat) {
        let truth = data::low_rank(shape, 2, 0).unwrap();
        let seen = data::observe(&truth, &data::random_cells(shape, 20, 0).unwrap()).unwrap();
        let dense = seen.to_dense();
        let gradient = dense.values().iter().map(|x| if x.is_nan() { 0.0 } else { -x });
        let gradient = Mat::from_columns(shape.0, shape.1, gradient.collect());
        (Problem::completion_with(&seen, Constant::HalfSum).unwrap(), gradient)
    }

    #[test]
    fn a_one_sided_start_is_zero_and_first_moves_along_the_gradient() {
        for shape in [(6, 9), (9, 6), (6, 6)] {
            let (problem, gradient) = setting(shape);
            let model = DeepLinear::with_width(shape, 2, 6).unwrap();
            let model = model.init(&Init::OneSided { gain: 0.3 }, 0).unwrap();
            assert_eq!(model.product().max_abs(), 0.0);
            let moved = first_move(&problem, &model);
            assert!(moved.minus(&gradient.scaled(0.3)).max_abs() < 1e-14);
        }
    }

    #[test]
    fn a_kernel_start_is_zero_and_first_moves_along_the_smoothed_gradient() {
        let (problem, gradient) = setting((6, 9));
        let root = |n: usize, r: usize| Mat::from_fn(n, r, |i, j| ((i * 3 + j * 5) % 7) as f64);
        let (rows, cols) = (root(6, 3), root(9, 4));
        let smooth = |g: &Mat, rows: Option<&Mat>, cols: Option<&Mat>| {
            let mut all = Mat::zeros(6, 9);
            if let Some(r) = rows {
                all = all.minus(&r.view().times(r.t()).times(g).scaled(-0.2));
            }
            if let Some(c) = cols {
                all = all.minus(&g.times(&c.view().times(c.t())).scaled(-0.2));
            }
            all
        };
        for (r, c) in [(true, false), (false, true), (true, true)] {
            let (r, c) = (r.then(|| rows.clone()), c.then(|| cols.clone()));
            let width = r.as_ref().map_or(0, Mat::cols) + c.as_ref().map_or(0, Mat::cols);
            let expected = smooth(&gradient, r.as_ref(), c.as_ref());
            let model = DeepLinear::with_width((6, 9), 2, width).unwrap();
            let init = Init::Kernel { gain: 0.2, rows: r, cols: c };
            let model = model.init(&init, 0).unwrap();
            assert_eq!(model.product().max_abs(), 0.0);
            let moved = first_move(&problem, &model);
            assert!(moved.minus(&expected).max_abs() < 1e-11 * expected.max_abs());
        }
    }

    #[test]
    fn starts_at_zero_that_do_not_fit_are_refused() {
        let refused = |depth: usize, init: Init| {
            let model = DeepLinear::with_width((6, 9), depth, 6).unwrap();
            model.init(&init, 0).unwrap_err().to_string()
        };
        assert_eq!(
            refused(3, Init::OneSided { gain: 0.1 }),
            "the depth of a start with W(0) = 0 must be 2, but it is 3"
        );
        assert_eq!(refused(2, Init::OneSided { gain: 0.0 }), "gain must be above 0, but it is 0");
        let kernel = |rows: Mat| Init::Kernel { gain: 1.0, rows: Some(rows), cols: None };
        assert_eq!(
            refused(2, kernel(Mat::eye(6, 5))),
            "the width of a kernel start must be 5, but it is 6"
        );
        assert!(
            refused(2, kernel(Mat::eye(7, 6))).starts_with("the root of the kernel of the rows")
        );
    }
}
