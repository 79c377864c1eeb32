//! What a narrow flow leaves out: the directions outside its spaces, how strongly the gradient pulls at them, and how large
//! they have grown.

use crate::Result;
use crate::analysis::theory::constant_force;
use crate::linalg::{Accumulate, Mat, MatRef, multiply, orthonormal, svd};
use crate::model::Params;
use crate::product::Cotangent;
use crate::random::{Purpose, normal, stream};

/// Sweeps of the subspace iteration where nothing is known of the block.
const FRESH: usize = 8;

/// The directions outside of a narrow network, the leading ones one by one.
///
/// Each follows the law of a singular value under the force that pulls at it, ds/dt = N s^{2−2/N} f: the scalar recursion
/// of the part that full-width networks carry along without learning it (Yaras et al. 2024).
#[derive(Clone, Debug)]
pub(super) struct Outside {
    depth: f64,
    /// Directions in all.
    pub(super) total: usize,
    /// Sizes of the leading ones, in the order of the forces.
    levels: Vec<f64>,
    /// The size that bounds all others.
    rest: f64,
    /// A basis of the leading right directions, cols × p.
    right: Mat,
    /// Unit vectors on the left, rows × p, one for each of `right`.
    left: Mat,
    fresh: bool,
    draws: u64,
}

impl Outside {
    pub(super) fn new(depth: usize, total: usize, block: usize, scale: f64) -> Self {
        let levels = vec![scale; block.min(total)];
        let (right, left) = (Mat::default(), Mat::default());
        let depth = depth as f64;
        Self { depth, total, levels, rest: scale, right, left, fresh: true, draws: 0 }
    }

    /// Whether there is an outside whose leading directions are known by now.
    pub(super) fn is_followed(&self) -> bool {
        self.total > 0 && !self.fresh
    }

    /// A bound on the Frobenius norm of what is left out.
    pub(super) fn size(&self) -> f64 {
        let others = self.total.saturating_sub(self.levels.len()) as f64;
        let sum: f64 = self.levels.iter().map(|s| s * s).sum();
        (sum + others * self.rest * self.rest).sqrt()
    }

    /// Follows the flow over `time`, at whose end the network is `params` and the gradient G.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a decomposition fails.
    pub(super) fn follow(
        &mut self,
        params: &Params,
        gradient: &Cotangent,
        time: f64,
    ) -> Result<()> {
        if self.total == 0 || self.levels.is_empty() {
            return Ok(());
        }
        let last = params.slots().len() - 1;
        let inner_left = orthonormal(params.matrix(last));
        let inner_right = orthonormal(params.matrix(0).t());
        let (rows, cols) = gradient.shape();
        let block = self.levels.len();
        if self.fresh {
            let mut random = stream(self.draws, Purpose::Sketch, 2);
            self.draws += 1;
            self.right = Mat::from_fn(cols, block, |_, _| normal(&mut random));
        }
        let sweeps = if std::mem::take(&mut self.fresh) { FRESH } else { 1 };
        let mut forces = Vec::new();
        let mut pulled = Mat::default();
        for _ in 0..sweeps {
            remove(&mut self.right, &inner_right);
            let right = orthonormal(self.right.view());
            // −G V, rows × p, outside of the left space.
            gradient.right_product(right.t().to_mat().view(), &mut pulled);
            let mut left = Mat::from_fn(rows, block, |i, r| -pulled[(r, i)]);
            remove(&mut left, &inner_left);
            let turned = svd(left.view())?;
            self.left = turned.u;
            forces = turned.s;
            gradient.left_product(self.left.t().to_mat().view(), &mut pulled);
            // The directions that belong to these left ones, and the next block.
            self.right = Mat::from_fn(cols, block, |j, r| -pulled[(r, j)]);
        }
        let mut weakest = 0.0;
        for (level, force) in self.levels.iter_mut().zip(&forces) {
            *level = constant_force(self.depth, *level, *force, time)?.min(f64::MAX.sqrt());
            weakest = *force;
        }
        self.rest = constant_force(self.depth, self.rest, weakest, time)?.min(f64::MAX.sqrt());
        Ok(())
    }

    /// Hands over the leading directions: left and right unit vectors with their sizes.
    pub(super) fn take(&mut self, params: &Params) -> (Mat, Mat, Vec<f64>) {
        remove(&mut self.right, &orthonormal(params.matrix(0).t()));
        let right = orthonormal(self.right.view());
        let levels = self.levels.clone();
        self.total = self.total.saturating_sub(levels.len());
        self.levels = vec![self.rest; levels.len().min(self.total)];
        self.fresh = true;
        (std::mem::take(&mut self.left), right, levels)
    }

    /// Takes directions back that have died out, each with its size.
    pub(super) fn give_back(&mut self, sizes: &[f64]) {
        self.total += sizes.len();
        let largest = sizes.iter().copied().fold(0.0, f64::max);
        self.rest = self.rest.max(largest);
        self.levels.iter_mut().for_each(|level| *level = level.max(largest));
    }
}

/// `block ← block − Q Qᵀ block`.
fn remove(block: &mut Mat, q: &Mat) {
    let inside = q.t().times(block.view());
    let q: MatRef<'_> = q.view();
    multiply(block.view_mut(), Accumulate::Add, -1.0, q, inside.view());
}
