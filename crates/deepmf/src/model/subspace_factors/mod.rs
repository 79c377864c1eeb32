//! Two factors of a known matrix, each in one of its singular subspaces.

#[cfg(test)]
mod tests;
mod variation;

pub use variation::FactorVariation;
use variation::VariationRoom;

use super::{Mode, Model, Params, Pass, Precision};
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, Svd, multiply};
use crate::product::{Cotangent, Product};
use crate::{Error, Result};

/// How what is asked of [`SubspaceFactors`] becomes sharp along a fit: geometrically, over so many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Continuation {
    /// Steps until the last values are reached; they hold from then on and wherever nothing is trained.
    pub steps: u64,
    /// The first and the last width below which a difference counts by its square.
    pub width: (f64, f64),
    /// The first and the last power of s_k / s_1 by which row k of the residual is weighted.
    pub power: (f64, f64),
}

impl Continuation {
    /// Width and power in a pass.
    fn at(&self, mode: Mode) -> (f64, f64) {
        let done = match mode {
            Mode::Training { step, .. } if step < self.steps => step as f64 / self.steps as f64,
            _ => 1.0,
        };
        let width = self.width.0.powf(1.0 - done) * self.width.1.powf(done);
        (width, self.power.0 + done * (self.power.1 - self.power.0))
    }
}

/// One factor: basis · core, of which the core is trained.
#[derive(Clone, Debug)]
struct Side<T> {
    /// Rows x inside; none for the identity.
    basis: Option<Vec<T>>,
    rows: usize,
    inside: usize,
    variation: FactorVariation,
}

/// T = U diag(s) C and L = B Vᵀ with U diag(s) Vᵀ the leading part of Z: T·L is that part where C·B is the identity. The product that is
/// fitted, to zeros, is diag(s_k / s_1)^p · (C·B − 1): unlike the error of Z it tells the last singular value as well as the first once p is small. What is
/// known of the factors beforehand is [`Model::penalty`]: their total variation and their sign. C is vectors x hidden, B hidden x vectors.
///
/// A light of which T leaves a part unseen has that part of its own: [`SubspaceFactors::with_any_light`] fits diag(s_k / s_1)^p · (C·L − Vᵀ), with L itself
/// for the second core. An image with sharp edges is such a light, its part within the rows of Z is not.
#[derive(Clone, Debug)]
pub struct SubspaceFactors<T = f32> {
    /// T as observed x hidden, L transposed, as columns of Z x hidden.
    sides: [Side<T>; 2],
    values: Vec<f64>,
    /// What the product of both cores should be, vectors x inside of the second; none for the identity.
    target: Option<Vec<f64>>,
    hidden: usize,
    continuation: Continuation,
    params: Params,
}

/// What the factors keep in a pass.
#[derive(Clone, Debug, Default)]
pub struct FactorRoom<T> {
    product: Vec<T>,
    /// The weight of each row of the residual.
    weights: Vec<f64>,
    factor: Vec<T>,
    variation: VariationRoom<T>,
    /// The slopes of the penalties with respect to both cores; empty where none was asked for.
    cores: Vec<T>,
}

impl<T: Precision> SubspaceFactors<T> {
    /// With cores of zero, in the subspaces of `svd` (Z's leading part), `variations` being those of T (along the observed rows, across the hidden index)
    /// and of Lᵀ (along time, across the hidden index).
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is no triplet or fewer than 2 of observed rows, columns or hidden places, or a width or weight cannot be.
    pub fn new(
        svd: &Svd,
        hidden: usize,
        variations: [FactorVariation; 2],
        continuation: Continuation,
    ) -> Result<Self> {
        let (rows, cols, vectors) = (svd.u.rows(), svd.v.rows(), svd.s.len());
        if vectors == 0 || svd.s[0] <= 0.0 {
            return Err(Error::parameter("singular values above 0", "1 or more", 0));
        }
        if rows.min(cols).min(hidden) < 2 {
            let found = format!("{rows} x {hidden} and {hidden} x {cols}");
            return Err(Error::parameter("the factors", "2 x 2 or larger", found));
        }
        let (first, last) = continuation.width;
        if !(first > 0.0 && last > 0.0 && first.is_finite() && last.is_finite()) {
            let found = format!("{first} and {last}");
            return Err(Error::parameter("the widths of a continuation", "above 0", found));
        }
        variations.iter().try_for_each(FactorVariation::check)?;
        let scaled = Mat::from_fn(rows, vectors, |i, k| svd.s[k] * svd.u[(i, k)]);
        let [of_transport, of_light] = variations;
        let side = |basis: &Mat, variation| {
            let numbers = basis.values().iter().map(|x| T::of(*x)).collect();
            Side { basis: Some(numbers), rows: basis.rows(), inside: vectors, variation }
        };
        let core = |name: &str| (name.to_string(), vectors, hidden, false);
        Ok(Self {
            sides: [side(&scaled, of_transport), side(&svd.v, of_light)],
            values: svd.s.clone(),
            target: None,
            hidden,
            continuation,
            params: Params::of::<T>([core("transport"), core("light")]),
        })
    }

