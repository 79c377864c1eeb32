//! `data make`: data of which the truth is known.

use std::fs;

use deepmf::Error;
use deepmf::data::{Entries, Table, low_rank as truth_of, observe, random_cells, write};

use super::Ending;
use crate::args::LowRank;
use crate::failure::Failure;
use crate::output::Talk;

/// A matrix of low rank and some of its entries.
pub(crate) fn low_rank(args: &LowRank, talk: Talk) -> Result<Ending, Failure> {
    let truth = truth_of(args.shape, args.rank, args.seed)?;
    let cells = random_cells(args.shape, args.observe, args.seed)?;
    let seen = observe(&truth, &cells)?;
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, "create", error))?;
    for (name, entries) in [("truth.npy", Entries::from_dense(&truth)?), ("observed.npy", seen)] {
        let path = folder.join(name);
        write(&path, &Table::new(entries))?;
        talk.line(&format!("{}", path.display()));
    }
    Ok(Ending::Done)
}
