//! The full-width start of a rank-adaptive flow, and the part of it that a narrow network begins with.

use crate::analysis::theory::constant_force;
use crate::data::Shape;
use crate::linalg::{Mat, Svd, leading_svd, orthonormal, random_orthogonal, svd};
use crate::model::{DeepLinear, Model};
use crate::problem::Problem;
use crate::random::{Purpose, stream};
use crate::train::rate::SlopeAtZero;
use crate::{Error, Result};

/// Sizes beyond this are as good as infinite; their squares are not.
const HUGE: f64 = 1e100;
/// Sides up to which the full decomposition is the faster one.
const DENSE: usize = 128;
/// The last direction of the solution rises after so many times the time of the first.
const LATER: f64 = 3.0;
/// The residual of the leading triplets, relative to the largest.
const RESIDUAL: f64 = 1e-10;

/// A start of full width h = min(rows, cols): W(0) = a · L₀ R₀ with L₀ (rows × h) and R₀ (h × cols) of orthonormal
/// columns and rows, every layer a^{1/N} times an isometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullStart {
    /// Multiples of the identity, as [`Init::Identity`](crate::model::Init).
    Identity,
    /// Multiples of random orthogonal matrices, drawn from a seed.
    Orthogonal(u64),
}

/// The isometries of a full-width start.
#[derive(Clone, Debug)]
pub(super) struct Isometries {
    left: Mat,
    right: Mat,
}

impl Isometries {
    pub(super) fn new(start: FullStart, (rows, cols): Shape) -> Self {
        let hidden = rows.min(cols);
        match start {
            FullStart::Identity => {
                Self { left: Mat::eye(rows, hidden), right: Mat::eye(hidden, cols) }
            }
            FullStart::Orthogonal(seed) => {
                let draw = |rows, cols, item| {
                    random_orthogonal(rows, cols, &mut stream(seed, Purpose::Init, item))
                };
                Self { left: draw(rows, hidden, 1), right: draw(hidden, cols, 0) }
            }
        }
    }

    /// The narrow network whose start is that of full width on the hidden directions Ω (h × k): a L₀ Ω Ωᵀ R₀.
    pub(super) fn narrow(&self, directions: &Mat, depth: usize, scale: f64) -> Result<DeepLinear> {
        let (rows, cols, k) = (self.left.rows(), self.right.cols(), directions.cols());
        let size = scale.powf(1.0 / depth as f64);
        let mut model = DeepLinear::with_width((rows, cols), depth, k)?;
        for j in 0..depth {
            let layer = match j {
                0 => directions.t().times(self.right.view()),
                _ if j + 1 == depth => self.left.times(directions),
                _ => Mat::eye(k, k),
            };
            model.params_mut().set(j, &layer.scaled(size))?;
        }
        Ok(model)
    }

    /// The hidden directions that the leading triplets of the gradient touch, R₀ v and L₀ᵀ u.
    pub(super) fn directions(&self, triplets: &Svd) -> Mat {
        let (r, hidden) = (triplets.s.len(), self.left.cols());
        let right = self.right.times(&triplets.v);
        let left = self.left.t().times(triplets.u.view());
        if 2 * r >= hidden {
            return Mat::eye(hidden, hidden);
        }
        let both =
            Mat::from_fn(
                hidden,
                2 * r,
                |i, j| {
                    if j < r { right[(i, j)] } else { left[(i, j - r)] }
                },
            );
        orthonormal(both.view())
    }
}

/// What the loss is near W = 0: the leading triplets of −∇ℓ(0), and the size that W will have along the first.
pub(super) struct Slope {
    pub(super) triplets: Svd,
    /// The step to the bottom along the leading pair: about the largest singular value of the solution.
    pub(super) top: f64,
}

impl Slope {
    /// # Errors
    /// [`Error::NotFinite`] if the gradient at zero is not finite or zero.
    pub(super) fn at_zero(problem: &Problem, count: usize) -> Result<Self> {
        let side = problem.shape().0.min(problem.shape().1);
        let SlopeAtZero { triplets, top, .. } = SlopeAtZero::of(problem, |gradient| {
            if side <= DENSE {
                return Ok(svd(gradient.to_dense().view())?.first(count));
            }
            leading_svd(gradient, count, RESIDUAL)
        })?;
        if top.is_finite() && top > 0.0 {
            return Ok(Self { triplets, top });
        }
        let what = "the size of the solution along the leading pair of the gradient".to_string();
        Err(Error::NotFinite { what, found: top })
    }

    /// How many of the triplets must be followed so that the others, by the time that the solution has
    /// risen, have a Frobenius norm of at most `allowed` together. The weakest known force stands for all of the `hidden` that are not known.
    pub(super) fn growing(
        &self,
        depth: usize,
        scale: f64,
        allowed: f64,
        hidden: usize,
    ) -> Result<usize> {
        let n = depth as f64;
        let forces = &self.triplets.s;
        let time = if depth == 2 {
            (self.top / scale).ln().max(0.0) / (2.0 * forces[0])
        } else {
            let power = -(n - 2.0) / n;
            (scale.powf(power) - self.top.powf(power)).max(0.0) / ((n - 2.0) * forces[0])
        };
        let time = LATER * time;
        let weakest = forces.last().copied().unwrap_or(0.0);
        let unknown = hidden.saturating_sub(forces.len()) as f64;
        let mut square = unknown * constant_force(n, scale, weakest, time)?.min(HUGE).powi(2);
        let mut count = forces.len();
        while count > 1 {
            square += constant_force(n, scale, forces[count - 1], time)?.min(HUGE).powi(2);
            if square > allowed * allowed {
                break;
            }
            count -= 1;
        }
        Ok(count)
    }
}
