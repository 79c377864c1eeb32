//! What matrices and layers tell: curvature, ranks, flows, the convex baseline.

use deepmf::analysis;
use deepmf::linalg::{Mat, MatRef, singular_values};
use deepmf::model::DeepLinear;
use deepmf::problem::Constant;
use deepmf::train::{Flattest, Flow, NuclearNorm, Stop, Trainer};
use deepmf::{Error, Result};
use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::numbers::{Matrices, array, arrays, view, views, word};
use crate::problem::Seen;
use crate::work::{detached, stoppable};

/// Sharpness of layers: value, interval, whether they are a minimum, relative residual, products.
#[pyfunction]
fn sharpness(
    py: Python<'_>,
    layers: Matrices<'_>,
    seen: Seen<'_>,
    constant: &str,
    tolerance: f64,
) -> PyResult<(f64, (f64, f64), bool, f64, usize)> {
    let constant: Constant = word("loss", constant)?;
    let (layers, seen) = (views(&layers)?, seen.view()?);
    detached(py, || {
        let problem = seen.problem(constant, &layers)?;
        let found = analysis::sharpness(&problem, &layers, tolerance)?;
        Ok((found.value, found.interval, found.at_minimizer, found.residual, found.products))
    })
}

/// The trace of the Hessian, layer by layer, W_1 first.
#[pyfunction]
fn layer_traces(
    py: Python<'_>,
    layers: Matrices<'_>,
    seen: Seen<'_>,
    constant: &str,
) -> PyResult<Vec<f64>> {
    let constant: Constant = word("loss", constant)?;
    let (layers, seen) = (views(&layers)?, seen.view()?);
    detached(py, || {
        let problem = seen.problem(constant, &layers)?;
        // Asked first for its check that all is finite.
        analysis::hessian_trace(&problem, &layers)?;
        analysis::layer_traces(&problem, &layers)
    })
}

/// Nodes and weights of the spectral density of the Hessian.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "each is one of the quadrature")]
fn hessian_density<'py>(
    py: Python<'py>,
    layers: Matrices<'_>,
    seen: Seen<'_>,
    constant: &str,
    probes: usize,
    steps: usize,
    seed: u64,
    gauss_newton: bool,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)> {
    let constant: Constant = word("loss", constant)?;
    let (layers, seen) = (views(&layers)?, seen.view()?);
    let density = detached(py, || {
        let problem = seen.problem(constant, &layers)?;
        let model = DeepLinear::of_layers(&layers)?;
        let kind = if gauss_newton { analysis::Kind::GaussNewton } else { analysis::Kind::Full };
        let mut hessian = analysis::Hessian::new(&problem, &model, kind)?;
        analysis::spectral_density(&mut hessian, probes, steps, seed)
    })?;
    Ok((
        PyArray1::from_iter(py, density.nodes.iter().map(|node| node.0)),
        PyArray1::from_iter(py, density.nodes.iter().map(|node| node.1)),
    ))
}

/// The least trace of the Hessian over all factorizations of a product, and layers that attain it (by a search, where there is no
/// closed form); whether it is a closed form.
#[pyfunction]
fn induced_regularizer(
    py: Python<'_>,
    product: PyReadonlyArray2<'_, f64>,
    seen: Seen<'_>,
    constant: &str,
    depth: usize,
    tolerance: f64,
) -> PyResult<(f64, bool)> {
    let constant: Constant = word("loss", constant)?;
    let (product, seen) = (view(&product)?, seen.view()?);
    detached(py, || {
        let product = product.to_mat();
        let problem = seen.problem(constant, &[product.view()])?;
        if let Some(value) = analysis::induced_trace(&problem, product.view(), depth)? {
            return Ok((value, true));
        }
        let found = Flattest::new(tolerance)?.fit(&problem, product.view(), depth)?;
        Ok((found.trace, false))
    })
}

/// Singular values, descending.
#[pyfunction]
fn spectrum(py: Python<'_>, matrix: PyReadonlyArray2<'_, f64>) -> PyResult<Vec<f64>> {
    let matrix = view(&matrix)?;
    detached(py, || {
        must_be_finite(matrix)?;
        singular_values(matrix)
    })
}

/// A number of a spectrum, by its name.
#[pyfunction]
fn of_spectrum(py: Python<'_>, values: Vec<f64>, name: &str) -> PyResult<f64> {
    detached(py, || match name {
        "effective-rank" => Ok(analysis::effective_rank(&values)),
        "stable-rank" => Ok(analysis::stable_rank(&values)),
        "nuclear-norm" => Ok(analysis::nuclear_norm(&values)),
        found => {
            let known = "effective-rank, stable-rank or nuclear-norm";
            Err(Error::parameter("a number of a spectrum", known, found))
        }
    })
}

