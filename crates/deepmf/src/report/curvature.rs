//! Curvature as figures: the density of a spectrum, and sharpness, trace and distance along runs.

use super::{Axis, Block, Figure, Layer, Reference, Section};
use crate::analysis::{Density, escape};
use crate::train::Trajectory;

/// Columns of the curvature with title and caption.
pub(super) const QUANTITIES: [(&str, &str, &str); 4] = [
    ("sharpness", "Sharpness", "the largest eigenvalue of the Hessian"),
    ("hessian_trace", "Trace", "the trace of the Hessian"),
    ("flatness_gap", "Flatness gap", "the sharpness over the least that the product allows"),
    ("distance", "Distance from the start", "the norm of the change of all parameters"),
];

/// Points at which a density is drawn.
const POINTS: usize = 400;

/// The density of a spectrum, each eigenvalue a bump of a hundredth of the range, on a logarithmic axis; none for a spectrum of one number.
pub fn density(density: &Density) -> Option<Figure> {
    let (first, last) = (density.nodes.first()?.0, density.nodes.last()?.0);
    let width = (last - first) / 100.0;
    if !(width.is_finite() && width > 0.0) {
        return None;
    }
    let at = |k: usize| first + (last - first) * (k as f64 / (POINTS - 1) as f64);
    let places: Vec<f64> = (0..POINTS).map(at).collect();
    // Below this no eigenvalue is near.
    let floor = 1e-6 / (last - first);
    let values = places.iter().map(|x| density.smoothed(*x, width).max(floor)).collect();
    let axes = (Axis::linear("eigenvalue"), Axis::log("density"));
    Some(Figure::new("Spectral density", axes.0, axes.1).with(Layer::line("", places, values)))
}

/// Curvature along runs, each with its name and, for plain descent, its rate: the sharpness with the line 2/rate above which descent
/// leaves a minimum, trace, flatness gap, and the distance from the start. None where none of it was recorded.
pub fn curvature(runs: &[(&str, &Trajectory, Option<f64>)]) -> Option<Section> {
    let mut section = Section::new("Curvature");
    let mut drawn = false;
    for (column, title, caption) in QUANTITIES {
        let mut figure = Figure::new(title, Axis::linear("step"), Axis::log(title.to_lowercase()));
        let mut any = false;
        for (name, run, _) in runs {
            let Some((steps, values)) = measured(run, column) else { continue };
            figure = figure.with(Layer::line(*name, steps, values));
            any = true;
        }
        let mut caption = format!("By step: {caption}.");
        if let (true, "sharpness", Some(rate)) = (any, column, common_rate(runs)) {
            figure = figure.with(Layer::rule("2 / rate", Reference::Horizontal(2.0 / rate)));
            caption += " Above the line 2 / rate descent leaves a minimum.";
        }
        if let ("distance", [(_, run, _)]) = (column, runs)
            && let Some((step, times)) = left(run)
        {
            figure = figure.with(Layer::rule("escape", Reference::Vertical(step)));
            caption += &format!(" At step {step} it has grown by a factor of {times}: the escape.");
        }
        if any {
            section = section.with(Block::figure(figure, caption));
            drawn = true;
        }
    }
    drawn.then_some(section)
}

/// The rate, where all runs have the same one.
fn common_rate(runs: &[(&str, &Trajectory, Option<f64>)]) -> Option<f64> {
    let rate = runs.first()?.2?;
    runs.iter().all(|run| run.2 == Some(rate)).then_some(rate)
}

/// The first recorded step at which the distance is a thousand times the first one that was recorded, and that factor.
fn left(run: &Trajectory) -> Option<(f64, f64)> {
    const TIMES: f64 = 1_000.0;
    let (steps, distances) = measured(run, "distance")?;
    Some((escape(&steps, &distances, TIMES * distances.first()?)?, TIMES))
}

/// The recorded rows in which the column was measured, and is above zero.
fn measured(run: &Trajectory, column: &str) -> Option<(Vec<f64>, Vec<f64>)> {
    let (steps, values) = (run.column("step")?, run.column(column)?);
    let kept: (Vec<f64>, Vec<f64>) =
        steps.into_iter().zip(values).filter(|(_, value)| *value > 0.0).unzip();
    (!kept.0.is_empty()).then_some(kept)
}
