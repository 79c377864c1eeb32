//! A run of numbers in double or single precision, and the trait by which generic code gets at them.

use super::{Branch, Pass};
use crate::linalg::{Real, norm};

/// Numbers in one of two precisions.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// f64.
    Double(Vec<f64>),
    /// f32.
    Single(Vec<f32>),
}

/// A precision in which [`Numbers`] may be.
pub trait Precision: Real {
    /// `count` zeros.
    fn zeros(count: usize) -> Numbers;

    /// The numbers.
    ///
    /// # Panics
    /// If they are of the other precision.
    fn slice(numbers: &Numbers) -> &[Self];

    /// The numbers.
    ///
    /// # Panics
    /// If they are of the other precision.
    fn slice_mut(numbers: &mut Numbers) -> &mut [Self];

    /// Where the networks of this precision leave what they keep in a pass.
    fn branches(pass: &mut Pass) -> &mut [Branch<Self>; 2];
}

const OTHER: &str = "numbers of the other precision are refused where they come in";

impl Precision for f64 {
    fn zeros(count: usize) -> Numbers {
        Numbers::Double(vec![0.0; count])
    }

    fn slice(numbers: &Numbers) -> &[Self] {
        let Numbers::Double(values) = numbers else { unreachable!("{OTHER}") };
        values
    }

    fn slice_mut(numbers: &mut Numbers) -> &mut [Self] {
        let Numbers::Double(values) = numbers else { unreachable!("{OTHER}") };
        values
    }

    fn branches(pass: &mut Pass) -> &mut [Branch<Self>; 2] {
        &mut pass.double
    }
}

impl Precision for f32 {
    fn zeros(count: usize) -> Numbers {
        Numbers::Single(vec![0.0; count])
    }

    fn slice(numbers: &Numbers) -> &[Self] {
        let Numbers::Single(values) = numbers else { unreachable!("{OTHER}") };
        values
    }

    fn slice_mut(numbers: &mut Numbers) -> &mut [Self] {
        let Numbers::Single(values) = numbers else { unreachable!("{OTHER}") };
        values
    }

    fn branches(pass: &mut Pass) -> &mut [Branch<Self>; 2] {
        &mut pass.single
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Double(Vec::new())
    }
}

impl Numbers {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Double(values) => values.len(),
            Self::Single(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `count` of them.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        match self {
            Self::Double(values) => Self::Double(values[..count].to_vec()),
            Self::Single(values) => Self::Single(values[..count].to_vec()),
        }
    }

    /// As many zeros of the same precision.
    #[must_use]
    pub fn zeros_like(&self) -> Self {
        match self {
            Self::Double(values) => f64::zeros(values.len()),
            Self::Single(values) => f32::zeros(values.len()),
        }
    }

    /// The same in double precision, each number as it is.
    pub fn to_double(&self) -> Vec<f64> {
        match self {
            Self::Double(values) => values.clone(),
            Self::Single(values) => values.iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// The same numbers in single precision if that changes none of them, else as they are.
    #[must_use]
    pub fn compact(self) -> Self {
        match self {
            Self::Double(values) if values.iter().all(|x| f64::from(*x as f32) == *x) => {
                Self::Single(values.iter().map(|x| *x as f32).collect())
            }
            same => same,
        }
    }

    /// Takes over numbers, rounded to the precision that these have.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn copy_from(&mut self, other: &Self) {
        assert_eq!(self.len(), other.len(), "as many numbers");
        match (self, other) {
            (Self::Double(to), Self::Double(from)) => to.copy_from_slice(from),
            (Self::Single(to), Self::Single(from)) => to.copy_from_slice(from),
            (Self::Double(to), Self::Single(from)) => {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = f64::from(*from));
            }
            (Self::Single(to), Self::Double(from)) => {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
            }
        }
    }

    /// The Euclidean norm.
    pub fn norm(&self) -> f64 {
        match self {
            Self::Double(values) => norm(values),
            Self::Single(values) => {
                values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
            }
        }
    }

    /// The Euclidean distance to as many others of the same precision.
    pub fn distance(&self, other: &Self) -> f64 {
        fn squares<T: Real>(a: &[T], b: &[T]) -> f64 {
            a.iter().zip(b).map(|(a, b)| (a.double() - b.double()).powi(2)).sum()
        }
        match self {
            Self::Double(values) => squares(values, f64::slice(other)).sqrt(),
            Self::Single(values) => squares(values, f32::slice(other)).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_made_compact_only_if_none_changes() {
        let exact = Numbers::Double(vec![0.5, -3.0]);
        assert_eq!(exact.compact(), Numbers::Single(vec![0.5, -3.0]));
        let inexact = Numbers::Double(vec![0.5, 0.1]);
        assert_eq!(inexact.clone().compact(), inexact);
    }

    #[test]
    fn lengths_and_distances_are_as_by_hand() {
        let (a, b) = (Numbers::Single(vec![3.0, 4.0]), Numbers::Single(vec![0.0, 0.0]));
        assert_eq!((a.norm(), a.distance(&b), a.zeros_like()), (5.0, 5.0, b));
        let mut single = Numbers::Single(vec![0.0]);
        single.copy_from(&Numbers::Double(vec![0.1]));
        assert_eq!(single, Numbers::Single(vec![0.1]));
    }
}
