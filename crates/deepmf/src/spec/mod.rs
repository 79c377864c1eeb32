//! The plain description of a run: what training writes down, the report prints and an experiment file holds.

mod completion;

pub use completion::{CompletionSettings, Scaling, SensingSettings};
