//! From what was written to what it means: live parts, with all checks before any work.

mod source;
mod start;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) use source::DENSE_UP_TO;
use source::Source;
use start::{greedy, model, widths};

use crate::data::{self, Entries};
use crate::model::DeepLinear;
use crate::problem::{Huber, Problem, Sensing, Squared};
use crate::spec::{self, Loss, Model, Observe, Optimizer, Spec};
use crate::train::flow::{EndToEnd, Flow};
use crate::train::{self, Greedy, Trainer, Validation};
use crate::train::{Stop, optimizer};
use crate::{Error, Result};

/// The live parts of one run.
pub struct Parts {
    /// What is observed, the loss, and the truth or the test entries.
    pub problem: Problem,
    /// The model at its start.
    pub model: DeepLinear,
    /// The trainer, with optimizer, stop rules, probes and validation.
    pub trainer: Trainer<'static>,
    /// What makes the model grow, if it does; each phase needs a trainer of its own.
    pub greedy: Option<Greedy>,
    /// The entries that the trainer holds out.
    pub validation: Option<Validation>,
    /// What is known before any step, by name: see [`TrialResult`](super::TrialResult).
    pub facts: Vec<(&'static str, f64)>,
}

/// Builds the parts of a run; relative paths are seen from `base`.
///
/// # Errors
/// What reading the data gives; [`Error::Parameter`] and [`Error::Shape`] for what does not fit.
pub fn build(spec: &Spec, base: &Path) -> Result<Parts> {
    let source = Source::load(spec, base)?;
    let (problem, validation) = problem(spec, &source)?;
    let model = model(spec, &problem, base)?;
    let trainer = trainer(spec, validation.as_ref())?;
    let greedy = match &spec.model {
        Model::Greedy(described) => Some(greedy(described)?),
        Model::DeepLinear(_) | Model::Compressed(_) => None,
    };
    let facts = source.facts(&problem)?;
    Ok(Parts { problem, model, trainer, greedy, validation, facts })
}

/// The trainer that a description means.
pub(super) fn trainer(spec: &Spec, validation: Option<&Validation>) -> Result<Trainer<'static>> {
    let record = &spec.train.record;
    let mut trainer = Trainer::boxed(optimizer(&spec.train.optimizer, spec.seed)?)
        .stop(stop(&spec.train.stop)?)
        .every(record.every);
    for probe in &record.probes {
        trainer = trainer.record(*probe);
    }
    if let Some(validation) = validation {
        trainer = trainer.validation(validation.clone());
    }
    Ok(trainer)
}

/// Checks what can be checked without reading data.
pub(super) fn check(spec: &Spec) -> Result<()> {
    optimizer(&spec.train.optimizer, spec.seed)?;
    stop(&spec.train.stop)?;
    if spec.train.record.every == 0 {
        return Err(Error::parameter("record.every", "1 or more", 0));
    }
    match &spec.model {
        Model::DeepLinear(model) => {
            widths(model, (1, 1))?;
            positive("init-scale", model.init.scale())?;
        }
        Model::Compressed(model) => {
            for (name, value) in [("depth", model.depth), ("rank", model.rank)] {
                if value == 0 {
                    return Err(Error::parameter(name, "1 or more", value));
                }
            }
            positive("init-scale", Some(model.scale))?;
        }
        Model::Greedy(model) => {
            greedy(model)?;
        }
    }
    if let Loss::Huber { delta } = spec.problem.loss {
        positive("delta", Some(delta))?;
    }
    let held = spec.train.validation.as_ref().map(|validation| validation.fraction);
    if let Some(fraction) = held.filter(|part| !(*part > 0.0 && *part < 1.0)) {
        return Err(Error::parameter("validation.fraction", "above 0 and below 1", fraction));
    }
    match &spec.data {
        spec::Data::LowRank(low_rank) => {
            let (rows, cols) = low_rank.shape;
            let most = rows.min(cols);
            if !(1..=most).contains(&low_rank.rank) {
                return Err(Error::parameter("rank", format!("from 1 to {most}"), low_rank.rank));
            }
            source::mask_count(spec, rows.saturating_mul(cols))?;
        }
        spec::Data::Spectrum(spectrum) => {
            let (rows, cols) = spectrum.shape;
            source::mask_count(spec, rows.saturating_mul(cols))?;
        }
        spec::Data::Cells(_) | spec::Data::File(_) | spec::Data::EntriesOrder(_) => {}
    }
    Ok(())
}

fn positive(name: &str, value: Option<f64>) -> Result<()> {
    match value.filter(|value| !(value.is_finite() && *value > 0.0)) {
        Some(value) => Err(Error::parameter(name, "above 0", value)),
        None => Ok(()),
    }
}

