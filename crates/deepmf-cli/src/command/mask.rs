//! `data mask`: hides entries of a table at random.

use deepmf::data::{Table, hide, read_with};

use super::Ending;
use crate::args::MaskTable;
use crate::failure::Failure;
use crate::output::Talk;
use crate::place::Place;

/// Runs what was typed.
pub(crate) fn run(args: &MaskTable, talk: Talk) -> Result<Ending, Failure> {
    let place = Place::checked(&args.written, &[&args.table], false)?;
    let table = read_with(&args.table, &args.input.options()?)?;
    let (left, hidden) = hide(&table.entries, args.fraction, args.seed)?;
    talk.line(&format!("{} entries hidden, {} left", hidden.len(), left.len()));
    if let Some(place) = place {
        place.write(&Table { entries: left, ..table })?;
    }
    Ok(Ending::Done)
}
