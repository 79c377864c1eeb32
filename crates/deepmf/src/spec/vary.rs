//! Sweeps: every combination of the varied values is a run of its own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::Spec;
use super::read::{error_at, explain, read};
use crate::Result;

/// One grid: dotted keys, each with the values that it takes.
pub type Vary = BTreeMap<String, Vec<Value>>;

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The description of this run alone.
    pub spec: Spec,
    /// The varied keys of the whole sweep with their values in this run.
    pub values: Vec<(String, Value)>,
    /// What tells this run from every other one: [`Spec::fingerprint`].
    pub fingerprint: String,
}

/// What could not be applied: which table, which key, and why.
struct Misfit {
    table: usize,
    key: String,
    problem: String,
}

impl Spec {
    /// The runs of the sweep in their order, each once; the run itself, if nothing varies.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if a varied key or value does not fit. What
    /// [`parse`](super::parse) has read always fits.
    pub fn trials(&self) -> Result<Vec<Trial>> {
        let mut keys: Vec<&String> = self.vary.iter().flat_map(BTreeMap::keys).collect();
        keys.sort();
        keys.dedup();
        let specs = expand(self).map_err(|Misfit { key, problem, .. }| {
            crate::Error::parameter("a sweep", "made of keys and values that fit", {
                format!("not: {key}: {problem}")
            })
        })?;
        let mut trials: Vec<Trial> = Vec::new();
        for spec in specs {
            let fingerprint = spec.fingerprint()?;
            if trials.iter().any(|trial| trial.fingerprint == fingerprint) {
                continue;
            }
            let table = table_of(&spec).unwrap_or_default();
            let value = |key: &&String| {
                (
                    (*key).clone(),
                    lookup(&table, key).cloned().unwrap_or(Value::String(String::new())),
                )
            };
            let values = keys.iter().map(value).collect();
            trials.push(Trial { spec, values, fingerprint });
        }
        Ok(trials)
    }
}

/// Finds the place of what does not fit.
pub(super) fn check(spec: &Spec, text: &str, path: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Places {
        #[serde(default)]
        vary: Vec<BTreeMap<Spanned<String>, Value>>,
    }
    let Err(Misfit { table, key, problem }) = expand(spec) else { return Ok(()) };
    let places: Places = read(text, path)?;
    let place = places.vary[table].keys().find(|found| *found.get_ref() == key);
    let start = place.map_or(0, |place| place.span().start);
    Err(error_at(path, text, start, problem))
}

fn table_of(spec: &Spec) -> Option<Table> {
    Table::try_from(spec).ok()
}

fn expand(spec: &Spec) -> Result<Vec<Spec>, Misfit> {
    let mut base = spec.clone();
    base.vary.clear();
    let table = table_of(&base).unwrap_or_default();
    if spec.vary.is_empty() {
        return Ok(vec![base]);
    }
    let mut specs = Vec::new();
    for (place, vary) in spec.vary.iter().enumerate() {
        let misfit = |key: &str, problem: String| Misfit { table: place, key: key.into(), problem };
        let mut grid = vec![table.clone()];
        for (key, values) in vary {
            if values.is_empty() {
                return Err(misfit(
                    key,
                    format!("`{key}` must have 1 value or more, but has none"),
                ));
            }
            let mut next = Vec::with_capacity(grid.len() * values.len());
            for table in &grid {
                for value in values {
                    let mut table = table.clone();
                    set(&mut table, key, value).map_err(|problem| misfit(key, problem))?;
                    // Each key is tried alone, so that an error is told where it is made.
                    Spec::deserialize(table.clone())
                        .map_err(|e| misfit(key, explain(e.message())))?;
                    next.push(table);
                }
            }
            grid = next;
        }
        specs.extend(grid.into_iter().filter_map(|table| Spec::deserialize(table).ok()));
    }
    Ok(specs)
}

fn set(table: &mut Table, key: &str, value: &Value) -> Result<(), String> {
    let (parents, last) = key.rsplit_once('.').map_or(("", key), |(parents, last)| (parents, last));
    let mut here = table;
    for name in parents.split('.').filter(|name| !name.is_empty()) {
        let next = here.entry(name).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(next) = next else {
            return Err(format!("`{name}` of `{key}` must be a table, but it is a value"));
        };
        here = next;
    }
    here.insert(last.into(), value.clone());
    Ok(())
}

/// The value at a dotted key.
pub(crate) fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, rest) =
        key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    match (table.get(first), rest) {
        (Some(Value::Table(below)), Some(rest)) => lookup(below, rest),
        (found, None) => found,
        _ => None,
    }
}

impl Trial {
    /// The value at a dotted key of the description, defaults included.
    pub fn value(&self, key: &str) -> Option<Value> {
        lookup(&table_of(&self.spec)?, key).cloned()
    }

    /// The varied values as words: `depth = 3, seed = 0`; keys are cut to their last name.
    pub fn name(&self) -> String {
        let word = |(key, value): &(String, Value)| {
            format!("{} = {value}", key.rsplit('.').next().unwrap_or(key))
        };
        self.values.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}
