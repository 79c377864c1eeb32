//! Known outer factors: what is seen of U·W − Z, strip by strip of its rows, so that it is never there as a whole.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Evaluation, Problem};
use crate::linalg::{Accumulate, Mat, MatMut, MatRef, axpy, multiply};
use crate::product::{Cotangent, Product};
use crate::{Error, Result};

/// Rows of a strip: so many that products are fast, so few that a strip stays in a core's cache.
const STRIP: usize = 256;
/// Runs of strips that are summed apart: a property of the problem, never of the number of threads.
const RUNS: usize = 8;
/// How many rows of products with known factors are there at a time, at most.
pub(crate) const ROWS_AT_ONCE: usize = RUNS * STRIP;

/// A factor U that is known, and what its product with some rows of the unknown W should be: U·W_c ≈ Z.
#[derive(Clone, Debug)]
pub struct KnownFactor {
    /// Uᵀ: rows of W_c x rows of Z.
    turned: Mat,
    target: Mat,
}

impl KnownFactor {
    /// U, rows of Z x rows of W_c, and Z, which has as many columns as W.
    ///
    /// # Errors
    /// [`Error::Shape`] if U has not as many rows as Z; [`Error::Parameter`] if one of them is empty.
    pub fn new(factor: &Mat, target: Mat) -> Result<Self> {
        if factor.rows() != target.rows() {
            let expected = format!("{} rows, as its product", target.rows());
            return Err(Error::shape("a known factor", expected, factor.rows()));
        }
        if factor.values().is_empty() || target.values().is_empty() {
            return Err(Error::parameter("a known factor and its product", "not empty", "empty"));
        }
        Ok(Self { turned: factor.t().to_mat(), target })
    }

    /// Columns of U, which are rows of W.
    fn inside(&self) -> usize {
        self.turned.rows()
    }
}

/// Known factors of blocks of rows of W, one below the other, and the problem of each strip of what they leave over.
#[derive(Clone, Debug)]
pub(super) struct Lifted {
    known: Arc<[KnownFactor]>,
    strips: Vec<Strip>,
    /// For each number of rows that a strip has, the problem of its U·W_c − Z.
    residuals: Vec<Problem>,
    cols: usize,
}

#[derive(Clone, Debug)]
struct Strip {
    known: usize,
    rows: Range<usize>,
    residual: usize,
    /// Its rows over those of all.
    share: f64,
}

/// What an evaluation of strips keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct LiftedRoom {
    /// W_c for each known factor.
    blocks: Vec<Mat>,
    runs: Vec<Run>,
}

/// What one run of strips keeps.
#[derive(Clone, Debug, Default)]
struct Run {
    value: f64,
    residual: Mat,
    evaluation: Evaluation,
    dense: Mat,
    /// The gradient with respect to each W_c.
    slopes: Vec<Mat>,
}

impl Problem {
    /// A problem of products of W with known factors, U_c·W_c for blocks W_c of rows of W, one below the other, that are never formed as a whole.
    ///
    /// They are taken strip by strip of rows. `residual_of` gives the problem of a strip of so many rows of U_c·W_c − Z_c; the loss is the mean of the
    /// strips' losses, each as often as it has rows. It has no [`Problem::terms`], and what goes by them refuses it.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is no known factor; [`Error::Shape`] if targets differ in columns, or the problem of a strip has not its shape;
    /// those of `residual_of`.
    ///
    /// ```
    /// use deepmf::linalg::Mat;
    /// use deepmf::problem::{Constant, Evaluation, KnownFactor, Problem};
    /// use deepmf::product::Product;
    /// let (u, z) = (Mat::eye(3, 2), Mat::zeros(3, 4));
    /// let known = [KnownFactor::new(&u, z)?];
    /// let problem = Problem::lifted(known.into(), |rows| Problem::full(&Mat::zeros(rows, 4), Constant::Mean))?;
    /// let w = Mat::from_fn(2, 4, |_, _| 3.0);
    /// // Two rows of three are 3, and the other is 0.
    /// assert_eq!(problem.value(&Product::Dense(w.view()), &mut Evaluation::default()), 6.0);
    /// # Ok::<(), deepmf::Error>(())
    /// ```
    pub fn lifted(
        known: Arc<[KnownFactor]>,
        residual_of: impl Fn(usize) -> Result<Problem>,
    ) -> Result<Self> {
        let Some(first) = known.first() else {
            return Err(Error::parameter("the number of known factors", "1 or more", 0));
        };
        let cols = first.target.cols();
        if let Some(other) = known.iter().find(|other| other.target.cols() != cols) {
            let expected = format!("{cols} columns, as the first");
            return Err(Error::shape("every target", expected, other.target.cols()));
        }
        let all: usize = known.iter().map(|known| known.target.rows()).sum();
        let (mut residuals, mut strips): (Vec<Problem>, Vec<Strip>) = Default::default();
        for (place, one) in known.iter().enumerate() {
            for start in (0..one.target.rows()).step_by(STRIP) {
                let rows = start..(start + STRIP).min(one.target.rows());
                let shape = (rows.len(), cols);
                let made = residuals.iter().position(|problem| problem.shape == shape);
                let residual = made.unwrap_or(residuals.len());
                if made.is_none() {
                    let problem = residual_of(rows.len())?;
                    if problem.shape != shape {
                        let words = crate::data::words;
                        let (expected, found) = (words(shape), words(problem.shape));
                        return Err(Error::shape("the problem of a strip", expected, found));
                    }
                    residuals.push(problem);
                }
                let share = rows.len() as f64 / all as f64;
                strips.push(Strip { known: place, rows, residual, share });
            }
        }
        let rows = known.iter().map(KnownFactor::inside).sum();
        let lifted = Lifted { known, strips, residuals, cols };
        Ok(Self {
            shape: (rows, cols),
            terms: Vec::new(),
            choices: Vec::new(),
            lifted: Some(Arc::new(lifted)),
            test: None,
        })
    }
}

