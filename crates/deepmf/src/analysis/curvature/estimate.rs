//! The trace of an operator from its products with random vectors.

use super::Hessian;
use crate::linalg::{Mat, MatRef, axpy, dot, orthonormal};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// An estimate with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The standard error of `value`, from the spread of its parts.
    pub standard_error: f64,
    /// Products that it took.
    pub products: usize,
}

/// Hutch++ (Meyer, Musco, Musco and Woodruff 2021): with a third of the `products` a basis of the dominant space, whose trace is exact,
/// and the mean of xᵀ H x over random signs for the rest.
///
/// For the layers of a product the closed form [`hessian_trace`](crate::analysis::hessian_trace) is exact and far cheaper; this one is for any model,
/// and a check of the other.
///
/// # Errors
/// [`Error::Parameter`] for fewer than 6 products, [`Error::NotFinite`] if one is not finite.
pub fn hutch_plus_plus(hessian: &mut Hessian<'_>, products: usize, seed: u64) -> Result<Estimate> {
    if products < 6 {
        return Err(Error::parameter("the number of products", "6 or more", products));
    }
    let before = hessian.products();
    let size = hessian.size();
    let third = (products / 3).min(size);
    let mut random = stream(seed, Purpose::Sketch, 0);
    let mut signs =
        |count| Mat::from_fn(size, count, |_, _| if random.random_bool(0.5) { 1.0 } else { -1.0 });
    let (sketch, rest) = (signs(third), signs(third));
    let mut image = |x: &Mat| {
        let mut out = Mat::zeros(size, x.cols());
        (0..x.cols()).for_each(|k| hessian.apply(x.col(k), out.col_mut(k)));
        out
    };
    let sketched = image(&sketch);
    if let Some(&found) = sketched.values().iter().find(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "every product of an operator".into(), found });
    }
    let basis = orthonormal(sketched.view());
    let turned = image(&basis);
    let exact: f64 = (0..basis.cols()).map(|k| dot(basis.col(k), turned.col(k))).sum();
    let parts: Vec<f64> = (0..rest.cols())
        .map(|k| {
            let mut x = rest.col(k).to_vec();
            let shares = basis.t().times(MatRef::new(size, 1, &x));
            for (share, vector) in shares.values().iter().zip(0..basis.cols()) {
                axpy(-share, basis.col(vector), &mut x);
            }
            let mut out = vec![0.0; size];
            hessian.apply(&x, &mut out);
            dot(&x, &out)
        })
        .collect();
    let count = parts.len() as f64;
    let mean = parts.iter().sum::<f64>() / count;
    let spread = parts.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let products = hessian.products() - before;
    Ok(Estimate { value: exact + mean, standard_error: (spread / count).sqrt(), products })
}
