//! Any continuous model with its product put on levels.

use super::{Discretizer, Mode, Model, Numbers, Params, Pass};
use crate::data::Shape;
use crate::product::{Cotangent, Product};
use crate::{Error, Result};

/// How the steepness λ of soft levels grows: λ = start · factor^⌊step / every⌋.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Annealing {
    /// λ before the first step.
    pub start: f64,
    /// By what it is multiplied …
    pub factor: f64,
    /// … after so many steps.
    pub every: u64,
}

impl Annealing {
    /// λ in a step.
    pub fn at(self, step: u64) -> f64 {
        let times = (step / self.every.max(1)).min(i32::MAX as u64) as i32;
        (self.start * self.factor.powi(times)).min(f64::MAX)
    }
}

/// W = Q(M): the levels of a scale in place of the product M of any model, with boundaries that are learned beside it.
///
/// In training Q is soft, at the steepness of the step; else it is hard. Pulling back adds the slope of weight · mean (b − b⁰)², where b⁰ lies halfway
/// between the levels.
///
/// Source: Nguyen, Tsiligianni and Deligiannis 2018, "Learning discrete matrix factorization models", equation 5.
#[derive(Clone, Debug)]
pub struct Discretized<M> {
    inner: M,
    scale: Discretizer,
    annealing: Annealing,
    weight: f64,
}

impl<M: Model> Discretized<M> {
    /// A model on the levels of `scale`, of whose boundaries the learning begins.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless start and factor of the annealing are above 0 and the weight is 0 or more.
    pub fn new(
        mut inner: M,
        scale: Discretizer,
        annealing: Annealing,
        weight: f64,
    ) -> Result<Self> {
        for (what, value) in [("start", annealing.start), ("factor", annealing.factor)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::parameter(format!("annealing.{what}"), "above 0", value));
            }
        }
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::parameter("the weight of the boundaries", "0 or more", weight));
        }
        let mut params = inner.params().with_slot("boundaries", scale.boundaries().len(), 1);
        write(&mut params, scale.boundaries());
        *inner.params_mut() = params;
        Ok(Self { inner, scale, annealing, weight })
    }

    /// The continuous model; its parameters hold the boundaries last.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The continuous model; its parameters hold the boundaries last.
    pub fn into_inner(self) -> M {
        self.inner
    }

    /// The scale with the boundaries as they are learned by now.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the learning diverged.
    pub fn scale(&self) -> Result<Discretizer> {
        let mut scale = self.scale.clone();
        scale.set_boundaries(&read(self.inner.params(), scale.boundaries().len()))?;
        Ok(scale)
    }

    /// The scale where its boundaries are numbers, else as it began: a diverged loss is seen by itself.
    fn current(&self) -> Discretizer {
        self.scale().unwrap_or_else(|_| self.scale.clone())
    }

    fn steepness(&self, mode: Mode) -> Option<f64> {
        match mode {
            Mode::Training { step, .. } => Some(self.annealing.at(step)),
            Mode::Inference => None,
        }
    }
}

/// The last `count` numbers.
fn read(params: &Params, count: usize) -> Vec<f64> {
    match params.numbers() {
        Numbers::Double(values) => values[values.len() - count..].to_vec(),
        Numbers::Single(values) => {
            values[values.len() - count..].iter().map(|x| f64::from(*x)).collect()
        }
    }
}

/// The last numbers ← `values`.
fn write(params: &mut Params, values: &[f64]) {
    match params.numbers_mut() {
        Numbers::Double(all) => {
            let first = all.len() - values.len();
            all[first..].copy_from_slice(values);
        }
        Numbers::Single(all) => {
            let first = all.len() - values.len();
            all[first..].iter_mut().zip(values).for_each(|(x, value)| *x = *value as f32);
        }
    }
}

impl<M: Model> Model for Discretized<M> {
    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn params(&self) -> &Params {
        self.inner.params()
    }

    fn params_mut(&mut self) -> &mut Params {
        self.inner.params_mut()
    }

    fn is_network(&self) -> bool {
        true
    }

