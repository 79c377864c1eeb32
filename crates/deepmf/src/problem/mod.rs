//! Everything to the right of the product: what was observed of W, and the loss. A problem knows no parameters.

mod batch;
mod block;
mod differences;
mod full;
mod lifted;
mod loss;
mod mask;
mod observation;
mod sensing;

use std::sync::Arc;

pub use batch::Batch;
pub use block::Block;
pub use differences::{Axis, Differences};
pub use full::Full;
pub use lifted::KnownFactor;
pub(crate) use lifted::ROWS_AT_ONCE;
pub use loss::{Absolute, Constant, Huber, Loss, RootMeanSquare, Squared};
pub use mask::Mask;
pub use observation::Observation;
pub use sensing::Sensing;

use lifted::{Lifted, LiftedRoom};

use crate::data::{Entries, Shape};
use crate::linalg::{Mat, scale};
use crate::product::{Cotangent, Product};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// One observation with its targets and its loss.
#[derive(Clone, Debug)]
pub struct Term {
    /// What is seen of W.
    pub observation: Arc<dyn Observation>,
    /// What should be seen.
    pub targets: Vec<f64>,
    /// How a difference counts.
    pub loss: Arc<dyn Loss>,
    /// The factor of this term in the sum.
    pub weight: f64,
}

/// A weighted sum of terms, each a loss of what is observed of one matrix W.
#[derive(Clone, Debug)]
pub struct Problem {
    shape: Shape,
    terms: Vec<Term>,
    /// Terms of which a step of a drawn evaluation sees one.
    choices: Vec<Term>,
    /// What is seen of products with known factors.
    lifted: Option<Arc<Lifted>>,
    test: Option<Box<Problem>>,
}

/// What an evaluation needs and leaves behind, kept from one to the next so that none allocates.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// The gradient with respect to W.
    pub cotangent: Cotangent,
    /// The seed and the step by which one of several choices is drawn; without them all are seen, each with its share.
    pub draw: Option<(u64, u64)>,
    room: Mat,
    seen: Vec<f64>,
    lifted: LiftedRoom,
}

/// The second derivatives of a loss with respect to the measurements at one W, one list a term.
#[derive(Clone, Debug, Default)]
pub struct Curvature {
    terms: Vec<Vec<f64>>,
}

impl Curvature {
    /// One list a term, each with one number a measurement.
    pub fn terms(&self) -> &[Vec<f64>] {
        &self.terms
    }
}

impl Problem {
    /// A problem of one term.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many targets as measurements; [`Error::Parameter`] if there is none.
    pub fn single(
        observation: Arc<dyn Observation>,
        targets: Vec<f64>,
        loss: Arc<dyn Loss>,
    ) -> Result<Self> {
        Self::sum(vec![Term { observation, targets, loss, weight: 1.0 }])
    }

    /// A problem that is the weighted sum of `terms`.
    ///
    /// # Errors
    /// [`Error::Shape`] if terms observe matrices of different shapes or targets do not fit;
    /// [`Error::Parameter`] if nothing is observed.
    pub fn sum(terms: Vec<Term>) -> Result<Self> {
        let Some(first) = terms.first() else {
            return Err(Error::parameter("the number of terms", "1 or more", 0));
        };
        let shape = first.observation.shape();
        for term in &terms {
            let found = term.observation.shape();
            if found != shape {
                let words = crate::data::words;
                return Err(Error::shape("every observation", words(shape), words(found)));
            }
            let measurements = term.observation.len();
            if measurements == 0 {
                return Err(Error::parameter("the number of observed entries", "1 or more", 0));
            }
            if term.targets.len() != measurements {
                return Err(Error::shape(
                    "the list of targets",
                    format!("{measurements} numbers, one a measurement"),
                    term.targets.len(),
                ));
            }
        }
        Ok(Self { shape, terms, choices: Vec::new(), lifted: None, test: None })
    }

    /// Adds the mean of some more terms, of which each step of training sees one that is drawn for it: so is a random lag.
    ///
    /// # Errors
    /// As [`Problem::sum`]; [`Error::Parameter`] if there are choices already.
    pub fn one_of(self, choices: Vec<Term>) -> Result<Self> {
        if !self.choices.is_empty() {
            return Err(Error::parameter("the choices of a problem", "given once", "twice"));
        }
        let alone = Self::sum(choices)?;
        if alone.shape != self.shape {
            let words = crate::data::words;
            let (expected, found) = (words(self.shape), words(alone.shape));
            return Err(Error::shape("every observation", expected, found));
        }
        Ok(Self { choices: alone.terms, ..self })
    }

