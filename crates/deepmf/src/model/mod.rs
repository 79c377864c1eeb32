//! Everything to the left of the product: how the matrix is written. A model knows no data.

mod auto_encoder;
mod compressed;
mod decoder;
mod deep_linear;
mod discretized;
mod discretizer;
mod factors;
mod free_latent;
mod init;
pub mod layer;
mod level_probabilities;
mod linear_output;
mod numbers;
mod params;
mod residual;
mod semi_nmf;
mod subspace_factors;
mod tensors;
mod tower_sizes;
mod two_tower;

pub use auto_encoder::AutoEncoder;
pub use compressed::{Compressed, Tail};
pub use decoder::{
    Decoder, DecoderSize, FactorPenalties, ImageDecoder, ProductRoom, TransportLight, TransportMap,
    VideoBasis, VideoDecoders,
};
pub use deep_linear::DeepLinear;
pub use discretized::{Annealing, Discretized};
pub use discretizer::{Discretizer, SoftLevel};
pub use factors::Factors;
pub use free_latent::FreeLatent;
pub use init::Init;
pub use layer::Mode;
pub use level_probabilities::LevelProbabilities;
pub use numbers::{Numbers, Precision};
pub use params::{Params, Slot};
pub use residual::Residual;
pub use semi_nmf::SemiNmf;
pub use subspace_factors::{Continuation, FactorRoom, FactorVariation, SubspaceFactors};
pub use tensors::Tensors;
pub use tower_sizes::TowerSizes;
pub use two_tower::{Branch, TwoTower};

use crate::data::Shape;
use crate::linalg::{Mat, MatRef};
use crate::problem::Block;
use crate::product::{Cotangent, Product};

/// One way forward and backward through a model: how it goes, and its storage, kept so that no step allocates.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// Whether it is one of training; only a network asks.
    pub mode: Mode,
    /// The rows and columns of W that are asked for, all if there is none; only for a network.
    pub block: Option<Block>,
    tape: Vec<Mat>,
    /// What a link puts between the product of its model and the cells that are seen.
    link: [Mat; 2],
    single: [Branch<f32>; 2],
    double: [Branch<f64>; 2],
}

impl Pass {
    /// The matrices of the tape, at least `count` of them.
    fn tape(&mut self, count: usize) -> &mut [Mat] {
        if self.tape.len() < count {
            self.tape.resize_with(count, Mat::default);
        }
        &mut self.tape
    }
}

/// A matrix written by parameters.
///
/// A new member must be listed in `tests/laws.rs`, where the pullback is held to be the transpose of the derivative; one
/// that is not [`Smooth`] is held so by a test of its own (`tests/two_tower.rs`).
pub trait Model: Send {
    /// Rows and columns of W.
    fn shape(&self) -> Shape;

    /// The parameters θ.
    fn params(&self) -> &Params;

    /// The parameters θ.
    fn params_mut(&mut self) -> &mut Params;

    /// The product W(θ).
    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a>;

    /// `into ← Jᵀ G`: the gradient with respect to θ when `product` is the one with respect to W.
    ///
    /// `pass` must come from [`Model::forward`] at the same θ.
    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params);

    /// What is added to the loss for the factors themselves, which the product does not tell, at the last way forward of `pass`. Once it is asked
    /// for, [`Model::pullback`] adds its gradient.
    fn penalty(&self, _pass: &mut Pass) -> f64 {
        0.0
    }

    /// W_1, …, W_N where W is their plain product and the gradient with respect to W_j is that of slot j.
    fn layers(&self) -> Option<Vec<MatRef<'_>>> {
        None
    }

    /// Whether it is a network: it gives its product on the block of a pass, and training passes differ from others.
    fn is_network(&self) -> bool {
        false
    }

    /// What training fills beside the parameters: the running means of norms.
    fn state(&self) -> Option<&Params> {
        None
    }

    /// What training fills beside the parameters.
    fn state_mut(&mut self) -> Option<&mut Params> {
        None
    }

    /// Takes what the last way forward of `pass` has seen into the state.
    fn learn(&mut self, _pass: &mut Pass) {}

    /// The same model with its further derivatives, if it has them.
    fn smooth(&self) -> Option<&dyn Smooth> {
        None
    }
}

/// A model with the two further derivatives that curvature needs.
pub trait Smooth: Model {
    /// J v: the change of W when θ moves along `along`. Calls [`Model::forward`]'s way itself.
    fn pushforward<'a>(&'a self, along: &'a Params, pass: &'a mut Pass) -> Product<'a>;

    /// `into ← (D Jᵀ\[v\]) G`: the change of the pullback of a fixed G when θ moves along `along`.
    fn pullback_along(
        &self,
        along: &Params,
        product: &Cotangent,
        pass: &mut Pass,
        into: &mut Params,
    );
}
