//! `study`: the studies of papers.

use super::Ending;
use crate::args::{Place, StudyCheck, StudyRun};
use crate::failure::Failure;
use crate::output::Talk;

pub(crate) fn list(_args: &Place) -> Result<Ending, Failure> {
    Ok(Ending::Done)
}
pub(crate) fn run(_args: &StudyRun, _talk: Talk) -> Result<Ending, Failure> {
    Ok(Ending::Done)
}
pub(crate) fn check(_args: &StudyCheck, _talk: Talk) -> Result<Ending, Failure> {
    Ok(Ending::Done)
}
