//! Blocks of a run: rows and columns walked in random orders, a few of each at a step.

use crate::data::Shape;
use crate::model::Model;
use crate::problem::{Block, Problem};
use crate::random::{Purpose, RngExt, stream};
use crate::{Error, Result};

/// How often a block in which nothing is seen gives way to the next one before a step sees the whole problem.
const TRIES: u64 = 1_000;

/// Blocks of so many rows and so many columns, one a step.
///
/// Rows and columns are walked independently, each in an order drawn anew whenever it has come to its end; the last block of an
/// order is filled up from its beginning (Nguyen, Tsiligianni and Deligiannis 2018). The block of a step depends on the seed
/// and the step alone.
///
/// ```
/// use deepmf::train::Blocks;
///
/// let blocks = Blocks::new(100, 170)?;
/// assert_eq!(blocks.steps_per_epoch((943, 1682)), (10, 10));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    rows: usize,
    cols: usize,
}

impl Blocks {
    /// Blocks of `rows` rows and `cols` columns, or as many as there are.
    ///
    /// # Errors
    /// [`Error::Parameter`] if one of them is zero.
    pub fn new(rows: usize, cols: usize) -> Result<Self> {
        for (what, count) in [("rows", rows), ("columns", cols)] {
            if count == 0 {
                let what = format!("the number of {what} of a block");
                return Err(Error::parameter(what, "1 or more", 0));
            }
        }
        Ok(Self { rows, cols })
    }

    /// Steps after which all rows, and all columns, have been walked.
    pub fn steps_per_epoch(self, shape: Shape) -> (u64, u64) {
        (shape.0.div_ceil(self.rows) as u64, shape.1.div_ceil(self.cols) as u64)
    }
}

/// The walk of a run.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    blocks: Blocks,
    seed: u64,
    orders: [Order; 2],
    /// The block of the step, and what is seen of it.
    block: Block,
    problem: Option<Problem>,
}

/// The order of one side, and which of its orders it is.
#[derive(Clone, Debug, Default)]
struct Order {
    ids: Vec<u32>,
    epoch: Option<u64>,
}

impl Order {
    /// Writes the ids of a step.
    fn at(
        &mut self,
        step: u64,
        (count, part): (usize, usize),
        seed: u64,
        side: u64,
        to: &mut Vec<u32>,
    ) {
        let part = part.min(count);
        let steps = count.div_ceil(part) as u64;
        let (epoch, place) = (step / steps, (step % steps) as usize);
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.ids.clear();
            self.ids.extend(0..count as u32);
            let mut random = stream(seed, Purpose::Block, 2 * epoch + side);
            for last in (1..count).rev() {
                self.ids.swap(last, random.random_range(0..=last));
            }
        }
        to.clear();
        to.extend((0..part).map(|k| self.ids[(place * part + k) % count]));
    }
}

impl Walk {
    /// # Errors
    /// [`Error::Parameter`] if the model does not give its product on a block; as [`Problem::block`].
    pub(super) fn new(
        blocks: Blocks,
        seed: u64,
        problem: &Problem,
        model: &dyn Model,
    ) -> Result<Self> {
        if !model.is_network() {
            let what = "the model that is trained on blocks";
            return Err(Error::parameter(what, "a network", "another"));
        }
        // Whether the problem can be cut at all is seen by the first block.
        problem.block(&Block::new(vec![0], vec![0])?)?;
        let orders = [Order::default(), Order::default()];
        Ok(Self { blocks, seed, orders, block: Block::default(), problem: None })
    }

    /// Draws the block of a step.
    ///
    /// # Errors
    /// As [`Problem::block`].
    pub(super) fn draw(&mut self, step: u64, problem: &Problem) -> Result<()> {
        let (rows, cols) = problem.shape();
        let Self { blocks, seed, orders, block, .. } = self;
        for step in step..step + TRIES {
            block.refill(|to_rows, to_cols| {
                orders[0].at(step, (rows, blocks.rows), *seed, 0, to_rows);
                orders[1].at(step, (cols, blocks.cols), *seed, 1, to_cols);
            });
            self.problem = problem.block(block)?;
            if self.problem.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The block of the step, none for everything.
    pub(super) fn block(&self) -> Option<&Block> {
        self.problem.as_ref().map(|_| &self.block)
    }

    /// What is seen of it.
    pub(super) fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and columns of the blocks of some steps.
    fn walk(steps: std::ops::Range<u64>, seed: u64) -> Vec<(Vec<u32>, Vec<u32>)> {
        let mut orders = [Order::default(), Order::default()];
        let at = |step| {
            let mut ids = (Vec::new(), Vec::new());
            orders[0].at(step, (7, 3), seed, 0, &mut ids.0);
            orders[1].at(step, (4, 2), seed, 1, &mut ids.1);
            ids
        };
        steps.map(at).collect()
    }

    #[test]
    fn every_row_and_column_is_walked_and_the_last_block_is_filled_from_the_beginning() {
        let blocks = walk(0..6, 1);
        for epoch in blocks.chunks(3) {
            let rows: Vec<u32> = epoch.iter().flat_map(|block| block.0.clone()).collect();
            let mut sorted = rows[..7].to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            assert_eq!(rows[7..], rows[..2]);
        }
        assert_ne!(blocks[0].0, blocks[3].0);
        for epoch in blocks.chunks(2) {
            let mut cols: Vec<u32> = epoch.iter().flat_map(|block| block.1.clone()).collect();
            cols.sort_unstable();
            assert_eq!(cols, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn the_block_of_a_step_depends_on_the_seed_and_the_step_alone() {
        assert_eq!(walk(4..6, 1), walk(0..6, 1)[4..]);
        assert_ne!(walk(0..6, 1), walk(0..6, 2));
    }

    #[test]
    fn steps_per_epoch_are_those_of_both_sides() {
        assert_eq!(Blocks::new(300, 200).unwrap().steps_per_epoch((6040, 3952)), (21, 20));
        assert_eq!(
            Blocks::new(0, 2).unwrap_err().to_string(),
            "the number of rows of a block must be 1 or more, but it is 0"
        );
    }
}
