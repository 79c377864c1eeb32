//! `data split`: ratings to fit, ratings to judge by, and what is told of new rows and columns.

use std::fs;

use deepmf::data::{Entries, Form, Latest, Table, cold_split, split, split_by_time, write};
use deepmf::{Error, Result};

use super::Ending;
use super::recommend::read;
use crate::args::{Split, SplitBy};
use crate::failure::Failure;
use crate::output::Talk;
use crate::place;

/// Runs what was typed.
pub(crate) fn run(args: &Split, talk: Talk) -> Result<Ending, Failure> {
    if args.after.is_some() && args.by != SplitBy::Time {
        return Err(Error::parameter("--after", "given with --by time", "without").into());
    }
    let fields = if args.by == SplitBy::Time { "1,2,3,time=4" } else { "1,2,3" };
    let table = read(&args.ratings, &args.input, fields)?;
    let parts = parts(args, &table.entries)?;
    let form = match &table.form {
        Form::Triplets { .. } => table.form.clone(),
        _ => Form::Triplets { delimiter: b',', names: None },
    };
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, "create", error))?;
    for (name, _) in &parts {
        place::check_file(&folder.join(name), &[&args.ratings])?;
    }
    for (name, entries) in parts {
        let path = folder.join(name);
        talk.line(&format!("{}: {} ratings", path.display(), entries.len()));
        let (row_labels, col_labels) = (table.row_labels.clone(), table.col_labels.clone());
        write(&path, &Table { entries, row_labels, col_labels, form: form.clone() })?;
    }
    Ok(Ending::Done)
}

fn parts(args: &Split, entries: &Entries) -> Result<Vec<(&'static str, Entries)>> {
    let two = |(train, test)| vec![("train.csv", train), ("test.csv", test)];
    let cold = |share_cols| {
        let cold = cold_split(entries, args.share, share_cols, args.seed)?;
        Ok(vec![("train.csv", cold.train), ("input.csv", cold.input), ("test.csv", cold.test)])
    };
    match args.by {
        SplitBy::Entry => split(entries, args.share, args.seed).map(two),
        SplitBy::Time => {
            let latest = args.after.map_or(Latest::Share(args.share), Latest::After);
            split_by_time(entries, latest).map(two)
        }
        SplitBy::Row => cold(0.0),
        SplitBy::Cold => cold(args.share),
    }
}
