//! The model of a run at its start, and what makes it grow.

use std::path::Path;

use super::source;
use crate::data;
use crate::linalg::determinant;
use crate::model::{self, DeepLinear, Model as _};
use crate::problem::Problem;
use crate::spec::{self, Init, Model, Sign, Spec};
use crate::train::Greedy;
use crate::{Error, Result};

pub(super) fn model(spec: &Spec, problem: &Problem, base: &Path) -> Result<DeepLinear> {
    match &spec.model {
        Model::DeepLinear(described) => {
            let init = init(&described.init, problem, base)?;
            let widths = widths(described, problem.shape())?;
            let model = DeepLinear::new(&widths)?.init(&init, spec.seed)?;
            match described.determinant {
                Some(sign) => with_determinant(model, sign),
                None => Ok(model),
            }
        }
        Model::Compressed(described) => {
            let shape = problem.shape();
            let wide = DeepLinear::with_width(shape, described.depth, shape.0.min(shape.1))?;
            let init = model::Init::Orthogonal { scale: described.scale };
            let wide = wide.init(&init, spec.seed)?;
            Ok(model::Compressed::new(&wide, problem, described.rank)?.model)
        }
        Model::Greedy(described) => DeepLinear::with_width(problem.shape(), described.depth, 1),
    }
}

fn init(described: &Init, problem: &Problem, base: &Path) -> Result<model::Init> {
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

pub(super) fn widths(model: &spec::DeepLinear, (rows, cols): data::Shape) -> Result<Vec<usize>> {
    let hidden = match (&model.widths, model.depth, model.width) {
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
