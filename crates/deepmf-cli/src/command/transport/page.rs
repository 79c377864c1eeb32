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
    let varied = found.kept().objective.is_some();
    let (title, chosen_by) = if varied {
        (
            format!("All that were fitted last; {} is kept", found.kept().seed),
            &["objective", "agreement"][..],
        )
    } else {
        (format!("All seeds; {} is kept", found.kept().seed), &["error of what is held out"][..])
    };
    let first = [if varied { "start" } else { "seed" }, "steps"];
    let names = [&first[..], chosen_by, &["error of the product", "seconds"]].concat();
    let mut table = Table::new(title, names.into_iter().map(Column::right).collect());
    let cell = |number: Option<f64>| number.map_or(Cell::Missing, Cell::from);
    for trial in &found.trials {
        let mut row = vec![trial.seed.into(), trial.steps.into()];
        if varied {
            row.extend([cell(trial.objective), cell(trial.agreement)]);
        } else {
            row.push(cell(trial.held_out_error));
        }
        row.extend([trial.product_error.into(), trial.seconds.into()]);
        table.push(row)?;
    }
    Ok(table)
}
