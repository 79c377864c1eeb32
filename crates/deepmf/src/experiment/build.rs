//! From what was written to what it means: live parts, with all checks before any work.

mod optimizer;
pub(super) mod ratings;
pub(super) mod recording;
mod source;
mod start;
pub(super) mod views;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use optimizer::{at_edge, optimizer};
pub(super) use source::DENSE_UP_TO;
use source::Source;
use start::{Start, greedy, start, widths};

use crate::data::{self, Entries};
use crate::model;
use crate::problem::{Huber, Problem, Sensing, Squared};
use crate::spec::{
    self, LightFit, Loss, Model, Observe, Optimizer, Spec, Training, TransportSettings, Work,
};
use crate::train::{Greedy, Stop, Trainer, Validation};
use crate::{Error, Result};

/// The table of a model whose start has keys of its own.
const DEEP_LINEAR: &str = "model.deep-linear";

/// The live parts of one run.
pub struct Parts {
    /// What is observed, the loss, and the truth or the test entries.
    pub problem: Problem,
    /// The model at its start.
    pub model: Box<dyn model::Model>,
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
    let Work::Training(training) = &spec.work else {
        let found = "that of an application";
        return Err(Error::parameter("the work of a run", "a model that is trained", found));
    };
    let source = Source::load(spec, training, base)?;
    let (problem, validation) = problem(spec, training, &source)?;
    let gap = |probe: &spec::Probe| matches!(probe, spec::Probe::FlatnessGap(_));
    if training.train.record.probes.iter().any(gap)
        && !problem.terms().iter().all(|term| term.observation.sees_all())
    {
        let ((rows, cols), found) = (problem.shape(), problem.measurements());
        let found = format!("with it and {found} measurements of {rows} x {cols}");
        let expected = "without flatness-gap where not every entry is seen";
        return Err(Error::parameter("train.record.probes", expected, found));
    }
    let Start { model, edge } = start(spec, training, &problem, base)?;
    let at_edge = at_edge(training, edge);
    let trainer = trainer(&at_edge, spec.seed, validation.as_ref())?;
    if let Optimizer::LabelNoise(it) = &training.train.optimizer {
        let most = problem.measurements();
        if it.batch > most {
            let expected = format!("at most the number of measurements, {most}");
            return Err(Error::parameter("train.label-noise.batch", expected, it.batch));
        }
    }
    let greedy = match &training.model {
        Model::Greedy(described) => Some(greedy(described)?),
        Model::DeepLinear(_) | Model::Residual(_) | Model::Compressed(_) => None,
    };
    let mut facts = source.facts(&problem)?;
    if let (Some(_), Optimizer::GradientDescent(it)) = (edge, &at_edge.train.optimizer) {
        facts.extend(it.rate.map(|rate| ("rate", rate)));
    }
    Ok(Parts { problem, model, trainer, greedy, validation, facts })
}

/// The trainer that a description means.
pub(super) fn trainer(
    training: &Training,
    seed: u64,
    validation: Option<&Validation>,
) -> Result<Trainer<'static>> {
    let record = &training.train.record;
    let mut trainer = Trainer::boxed(optimizer(&training.train.optimizer, seed)?)
        .stop(stop(&training.train.stop)?)
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
    match &spec.work {
        Work::Training(training) => check_training(spec, training),
        Work::Recommender(_) => Ok(()),
        Work::Clustering { repeats: 0, .. } => Err(Error::parameter("repeats", "1 or more", 0)),
        Work::Clustering { settings, .. } => {
            settings.check().map_err(|error| error.below("clustering"))
        }
        Work::Transport(settings) => check_transport(spec, settings),
    }
}

fn check_transport(spec: &Spec, settings: &TransportSettings) -> Result<()> {
    let table = match settings.fit {
        LightFit::Matrix(_) => "transport.matrix",
        LightFit::Video(_) => "transport.video",
    };
    let restarts = |error: Error| error.below(&format!("{table}.restarts"));
    settings.fit.restarts().check().map_err(restarts)?;
    settings.fit.check().map_err(|error| error.below(table))?;
    settings.variation.check().map_err(|error| error.below("transport.variation"))?;
    settings.sparse.check().map_err(|error| error.below("transport.sparse"))?;
    if settings.updates == Some(0) {
        return Err(Error::parameter("transport.updates", "1 or more", 0));
    }
    recording::check(&spec.data, &settings.fit)
}

