//! Resilient backpropagation with weight backtracking, iRprop⁺: signs alone of the gradient, a step of its own for each parameter
//! (Igel and Hüsken 2003, "Empirical evaluation of the improved Rprop learning algorithms").

use super::elementwise::{Rule, each};
use super::{Optimizer, must_be_positive, number, part};
use crate::linalg::Real;
use crate::model::{Model, Numbers, Precision};
use crate::problem::Problem;
use crate::train::Room;
use crate::{Error, Result};

/// iRprop⁺, for the gradient of everything (on blocks or batches signs say little).
///
/// The step of a parameter grows by 1.2 where its slope keeps its sign and halves where the sign changes; there the last move is taken back if the
/// loss rose, and the next one goes down whatever the slope is.
#[derive(Clone, Debug)]
pub struct Rprop {
    start: f64,
    factors: (f64, f64),
    limits: (f64, f64),
    loss: f64,
    lengths: Numbers,
    slopes: Numbers,
    moves: Numbers,
}

impl Rprop {
    /// First steps of length `start`, factors 0.5 and 1.2, lengths from 0 to 50.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `start` is not above 0.
    pub fn new(start: f64) -> Result<Self> {
        must_be_positive("start", start)?;
        Ok(Self {
            start,
            factors: (0.5, 1.2),
            limits: (0.0, 50.0),
            loss: f64::INFINITY,
            lengths: Numbers::default(),
            slopes: Numbers::default(),
            moves: Numbers::default(),
        })
    }

    /// Multiplies a length by `shrink` where the sign of the slope changes, by `grow` where it stays.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless 0 < `shrink` < 1 < `grow`.
    pub fn factors(self, shrink: f64, grow: f64) -> Result<Self> {
        if !(shrink > 0.0 && shrink < 1.0) {
            return Err(Error::parameter("shrink", "above 0 and below 1", shrink));
        }
        if !(grow.is_finite() && grow > 1.0) {
            return Err(Error::parameter("grow", "above 1", grow));
        }
        Ok(Self { factors: (shrink, grow), ..self })
    }

    /// Keeps lengths from `least` to `most`.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless 0 ≤ `least` < `most`.
    pub fn limits(self, least: f64, most: f64) -> Result<Self> {
        super::must_not_be_negative("least", least)?;
        if !(most.is_finite() && most > least) {
            return Err(Error::parameter("most", format!("above {least}"), most));
        }
        Ok(Self { limits: (least, most), ..self })
    }
}

struct Move {
    rose: bool,
    factors: (f64, f64),
    limits: (f64, f64),
}

impl Rule<3> for Move {
    fn apply<T: Real>(&self, x: &mut [T], g: &[T], [lengths, slopes, moves]: [&mut [T]; 3]) {
        let (shrink, grow) = (T::of(self.factors.0), T::of(self.factors.1));
        let (least, most) = (T::of(self.limits.0), T::of(self.limits.1));
        let zero = T::default();
        let numbers = x.iter_mut().zip(lengths).zip(slopes).zip(moves).zip(g);
        for ((((x, length), before), last), &g) in numbers {
            let turned = (*before > zero && g < zero) || (*before < zero && g > zero);
            if turned {
                let shorter = *length * shrink;
                *length = if shorter < least { least } else { shorter };
                if self.rose {
                    *x -= *last;
                }
                *before = zero;
                continue;
            }
            if *before != zero && g != zero {
                let longer = *length * grow;
                *length = if longer > most { most } else { longer };
            }
            *last = if g > zero {
                -*length
            } else if g < zero {
                *length
            } else {
                zero
            };
            *x += *last;
            *before = g;
        }
    }
}

fn filled<T: Precision>(count: usize, value: f64) -> Numbers {
    let mut numbers = T::zeros(count);
    T::slice_mut(&mut numbers).fill(T::of(value));
    numbers
}