    /// The same with any matrix for L, of which the transpose is the second core: columns of Z x hidden.
    ///
    /// # Errors
    /// As [`SubspaceFactors::new`].
    pub fn with_any_light(
        svd: &Svd,
        hidden: usize,
        variations: [FactorVariation; 2],
        continuation: Continuation,
    ) -> Result<Self> {
        let mut model = Self::new(svd, hidden, variations, continuation)?;
        let (cols, vectors) = (svd.v.rows(), svd.s.len());
        let light = &mut model.sides[1];
        (light.basis, light.inside) = (None, cols);
        model.target = Some(svd.v.t().to_mat().values().to_vec());
        let core = |name: &str, rows| (name.to_string(), rows, hidden, false);
        model.params = Params::of::<T>([core("transport", vectors), core("light", cols)]);
        Ok(model)
    }

    /// Sets both cores, each with as many rows as its basis has vectors: C, and Bᵀ or Lᵀ.
    ///
    /// # Errors
    /// As [`Params::set`].
    pub fn set(&mut self, cores: &[Mat; 2]) -> Result<()> {
        let all: Vec<f64> = cores.iter().flat_map(Mat::values).copied().collect();
        let found = cores.each_ref().map(|core| (core.rows(), core.cols()));
        let expected = self.sides.each_ref().map(|side| (side.inside, self.hidden));
        if found != expected {
            let words = |both: [Shape; 2]| {
                let [first, second] = both.map(crate::data::words);
                format!("{first} and {second}")
            };
            return Err(Error::shape("both cores", words(expected), words(found)));
        }
        let to = T::slice_mut(self.params.numbers_mut());
        to.iter_mut().zip(all).for_each(|(to, x)| *to = T::of(x));
        Ok(())
    }

    /// C, and Bᵀ or Lᵀ, as [`SubspaceFactors::set`] takes them.
    pub fn cores(&self) -> [Mat; 2] {
        [0, 1].map(|side| {
            let numbers = self.core(side).iter().map(|x| x.double()).collect();
            Mat::from_columns(self.sides[side].inside, self.hidden, numbers)
        })
    }

    /// T, observed x hidden.
    pub fn transport(&self) -> Mat {
        self.factor(0)
    }

    /// L, hidden x columns of Z.
    pub fn light(&self) -> Mat {
        self.factor(1).t().to_mat()
    }

    /// How many singular vectors there are on each side.
    pub fn vectors(&self) -> usize {
        self.values.len()
    }

    fn factor(&self, side: usize) -> Mat {
        let Side { basis, rows, inside, .. } = &self.sides[side];
        let [first, second] = self.cores();
        let core = if side == 0 { first } else { second };
        let Some(basis) = basis else { return core };
        let basis = basis.iter().map(|x| x.double()).collect();
        Mat::from_columns(*rows, *inside, basis).times(&core)
    }

    /// The numbers of a core, one hidden place after another.
    fn core(&self, side: usize) -> &[T] {
        let (first, second) =
            T::slice(self.params.numbers()).split_at(self.vectors() * self.hidden);
        if side == 0 { first } else { second }
    }

