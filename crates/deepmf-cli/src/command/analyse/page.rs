//! The page of an analysis.

use deepmf::Result;
use deepmf::analysis::Density;
use deepmf::report::{self, Axis, Block, Figure, Layer, Page, Section};
use serde_json::{Map, Value};

use super::{curvature, title};
use crate::args::Analyse;
use crate::page::Recorded;
use crate::run_folder::RESULT;

/// Spectrum, curvature, density, and, of a run folder, the curvature along the run.
///
/// # Errors
/// What reading the run folder gives.
pub(super) fn made(
    args: &Analyse,
    facts: &Map<String, Value>,
    density: Option<&Density>,
    told: &[String],
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
        let mut section = Section::new("The Hessian");
        for told in told {
            section = section.with(Block::warning(told));
        }
        section = section.with(Block::Table(curvature::table(facts)?));
        if let Some(figure) = density.and_then(report::density) {
            let caption =
                "The density of the eigenvalues of the Hessian with respect to the layers.";
            section = section.with(Block::figure(figure, caption));
        }
        page = page.with(section);
    }
    if folder.join(RESULT).is_file()
        && let Some(section) = crate::page::curvature(&[Recorded::read(folder)?])
    {
        page = page.with(section);
    }
    Ok(page)
}
