//! Rules that move each parameter by itself, in either precision, on as many threads as there are.

use std::ops::Range;

use crate::linalg::Real;
use crate::model::{Numbers, Params, Precision};

/// Numbers that one thread takes at a time. Each is moved by itself, so that how they are split changes no bit.
const PART: usize = 1 << 16;

/// A rule with `M` running numbers a parameter.
pub(super) trait Rule<const M: usize>: Sync {
    /// Moves parameters `x` with gradient `g`.
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], moments: [&mut [T]; M]);
}

/// Moves all parameters by a rule.
pub(super) fn each<const M: usize>(
    rule: &impl Rule<M>,
    params: &mut Params,
    gradient: &Params,
    moments: [&mut Numbers; M],
) {
    each_in(rule, 0..gradient.numbers().len(), params, gradient, moments);
}

/// Moves the parameters in `range` by a rule.
pub(super) fn each_in<const M: usize>(
    rule: &impl Rule<M>,
    range: Range<usize>,
    params: &mut Params,
    gradient: &Params,
    moments: [&mut Numbers; M],
) {
    match gradient.numbers() {
        Numbers::Double(g) => typed(rule, range, params, g, moments),
        Numbers::Single(g) => typed(rule, range, params, g, moments),
    }
}

fn typed<T: Precision, const M: usize>(
    rule: &impl Rule<M>,
    range: Range<usize>,
    params: &mut Params,
    gradient: &[T],
    moments: [&mut Numbers; M],
) {
    let kind = std::mem::discriminant(params.numbers());
    let moments = moments.map(|numbers| {
        if numbers.len() != gradient.len() || std::mem::discriminant(numbers) != kind {
            // The first step, or the first one after a checkpoint, which gives moments in double precision.
            let before = std::mem::replace(numbers, T::zeros(gradient.len()));
            if before.len() == gradient.len() {
                numbers.copy_from(&before);
            }
        }
        &mut T::slice_mut(numbers)[range.clone()]
    });
    let x = &mut T::slice_mut(params.numbers_mut())[range.clone()];
    split(rule, x, &gradient[range], moments);
}

