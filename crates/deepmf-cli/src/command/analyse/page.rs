//! The page of an analysis.

use deepmf::Result;
use deepmf::analysis::Density;
use deepmf::report::{self, Axis, Block, Figure, Layer, Page, Section};
use deepmf::train::Trajectory;
use serde_json::{Map, Value};

use super::{curvature, title};
use crate::args::Analyse;
use crate::page::rate;
use crate::run_folder::{SPEC, TRAJECTORY};

/// Spectrum, curvature, density, and, of a run folder, the curvature along the run.
///
/// # Errors
/// What reading the run folder gives.
pub(super) fn made(
    args: &Analyse,
    facts: &Map<String, Value>,
    density: Option<&Density>,
) -> Result<Page> {
    let folder = &args.factors[0];
    let mut page = Page::new("Analysis", title(facts));
    let values: Vec<f64> = facts["singular_values"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    let places = (1..=values.len()).map(|place| place as f64).collect();
    let axes = (Axis::linear("place"), Axis::linear("singular value"));
    let bars = Figure::new("Spectrum", axes.0, axes.1).with(Layer::bars("", places, values));
    let mut section = Section::new("Spectrum");
    section = section.with(Block::figure(bars, "The singular values of the product."));
    page = page.with(section);
    if facts.contains_key("problem") {
        let mut section = Section::new("The Hessian").with(Block::Table(curvature::table(facts)?));
        if let Some(figure) = density.and_then(report::density) {
            let caption =
                "The density of the eigenvalues of the Hessian with respect to the layers.";
            section = section.with(Block::figure(figure, caption));
        }
        page = page.with(section);
    }
    let recorded = folder.join(TRAJECTORY);
    if recorded.is_file() {
        let run = Trajectory::read(recorded)?;
        let spec = std::fs::read_to_string(folder.join(SPEC)).unwrap_or_default();
        let name = folder.display().to_string();
        if let Some(section) = report::curvature(&[(name.as_str(), &run, rate(&spec))]) {
            page = page.with(section);
        }
    }
    Ok(page)
}
