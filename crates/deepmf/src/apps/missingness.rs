//! Whether what is missing says something about what it would have been.

use crate::Result;
use crate::data::Entries;
use crate::linalg::Mat;
use crate::model::{DeepLinear, Model};

/// A correlation is reported from this size …
const LEAST: f64 = 0.3;
/// … if it is this many standard errors away from zero.
const ERRORS: f64 = 4.0;

/// Warnings about lines that have no known entry, and about missingness that looks informative.
pub(super) fn warnings(entries: &Entries) -> Vec<String> {
    let mut warnings = Vec::new();
    let (rows, cols) = entries.shape();
    let by_row = lines(entries.iter().map(|(i, _, x)| (i, x)), rows);
    let by_col = lines(entries.iter().map(|(_, j, x)| (j, x)), cols);
    for (name, lines, other) in [("row", &by_row, cols), ("column", &by_col, rows)] {
        let empty: Vec<String> = (0..lines.len())
            .filter(|&line| lines[line].1 == 0.0)
            .map(|line| (line + 1).to_string())
            .collect();
        if !empty.is_empty() {
            let plural = if empty.len() == 1 { name.to_string() } else { format!("{name}s") };
            let shown = empty[..empty.len().min(8)].join(", ");
            let more = if empty.len() > 8 {
                format!(" and {} more", empty.len() - 8)
            } else {
                String::new()
            };
            warnings.push(format!(
                "{plural} {shown}{more} without a known entry: only offsets are predicted there"
            ));
        }
        if let Some((r, count)) = correlation(lines, other) {
            let error = ((1.0 - r * r) / (count - 2.0)).sqrt();
            if r.abs() >= LEAST && r.abs() >= ERRORS * error {
                let towards = if r > 0.0 { "higher" } else { "lower" };
                warnings.push(format!(
                    "missingness looks informative: {name}s with more known entries have {towards} values \
                     (correlation {r:.2}); the held-out error speaks for entries that are missing as the known ones are"
                ));
            }
        }
    }
    warnings
}

/// Sets the layers of lines without a known entry to zero: nothing was learned there but the random start.
///
/// # Errors
/// None for entries of the model's shape.
pub(super) fn silence_empty_lines(model: &mut DeepLinear, entries: &Entries) -> Result<()> {
    let (rows, cols) = entries.shape();
    let empty = |ids: &[u32], count: usize| {
        let mut empty = vec![true; count];
        for &id in ids {
            empty[id as usize] = false;
        }
        empty
    };
    let (rows, cols) = (empty(entries.rows(), rows), empty(entries.cols(), cols));
    let last = model.depth() - 1;
    if rows.contains(&true) {
        let layer = model.layer(last);
        let heard = |i: usize, j: usize| if rows[i] { 0.0 } else { layer.at(i, j) };
        let silenced = Mat::from_fn(layer.rows(), layer.cols(), heard);
        model.params_mut().set(last, &silenced)?;
    }
    if cols.contains(&true) {
        let layer = model.layer(0);
        let heard = |i: usize, j: usize| if cols[j] { 0.0 } else { layer.at(i, j) };
        let silenced = Mat::from_fn(layer.rows(), layer.cols(), heard);
        model.params_mut().set(0, &silenced)?;
    }
    Ok(())
}

/// Sum and count of each line's known entries.
fn lines(entries: impl Iterator<Item = (usize, f64)>, count: usize) -> Vec<(f64, f64)> {
    let mut lines = vec![(0.0, 0.0); count];
    for (line, value) in entries {
        lines[line].0 += value;
        lines[line].1 += 1.0;
    }
    lines
}

/// Pearson's correlation between the share of known entries of a line and their mean.
fn correlation(lines: &[(f64, f64)], length: usize) -> Option<(f64, f64)> {
    let known: Vec<(f64, f64)> = lines
        .iter()
        .filter(|line| line.1 > 0.0)
        .map(|(sum, count)| (count / length as f64, sum / count))
        .collect();
    let n = known.len() as f64;
    if n < 10.0 {
        return None;
    }
    let mean = |part: fn(&(f64, f64)) -> f64| known.iter().map(part).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in &known {
        xy += (a - x) * (b - y);
        xx += (a - x).powi(2);
        yy += (b - y).powi(2);
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt(), n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Mat;
    use crate::random::{Purpose, RngExt, stream};

    fn table(informative: bool) -> Entries {
        let mut random = stream(1, Purpose::Observation, 0);
        Entries::from_dense(&Mat::from_fn(60, 40, |i, _| {
            let share = if informative { 0.2 + i as f64 / 100.0 } else { 0.5 };
            if random.random_bool(share) { i as f64 } else { f64::NAN }
        }))
        .unwrap()
    }

    #[test]
    fn only_missingness_that_goes_with_the_values_is_reported() {
        assert!(
            warnings(&table(true))
                .iter()
                .any(|w| w.contains("rows with more known entries have higher"))
        );
        assert!(warnings(&table(false)).is_empty());
    }

    #[test]
    fn an_empty_column_is_named() {
        let entries = Entries::new((2, 3), vec![0, 1], vec![0, 2], vec![1.0, 2.0]).unwrap();
        assert!(warnings(&entries)[0].starts_with("column 2 without a known entry"));
    }
}
