//! Latents that are free parameters, decoded by a network: nonlinear factorization.

use std::sync::Arc;

use super::layer::{Dense, Latents, Layer, Network, ScaledTanh};
use super::linear_output::{Given, LinearOutput, must_have_widths};
use super::{Model, Params, Pass, Precision};
use crate::Result;
use crate::data::Shape;
use crate::linalg::Mat;
use crate::product::{Cotangent, Outer, Product};

/// How much wider than Glorot's the weights are drawn.
const SPREAD: f64 = 4.0;

/// Row i of W is g(z_i), with a free latent z_i and a network g: dense layers, each but the last followed by 1.7159 tanh(2 x / 3).
///
/// The latents are slot 0 (rows × length) and zero at the start; weights and biases are uniform within ±4 √(6 / (before + after)). As the last layer is linear,
/// the product is the thin one of (h | 1) and (w | b).
///
/// Source: Fan and Cheng 2018, "Matrix completion by deep matrix factorization".
#[derive(Clone, Debug)]
pub struct FreeLatent<T = f64> {
    rows: usize,
    inner: LinearOutput<T>,
    params: Params,
}

impl<T: Precision> FreeLatent<T> {
    /// Latents of length `latent`, and a decoder with hidden layers of widths `hidden`.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a width of zero or no hidden layer.
    pub fn new(shape: Shape, latent: usize, hidden: &[usize], seed: u64) -> Result<Self> {
        must_have_widths("a decoder", &[shape.0, shape.1, latent])?;
        must_have_widths("a decoder", hidden)?;
        let Some(&last) = hidden.last() else {
            return Err(crate::Error::parameter("the number of hidden layers", "1 or more", 0));
        };
        let mut layers: Vec<Arc<dyn Layer<T>>> = vec![Arc::new(Latents::new(shape.0, latent))];
        let mut width = latent;
        for &after in hidden {
            layers.push(Arc::new(Dense::new(width, after)));
            layers.push(Arc::new(ScaledTanh::new(after)));
            width = after;
        }
        let inner = LinearOutput::new(Network::new(layers)?, last, shape.1);
        let mut params = inner.params();
        LinearOutput::<T>::start(&mut params, SPREAD, true, seed);
        Ok(Self { rows: shape.0, inner, params })
    }

    /// Draws weights and biases anew within ±`spread` √(6 / (before + after)) instead of the published four times it.
    #[must_use]
    pub fn spread(mut self, spread: f64, seed: u64) -> Self {
        LinearOutput::<T>::start(&mut self.params, spread, true, seed);
        self
    }

    /// One penalty for each matrix of the parameters: of the latents, of weights, none of biases.
    pub fn penalties(&self, latents: f64, weights: f64) -> Vec<f64> {
        let penalty = |name: &str| match name.rsplit('.').next() {
            Some("latents") => latents,
            Some("weight") => weights,
            _ => 0.0,
        };
        self.params.slots().iter().map(|slot| penalty(&slot.name)).collect()
    }
}

impl<T: Precision> Model for FreeLatent<T> {
    fn shape(&self) -> Shape {
        (self.rows, self.inner.outputs())
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        self.inner.forward(&self.params, Given::Nothing(self.rows), None, pass);
        let (codes, weights) = LinearOutput::<T>::factors(pass);
        Product::Outer(Outer { left: codes.view(), right: weights.view() })
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let slopes = |[codes, weights]: [&Mat; 2], [of_codes, of_weights]: [&mut Mat; 2]| {
            product.left_product(codes.view(), of_weights);
            product.right_product(weights.view(), of_codes);
        };
        self.inner.backward(&self.params, Given::Nothing(self.rows), None, pass, slopes, into);
    }
}
