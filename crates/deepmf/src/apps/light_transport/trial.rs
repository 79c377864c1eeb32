//! Fits from several seeds, and the choice among them.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{LightLook, LightTransport, Stage};
use crate::apps::selection::tell;
use crate::linalg::Mat;
use crate::model::{Model, Params, TransportLight};
use crate::problem::Problem;
use crate::product::Product;
use crate::spec::{Restarts, Schedule};
use crate::train::optimizer::{Adam, Averaged, Penalized};
use crate::train::{
    Progress, Room, Run, Stop, StopReason, Trainer, Trajectory, Validation, try_trials,
};
use crate::{Error, Result};

/// Steps between two records, and looks at what is held out.
pub(super) const LOOK: u64 = 100;

/// What came of one seed.
#[derive(Clone, Debug, Serialize)]
pub struct LightTrial {
    /// The seed.
    pub seed: u64,
    /// Steps made.
    pub steps: u64,
    /// How it ended.
    #[serde(rename = "stop_reason")]
    pub reason: StopReason,
    /// The loss of what is held out, over that of a product of zero; none where nothing is held out.
    pub held_out_error: Option<f64>,
    /// The loss and the penalties at the end, by which starts are chosen to be refined; none where seeds are chosen by what is held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<f64>,
    /// The mean correlation of its light with those of the others that were fitted last, by which one of three or more is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
    /// ‖Z − T·L‖_F / ‖Z‖_F over what is fitted and held out together.
    pub product_error: f64,
    /// Which iterate is kept: `last`, `best` of what is held out, or the `average` of the last ones.
    pub kept: &'static str,
    /// Time taken, in seconds.
    pub seconds: f64,
    /// L of each colour, as [`FoundLight::light`].
    #[serde(skip)]
    pub light: Vec<Mat>,
}

/// Light and transport that were found.
#[derive(Clone, Debug)]
pub struct FoundLight {
    /// T of each colour: observed x hidden.
    pub transport: Vec<Mat>,
    /// L of each colour: hidden x time; T·L is near Z.
    pub light: Vec<Mat>,
    /// All seeds, in their order.
    pub trials: Vec<LightTrial>,
    /// The place of that which was kept.
    pub chosen: usize,
    /// How many numbers both decoders have.
    pub parameters: usize,
    /// What was recorded along the fit that was kept.
    pub trajectory: Trajectory,
    /// The parameters that were kept.
    pub params: Params,
    /// Time taken by all, in seconds.
    pub seconds: f64,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl FoundLight {
    /// The fit at `best` of several, begun at a time.
    pub(super) fn of<M: Model>(
        mut fitted: Vec<Fitted<M>>,
        best: Option<usize>,
        begun: Instant,
        transport: impl FnOnce(&M) -> Vec<Mat>,
    ) -> Result<Self> {
        let Some(chosen) = best else {
            return Err(Error::parameter("the fit", "let run for one step or more", "interrupted"));
        };
        let trials: Vec<LightTrial> = fitted.iter().map(|(trial, ..)| trial.clone()).collect();
        let (trial, model, trajectory) = fitted.swap_remove(chosen);
        Ok(Self {
            transport: transport(&model),
            light: trial.light,
            trials,
            chosen,
            parameters: model.params().numbers().len(),
            trajectory,
            params: model.params().clone(),
            seconds: begun.elapsed().as_secs_f64(),
            warnings: Vec::new(),
        })
    }

    /// The seed that was kept.
    pub fn kept(&self) -> &LightTrial {
        &self.trials[self.chosen]
    }

    /// How the fits ended: one that was interrupted spoils all, else that which was kept.
    pub fn reason(&self) -> StopReason {
        let interrupted = self.trials.iter().any(|trial| trial.reason == StopReason::Interrupted);
        if interrupted { StopReason::Interrupted } else { self.kept().reason }
    }
}

/// What all seeds share.
pub(super) struct Fit<'a> {
    pub(super) restarts: &'a Restarts,
    pub(super) problem: &'a Problem,
    pub(super) held_out: Option<&'a Problem>,
    /// ‖Z − T·L‖_F / ‖Z‖_F of a model.
    pub(super) error: &'a (dyn Fn(&TransportLight) -> f64 + Sync),
    /// L of each colour, in the units of Z.
    pub(super) light: &'a (dyn Fn(&TransportLight) -> Vec<Mat> + Sync),
}

/// One fit: what is told of it, the model, what was recorded.
pub(super) type Fitted<M> = (LightTrial, M, Trajectory);

