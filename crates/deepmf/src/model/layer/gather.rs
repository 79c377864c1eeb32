//! Y = X Wᵀ + b and the ways back where X has few numbers: sums over columns of W, never a dense product.

use rayon::prelude::*;

use super::{Samples, Tape};
use crate::linalg::{Real, add_parts, short_dot};

/// Samples, or columns of W, that one thread takes at a time.
const PART: usize = 4;
/// Columns of a square that is turned at once.
const SQUARE: usize = 32;

/// `out` ← the transpose of `values`, which is rows × cols, column after column.
pub(super) fn turn<T: Real>(rows: usize, cols: usize, values: &[T], out: &mut Vec<T>) {
    out.resize(rows * cols, T::default());
    if values.is_empty() {
        return;
    }
    out.par_chunks_mut(cols * SQUARE).enumerate().for_each(|(part, out)| {
        let first = part * SQUARE;
        for begin in (0..cols).step_by(SQUARE) {
            for (i, out) in out.chunks_exact_mut(cols).enumerate() {
                let end = (begin + SQUARE).min(cols);
                for (j, out) in out[begin..end].iter_mut().enumerate() {
                    *out = values[(begin + j) * rows + first + i];
                }
            }
        }
    });
}

/// The place-th of columns of so many numbers.
fn column<T>(columns: &[T], after: usize, place: usize) -> &[T] {
    &columns[place * after..(place + 1) * after]
}

/// `tape.output` ← the samples times Wᵀ, plus b.
pub(super) fn gather<T: Real>(samples: &Samples<T>, weight: &[T], bias: &[T], tape: &mut Tape<T>) {
    let after = bias.len();
    // Each sample by itself is contiguous here; the output is the transpose.
    tape.kept.resize(after * samples.count(), T::default());
    tape.kept.par_chunks_mut(after).with_min_len(PART).enumerate().for_each(|(i, sum)| {
        sum.copy_from_slice(bias);
        let parts = samples.sample(i).map(|(j, value)| (value, column(weight, after, j)));
        add_parts(parts, sum);
    });
    turn(after, samples.count(), &tape.kept, &mut tape.output);
}

/// `weight` and `bias` ← the slopes with respect to W and b, where `slopes` is the one of each sample after the other.
pub(super) fn spread<T: Real>(
    samples: &Samples<T>,
    slopes: &[T],
    weight: &mut [T],
    bias: &mut [T],
) {
    let after = bias.len();
    weight.par_chunks_mut(after).with_min_len(PART).enumerate().for_each(|(j, out)| {
        out.fill(T::default());
        add_parts(samples.at(j).map(|(i, value)| (value, column(slopes, after, i))), out);
    });
    bias.fill(T::default());
    add_parts(slopes.chunks_exact(after).map(|slope| (T::of(1.0), slope)), bias);
}

/// `back` ← the slope with respect to those numbers of the samples that are not zero, and zero elsewhere.
pub(super) fn back_where_kept<T: Real>(
    samples: &Samples<T>,
    slopes: &[T],
    weight: &[T],
    back: &mut Vec<T>,
) {
    let (count, after) = (samples.count(), weight.len() / samples.width().max(1));
    back.resize(count * samples.width(), T::default());
    let columns = back.par_chunks_mut(count.max(1)).zip(weight.par_chunks(after.max(1)));
    columns.with_min_len(PART).enumerate().for_each(|(place, (back, weight))| {
        back.fill(T::default());
        for (i, _) in samples.at(place) {
            back[i] = short_dot(weight, column(slopes, after, i));
        }
    });
}
