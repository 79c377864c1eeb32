//! What was recorded along runs, as figures; and the page of runs.

use super::{Axis, Block, Cell, Column, Figure, Layer, Page, Section, Table, curvature};
use crate::Result;
use crate::train::{Run, Trajectory};

/// Columns with title and caption.
const QUANTITIES: [(&str, &str, &str); 4] = [
    ("loss", "Loss", "the training loss"),
    ("best_validation_error", "Validation", "the least validation error so far (mean square)"),
    ("test_error", "Error on what is not observed", "the mean squared error"),
    ("effective_rank", "Effective rank", "the effective rank of the product"),
];

/// Most singular values that a figure follows.
const FOLLOWED: usize = 10;

/// One page from runs, each with its name: how they ended, and their course.
///
/// # Errors
/// None: every row of its table has as many cells as there are columns.
///
/// ```
/// use deepmf::data;
/// use deepmf::model::{DeepLinear, Init};
/// use deepmf::problem::{Constant, Problem};
/// use deepmf::report;
/// use deepmf::train::{Stop, Trainer, optimizer::GradientDescent};
///
/// let problem = Problem::full(&data::low_rank((6, 5), 2, 0)?, Constant::HalfSum)?;
/// let mut model = DeepLinear::new(&[5, 5, 6])?.init(&Init::Balanced { scale: 0.1 }, 0)?;
/// let run = Trainer::new(GradientDescent::new(0.02)?)
///     .stop(Stop::new().steps(200))
///     .every(10)
///     .fit(&problem, &mut model)?;
/// let html = report::page(&[("depth 2", &run)])?.html()?;
/// assert!(html.contains("depth 2") && html.contains("<svg"));
/// # Ok::<(), deepmf::Error>(())
/// ```
pub fn page(runs: &[(&str, &Run)]) -> Result<Page> {
    let columns = [Column::left("run"), Column::left("ended by")]
        .into_iter()
        .chain(["steps", "loss", "seconds"].map(Column::right));
    let mut table = Table::new("How they ended", columns.collect());
    for (name, run) in runs {
        let reason = Cell::from(run.reason.to_string());
        table.push(vec![
            (*name).into(),
            reason,
            run.steps.into(),
            run.loss.into(),
            run.seconds.into(),
        ])?;
    }
    let courses: Vec<_> = runs.iter().map(|(name, run)| (*name, &run.trajectory)).collect();
    let names: Vec<&str> = runs.iter().map(|(name, _)| *name).collect();
    let mut page = Page::new("Runs", names.join(", "))
        .with(Section::new("Results").with(Block::Table(table)))
        .with(course(&courses));
    // The rate of a run is not known here.
    let curved: Vec<_> = courses.iter().map(|(name, run)| (*name, *run, None)).collect();
    if let Some(section) = curvature(&curved) {
        page = page.with(section);
    }
    Ok(page)
}

/// The course of runs, each with its name: loss, errors, effective rank, whatever else was recorded and is no [`curvature()`], and singular
/// values by step, and the last spectrum.
pub fn course(runs: &[(&str, &Trajectory)]) -> Section {
    let mut section = Section::new("On the way");
    for (column, title, caption) in QUANTITIES {
        let y = if column == "effective_rank" { Axis::linear(title) } else { Axis::log(title) };
        let mut figure = Figure::new(title, Axis::linear("step"), y);
        let mut drawn = false;
        for (name, run) in runs {
            if let Some((steps, values)) = line(run, column) {
                figure = figure.with(Layer::line(*name, steps, values));
                drawn = true;
            }
        }
        if drawn {
            section = section.with(Block::figure(figure, format!("By step: {caption}.")));
        }
    }
    for column in others(runs) {
        let title = titled(column);
        let (x, y) = (Axis::linear("step"), Axis::linear(column.replace('_', " ")));
        let mut figure = Figure::new(title, x, y);
        let mut drawn = false;
        for (name, run) in runs {
            let Some((steps, values)) = line(run, column) else { continue };
            // Where it was not measured it is NaN.
            let pairs = steps.into_iter().zip(values).filter(|(_, value)| value.is_finite());
            let (steps, values): (Vec<f64>, Vec<f64>) = pairs.unzip();
            if !steps.is_empty() {
                figure = figure.with(Layer::line(*name, steps, values));
                drawn = true;
            }
        }
        if drawn {
            section = section.with(Block::figure(figure, format!("By step: the column {column}.")));
        }
    }
    for (name, run) in runs {
        if let Some(figure) = singular_values(run) {
            let caption = format!("{name}: the largest singular values of the product by step.");
            section = section.with(Block::figure(figure, caption));
        }
        if let Some(figure) = last_spectrum(run) {
            let caption = format!("{name}: its largest singular values at the last recorded step.");
            section = section.with(Block::figure(figure, caption));
        }
    }
    section
}