impl Lifted {
    /// How many numbers are seen.
    pub(super) fn measurements(&self) -> usize {
        self.strips.iter().map(|strip| self.residuals[strip.residual].measurements()).sum()
    }

    /// The loss at W; adds the gradient with respect to W to `cotangent`, if one is given.
    pub(super) fn evaluate(
        &self,
        w: MatRef<'_>,
        draw: Option<(u64, u64)>,
        room: &mut LiftedRoom,
        cotangent: Option<&mut Cotangent>,
    ) -> f64 {
        let LiftedRoom { blocks, runs } = room;
        blocks.resize_with(self.known.len(), Mat::default);
        let mut first = 0;
        for (block, known) in blocks.iter_mut().zip(self.known.iter()) {
            block.reshape(known.inside(), self.cols);
            for j in 0..self.cols {
                let column = block.col_mut(j).iter_mut().enumerate();
                column.for_each(|(i, x)| *x = w.at(first + i, j));
            }
            first += known.inside();
        }
        let size = self.strips.len().div_ceil(RUNS);
        runs.resize_with(self.strips.len().div_ceil(size), Run::default);
        let with_slope = cotangent.is_some();
        runs.par_iter_mut().zip(self.strips.par_chunks(size)).for_each(|(run, strips)| {
            run.begin(draw, if with_slope { blocks } else { &[] });
            for strip in strips {
                run.take(self, strip, blocks, with_slope);
            }
        });
        if let Some(cotangent) = cotangent {
            cotangent.add_dense(|dense| {
                for run in runs.iter() {
                    add_blocks(&run.slopes, dense);
                }
            });
        }
        runs.iter().map(|run| run.value).sum()
    }
}

impl Run {
    /// With no value yet, and no slope with respect to each of these blocks.
    fn begin(&mut self, draw: Option<(u64, u64)>, blocks: &[Mat]) {
        self.value = 0.0;
        self.evaluation.draw = draw;
        let count = self.slopes.len().max(blocks.len());
        self.slopes.resize_with(count, Mat::default);
        for (slope, block) in self.slopes.iter_mut().zip(blocks) {
            slope.reshape(block.rows(), block.cols());
            slope.values_mut().fill(0.0);
        }
    }

    /// Adds the loss of a strip and, if asked for, its slope.
    fn take(&mut self, lifted: &Lifted, strip: &Strip, blocks: &[Mat], with_slope: bool) {
        let Self { value, residual, evaluation, dense, slopes } = self;
        let Strip { rows, share, .. } = strip;
        let (known, block) = (&lifted.known[strip.known], &blocks[strip.known]);
        let inside = known.inside();
        let factor = &known.turned.values()[rows.start * inside..rows.end * inside];
        let factor = MatRef::new(inside, rows.len(), factor);
        residual.reshape(rows.len(), lifted.cols);
        let all = MatMut::new(rows.len(), lifted.cols, residual.values_mut());
        multiply(all, Accumulate::Replace, 1.0, factor.t(), block.view());
        for j in 0..lifted.cols {
            axpy(-1.0, &known.target.col(j)[rows.clone()], residual.col_mut(j));
        }
        let (problem, product) =
            (&lifted.residuals[strip.residual], Product::Dense(residual.view()));
        if !with_slope {
            *value += share * problem.value(&product, evaluation);
            return;
        }
        *value += share * problem.evaluate(&product, evaluation);
        let slope = evaluation.cotangent.dense_in(dense);
        multiply(slopes[strip.known].view_mut(), Accumulate::Add, *share, factor, slope);
    }
}

