//! Adam, with AMSGrad's maximum on request (Kingma & Ba 2015; Reddi, Kale, Kumar 2018).

use super::elementwise::{Rule, each_in};
use super::{Optimizer, must_be_fraction, must_be_positive, number, part};
use crate::Result;
use crate::linalg::{Real, wide};
use crate::model::{Model, Numbers, Params};
use crate::problem::Problem;
use crate::train::{Room, Schedule};

/// Adam.
#[derive(Clone, Debug)]
pub struct Adam {
    rate: f64,
    betas: (f64, f64),
    epsilon: f64,
    amsgrad: bool,
    schedule: Schedule,
    groups: Vec<(usize, f64)>,
    steps: u64,
    first: Numbers,
    second: Numbers,
    largest: Numbers,
}

impl Adam {
    /// Adam with β = (0.9, 0.999) and ε = 1e-8.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `rate` is not above 0.
    pub fn new(rate: f64) -> Result<Self> {
        must_be_positive("rate", rate)?;
        Ok(Self {
            rate,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            amsgrad: false,
            schedule: Schedule::Constant,
            groups: Vec::new(),
            steps: 0,
            first: Numbers::default(),
            second: Numbers::default(),
            largest: Numbers::default(),
        })
    }

    /// Sets the memories β₁, β₂ and ε.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a β outside [0, 1) or ε not above 0.
    pub fn smoothing(self, betas: (f64, f64), epsilon: f64) -> Result<Self> {
        must_be_fraction("beta1", betas.0)?;
        must_be_fraction("beta2", betas.1)?;
        must_be_positive("epsilon", epsilon)?;
        Ok(Self { betas, epsilon, ..self })
    }

    /// Divides by the largest second moment so far (AMSGrad).
    #[must_use]
    pub fn amsgrad(self, amsgrad: bool) -> Self {
        Self { amsgrad, ..self }
    }

    /// Multiplies the rate by a schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// Moves groups of matrices, each of so many that follow each other, with a factor on the rate of its own; those after the last group have
    /// the factor 1. Everything else being by number, this is one Adam a group.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if a factor is not above 0.
    pub fn groups(self, groups: Vec<(usize, f64)>) -> Result<Self> {
        groups
            .iter()
            .try_for_each(|(_, factor)| must_be_positive("the factor of a group", *factor))?;
        Ok(Self { groups, ..self })
    }

    /// Where the numbers of a group end, given where they begin and its place.
    fn group(&self, params: &Params, place: usize, begin: usize) -> (usize, f64) {
        let Some(&(count, factor)) = self.groups.get(place) else {
            return (params.numbers().len(), 1.0);
        };
        let before: usize = self.groups[..place].iter().map(|(count, _)| count).sum();
        let own = params.slots().iter().skip(before).take(count);
        (begin + own.map(|slot| slot.rows * slot.cols).sum::<usize>(), factor)
    }
}

struct Move {
    rate: f64,
    root: f64,
    betas: (f64, f64),
    epsilon: f64,
}

impl Move {
    /// Rate, root, ε, and old and new shares of both moments.
    fn numbers<T: Real>(&self) -> ([T; 3], [T; 4]) {
        let (b1, b2) = self.betas;
        let shares = [b1, 1.0 - b1, b2, 1.0 - b2];
        ([self.rate, self.root, self.epsilon].map(T::of), shares.map(T::of))
    }
}

impl Rule<2> for Move {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], [m, v]: [&mut [T]; 2]) {
        let ([rate, root, epsilon], [b1, new1, b2, new2]) = self.numbers::<T>();
        wide(|| {
            for (((x, m), v), g) in x.iter_mut().zip(m).zip(v).zip(g) {
                *m = b1 * *m + new1 * *g;
                *v = b2 * *v + new2 * *g * *g;
                *x -= rate * *m / (v.root() / root + epsilon);
            }
        });
    }
}

impl Rule<3> for Move {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], [m, v, most]: [&mut [T]; 3]) {
        let ([rate, root, epsilon], [b1, new1, b2, new2]) = self.numbers::<T>();
        for ((((x, m), v), most), g) in x.iter_mut().zip(m).zip(v).zip(most).zip(g) {
            *m = b1 * *m + new1 * *g;
            *v = b2 * *v + new2 * *g * *g;
            *most = if *v > *most { *v } else { *most };
            *x -= rate * *m / (most.root() / root + epsilon);
        }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let rate = self.rate * self.schedule.factor(self.steps);
        self.steps += 1;
        let (b1, b2) = self.betas;
        let t = self.steps as f64;
        let (rate, root) = (rate / (1.0 - b1.powf(t)), (1.0 - b2.powf(t)).sqrt());
        let (params, gradient) = (model.params_mut(), &room.gradient);
        let mut begin = 0;
        for place in 0..=self.groups.len() {
            let (end, factor) = self.group(params, place, begin);
            let rule = Move { rate: factor * rate, root, betas: self.betas, epsilon: self.epsilon };
            let (range, first, second) = (begin..end, &mut self.first, &mut self.second);
            if self.amsgrad {
                each_in(&rule, range, params, gradient, [first, second, &mut self.largest]);
            } else {
                each_in(&rule, range, params, gradient, [first, second]);
            }
            begin = end;
        }
    }

    fn check(&self, _problem: &Problem, _model: &dyn Model) -> Result<()> {
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("steps", vec![self.steps as f64]),
            ("first", self.first.to_double()),
            ("second", self.second.to_double()),
            ("largest", self.largest.to_double()),
        ]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.steps = number(state, "steps")? as u64;
        self.first = Numbers::Double(part(state, "first")?);
        self.second = Numbers::Double(part(state, "second")?);
        self.largest = Numbers::Double(part(state, "largest")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::DeepLinear;
    use crate::problem::Constant;

    #[test]
    fn each_group_moves_by_a_rate_of_its_own() {
        let target = Mat::from_columns(1, 1, vec![5.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let moved = |groups: Vec<(usize, f64)>| {
            let mut model = DeepLinear::new(&[1, 1, 1, 1]).unwrap();
            model.params_mut().values_mut().copy_from_slice(&[1.0, 1.0, 1.0]);
            let mut optimizer = Adam::new(0.1).unwrap().groups(groups).unwrap();
            let mut room = Room::new(&model);
            room.evaluate(&problem, &model);
            optimizer.step(&problem, &mut model, &mut room);
            model.params().values().iter().map(|x| x - 1.0).collect::<Vec<f64>>()
        };
        // The first step of Adam is the rate, whatever the gradient is.
        let close = |found: Vec<f64>, expected: [f64; 3]| {
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8)
        };
        assert!(close(moved(vec![]), [0.1, 0.1, 0.1]));
        assert!(close(moved(vec![(1, 2.0), (1, 0.5)]), [0.2, 0.05, 0.1]));
        let refused = Adam::new(0.1).unwrap().groups(vec![(1, 0.0)]).unwrap_err().to_string();
        assert_eq!(refused, "the factor of a group must be above 0, but it is 0");
    }
}
