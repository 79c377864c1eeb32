//! What passes between a model and a problem: the product W going right, the gradient with respect to it going left.

use std::sync::Arc;

use crate::Result;
use crate::data::Shape;
use crate::linalg::{
    Accumulate, Mat, MatRef, Operator, Pattern, Svd, axpy, dot, multiply, orthonormal, svd,
};

/// Two thin factors that are never multiplied out: W = leftᵀ · right.
///
/// Both are k × n and not transposed: what belongs to one row or one column of W is contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Outer<'a> {
    /// k × rows.
    pub left: MatRef<'a>,
    /// k × cols.
    pub right: MatRef<'a>,
}

/// The end-to-end matrix W as a model gives it.
#[derive(Clone, Debug)]
pub enum Product<'a> {
    /// All entries.
    Dense(MatRef<'a>),
    /// One pair of thin factors.
    Outer(Outer<'a>),
    /// A sum of pairs of thin factors.
    Channels(Vec<Outer<'a>>),
}

impl Product<'_> {
    fn channels(&self) -> &[Outer<'_>] {
        match self {
            Self::Dense(_) => &[],
            Self::Outer(outer) => std::slice::from_ref(outer),
            Self::Channels(channels) => channels,
        }
    }

    /// Rows and columns of W.
    pub fn shape(&self) -> Shape {
        match (self, self.channels()) {
            (Self::Dense(w), _) => (w.rows(), w.cols()),
            (_, [first, ..]) => (first.left.cols(), first.right.cols()),
            _ => (0, 0),
        }
    }

    /// All entries, written to `room` unless the product is dense already.
    pub fn dense_in<'b>(&'b self, room: &'b mut Mat) -> MatRef<'b> {
        if let Self::Dense(w) = self {
            return *w;
        }
        let (rows, cols) = self.shape();
        room.reshape(rows, cols);
        for (place, outer) in self.channels().iter().enumerate() {
            let how = if place == 0 { Accumulate::Replace } else { Accumulate::Add };
            multiply(room.view_mut(), how, 1.0, outer.left.t(), outer.right);
        }
        room.view()
    }

    /// All entries.
    pub fn to_dense(&self) -> Mat {
        let mut room = Mat::default();
        if let Self::Dense(w) = self {
            return w.to_mat();
        }
        self.dense_in(&mut room);
        room
    }

    /// The thin singular value decomposition of W; of thin factors through their bases, without forming W.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) as for [`svd`].
    pub fn thin_svd(&self) -> Result<Svd> {
        let (rows, cols) = self.shape();
        let width: usize = self.channels().iter().map(|outer| outer.left.rows()).sum();
        if width == 0 || width >= rows.min(cols) {
            return svd(self.to_dense().view());
        }
        let stacked = |side: for<'a> fn(&Outer<'a>) -> MatRef<'a>, length: usize| {
            let mut all = Mat::zeros(length, width);
            let mut place = 0;
            for outer in self.channels() {
                let factor = side(outer);
                for r in 0..factor.rows() {
                    (0..length).for_each(|i| all[(i, place + r)] = factor.at(r, i));
                }
                place += factor.rows();
            }
            all
        };
        let (left, right) = (stacked(|o| o.left, rows), stacked(|o| o.right, cols));
        let (q, p) = (orthonormal(left.view()), orthonormal(right.view()));
        let core = q.t().times(left.view()).view().times(right.t().times(p.view()).view());
        let Svd { u, s, v } = svd(core.view())?;
        Ok(Svd { u: q.times(&u), s, v: p.times(&v) })
    }

    /// The cells of W at `pattern`, in its row order, without forming the others.
    pub fn cells(&self, pattern: &Pattern, out: &mut [f64]) {
        match self {
            Self::Dense(w) => {
                pattern.cells().zip(out).for_each(|((i, j), out)| *out = w.at(i, j));
            }
            Self::Outer(outer) => pattern.inner_products(outer.left, outer.right, out),
            Self::Channels(channels) => {
                out.fill(0.0);
                let mut part = vec![0.0; out.len()];
                for outer in channels {
                    pattern.inner_products(outer.left, outer.right, &mut part);
                    axpy(1.0, &part, out);
                }
            }
        }
    }
}