fn check_training(spec: &Spec, training: &Training) -> Result<()> {
    if let Optimizer::LabelNoise(it) = &training.train.optimizer
        && it.clean.is_some()
        && it.steps.is_none()
    {
        let what = "train.label-noise.steps";
        return Err(Error::parameter(what, "given before a clean phase", "left out"));
    }
    if let (Optimizer::LabelNoise(_), Some(found)) =
        (&training.train.optimizer, training.train.stop.loss_below)
    {
        let what = "train.stop.loss-below";
        let expected = "left out beside label noise, which it would end in whichever phase it is \
                        (fit.loss-below ends the fit alone)";
        return Err(Error::parameter(what, expected, found));
    }
    if let Optimizer::GradientDescent(it) = &training.train.optimizer {
        positive("train.gradient-descent.edge", it.edge)?;
    }
    optimizer(&at_edge(training, Some(1.0)).train.optimizer, spec.seed)?;
    stop(&training.train.stop)?;
    if training.train.record.every == 0 {
        return Err(Error::parameter("train.record.every", "1 or more", 0));
    }
    match &training.model {
        Model::DeepLinear(model) => {
            let below = |error: Error| error.below(DEEP_LINEAR);
            let said = (&model.widths, model.depth, model.width);
            let widths = widths(said, (1, 1)).map_err(below)?;
            let scale = format!("init.{}.scale", model.init.name());
            positive(&scale, model.init.scale()).map_err(below)?;
            start::check(model, widths.len() - 1).map_err(below)?;
        }
        Model::Residual(model) => {
            let said = (&model.widths, model.depth, model.width);
            widths(said, (1, 1)).map_err(|error| error.below("model.residual"))?;
        }
        Model::Compressed(model) => {
            for (name, value) in
                [("model.compressed.depth", model.depth), ("model.compressed.rank", model.rank)]
            {
                if value == 0 {
                    return Err(Error::parameter(name, "1 or more", value));
                }
            }
            positive("model.compressed.scale", Some(model.scale))?;
        }
        Model::Greedy(model) => {
            greedy(model).map_err(|error| error.below("model.greedy"))?;
        }
    }
    if let Observe::Sensing(sensing) = &training.problem.observe {
        positive("problem.sensing.deviation", sensing.deviation)?;
    }
    if let Loss::Huber { delta } = training.problem.loss {
        positive("problem.loss.huber.delta", Some(delta))?;
    }
    let held = training.train.validation.as_ref().map(|validation| validation.fraction);
    if let Some(fraction) = held.filter(|part| !(*part > 0.0 && *part < 1.0)) {
        return Err(Error::parameter("train.validation.fraction", "above 0 and below 1", fraction));
    }
    check_data(spec, training)
}

fn check_data(spec: &Spec, training: &Training) -> Result<()> {
    match &spec.data {
        spec::Data::LowRank(low_rank) => {
            let (rows, cols) = low_rank.shape;
            let most = rows.min(cols);
            if !(1..=most).contains(&low_rank.rank) {
                return Err(Error::parameter(
                    "data.low-rank.rank",
                    format!("from 1 to {most}"),
                    low_rank.rank,
                ));
            }
            source::mask_count(training, rows.saturating_mul(cols))?;
        }
        spec::Data::Spectrum(spectrum) => {
            let (rows, cols) = spectrum.shape;
            source::mask_count(training, rows.saturating_mul(cols))?;
        }
        spec::Data::Planted(planted) => {
            let (rows, cols) = planted.shape;
            source::mask_count(training, rows.saturating_mul(cols))?;
            if !matches!(training.model, Model::DeepLinear(_)) {
                let found = "given with another one";
                return Err(Error::parameter(
                    "data.planted",
                    "given with a deep-linear model",
                    found,
                ));
            }
        }
        spec::Data::Cells(_)
        | spec::Data::File(_)
        | spec::Data::EntriesOrder(_)
        | spec::Data::Ratings(_)
        | spec::Data::RandomRatings(_)
        | spec::Data::Views(_)
        | spec::Data::RandomViews(_)
        | spec::Data::Scene(_)
        | spec::Data::Pictures(_)
        | spec::Data::Matrix(_)
        | spec::Data::Video(_) => {}
    }
    Ok(())
}

fn positive(name: &str, value: Option<f64>) -> Result<()> {
    match value.filter(|value| !(value.is_finite() && *value > 0.0)) {
        Some(value) => Err(Error::parameter(name, "above 0", value)),
        None => Ok(()),
    }
}

fn problem(
    spec: &Spec,
    training: &Training,
    source: &Source,
) -> Result<(Problem, Option<Validation>)> {
    let constant = training.problem.constant;
    let mut validation = None;
    let problem = match &training.problem.observe {
        Observe::Mask(_) => {
            let mut seen = source.observed.clone();
            if let Some(wanted) = &training.train.validation {
                let (rest, held) = data::split(&seen, wanted.fraction, spec.seed)?;
                seen = rest;
                validation = Some(
                    Validation::new(Problem::completion(&held)?)
                        .every(wanted.every)
                        .patience(wanted.patience),
                );
            }
            completion(training, &seen)?
        }
        Observe::Full => match training.problem.loss {
            Loss::Squared => Problem::full(source.whole()?, constant)?,
            Loss::Huber { .. } => completion(training, &Entries::from_dense(source.whole()?)?)?,
        },
        Observe::Sensing(sensing) => {
            let truth = source.whole()?;
            let shape = (truth.rows(), truth.cols());
            let mut operators = Sensing::gaussian(shape, sensing.count, spec.seed)?;
            if let Some(deviation) = sensing.deviation {
                operators = operators.scaled(deviation * (truth.values().len() as f64).sqrt())?;
            }
            let targets = operators.measure(truth)?;
            match training.problem.loss {
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
    if validation.is_none() && training.train.validation.is_some() {
        let found = "given with another observation";
        return Err(Error::parameter("train.validation", "given with a mask", found));
    }
    let problem = match (&source.truth, &source.test) {
        (Some(truth), _) => problem.truth(truth)?,
        (None, Some(test)) => problem.test_entries(test)?,
        (None, None) => problem,
    };
    Ok((problem, validation))
}

fn completion(training: &Training, entries: &Entries) -> Result<Problem> {
    match training.problem.loss {
        Loss::Squared => Problem::completion_with(entries, training.problem.constant),
        Loss::Huber { delta } => {
            Problem::robust_completion(entries, delta, training.problem.constant)
        }
    }
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
            .map_err(|_| Error::parameter("train.stop.seconds", "0 or more", seconds))?;
        stop = stop.time(time);
    }
    Ok(stop)
}
