//! The induced regularizer F(M) = min { tr H : W_N … W_1 = M } where it is known in closed form, and factorizations that attain it.

use crate::analysis::chains::{must_fit, weights};
use crate::analysis::numerical_rank;
use crate::linalg::{Mat, MatRef, Svd, eigen, svd};
use crate::model::DeepLinear;
use crate::problem::Problem;
use crate::{Error, Result};

/// Which closed form an induced regularizer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Induced {
    /// Every entry is seen with one weight: N (rows · cols)^{1/N} ‖M‖_*^{2−2/N} times the second derivative of the loss
    /// (Gatmiry et al. 2023; for isotropic measurements, nearly).
    Isotropic,
    /// Depth 2: 2 ‖B^{1/2} M C^{1/2}‖_* with B = Σ cᵢ Aᵢ Aᵢᵀ and C = Σ cᵢ Aᵢᵀ Aᵢ; of a mask a weighted nuclear norm.
    Weighted,
    /// One measurement: N c ‖(AᵀM)^{N−1} Aᵀ‖ to the power 2/N in the Schatten quasi-norm of order 2/N.
    Single,
}

/// Which closed form F has for a problem and a depth, if any: other cases need a search
/// ([`Flattest`](crate::train::Flattest)).
pub fn induced_rule(problem: &Problem, depth: usize) -> Option<Induced> {
    if depth < 2 {
        return None;
    }
    if full_weight(problem).is_some() {
        return Some(Induced::Isotropic);
    }
    match (depth, problem.measurements()) {
        (_, 1) => Some(Induced::Single),
        (2, _) => Some(Induced::Weighted),
        _ => None,
    }
}

/// The least trace of the Hessian over all factorizations of `product` into `depth` layers, as wide as they like, where
/// [`induced_rule`] knows it.
///
/// # Errors
/// [`Error::Shape`] if `product` has not the shape of the problem, [`Error::NotFinite`]; [`Error::Parameter`] where the powers of one
/// measurement fall below rounding.
pub fn induced_trace(problem: &Problem, product: MatRef<'_>, depth: usize) -> Result<Option<f64>> {
    let Some(rule) = induced_rule(problem, depth) else { return Ok(None) };
    must_fit(problem, &[product])?;
    Ok(Some(match rule {
        Induced::Isotropic => {
            let scale = full_weight(problem).unwrap_or_default();
            scale * isotropic_minimum(&svd(product)?.s, problem.shape(), depth)
        }
        Induced::Weighted => {
            let (left, right) =
                (root(&left_sum(problem, product))?, root(&right_sum(problem, product))?);
            let turned = left.view().times(product).times(&right);
            2.0 * svd(turned.view())?.s.iter().sum::<f64>()
        }
        Induced::Single => {
            let (scale, chain) = single(problem, product, depth);
            let (n, rank) = (depth as f64, must_be_resolved(problem, product, depth)?);
            let values = &svd(chain.view())?.s[..rank];
            scale * n * values.iter().map(|s| s.powf(2.0 / n)).sum::<f64>()
        }
    }))
}

/// N (rows · cols)^{1/N} (Σ s)^{2−2/N}: the least Σ_j ‖L_j‖_F² ‖R_j‖_F² over all factorizations of a matrix with singular values s.
pub fn isotropic_minimum(s: &[f64], (rows, cols): (usize, usize), depth: usize) -> f64 {
    let n = depth as f64;
    n * (rows as f64 * cols as f64).powf(1.0 / n) * s.iter().sum::<f64>().powf(2.0 - 2.0 / n)
}

