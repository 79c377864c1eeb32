//! Krylov spaces of symmetric operators: extreme eigenvalues with a certificate, and Gauss quadrature.

use super::{Eigen, Mat, axpy, dot, eigen, norm, scale, unit};
use crate::random::{Purpose, normal, stream};
use crate::{Error, Result};

/// `out ← A x` for a symmetric A.
pub type SymmetricOperator<'a> = dyn FnMut(&[f64], &mut [f64]) + 'a;

/// Which end of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The largest eigenvalue.
    Largest,
    /// The smallest eigenvalue.
    Smallest,
}

/// An eigenvalue with its certificate: some eigenvalue of A lies within `residual` of `value`, since ‖A v − value · v‖ is
/// no more. For the largest eigenvalue `value` is also a lower bound, for the smallest an upper one.
#[derive(Clone, Debug)]
pub struct Eigenvalue {
    /// The Rayleigh quotient of `vector`.
    pub value: f64,
    /// ‖A v − value · v‖ by one more product, and what rounding may add.
    pub residual: f64,
    /// v, of length 1.
    pub vector: Vec<f64>,
    /// Products with A that it took.
    pub products: usize,
}

/// An orthonormal basis of span{x, A x, A² x, …} by Lanczos' recurrence, orthogonalised again against all that was.
#[derive(Clone, Debug)]
pub struct Krylov {
    basis: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
}

impl Krylov {
    /// The space of one start, which need not have length 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a start of length 0, [`Error::NotFinite`].
    pub fn new(start: &[f64]) -> Result<Self> {
        let length = norm(start);
        if !length.is_finite() {
            return Err(Error::NotFinite {
                what: "the start of a Krylov space".into(),
                found: length,
            });
        }
        if length == 0.0 {
            return Err(Error::parameter("the length of the start", "above 0", length));
        }
        let first = start.iter().map(|x| x / length).collect();
        Ok(Self { basis: vec![first], diagonal: Vec::new(), beside: Vec::new() })
    }

    /// Products made so far.
    pub fn len(&self) -> usize {
        self.diagonal.len()
    }

    /// Whether no product was made yet.
    pub fn is_empty(&self) -> bool {
        self.diagonal.is_empty()
    }

    /// Makes one more product; says whether the space still grows.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the product is not finite.
    pub fn grow(&mut self, apply: &mut SymmetricOperator<'_>) -> Result<bool> {
        let last = &self.basis[self.len()];
        let mut next = vec![0.0; last.len()];
        apply(last, &mut next);
        let (along, length) = (dot(last, &next), norm(&next));
        if !length.is_finite() {
            return Err(Error::NotFinite {
                what: "every product of an operator".into(),
                found: length,
            });
        }
        self.diagonal.push(along);
        // Lanczos' own recurrence first, so that one pass against all is enough.
        axpy(-along, last, &mut next);
        if let Some(before) = self.len().checked_sub(2) {
            axpy(-self.beside[before], &self.basis[before], &mut next);
        }
        for vector in &self.basis {
            axpy(-dot(vector, &next), vector, &mut next);
        }
        let rest = norm(&next);
        let size = self.diagonal.iter().chain(&self.beside).fold(length, |m, x| m.max(x.abs()));
        // What is left is rounding: the space is invariant, or everything.
        if rest <= 4.0 * f64::EPSILON * size || self.len() == next.len() {
            self.beside.push(0.0);
            return Ok(false);
        }
        scale(1.0 / rest, &mut next);
        self.beside.push(rest);
        self.basis.push(next);
        Ok(true)
    }

    /// Eigenvalues and eigenvectors of the tridiagonal matrix: Ritz values, ascending, or the nodes of the quadrature
    /// Σ w f(node) for xᵀ f(A) x, whose weights w are the squares of the first row of the vectors.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the iteration does not converge.
    pub fn ritz(&self) -> Result<Eigen> {
        let size = self.len();
        let small = Mat::from_fn(size, size, |i, j| {
            if i == j {
                self.diagonal[i]
            } else if i.abs_diff(j) == 1 {
                self.beside[i.min(j)]
            } else {
                0.0
            }
        });
        eigen(small.view())
    }

    /// The residual that the recurrence predicts for a Ritz vector.
    fn predicted(&self, ritz: &Eigen, place: usize) -> f64 {
        let last = self.len() - 1;
        (self.beside[last] * ritz.vectors[(last, place)]).abs()
    }

    fn vector(&self, weights: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.basis[0].len()];
        for (vector, weight) in self.basis.iter().zip(weights) {
            axpy(*weight, vector, &mut out);
        }
        out
    }
}

