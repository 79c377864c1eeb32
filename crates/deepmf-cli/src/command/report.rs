//! `report`: run folders in one page.

use super::Ending;
use crate::args::Report;
use crate::failure::Failure;
use crate::output::Talk;

pub(crate) fn run(_args: &Report, _talk: Talk) -> Result<Ending, Failure> {
    Ok(Ending::Done)
}
