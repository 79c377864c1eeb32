//! How the end-to-end matrix of a balanced deep linear model moves.

use super::{check, clamped, relative_gap, speed};
use crate::Result;
use crate::linalg::{Mat, MatRef, Svd};

/// `dW/dt = −Σ_{j=1}^{N} (WWᵀ)^{(j−1)/N} G (WᵀW)^{(N−j)/N}`, of the shape of W, with M⁰ = I.
///
/// In the singular basis the entry (a, b) of `UᵀGV` is multiplied by
/// `C_ab = (s_a² − s_b²) / (s_a^{2/N} − s_b^{2/N})`, or `N s_a^{2−2/N}` where `s_a = s_b`; on the complement of
/// either basis the other s is 0. This gives every real N ≥ 1 a meaning and needs no matrix power.
///
/// `svd` is that of W (`d_N × d_0`, see [`theory`](super)), `gradient` is G = ∇ℓ(W).
///
/// Source: Arora, Cohen and Hazan 2018, "On the optimization of deep networks", Theorem 1.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the gradient has not the shape of W,
/// [`Error::Parameter`](crate::Error::Parameter) if `depth` is below 1 or a singular value is negative.
pub fn end_to_end_velocity(svd: &Svd, gradient: MatRef<'_>, depth: f64) -> Result<Mat> {
    check(svd, gradient, depth)?;
    if depth <= 1.0 {
        return Ok(gradient.to_mat().scaled(-1.0));
    }
    let (u, v) = (&svd.u, &svd.v);
    let s = clamped(&svd.s);
    let r = s.len();
    let ug = u.t().times(gradient);
    let gv = gradient.times(v.view());
    let k = u.t().times(gv.view());
    let core = Mat::from_fn(r, r, |a, b| -multiplier(s[a], s[b], depth) * k[(a, b)]);
    let mut rows = core.view().times(v.t());
    if v.rows() > r {
        let outside = ug.minus(&k.view().times(v.t()));
        rows = rows.minus(&Mat::from_fn(r, v.rows(), |a, j| speed(s[a], depth) * outside[(a, j)]));
    }
    let velocity = u.times(&rows);
    if u.rows() == r {
        return Ok(velocity);
    }
    let outside = gv.minus(&u.times(&k));
    let scaled = Mat::from_fn(u.rows(), r, |i, b| speed(s[b], depth) * outside[(i, b)]);
    Ok(velocity.minus(&scaled.view().times(v.t())))
}