fn problem(spec: &Spec, source: &Source) -> Result<(Problem, Option<Validation>)> {
    let constant = spec.problem.constant;
    let mut validation = None;
    let problem = match &spec.problem.observe {
        Observe::Mask(_) => {
            let mut seen = source.observed.clone();
            if let Some(wanted) = &spec.train.validation {
                let (rest, held) = data::split(&seen, wanted.fraction, spec.seed)?;
                seen = rest;
                validation = Some(
                    Validation::new(Problem::completion(&held)?)
                        .every(wanted.every)
                        .patience(wanted.patience),
                );
            }
            completion(spec, &seen)?
        }
        Observe::Full => match spec.problem.loss {
            Loss::Squared => Problem::full(source.whole()?, constant)?,
            Loss::Huber { .. } => completion(spec, &Entries::from_dense(source.whole()?)?)?,
        },
        Observe::Sensing(sensing) => {
            let truth = source.whole()?;
            let shape = (truth.rows(), truth.cols());
            let operators = Sensing::gaussian(shape, sensing.count, spec.seed)?;
            let targets = operators.measure(truth)?;
            match spec.problem.loss {
                Loss::Squared => {
                    let loss = Squared { constant, weights: None };
                    Problem::single(Arc::new(operators), targets, Arc::new(loss))?
                }
                Loss::Huber { delta } => {
                    let loss = Huber::new(delta, constant)?;
                    Problem::single(Arc::new(operators), targets, Arc::new(loss))?
                }
            }
        }
    };
    if validation.is_none() && spec.train.validation.is_some() {
        let found = "given with another observation";
        return Err(Error::parameter("validation", "given with a mask", found));
    }
    let problem = match (&source.truth, &source.test) {
        (Some(truth), _) => problem.truth(truth)?,
        (None, Some(test)) => problem.test_entries(test)?,
        (None, None) => problem,
    };
    Ok((problem, validation))
}

fn completion(spec: &Spec, entries: &Entries) -> Result<Problem> {
    match spec.problem.loss {
        Loss::Squared => Problem::completion_with(entries, spec.problem.constant),
        Loss::Huber { delta } => Problem::robust_completion(entries, delta, spec.problem.constant),
    }
}

fn optimizer(described: &Optimizer, seed: u64) -> Result<Box<dyn train::Optimizer>> {
    Ok(match described {
        Optimizer::GradientDescent(it) => Box::new(
            optimizer::GradientDescent::new(it.rate)?
                .decay(it.decay)?
                .outer(it.outer)?
                .schedule(it.schedule.check()?),
        ),
        Optimizer::Momentum(it) => Box::new(
            optimizer::Momentum::new(it.rate, it.momentum)?
                .nesterov(it.nesterov)
                .schedule(it.schedule.check()?),
        ),
        Optimizer::GroupRmsProp(it) => Box::new(
            optimizer::GroupRmsProp::new(it.rate)?
                .smoothing(it.alpha, it.epsilon)?
                .schedule(it.schedule.check()?),
        ),
        Optimizer::RmsProp(it) => Box::new(
            optimizer::RmsProp::new(it.rate)?
                .smoothing(it.alpha, it.epsilon)?
                .schedule(it.schedule.check()?),
        ),
        Optimizer::Adam(it) => Box::new(
            optimizer::Adam::new(it.rate)?
                .smoothing((it.beta1, it.beta2), it.epsilon)?
                .amsgrad(it.amsgrad)
                .schedule(it.schedule.check()?),
        ),
        Optimizer::Flow(it) => {
            let flow = Flow::new(it.tolerance)?.method(it.method);
            Box::new(if let Some(time) = it.until { flow.until(time)? } else { flow })
        }
        Optimizer::LevenbergMarquardt(it) => {
            Box::new(optimizer::LevenbergMarquardt::new(it.tolerance)?)
        }
        Optimizer::SharpnessAware(it) => {
            let descent = optimizer::GradientDescent::new(it.rate)?.schedule(it.schedule.check()?);
            Box::new(optimizer::SharpnessAware::new(descent, it.radius)?)
        }
        Optimizer::TraceRegularized(it) => {
            let descent = optimizer::GradientDescent::new(it.rate)?.schedule(it.schedule.check()?);
            let regularized = optimizer::TraceRegularized::new(descent, it.weight)?;
            Box::new(regularized.schedule(it.weight_schedule.check()?))
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

fn stop(described: &spec::Stop) -> Result<Stop> {
    let mut stop = Stop::new().steps(described.steps);
    if let Some(bound) = described.loss_below {
        stop = stop.loss_below(bound);
    }
    if let Some(bound) = described.gradient_below {
        stop = stop.gradient_below(bound);
    }
    if let Some(settled) = &described.settled {
        stop = stop.settled(settled.change, settled.window);
    }
    if let Some(seconds) = described.seconds {
        let time = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Error::parameter("seconds", "0 or more", seconds))?;
        stop = stop.time(time);
    }
    Ok(stop)
}
