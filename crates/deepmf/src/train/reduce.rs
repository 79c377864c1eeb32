//! Rows in shards, each trained by a loop of its own: what they share is summed, in a fixed order, at every step.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Optimizer, Room};
use crate::model::Model;
use crate::{Error, Result};

/// Sums numbers over the shards of a run; every shard calls it equally often.
pub trait Reduce: Send {
    /// Puts the sums over all shards, taken in the order of the shards, in the place of `numbers`. All shards give as many.
    ///
    /// # Errors
    /// What kept the sum from being made; it ends the run.
    fn sum(&mut self, numbers: &mut [f64]) -> Result<()>;
}

impl<R: Reduce + ?Sized> Reduce for Box<R> {
    fn sum(&mut self, numbers: &mut [f64]) -> Result<()> {
        (**self).sum(numbers)
    }
}

/// What a loop needs to sum losses and the gradient of all layers but the last one, which belongs to the rows.
pub(super) struct Sums<'a> {
    reduce: Box<dyn Reduce + 'a>,
    /// The loss, whether somebody asks to stop, the shared gradient.
    buffer: Vec<f64>,
}

impl<'a> Sums<'a> {
    pub(super) fn new(reduce: impl Reduce + 'a) -> Self {
        Self { reduce: Box::new(reduce), buffer: Vec::new() }
    }

    /// Refuses what shards cannot agree on.
    pub(super) fn check(&mut self, model: &dyn Model, optimizer: &dyn Optimizer) -> Result<()> {
        let depth = model.layers().map_or(0, |layers| layers.len());
        let own = model.params().slots().last().map_or(0, |slot| slot.rows * slot.cols);
        if depth < 2 || depth != model.params().slots().len() || model.is_network() {
            let what = "a model whose rows are in shards";
            return Err(Error::parameter(what, "deep linear of 2 or more layers", "another"));
        }
        if !optimizer.is_elementwise() {
            let what = "the optimizer of rows in shards";
            return Err(Error::parameter(what, "one that moves each number by itself", "another"));
        }
        self.buffer.clear();
        self.buffer.resize(2 + model.params().numbers().len() - own, 0.0);
        Ok(())
    }

    /// Sums loss and shared gradient in `room`; says whether any shard was asked to stop.
    pub(super) fn meet(&mut self, room: &mut Room, asked: bool) -> Result<bool> {
        let shared = self.buffer.len() - 2;
        self.buffer[0] = room.loss;
        self.buffer[1] = f64::from(u8::from(asked));
        self.buffer[2..].copy_from_slice(&room.gradient.values()[..shared]);
        self.reduce.sum(&mut self.buffer)?;
        room.loss = self.buffer[0];
        room.gradient.values_mut()[..shared].copy_from_slice(&self.buffer[2..]);
        Ok(self.buffer[1] > 0.0)
    }

    /// The sum of one number.
    pub(super) fn one(&mut self, number: f64) -> Result<f64> {
        let mut all = [number];
        self.reduce.sum(&mut all)?;
        Ok(all[0])
    }
}

/// The sum among threads of one process: a handle for each shard.
#[derive(Debug)]
pub struct LocalReduce {
    place: usize,
    table: Arc<Table>,
}

#[derive(Debug)]
struct Table {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    parts: Vec<Vec<f64>>,
    arrived: usize,
    round: u64,
    total: Vec<f64>,
    gone: bool,
}