/// Adds matrices that stand one below the other to one that is as high as all of them.
fn add_blocks(blocks: &[Mat], all: &mut Mat) {
    let mut first = 0;
    for block in blocks {
        for j in 0..block.cols() {
            axpy(1.0, block.col(j), &mut all.col_mut(j)[first..first + block.rows()]);
        }
        first += block.rows();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Absolute, Axis, Constant, Differences, Full, Observation, Squared, Term};
    use crate::random::{Purpose, normal, stream};

    /// Two known factors, of more rows than a strip has, with targets.
    fn known(rows: [usize; 2]) -> [(Mat, Mat); 2] {
        let mut draws = stream(3, Purpose::Truth, 0);
        let mut random = |rows, cols| Mat::from_fn(rows, cols, |_, _| normal(&mut draws));
        [(random(rows[0], 4), random(rows[0], 9)), (random(rows[1], 3), random(rows[1], 9))]
    }

    fn random(rows: usize, cols: usize) -> Mat {
        let mut draws = stream(4, Purpose::Truth, 0);
        Mat::from_fn(rows, cols, |_, _| normal(&mut draws))
    }

    fn lifted(known: &[(Mat, Mat)], residual: impl Fn(usize) -> Result<Problem>) -> Problem {
        let known = known.iter().map(|(u, z)| KnownFactor::new(u, z.clone()).unwrap());
        Problem::lifted(known.collect(), residual).unwrap()
    }

    /// The terms of a video, on what is left over of so many rows.
    fn terms(rows: usize) -> Result<Problem> {
        let shape = (rows, 9);
        let lag = |lag| {
            let over = Differences::new(shape, Axis::Cols, lag, 0)?;
            let targets = vec![0.0; over.len()];
            let loss = Arc::new(Absolute::default());
            Ok(Term { observation: Arc::new(over), targets, loss, weight: 1.0 })
        };
        let direct = Term {
            observation: Arc::new(Full::new(shape)),
            targets: vec![0.0; rows * 9],
            loss: Arc::new(Squared { constant: Constant::Mean, weights: None }),
            weight: 0.1,
        };
        Problem::sum(vec![direct])?.one_of((1..4).map(lag).collect::<Result<_>>()?)
    }

    #[test]
    fn strips_add_up_to_the_whole() {
        let known = known([700, 300]);
        let problem = lifted(&known, terms);
        assert_eq!(problem.shape(), (7, 9));
        assert_eq!(problem.measurements(), 1000 * (9 + 8 + 7 + 6));
        let w = random(7, 9);
        let block = |first: usize, rows| Mat::from_fn(rows, 9, |i, j| w[(first + i, j)]);
        let left = [(0, 4), (4, 3)]
            .into_iter()
            .zip(&known)
            .map(|((first, rows), (u, z))| (first, u, u.times(&block(first, rows)).minus(z)));
        for draw in [None, Some((1, 0)), Some((1, 1))] {
            let mut evaluation = Evaluation { draw, ..Evaluation::default() };
            let found = problem.evaluate(&Product::Dense(w.view()), &mut evaluation);
            let slope = evaluation.cotangent.to_dense();
            assert_eq!(found, problem.value(&Product::Dense(w.view()), &mut evaluation));
            let mut whole = 0.0;
            for (first, u, residual) in left.clone() {
                let share = residual.rows() as f64 / 1000.0;
                let alone = terms(residual.rows()).unwrap();
                let mut one = Evaluation { draw, ..Evaluation::default() };
                whole += share * alone.evaluate(&Product::Dense(residual.view()), &mut one);
                let expected = u.t().times(one.cotangent.to_dense().view()).scaled(share);
                let own = Mat::from_fn(u.cols(), 9, |i, j| slope[(first + i, j)]);
                assert!(own.minus(&expected).max_abs() < 1e-12, "{draw:?}");
            }
            assert!((found - whole).abs() < 1e-12 * whole, "{draw:?} {found} {whole}");
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let known = known([3000, 500]);
        let (problem, w) = (lifted(&known, terms), random(7, 9));
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut evaluation = Evaluation::default();
            let product = Product::Dense(w.view());
            let value = pool.install(|| problem.evaluate(&product, &mut evaluation));
            (value, evaluation.cotangent.to_dense())
        };
        assert_eq!(of(1), of(2));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let message = |error: Error| error.to_string();
        let (u, z) = (Mat::eye(5, 2), Mat::zeros(5, 9));
        let short = KnownFactor::new(&u, Mat::zeros(4, 9)).unwrap_err();
        assert_eq!(message(short), "a known factor must have 4 rows, as its product, but it has 5");
        let known = |cols| KnownFactor::new(&u, Mat::zeros(5, cols)).unwrap();
        let other = Problem::lifted([known(9), known(8)].into(), terms).unwrap_err();
        assert_eq!(message(other), "every target must have 9 columns, as the first, but it has 8");
        let none = Problem::lifted([].into(), terms).unwrap_err();
        assert_eq!(message(none), "the number of known factors must be 1 or more, but it is 0");
        let wrong = Problem::lifted([known(9)].into(), |rows| terms(rows + 1)).unwrap_err();
        assert_eq!(
            message(wrong),
            "the problem of a strip must have shape (5, 9), but it has (6, 9)"
        );
        let problem = lifted(&[(u.clone(), z)], terms);
        assert!(problem.must_be_separable().is_err());
        let block = crate::problem::Block::new(vec![0], vec![0]).unwrap();
        let refused = problem.block(&block).unwrap_err();
        assert_eq!(
            message(refused),
            "the problem that is cut into blocks must be a sum of terms alone, but it is one of products with known factors"
        );
    }
}
