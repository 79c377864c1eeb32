//! Batches: the gradient of the loss on some of the measurements, with noise on their targets.

use super::{Evaluation, Problem};
use crate::product::Product;

/// Some measurements, each with the noise on its target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Which, ascending; those of a later term are counted on after the ones before.
    pub places: Vec<usize>,
    /// What is added to the target of each.
    pub noise: Vec<f64>,
}

impl Problem {
    /// Leaves the gradient with respect to W of the loss on a batch in `evaluation.cotangent`, times the number of all
    /// measurements over that of the batch: without noise, its mean over all batches of one size is the gradient of the loss.
    pub fn evaluate_batch(
        &self,
        product: &Product<'_>,
        batch: &Batch,
        evaluation: &mut Evaluation,
    ) {
        let Evaluation { cotangent, room, seen, .. } = evaluation;
        cotangent.clear(self.shape);
        let share = self.measurements() as f64 / batch.places.len() as f64;
        let (mut begin, mut rest) = (0, batch.places.iter().zip(&batch.noise).peekable());
        for term in &self.terms {
            let end = begin + term.targets.len();
            seen.resize(term.targets.len(), 0.0);
            term.observation.apply(product, room, seen);
            // A target that is higher by the noise is the same as a measurement that is lower by it.
            let own = rest.clone().take_while(|(place, _)| **place < end);
            own.for_each(|(place, noise)| seen[place - begin] -= noise);
            term.loss.value_and_slope(seen, &term.targets);
            let mut next = 0;
            while let Some((place, _)) = rest.next_if(|(place, _)| **place < end) {
                seen[next..place - begin].fill(0.0);
                seen[place - begin] *= share * term.weight;
                next = place - begin + 1;
            }
            seen[next..].fill(0.0);
            term.observation.adjoint_taking(seen, cotangent);
            begin = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::linalg::{Mat, axpy};
    use crate::problem::{Constant, Full, Sensing, Squared, Term};

    /// Four entries and three operators of a 2 x 2 matrix, weights 1 and 0.5.
    fn problem() -> Problem {
        let operators = Sensing::gaussian((2, 2), 3, 0).unwrap();
        let loss = Arc::new(Squared { constant: Constant::Mean, weights: None });
        let term = |observation, targets, weight| Term {
            observation,
            targets,
            loss: loss.clone() as Arc<_>,
            weight,
        };
        Problem::sum(vec![
            term(Arc::new(Full::new((2, 2))), vec![1.0, 2.0, 3.0, 4.0], 1.0),
            term(Arc::new(operators), vec![0.5, -1.0, 2.0], 0.5),
        ])
        .unwrap()
    }

    fn gradient(evaluate: impl Fn(&Product<'_>, &mut Evaluation)) -> Mat {
        let w = Mat::from_columns(2, 2, vec![0.3, -0.2, 0.9, 0.1]);
        let mut evaluation = Evaluation::default();
        evaluate(&Product::Dense(w.view()), &mut evaluation);
        evaluation.cotangent.to_dense()
    }

    #[test]
    fn the_mean_over_all_batches_is_the_gradient() {
        let problem = problem();
        let whole = gradient(|w, evaluation| {
            problem.evaluate(w, evaluation);
        });
        let (mut mean, mut count) = (Mat::zeros(2, 2), 0.0);
        for first in 0..7 {
            for second in first + 1..7 {
                let batch = Batch { places: vec![first, second], noise: vec![0.0; 2] };
                let part = gradient(|w, evaluation| problem.evaluate_batch(w, &batch, evaluation));
                axpy(1.0, part.values(), mean.values_mut());
                count += 1.0;
            }
        }
        assert!(mean.scaled(1.0 / count).minus(&whole).max_abs() < 1e-14);
    }

    #[test]
    fn noise_is_added_to_the_target() {
        let problem = problem();
        // ∂/∂W₁₁ of (7/1) · (1/4) (W₁₁ − (2 + s))², W₁₁ being the second stored number.
        let batch = Batch { places: vec![1], noise: vec![0.5] };
        let found = gradient(|w, evaluation| problem.evaluate_batch(w, &batch, evaluation));
        assert!((found.values()[1] - 7.0 / 4.0 * 2.0 * (-0.2 - 2.5)).abs() < 1e-14);
        assert_eq!((found.values()[0], found.values()[2]), (0.0, 0.0));
    }
}