/// Recorded columns that no other figure shows, in the order in which they come first.
fn others<'a>(runs: &[(&str, &'a Trajectory)]) -> Vec<&'a str> {
    let shown = |column: &str| {
        let mut own = QUANTITIES.iter().chain(&super::curvature::QUANTITIES);
        column == "step" || column.starts_with("singular_value_") || own.any(|it| it.0 == column)
    };
    let mut found: Vec<&str> = Vec::new();
    for column in runs.iter().flat_map(|(_, run)| run.columns()) {
        if !shown(column) && !found.contains(&column.as_str()) {
            found.push(column);
        }
    }
    found
}

/// `gradient_norm` as `Gradient norm`.
fn titled(column: &str) -> String {
    let words = column.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn line(run: &Trajectory, column: &str) -> Option<(Vec<f64>, Vec<f64>)> {
    Some((run.column("step")?, run.column(column)?))
}

fn singular_values(run: &Trajectory) -> Option<Figure> {
    let mut figure =
        Figure::new("Singular values", Axis::linear("step"), Axis::linear("singular value"));
    line(run, "singular_value_1")?;
    for place in 1..=FOLLOWED {
        if let Some((steps, values)) = line(run, &format!("singular_value_{place}")) {
            figure = figure.with(Layer::line(place.to_string(), steps, values));
        }
    }
    Some(figure)
}

fn last_spectrum(run: &Trajectory) -> Option<Figure> {
    let value = |place: usize| run.column(&format!("singular_value_{place}"));
    let values: Vec<f64> = (1..).map_while(|place| value(place)?.last().copied()).collect();
    let places = (1..=values.len()).map(|place| place as f64).collect();
    let axes = (Axis::linear("place"), Axis::linear("singular value"));
    let bars =
        |values| Figure::new("Spectrum", axes.0, axes.1).with(Layer::bars("", places, values));
    (!values.is_empty()).then(|| bars(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_column_is_drawn_once_and_what_was_not_measured_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trajectory.csv");
        let text = "step,loss,phase,coupling,nothing,sharpness,singular_value_1\n\
                    0,2.0,1.0,0.5,NaN,3.0,1.0\n10,1.0,1.0,NaN,NaN,NaN,1.5\n20,0.5,2.0,-0.25,NaN,2.0,2.0\n";
        std::fs::write(&path, text).unwrap();
        let run = Trajectory::read(&path).unwrap();
        let runs = [("a", &run), ("b", &run)];
        assert_eq!(others(&runs), ["phase", "coupling", "nothing"]);
        let html = Page::new("Runs", "").with(course(&runs)).html().unwrap();
        let count = |title: &str| html.matches(&format!("aria-label=\"{title}\"")).count();
        assert_eq!(["Loss", "Phase", "Coupling"].map(count), [1, 1, 1]);
        assert_eq!(["Nothing", "Sharpness", "Step"].map(count), [0, 0, 0]);
        assert_eq!(titled("gradient_norm"), "Gradient norm");
    }
}
