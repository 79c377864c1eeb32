//! Probes: what is recorded along a run.

use super::Room;
use crate::analysis::{
    Hessian, Kind, alignment, effective_rank, extreme_curvature, gain_deviation, hessian_trace,
    intrinsic_dimension, layer_coupling, least_sharpness, max_balancedness_gap, nuclear_norm,
    sharpness, stable_rank,
};
use crate::linalg::{End, MatRef, determinant, leading_singular, singular_values};
use crate::model::{Model, Params};
use crate::problem::Problem;
use crate::product::Product;
use crate::spec::Probe;
use crate::{Error, Result};

/// Sides up to which the full decomposition is faster than the leading values alone.
const FULL_UP_TO: usize = 128;

impl Probe {
    /// Names of the columns that it fills.
    pub fn columns(self, problem: &Problem, model: &dyn Model) -> Vec<String> {
        match self {
            Self::TestError if problem.test().is_none() => vec![],
            Self::SingularValues(count) => {
                let (rows, cols) = model.shape();
                (1..=count.min(rows).min(cols)).map(|r| format!("singular_value_{r}")).collect()
            }
            Self::Alignment => vec!["alignment_diagonal".into(), "alignment_off_diagonal".into()],
            _ => {
                let name = self.to_string();
                vec![name.split(':').next().unwrap_or_default().replace('-', "_")]
            }
        }
    }

    /// Appends what it measures at the model; `room` has been evaluated there.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a decomposition does not converge; [`Error::Shape`] for the determinant of a matrix that is not
    /// square; [`Error::Parameter`] for a trace or a flatness gap of a model without layers, a flatness gap where not every entry is seen.
    /// A distance is NaN in a room without a start.
    pub fn measure(
        self,
        problem: &Problem,
        model: &dyn Model,
        room: &mut Room,
        into: &mut Vec<f64>,
    ) -> Result<()> {
        match self {
            Self::TestError => {
                if let Some(test) = problem.test() {
                    into.push(room.value(test, model));
                }
            }
            Self::SingularValues(count) => {
                into.extend(largest(&model.forward(&mut room.pass), count)?);
            }
            Self::EffectiveRank => into.push(effective_rank(&all(model, room)?)),
            Self::StableRank => into.push(stable_rank(&all(model, room)?)),
            Self::IntrinsicDimension => into.push(intrinsic_dimension(&all(model, room)?)),
            Self::NuclearNorm => into.push(nuclear_norm(&all(model, room)?)),
            Self::LargestEntry => {
                into.push(model.forward(&mut room.pass).to_dense().max_abs());
            }
            Self::Determinant => {
                into.push(determinant(model.forward(&mut room.pass).to_dense().view())?);
            }
            Self::GradientNorm => into.push(room.gradient.numbers().norm()),
            Self::Balance => {
                let params: &Params = model.params();
                if params.is_single() {
                    let what = "the precision of parameters that are balanced";
                    return Err(Error::parameter(what, "double", "single"));
                }
                let matrices = || (0..params.slots().len()).map(|place| params.matrix(place));
                let layers = model.layers().unwrap_or_else(|| matrices().collect());
                into.push(max_balancedness_gap(&layers)?);
            }
            Self::Alignment => {
                let w = model.forward(&mut room.pass).to_dense();
                problem.evaluate(&Product::Dense(w.view()), &mut room.evaluation);
                let aligned = alignment(w.view(), room.evaluation.cotangent.to_dense().view())?;
                into.extend([aligned.diagonal.mean, aligned.off_diagonal.mean]);
            }
            Self::Sharpness(_) => into.push(largest_curvature(problem, model)?),
            Self::HessianTrace(_) => into.push(hessian_trace(problem, &layers(model)?)?),
            Self::FlatnessGap(_) => {
                let Some(minimum) = least_sharpness(problem, &layers(model)?)? else {
                    let what = "the problem of a flatness gap";
                    return Err(Error::parameter(what, "seen in every entry", "another"));
                };
                into.push(largest_curvature(problem, model)? / minimum);
            }
            Self::Distance => {
                let moved = |start: &Params| start.numbers().distance(model.params().numbers());
                into.push(room.start.as_ref().map_or(f64::NAN, moved));
            }
            Self::Coupling => {
                let couplings = layer_coupling(&layers(model)?)?;
                into.push(couplings.iter().map(|c| c.leading).fold(1.0, f64::min));
            }
            Self::GainDeviation => into.push(gain_deviation(&layers(model)?)?),
        }
        Ok(())
    }
}

/// W_1, …, W_N.
fn layers(model: &dyn Model) -> Result<Vec<MatRef<'_>>> {
    model.layers().ok_or_else(|| {
        Error::parameter("the model of this probe", "a product of layers", "another")
    })
}

fn largest_curvature(problem: &Problem, model: &dyn Model) -> Result<f64> {
    if let Some(layers) = model.layers() {
        return Ok(sharpness(problem, &layers, CURVATURE)?.value);
    }
    let mut hessian = Hessian::new(problem, model, Kind::Full)?;
    Ok(extreme_curvature(&mut hessian, End::Largest, CURVATURE)?.value)
}

/// The relative residual of a sharpness along a run; the error is its square over the relative distance to the next eigenvalue.
const CURVATURE: f64 = 1e-4;

fn all(model: &dyn Model, room: &mut Room) -> Result<Vec<f64>> {
    Ok(model.forward(&mut room.pass).thin_svd()?.s)
}

fn largest(product: &Product<'_>, count: usize) -> Result<Vec<f64>> {
    let (rows, cols) = product.shape();
    if rows.min(cols) <= FULL_UP_TO {
        let mut values = singular_values(product.to_dense().view())?;
        values.truncate(count);
        return Ok(values);
    }
    leading_singular(product, count)
}