/// `C_ab` of [`end_to_end_velocity`]: `s_a^{2−2/N} (1 − q²) / (1 − q^{2/N})` with `q = s_b / s_a ≤ 1`.
fn multiplier(a: f64, b: f64, depth: f64) -> f64 {
    let (a, b) = (a.max(b), a.min(b));
    let gap = if b > 0.0 { relative_gap(a, b, 2.0 / depth) } else { 1.0 };
    if b <= 0.0 {
        speed(a, depth)
    } else if gap <= 0.0 {
        depth * speed(a, depth)
    } else {
        speed(a, depth) * relative_gap(a, b, 2.0) / gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{eigen, svd};
    use crate::random::{Purpose, normal, stream};

    /// The sum as it is written, by eigenvalue decompositions.
    fn by_powers(w: &Mat, g: &Mat, depth: usize) -> Mat {
        let power = |m: &Mat, p: f64| {
            let e = eigen(m.view()).unwrap();
            let top = e.values.iter().copied().fold(0.0, f64::max);
            let lift = |x: f64| if x < 1e-14 * top { 0.0_f64.powf(p) } else { x.powf(p) };
            e.map(lift)
        };
        let (left, right) = (w.view().times(w.t()), w.t().times(w.view()));
        (1..=depth).fold(Mat::zeros(w.rows(), w.cols()), |sum, j| {
            let n = depth as f64;
            let before = power(&left, (j as f64 - 1.0) / n);
            sum.minus(&before.times(g).times(&power(&right, (n - j as f64) / n)))
        })
    }

    fn random(rows: usize, cols: usize, item: u64) -> Mat {
        let mut stream = stream(5, Purpose::Truth, item);
        Mat::from_fn(rows, cols, |_, _| normal(&mut stream))
    }

    #[test]
    fn the_singular_basis_gives_the_sum_of_matrix_powers() {
        for (item, (rows, cols, rank)) in
            [(4, 4, 4), (3, 5, 3), (5, 3, 3), (4, 6, 2), (5, 5, 1)].into_iter().enumerate()
        {
            let w = random(rows, rank, item as u64).times(&random(rank, cols, 10 + item as u64));
            let g = random(rows, cols, 20 + item as u64);
            let svd = svd(w.view()).unwrap();
            for depth in 1..=5 {
                let expected = by_powers(&w, &g, depth);
                let found = end_to_end_velocity(&svd, g.view(), depth as f64).unwrap();
                let gap = found.minus(&expected).max_abs();
                assert!(gap < 1e-11, "{rows} x {cols} of rank {rank}, depth {depth}: {gap}");
            }
        }
    }

    #[test]
    fn a_decomposition_without_its_zeros_gives_the_same() {
        let (w, g) = (random(5, 2, 0).times(&random(2, 6, 1)), random(5, 6, 2));
        let whole = svd(w.view()).unwrap();
        let first = |m: &Mat| Mat::from_fn(m.rows(), 2, |i, j| m[(i, j)]);
        let short = Svd { u: first(&whole.u), s: whole.s[..2].to_vec(), v: first(&whole.v) };
        for depth in [1.0, 1.5, 2.0, 3.0] {
            let [a, b] = [&whole, &short].map(|s| end_to_end_velocity(s, g.view(), depth).unwrap());
            assert!(a.minus(&b).max_abs() < 1e-12, "depth {depth}");
        }
    }

    #[test]
    fn the_multiplier_is_continuous_where_singular_values_meet() {
        for depth in [1.0, 1.5, 2.0, 2.5, 3.0, 7.0] {
            let limit = multiplier(0.7, 0.7, depth);
            assert!((limit - depth * 0.7_f64.powf(2.0 - 2.0 / depth)).abs() < 1e-15 * limit);
            for gap in [1e-15, 1e-12, 1e-9, 1e-6] {
                let near = multiplier(0.7, 0.7 * (1.0 + gap), depth);
                assert!((near / limit - 1.0).abs() < 4.0 * gap, "depth {depth}, gap {gap}: {near}");
            }
            let plain = (0.81 - 0.09) / (0.9_f64.powf(2.0 / depth) - 0.3_f64.powf(2.0 / depth));
            assert!((multiplier(0.3, 0.9, depth) / plain - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn a_singular_value_far_below_the_first_still_counts() {
        let svd = Svd { u: Mat::eye(2, 2), s: vec![1.0, 1e-10], v: Mat::eye(2, 2) };
        let g = Mat::from_columns(2, 2, vec![1.0; 4]);
        let found = end_to_end_velocity(&svd, g.view(), 3.0).unwrap();
        let q = 1e-10_f64.powf(2.0 / 3.0);
        assert!((found[(0, 1)] + 1.0 + q + q * q).abs() < 1e-15);
        assert!((found[(1, 1)] / (-3.0 * q * q) - 1.0).abs() < 1e-14);
    }

    #[test]
    fn the_zero_matrix_stands_still_unless_the_depth_is_one() {
        let (zero, g) = (svd(Mat::zeros(3, 4).view()).unwrap(), random(3, 4, 0));
        let still = end_to_end_velocity(&zero, g.view(), 2.0).unwrap();
        assert!(still.max_abs() <= 0.0);
        let plain = end_to_end_velocity(&zero, g.view(), 1.0).unwrap();
        assert!(plain.minus(&g.clone().scaled(-1.0)).max_abs() <= 0.0);
    }

    #[test]
    fn a_depth_below_one_and_a_gradient_of_another_shape_are_refused() {
        let svd = svd(Mat::eye(2, 3).view()).unwrap();
        let error = end_to_end_velocity(&svd, Mat::eye(2, 3).view(), 0.5).unwrap_err();
        assert_eq!(error.to_string(), "the depth must be finite and 1 or more, but it is 0.5");
        let error = end_to_end_velocity(&svd, Mat::eye(3, 3).view(), 2.0).unwrap_err();
        assert_eq!(error.to_string(), "the gradient must have shape (2, 3), but it has (3, 3)");
    }
}
