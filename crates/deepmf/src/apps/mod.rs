//! The uses: combinations of a problem, a model and an optimizer.

mod baseline;
mod completion;
mod completed;
mod fold_in;
mod missingness;
mod offsets;
mod selection;
mod sensing;

pub use baseline::Baselines;
pub use completed::{Completed, TruthErrors};
pub use completion::Completion;
pub use offsets::Offsets;
pub use selection::{Candidate, Stage};
pub use sensing::{Sensed, Sensing};
