//! The deep linear network W = W_N … W_1.

use super::{Init, Model, Params, Pass, Smooth};
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, MatRef, Svd, multiply};
use crate::product::{Cotangent, Outer, Product};
use crate::{Error, Result};

/// W = W_N … W_1 with W_j of shape d_j × d_{j−1}; `layers[0]` is W_1.
///
/// The product is never multiplied out: it is given as two thin factors, cut after layer `cut`,
/// W = L · R with L = W_N … W_{cut+1} and R = W_cut … W_1. Layers left of the cut are stored row after row, so
/// that a sparse cotangent meets contiguous numbers on both sides.
#[derive(Clone, Debug)]
pub struct DeepLinear {
    widths: Vec<usize>,
    cut: usize,
    params: Params,
}

/// What stands where on the tape of a pass.
struct Tape {
    depth: usize,
}

impl Tape {
    const KINDS: usize = 4;
    fn size(&self) -> usize {
        Self::KINDS * (self.depth + 1) + 2
    }
    /// R_j = W_{j−1} … W_1 for 3 ≤ j ≤ cut + 1, d_{j−1} × cols.
    fn right(j: usize) -> usize {
        Self::KINDS * (j - 1)
    }
    /// L_jᵀ for cut ≤ j ≤ N − 2, d_j × rows.
    fn left(j: usize) -> usize {
        Self::KINDS * j + 1
    }
    /// The derivative of R_j along a direction.
    fn right_along(j: usize) -> usize {
        Self::KINDS * (j - 1) + 2
    }
    /// The derivative of L_jᵀ along a direction.
    fn left_along(j: usize) -> usize {
        Self::KINDS * j + 3
    }
    /// Two rooms for what goes backward.
    fn room(&self) -> usize {
        Self::KINDS * (self.depth + 1)
    }
}

impl DeepLinear {
    /// Zero layers of `widths` d_0, d_1, …, d_N: W is d_N × d_0 and the depth is N.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there are fewer than two widths or one of them is zero.
    pub fn new(widths: &[usize]) -> Result<Self> {
        let depth = widths.len().saturating_sub(1);
        if depth == 0 {
            return Err(Error::parameter("depth", "1 or more", 0));
        }
        if widths.contains(&0) {
            return Err(Error::parameter("every width", "1 or more", 0));
        }
        // The chain of dense products runs along the shorter side.
        let cut = if widths[depth] <= widths[0] { 1 } else { (depth - 1).max(1) };
        let params = Params::zeros(
            (1..=depth).map(|j| (format!("layers.{}", j - 1), widths[j], widths[j - 1], j > cut)),
        );
        Ok(Self { widths: widths.to_vec(), cut, params })
    }

    /// A network of `depth` layers for a matrix of `shape` with hidden layers of `width`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the depth, the width or a side is zero.
    pub fn with_width(shape: Shape, depth: usize, width: usize) -> Result<Self> {
        if depth == 0 {
            return Err(Error::parameter("depth", "1 or more", 0));
        }
        let mut widths = vec![width; depth + 1];
        (widths[0], widths[depth]) = (shape.1, shape.0);
        Self::new(&widths)
    }

    /// The balanced network of `depth` layers whose product is U diag(s) Vᵀ, as wide as `svd` has triplets:
    /// W_1 = S^{1/N} Vᵀ, W_j = S^{1/N}, W_N = U S^{1/N}.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the depth is zero or `svd` has no triplet; [`Error::NotFinite`].
    pub fn balanced(svd: &Svd, depth: usize) -> Result<Self> {
        let mut model = Self::with_width((svd.u.rows(), svd.v.rows()), depth, svd.s.len())?;
        super::init::balance(&mut model, svd, svd.s.len())?;
        Ok(model)
    }

