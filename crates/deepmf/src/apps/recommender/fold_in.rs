//! Rows and columns that are new after the fit, from ratings of theirs and without training.

use std::collections::HashMap;

use super::{Recommends, by_towers};
use crate::apps::fold_in::Prior;
use crate::data::{Entries, Table};
use crate::linalg::{Mat, MatRef, axpy};
use crate::model::{Factors, TwoTower, layer::Samples};
use crate::{Error, Result};

/// A recommender that knows more rows and columns than its fit did.
#[derive(Clone, Debug)]
pub struct FoldedIn {
    /// It.
    pub recommends: Recommends,
    /// How many rows are new.
    pub rows: usize,
    /// How many columns are new.
    pub cols: usize,
    /// Ratings that say nothing: of a row and a column that the fit knew both, or that are new both.
    pub left_out: usize,
}

/// One side of what is new: ids, and their ratings by lines that the fit knew.
struct New {
    count: usize,
    known: Vec<Vec<(usize, f64)>>,
}

impl New {
    /// The same, each rating less what is said of it already.
    fn beside(&self, said: impl Fn(usize, usize) -> f64) -> Self {
        let rest = |(line, known): (usize, &Vec<(usize, f64)>)| {
            known.iter().map(|(other, x)| (*other, x - said(line, *other))).collect()
        };
        Self { count: self.count, known: self.known.iter().enumerate().map(rest).collect() }
    }

    /// Adds to the latents and offsets of the new lines.
    fn add(&self, latents: &Mat, offsets: &[f64], to: &mut Mat, to_offsets: &mut [f64]) {
        for line in (0..self.known.len()).filter(|line| !self.known[*line].is_empty()) {
            axpy(1.0, latents.col(line), to.col_mut(line));
            to_offsets[line] += offsets[line];
        }
    }
}

/// The ids of lines, where unknown labels get ids of their own.
struct Lines {
    ids: Vec<usize>,
    labels: Option<Vec<String>>,
    count: usize,
}

fn lines(own: Option<&[String]>, count: usize, labels: Option<&[String]>, all: usize) -> Lines {
    match (own, labels) {
        (Some(own), Some(labels)) => {
            let mut list = own.to_vec();
            let mut ids: HashMap<&str, usize> =
                own.iter().enumerate().map(|(id, label)| (label.as_str(), id)).collect();
            let found = labels.iter().map(|label| {
                *ids.entry(label).or_insert_with(|| {
                    list.push(label.clone());
                    list.len() - 1
                })
            });
            let ids = found.collect();
            Lines { ids, count: list.len(), labels: Some(list) }
        }
        (own, labels) => {
            // By place: a label that is a number is one.
            let place = |id: usize| labels.and_then(|labels| labels[id].parse().ok()).unwrap_or(id);
            let ids: Vec<usize> = (0..all).map(place).collect();
            let most = ids.iter().map(|id| id + 1).max().unwrap_or(0).max(count);
            let more = (own.map_or(0, <[String]>::len)..most).map(|id| id.to_string());
            let labels = own.map(|own| own.iter().cloned().chain(more).collect());
            Lines { ids, count: most, labels }
        }
    }
}

impl Recommends {
    /// Takes in rows and columns of which the fit knew no rating: each from its ratings in `table` by columns, and rows, that the fit knew.
    /// Lines are matched by their labels (by place where there are none).
    ///
    /// A new line is the posterior mean of its offset and its latent, if those of the fitted lines say how they are distributed, and the error on held-out
    /// ratings is the noise. The mean of the prior is zero; with two towers it is what they give for the line, which its own ratings then correct.
    ///
    /// # Errors
    /// [`Error::Parameter`] if no rating in the table says anything of a new row or column; [`Error::NotFinite`].
    pub fn fold_in(&self, table: &Table) -> Result<FoldedIn> {
        let (rows, cols) = self.factors.shape();
        let shape = table.entries.shape();
        let row_lines =
            lines(self.row_labels.as_deref(), rows, table.row_labels.as_deref(), shape.0);
        let col_lines =
            lines(self.col_labels.as_deref(), cols, table.col_labels.as_deref(), shape.1);
        let knows_row = |i: usize| i < rows && !self.seen(i).is_empty();
        let knows_col = |j: usize| j < cols && self.rated[j];
        let mut new_rows = vec![Vec::new(); row_lines.count];
        let mut new_cols = vec![Vec::new(); col_lines.count];
        let (before, mut left_out) = (self.seen.cells().zip(&self.ratings), 0);
        let mut cells: Vec<(u32, u32, f64)> =
            before.map(|((i, j), x)| (i as u32, j as u32, *x)).collect();
        for (i, j, x) in table.entries.iter() {
            let (i, j) = (row_lines.ids[i], col_lines.ids[j]);
            match (knows_row(i), knows_col(j)) {
                (false, true) => new_rows[i].push((j, x)),
                (true, false) => new_cols[j].push((i, x)),
                _ => {
                    left_out += 1;
                    continue;
                }
            }
            cells.push((i as u32, j as u32, x));
        }
        let side = |known: Vec<Vec<(usize, f64)>>| New {
            count: known.iter().filter(|known| !known.is_empty()).count(),
            known,
        };
        let (new_rows, new_cols) = (side(new_rows), side(new_cols));
        if new_rows.count + new_cols.count == 0 {
            let what = "the number of ratings of a new row by a known column, or the reverse,";
            return Err(Error::parameter(what, "1 or more", 0));
        }
        let mut folded = self.clone();
        match &self.towers {
            Some(towers) => {
                let half = |mat: Mat| by_towers::scaled(mat, self.range);
                let (more_rows, more_cols) = (
                    half(embedded(towers, 0, &new_rows, towers.input_width(0))?),
                    embedded(towers, 1, &new_cols, towers.input_width(1))?,
                );
                let factors = &self.factors;
                let said = Factors {
                    mean: factors.mean,
                    rows: extended(&factors.rows, row_lines.count),
                    cols: extended(&factors.cols, col_lines.count),
                    left: merged(factors.left.view(), &new_rows, &more_rows),
                    right: merged(factors.right.view(), &new_cols, &more_cols),
                };
                let rows = new_rows.beside(|i, j| said.at(i, j) - factors.mean);
                let cols = new_cols.beside(|j, i| said.at(i, j) - factors.mean);
                let moved = self.regressed(factors, &rows, &cols)?;
                folded.factors = said;
                let Factors { rows, cols, left, right, .. } = &mut folded.factors;
                new_rows.add(&moved.left, &moved.rows, left, rows);
                new_cols.add(&moved.right, &moved.cols, right, cols);
            }
            None => folded.factors = self.regressed(&self.factors, &new_rows, &new_cols)?,
        }
        if let Some(fallback) = &self.fallback {
            folded.fallback = Some(self.regressed(fallback, &new_rows, &new_cols)?);
        }
        let shape = folded.factors.shape();
        let pick = |part: fn(&(u32, u32, f64)) -> u32| cells.iter().map(part).collect();
        let values = cells.iter().map(|cell| cell.2).collect();
        folded.remember(&Entries::new(shape, pick(|cell| cell.0), pick(|cell| cell.1), values)?);
        let is_new = |before: &[bool], new: &New| -> Vec<bool> {
            let before = before.iter().copied().chain(std::iter::repeat(false));
            new.known
                .iter()
                .zip(before)
                .map(|(known, before)| before || !known.is_empty())
                .collect()
        };
        let [rows_before, cols_before] = &self.folded;
        folded.folded = [is_new(rows_before, &new_rows), is_new(cols_before, &new_cols)];
        (folded.row_labels, folded.col_labels) = (row_lines.labels, col_lines.labels);
        Ok(FoldedIn { recommends: folded, rows: new_rows.count, cols: new_cols.count, left_out })
    }