impl LightTransport<'_> {
    /// Fits from every seed and keeps that with the least error of what is held out (of the product, where nothing is).
    pub(super) fn fit(
        &self,
        fit: &Fit<'_>,
        make: impl Fn(u64) -> Result<TransportLight> + Sync,
        transport: impl Fn(&TransportLight) -> Vec<Mat>,
    ) -> Result<FoundLight> {
        let begun = Instant::now();
        let seeds: Vec<u64> =
            (0..fit.restarts.seeds as u64).map(|place| self.seed + place).collect();
        let threads = self.threads_or_all();
        let rounds = seeds.len().div_ceil(threads.min(seeds.len()).max(1));
        let time = fit.restarts.minutes.map(|minutes| 60.0 * minutes / rounds as f64);
        let flag = self.interrupt.as_deref();
        let errors = Mutex::new(vec![f64::INFINITY; seeds.len()]);
        let fitted = try_trials(&seeds, Some(threads), flag, |place, seed| {
            let model = make(*seed)?;
            let mut copy = self.looks.is_some().then(|| model.clone());
            let look = |progress: &Progress, params: &Params| {
                let (Some(looks), Some(copy)) = (&self.looks, &mut copy) else { return };
                copy.params_mut().numbers_mut().copy_from(params.numbers());
                let light = || (fit.light)(copy);
                let look = LightLook { seed: *seed, progress: *progress, light: &light };
                looks.show(&look, place, &errors);
            };
            self.seeded(fit, model, (*seed, place, seeds.len()), time, look)
        })?;
        let mut fitted: Vec<Fitted<TransportLight>> = fitted.into_iter().flatten().collect();
        let worth = |(trial, ..): &Fitted<TransportLight>| {
            let worth = trial.held_out_error.unwrap_or(trial.product_error);
            if worth.is_nan() { f64::INFINITY } else { worth }
        };
        let best =
            (0..fitted.len()).min_by(|a, b| worth(&fitted[*a]).total_cmp(&worth(&fitted[*b])));
        for (trial, model, _) in &mut fitted {
            trial.light = (fit.light)(model);
        }
        FoundLight::of(fitted, best, begun, transport)
    }

    /// A trainer that tells what it is at as the first of `names`, keeps its checkpoints in a folder of the second, if any, and stops when it is asked to.
    pub(super) fn equipped<'t>(
        &'t self,
        trainer: Trainer<'t>,
        (what, folder): (String, Option<String>),
        (done, total): (usize, usize),
    ) -> Result<Trainer<'t>> {
        let mut trainer = trainer.watch(move |progress| {
            let stage = Stage { what: what.clone(), done, total, progress: *progress };
            tell(self.watch.as_ref(), &stage);
        });
        if let (Some(all), Some(folder)) = (&self.folder, folder) {
            let own = all.join(folder);
            fs::create_dir_all(&own).map_err(|error| Error::io(&own, "create", error))?;
            trainer = trainer.folder(own).resume(self.resume);
        }
        if let Some(flag) = &self.interrupt {
            trainer = trainer.interrupt(flag.clone());
        }
        Ok(trainer)
    }

    fn seeded(
        &self,
        fit: &Fit<'_>,
        mut model: TransportLight,
        (seed, done, total): (u64, usize, usize),
        time: Option<f64>,
        look: impl FnMut(&Progress, &Params),
    ) -> Result<Fitted<TransportLight>> {
        let Restarts { steps, rate, light_rate, last_rate, amsgrad, decay, .. } = *fit.restarts;
        let schedule = if last_rate < 1.0 {
            Schedule::Cosine { steps, last: last_rate }
        } else {
            Schedule::Constant
        };
        let slots = model.params().slots().len();
        let first = model.transport_slots();
        let groups = vec![(first, 1.0), (slots - first, light_rate)];
        let adam = Adam::new(rate)?.amsgrad(amsgrad).schedule(schedule).groups(groups)?;
        let adam = Penalized::new(adam, vec![decay; slots])?;
        let mut optimizer = Averaged::new(adam, fit.restarts.average)?;
        let mut stop = Stop::new().steps(steps);
        if let Some(time) = time {
            stop = stop.time(Duration::from_secs_f64(time));
        }
        let mut trainer = Trainer::new(&mut optimizer).stop(stop).every(LOOK).seed(seed);
        if let Some(looks) = &self.looks {
            trainer = trainer.look(looks.apart, look);
        }
        if let Some(problem) = fit.held_out {
            let patience = fit.restarts.patience.unwrap_or(u64::MAX / 16);
            trainer =
                trainer.validation(Validation::new(problem.clone()).every(LOOK).patience(patience));
        }
        let names = (format!("seed {seed}"), Some(format!("seed-{seed}")));
        let mut trainer = self.equipped(trainer, names, (done, total))?;
        let run = trainer.fit(fit.problem, &mut model)?;
        drop(trainer);
        let (kept, held_out) = keep(&optimizer, fit, &mut model, &run);
        let trial = LightTrial {
            seed,
            steps: run.steps,
            reason: run.reason,
            held_out_error: held_out,
            objective: None,
            agreement: None,
            product_error: (fit.error)(&model),
            kept,
            seconds: run.seconds,
            light: Vec::new(),
        };
        Ok((trial, model, run.trajectory))
    }
}

/// Leaves the model at the best of what is held out or, where that is nearer, at the average; at the average where nothing is held out.
fn keep(
    optimizer: &Averaged<Penalized<Adam>>,
    fit: &Fit<'_>,
    model: &mut TransportLight,
    run: &Run,
) -> (&'static str, Option<f64>) {
    let Some(problem) = fit.held_out else {
        optimizer.give(model);
        return (if optimizer.mean().is_some() { "average" } else { "last" }, None);
    };
    let mut room = Room::new(model);
    let best = room.value(problem, model);
    let before = model.params().numbers().clone();
    optimizer.give(model);
    let average = room.value(problem, model);
    let nothing = Mat::zeros(model.shape().0, model.shape().1);
    let unit = problem.value(&Product::Dense(nothing.view()), &mut room.evaluation);
    // A run that diverged has an average that is no number.
    if average < best {
        return ("average", Some(average / unit));
    }
    model.params_mut().numbers_mut().copy_from(&before);
    let kept = if run.best.is_some_and(|(step, _)| step < run.steps) { "best" } else { "last" };
    (kept, Some(best / unit))
}
