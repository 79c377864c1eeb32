//! Transport times light, each written by a decoder.

mod layout;

use rayon::prelude::*;

use super::basis::VideoBasis;
use super::image::ImageDecoder;
use super::penalty::{Penalised, PenaltyRoom};
use super::video::VideoDecoders;
use super::{Decoder, DecoderSize, FactorPenalties, TransportMap};
use crate::data::Shape;
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, multiply};
use crate::model::layer::{Input, Mode};
use crate::model::{Model, Params, Pass, Precision};
use crate::product::{Cotangent, Product};
use crate::{Error, Result};

/// W = T·L with T and L from decoders; of a video W_c = Q_cᵀ T_c L_c = Q_cᵀ B_c · \[diag(s) A_c; 1ᵀ\] · L_c / hidden pixels for each colour c, one below
/// the other.
///
/// B is the basis of the transport and Q an orthonormal one of the same subspace ([`VideoBasis`]): W is the product in the subspace, Q·W the product over
/// all pixels, which a problem with known factors sees ([`Problem::lifted`](crate::problem::Problem::lifted)). The networks and products are in the
/// precision `T`.
///
/// Source: Aittala et al. 2019, "Computational Mirrors".
#[derive(Clone, Debug)]
pub struct TransportLight<T = f32> {
    transport: Decoder<T>,
    light: Decoder<T>,
    params: Params,
    /// Rows of W for each colour, and columns.
    shape: Shape,
    hidden: usize,
    colours: usize,
    bases: Vec<Basis<T>>,
    penalised: Option<Penalised<T>>,
}

/// How a colour of the transport follows from what its decoder gives.
#[derive(Clone, Debug)]
struct Basis<T> {
    scales: Vec<T>,
    /// Inside x rows: the transpose of Qᵀ B.
    turned: Vec<T>,
}

/// What the product of two decoders keeps in a pass.
#[derive(Clone, Debug, Default)]
pub struct ProductRoom<T> {
    /// Inside x hidden, and hidden x columns, of each colour.
    cores: Vec<T>,
    lights: Vec<T>,
    /// Inside x columns, and rows x columns, of one colour.
    middle: Vec<T>,
    product: Vec<T>,
    /// Slopes with respect to one core and one light.
    core_slope: Vec<T>,
    light_slope: Vec<T>,
    /// Slopes of the penalties with respect to all cores; empty where there is none.
    penalty_slope: Vec<T>,
    penalty: PenaltyRoom<T>,
}

/// Parameters of the two decoders.
const SIDES: [&str; 2] = ["transport", "light"];

impl<T: Precision> TransportLight<T> {
    /// The one-dimensional experiment: T of `shape.0` x `inner` and L of `inner` x `shape.1`, both images; T's decoder is told a number a row.
    ///
    /// # Errors
    /// As [`ImageDecoder::build`].
    pub fn matrix(
        shape: Shape,
        inner: usize,
        size: DecoderSize,
        told: Option<Vec<f64>>,
        keep: f64,
        seed: u64,
    ) -> Result<Self> {
        let image =
            |rows, cols, told, number| ImageDecoder { rows, cols, size, told, keep, number };
        let transport = image(shape.0, inner, told, 0).build()?;
        let light = image(inner, shape.1, None, 1).build()?;
        let model = Self {
            params: slots(&transport, &light),
            transport,
            light,
            shape,
            hidden: inner,
            colours: 1,
            bases: Vec::new(),
            penalised: None,
        };
        Ok(model.started(seed))
    }

    /// A video in the subspace of what was observed ([`VideoBasis::reduced`]); penalties see the transport over the pixels of the map.
    ///
    /// # Errors
    /// As [`VideoDecoders::light`]; [`Error::Shape`] if the basis has other colours or vectors than the decoders, or the map does not fit;
    /// [`Error::Parameter`] for a penalty below 0.
    pub fn video(
        sizes: &VideoDecoders,
        basis: &VideoBasis,
        penalties: Option<(FactorPenalties, TransportMap)>,
        seed: u64,
    ) -> Result<Self> {
        let (expected, found) =
            ((sizes.colours, sizes.vectors), (basis.colours(), basis.vectors()));
        if expected != found {
            let words = |(colours, vectors)| format!("{colours} colours of {vectors} vectors");
            return Err(Error::shape("the basis", words(expected), words(found)));
        }
        let spans: Vec<Mat> = (0..sizes.colours).map(|c| basis.spanning(c)).collect();
        let bases = spans.iter().enumerate().map(|(c, span)| {
            let own = basis.orthonormal(c).t().times(span.view());
            let scales = basis.scales(c).iter().map(|s| T::of(*s)).collect();
            Basis { scales, turned: turned(&own) }
        });
        let bases: Vec<Basis<T>> = bases.collect();
        let penalised = penalties.map(|(weights, map)| {
            let over: Vec<Vec<T>> = spans.iter().map(turned).collect();
            let first = (0..sizes.colours).map(|c| basis.scales(c)[0]).collect();
            Penalised::new(weights, map, &over, first)
        });
        let (transport, light) = (sizes.transport()?, sizes.light()?);
        let rows = basis.vectors() + 1;
        let model = Self {
            params: slots(&transport, &light),
            transport,
            light,
            shape: (rows, sizes.frames),
            hidden: sizes.hidden.0 * sizes.hidden.1,
            colours: sizes.colours,
            bases,
            penalised: penalised.transpose()?,
        };
        Ok(model.started(seed))
    }