/// The factorization into `depth` layers that attains [`isotropic_minimum`], as wide as `svd` has triplets: with β =
/// (‖M‖_* / √(rows · cols))^{1/N} the middle layers are β I, the outer ones multiples of S^{1/2} Vᵀ and U S^{1/2}. From depth 3 on it is
/// not the balanced one.
///
/// # Errors
/// [`Error::Parameter`] if the depth is below 2 or M is zero.
pub fn isotropic_factors(svd: &Svd, depth: usize) -> Result<DeepLinear> {
    let nuclear: f64 = svd.s.iter().sum();
    if nuclear <= 0.0 {
        return Err(Error::parameter("the nuclear norm of a matrix", "above 0", nuclear));
    }
    let (rows, cols) = (svd.u.rows() as f64, svd.v.rows() as f64);
    let beta = (nuclear / (rows * cols).sqrt()).powf(1.0 / depth as f64);
    let scale = beta.powf(1.0 - depth as f64 / 2.0);
    let sides = (cols / rows).powf(0.25);
    let rank = svd.s.len();
    let first =
        Mat::from_fn(rank, svd.v.rows(), |r, j| sides * scale * svd.s[r].sqrt() * svd.v[(j, r)]);
    let last =
        Mat::from_fn(svd.u.rows(), rank, |i, r| scale / sides * svd.u[(i, r)] * svd.s[r].sqrt());
    layered(depth, first, last, |_| Mat::eye(rank, rank).scaled(beta))
}

/// A factorization of `product` into `depth` layers that attains [`induced_trace`], where [`induced_rule`] knows it; as wide as `product`
/// has rank, to a part of 1e-12 of its largest singular value.
///
/// # Errors
/// [`Error::Shape`] if `product` has not the shape of the problem, [`Error::Parameter`] if it is zero, and where nothing attains the least
/// value: at depth 2 if a row or a column is not seen, for one measurement if A is singular on the range of M.
pub fn induced_factors(
    problem: &Problem,
    product: MatRef<'_>,
    depth: usize,
) -> Result<Option<DeepLinear>> {
    let Some(rule) = induced_rule(problem, depth) else { return Ok(None) };
    must_fit(problem, &[product])?;
    Ok(Some(match rule {
        Induced::Isotropic => isotropic_factors(&thin(product)?, depth)?,
        Induced::Weighted => {
            let (b, c) = (left_sum(problem, product), right_sum(problem, product));
            let (left, right) = (root(&b)?, root(&c)?);
            let turned = thin(left.view().times(product).times(&right).view())?;
            let (left, right) = (inverse(&left, "row")?, inverse(&right, "column")?);
            let rank = turned.s.len();
            let half =
                |u: &Mat| Mat::from_fn(u.rows(), rank, |i, r| u[(i, r)] * turned.s[r].sqrt());
            let first = half(&turned.v).t().times(right.view());
            layered(2, first, left.times(&half(&turned.u)), |_| Mat::default())?
        }
        Induced::Single => single_factors(problem, product, depth)?,
    }))
}

// With K = Aᵀ and (K M)^{N−1} K = P D Qᵀ the products R_{j+1} = D^{−j/N} Pᵀ (K M)^j make every R_j K L_j equal D^{1/N}, which is equality
// in Hölder's inequality and between the means.
fn single_factors(problem: &Problem, product: MatRef<'_>, depth: usize) -> Result<DeepLinear> {
    let (_, chain) = single(problem, product, depth);
    let rank = thin(product)?.s.len();
    let seen = must_be_resolved(problem, product, depth)?;
    let Svd { u: p, s: d, .. } = svd(chain.view())?.first(seen);
    if d.len() != rank {
        return Err(Error::parameter("the rank of A on the range of M", rank.to_string(), d.len()));
    }
    let power = |x: f64| Mat::from_fn(rank, rank, |i, j| if i == j { d[i].powf(x) } else { 0.0 });
    let (part, turned) = (1.0 / depth as f64, operator(problem).t().times(product));
    let core = p.t().times(turned.view()).times(&p);
    let first = power(-part).times(&p.t().times(turned.view()));
    let mut right = first.clone();
    let mut middle = Vec::new();
    for j in 1..depth - 1 {
        let next = power(-part * (j + 1) as f64).times(&core).times(&power(part * j as f64));
        right = next.times(&right);
        middle.push(next);
    }
    let last = product.times(pseudo_inverse(&right)?.view());
    layered(depth, first, last, |j| middle[j].clone())
}

/// The rank of AᵀM, whose powers up to the depth must lie above rounding.
fn must_be_resolved(problem: &Problem, product: MatRef<'_>, depth: usize) -> Result<usize> {
    let values = thin(operator(problem).t().times(product).view())?.s;
    let spread = values.last().zip(values.first()).map_or(1.0, |(least, most)| least / most);
    let power = spread.powf(depth as f64 - 1.0);
    if power < 1e-12 {
        let what = "the spread of the singular values of AᵀM, to the power depth − 1,";
        return Err(Error::parameter(what, "1e-12 or more", format!("{power:.1e}")));
    }
    Ok(values.len())
}

