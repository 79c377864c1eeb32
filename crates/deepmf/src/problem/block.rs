//! Blocks: the part of a problem that some rows and some columns have between them.

use super::{Problem, Term};
use crate::data::Shape;
use crate::{Error, Result};

/// Some rows and some columns of a matrix, in an order of their own; each occurs once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    rows: Vec<u32>,
    cols: Vec<u32>,
}

impl Block {
    /// These rows and columns.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is none of either or one occurs twice.
    pub fn new(rows: Vec<u32>, cols: Vec<u32>) -> Result<Self> {
        for (what, ids) in [("rows", &rows), ("columns", &cols)] {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            if let Some([id, _]) = sorted.array_windows().find(|[a, b]| a == b) {
                return Err(Error::parameter(format!("{what} of a block"), "different", id));
            }
            if ids.is_empty() {
                let what = format!("the number of {what} of a block");
                return Err(Error::parameter(what, "1 or more", 0));
            }
        }
        Ok(Self { rows, cols })
    }

    /// A block whose rows and columns are known to be different: those that `fill` leaves in its two lists.
    pub(crate) fn refill(&mut self, fill: impl FnOnce(&mut Vec<u32>, &mut Vec<u32>)) {
        fill(&mut self.rows, &mut self.cols);
    }

    /// Its rows.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Its columns.
    pub fn cols(&self) -> &[u32] {
        &self.cols
    }

    /// Numbers of rows and columns.
    pub fn shape(&self) -> Shape {
        (self.rows.len(), self.cols.len())
    }
}

/// Where each of `count` ids stands in a list, if it does.
pub(super) fn places(ids: &[u32], count: usize) -> Vec<Option<u32>> {
    let mut places = vec![None; count];
    for (place, &id) in ids.iter().enumerate() {
        places[id as usize] = Some(place as u32);
    }
    places
}

impl Problem {
    /// What is seen of a block, as a problem on a matrix of its shape; nothing where nothing is seen.
    ///
    /// Losses that are means are those over the measurements of the block. It has no test.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a row or column outside W, an observation that does not see entries by themselves, choices or known factors.
    pub fn block(&self, block: &Block) -> Result<Option<Self>> {
        let sides = [("row", &block.rows, self.shape.0), ("column", &block.cols, self.shape.1)];
        for (what, ids, count) in sides {
            if let Some(id) = ids.iter().find(|id| **id as usize >= count) {
                let what = format!("every {what} of a block");
                return Err(Error::parameter(what, format!("below {count}"), id));
            }
        }
        self.must_be_terms("the problem that is cut into blocks")?;
        let mut terms = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let Some((observation, places)) = term.observation.block(block) else {
                let what = "the observation of a problem that is cut into blocks";
                return Err(Error::parameter(what, "one of entries by themselves", "another"));
            };
            if places.is_empty() {
                continue;
            }
            let targets = places.iter().map(|&place| term.targets[place]).collect();
            let loss = term.loss.take(&places);
            terms.push(Term { observation, targets, loss, weight: term.weight });
        }
        Ok(if terms.is_empty() { None } else { Some(Self::sum(terms)?) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Entries;
    use crate::linalg::Mat;
    use crate::problem::{Constant, Evaluation, Full, Mask, Observation, Sensing, Squared};
    use crate::product::Product;

    fn entries() -> Entries {
        let (rows, cols) = (vec![0, 3, 1, 3, 2, 0], vec![0, 0, 1, 2, 2, 2]);
        let values = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let weights = vec![1.0, 2.0, 1.0, 3.0, 1.0, 5.0];
        Entries::new((4, 3), rows, cols, values).unwrap().weighted(weights).unwrap()
    }

    /// Loss and gradient of a problem on a block of W_ij = 10 i + j.
    fn at(problem: &Problem, block: &Block) -> (f64, Mat) {
        let cell = |i: usize, j: usize| f64::from(10 * block.rows()[i] + block.cols()[j]);
        let w = Mat::from_fn(block.shape().0, block.shape().1, cell);
        let part = problem.block(block).unwrap().unwrap();
        let mut evaluation = Evaluation::default();
        let loss = part.evaluate(&Product::Dense(w.view()), &mut evaluation);
        (loss, evaluation.cotangent.to_dense())
    }

    #[test]
    fn a_block_holds_its_cells_with_their_weights() {
        let block = Block::new(vec![3, 0], vec![2, 0]).unwrap();
        for mask in [Mask::sparse(&entries()), Mask::dense(&entries())] {
            let weights = Some(mask.order(entries().weights().unwrap()));
            let targets = mask.order(entries().values());
            let loss = Arc::new(Squared { constant: Constant::Mean, weights });
            let problem = Problem::single(Arc::new(mask), targets, loss).unwrap();
            let (loss, slope) = at(&problem, &block);
            // Cells (3, 2): 32 − 4, (3, 0): 30 − 2, (0, 2): 2 − 6, (0, 0): 0 − 1 with weights 3, 2, 5, 1.
            let sum = 3.0 * 28.0 * 28.0 + 2.0 * 28.0 * 28.0 + 5.0 * 16.0 + 1.0;
            assert!((loss - sum / 11.0).abs() < 1e-12);
            let expected = [[3.0 * 28.0, 2.0 * 28.0], [5.0 * -4.0, -1.0]];
            for (i, row) in expected.iter().enumerate() {
                for (j, expected) in row.iter().enumerate() {
                    assert!((slope[(i, j)] - 2.0 * expected / 11.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn the_block_of_everything_is_everything() {
        let block = Block::new(vec![2, 0, 3, 1], vec![1, 2, 0]).unwrap();
        let problem = Problem::completion_with(&entries(), Constant::Sum).unwrap();
        let (loss, _) = at(&problem, &block);
        let w = Mat::from_fn(4, 3, |i, j| (10 * i + j) as f64);
        let whole = problem.value(&Product::Dense(w.view()), &mut Evaluation::default());
        assert!((loss - whole).abs() < 1e-9);
        let full = Problem::full(&w, Constant::Sum).unwrap();
        assert_eq!(at(&full, &block).0, 0.0);
    }

    #[test]
    fn blocks_that_do_not_fit_are_refused() {
        let message = |rows: &[u32], cols: &[u32]| {
            Block::new(rows.to_vec(), cols.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(message(&[1, 0, 1], &[0]), "rows of a block must be different, but it is 1");
        assert_eq!(
            message(&[0], &[]),
            "the number of columns of a block must be 1 or more, but it is 0"
        );
        let problem = Problem::completion(&entries()).unwrap();
        assert!(problem.block(&Block::new(vec![2], vec![0]).unwrap()).unwrap().is_none());
        let outside = problem.block(&Block::new(vec![0], vec![3]).unwrap()).unwrap_err();
        assert_eq!(outside.to_string(), "every column of a block must be below 3, but it is 3");
        let sensing = Sensing::gaussian((4, 3), 2, 0).unwrap();
        let problem = Problem::sensing(sensing, vec![0.0; 2], Constant::Mean).unwrap();
        let error = problem.block(&Block::new(vec![0], vec![0]).unwrap()).unwrap_err();
        assert!(
            error.to_string().ends_with("must be one of entries by themselves, but it is another")
        );
        assert_eq!(Full::new((2, 2)).block(&Block::new(vec![1], vec![0]).unwrap()).unwrap().1, [1]);
    }
}
