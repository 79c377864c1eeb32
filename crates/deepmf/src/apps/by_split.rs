//! Completion by methods with one setting, chosen on one split: the convex ones, greedy low-rank learning, compressed networks.

use super::completion::{Completion, Fitted, LEAST_TO_SPLIT};
use super::descent::with;
use crate::data::{Entries, split};
use crate::model::{Compressed, DeepLinear, Init, Model, Pass};
use crate::problem::{Evaluation, Problem};
use crate::spec::Method;
use crate::train::optimizer::GradientDescent;
use crate::train::{
    Flow, Greedy, Minimizer, NuclearNorm, Path, Run, Stop, Trainer, Trajectory, Validation,
    suggested_rate,
};
use crate::{Error, Result};

/// The share that is kept apart, where it is not given.
const HOLDOUT: f64 = 0.1;
/// Penalties of a path, the least over the largest, and how many may pass without improvement.
const PENALTIES: (usize, f64, usize) = (40, 1e-3, 4);
/// Newton steps at most towards the least nuclear norm: entries with noise ask for high rank, and the gap tells how far it came.
const NEWTON: u64 = 400;
/// Ranks that a compressed network is tried with.
const RANKS: [usize; 5] = [1, 2, 4, 8, 16];
/// Layers of the wide network that is compressed, and its initial scale where none is given.
const WIDE: (usize, f64) = (3, 1e-3);
/// What the outer layers of a compressed network learn at, as a part of the rate (Yaras et al. 2024: 0.01 to 0.1).
const OUTER: f64 = 0.1;
/// Plain descent bears this many times the rate that is suggested for descent with momentum.
const FASTER: f64 = 5.0;
/// The error of a step of the flows that train greedy phases, and the size of a new direction.
const GREEDY: (f64, f64) = (1e-3, 1e-2);

/// A solution of one problem, and the setting that it was found with.
pub(super) struct Solved {
    model: DeepLinear,
    run: Run,
    evaluations: u64,
    gap: Option<f64>,
    setting: Setting,
}

/// What the split decides: a penalty, a rank, steps.
#[derive(Clone, Copy, Debug, Default)]
struct Setting {
    penalty: f64,
    rank: usize,
    steps: u64,
}

