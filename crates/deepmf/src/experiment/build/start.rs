//! The model of a run at its start, and what makes it grow.

use std::path::Path;

use super::source;
use crate::analysis::sharpness;
use crate::data;
use crate::linalg::{Mat, axpy, determinant, unit};
use crate::model::{self, DeepLinear, Model as _};
use crate::problem::Problem;
use crate::random::{Purpose, normal, stream};
use crate::spec::{self, Direction, Init, Model, Optimizer, Sign, Spec, Training};
use crate::train::Greedy;
use crate::{Error, Result};

/// A model at its start, and what its rate may be there.
pub(super) struct Start {
    pub(super) model: Box<dyn model::Model>,
    /// The largest stable rate 2/λ at the start before it is perturbed, where it is asked for.
    pub(super) edge: Option<f64>,
}

/// Relative residual of a sharpness that a rate or a direction is taken from.
const SHARP: f64 = 1e-10;

pub(super) fn start(
    spec: &Spec,
    training: &Training,
    problem: &Problem,
    base: &Path,
) -> Result<Start> {
    let at_edge =
        matches!(&training.train.optimizer, Optimizer::GradientDescent(it) if it.edge.is_some());
    let plain = |model: DeepLinear| Start { model: Box::new(model), edge: None };
    let shape = problem.shape();
    match &training.model {
        Model::DeepLinear(described) => {
            let init = init(&described.init, Some(problem), base)?;
            let mut model = unperturbed(described, &init, shape, spec.seed)?;
            let sharpest =
                described.perturb.as_ref().is_some_and(|it| it.along == Direction::Sharpest);
            let sharp = (at_edge || sharpest).then(|| sharpness(problem, &model.layers(), SHARP));
            let sharp = sharp.transpose()?;
            if let Some(perturb) = &described.perturb {
                let direction = match &sharp {
                    Some(sharp) if sharpest => sharp.direction.values().to_vec(),
                    _ => {
                        let mut random = stream(spec.seed, Purpose::Init, PERTURBATION);
                        let count = model.params().values().len();
                        unit((0..count).map(|_| normal(&mut random)).collect())
                    }
                };
                axpy(perturb.size, &direction, model.params_mut().values_mut());
            }
            let edge = sharp.filter(|_| at_edge).map(|sharp| edge(sharp.value)).transpose()?;
            Ok(Start { model: Box::new(model), edge })
        }
        Model::Residual(described) => {
            let widths = widths((&described.widths, described.depth, described.width), shape)?;
            let model = model::Residual::new(&widths)?;
            let sharp = at_edge.then(|| sharpness(problem, &model.network().layers(), SHARP));
            let edge = sharp.transpose()?.map(|sharp| edge(sharp.value)).transpose()?;
            Ok(Start { model: Box::new(model), edge })
        }
        Model::Compressed(described) => {
            let wide = DeepLinear::with_width(shape, described.depth, shape.0.min(shape.1))?;
            let init = model::Init::Orthogonal { scale: described.scale };
            let wide = wide.init(&init, spec.seed)?;
            let compressed = model::Compressed::new(&wide, problem, described.rank)
                .map_err(|error| error.below("model.compressed"))?;
            Ok(plain(compressed.model))
        }
        Model::Greedy(described) => Ok(plain(DeepLinear::with_width(shape, described.depth, 1)?)),
    }
}

/// The stream of a random direction: beyond those of the layers.
const PERTURBATION: u64 = 1 << 32;

/// 2/λ.
fn edge(sharpness: f64) -> Result<f64> {
    if sharpness > 0.0 {
        return Ok(2.0 / sharpness);
    }
    Err(Error::parameter(
        "the sharpness at the start",
        "above 0 where the rate is an edge",
        sharpness,
    ))
}

/// The product of the model that a description has at its start.
pub(super) fn planted(
    spec: &Spec,
    training: &Training,
    shape: data::Shape,
    base: &Path,
) -> Result<Mat> {
    let Model::DeepLinear(described) = &training.model else {
        return Err(Error::parameter("data.planted", "given with a deep-linear model", "another"));
    };
    let init = init(&described.init, None, base)?;
    Ok(unperturbed(described, &init, shape, spec.seed)?.product())
}