    fn state(&self) -> Option<&Params> {
        self.inner.state()
    }

    fn state_mut(&mut self) -> Option<&mut Params> {
        self.inner.state_mut()
    }

    fn learn(&mut self, pass: &mut Pass) {
        self.inner.learn(pass);
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        let block = pass.block.take_if(|_| !self.inner.is_network());
        let [mut scores, mut levels] = std::mem::take(&mut pass.link);
        let product = self.inner.forward(pass);
        if let Some(block) = &block {
            let whole = product.dense_in(&mut levels);
            scores.reshape(block.rows().len(), block.cols().len());
            for (place, &j) in block.cols().iter().enumerate() {
                for (score, &i) in scores.col_mut(place).iter_mut().zip(block.rows()) {
                    *score = whole.at(i as usize, j as usize);
                }
            }
        } else {
            scores = product.to_dense();
        }
        levels.reshape(scores.rows(), scores.cols());
        let (scale, steepness) = (self.current(), self.steepness(pass.mode));
        for (level, score) in levels.values_mut().iter_mut().zip(scores.values()) {
            *level = match steepness {
                Some(steepness) => scale.soft(*score, steepness).value,
                None => scale.level(*score),
            };
        }
        if block.is_some() {
            pass.block = block;
        }
        pass.link = [scores, levels];
        Product::Dense(pass.link[1].view())
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let (scale, steepness) = (self.current(), self.steepness(pass.mode));
        let mut moved: Vec<f64> = scale.regularizer().1.iter().map(|x| self.weight * x).collect();
        let scores = std::mem::take(&mut pass.link[0]);
        let mut inner = Cotangent::default();
        inner.map_from(product, |cell, slope| {
            // A hard level has no slope anywhere.
            let soft = steepness.map(|steepness| scale.soft(scores[cell], steepness));
            let (along, place) = soft.map_or((0.0, 0), |soft| (soft.slope, soft.cell));
            moved[place] -= slope * along;
            slope * along
        });
        pass.link[0] = scores;
        let block = pass.block.take_if(|_| !self.inner.is_network());
        let cotangent = match &block {
            Some(block) => {
                let mut whole = Cotangent::default();
                whole.clear(self.shape());
                let slope = inner.to_dense();
                whole.add_dense(|whole| {
                    for (place, &j) in block.cols().iter().enumerate() {
                        for (slope, &i) in slope.col(place).iter().zip(block.rows()) {
                            whole[(i as usize, j as usize)] = *slope;
                        }
                    }
                });
                whole
            }
            None => inner,
        };
        if block.is_some() {
            pass.block = block;
        }
        self.inner.pullback(&cotangent, pass, into);
        write(into, &moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeepLinear, TowerSizes, TwoTower};
    use crate::problem::{Block, Mask, Problem, RootMeanSquare};
    use crate::train::optimizer::Adam;
    use crate::train::{Blocks, Room, Stop, Trainer};
    use std::sync::Arc;

    const ANNEALING: Annealing = Annealing { start: 1.0, factor: 1.1, every: 2 };

    fn stars() -> Discretizer {
        let mut stars = Discretizer::new(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        stars.set_boundaries(&[1.4, 2.6, 3.55, 4.5]).unwrap();
        stars
    }

    fn problem() -> Problem {
        let ratings = crate::data::random_ratings((12, 9), 2, 60, 0).unwrap();
        let mask = Mask::sparse(&ratings);
        let targets = mask.order(ratings.values());
        Problem::single(Arc::new(mask), targets, Arc::new(RootMeanSquare)).unwrap()
    }

    /// Loss and regularizer, and their gradient.
    fn at(
        problem: &Problem,
        model: &Discretized<impl Model>,
        block: Option<&Block>,
    ) -> (f64, Vec<f64>) {
        let mut room = Room::new(model);
        room.pass.mode = Mode::Training { seed: 0, step: 5 };
        room.pass.block = block.cloned();
        room.evaluate(problem, model);
        let loss = room.loss + model.weight * model.current().regularizer().0;
        (loss, room.gradient.numbers().to_double())
    }

    fn check(problem: &Problem, model: Discretized<impl Model>, block: Option<&Block>) {
        let mut model = model;
        let gradient = at(problem, &model, block).1;
        let largest = gradient.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        assert!(largest > 1e-3);
        for (place, slope) in gradient.into_iter().enumerate() {
            let mut moved = |by: f64| {
                model.params_mut().values_mut()[place] += by;
                let loss = at(problem, &model, block).0;
                model.params_mut().values_mut()[place] -= by;
                loss
            };
            let h = 1e-6;
            let quotient = (moved(h) - moved(-h)) / (2.0 * h);
            assert!(
                (quotient - slope).abs() < 1e-6 * largest.max(1.0),
                "{place}: {quotient} {slope}"
            );
        }
    }

    #[test]
    fn the_gradient_is_that_of_difference_quotients_for_any_model_whole_or_on_a_block() {
        let whole = problem();
        let block = Block::new(vec![3, 7, 1, 10, 5, 2], vec![4, 0, 8, 2]).unwrap();
        let part = whole.block(&block).unwrap().unwrap();
        let mut linear = DeepLinear::with_width((12, 9), 2, 3).unwrap();
        let count = linear.params().values().len();
        // Scores near 3.1, away from the edges of the cells.
        linear.params_mut().values_mut().iter_mut().enumerate().for_each(|(place, x)| {
            *x = 1.02 + 0.02 * ((place * place + 3) as f64 / count as f64).sin();
        });
        let sizes = TowerSizes { hidden: vec![6], embedding: 4, keep: 0.8, shown: 0.7 };
        let ratings = crate::data::random_ratings((12, 9), 2, 60, 0).unwrap();
        let towers = TwoTower::<f64>::new(&ratings, (1.0, 5.0), &sizes, 1).unwrap();
        let of_linear = || Discretized::new(linear.clone(), stars(), ANNEALING, 0.3).unwrap();
        check(&whole, of_linear(), None);
        check(&part, of_linear(), Some(&block));
        check(&whole, Discretized::new(towers.clone(), stars(), ANNEALING, 0.3).unwrap(), None);
        check(&part, Discretized::new(towers, stars(), ANNEALING, 0.3).unwrap(), Some(&block));
    }

    #[test]
    fn a_linear_model_on_levels_learns_and_answers_with_levels() {
        let problem = problem();
        let mut linear = DeepLinear::with_width((12, 9), 2, 9).unwrap();
        linear.params_mut().values_mut().iter_mut().enumerate().for_each(|(place, x)| {
            *x = 0.58 + 0.1 * (7.0 * place as f64).sin();
        });
        let mut model = Discretized::new(linear, stars(), ANNEALING, 0.1).unwrap();
        let before = Room::new(&model).value(&problem, &model);
        let run = Trainer::new(Adam::new(0.01).unwrap())
            .blocks(Blocks::new(12, 9).unwrap())
            .stop(Stop::new().steps(400))
            .fit(&problem, &mut model)
            .unwrap();
        assert!(run.loss < 0.6 * before, "{} {before}", run.loss);
        let product = model.forward(&mut Pass::default()).to_dense();
        assert!(product.values().iter().all(|x| stars().levels().contains(x)));
        assert_ne!(model.scale().unwrap().boundaries(), stars().boundaries());
    }

    #[test]
    fn steepness_grows_as_it_is_told() {
        let annealing = Annealing { start: 0.1, factor: 1.015, every: 10 };
        assert_eq!((annealing.at(0), annealing.at(9)), (0.1, 0.1));
        assert!((annealing.at(10_000) / 2.9e5 - 1.0).abs() < 0.02);
        assert!(annealing.at(u64::MAX).is_finite());
        let linear = DeepLinear::with_width((3, 3), 2, 3).unwrap();
        let flat = Annealing { start: 0.0, ..annealing };
        let error = Discretized::new(linear, stars(), flat, 0.1).unwrap_err().to_string();
        assert_eq!(error, "annealing.start must be above 0, but it is 0");
    }
}
