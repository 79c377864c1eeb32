//! The page of a transport: what was found beside what was seen.

use std::fs;
use std::path::Path;

use deepmf::apps::FoundLight;
use deepmf::report::{self, Block, Cell, Column, Page, Picture, Section, Table};
use deepmf::{Error, Result};
use serde_json::Value;

use crate::page::{Recorded, results};

/// The page, with pictures from files of the folder, each with what it shows.
pub(super) fn page(
    subtitle: &str,
    found: &FoundLight,
    result: &Value,
    spec: &str,
    (folder, pictures): (&Path, &[(&str, &str)]),
) -> Result<Page> {
    let mut what = Section::new("What was found");
    for warning in &found.warnings {
        what = what.with(Block::warning(warning));
    }
    let read = |(caption, name): &(&str, &str)| {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| Error::io(path, "read", error))?;
        Ok(Picture::of_file(name, bytes, *caption))
    };
    let shown = pictures.iter().map(read).collect::<Result<_>>()?;
    what = what.with(Block::Pictures(shown)).with(Block::Table(trials(found)?));
    let mut short = result.clone();
    if let Some(keys) = short.as_object_mut() {
        keys.remove("trials");
    }
    let run = Recorded {
        name: "transport".into(),
        result: short,
        trajectory: found.trajectory.clone(),
        spec: spec.into(),
    };
    let runs = [run];
    let course = report::course(&[("transport", &found.trajectory)]);
    let again = Section::new("To repeat it")
        .with(Block::code("", "deepmf run spec.toml"))
        .with(Block::code("spec.toml", spec));
    Ok(Page::new("Light transport", subtitle)
        .with(what)
        .with(results(&runs)?)
        .with(course)
        .with(again))
}

fn trials(found: &FoundLight) -> Result<Table> {
    let columns = ["seed", "steps", "error of what is held out", "error of the product", "seconds"];
    let mut table = Table::new(
        format!("All seeds; {} is kept", found.kept().seed),
        columns.map(Column::right).into(),
    );
    for trial in &found.trials {
        table.push(vec![
            trial.seed.into(),
            trial.steps.into(),
            trial.held_out_error.map_or(Cell::Missing, Cell::from),
            trial.product_error.into(),
            trial.seconds.into(),
        ])?;
    }
    Ok(table)
}