impl Operator for Product<'_> {
    fn shape(&self) -> (usize, usize) {
        Product::shape(self)
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        let x = MatRef::new(x.len(), 1, x);
        let product = match self {
            Self::Dense(w) => w.times(x),
            _ => sum(self.channels().iter().map(|o| o.left.t().times(o.right.times(x).view()))),
        };
        out.copy_from_slice(product.values());
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        let x = MatRef::new(x.len(), 1, x);
        let product = match self {
            Self::Dense(w) => w.t().times(x),
            _ => sum(self.channels().iter().map(|o| o.right.t().times(o.left.times(x).view()))),
        };
        out.copy_from_slice(product.values());
    }
}

impl Operator for Cotangent {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn apply(&self, x: &[f64], out: &mut [f64]) {
        self.right_product_into(MatRef::new(1, x.len(), x), out);
    }

    fn apply_transposed(&self, x: &[f64], out: &mut [f64]) {
        self.left_product_into(MatRef::new(1, x.len(), x), out);
    }
}

fn sum(parts: impl Iterator<Item = Mat>) -> Mat {
    parts
        .reduce(|mut total, part| {
            axpy(1.0, part.values(), total.values_mut());
            total
        })
        .unwrap_or_default()
}

/// The gradient G of a loss with respect to W: a sum of dense, sparse and low-rank parts.
#[derive(Clone, Debug, Default)]
pub struct Cotangent {
    shape: Shape,
    parts: Vec<Part>,
    used: usize,
}

#[derive(Clone, Debug)]
enum Part {
    Dense(Mat),
    Sparse(Arc<Pattern>, Vec<f64>),
    LowRank(Mat, Mat),
}

impl Cotangent {
    /// Zero; the storage of what was added before is kept for what is added next.
    pub fn clear(&mut self, shape: Shape) {
        if self.shape != shape {
            self.parts.clear();
        }
        (self.shape, self.used) = (shape, 0);
    }

    /// Rows and columns.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Adds whatever `write` adds to the dense part, which starts at zero.
    pub fn add_dense(&mut self, write: impl FnOnce(&mut Mat)) {
        let dense = self.parts[..self.used].iter_mut().find_map(|part| match part {
            Part::Dense(dense) => Some(dense),
            _ => None,
        });
        if let Some(dense) = dense {
            return write(dense);
        }
        let (rows, cols) = self.shape;
        match self
            .next(|part| matches!(part, Part::Dense(_)), || Part::Dense(Mat::zeros(rows, cols)))
        {
            Part::Dense(dense) => {
                dense.values_mut().fill(0.0);
                write(dense);
            }
            _ => unreachable!("the part was just made dense"),
        }
    }

    /// Adds a sparse part with these `values` in row order.
    pub fn add_sparse(&mut self, pattern: &Arc<Pattern>, values: &[f64]) {
        self.sparse(pattern).copy_from_slice(values);
    }

    /// As [`Cotangent::add_sparse`], exchanging the storage of `values` for that of the part.
    pub fn add_sparse_taking(&mut self, pattern: &Arc<Pattern>, values: &mut Vec<f64>) {
        std::mem::swap(self.sparse(pattern), values);
    }

    fn sparse(&mut self, pattern: &Arc<Pattern>) -> &mut Vec<f64> {
        let same = |part: &Part| matches!(part, Part::Sparse(p, _) if Arc::ptr_eq(p, pattern));
        let make = || Part::Sparse(pattern.clone(), vec![0.0; pattern.len()]);
        match self.next(same, make) {
            Part::Sparse(_, stored) => stored,
            _ => unreachable!("the part was just made sparse"),
        }
    }

    /// Adds leftᵀ · right, with `left` k × rows and `right` k × cols.
    pub fn add_low_rank(&mut self, left: Mat, right: Mat) {
        let part = self.next(|_| false, || Part::LowRank(Mat::default(), Mat::default()));
        *part = Part::LowRank(left, right);
    }

    fn next(&mut self, fits: impl Fn(&Part) -> bool, make: impl FnOnce() -> Part) -> &mut Part {
        let place = self.used;
        self.used += 1;
        if place == self.parts.len() {
            self.parts.push(make());
        } else if !fits(&self.parts[place]) {
            self.parts[place] = make();
        }
        &mut self.parts[place]
    }

