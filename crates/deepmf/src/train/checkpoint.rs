//! A checkpoint: all that a run needs to go on to the same bits.

use std::path::Path;

use super::Optimizer;
use super::stop::Watch;
use super::validation::Best;
use crate::model::{Model, Numbers, Params, Tensors};
use crate::{Error, Result};

const FILE: &str = "checkpoint.safetensors";

pub(super) struct Checkpoint<'a> {
    pub(super) step: u64,
    pub(super) model: &'a dyn Model,
    /// The parameters at the start, where a probe asks for them.
    pub(super) start: Option<&'a Params>,
    pub(super) best: &'a Best,
    pub(super) watch: &'a Watch,
    pub(super) optimizer: &'a dyn Optimizer,
}

impl Checkpoint<'_> {
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let Best { value, step, params, state, mark, first } = self.best;
        let mut tensors = Tensors::new();
        tensors.add("run.step", vec![self.step as f64]);
        tensors.add_numbers("run.params", self.model.params().numbers().clone());
        if let (Some(own), Some(best)) = (self.model.state(), state) {
            tensors.add_numbers("run.state", own.numbers().clone());
            tensors.add_numbers("best.state", best.numbers().clone());
        }
        if let Some(start) = self.start {
            tensors.add_numbers("run.start", start.numbers().clone());
        }
        tensors.add("best.numbers", vec![*value, *step as f64, mark.0, mark.1 as f64, *first]);
        tensors.add_numbers("best.params", params.numbers().clone());
        tensors.add("watch.losses", self.watch.losses());
        for (name, values) in self.optimizer.state() {
            let numbers = Numbers::Double(values);
            let numbers = if self.model.params().is_single() { numbers.compact() } else { numbers };
            tensors.add_numbers(&format!("optimizer.{name}"), numbers);
        }
        tensors.save(folder.join(FILE))
    }

    /// Takes up the checkpoint in `folder`, if there is one; gives the step that it reached.
    pub(super) fn load(
        folder: &Path,
        (model, start): (&mut dyn Model, Option<&mut Params>),
        best: &mut Best,
        watch: &mut Watch,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Option<u64>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let tensors = Tensors::load(&path)?;
        let numbers = |name: &str, length: Option<usize>| -> Result<&Numbers> {
            let numbers = tensors.numbers(name).ok_or_else(|| {
                Error::data(&path, format!("must hold `{name}`, but it does not"))
            })?;
            match length {
                Some(length) if length != numbers.len() => Err(Error::data(
                    &path,
                    format!("`{name}` must have {length} numbers, but it has {}", numbers.len()),
                )),
                _ => Ok(numbers),
            }
        };
        let part = |name: &str, length| numbers(name, length).map(Numbers::to_double);
        if let (Some(own), Some(best)) = (model.state_mut(), &mut best.state) {
            let count = Some(own.numbers().len());
            own.numbers_mut().copy_from(numbers("run.state", count)?);
            best.numbers_mut().copy_from(numbers("best.state", count)?);
        }
        let params = model.params_mut();
        let count = params.numbers().len();
        let reached = part("run.step", Some(1))?[0] as u64;
        params.numbers_mut().copy_from(numbers("run.params", Some(count))?);
        if let Some(start) = start {
            start.numbers_mut().copy_from(numbers("run.start", Some(count))?);
        }
        let best_numbers = part("best.numbers", Some(5))?;
        best.value = best_numbers[0];
        best.step = best_numbers[1] as u64;
        best.mark = (best_numbers[2], best_numbers[3] as u64);
        best.first = best_numbers[4];
        best.params.numbers_mut().copy_from(numbers("best.params", Some(count))?);
        watch.restore(part("watch.losses", None)?);
        optimizer.restore(&|name| part(&format!("optimizer.{name}"), None).ok())?;
        Ok(Some(reached))
    }
}