fn unperturbed(
    described: &spec::DeepLinear,
    init: &model::Init,
    shape: data::Shape,
    seed: u64,
) -> Result<DeepLinear> {
    let widths = widths((&described.widths, described.depth, described.width), shape)?;
    let mut model = DeepLinear::new(&widths)?.init(init, seed)?;
    if let Some(sign) = described.determinant {
        model = with_determinant(model, sign)?;
    }
    for (j, scale) in described.layer_scales.iter().flatten().enumerate() {
        model.params_mut().stored_mut(j).iter_mut().for_each(|x| *x *= scale);
    }
    Ok(model)
}

/// Checks what a start says for a network of some depth.
pub(super) fn check(described: &spec::DeepLinear, depth: usize) -> Result<()> {
    if let Some(scales) = &described.layer_scales {
        if scales.len() != depth {
            let expected = format!("{depth} numbers, one a layer");
            return Err(Error::shape("layer-scales", expected, scales.len()));
        }
        if let Some(found) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            return Err(Error::parameter("layer-scales", "made of numbers above 0", found));
        }
    }
    let size = described.perturb.as_ref().map(|perturb| perturb.size);
    match size.filter(|size| !(size.is_finite() && *size >= 0.0)) {
        Some(size) => Err(Error::parameter("perturb.size", "0 or more", size)),
        None => Ok(()),
    }
}

fn init(described: &Init, problem: Option<&Problem>, base: &Path) -> Result<model::Init> {
    Ok(match described {
        Init::Gaussian { scale } => model::Init::Gaussian { scale: *scale },
        Init::Uniform { scale } => model::Init::Uniform { scale: *scale },
        Init::Identity { scale } => model::Init::Identity { scale: *scale },
        Init::Orthogonal { scale } => model::Init::Orthogonal { scale: *scale },
        Init::Balanced { scale } => model::Init::Balanced { scale: *scale },
        Init::BalancedFrom { path } => {
            model::Init::BalancedFrom { matrix: data::read_dense(source::file(path, base)?)? }
        }
        Init::Spectral { scale } => {
            let Some(problem) = problem else {
                let allowed = "another than spectral where the data is planted";
                return Err(Error::parameter("the start", allowed, "spectral"));
            };
            model::Init::Spectral { scale: *scale, surrogate: problem.surrogate() }
        }
    })
}

/// The model with a determinant of this sign: the first column of `W_1` changes sign if need be, which leaves balanced layers
/// balanced and gives a random start the distribution that it has under this condition.
fn with_determinant(mut model: DeepLinear, sign: Sign) -> Result<DeepLinear> {
    let positive = determinant(model.product().view())? > 0.0;
    if positive != (sign == Sign::Positive) {
        let mut first = model.layer(0).to_mat();
        first.col_mut(0).iter_mut().for_each(|x| *x = -*x);
        model.params_mut().set(0, &first)?;
    }
    Ok(model)
}

/// The widths of a network, from what is said of them: the hidden ones, or depth and width.
pub(super) fn widths(
    said: (&Option<Vec<usize>>, Option<usize>, Option<usize>),
    (rows, cols): data::Shape,
) -> Result<Vec<usize>> {
    let hidden = match said {
        (Some(widths), None, None) => widths.clone(),
        (Some(_), ..) => {
            let found = "given with depth or width";
            return Err(Error::parameter("widths", "given alone", found));
        }
        (None, depth, width) => {
            let depth = depth.unwrap_or(3);
            if depth == 0 {
                return Err(Error::parameter("depth", "1 or more", depth));
            }
            vec![width.unwrap_or(rows.min(cols)); depth - 1]
        }
    };
    let widths: Vec<usize> = [cols].into_iter().chain(hidden).chain([rows]).collect();
    if widths.contains(&0) {
        return Err(Error::parameter("every width", "1 or more", 0));
    }
    Ok(widths)
}

pub(super) fn greedy(described: &spec::Greedy) -> Result<Greedy> {
    let greedy =
        Greedy::new(described.depth)?.scale(described.scale)?.tolerance(described.tolerance)?;
    Ok(described.ranks.map_or(greedy.clone(), |ranks| greedy.ranks(ranks)))
}
