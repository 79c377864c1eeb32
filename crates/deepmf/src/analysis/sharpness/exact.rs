//! The sharpness with its certificate.

use super::small::{Grams, Measurements};
use crate::analysis::chains::{Chains, network, weights};
use crate::analysis::{Hessian, Kind, hessian_trace};
use crate::linalg::{End, MatRef, extreme_eigenvalue, norm, normal_vector, scale};
use crate::model::{DeepLinear, Model, Params, Pass};
use crate::problem::{Evaluation, Problem};
use crate::{Error, Result};

/// What the residual may change of the sharpness, as a part of it, where layers count as a minimum; and the relative residual of one layer.
const NEAR: f64 = 1e-6;

/// The largest eigenvalue of the Hessian with respect to the layers.
#[derive(Clone, Debug)]
pub struct Sharpness {
    /// λ_max, a Rayleigh quotient: a lower bound but for rounding.
    pub value: f64,
    /// An interval that holds an eigenvalue; λ_max is at least its lower end. It is λ_max unless the search, at a loose tolerance, has settled on
    /// a lower eigenvalue that lies close by.
    pub interval: (f64, f64),
    /// Whether the layers are a minimum that fits what is seen: what the residual can change is below a part of 1e-6, and is in the interval. Then the value is
    /// that of the small operator on what is seen, else that of the Hessian where the layers are.
    pub at_minimizer: bool,
    /// ‖A(W) − y‖ / ‖y‖ over all measurements.
    pub residual: f64,
    /// The leading eigenvector, of length 1: a direction of the parameters of [`DeepLinear::of_layers`].
    pub direction: Params,
    /// Products with the operator that it took.
    pub products: usize,
}