    /// Both sides by regression on the other one.
    fn regressed(&self, factors: &Factors, rows: &New, cols: &New) -> Result<Factors> {
        let noise = self.noise();
        let Factors { mean, rows: row_offsets, cols: col_offsets, left, right } = factors;
        let one = |own: &Mat,
                   offsets: &[f64],
                   other: &Mat,
                   others: &[f64],
                   new: &New,
                   knows: &dyn Fn(usize) -> bool| {
            // Lines of which nothing was known say nothing of what lines are like.
            let fitted: Vec<usize> = (0..own.cols()).filter(|i| knows(*i)).collect();
            let some = Mat::from_fn(own.rows(), fitted.len(), |r, i| own[(r, fitted[i])]);
            let some_offsets: Vec<f64> = fitted.iter().map(|&i| offsets[i]).collect();
            let prior = Prior::new(some.view(), &some_offsets, other.view(), |_| 1.0)?;
            let mut latents = Mat::zeros(own.rows(), new.known.len());
            let mut all = vec![0.0; new.known.len()];
            for (line, known) in new.known.iter().enumerate() {
                if known.is_empty() {
                    if line < own.cols() {
                        latents.col_mut(line).copy_from_slice(own.col(line));
                        all[line] = offsets[line];
                    }
                    continue;
                }
                let own: Vec<(usize, f64)> =
                    known.iter().map(|(other, x)| (*other, x - mean - others[*other])).collect();
                let found = prior.line(&own, noise)?;
                latents.col_mut(line).copy_from_slice(&found.latent);
                all[line] = found.offset;
            }
            Ok::<_, Error>((all, latents))
        };
        let (rows, left_more) =
            one(left, row_offsets, right, col_offsets, rows, &|i| !self.seen(i).is_empty())?;
        let (cols, right_more) =
            one(right, col_offsets, left, row_offsets, cols, &|j| self.rated[j])?;
        Ok(Factors { mean: *mean, rows, cols, left: left_more, right: right_more })
    }
}

/// What a tower gives for the new lines of its side, in their order.
fn embedded(towers: &TwoTower<f32>, side: usize, new: &New, width: usize) -> Result<Mat> {
    let lines = new.known.iter().filter(|known| !known.is_empty());
    let cells = lines.enumerate().flat_map(|(line, known)| {
        known.iter().map(move |(other, x)| (line as u32, *other as u32, *x))
    });
    let (mut rows, mut cols, mut values) = (vec![], vec![], vec![]);
    // A line that was folded in before is none that the towers have a place for.
    for (line, other, x) in cells.filter(|cell| (cell.1 as usize) < width) {
        rows.push(line);
        cols.push(other);
        values.push(x);
    }
    let entries = Entries::new((new.count, width), rows, cols, values)?;
    towers.embedded(side, &Samples::rows(&entries))
}

/// Offsets of all lines, zero for those that are new.
fn extended(own: &[f64], count: usize) -> Vec<f64> {
    own.iter().copied().chain(std::iter::repeat(0.0)).take(count).collect()
}

/// Latents of all lines: those of before, and of the new ones.
fn merged(own: MatRef<'_>, new: &New, more: &Mat) -> Mat {
    let mut all = Mat::zeros(own.rows(), new.known.len());
    let mut next = 0;
    for (line, known) in new.known.iter().enumerate() {
        if !known.is_empty() {
            all.col_mut(line).copy_from_slice(more.col(next));
            next += 1;
        } else if line < own.cols() {
            (0..own.rows()).for_each(|r| all[(r, line)] = own.at(r, line));
        }
    }
    all
}