    fn started(mut self, seed: u64) -> Self {
        let split = self.transport.parameters();
        let (first, second) = T::slice_mut(self.params.numbers_mut()).split_at_mut(split);
        self.transport.network().start(first, &mut [], seed, 0);
        self.light.network().start(second, &mut [], seed, 1);
        self
    }

    /// The decoders of transport and light.
    pub fn decoders(&self) -> [&Decoder<T>; 2] {
        [&self.transport, &self.light]
    }

    /// How many matrices of the parameters are the transport's; those of the light follow.
    pub fn transport_slots(&self) -> usize {
        self.transport.network().slots().count()
    }

    /// Rows of the factor that the transport's decoder gives.
    fn inside(&self) -> usize {
        self.bases.first().map_or(self.shape.0, |basis| basis.scales.len() + 1)
    }

    /// The numbers of a side.
    fn part<'a>(&self, side: usize, all: &'a [T]) -> &'a [T] {
        let (first, second) = all.split_at(self.transport.parameters());
        if side == 0 { first } else { second }
    }

    /// T without dropout of each colour, with [`TransportLight::light`] for L: rows of W x hidden and W = T·L; of a video over the pixels of `basis`, and
    /// W = Qᵀ T·L.
    pub fn transport(&self, basis: Option<&VideoBasis>) -> Vec<Mat> {
        let cores = Self::matrices(
            &self.read_out().cores,
            (self.inside(), self.hidden),
            1.0 / self.count(),
        );
        let over = |(c, core): (usize, Mat)| match basis {
            Some(basis) => basis.spanning(c).times(&core),
            None => core,
        };
        cores.into_iter().enumerate().map(over).collect()
    }

    /// L without dropout, hidden x columns, of each colour.
    pub fn light(&self) -> Vec<Mat> {
        Self::matrices(&self.read_out().lights, (self.hidden, self.shape.1), self.count())
    }

    /// What both decoders give.
    fn read_out(&self) -> ProductRoom<T> {
        let mut pass = Pass::default();
        self.forward(&mut pass);
        std::mem::take(&mut T::branches(&mut pass)[0].product)
    }

    /// The light that the decoder gives is of the size of 1; its number of pixels goes to the transport.
    fn count(&self) -> f64 {
        if self.bases.is_empty() { 1.0 } else { self.hidden as f64 }
    }

    /// Numbers as a matrix of this shape for each colour, times `factor`.
    fn matrices(values: &[T], (rows, cols): Shape, factor: f64) -> Vec<Mat> {
        let matrix = |values: &[T]| {
            let values = values.iter().map(|x| factor * x.double()).collect();
            Mat::from_columns(rows, cols, values)
        };
        values.chunks_exact(rows * cols).map(matrix).collect()
    }
}

/// The transpose of a matrix as stored numbers.
fn turned<T: Precision>(matrix: &Mat) -> Vec<T> {
    matrix.t().to_mat().values().iter().map(|x| T::of(*x)).collect()
}

fn slots<T: Precision>(transport: &Decoder<T>, light: &Decoder<T>) -> Params {
    let sides = SIDES.into_iter().zip([transport, light]);
    Params::of::<T>(sides.flat_map(|(side, decoder)| {
        let slots: Vec<_> = decoder.network().slots().collect();
        slots
            .into_iter()
            .map(move |(name, rows, cols)| (format!("{side}.{name}"), rows, cols, false))
    }))
}