    fn matrix<'a>(&self, side: usize, core: &'a [T]) -> MatRef<'a, T> {
        MatRef::new(self.sides[side].inside, self.hidden, core)
    }

    /// The weights of the rows of the residual in a pass.
    fn weights(&self, mode: Mode) -> impl Iterator<Item = f64> + '_ {
        let (_, power) = self.continuation.at(mode);
        self.values.iter().map(move |value| (value / self.values[0]).powf(power))
    }
}

impl<T: Precision> Model for SubspaceFactors<T> {
    fn shape(&self) -> Shape {
        (self.vectors(), self.sides[1].inside)
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    fn is_network(&self) -> bool {
        true
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        let (mode, (vectors, inside)) = (pass.mode, self.shape());
        let mut room = std::mem::take(&mut T::branches(pass)[0].factors);
        let FactorRoom { product, weights, cores, .. } = &mut room;
        cores.clear();
        weights.clear();
        weights.extend(self.weights(mode));
        product.resize(vectors * inside, T::default());
        let out = MatMut::new(vectors, inside, product);
        let [first, second] = [0, 1].map(|side| self.matrix(side, self.core(side)));
        multiply(out, Accumulate::Replace, T::of(1.0), first, second.t());
        let whole = &mut pass.tape(1)[0];
        whole.reshape(vectors, inside);
        for (place, (to, from)) in whole.values_mut().iter_mut().zip(&*product).enumerate() {
            let (k, l) = (place % vectors, place / vectors);
            let target = match &self.target {
                Some(target) => target[place],
                None => f64::from(u8::from(k == l)),
            };
            *to = weights[k] * (from.double() - target);
        }
        T::branches(pass)[0].factors = room;
        Product::Dense(pass.tape(1)[0].view())
    }

    fn penalty(&self, pass: &mut Pass) -> f64 {
        let (width, _) = self.continuation.at(pass.mode);
        let FactorRoom { factor, variation, cores, .. } = &mut T::branches(pass)[0].factors;
        cores.resize(self.params.numbers().len(), T::default());
        let (first, second) = cores.split_at_mut(self.vectors() * self.hidden);
        let both = self.sides.iter().zip([first, second]).enumerate();
        both.map(|(place, (side, into))| {
            let core = self.core(place);
            let Some(basis) = &side.basis else {
                let value = side.variation.value((side.rows, width), core, variation);
                into.copy_from_slice(&variation.slope);
                return value;
            };
            let basis = MatRef::new(side.rows, side.inside, basis);
            factor.resize(side.rows * self.hidden, T::default());
            let out = MatMut::new(side.rows, self.hidden, factor);
            multiply(out, Accumulate::Replace, T::of(1.0), basis, self.matrix(place, core));
            let value = side.variation.value((side.rows, width), factor, variation);
            let slope = MatRef::new(side.rows, self.hidden, &variation.slope);
            let out = MatMut::new(side.inside, self.hidden, into);
            multiply(out, Accumulate::Replace, T::of(1.0), basis.t(), slope);
            value
        })
        .sum()
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let (vectors, inside) = self.shape();
        let mut whole = std::mem::take(&mut pass.tape(2)[1]);
        let (slope, _) = product.dense_in(&mut whole).stored();
        let FactorRoom { product, weights, cores, .. } = &mut T::branches(pass)[0].factors;
        for (place, (to, slope)) in product.iter_mut().zip(slope).enumerate() {
            *to = T::of(weights[place % vectors] * slope);
        }
        let (first, second) = T::slice_mut(into.numbers_mut()).split_at_mut(vectors * self.hidden);
        let slope = MatRef::new(vectors, inside, product);
        let one = T::of(1.0);
        let out = MatMut::new(vectors, self.hidden, first);
        multiply(out, Accumulate::Replace, one, slope, self.matrix(1, self.core(1)));
        let out = MatMut::new(inside, self.hidden, second);
        multiply(out, Accumulate::Replace, one, slope.t(), self.matrix(0, self.core(0)));
        let numbers = T::slice_mut(into.numbers_mut());
        numbers.iter_mut().zip(&*cores).for_each(|(to, slope)| *to += *slope);
        pass.tape(2)[1] = whole;
    }
}
