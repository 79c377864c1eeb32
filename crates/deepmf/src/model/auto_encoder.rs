//! An autoencoder over the columns of a table, which fills in what a column does not say.

use std::sync::Arc;

use super::layer::{Layer, Network, Samples, Sigmoid, SparseDense};
use super::linear_output::{Given, LinearOutput, must_have_widths};
use super::{Model, Params, Pass, Precision};
use crate::data::{Entries, Shape};
use crate::linalg::Mat;
use crate::problem::Block;
use crate::product::{Cotangent, Outer, Product};
use crate::{Error, Result};

/// W_ij = ⟨w_i, h_j⟩ + b_i, with the code h_j = σ(V r_j + μ) of column j, r_j its known entries over the rows and zeros elsewhere.
///
/// The product is the thin one of (w | b) and (h | 1), and its parameters are V (`0.weight`, hidden × rows), μ (`0.bias`), w (`output.weight`, hidden × rows)
/// and b (`output.bias`). New columns need no training: [`AutoEncoder::over`].
///
/// Source: Sedhain, Menon, Sanner and Xie 2015, "AutoRec: autoencoders meet collaborative filtering" (I-AutoRec).
#[derive(Clone, Debug)]
pub struct AutoEncoder<T = f32> {
    columns: Arc<Samples<T>>,
    inner: LinearOutput<T>,
    params: Params,
}

impl<T: Precision> AutoEncoder<T> {
    /// An encoder with random weights over the columns of `entries`, with codes of length `hidden`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a width of zero.
    pub fn new(entries: &Entries, hidden: usize, seed: u64) -> Result<Self> {
        let rows = entries.shape().0;
        must_have_widths("an autoencoder", &[rows, hidden])?;
        let layers: Vec<Arc<dyn Layer<T>>> =
            vec![Arc::new(SparseDense::new(rows, hidden)), Arc::new(Sigmoid::new(hidden))];
        let inner = LinearOutput::new(Network::new(layers)?, hidden, rows);
        let mut params = inner.params();
        LinearOutput::<T>::start(&mut params, 1.0, false, seed);
        Ok(Self { columns: Arc::new(Samples::cols(entries)), inner, params })
    }

    /// The same autoencoder over other columns, each over the rows of the table that it was made for: nothing is trained.
    ///
    /// # Errors
    /// [`Error::Shape`] if a column has another length.
    pub fn over(&self, columns: Samples<T>) -> Result<Self> {
        let (expected, found) = (self.columns.width(), columns.width());
        if expected != found {
            return Err(Error::shape("every column", format!("{expected} entries"), found));
        }
        Ok(Self { columns: Arc::new(columns), ..self.clone() })
    }

    /// One penalty for each matrix of the parameters: the same of both weights, none of biases.
    pub fn penalties(&self, weights: f64) -> Vec<f64> {
        let penalty = |name: &str| if name.ends_with("weight") { weights } else { 0.0 };
        self.params.slots().iter().map(|slot| penalty(&slot.name)).collect()
    }

    fn given(&self, in_block: bool) -> Given<'_, T> {
        if in_block { Given::Taken } else { Given::All(&self.columns) }
    }
}

impl<T: Precision> Model for AutoEncoder<T> {
    fn shape(&self) -> Shape {
        (self.inner.outputs(), self.columns.count())
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
        let block = pass.block.take();
        if let Some(block) = &block {
            T::branches(pass)[0].samples.take(&self.columns, block.cols());
        }
        let which = block.as_ref().map(Block::rows);
        self.inner.forward(&self.params, self.given(block.is_some()), which, pass);
        pass.block = block;
        let (codes, weights) = LinearOutput::<T>::factors(pass);
        Product::Outer(Outer { left: weights.view(), right: codes.view() })
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let block = pass.block.take();
        let which = block.as_ref().map(Block::rows);
        let given = self.given(block.is_some());
        let slopes = |[codes, weights]: [&Mat; 2], [of_codes, of_weights]: [&mut Mat; 2]| {
            product.right_product(codes.view(), of_weights);
            product.left_product(weights.view(), of_codes);
        };
        self.inner.backward(&self.params, given, which, pass, slopes, into);
        pass.block = block;
    }
}
