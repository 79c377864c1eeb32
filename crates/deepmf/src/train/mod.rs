//! The one training loop: a problem, a model and an optimizer in, a [`Run`] out.

mod blocks;
mod checkpoint;
mod flattest;
pub mod flow;
mod greedy;
mod inversion;
mod least_squares;
pub mod multi_view;
mod nmf;
mod nuclear_norm;
pub mod optimizer;
mod probe;
pub mod rank_adaptive;
mod rate;
mod reduce;
mod run;
pub mod semi_nmf;
mod stop;
mod trainer;
mod trials;
mod validation;

pub use blocks::Blocks;
pub use flattest::{Flat, Flattest};
pub use flow::{EndToEnd, Event, Flow};
pub use greedy::{Greedy, Grown, Phase};
pub use inversion::{Inversion, Inverted};
pub use least_squares::{Alternated, LeastSquares};
pub use multi_view::{Fused, FusedView, MultiView};
pub use nmf::{Nmf, NonNegative};
pub use nuclear_norm::{Certificate, Minimizer, NuclearNorm, Path, PathPoint};
pub use optimizer::{Clock, Optimizer};
pub use rank_adaptive::RankAdaptive;
pub use rate::suggested_rate;
pub use reduce::{LocalReduce, Reduce, sum_parts};
pub use run::{Run, Trajectory};
pub use semi_nmf::{SemiNmfFit, SemiNmfFitted};
pub use stop::{Stop, StopReason};
pub use trainer::{Progress, Trainer};
pub use trials::{trials, try_trials};
pub use validation::Validation;

pub use crate::spec::{Probe, Schedule};

use crate::model::{Model, Params, Pass};
use crate::problem::{Evaluation, Problem};

/// Scratch of a training loop: made once, used by every step.
#[derive(Clone, Debug)]
pub struct Room {
    /// The loss at the model, before the step, penalties of the model included.
    pub loss: f64,
    /// Its gradient with respect to the parameters.
    pub gradient: Params,
    /// The way through the model.
    pub pass: Pass,
    /// The way through the problem; holds the gradient with respect to W.
    pub evaluation: Evaluation,
    /// Whether loss and gradient are already those at the model: an optimizer that ends its step by an evaluation says so.
    pub fresh: bool,
    /// The parameters at the start of the run, kept for a probe that asks for them.
    pub start: Option<Params>,
}

impl Room {
    /// Scratch for a model.
    pub fn new(model: &dyn Model) -> Self {
        Self {
            loss: f64::NAN,
            gradient: model.params().zeros_like(),
            pass: Pass::default(),
            evaluation: Evaluation::default(),
            fresh: false,
            start: None,
        }
    }

    /// Evaluates loss and gradient at the model.
    pub fn evaluate(&mut self, problem: &Problem, model: &dyn Model) {
        self.loss = problem.evaluate(&model.forward(&mut self.pass), &mut self.evaluation);
        self.loss += model.penalty(&mut self.pass);
        model.pullback(&self.evaluation.cotangent, &mut self.pass, &mut self.gradient);
    }

    /// The value of any problem on the same matrix, nothing of it being drawn: a validation or test error.
    pub fn value(&mut self, problem: &Problem, model: &dyn Model) -> f64 {
        let draw = self.evaluation.draw.take();
        let value = problem.value(&model.forward(&mut self.pass), &mut self.evaluation);
        self.evaluation.draw = draw;
        value
    }
}
