//! How singular values and singular vectors of a balanced deep linear model move.

use super::{check, clamped, relative_gap, speed};
use crate::Result;
use crate::linalg::{Mat, MatRef, Svd, dot};

/// Pairs of singular values closer than this part of the first have no direction of their own.
const DEGENERATE: f64 = 1e-8;

/// `ds_r/dt = −N s_r^{2−2/N} u_rᵀ G v_r` for each singular value of `svd`.
///
/// `svd` is that of W (`d_N × d_0`, see [`theory`](super)), `gradient` is G = ∇ℓ(W).
///
/// Source: Arora, Cohen, Hu and Luo 2019, "Implicit regularization in deep matrix factorization", Theorem 3.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the gradient has not the shape of W,
/// [`Error::Parameter`](crate::Error::Parameter) if `depth` is below 1 or a singular value is negative.
pub fn singular_value_velocity(svd: &Svd, gradient: MatRef<'_>, depth: f64) -> Result<Vec<f64>> {
    check(svd, gradient, depth)?;
    let gv = gradient.times(svd.v.view());
    let rates = clamped(&svd.s).into_iter().enumerate();
    Ok(rates.map(|(r, s)| -depth * speed(s, depth) * dot(svd.u.col(r), gv.col(r))).collect())
}

/// (dU/dt, dV/dt), of the shapes of U and V:
///
/// - `dU/dt = −U (F ∘ (K S + S Kᵀ)) − (I − U Uᵀ) G V S^{1−2/N}`,
/// - `dV/dt = −V (F ∘ (S K + Kᵀ S)) − (I − V Vᵀ) Gᵀ U S^{1−2/N}`,
///
/// with S = diag(s), K = Uᵀ G V and `F_ab = 1 / (s_b^{2/N} − s_a^{2/N})` off the diagonal, `F_aa = 0`.
/// Where K is diagonal (the gradient is aligned) singular vectors stand still.
///
/// Pairs with `|s_a − s_b| ≤ 1e-8 s₁` have no directions of their own: their `F_ab` counts as 0. For N < 2 the vectors
/// of a singular value 0 have no velocity out of their span: it counts as 0 too.
///
/// `svd` is that of W (`d_N × d_0`, see [`theory`](super)), `gradient` is G = ∇ℓ(W).
///
/// Source: Arora, Cohen, Hu and Luo 2019, "Implicit regularization in deep matrix factorization", section 3.
///
/// # Errors
/// As [`singular_value_velocity`].
pub fn singular_vector_velocity(svd: &Svd, gradient: MatRef<'_>, depth: f64) -> Result<(Mat, Mat)> {
    check(svd, gradient, depth)?;
    let s = clamped(&svd.s);
    let gv = gradient.times(svd.v.view());
    let gu = gradient.t().times(svd.u.view());
    let k = svd.u.t().times(gv.view());
    Ok((side(&svd.u, &s, k.view(), &gv, depth), side(&svd.v, &s, k.t(), &gu, depth)))
}

/// dX/dt for one side X: `k` is K for U and Kᵀ for V, `force` is `G V` for U and `Gᵀ U` for V.
fn side(x: &Mat, s: &[f64], k: MatRef<'_>, force: &Mat, depth: f64) -> Mat {
    let r = s.len();
    let turn = Mat::from_fn(r, r, |a, b| {
        inverse_gap(s, a, b, depth) * (k.at(a, b) * s[b] + s[a] * k.at(b, a))
    });
    let inside = x.times(&turn);
    let outside = force.clone().minus(&x.view().times(k));
    let square = x.rows() == r;
    Mat::from_fn(x.rows(), r, |i, b| {
        let vanishes = square || (s[b] <= 0.0 && depth < 2.0);
        let out = if vanishes { 0.0 } else { s[b].powf(1.0 - 2.0 / depth) * outside[(i, b)] };
        -inside[(i, b)] - out
    })
}

