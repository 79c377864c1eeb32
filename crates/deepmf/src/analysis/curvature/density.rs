//! The density of a spectrum by stochastic Lanczos quadrature.

use super::Hessian;
use crate::linalg::{Krylov, normal_vector};
use crate::{Error, Result};

/// A spectral density as weighted nodes: the share of eigenvalues at most x is nearly the weight of the nodes up to x.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// Ritz values and their weights, ascending; the weights add up to 1.
    pub nodes: Vec<(f64, f64)>,
    /// Products that it took.
    pub products: usize,
}

impl Density {
    /// The density at `at`, each node a normal bump of standard deviation `width`.
    pub fn smoothed(&self, at: f64, width: f64) -> f64 {
        let bump = |x: f64| (-0.5 * (x / width).powi(2)).exp();
        let sum: f64 = self.nodes.iter().map(|(node, weight)| weight * bump(at - node)).sum();
        sum / (width * std::f64::consts::TAU.sqrt())
    }

    /// The mean of f over the spectrum, as far as `steps` resolve it: exact in expectation for polynomials of degree below 2 · steps.
    pub fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().map(|(node, weight)| weight * f(*node)).sum()
    }
}

/// Stochastic Lanczos quadrature: from each of `probes` normal directions `steps` Lanczos steps, fully orthogonalised. The nodes are
/// the Ritz values, the weights the squares of the first components (Golub and Welsch 1969; Ubaru, Chen and Saad 2017).
///
/// # Errors
/// [`Error::Parameter`] if `probes` or `steps` is 0, [`Error::NotFinite`] if a product is not finite.
pub fn spectral_density(
    hessian: &mut Hessian<'_>,
    probes: usize,
    steps: usize,
    seed: u64,
) -> Result<Density> {
    for (what, found) in [("the number of probes", probes), ("the number of steps", steps)] {
        if found == 0 {
            return Err(Error::parameter(what, "1 or more", found));
        }
    }
    let before = hessian.products();
    let mut nodes = Vec::new();
    for probe in 0..probes {
        let mut space = Krylov::new(&normal_vector(hessian.size(), seed, 1 + probe as u64))?;
        while space.len() < steps && space.grow(&mut |x, out| hessian.apply(x, out))? {}
        let ritz = space.ritz()?;
        nodes.extend(
            ritz.values
                .iter()
                .enumerate()
                .map(|(k, value)| (*value, ritz.vectors[(0, k)].powi(2) / probes as f64)),
        );
    }
    nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Density { nodes, products: hessian.products() - before })
}
