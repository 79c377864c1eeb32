//! Sparse samples: of each, which numbers are known, by sample and by number.

use crate::data::Entries;
use crate::linalg::Real;
use crate::random::{RngExt, Stream};

/// Sparse samples: those of a network's first layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples<T> {
    width: usize,
    starts: Vec<usize>,
    ids: Vec<u32>,
    values: Vec<T>,
    turned: Turned<T>,
}

/// The same numbers by place: only places that some sample has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Turned<T> {
    places: Vec<u32>,
    starts: Vec<usize>,
    samples: Vec<u32>,
    values: Vec<T>,
    /// Room: how often each place occurs.
    counts: Vec<u32>,
}

impl<T: Real> Samples<T> {
    /// The rows of a table, one sample each.
    pub fn rows(entries: &Entries) -> Self {
        let (count, width) = entries.shape();
        Self::new(count, width, entries.rows(), entries.cols(), entries.values())
    }

    /// The columns of a table, one sample each.
    pub fn cols(entries: &Entries) -> Self {
        let (width, count) = entries.shape();
        Self::new(count, width, entries.cols(), entries.rows(), entries.values())
    }

    fn new(count: usize, width: usize, samples: &[u32], places: &[u32], values: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        order.sort_by_key(|&e| (samples[e as usize], places[e as usize]));
        let mut starts = vec![0; count + 1];
        for &sample in samples {
            starts[sample as usize + 1] += 1;
        }
        (0..count).for_each(|sample| starts[sample + 1] += starts[sample]);
        let mut made = Self {
            width,
            starts,
            ids: order.iter().map(|&e| places[e as usize]).collect(),
            values: order.iter().map(|&e| T::of(values[e as usize])).collect(),
            turned: Turned::default(),
        };
        made.turn();
        made
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// How many numbers a sample could have.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Becomes these samples of `all`, in this order.
    pub fn take(&mut self, all: &Self, which: &[u32]) {
        self.width = all.width;
        self.starts.clear();
        self.ids.clear();
        self.values.clear();
        self.starts.push(0);
        for &sample in which {
            let range = all.starts[sample as usize]..all.starts[sample as usize + 1];
            self.ids.extend_from_slice(&all.ids[range.clone()]);
            self.values.extend_from_slice(&all.values[range]);
            self.starts.push(self.ids.len());
        }
        self.turn();
    }

    /// Leaves each number out with a probability that is drawn for its sample, from 0 to `1 - least`.
    pub fn show(&mut self, least: f64, draws: &mut Stream) {
        let (mut next, mut begin) = (0, 0);
        for sample in 0..self.count() {
            let end = self.starts[sample + 1];
            let keep: f64 = draws.random_range(least..=1.0);
            for place in begin..end {
                if draws.random::<f64>() < keep {
                    (self.ids[next], self.values[next]) = (self.ids[place], self.values[place]);
                    next += 1;
                }
            }
            begin = end;
            self.starts[sample + 1] = next;
        }
        self.ids.truncate(next);
        self.values.truncate(next);
        self.turn();
    }

    /// Becomes the numbers that are not zero of samples × numbers, column after column.
    pub(super) fn thin(&mut self, count: usize, values: &[T]) {
        let zero = T::default();
        self.width = values.len() / count.max(1);
        self.starts.clear();
        self.starts.resize(count + 1, 0);
        for column in values.chunks_exact(count.max(1)) {
            for (end, x) in self.starts[1..].iter_mut().zip(column) {
                *end += usize::from(*x != zero);
            }
        }
        (0..count).for_each(|sample| self.starts[sample + 1] += self.starts[sample]);
        self.ids.resize(self.starts[count], 0);
        self.values.resize(self.starts[count], zero);
        // Each start runs to the next one's place, and goes back after that.
        for (place, column) in values.chunks_exact(count.max(1)).enumerate() {
            for (sample, x) in column.iter().enumerate().filter(|(_, x)| **x != zero) {
                let spot = self.starts[sample];
                (self.ids[spot], self.values[spot]) = (place as u32, *x);
                self.starts[sample] += 1;
            }
        }
        self.starts.copy_within(..count, 1);
        self.starts[0] = 0;
        self.turn();
    }

    fn turn(&mut self) {
        let Turned { places, starts, samples, values, counts } = &mut self.turned;
        counts.clear();
        counts.resize(self.width, 0);
        self.ids.iter().for_each(|&place| counts[place as usize] += 1);
        places.clear();
        starts.clear();
        starts.push(0);
        let mut end = 0;
        for (place, count) in counts.iter_mut().enumerate() {
            if *count > 0 {
                places.push(place as u32);
                let begin = end;
                end += *count as usize;
                starts.push(end);
                *count = begin as u32;
            }
        }
        samples.resize(end, 0);
        values.resize(end, T::default());
        for sample in 0..self.starts.len() - 1 {
            for e in self.starts[sample]..self.starts[sample + 1] {
                let spot = &mut counts[self.ids[e] as usize];
                (samples[*spot as usize], values[*spot as usize]) = (sample as u32, self.values[e]);
                *spot += 1;
            }
        }
    }

    /// The places and numbers of one sample.
    pub(super) fn sample(&self, sample: usize) -> impl Iterator<Item = (usize, T)> + '_ {
        let range = self.starts[sample]..self.starts[sample + 1];
        self.ids[range.clone()]
            .iter()
            .map(|&id| id as usize)
            .zip(self.values[range].iter().copied())
    }

    /// The samples that have a place, with their numbers there.
    pub(super) fn at(&self, place: usize) -> impl Iterator<Item = (usize, T)> + '_ {
        let range = match self.turned.places.binary_search(&(place as u32)) {
            Ok(spot) => self.turned.starts[spot]..self.turned.starts[spot + 1],
            Err(_) => 0..0,
        };
        let samples = self.turned.samples[range.clone()].iter().map(|&id| id as usize);
        samples.zip(self.turned.values[range].iter().copied())
    }
}