fn split<T: Real, const M: usize>(
    rule: &impl Rule<M>,
    x: &mut [T],
    g: &[T],
    moments: [&mut [T]; M],
) {
    if x.len() <= PART {
        return rule.apply(x, g, moments);
    }
    let half = x.len() / 2;
    let (x, x_rest) = x.split_at_mut(half);
    let (g, g_rest) = g.split_at(half);
    let mut rest: [&mut [T]; M] = std::array::from_fn(|_| Default::default());
    let mut places = rest.iter_mut();
    let first = moments.map(|moment| {
        let (first, second) = moment.split_at_mut(half);
        if let Some(place) = places.next() {
            *place = second;
        }
        first
    });
    rayon::join(|| split(rule, x, g, first), || split(rule, x_rest, g_rest, rest));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Shape;
    use crate::model::{Model, Pass};
    use crate::problem::Problem;
    use crate::product::{Cotangent, Product};
    use crate::train::optimizer::{
        Adam, Averaged, GradientDescent, GroupRmsProp, LabelNoise, Momentum, Optimizer, RmsProp,
        Rprop, SharpnessAware,
    };
    use crate::train::{Flow, Room};

    /// Parameters without a matrix.
    struct Numbered(Params);

    impl Model for Numbered {
        fn shape(&self) -> Shape {
            (1, 1)
        }
        fn params(&self) -> &Params {
            &self.0
        }
        fn params_mut(&mut self) -> &mut Params {
            &mut self.0
        }
        fn forward<'a>(&'a self, _pass: &'a mut Pass) -> Product<'a> {
            Product::Channels(Vec::new())
        }
        fn pullback(&self, _product: &Cotangent, _pass: &mut Pass, _into: &mut Params) {}
    }

    /// Parameters after ten steps down the gradient of Σ cosh x, restored into a new optimizer halfway.
    fn moved<T: Precision>(make: fn() -> Box<dyn Optimizer>, threads: usize) -> Vec<f64> {
        let count = 3 * PART + 7;
        let slots = [("a", 40), ("b", count - 45), ("c", 5)];
        let params =
            Params::of::<T>(slots.map(|(name, count)| (name.to_string(), count, 1, false)));
        let mut model = Numbered(params);
        let start = T::slice_mut(model.0.numbers_mut());
        start.iter_mut().enumerate().for_each(|(i, x)| *x = T::of((i % 100) as f64 / 50.0 - 1.0));
        let target = crate::linalg::Mat::zeros(1, 1);
        let problem = Problem::full(&target, crate::problem::Constant::Sum).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut room, mut optimizer) = (Room::new(&model), make());
            optimizer.check(&problem, &model).unwrap();
            for step in 0..10 {
                if step == 5 {
                    let state = optimizer.state();
                    optimizer = make();
                    let part = |name: &str| {
                        state.iter().find(|(own, _)| *own == name).map(|(_, part)| part.clone())
                    };
                    optimizer.restore(&part).unwrap();
                }
                let x = T::slice(model.0.numbers());
                let slopes = T::slice_mut(room.gradient.numbers_mut());
                slopes.iter_mut().zip(x).for_each(|(g, x)| *g = T::of(x.double().sinh()));
                optimizer.step(&problem, &mut model, &mut room);
            }
        });
        model.0.numbers().to_double()
    }

    fn rules() -> [fn() -> Box<dyn Optimizer>; 9] {
        [
            || Box::new(GradientDescent::new(0.1).unwrap()),
            || {
                let descent = GradientDescent::new(0.1).unwrap().decay(0.1).unwrap();
                Box::new(descent.outer(0.5).unwrap())
            },
            || Box::new(Momentum::new(0.1, 0.5).unwrap().nesterov(true)),
            || Box::new(RmsProp::new(0.01).unwrap()),
            || Box::new(Rprop::new(0.01).unwrap()),
            || Box::new(Adam::new(0.01).unwrap()),
            || Box::new(Adam::new(0.01).unwrap().amsgrad(true)),
            || {
                let adam = Adam::new(0.02).unwrap().groups(vec![(1, 0.5), (1, 2.0)]);
                Box::new(adam.unwrap().amsgrad(true))
            },
            || Box::new(Averaged::new(Adam::new(0.01).unwrap(), 3).unwrap()),
        ]
    }

    #[test]
    fn single_precision_follows_double_precision() {
        for make in rules() {
            let (single, double) = (moved::<f32>(make, 2), moved::<f64>(make, 2));
            let gaps = single.iter().zip(&double).map(|(a, b)| (a - b).abs());
            // Ten steps, each rounded to 2⁻²⁴ of a number below 1.
            assert!(gaps.fold(0.0, f64::max) < 2e-6);
            assert!(double.iter().all(|x| x.abs() < 1.0));
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        for make in rules() {
            assert_eq!(moved::<f32>(make, 1), moved::<f32>(make, 2));
        }
    }

    #[test]
    fn whoever_needs_double_precision_says_so() {
        let model = Numbered(Params::singles([("a".to_string(), 1, 1, false)]));
        let target = crate::linalg::Mat::zeros(1, 1);
        let problem = Problem::full(&target, crate::problem::Constant::Sum).unwrap();
        let refusing: [Box<dyn Optimizer>; 4] = [
            Box::new(GroupRmsProp::new(0.1).unwrap()),
            Box::new(LabelNoise::new(0.1, 0.1, 1, 0).unwrap()),
            Box::new(SharpnessAware::new(GradientDescent::new(0.1).unwrap(), 0.1).unwrap()),
            Box::new(Flow::new(1e-3).unwrap()),
        ];
        for optimizer in refusing {
            assert_eq!(
                optimizer.check(&problem, &model).unwrap_err().to_string(),
                "the precision of parameters that this optimizer moves must be double, but it is single"
            );
        }
    }
}
