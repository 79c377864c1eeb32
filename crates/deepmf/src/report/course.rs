//! What was recorded along runs, as figures; and the page of runs.

use super::{Axis, Block, Cell, Column, Figure, Layer, Page, Section, Table};
use crate::Result;
use crate::train::{Run, Trajectory};

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
    Ok(Page::new("Runs", names.join(", "))
        .with(Section::new("Results").with(Block::Table(table)))
        .with(course(&courses)))
}

/// The course of runs, each with its name: loss, errors, effective rank and singular values by step, and the last spectrum.
pub fn course(runs: &[(&str, &Trajectory)]) -> Section {
    let mut section = Section::new("On the way");
    let quantities = [
        ("loss", "Loss", "the training loss"),
        ("best_validation_error", "Validation", "the least validation error so far (mean square)"),
        ("test_error", "Error on what is not observed", "the mean squared error"),
        ("effective_rank", "Effective rank", "the effective rank of the product"),
    ];
    for (column, title, caption) in quantities {
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
