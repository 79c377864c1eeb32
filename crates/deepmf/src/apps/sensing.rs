//! Sensing: a matrix from its inner products with known operators.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::Stage;
use super::selection::{Watch, tell};
use crate::analysis::effective_rank;
use crate::data::Shape;
use crate::linalg::{Mat, singular_values};
use crate::model::{DeepLinear, Init};
use crate::problem::{self, Constant, Observation, Problem};
use crate::random::{Purpose, RngExt, stream};
use crate::spec::SensingSettings;
use crate::train::optimizer::GroupRmsProp;
use crate::train::{Probe, Progress, Room, Run, Stop, StopReason, Trainer, Validation};
use crate::{Error, Result};

/// Recovers a matrix from measurements yᵢ = ⟨Aᵢ, W⟩ by a deep linear network (Arora et al. 2019).
pub struct Sensing<'a> {
    settings: SensingSettings,
    seed: u64,
    interrupt: Option<Arc<AtomicBool>>,
    watch: Option<Watch<'a>>,
    folder: Option<PathBuf>,
    resume: bool,
}

/// What came of a sensing.
#[derive(Clone, Debug)]
pub struct Sensed {
    /// Rows and columns.
    pub shape: Shape,
    /// Number of measurements.
    pub measurements: usize,
    /// Number of layers.
    pub depth: usize,
    /// Hidden width.
    pub width: usize,
    /// Initial scale.
    pub init_scale: f64,
    /// Steps made.
    pub steps: u64,
    /// How the fit ended.
    pub reason: StopReason,
    /// Root mean squared error of the measurements that were fitted.
    pub train_rmse: f64,
    /// Least root mean squared error of the measurements held out for early stopping; none if all were fitted.
    pub holdout_rmse: Option<f64>,
    /// Effective rank of the matrix.
    pub effective_rank: f64,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// What the reader should know.
    pub warnings: Vec<String>,
    /// The fit.
    pub run: Run,
    /// The recovered matrix.
    pub matrix: Mat,
    /// The network.
    pub model: DeepLinear,
    /// The settings.
    pub settings: SensingSettings,
}

impl<'a> Sensing<'a> {
    /// A sensing with these settings; `seed` draws the initial layers and what is held out.
    pub fn new(settings: SensingSettings, seed: u64) -> Self {
        Self { settings, seed, interrupt: None, watch: None, folder: None, resume: false }
    }

    /// Stops, with what was reached, when the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Tells where the fit is.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(&Stage) + Send + 'a) -> Self {
        Self { watch: Some(Mutex::new(Box::new(watch))), ..self }
    }

    /// Keeps trajectory and checkpoint in a folder.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// Goes on from the checkpoint in the folder.
    #[must_use]
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// Recovers a matrix of `shape` from `targets`, one a operator.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many targets as operators; [`Error::Parameter`] if a setting is outside
    /// its range; [`Error::NotFinite`] for a target that is not finite.
    pub fn fit(
        &self,
        shape: Shape,
        operators: &problem::Sensing,
        targets: &[f64],
    ) -> Result<Sensed> {
        let begun = Instant::now();
        let settings = &self.settings;
        if !(0.0..=0.9).contains(&settings.holdout) {
            return Err(Error::parameter("holdout", "from 0 to 0.9", settings.holdout));
        }
        if shape != operators.shape() {
            let words = crate::data::words;
            return Err(Error::shape("every operator", words(shape), words(operators.shape())));
        }
        if targets.len() != operators.len() {
            let expected = format!("{} numbers, one a operator", operators.len());
            return Err(Error::shape("the list of measurements", expected, targets.len()));
        }
        if let Some(&found) = targets.iter().find(|y| !y.is_finite()) {
            return Err(Error::NotFinite { what: "every measurement".into(), found });
        }
        let (problem, held) = self.problems(shape, operators, targets)?;
        let width = settings.width.unwrap_or(shape.0.min(shape.1));
        let mut model = DeepLinear::with_width(shape, settings.depth, width)?
            .init(&Init::Gaussian { scale: settings.init_scale }, self.seed)?;
        let mut trainer = Trainer::new(GroupRmsProp::new(settings.rate)?)
            .stop(Stop::new().steps(settings.steps).loss_below(settings.loss_below))
            .every(settings.every);
        for name in &settings.probes {
            trainer = trainer.record(name.parse::<Probe>()?);
        }
        if let Some(held) = &held {
            trainer = trainer.validation(Validation::new(held.clone()).every(50).patience(10_000));
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        if let Some(folder) = &self.folder {
            trainer = trainer.folder(folder).resume(self.resume);
        }
        let watch = |progress: &Progress| {
            let what = format!("depth {}", settings.depth);
            let stage = Stage { what, done: 0, total: 1, progress: *progress };
            tell(self.watch.as_ref(), &stage);
        };
        let run = trainer.watch(watch).fit(&problem, &mut model)?;
        let matrix = model.product();
        let mut warnings = Vec::new();
        let cells = shape.0 * shape.1;
        let unknowns = shape.0 + shape.1;
        if targets.len() < unknowns {
            warnings.push(format!(
                "{} measurements are fewer than the {unknowns} numbers of a matrix of rank 1 on {cells} cells: the \
                 answer is one of many",
                targets.len()
            ));
        }
        Ok(Sensed {
            shape,
            measurements: targets.len(),
            depth: settings.depth,
            width,
            init_scale: settings.init_scale,
            steps: run.steps,
            reason: run.reason,
            train_rmse: Room::new(&model).value(&problem, &model).sqrt(),
            holdout_rmse: run.best.map(|(_, value)| value.sqrt()),
            effective_rank: singular_values(matrix.view()).map_or(f64::NAN, |s| effective_rank(&s)),
            seconds: begun.elapsed().as_secs_f64(),
            seed: self.seed,
            warnings,
            run,
            matrix,
            model,
            settings: settings.clone(),
        })
    }

    /// The problem that is fitted and the one that is held out.
    fn problems(
        &self,
        shape: Shape,
        operators: &problem::Sensing,
        targets: &[f64],
    ) -> Result<(Problem, Option<Problem>)> {
        let count = (self.settings.holdout * targets.len() as f64).round() as usize;
        if count == 0 || count >= targets.len() {
            return Ok((
                Problem::sensing(operators.clone(), targets.to_vec(), Constant::Mean)?,
                None,
            ));
        }
        let mut places: Vec<usize> = (0..targets.len()).collect();
        let mut random = stream(self.seed, Purpose::Split, 0);
        for place in (1..places.len()).rev() {
            places.swap(place, random.random_range(0..=place));
        }
        let (held, mut known) = (places[..count].to_vec(), places[count..].to_vec());
        known.sort_unstable();
        let cells = shape.0 * shape.1;
        let part = |places: &[usize]| -> Result<Problem> {
            let chosen: Vec<f64> = places
                .iter()
                .flat_map(|&i| operators.operators()[i * cells..(i + 1) * cells].iter().copied())
                .collect();
            let targets = places.iter().map(|&i| targets[i]).collect();
            Problem::sensing(problem::Sensing::new(shape, chosen)?, targets, Constant::Mean)
        };
        Ok((part(&known)?, Some(part(&held)?)))
    }
}
