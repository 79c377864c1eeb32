//! Between what decoders put out, position after position, and the factors as matrices.

use super::{ProductRoom, TransportLight};
use crate::model::Precision;

impl<T: Precision> TransportLight<T> {
    /// Where number (row, col) of the transport's core of a colour stands in what its decoder gives.
    fn core_place(&self, colour: usize, row: usize, col: usize) -> usize {
        if self.bases.is_empty() {
            return row * self.transport.grid().cols + col;
        }
        let vectors = self.inside() - 1;
        (col * self.colours + colour) * vectors + row
    }

    /// Where number (row, col) of the light of a colour stands in what its decoder gives.
    fn light_place(&self, colour: usize, row: usize, col: usize) -> usize {
        if self.bases.is_empty() {
            return row * self.light.grid().cols + col;
        }
        (col * self.hidden + row) * self.colours + colour
    }

    /// Fills `cores` and `lights` from what the decoders gave.
    pub(super) fn read(&self, transport: &[T], light: &[T], room: &mut ProductRoom<T>) {
        let (inside, hidden, cols) = (self.inside(), self.hidden, self.shape.1);
        room.cores.resize(self.colours * inside * hidden, T::default());
        room.lights.resize(self.colours * hidden * cols, T::default());
        for (c, core) in room.cores.chunks_exact_mut(inside * hidden).enumerate() {
            for (h, column) in core.chunks_exact_mut(inside).enumerate() {
                match self.bases.get(c) {
                    None => {
                        let numbers = column.iter_mut().enumerate();
                        numbers.for_each(|(p, x)| *x = transport[self.core_place(c, p, h)]);
                    }
                    Some(basis) => {
                        column[inside - 1] = T::of(1.0);
                        let numbers = column.iter_mut().zip(&basis.scales).enumerate();
                        numbers.for_each(|(k, (x, scale))| {
                            *x = *scale * transport[self.core_place(c, k, h)];
                        });
                    }
                }
            }
        }
        let share = self.light_share();
        for (c, lights) in room.lights.chunks_exact_mut(hidden * cols).enumerate() {
            for (t, column) in lights.chunks_exact_mut(hidden).enumerate() {
                let numbers = column.iter_mut().enumerate();
                numbers.for_each(|(h, x)| *x = share * light[self.light_place(c, h, t)]);
            }
        }
    }

    /// Of a video, light is divided by the number of hidden pixels.
    fn light_share(&self) -> T {
        T::of(if self.bases.is_empty() { 1.0 } else { 1.0 / self.hidden as f64 })
    }

    /// Adds the slopes with respect to core and light of a colour to those with respect to what the decoders gave.
    pub(super) fn write(
        &self,
        c: usize,
        room: &ProductRoom<T>,
        transport: &mut [T],
        light: &mut [T],
    ) {
        let (inside, hidden) = (self.inside(), self.hidden);
        let penalty = room.penalty_slope.chunks_exact(inside * hidden).nth(c);
        for (h, column) in room.core_slope.chunks_exact(inside).enumerate() {
            let scales = self.bases.get(c).map(|basis| &basis.scales);
            let count = scales.map_or(inside, Vec::len);
            for p in 0..count {
                let scale = scales.map_or(T::of(1.0), |scales| scales[p]);
                let more = penalty.map_or(T::default(), |slope| slope[h * inside + p]);
                transport[self.core_place(c, p, h)] = scale * (column[p] + more);
            }
        }
        let share = self.light_share();
        for (t, column) in room.light_slope.chunks_exact(hidden).enumerate() {
            let numbers = column.iter().enumerate();
            numbers.for_each(|(h, x)| light[self.light_place(c, h, t)] = share * *x);
        }
    }
}
