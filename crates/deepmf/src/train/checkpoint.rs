//! A checkpoint: all that a run needs to go on to the same bits.

use std::path::Path;

use super::Optimizer;
use super::stop::Watch;
use super::validation::Best;
use crate::model::{Params, Tensors};
use crate::{Error, Result};

const FILE: &str = "checkpoint.safetensors";

pub(super) struct Checkpoint<'a> {
    pub(super) step: u64,
    pub(super) params: &'a Params,
    /// The parameters at the start, where a probe asks for them.
    pub(super) start: Option<&'a Params>,
    pub(super) best: &'a Best,
    pub(super) watch: &'a Watch,
    pub(super) optimizer: &'a dyn Optimizer,
}

impl Checkpoint<'_> {
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let Best { value, step, params, mark, first } = self.best;
        let mut tensors = Tensors::new();
        tensors.add("run.step", vec![self.step as f64]);
        tensors.add("run.params", self.params.values().to_vec());
        if let Some(start) = self.start {
            tensors.add("run.start", start.values().to_vec());
        }
        tensors.add("best.numbers", vec![*value, *step as f64, mark.0, mark.1 as f64, *first]);
        tensors.add("best.params", params.values().to_vec());
        tensors.add("watch.losses", self.watch.losses());
        for (name, values) in self.optimizer.state() {
            tensors.add(&format!("optimizer.{name}"), values);
        }
        tensors.save(folder.join(FILE))
    }

    /// Takes up the checkpoint in `folder`, if there is one; gives the step that it reached.
    pub(super) fn load(
        folder: &Path,
        (params, start): (&mut Params, Option<&mut Params>),
        best: &mut Best,
        watch: &mut Watch,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Option<u64>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let tensors = Tensors::load(&path)?;
        let part = |name: &str, length: Option<usize>| -> Result<Vec<f64>> {
            let values = tensors.values(name).ok_or_else(|| {
                Error::data(&path, format!("must hold `{name}`, but it does not"))
            })?;
            match length {
                Some(length) if length != values.len() => Err(Error::data(
                    &path,
                    format!("`{name}` must have {length} numbers, but it has {}", values.len()),
                )),
                _ => Ok(values.to_vec()),
            }
        };
        let count = params.values().len();
        let reached = part("run.step", Some(1))?[0] as u64;
        params.values_mut().copy_from_slice(&part("run.params", Some(count))?);
        if let Some(start) = start {
            start.values_mut().copy_from_slice(&part("run.start", Some(count))?);
        }
        let numbers = part("best.numbers", Some(5))?;
        best.value = numbers[0];
        best.step = numbers[1] as u64;
        best.mark = (numbers[2], numbers[3] as u64);
        best.first = numbers[4];
        best.params.values_mut().copy_from_slice(&part("best.params", Some(count))?);
        watch.restore(part("watch.losses", None)?);
        optimizer.restore(&|name| part(&format!("optimizer.{name}"), None).ok())?;
        Ok(Some(reached))
    }
}
