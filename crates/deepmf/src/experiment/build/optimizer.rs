//! The optimizer of a run.

use crate::spec::{Optimizer, Schedule, Training};
use crate::train::flow::{EndToEnd, Flow};
use crate::train::{self, optimizer};
use crate::{Error, Result};

/// The description with a rate in the place of a multiple of the largest stable one.
pub(super) fn at_edge(training: &Training, edge: Option<f64>) -> Training {
    let mut training = training.clone();
    if let Optimizer::GradientDescent(it) = &mut training.train.optimizer
        && let (Some(multiple), Some(edge)) = (it.edge, edge)
    {
        (it.rate, it.edge) = (Some(multiple * edge), None);
    }
    training
}

/// The optimizer that a description means; `seed` is that of what it draws.
pub(super) fn optimizer(described: &Optimizer, seed: u64) -> Result<Box<dyn train::Optimizer>> {
    made(described, seed).map_err(|error| error.below(&format!("train.{}", key(described))))
}

/// The key of an optimizer in the section `train`.
fn key(described: &Optimizer) -> &'static str {
    match described {
        Optimizer::GradientDescent(_) => "gradient-descent",
        Optimizer::Momentum(_) => "momentum",
        Optimizer::GroupRmsProp(_) => "group-rms-prop",
        Optimizer::RmsProp(_) => "rms-prop",
        Optimizer::Rprop(_) => "rprop",
        Optimizer::Adam(_) => "adam",
        Optimizer::Flow(_) => "flow",
        Optimizer::EndToEnd(_) => "end-to-end",
        Optimizer::LevenbergMarquardt(_) => "levenberg-marquardt",
        Optimizer::SharpnessAware(_) => "sharpness-aware",
        Optimizer::TraceRegularized(_) => "trace-regularized",
        Optimizer::LabelNoise(_) => "label-noise",
    }
}

fn schedule(described: Schedule) -> Result<Schedule> {
    described.check().map_err(|error| error.below("schedule"))
}

fn made(described: &Optimizer, seed: u64) -> Result<Box<dyn train::Optimizer>> {
    Ok(match described {
        Optimizer::GradientDescent(it) => {
            let Some(rate) = it.rate else {
                let allowed = "given with a deep-linear or residual model";
                return Err(Error::parameter("edge", allowed, "given with another one"));
            };
            Box::new(
                optimizer::GradientDescent::new(rate)?
                    .decay(it.decay)?
                    .outer(it.outer)?
                    .schedule(schedule(it.schedule)?),
            )
        }
        Optimizer::Momentum(it) => Box::new(
            optimizer::Momentum::new(it.rate, it.momentum)?
                .nesterov(it.nesterov)
                .schedule(schedule(it.schedule)?),
        ),
        Optimizer::GroupRmsProp(it) => Box::new(
            optimizer::GroupRmsProp::new(it.rate)?
                .smoothing(it.alpha, it.epsilon)?
                .schedule(schedule(it.schedule)?),
        ),
        Optimizer::RmsProp(it) => Box::new(
            optimizer::RmsProp::new(it.rate)?
                .smoothing(it.alpha, it.epsilon)?
                .schedule(schedule(it.schedule)?),
        ),
        Optimizer::Rprop(it) => Box::new(
            optimizer::Rprop::new(it.start)?
                .factors(it.shrink, it.grow)?
                .limits(it.least, it.most)?,
        ),
        Optimizer::Adam(it) => Box::new(
            optimizer::Adam::new(it.rate)?
                .smoothing((it.beta1, it.beta2), it.epsilon)?
                .amsgrad(it.amsgrad)
                .schedule(schedule(it.schedule)?),
        ),
        Optimizer::Flow(it) => {
            let flow = Flow::new(it.tolerance)?.method(it.method);
            Box::new(if let Some(time) = it.until { flow.until(time)? } else { flow })
        }
        Optimizer::LevenbergMarquardt(it) => {
            Box::new(optimizer::LevenbergMarquardt::new(it.tolerance)?)
        }
        Optimizer::SharpnessAware(it) => {
            let descent =
                optimizer::GradientDescent::new(it.rate)?.schedule(schedule(it.schedule)?);
            Box::new(optimizer::SharpnessAware::new(descent, it.radius)?)
        }
        Optimizer::TraceRegularized(it) => {
            let descent =
                optimizer::GradientDescent::new(it.rate)?.schedule(schedule(it.schedule)?);
            let regularized = optimizer::TraceRegularized::new(descent, it.weight)?;
            Box::new(
                regularized
                    .schedule(it.weight_schedule.check().map_err(|e| e.below("weight-schedule"))?),
            )
        }
        Optimizer::LabelNoise(it) => {
            let mut noisy =
                optimizer::LabelNoise::new(it.rate, it.noise, it.batch, seed)?.law(it.law);
            if let Some(steps) = it.steps {
                noisy = noisy.steps(steps);
            }
            if let Some(fit) = &it.fit {
                noisy = noisy.fit(fit.rate, fit.steps, fit.loss_below)?;
            }
            if let Some(clean) = &it.clean {
                noisy = noisy.clean(clean.rate, clean.steps)?;
            }
            Box::new(noisy)
        }
        Optimizer::EndToEnd(it) => {
            let flow = EndToEnd::new(it.depth, it.tolerance)?;
            Box::new(if let Some(time) = it.until { flow.until(time)? } else { flow })
        }
    })
}