impl Optimizer for Rprop {
    fn step(&mut self, _problem: &Problem, model: &mut dyn Model, room: &mut Room) {
        let count = room.gradient.numbers().len();
        if self.lengths.len() != count {
            self.lengths = match room.gradient.numbers() {
                Numbers::Double(_) => filled::<f64>(count, self.start),
                Numbers::Single(_) => filled::<f32>(count, self.start),
            };
        }
        let rose = room.loss > self.loss;
        self.loss = room.loss;
        let rule = Move { rose, factors: self.factors, limits: self.limits };
        let moments = [&mut self.lengths, &mut self.slopes, &mut self.moves];
        each(&rule, model.params_mut(), &room.gradient, moments);
    }

    fn check(&self, _problem: &Problem, _model: &dyn Model) -> Result<()> {
        Ok(())
    }

    fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("loss", vec![self.loss]),
            ("lengths", self.lengths.to_double()),
            ("slopes", self.slopes.to_double()),
            ("moves", self.moves.to_double()),
        ]
    }

    fn restore(&mut self, state: &dyn Fn(&str) -> Option<Vec<f64>>) -> Result<()> {
        self.loss = number(state, "loss")?;
        self.lengths = Numbers::Double(part(state, "lengths")?);
        self.slopes = Numbers::Double(part(state, "slopes")?);
        self.moves = Numbers::Double(part(state, "moves")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::model::DeepLinear;
    use crate::problem::Constant;

    /// Two numbers on ½ (x − 1)² + ½ · 100 (y + 2)², from (0, 0), after each of so many steps.
    fn course(optimizer: Rprop, steps: usize) -> Vec<[f64; 2]> {
        let target = Mat::from_columns(1, 2, vec![1.0, -2.0]);
        let problem = Problem::full(&target, Constant::HalfSum).unwrap();
        let mut model = DeepLinear::new(&[2, 1]).unwrap();
        model.params_mut().values_mut().fill(0.0);
        let (mut room, mut optimizer) = (Room::new(&model), optimizer);
        let step = |_| {
            room.evaluate(&problem, &model);
            // The second number a hundred times as steep.
            let [x, y] = model.params().values() else { unreachable!("two numbers") };
            room.loss = 0.5 * (x - 1.0).powi(2) + 50.0 * (y + 2.0).powi(2);
            room.gradient.values_mut()[1] *= 100.0;
            optimizer.step(&problem, &mut model, &mut room);
            [model.params().values()[0], model.params().values()[1]]
        };
        (0..steps).map(step).collect()
    }

    #[test]
    fn steps_grow_shrink_and_are_taken_back_as_by_hand() {
        let found = course(Rprop::new(0.5).unwrap(), 5);
        // Lengths 0.5, 0.6. Step 3: x has turned, the loss fell, and x rests with length 0.3; y goes on by 0.72. Step 4: x goes back by 0.3, y goes on by
        // 0.864. Step 5: both have turned and the loss rose, so that both moves are taken back.
        let expected = [[0.5, -0.5], [1.1, -1.1], [1.1, -1.82], [0.8, -2.684], [1.1, -1.82]];
        for (found, expected) in found.iter().zip(expected) {
            let gap = (found[0] - expected[0]).abs().max((found[1] - expected[1]).abs());
            assert!(gap < 1e-12, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn the_minimum_of_a_quadratic_is_reached_whatever_its_steepness() {
        let last = course(Rprop::new(0.0123).unwrap(), 150)[149];
        assert!((last[0] - 1.0).abs() < 1e-6 && (last[1] + 2.0).abs() < 1e-6, "{last:?}");
    }

    #[test]
    fn settings_outside_their_ranges_are_refused() {
        let told = |made: Result<Rprop>| made.unwrap_err().to_string();
        let rprop = || Rprop::new(0.1).unwrap();
        assert_eq!(told(Rprop::new(0.0)), "start must be above 0, but it is 0");
        let shrink = "shrink must be above 0 and below 1, but it is 1";
        assert_eq!(told(rprop().factors(1.0, 1.2)), shrink);
        assert_eq!(told(rprop().factors(0.5, 1.0)), "grow must be above 1, but it is 1");
        assert_eq!(told(rprop().limits(-1.0, 1.0)), "least must be 0 or more, but it is -1");
        assert_eq!(told(rprop().limits(1.0, 1.0)), "most must be above 1, but it is 1");
    }
}