/// One end of the spectrum of a symmetric operator, to a residual of `tolerance` times its size, from `start`.
///
/// "Its size" is that of the eigenvalue at the largest end, that of the operator at the smallest. The search ends after 600 products at the latest, and
/// at a loose tolerance may settle on an eigenvalue beside the last one. Lanczos with full orthogonalisation; a start that was built from the structure of A should carry some random part, since what
/// it is orthogonal to is never found. Where rounding keeps it above the tolerance the residual says so.
///
/// # Errors
/// As [`Krylov::new`] and [`Krylov::grow`].
pub fn extreme_eigenvalue(
    apply: &mut SymmetricOperator<'_>,
    start: &[f64],
    end: End,
    tolerance: f64,
) -> Result<Eigenvalue> {
    let mut space = Krylov::new(start)?;
    let mut look = 8;
    loop {
        let grows = space.grow(apply)?;
        if grows && space.len() < look && space.len() < MOST {
            continue;
        }
        look = space.len() + (space.len() / 8).max(2);
        let ritz = space.ritz()?;
        let place = if end == End::Largest { ritz.values.len() - 1 } else { 0 };
        let size = ritz.values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        // A smallest eigenvalue near zero has the size of the operator for its measure.
        let own = if end == End::Largest { ritz.values[place].abs() } else { size };
        let small = tolerance * own.max(f64::EPSILON * size);
        if grows && space.len() < MOST && space.predicted(&ritz, place) > small {
            continue;
        }
        let vector = unit(space.vector(ritz.vectors.col(place)));
        let mut image = vec![0.0; vector.len()];
        apply(&vector, &mut image);
        let value = dot(&vector, &image);
        axpy(-value, &vector, &mut image);
        let rounding = f64::EPSILON * (vector.len() as f64).sqrt() * size;
        let products = space.len() + 1;
        return Ok(Eigenvalue { value, residual: norm(&image) + rounding, vector, products });
    }
}

/// Products after which the search ends whatever the residual is.
const MOST: usize = 600;

/// A direction of independent normal numbers, for starts and probes.
pub fn normal_vector(size: usize, seed: u64, item: u64) -> Vec<f64> {
    let mut random = stream(seed, Purpose::Sketch, item);
    (0..size).map(|_| normal(&mut random)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{MatRef, random_orthogonal};

    fn with_spectrum(values: &[f64]) -> Mat {
        let size = values.len();
        let q = random_orthogonal(size, size, &mut stream(3, Purpose::Sketch, 1));
        let scaled = Mat::from_fn(size, size, |i, j| q[(i, j)] * values[j]);
        scaled.view().times(q.t())
    }

    fn operator(a: &Mat) -> impl FnMut(&[f64], &mut [f64]) + '_ {
        |x, out| out.copy_from_slice(a.times_vector(x).values())
    }

    impl Mat {
        fn times_vector(&self, x: &[f64]) -> Mat {
            self.view().times(MatRef::new(x.len(), 1, x))
        }
    }

    #[test]
    fn both_ends_are_found_and_their_intervals_hold_them() {
        let values: Vec<f64> = (0..40).map(|i| (f64::from(i) - 11.5).powi(3)).collect();
        let a = with_spectrum(&values);
        let start = normal_vector(40, 0, 0);
        for (end, expected) in [(End::Largest, values[39]), (End::Smallest, values[0])] {
            for tolerance in [1e-2, 1e-6, 1e-10] {
                let found = extreme_eigenvalue(&mut operator(&a), &start, end, tolerance).unwrap();
                let error = (found.value - expected).abs();
                assert!(error <= found.residual, "{end:?} {tolerance}: {error} {}", found.residual);
                // In units of the eigenvalue at the largest end, of the operator at the smallest.
                assert!(found.residual <= 2.0 * tolerance * values[39] + 1e-9);
            }
        }
    }

    #[test]
    fn an_invariant_space_ends_the_search() {
        let a = with_spectrum(&[2.0, 2.0, 2.0, -1.0, -1.0, 5.0]);
        let start = normal_vector(6, 1, 0);
        let found = extreme_eigenvalue(&mut operator(&a), &start, End::Largest, 1e-12).unwrap();
        assert!((found.value - 5.0).abs() < 1e-13 && found.products <= 5);
        let zero = Mat::zeros(3, 3);
        let found = extreme_eigenvalue(&mut operator(&zero), &[1.0, 2.0, 3.0], End::Smallest, 1e-9);
        assert!(found.unwrap().value.abs() < 1e-300);
    }

    #[test]
    fn quadrature_is_exact_for_polynomials_of_low_degree() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let a = with_spectrum(&values);
        let x = normal_vector(12, 2, 0);
        let mut space = Krylov::new(&x).unwrap();
        for _ in 0..3 {
            space.grow(&mut operator(&a)).unwrap();
        }
        let ritz = space.ritz().unwrap();
        let squared = dot(&x, &x);
        let quadrature: f64 =
            (0..3).map(|k| squared * ritz.vectors[(0, k)].powi(2) * ritz.values[k].powi(5)).sum();
        let mut powers = x.clone();
        (0..5).for_each(|_| powers = a.times_vector(&powers).values().to_vec());
        assert!((quadrature / dot(&x, &powers) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_start_of_nothing_is_refused() {
        let error = Krylov::new(&[0.0, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "the length of the start must be above 0, but it is 0");
        assert!(Krylov::new(&[f64::NAN]).is_err());
    }
}