/// The network of a first, a last, and the layers between.
fn layered(
    depth: usize,
    first: Mat,
    last: Mat,
    middle: impl Fn(usize) -> Mat,
) -> Result<DeepLinear> {
    if depth < 2 {
        return Err(Error::parameter("the depth of a flattest factorization", "2 or more", depth));
    }
    let mut layers = vec![first];
    layers.extend((0..depth - 2).map(middle));
    layers.push(last);
    DeepLinear::of_layers(&layers.iter().map(Mat::view).collect::<Vec<_>>())
}

/// The second derivative of a loss that sees every entry with one weight.
fn full_weight(problem: &Problem) -> Option<f64> {
    let [term] = problem.terms() else { return None };
    if !(term.observation.sees_all() && term.loss.is_quadratic()) {
        return None;
    }
    let weights = weights(problem, &[MatRef::new(0, 0, &[])]).pop()?;
    let first = *weights.first()?;
    weights.iter().all(|&w| w == first).then_some(first)
}

/// Σ cᵢ Aᵢ Aᵢᵀ.
fn left_sum(problem: &Problem, product: MatRef<'_>) -> Mat {
    let one = Mat::eye(problem.shape().0, problem.shape().0);
    let terms = problem.terms().iter().zip(weights(problem, &[product]));
    super::trace::sum(terms.map(|(t, w)| t.observation.left_slope(&w, one.view(), None)))
}

/// Σ cᵢ Aᵢᵀ Aᵢ.
fn right_sum(problem: &Problem, product: MatRef<'_>) -> Mat {
    let one = Mat::eye(problem.shape().1, problem.shape().1);
    let terms = problem.terms().iter().zip(weights(problem, &[product]));
    super::trace::sum(terms.map(|(t, w)| t.observation.right_slope(&w, None, one.view())))
}

/// The second derivative of the one measurement, and (AᵀM)^{N−1} Aᵀ.
fn single(problem: &Problem, product: MatRef<'_>, depth: usize) -> (f64, Mat) {
    let scale = weights(problem, &[product])[0][0];
    let back = operator(problem).t().to_mat();
    let turned = back.view().times(product);
    (scale, (1..depth).fold(back, |chain, _| turned.times(&chain)))
}

fn operator(problem: &Problem) -> Mat {
    problem.terms()[0].observation.operator(0)
}

/// The decomposition without what is zero to rounding.
fn thin(a: MatRef<'_>) -> Result<Svd> {
    let svd = svd(a)?;
    Ok(svd.first(numerical_rank(&svd.s, 1e-12)))
}

/// The square root of a positive semidefinite matrix.
fn root(a: &Mat) -> Result<Mat> {
    mapped(a, |x| x.max(0.0).sqrt())
}

/// The inverse of a root; where it has none, something of M is not seen and nothing attains the least value.
fn inverse(root: &Mat, line: &str) -> Result<Mat> {
    let (floor, singular) = (1e-12 * root.max_abs(), std::cell::Cell::new(false));
    let inverse = mapped(root, |x| {
        singular.set(singular.get() || x <= floor);
        1.0 / x
    })?;
    if singular.get() {
        let what = format!("what is seen of every {line}");
        return Err(Error::parameter(&what, "something", "nothing"));
    }
    Ok(inverse)
}

/// U f(values) Uᵀ; a diagonal matrix, such as that of a mask, entry by entry.
fn mapped(a: &Mat, f: impl Fn(f64) -> f64) -> Result<Mat> {
    let size = a.rows();
    if (0..size).all(|j| a.col(j).iter().enumerate().all(|(i, x)| i == j || *x == 0.0)) {
        return Ok(Mat::from_fn(size, size, |i, j| if i == j { f(a[(i, i)]) } else { 0.0 }));
    }
    Ok(eigen(a.view())?.map(f))
}

fn pseudo_inverse(a: &Mat) -> Result<Mat> {
    let Svd { u, s, v } = thin(a.view())?;
    let scaled = Mat::from_fn(v.rows(), s.len(), |i, r| v[(i, r)] / s[r]);
    Ok(scaled.view().times(u.t()))
}