    /// As [`DeepLinear::balanced`], with layer j multiplied by `scales[j]` over their geometric mean: the same product, unbalanced on purpose.
    ///
    /// # Errors
    /// As [`DeepLinear::balanced`], the depth being the number of scales; [`Error::Parameter`] for a scale that is not above 0.
    pub fn unbalanced(svd: &Svd, scales: &[f64]) -> Result<Self> {
        if let Some(&found) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            return Err(Error::parameter("every scale of a layer", "above 0", found));
        }
        let mut model = Self::balanced(svd, scales.len())?;
        let mean = scales.iter().map(|scale| scale.ln()).sum::<f64>() / scales.len() as f64;
        for (place, size) in scales.iter().enumerate() {
            crate::linalg::scale(size / mean.exp(), model.params.stored_mut(place));
        }
        Ok(model)
    }

    /// The network of these layers, W_1 first.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is none, [`Error::Shape`] if two neighbours do not fit, [`Error::NotFinite`].
    pub fn of_layers(layers: &[MatRef<'_>]) -> Result<Self> {
        Self::must_chain(layers)?;
        let first = layers.first().map(MatRef::cols);
        let widths: Vec<usize> = first.into_iter().chain(layers.iter().map(MatRef::rows)).collect();
        let mut model = Self::new(&widths)?;
        for (j, layer) in layers.iter().enumerate() {
            model.params.set(j, &layer.to_mat())?;
        }
        Ok(model)
    }

    /// Checks that the layers, W_1 first, can be multiplied.
    pub(crate) fn must_chain(layers: &[MatRef<'_>]) -> Result<()> {
        if layers.is_empty() {
            return Err(Error::parameter("depth", "1 or more", 0));
        }
        for (j, pair) in layers.windows(2).enumerate() {
            let (width, found) = (pair[0].rows(), (pair[1].rows(), pair[1].cols()));
            if found.1 != width {
                let words = crate::data::words;
                let what = format!("layer {}", j + 2);
                return Err(Error::shape(what, words((found.0, width)), words(found)));
            }
        }
        Ok(())
    }

    /// Draws or sets the layers.
    ///
    /// # Errors
    /// As [`Init::fill`].
    pub fn init(mut self, init: &Init, seed: u64) -> Result<Self> {
        init.fill(&mut self, seed)?;
        Ok(self)
    }

    /// Number of layers N.
    pub fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// d_0, d_1, …, d_N.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// The layer W_{j+1}, counted from the right.
    pub fn layer(&self, j: usize) -> MatRef<'_> {
        self.params.matrix(j)
    }

    /// All layers, W_1 first.
    pub fn layers(&self) -> Vec<MatRef<'_>> {
        (0..self.depth()).map(|j| self.layer(j)).collect()
    }

    /// The product W, multiplied out.
    pub fn product(&self) -> Mat {
        self.forward(&mut Pass::default()).to_dense()
    }

    fn tape(&self) -> Tape {
        Tape { depth: self.depth() }
    }

    /// W_j, counted from 1 as in the formulas.
    fn w(&self, j: usize) -> MatRef<'_> {
        self.params.matrix(j - 1)
    }

    /// R_j = W_{j−1} … W_1 for j ≥ 2; R_2 is the first layer itself.
    fn right<'a>(&'a self, j: usize, tape: &'a [Mat]) -> MatRef<'a> {
        if j == 2 { self.w(1) } else { tape[Tape::right(j)].view() }
    }

    /// L_jᵀ for j ≤ N − 1; L_{N−1}ᵀ is the last layer itself.
    fn left<'a>(&'a self, j: usize, tape: &'a [Mat]) -> MatRef<'a> {
        if j == self.depth() - 1 { self.w(self.depth()).t() } else { tape[Tape::left(j)].view() }
    }

    fn right_along<'a>(j: usize, along: &'a Params, tape: &'a [Mat]) -> MatRef<'a> {
        if j == 2 { along.matrix(0) } else { tape[Tape::right_along(j)].view() }
    }

    fn left_along<'a>(&self, j: usize, along: &'a Params, tape: &'a [Mat]) -> MatRef<'a> {
        let depth = self.depth();
        if j == depth - 1 { along.matrix(depth - 1).t() } else { tape[Tape::left_along(j)].view() }
    }

    /// Fills the tape with the prefix and suffix products.
    fn chains(&self, pass: &mut Pass) {
        let (depth, cut) = (self.depth(), self.cut);
        let tape = pass.tape(self.tape().size());
        for j in 3..=cut + 1 {
            let mut out = std::mem::take(&mut tape[Tape::right(j)]);
            out.reshape(self.widths[j - 1], self.widths[0]);
            let w = self.w(j - 1);
            multiply(out.view_mut(), Accumulate::Replace, 1.0, w, self.right(j - 1, tape));
            tape[Tape::right(j)] = out;
        }
        for j in (cut..depth.saturating_sub(1)).rev() {
            let mut out = std::mem::take(&mut tape[Tape::left(j)]);
            out.reshape(self.widths[j], self.widths[depth]);
            let w = self.w(j + 1).t();
            multiply(out.view_mut(), Accumulate::Replace, 1.0, w, self.left(j + 1, tape));
            tape[Tape::left(j)] = out;
        }
    }

    /// Fills the tape with the derivatives of the prefix and suffix products along a direction.
    fn chains_along(&self, along: &Params, pass: &mut Pass) {
        use Accumulate::{Add, Replace};
        let (depth, cut) = (self.depth(), self.cut);
        let tape = pass.tape(self.tape().size());
        for j in 3..=cut + 1 {
            let mut out = std::mem::take(&mut tape[Tape::right_along(j)]);
            out.reshape(self.widths[j - 1], self.widths[0]);
            let moved = Self::right_along(j - 1, along, tape);
            multiply(out.view_mut(), Replace, 1.0, along.matrix(j - 2), self.right(j - 1, tape));
            multiply(out.view_mut(), Add, 1.0, self.w(j - 1), moved);
            tape[Tape::right_along(j)] = out;
        }
        for j in (cut..depth.saturating_sub(1)).rev() {
            let mut out = std::mem::take(&mut tape[Tape::left_along(j)]);
            out.reshape(self.widths[j], self.widths[depth]);
            let moved = self.left_along(j + 1, along, tape);
            multiply(out.view_mut(), Replace, 1.0, along.matrix(j).t(), self.left(j + 1, tape));
            multiply(out.view_mut(), Add, 1.0, self.w(j + 1).t(), moved);
            tape[Tape::left_along(j)] = out;
        }
    }
}