impl<T: Precision> Model for TransportLight<T> {
    fn shape(&self) -> Shape {
        (self.colours * self.shape.0, self.shape.1)
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
        let mode = pass.mode;
        let mut whole = std::mem::take(&mut pass.tape(1)[0]);
        let branches = T::branches(pass);
        for (side, decoder) in self.decoders().into_iter().enumerate() {
            let params = self.part(side, T::slice(self.params.numbers()));
            let input = Input::Dense { count: 1, values: &[] };
            decoder.network().forward(params, &[], input, mode, &mut branches[side].way);
        }
        let mut room = std::mem::take(&mut branches[0].product);
        self.read(branches[0].way.output(), branches[1].way.output(), &mut room);
        room.penalty_slope.clear();
        let (inside, hidden, (rows, cols)) = (self.inside(), self.hidden, self.shape);
        whole.reshape(self.colours * rows, cols);
        for c in 0..self.colours {
            let core = &room.cores[c * inside * hidden..(c + 1) * inside * hidden];
            let light = &room.lights[c * hidden * cols..(c + 1) * hidden * cols];
            let (core, light) =
                (MatRef::new(inside, hidden, core), MatRef::new(hidden, cols, light));
            room.middle.resize(inside * cols, T::default());
            let middle = MatMut::new(inside, cols, &mut room.middle);
            multiply(middle, Accumulate::Replace, T::of(1.0), core, light);
            let product = match self.bases.get(c) {
                None => &room.middle,
                Some(basis) => {
                    room.product.resize(rows * cols, T::default());
                    let basis = MatRef::new(inside, rows, &basis.turned);
                    let out = MatMut::new(rows, cols, &mut room.product);
                    let middle = MatRef::new(inside, cols, &room.middle);
                    multiply(out, Accumulate::Replace, T::of(1.0), basis.t(), middle);
                    &room.product
                }
            };
            let columns = whole.values_mut().par_chunks_exact_mut(self.colours * rows);
            columns.zip(product.par_chunks_exact(rows)).for_each(|(to, from)| {
                let to = to[c * rows..(c + 1) * rows].iter_mut();
                to.zip(from).for_each(|(to, from)| *to = from.double());
            });
        }
        branches[0].product = room;
        let tape = pass.tape(1);
        tape[0] = whole;
        Product::Dense(tape[0].view())
    }

    fn penalty(&self, pass: &mut Pass) -> f64 {
        let Some(penalised) = &self.penalised else { return 0.0 };
        let draw = match pass.mode {
            Mode::Inference => None,
            Mode::Training { seed, step } => Some((seed, step)),
        };
        let ProductRoom { cores, penalty, penalty_slope, .. } = &mut T::branches(pass)[0].product;
        penalised.value(cores, self.hidden, draw, penalty, penalty_slope)
    }

    fn pullback(&self, product: &Cotangent, pass: &mut Pass, into: &mut Params) {
        let mut whole = std::mem::take(&mut pass.tape(2)[1]);
        let slope = product.dense_in(&mut whole);
        let branches = T::branches(pass);
        let mut room = std::mem::take(&mut branches[0].product);
        let [mut of_transport, mut of_light] =
            [0, 1].map(|side: usize| std::mem::take(branches[side].way.slope_mut()));
        for (decoder, slope) in self.decoders().into_iter().zip([&mut of_transport, &mut of_light])
        {
            // What lies beyond the factor has no slope.
            slope.clear();
            slope.resize(decoder.grid().positions() * decoder.channels(), T::default());
        }
        let (inside, hidden, (rows, cols)) = (self.inside(), self.hidden, self.shape);
        for c in 0..self.colours {
            let (stored, _) = slope.stored();
            room.product.resize(rows * cols, T::default());
            let columns = stored.par_chunks_exact(self.colours * rows);
            room.product.par_chunks_exact_mut(rows).zip(columns).for_each(|(to, from)| {
                let from = from[c * rows..(c + 1) * rows].iter();
                to.iter_mut().zip(from).for_each(|(to, from)| *to = T::of(*from));
            });
            let middle = match self.bases.get(c) {
                None => &room.product,
                Some(basis) => {
                    room.middle.resize(inside * cols, T::default());
                    let basis = MatRef::new(inside, rows, &basis.turned);
                    let out = MatMut::new(inside, cols, &mut room.middle);
                    let product = MatRef::new(rows, cols, &room.product);
                    multiply(out, Accumulate::Replace, T::of(1.0), basis, product);
                    &room.middle
                }
            };
            let middle = MatRef::new(inside, cols, middle);
            let core = &room.cores[c * inside * hidden..(c + 1) * inside * hidden];
            let light = &room.lights[c * hidden * cols..(c + 1) * hidden * cols];
            let (core, light) =
                (MatRef::new(inside, hidden, core), MatRef::new(hidden, cols, light));
            room.core_slope.resize(inside * hidden, T::default());
            let out = MatMut::new(inside, hidden, &mut room.core_slope);
            multiply(out, Accumulate::Replace, T::of(1.0), middle, light.t());
            room.light_slope.resize(hidden * cols, T::default());
            let out = MatMut::new(hidden, cols, &mut room.light_slope);
            multiply(out, Accumulate::Replace, T::of(1.0), core.t(), middle);
            self.write(c, &room, &mut of_transport, &mut of_light);
        }
        branches[0].product = room;
        let (first, second) =
            T::slice_mut(into.numbers_mut()).split_at_mut(self.transport.parameters());
        let slopes = [(of_transport, first), (of_light, second)];
        for ((side, decoder), (slope, into)) in self.decoders().into_iter().enumerate().zip(slopes)
        {
            let way = &mut branches[side].way;
            *way.slope_mut() = slope;
            let params = self.part(side, T::slice(self.params.numbers()));
            let input = Input::Dense { count: 1, values: &[] };
            decoder.network().backward(params, input, way, into);
        }
        pass.tape(2)[1] = whole;
    }
}