fn must_be_finite(matrix: MatRef<'_>) -> Result<()> {
    match matrix.stored().0.iter().find(|x| !x.is_finite()) {
        None => Ok(()),
        Some(&found) => Err(Error::NotFinite { what: "every entry of a matrix".into(), found }),
    }
}

/// How a flow ended: time, loss, reason, evaluations.
type Ended = (f64, f64, String, u64);

/// Gradient flow from layers: those at the times that were asked for and at the end.
#[pyfunction]
#[pyo3(signature = (layers, seen, constant, tolerance, until, times, loss_below, max_iter))]
#[expect(clippy::too_many_arguments, reason = "each is one of the flow")]
fn gradient_flow<'py>(
    py: Python<'py>,
    layers: Matrices<'py>,
    seen: Seen<'py>,
    constant: &str,
    tolerance: f64,
    until: Option<f64>,
    times: Vec<f64>,
    loss_below: f64,
    max_iter: u64,
) -> PyResult<(
    (Vec<(f64, Vec<Bound<'py, PyArray2<f64>>>)>, Vec<Bound<'py, PyArray2<f64>>>, Ended),
    bool,
)> {
    let constant: Constant = word("loss", constant)?;
    let (layers, seen) = (views(&layers)?, seen.view()?);
    let ((samples, model, ended), stopped) = stoppable(py, None, |desk| {
        let problem = seen.problem(constant, &layers)?;
        let mut model = DeepLinear::of_layers(&layers)?;
        let mut flow = Flow::new(tolerance)?.at(&times);
        if let Some(until) = until {
            flow = flow.until(until)?;
        }
        let run = Trainer::new(&mut flow)
            .stop(Stop::new().steps(max_iter).loss_below(loss_below))
            .interrupt(desk.flag())
            .fit(&problem, &mut model)?;
        let sample = |(time, params): &(f64, deepmf::model::Params)| {
            let layers: Vec<Mat> = (0..model.depth()).map(|j| params.matrix(j).to_mat()).collect();
            (*time, layers)
        };
        let samples: Vec<_> = flow.samples().iter().map(sample).collect();
        let ended = (flow.time(), run.loss, run.reason.name().to_string(), flow.evaluations());
        Ok((samples, model, ended))
    })?;
    let samples = samples.into_iter().map(|(time, layers)| {
        let layers: PyResult<Vec<_>> = layers.iter().map(|layer| array(py, layer)).collect();
        Ok((time, layers?))
    });
    Ok(((samples.collect::<PyResult<_>>()?, arrays(py, &model.layers())?, ended), stopped))
}

/// The matrix of least nuclear norm: it, its singular values, (primal, dual, gap, infeasibility), iterations, reason.
#[pyfunction]
#[pyo3(signature = (seen, penalty, within, gap, max_iter))]
fn nuclear_norm<'py>(
    py: Python<'py>,
    seen: Seen<'py>,
    penalty: Option<f64>,
    within: f64,
    gap: f64,
    max_iter: u64,
) -> PyResult<((Bound<'py, PyArray2<f64>>, Vec<f64>, (f64, f64, f64, f64), u64, String), bool)> {
    let seen = seen.view()?;
    let (found, stopped) = stoppable(py, None, |desk| {
        let problem = seen.problem(Constant::Sum, &[])?;
        let convex = NuclearNorm::new(&problem)?.gap(gap)?.steps(max_iter).interrupt(desk.flag());
        match penalty {
            Some(penalty) => convex.penalised(penalty),
            None => convex.within(within)?.constrained(),
        }
    })?;
    let it = found.certificate;
    let certificate = (it.primal, it.dual, it.gap, it.infeasibility);
    let matrix = array(py, &found.model.product())?;
    let reason = found.reason.name().to_string();
    Ok(((matrix, found.singular_values, certificate, found.iterations, reason), stopped))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sharpness, module)?)?;
    module.add_function(wrap_pyfunction!(layer_traces, module)?)?;
    module.add_function(wrap_pyfunction!(hessian_density, module)?)?;
    module.add_function(wrap_pyfunction!(induced_regularizer, module)?)?;
    module.add_function(wrap_pyfunction!(spectrum, module)?)?;
    module.add_function(wrap_pyfunction!(of_spectrum, module)?)?;
    module.add_function(wrap_pyfunction!(gradient_flow, module)?)?;
    module.add_function(wrap_pyfunction!(nuclear_norm, module)?)
}