impl Model for DeepLinear {
    fn smooth(&self) -> Option<&dyn Smooth> {
        Some(self)
    }

    fn layers(&self) -> Option<Vec<MatRef<'_>>> {
        Some(DeepLinear::layers(self))
    }

    fn shape(&self) -> Shape {
        (self.widths[self.depth()], self.widths[0])
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    fn forward<'a>(&'a self, pass: &'a mut Pass) -> Product<'a> {
        if self.depth() == 1 {
            return Product::Dense(self.w(1));
        }
        self.chains(pass);
        let tape: &'a [Mat] = &pass.tape;
        Product::Outer(Outer {
            left: self.left(self.cut, tape),
            right: self.right(self.cut + 1, tape),
        })
    }

    // dW_j = L_jᵀ G R_jᵀ. With H_j = L_jᵀ G (j ≤ cut) and S_j = G R_{j+1}ᵀ (j ≥ cut) the chains run outward from
    // the cut: H_{j−1} = W_jᵀ H_j, S_j = S_{j−1} W_jᵀ.
    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let (depth, cut) = (self.depth(), self.cut);
        if depth == 1 {
            into.values_mut().copy_from_slice(product.to_dense().values());
            return;
        }
        let first_room = self.tape().room();
        let (tape, rooms) = pass.tape(self.tape().size()).split_at_mut(first_room);
        let [here, next] = rooms else { unreachable!("two rooms at the end of the tape") };
        let out = Accumulate::Replace;

        if cut == 1 {
            product.left_product_into(self.left(1, tape), into.stored_mut(0));
        } else {
            product.left_product(self.left(cut, tape), here);
            for j in (2..=cut).rev() {
                let right = self.right(j, tape).t();
                multiply(into.matrix_mut(j - 1), out, 1.0, here.view(), right);
                if j > 2 {
                    next.reshape(self.widths[j - 1], self.widths[0]);
                    multiply(next.view_mut(), out, 1.0, self.w(j).t(), here.view());
                    std::mem::swap(here, next);
                } else {
                    multiply(into.matrix_mut(0), out, 1.0, self.w(2).t(), here.view());
                }
            }
        }

        let right = self.right(cut + 1, tape);
        if cut == depth - 1 {
            product.right_product_into(right, into.stored_mut(depth - 1));
            return;
        }
        product.right_product(right, here);
        for j in cut + 1..depth {
            let left = self.left(j, tape).t();
            multiply(into.matrix_mut(j - 1).t(), out, 1.0, here.view(), left);
            if j + 1 < depth {
                next.reshape(self.widths[j], self.widths[depth]);
                multiply(next.view_mut(), out, 1.0, self.w(j), here.view());
                std::mem::swap(here, next);
            } else {
                multiply(into.matrix_mut(depth - 1).t(), out, 1.0, self.w(j), here.view());
            }
        }
    }
}