/// The sharpness of `layers`, W_1 first, to a residual of `tolerance` times its size.
///
/// At a minimum, where what the residual can add is below a part of 1e-6, by Lanczos on a small operator: on rows × cols where
/// every entry is seen, from a nearly exact start, or on the measurements, or on the parameters, whichever are fewest. Elsewhere by Lanczos
/// on the Hessian; [`Sharpness::at_minimizer`] says which.
///
/// ```
/// use deepmf::analysis::{sharpness, sharpness_minimum};
/// use deepmf::data;
/// use deepmf::linalg::svd;
/// use deepmf::model::DeepLinear;
/// use deepmf::problem::{Constant, Problem};
///
/// let truth = data::low_rank((30, 20), 3, 0)?;
/// let problem = Problem::full(&truth, Constant::Sum)?;
/// let svd = svd(truth.view())?;
/// let balanced = DeepLinear::balanced(&svd.first(3), 3)?;
/// let found = sharpness(&problem, &balanced.layers(), 1e-10)?;
/// assert!(found.at_minimizer);
/// // Balanced factorizations are the flattest: 2 N σ₁^(2 − 2/N) for the sum of squares.
/// assert!((found.value / sharpness_minimum(svd.s[0], 3, 2.0) - 1.0).abs() < 1e-9);
/// # Ok::<(), deepmf::Error>(())
/// ```
///
/// # Errors
/// As [`hessian_trace`](crate::analysis::hessian_trace), and [`Error::Parameter`] if `tolerance` is not above 0.
pub fn sharpness(problem: &Problem, layers: &[MatRef<'_>], tolerance: f64) -> Result<Sharpness> {
    must_be_tolerance(tolerance)?;
    let model = network(problem, layers)?;
    let place = Place::new(problem, &model)?;
    // Far from a minimum the small operator only gives a start.
    let far = place.added > 1e-3 * hessian_trace(problem, layers)?;
    let near = at(problem, &model, if far { tolerance.max(1e-2) } else { tolerance }, &place)?;
    if near.at_minimizer || model.depth() == 1 {
        return Ok(near);
    }
    let mut hessian = Hessian::new(problem, &model, Kind::Full)?;
    let mut start = normal_vector(hessian.size(), 0, 0);
    let part = 0.1 / norm(&start);
    for (x, along) in start.iter_mut().zip(near.direction.values()) {
        *x = part * *x + along;
    }
    let apply = &mut |x: &[f64], out: &mut [f64]| hessian.apply(x, out);
    let found = extreme_eigenvalue(apply, &start, End::Largest, tolerance)?;
    let mut direction = model.params().zeros_like();
    direction.values_mut().copy_from_slice(&found.vector);
    Ok(Sharpness {
        value: found.value,
        interval: (found.value - found.residual, found.value + found.residual),
        at_minimizer: false,
        residual: place.residual,
        direction,
        products: found.products + near.products,
    })
}

/// The sharpness by the small operator whatever the residual is: the largest eigenvalue of the Gauss–Newton part, which is that of the Hessian
/// at a minimum. The interval is widened by the most that the residual can change.
///
/// # Errors
/// As [`sharpness`].
pub fn sharpness_at_minimizer(
    problem: &Problem,
    layers: &[MatRef<'_>],
    tolerance: f64,
) -> Result<Sharpness> {
    must_be_tolerance(tolerance)?;
    let model = network(problem, layers)?;
    at(problem, &model, tolerance, &Place::new(problem, &model)?)
}

/// ‖A(W) − y‖ / ‖y‖ over all measurements, with W the product of `layers`.
///
/// # Errors
/// As [`hessian_trace`].
pub fn relative_residual(problem: &Problem, layers: &[MatRef<'_>]) -> Result<f64> {
    Ok(Place::new(problem, &network(problem, layers)?)?.residual)
}

/// How far from a minimum layers are.
struct Place {
    residual: f64,
    /// No eigenvalue of the part of the Hessian that the residual carries is larger.
    added: f64,
}

impl Place {
    // |2 Σ_{i<j} ⟨G, W_N … V_j … V_i … W_1⟩| ≤ ‖G‖ Σ_{i<j} 2 ‖V_i‖ ‖V_j‖ Π_{l≠i,j} ‖W_l‖ ≤ ‖G‖ (N − 1) max Π ‖V‖².
    fn new(problem: &Problem, model: &DeepLinear) -> Result<Self> {
        let mut evaluation = Evaluation::default();
        let mut pass = Pass::default();
        let product = model.forward(&mut pass);
        let loss = problem.evaluate(&product, &mut evaluation);
        if !loss.is_finite() {
            return Err(Error::NotFinite { what: "the loss".into(), found: loss });
        }
        let gradient = evaluation.cotangent.to_dense().frobenius();
        // Frobenius norms are no smaller than spectral ones, and cheap.
        let mut norms: Vec<f64> =
            (0..model.depth()).map(|j| norm(model.params().stored(j))).collect();
        norms.sort_by(f64::total_cmp);
        let others: f64 = norms.iter().skip(2).product();
        let added = gradient * (norms.len() as f64 - 1.0) * others;
        let (mut off, mut all) = (0.0, 0.0);
        for term in problem.terms() {
            let mut seen = vec![0.0; term.targets.len()];
            term.observation.apply(&product, &mut crate::linalg::Mat::default(), &mut seen);
            for (seen, target) in seen.iter().zip(&term.targets) {
                off += (seen - target).powi(2);
                all += target * target;
            }
        }
        Ok(Self { residual: (off / all.max(f64::MIN_POSITIVE)).sqrt(), added })
    }
}

fn must_be_tolerance(tolerance: f64) -> Result<()> {
    if tolerance.is_finite() && tolerance > 0.0 {
        return Ok(());
    }
    Err(Error::parameter("the tolerance of a sharpness", "above 0", tolerance))
}

fn at(problem: &Problem, model: &DeepLinear, tolerance: f64, place: &Place) -> Result<Sharpness> {
    let weights = weights(problem, &model.layers());
    let (seen, parameters) = (problem.measurements(), model.params().values().len());
    let whole = match problem.terms() {
        [term] => term.observation.sees_all() && weights[0].iter().all(|w| *w == weights[0][0]),
        _ => false,
    };
    let (found, mut direction) = if whole && seen <= parameters {
        // The measurements of a mask may stand in another order than the entries of W, which changes no eigenvalue.
        let mut grams = Grams::new(&Chains::new(&model.layers()), problem.shape(), weights[0][0]);
        let start = grams.start();
        let apply = &mut |x: &[f64], out: &mut [f64]| grams.apply(x, out);
        let found = extreme_eigenvalue(apply, &start, End::Largest, tolerance)?;
        let mut cotangent = crate::product::Cotangent::default();
        cotangent.clear(problem.shape());
        cotangent.add_dense(|dense| dense.values_mut().copy_from_slice(&found.vector));
        let mut direction = model.params().zeros_like();
        let mut pass = Pass::default();
        model.forward(&mut pass);
        model.pullback(&cotangent, &mut pass, &mut direction);
        (found, direction)
    } else if seen <= parameters {
        let mut small = Measurements::new(problem, model, &weights);
        let start = normal_vector(seen, 0, 0);
        let apply = &mut |z: &[f64], out: &mut [f64]| small.apply(z, out);
        let found = extreme_eigenvalue(apply, &start, End::Largest, tolerance)?;
        let direction = small.back(&found.vector).clone();
        (found, direction)
    } else {
        let mut hessian = Hessian::new(problem, model, Kind::GaussNewton)?;
        let start = normal_vector(parameters, 0, 0);
        let apply = &mut |x: &[f64], out: &mut [f64]| hessian.apply(x, out);
        let found = extreme_eigenvalue(apply, &start, End::Largest, tolerance)?;
        let mut direction = model.params().zeros_like();
        direction.values_mut().copy_from_slice(&found.vector);
        (found, direction)
    };
    let length = norm(direction.values());
    if length > 0.0 {
        scale(1.0 / length, direction.values_mut());
    }
    let width = found.residual + place.added;
    Ok(Sharpness {
        value: found.value,
        interval: (found.value - width, found.value + width),
        at_minimizer: place.added <= NEAR * found.value
            && (model.depth() > 1 || place.residual <= NEAR),
        residual: place.residual,
        direction,
        products: found.products,
    })
}
