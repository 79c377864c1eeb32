//! A deep linear model with explicit layers, in plain loops that share nothing with the library's training.

use deepmf::linalg::{Mat, MatRef, Svd, dot, random_orthogonal, svd};
use deepmf::random::{Purpose, normal, stream};

/// Layers, the first on the right.
#[derive(Clone)]
pub(crate) struct Layers(pub(crate) Vec<Mat>);

/// The gradient of a loss with respect to the product.
pub(crate) type Gradient<'a> = &'a dyn Fn(&Mat) -> Mat;

impl Layers {
    /// Balanced layers of `widths` whose product has singular values `s`, in random bases.
    pub(crate) fn balanced(widths: &[usize], s: &[f64], seed: u64) -> Self {
        let mut random = stream(seed, Purpose::Init, 0);
        let bases: Vec<Mat> =
            widths.iter().map(|&d| random_orthogonal(d, d, &mut random)).collect();
        let root = 1.0 / (widths.len() - 1) as f64;
        let layer = |j: usize| {
            let diagonal = Mat::from_fn(widths[j + 1], widths[j], |a, b| {
                if a == b && a < s.len() { s[a].powf(root) } else { 0.0 }
            });
            bases[j + 1].times(&diagonal).view().times(bases[j].t())
        };
        Self((0..widths.len() - 1).map(layer).collect())
    }

    /// Layers of `widths` with entries drawn from N(0, `std`²).
    pub(crate) fn random(widths: &[usize], std: f64, seed: u64) -> Self {
        let mut random = stream(seed, Purpose::Init, 0);
        let layers = widths.windows(2);
        Self(layers.map(|d| Mat::from_fn(d[1], d[0], |_, _| std * normal(&mut random))).collect())
    }

    pub(crate) fn views(&self) -> Vec<MatRef<'_>> {
        self.0.iter().map(Mat::view).collect()
    }

    pub(crate) fn product(&self) -> Mat {
        product(&self.0, self.0[0].cols())
    }

    /// `dW_j/dt = −L_jᵀ G R_jᵀ` with `L_j = W_N … W_{j+1}` and `R_j = W_{j−1} … W_1`.
    fn velocity(&self, gradient: Gradient<'_>) -> Vec<Mat> {
        let g = gradient(&self.product());
        let layer = |j: usize| {
            let left = product(&self.0[j + 1..], self.0[j].rows());
            let right = product(&self.0[..j], self.0[0].cols());
            left.t().times(g.view()).view().times(right.t()).scaled(-1.0)
        };
        (0..self.0.len()).map(layer).collect()
    }

    /// dW/dt by the product rule, `Σ_j L_j (dW_j/dt) R_j`.
    pub(crate) fn product_velocity(&self, gradient: Gradient<'_>) -> Mat {
        let velocity = self.velocity(gradient);
        let w = self.product();
        (0..self.0.len()).fold(Mat::zeros(w.rows(), w.cols()), |sum, j| {
            let left = product(&self.0[j + 1..], self.0[j].rows());
            let right = product(&self.0[..j], self.0[0].cols());
            sum.minus(&left.times(&velocity[j]).times(&right).scaled(-1.0))
        })
    }

    fn moved(&self, velocity: &[Mat], time: f64) -> Self {
        let pairs = self.0.iter().zip(velocity);
        Self(pairs.map(|(w, v)| w.clone().minus(&v.clone().scaled(-time))).collect())
    }

    /// One step of the classical fourth-order Runge-Kutta method; `time` may be negative.
    pub(crate) fn step(&self, gradient: Gradient<'_>, time: f64) -> Self {
        let k1 = self.velocity(gradient);
        let k2 = self.moved(&k1, time / 2.0).velocity(gradient);
        let k3 = self.moved(&k2, time / 2.0).velocity(gradient);
        let k4 = self.moved(&k3, time).velocity(gradient);
        [(k1, 6.0), (k2, 3.0), (k3, 3.0), (k4, 6.0)]
            .iter()
            .fold(self.clone(), |layers, (k, part)| layers.moved(k, time / part))
    }
}

fn product(layers: &[Mat], cols: usize) -> Mat {
    layers.iter().fold(Mat::eye(cols, cols), |right, layer| layer.times(&right))
}

/// The decomposition of `w`, each pair of vectors with the sign that it has in `like`.
pub(crate) fn svd_like(w: &Mat, like: &Svd) -> Svd {
    let mut found = svd(w.view()).unwrap();
    for r in 0..found.s.len() {
        if dot(found.u.col(r), like.u.col(r)) < 0.0 {
            found.u.col_mut(r).iter_mut().for_each(|x| *x = -*x);
            found.v.col_mut(r).iter_mut().for_each(|x| *x = -*x);
        }
    }
    found
}