impl Smooth for DeepLinear {
    fn pushforward<'a>(&'a self, along: &'a Params, pass: &'a mut Pass) -> Product<'a> {
        if self.depth() == 1 {
            return Product::Dense(along.matrix(0));
        }
        self.chains(pass);
        self.chains_along(along, pass);
        let tape: &'a [Mat] = &pass.tape;
        let (left, right) = (self.left(self.cut, tape), self.right(self.cut + 1, tape));
        Product::Channels(vec![
            Outer { left: self.left_along(self.cut, along, tape), right },
            Outer { left, right: Self::right_along(self.cut + 1, along, tape) },
        ])
    }

    fn pullback_along(
        &self,
        along: &Params,
        product: &Cotangent,
        pass: &mut Pass,
        into: &mut Params,
    ) {
        use Accumulate::{Add, Replace};
        let (depth, cut) = (self.depth(), self.cut);
        if depth == 1 {
            into.values_mut().fill(0.0);
            return;
        }
        self.chains(pass);
        self.chains_along(along, pass);
        let tape: &[Mat] = &pass.tape;
        let sum = |a: Mat, b: &Mat| {
            let mut a = a;
            crate::linalg::axpy(1.0, b.values(), a.values_mut());
            a
        };

        let (mut h, mut moved) = (Mat::default(), Mat::default());
        product.left_product(self.left(cut, tape), &mut h);
        product.left_product(self.left_along(cut, along, tape), &mut moved);
        for j in (2..=cut).rev() {
            let (r, r_moved) = (self.right(j, tape).t(), Self::right_along(j, along, tape).t());
            multiply(into.matrix_mut(j - 1), Replace, 1.0, moved.view(), r);
            multiply(into.matrix_mut(j - 1), Add, 1.0, h.view(), r_moved);
            let turned = along.matrix(j - 1).t().times(h.view());
            moved = sum(self.w(j).t().times(moved.view()), &turned);
            h = self.w(j).t().times(h.view());
        }
        into.stored_mut(0).copy_from_slice(moved.values());

        let (mut s, mut moved) = (Mat::default(), Mat::default());
        product.right_product(self.right(cut + 1, tape), &mut s);
        product.right_product(Self::right_along(cut + 1, along, tape), &mut moved);
        for j in cut + 1..depth {
            let (l, l_moved) = (self.left(j, tape).t(), self.left_along(j, along, tape).t());
            multiply(into.matrix_mut(j - 1).t(), Replace, 1.0, moved.view(), l);
            multiply(into.matrix_mut(j - 1).t(), Add, 1.0, s.view(), l_moved);
            let turned = along.matrix(j - 1).times(s.view());
            moved = sum(self.w(j).times(moved.view()), &turned);
            s = self.w(j).times(s.view());
        }
        into.stored_mut(depth - 1).copy_from_slice(moved.values());
    }
}