    /// Becomes `f` of every entry of `from` that is not zero, cell by cell: sparse parts stay sparse.
    pub fn map_from(&mut self, from: &Self, mut f: impl FnMut((usize, usize), f64) -> f64) {
        self.clear(from.shape);
        for part in &from.parts[..from.used] {
            if let Part::Sparse(pattern, values) = part {
                let cells = pattern.cells().zip(values);
                let stored = self.sparse(pattern);
                stored.iter_mut().zip(cells).for_each(|(x, (cell, value))| *x = f(cell, *value));
            }
        }
        let mut rest = Self { shape: from.shape, ..Self::default() };
        let whole = from.parts[..from.used].iter().filter(|p| !matches!(p, Part::Sparse(..)));
        rest.parts = whole.cloned().collect();
        rest.used = rest.parts.len();
        if rest.used > 0 {
            let dense = rest.to_dense();
            self.add_dense(|to| {
                for j in 0..dense.cols() {
                    for (i, x) in dense.col(j).iter().enumerate().filter(|(_, x)| **x != 0.0) {
                        to[(i, j)] += f((i, j), *x);
                    }
                }
            });
        }
    }

    /// `out ← left · G`, with `left` k × rows and `out` k × cols, both not transposed.
    pub fn left_product(&self, left: MatRef<'_>, out: &mut Mat) {
        out.reshape(left.rows(), self.shape.1);
        self.left_product_into(left, out.values_mut());
    }

    /// As [`Cotangent::left_product`], over the stored numbers of `out`.
    pub fn left_product_into(&self, left: MatRef<'_>, out: &mut [f64]) {
        self.product_into(out, (left.rows(), self.shape.1), |part, out, how| match part {
            Part::Dense(g) => multiply(out, how, 1.0, left, g.view()),
            Part::Sparse(pattern, values) => pattern.add_left_product(values, left, out),
            Part::LowRank(l, r) => multiply(out, how, 1.0, left.times(l.t()).view(), r.view()),
        });
    }

    /// `out ← right · Gᵀ`, with `right` k × cols and `out` k × rows, both not transposed.
    pub fn right_product(&self, right: MatRef<'_>, out: &mut Mat) {
        out.reshape(right.rows(), self.shape.0);
        self.right_product_into(right, out.values_mut());
    }

    /// As [`Cotangent::right_product`], over the stored numbers of `out`.
    pub fn right_product_into(&self, right: MatRef<'_>, out: &mut [f64]) {
        self.product_into(out, (right.rows(), self.shape.0), |part, out, how| match part {
            Part::Dense(g) => multiply(out, how, 1.0, right, g.t()),
            Part::Sparse(pattern, values) => pattern.add_right_product(values, right, out),
            Part::LowRank(l, r) => multiply(out, how, 1.0, right.times(r.t()).view(), l.view()),
        });
    }

    fn product_into(
        &self,
        out: &mut [f64],
        (rows, cols): Shape,
        add: impl Fn(&Part, crate::linalg::MatMut<'_>, Accumulate),
    ) {
        let parts = &self.parts[..self.used];
        // A dense first part may replace; a sparse one can only add.
        if !matches!(parts.first(), Some(Part::Dense(_) | Part::LowRank(..))) {
            out.fill(0.0);
        }
        for (place, part) in parts.iter().enumerate() {
            let how = if place == 0 { Accumulate::Replace } else { Accumulate::Add };
            add(part, crate::linalg::MatMut::new(rows, cols, out), how);
        }
    }

    /// All entries.
    pub fn to_dense(&self) -> Mat {
        let mut dense = Mat::zeros(self.shape.0, self.shape.1);
        for part in &self.parts[..self.used] {
            match part {
                Part::Dense(g) => axpy(1.0, g.values(), dense.values_mut()),
                Part::Sparse(pattern, values) => {
                    pattern.cells().zip(values).for_each(|(cell, value)| dense[cell] += value);
                }
                Part::LowRank(l, r) => {
                    multiply(dense.view_mut(), Accumulate::Add, 1.0, l.t(), r.view());
                }
            }
        }
        dense
    }

    /// All entries, written to `room` unless they are stored as one dense part.
    pub fn dense_in<'a>(&'a self, room: &'a mut Mat) -> MatRef<'a> {
        if let [Part::Dense(dense)] = &self.parts[..self.used] {
            return dense.view();
        }
        *room = self.to_dense();
        room.view()
    }

    /// The inner product ⟨G, W⟩ with a product of the same shape.
    pub fn inner(&self, product: &Product<'_>) -> f64 {
        dot(self.to_dense().values(), product.to_dense().values())
    }
}