/// `F_ab` of [`singular_vector_velocity`].
fn inverse_gap(s: &[f64], a: usize, b: usize, depth: f64) -> f64 {
    let first = s.iter().copied().fold(0.0, f64::max);
    let (x, y) = (s[a], s[b]);
    if a == b || (x - y).abs() <= DEGENERATE * first {
        return 0.0;
    }
    let power = 2.0 / depth;
    let (large, small) = (x.max(y), x.min(y));
    let relative = if small > 0.0 { relative_gap(large, small, power) } else { 1.0 };
    let gap = large.powf(power) * relative;
    if y > x { 1.0 / gap } else { -1.0 / gap }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::theory::end_to_end_velocity;
    use crate::linalg::{random_orthogonal, svd};
    use crate::random::{Purpose, normal, stream};

    fn random(rows: usize, cols: usize, item: u64) -> Mat {
        let mut stream = stream(6, Purpose::Truth, item);
        Mat::from_fn(rows, cols, |_, _| normal(&mut stream))
    }

    /// The decomposition of `w` with the signs of `like`.
    fn near(w: &Mat, like: &Svd) -> Svd {
        let mut found = svd(w.view()).unwrap();
        for r in 0..found.s.len() {
            if dot(found.u.col(r), like.u.col(r)) < 0.0 {
                found.u.col_mut(r).iter_mut().for_each(|x| *x = -*x);
                found.v.col_mut(r).iter_mut().for_each(|x| *x = -*x);
            }
        }
        found
    }

    /// The largest gap between `found` and the fourth-order central difference of `part` along `path`.
    fn worst(path: &[Svd], part: impl Fn(&Svd) -> &[f64], h: f64, found: &[f64]) -> f64 {
        let parts: Vec<&[f64]> = path.iter().map(part).collect();
        let slope = |i: usize| {
            (8.0 * (parts[2][i] - parts[1][i]) - (parts[3][i] - parts[0][i])) / (12.0 * h)
        };
        (0..found.len()).fold(0.0, |m: f64, i| m.max((slope(i) - found[i]).abs()))
    }

    #[test]
    fn a_step_along_the_end_to_end_velocity_moves_the_decomposition_as_the_formulas_say() {
        let h = 1e-4;
        for (item, (rows, cols)) in [(4, 4), (4, 5), (6, 4)].into_iter().enumerate() {
            let [u, v] = [rows, cols]
                .map(|n| random_orthogonal(n, 4, &mut stream(9, Purpose::Init, item as u64)));
            let scaled = Mat::from_fn(rows, 4, |i, j| u[(i, j)] * [1.3, 0.8, 0.45, 0.2][j]);
            let (w, g) = (scaled.view().times(v.t()), random(rows, cols, item as u64));
            let at = svd(w.view()).unwrap();
            for depth in [1.0, 1.5, 2.0, 2.7, 3.0, 4.0] {
                let velocity = end_to_end_velocity(&at, g.view(), depth).unwrap();
                let path = [-2.0, -1.0, 1.0, 2.0]
                    .map(|k| near(&w.clone().minus(&velocity.clone().scaled(-k * h)), &at));
                let values = singular_value_velocity(&at, g.view(), depth).unwrap();
                let (du, dv) = singular_vector_velocity(&at, g.view(), depth).unwrap();
                let gap = worst(&path, |x| &x.s, h, &values)
                    .max(worst(&path, |x| x.u.values(), h, du.values()))
                    .max(worst(&path, |x| x.v.values(), h, dv.values()));
                assert!(gap < 1e-8, "{rows} x {cols}, depth {depth}: {gap}");
            }
        }
    }

    #[test]
    fn an_aligned_gradient_turns_nothing() {
        let at = svd(random(4, 6, 3).view()).unwrap();
        let scaled = Mat::from_fn(4, 4, |i, j| at.u[(i, j)] * (j as f64 - 1.5));
        let g = scaled.view().times(at.v.t());
        for depth in [1.0, 2.0, 3.0] {
            let (du, dv) = singular_vector_velocity(&at, g.view(), depth).unwrap();
            assert!(du.max_abs() < 1e-12 && dv.max_abs() < 1e-12, "depth {depth}");
            let values = singular_value_velocity(&at, g.view(), depth).unwrap();
            for (r, found) in values.into_iter().enumerate() {
                let expected = -depth * at.s[r].powf(2.0 - 2.0 / depth) * (r as f64 - 1.5);
                assert!((found - expected).abs() < 1e-12, "depth {depth}");
            }
        }
    }

    #[test]
    fn singular_vectors_stay_orthonormal() {
        let (at, g) = (svd(random(6, 4, 4).view()).unwrap(), random(6, 4, 5));
        let (du, dv) = singular_vector_velocity(&at, g.view(), 3.0).unwrap();
        for (x, dx) in [(&at.u, du), (&at.v, dv)] {
            let turn = x.t().times(dx.view());
            let symmetric = turn.clone().minus(&turn.t().to_mat().scaled(-1.0));
            assert!(symmetric.max_abs() < 1e-12);
        }
    }

    #[test]
    fn equal_and_vanishing_singular_values_give_finite_velocities() {
        let g = random(4, 5, 6);
        for w in [Mat::eye(4, 5), Mat::zeros(4, 5), random(4, 1, 7).times(&random(1, 5, 8))] {
            let at = svd(w.view()).unwrap();
            for depth in [1.0, 1.5, 2.0, 3.0] {
                let (du, dv) = singular_vector_velocity(&at, g.view(), depth).unwrap();
                assert!(du.max_abs().is_finite() && dv.max_abs().is_finite());
                assert!(du.values().iter().chain(dv.values()).all(|x| !x.is_nan()));
            }
        }
    }
}