    /// The terms that an evaluation sees, each with the factor of its weight.
    fn seen(&self, draw: Option<(u64, u64)>) -> impl Iterator<Item = (&Term, f64)> {
        let count = self.choices.len();
        let (drawn, share) = match draw {
            Some((seed, step)) if count > 0 => {
                let drawn = stream(seed, Purpose::Term, step).random_range(0..count);
                (drawn..drawn + 1, 1.0)
            }
            _ => (0..count, 1.0 / count.max(1) as f64),
        };
        let drawn = self.choices[drawn].iter().map(move |term| (term, share));
        self.terms.iter().map(|term| (term, 1.0)).chain(drawn)
    }

    /// Completion: the mean squared error at the known entries (the weighted mean, if they have weights).
    ///
    /// # Errors
    /// [`Error::Parameter`] if nothing is known.
    pub fn completion(entries: &Entries) -> Result<Self> {
        Self::completion_with(entries, Constant::Mean)
    }

    /// Completion with the constant of the squared loss written out.
    ///
    /// # Errors
    /// [`Error::Parameter`] if nothing is known.
    pub fn completion_with(entries: &Entries, constant: Constant) -> Result<Self> {
        let mask = Mask::new(entries);
        let weights = entries.weights().map(|weights| mask.order(weights));
        let targets = mask.order(entries.values());
        Self::single(Arc::new(mask), targets, Arc::new(Squared { constant, weights }))
    }

    /// Completion with Huber's loss, which is linear beyond `delta`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if nothing is known or `delta` is not above 0.
    pub fn robust_completion(entries: &Entries, delta: f64, constant: Constant) -> Result<Self> {
        let mask = Mask::new(entries);
        let weights = entries.weights().map(|weights| mask.order(weights));
        let targets = mask.order(entries.values());
        let loss = Huber::new(delta, constant)?.weighted(weights);
        Self::single(Arc::new(mask), targets, Arc::new(loss))
    }

    /// Every entry of `target` is observed.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty matrix.
    pub fn full(target: &Mat, constant: Constant) -> Result<Self> {
        let full = Full::new((target.rows(), target.cols()));
        let loss = Squared { constant, weights: None };
        Self::single(Arc::new(full), target.values().to_vec(), Arc::new(loss))
    }

    /// Sensing: `targets[i]` = ⟨Aᵢ, W⟩, squared loss.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many targets as operators.
    pub fn sensing(operators: Sensing, targets: Vec<f64>, constant: Constant) -> Result<Self> {
        Self::single(Arc::new(operators), targets, Arc::new(Squared { constant, weights: None }))
    }

    /// Sets the truth, known only in experiments: the test error is the mean square over all its cells.
    ///
    /// # Errors
    /// [`Error::Shape`] if its shape is not that of W.
    pub fn truth(mut self, truth: &Mat) -> Result<Self> {
        let found = (truth.rows(), truth.cols());
        if found != self.shape {
            let words = crate::data::words;
            return Err(Error::shape("the truth", words(self.shape), words(found)));
        }
        self.test = Some(Box::new(Self::full(truth, Constant::Mean)?));
        Ok(self)
    }

    /// Sets test entries, never touched in training: the test error is their mean squared error.
    ///
    /// # Errors
    /// [`Error::Shape`] if their shape is not that of W, [`Error::Parameter`] if there are none.
    pub fn test_entries(mut self, entries: &Entries) -> Result<Self> {
        entries.must_have_shape("the table of test entries", self.shape)?;
        self.test = Some(Box::new(Self::completion(entries)?));
        Ok(self)
    }

    /// The problem whose value is the test error, if a truth or test entries were given.
    pub fn test(&self) -> Option<&Problem> {
        self.test.as_deref()
    }

    /// Rows and columns of W.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The terms of the sum; neither its choices nor what is seen of products with known factors.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Number of measurements.
    pub fn measurements(&self) -> usize {
        let terms = self.terms.iter().chain(&self.choices);
        let lifted = self.lifted.as_ref().map_or(0, |lifted| lifted.measurements());
        lifted + terms.map(|term| term.observation.len()).sum::<usize>()
    }