impl Completion<'_> {
    /// Solves as the method says, with its setting chosen on held-out entries, then for all entries.
    pub(super) fn by_split(&self, entries: &Entries, method: Method) -> Result<Fitted> {
        let settings = &self.settings;
        if entries.len() < LEAST_TO_SPLIT {
            let allowed = format!("{LEAST_TO_SPLIT} or more for the method {}", method.name());
            return Err(Error::parameter("the number of observed entries", allowed, entries.len()));
        }
        let (known, held) = match settings.holdout.unwrap_or(HOLDOUT) {
            share if share > 0.0 => {
                let (known, held) = split(entries, share, self.seed)?;
                (known, Some(held))
            }
            _ => (entries.clone(), None),
        };
        let share = if settings.validation > 0.0 { settings.validation } else { HOLDOUT };
        let (train, validation) = split(&known, share, self.seed.wrapping_add(1))?;
        let offsets = self.offsets(&train);
        let problem = Problem::completion(&offsets.residuals(&train)?)?;
        let validation = Problem::completion(&offsets.residuals(&validation)?)?;
        let chosen = self.solve(method, &problem, Some(&validation), Setting::default())?;
        let held = held.map(|held| self.measure(&chosen.model, &offsets, &known, &held));
        let (last, offsets) = if method == Method::Greedy {
            // A phase that nothing stops early fits the noise, so a part of the entries judges the last fit too.
            let (train, validation) = split(entries, share, self.seed.wrapping_add(2))?;
            let offsets = self.offsets(&train);
            let problem = Problem::completion(&offsets.residuals(&train)?)?;
            let validation = Problem::completion(&offsets.residuals(&validation)?)?;
            (self.solve(method, &problem, Some(&validation), chosen.setting)?, offsets)
        } else {
            let offsets = self.offsets(entries);
            let problem = Problem::completion(&offsets.residuals(entries)?)?;
            (self.solve(method, &problem, None, chosen.setting)?, offsets)
        };
        let Setting { penalty, rank, steps } = chosen.setting;
        let start = match method {
            Method::SoftImpute => format!("soft-impute, penalty {penalty:.4}"),
            Method::Greedy => format!("greedy, rank {rank}"),
            Method::Compressed => format!("compressed, rank {rank}, {steps} steps"),
            _ => "least nuclear norm".into(),
        };
        let fitted = Fitted {
            start,
            gap: last.gap,
            evaluations: chosen.evaluations + last.evaluations,
            ..Fitted::plain(last.model, last.run, offsets)
        };
        Ok(with(fitted, held))
    }

    fn solve(
        &self,
        method: Method,
        problem: &Problem,
        validation: Option<&Problem>,
        setting: Setting,
    ) -> Result<Solved> {
        match method {
            Method::SoftImpute => self.soft_impute(problem, validation, setting),
            Method::Greedy => self.greedy(problem, validation, setting),
            Method::Compressed => self.compressed(problem, validation, setting),
            _ => {
                let found = self.convex(problem)?.steps(NEWTON).constrained()?;
                Ok(solved(found, problem, setting))
            }
        }
    }

    fn convex(&self, problem: &Problem) -> Result<NuclearNorm> {
        let convex = NuclearNorm::new(problem)?;
        Ok(match &self.interrupt {
            Some(flag) => convex.interrupt(flag.clone()),
            None => convex,
        })
    }

    /// The penalised problem: along a path to the least validation error, or at the penalty that was chosen.
    fn soft_impute(
        &self,
        problem: &Problem,
        validation: Option<&Problem>,
        setting: Setting,
    ) -> Result<Solved> {
        let convex = self.convex(problem)?.gap(1e-4)?;
        let Some(validation) = validation else {
            return Ok(solved(convex.penalised(setting.penalty)?, problem, setting));
        };
        let (count, least, patience) = PENALTIES;
        let path = Path::new(count, least)?.validation(validation.clone(), patience);
        let points = convex.path(&path)?;
        let evaluations = points.iter().map(|point| point.minimizer.evaluations).sum();
        let value = |at: &crate::train::PathPoint| at.validation.unwrap_or(f64::INFINITY);
        let best = points.into_iter().min_by(|a, b| value(a).total_cmp(&value(b)));
        let Some(best) = best else {
            return Err(Error::parameter("the number of penalties", "1 or more", 0));
        };
        let setting = Setting { penalty: best.lambda, ..setting };
        Ok(Solved { evaluations, ..solved(best.minimizer, problem, setting) })
    }

    /// Phases of flow, each with one direction more, until the validation error has grown or to the rank that was chosen.
    fn greedy(
        &self,
        problem: &Problem,
        validation: Option<&Problem>,
        setting: Setting,
    ) -> Result<Solved> {
        let depth = self.settings.depths.first().copied().unwrap_or(2);
        let (tolerance, scale) = GREEDY;
        let mut greedy = Greedy::new(depth)?.scale(scale)?.tolerance(1e-3)?;
        if setting.rank > 0 {
            greedy = greedy.ranks(setting.rank);
        }
        let stop = Stop::new().steps(self.settings.steps).settled(1e-3, 12);
        let grown = greedy.fit(problem, &mut || {
            let mut trainer = Trainer::new(Flow::new(tolerance)?).stop(stop.clone()).every(1);
            if let Some(validation) = validation {
                trainer =
                    trainer.validation(Validation::new(validation.clone()).every(1).patience(12));
            }
            Ok(match &self.interrupt {
                Some(flag) => trainer.interrupt(flag.clone()),
                None => trainer,
            })
        })?;
        let rank = grown.model.widths()[1];
        let evaluations = grown.run.trajectory.column("evaluations").unwrap_or_default();
        // Each phase counts anew.
        let ends = evaluations.windows(2).filter(|pair| pair[1] < pair[0]).map(|pair| pair[0]);
        let total = ends.sum::<f64>() + evaluations.last().copied().unwrap_or(0.0);
        Ok(Solved {
            model: grown.model,
            run: grown.run,
            evaluations: total as u64,
            gap: None,
            setting: Setting { rank, ..setting },
        })
    }

    /// Descent on the compressed network of each rank, stopped early; the one with the least validation error.
    fn compressed(
        &self,
        problem: &Problem,
        validation: Option<&Problem>,
        setting: Setting,
    ) -> Result<Solved> {
        let (rows, cols) = problem.shape();
        let most = (rows.min(cols) / 2).min(rows.max(cols) / 3).max(1);
        let (depth, scale) = WIDE;
        let depth = self.settings.depths.first().copied().unwrap_or(depth);
        let scale = self.settings.init_scales.first().copied().unwrap_or(scale);
        let wide = DeepLinear::with_width((rows, cols), depth, rows.min(cols))?
            .init(&Init::Orthogonal { scale }, self.seed)?;
        let rate = self.settings.rate.unwrap_or_else(|| FASTER * suggested_rate(problem, depth));
        let ranks: Vec<usize> = match setting.rank {
            0 => RANKS.into_iter().filter(|rank| *rank <= most).collect(),
            rank => vec![rank.min(most)],
        };
        let mut best: Option<(f64, Solved)> = None;
        let mut evaluations = 0;
        for rank in ranks {
            let mut model = Compressed::new(&wide, problem, rank)?.model;
            let steps = if setting.steps > 0 { setting.steps } else { self.settings.steps };
            let mut trainer = Trainer::new(GradientDescent::new(rate)?.outer(OUTER)?)
                .stop(Stop::new().steps(steps).loss_below(self.settings.loss_below))
                .every(u64::MAX);
            if let Some(validation) = validation {
                trainer = trainer.validation(Validation::new(validation.clone()).patience(400));
            }
            if let Some(flag) = &self.interrupt {
                trainer = trainer.interrupt(flag.clone());
            }
            let run = trainer.fit(problem, &mut model)?;
            evaluations += run.steps;
            let (steps, value) = run.best.unwrap_or((run.steps, 0.0));
            let setting = Setting { rank, steps: steps.max(1), ..setting };
            let solved = Solved { model, evaluations: run.steps, run, gap: None, setting };
            if best.as_ref().is_none_or(|(least, _)| value < *least) {
                best = Some((value, solved));
            }
        }
        let Some((_, solved)) = best else { unreachable!("rank 1 is always tried") };
        Ok(Solved { evaluations, ..solved })
    }
}

/// A minimiser as the run that it was.
fn solved(found: Minimizer, problem: &Problem, setting: Setting) -> Solved {
    let mut pass = Pass::default();
    let product = found.model.forward(&mut pass);
    let loss = problem.value(&product, &mut Evaluation::default());
    let run = Run {
        reason: found.reason,
        steps: found.iterations,
        loss,
        best: None,
        params: found.model.params().clone(),
        trajectory: Trajectory::default(),
        seconds: found.seconds,
    };
    let (evaluations, gap) = (found.evaluations, Some(found.certificate.gap));
    Solved { model: found.model, run, evaluations, gap, setting }
}