impl LocalReduce {
    /// Handles for so many shards, in their order. Once one is dropped the others get an error in place of a sum.
    pub fn new(shards: usize) -> Vec<Self> {
        let state = State {
            parts: vec![Vec::new(); shards],
            arrived: 0,
            round: 0,
            total: Vec::new(),
            gone: false,
        };
        let table = Arc::new(Table { state: Mutex::new(state), changed: Condvar::new() });
        (0..shards).map(|place| Self { place, table: table.clone() }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.table.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reduce for LocalReduce {
    fn sum(&mut self, numbers: &mut [f64]) -> Result<()> {
        let mut state = self.lock();
        let round = state.round;
        let part = &mut state.parts[self.place];
        part.clear();
        part.extend_from_slice(numbers);
        state.arrived += 1;
        if state.arrived == state.parts.len() {
            let State { parts, total, .. } = &mut *state;
            sum_parts(parts, total)?;
            state.arrived = 0;
            state.round += 1;
            self.table.changed.notify_all();
        }
        while state.round == round {
            if state.gone {
                return Err(Error::parameter("every shard", "there until the end", "gone"));
            }
            state = self.table.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        numbers.copy_from_slice(&state.total);
        Ok(())
    }
}

impl Drop for LocalReduce {
    fn drop(&mut self) {
        self.lock().gone = true;
        self.table.changed.notify_all();
    }
}

/// The sum of lists of the same length in their order, ((a + b) + c) + …; left in `total`.
///
/// # Errors
/// [`Error::Shape`] if one is longer or shorter than the first.
pub fn sum_parts<P: AsRef<[f64]>>(parts: &[P], total: &mut Vec<f64>) -> Result<()> {
    total.clear();
    for part in parts {
        let part = part.as_ref();
        if total.is_empty() {
            total.extend_from_slice(part);
            continue;
        }
        if part.len() != total.len() {
            return Err(Error::shape("the numbers of a shard", total.len(), part.len()));
        }
        total.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_gets_the_sum_in_the_order_of_the_shards() {
        let handles = LocalReduce::new(3);
        let parts = [1e16, 1.0, -1e16];
        let sums: Vec<Vec<f64>> = std::thread::scope(|scope| {
            let threads: Vec<_> = handles
                .into_iter()
                .zip(parts)
                .map(|(mut handle, part)| {
                    scope.spawn(move || {
                        let rounds = 0..50;
                        let round = |i| {
                            let mut numbers = [part, f64::from(i)];
                            handle.sum(&mut numbers).map(|()| numbers[0] + numbers[1])
                        };
                        rounds.map(round).collect::<Result<Vec<_>>>().unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // ((1e16 + 1) − 1e16) is 0 in this order.
        let expected: Vec<f64> = (0..50).map(|i| f64::from(3 * i)).collect();
        assert_eq!(sums, vec![expected; 3]);
    }

    #[test]
    fn what_shards_cannot_agree_on_is_refused() {
        use crate::model::DeepLinear;
        use crate::problem::{Constant, Problem};
        use crate::train::optimizer::{Adam, GroupRmsProp};
        use crate::train::{Probe, Stop, Trainer};
        let problem = Problem::full(&crate::linalg::Mat::eye(3, 3), Constant::Mean).unwrap();
        let told = |trainer: Trainer<'_>, depth: usize| {
            let mut model = DeepLinear::with_width((3, 3), depth, 2).unwrap();
            let handle = LocalReduce::new(1).remove(0);
            trainer.reduce(handle).fit(&problem, &mut model).unwrap_err().to_string()
        };
        let adam = || Trainer::new(Adam::new(0.1).unwrap());
        assert_eq!(
            told(adam(), 1),
            "a model whose rows are in shards must be deep linear of 2 or more layers, but it is another"
        );
        assert!(told(Trainer::new(GroupRmsProp::new(0.1).unwrap()), 2).contains("by itself"));
        let refused = "a run in shards must be without probes, blocks, and bounds of gradient or time, but it is with one";
        assert_eq!(told(adam().record(Probe::TestError), 2), refused);
        assert_eq!(told(adam().stop(Stop::new().gradient_below(1e-3)), 2), refused);
    }

    #[test]
    fn a_shard_that_is_gone_is_told_to_the_others() {
        let mut handles = LocalReduce::new(2);
        drop(handles.pop());
        let told = handles[0].sum(&mut [1.0]).unwrap_err().to_string();
        assert_eq!(told, "every shard must be there until the end, but it is gone");
        let mut total = Vec::new();
        assert!(sum_parts(&[vec![1.0], vec![1.0, 2.0]], &mut total).is_err());
    }
}