    /// The loss at W; leaves the gradient with respect to W in `evaluation.cotangent`.
    pub fn evaluate(&self, product: &Product<'_>, evaluation: &mut Evaluation) -> f64 {
        let Evaluation { cotangent, draw, room, seen, lifted: strips } = evaluation;
        cotangent.clear(self.shape);
        let mut value = 0.0;
        if let Some(lifted) = &self.lifted {
            value += lifted.evaluate(product.dense_in(room), *draw, strips, Some(cotangent));
        }
        for (term, share) in self.seen(*draw) {
            let weight = share * term.weight;
            seen.resize(term.targets.len(), 0.0);
            term.observation.apply(product, room, seen);
            value += weight * term.loss.value_and_slope(seen, &term.targets);
            if weight != 1.0 {
                scale(weight, seen);
            }
            term.observation.adjoint_taking(seen, cotangent);
        }
        value
    }

    /// The loss at W alone.
    pub fn value(&self, product: &Product<'_>, evaluation: &mut Evaluation) -> f64 {
        let Evaluation { room, seen, draw, lifted: strips, .. } = evaluation;
        let mut value = 0.0;
        if let Some(lifted) = &self.lifted {
            value += lifted.evaluate(product.dense_in(room), *draw, strips, None);
        }
        for (term, share) in self.seen(*draw) {
            seen.resize(term.targets.len(), 0.0);
            term.observation.apply(product, room, seen);
            value += share * term.weight * term.loss.value_and_slope(seen, &term.targets);
        }
        value
    }

    /// Refuses a loss of which second derivatives by measurements do not tell the curvature.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a loss is not a sum over measurements, or as [`Problem::must_be_terms`].
    pub(crate) fn must_be_separable(&self) -> Result<()> {
        let what = "the loss whose curvature is asked for";
        self.must_be_terms(what)?;
        if self.terms.iter().all(|term| term.loss.is_separable()) {
            return Ok(());
        }
        Err(Error::parameter(what, "a sum over measurements", "another"))
    }

    /// Refuses what [`Problem::terms`] do not tell wholly.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there are choices or known factors.
    pub(crate) fn must_be_terms(&self, what: &str) -> Result<()> {
        let found = match (&self.lifted, self.choices.is_empty()) {
            (Some(_), _) => "one of products with known factors",
            (None, false) => "one with choices",
            (None, true) => return Ok(()),
        };
        Err(Error::parameter(what, "a sum of terms alone", found))
    }

    /// The second derivatives at W, each with the weight of its term.
    pub fn curvature(
        &self,
        product: &Product<'_>,
        evaluation: &mut Evaluation,
        into: &mut Curvature,
    ) {
        let Evaluation { room, seen, .. } = evaluation;
        into.terms.resize_with(self.terms.len(), Vec::new);
        for (term, curvature) in self.terms.iter().zip(&mut into.terms) {
            seen.resize(term.targets.len(), 0.0);
            curvature.resize(term.targets.len(), 0.0);
            if !term.loss.is_quadratic() {
                term.observation.apply(product, room, seen);
            }
            term.loss.curvature(seen, &term.targets, curvature);
            for c in curvature.iter_mut() {
                *c *= term.weight;
            }
        }
    }

    /// ∇²ℓ V for a change V of W, left in `evaluation.cotangent`.
    pub fn curve(&self, curvature: &Curvature, along: &Product<'_>, evaluation: &mut Evaluation) {
        let Evaluation { cotangent, room, seen, .. } = evaluation;
        cotangent.clear(self.shape);
        for (term, curvature) in self.terms.iter().zip(&curvature.terms) {
            seen.resize(term.targets.len(), 0.0);
            term.observation.apply(along, room, seen);
            seen.iter_mut().zip(curvature).for_each(|(seen, c)| *seen *= c);
            term.observation.adjoint_taking(seen, cotangent);
        }
    }

    /// The descent direction at W = 0, −∇ℓ(0): proportional to P_Ω(Y) for a mask and to Σ yᵢ Aᵢ for sensing.
    pub fn surrogate(&self) -> Mat {
        let zero = Mat::zeros(self.shape.0, self.shape.1);
        let mut evaluation = Evaluation::default();
        self.evaluate(&Product::Dense(zero.view()), &mut evaluation);
        evaluation.cotangent.to_dense().scaled(-1.0)
    }
}
