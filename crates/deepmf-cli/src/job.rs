//! The spec of a completion or a sensing: what was typed, as `spec.toml` keeps it and `deepmf run` reads it.

use std::path::{Path, PathBuf};

use deepmf::spec::{CompletionSettings, SensingSettings};
use deepmf::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::args::{Complete, Input, Sense};

/// What is to be done, all defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Job {
    /// The version of the program that wrote it.
    #[serde(default = "version")]
    pub(crate) program: String,
    /// The seed of all that is random.
    #[serde(default)]
    pub(crate) seed: u64,
    /// Where the numbers come from.
    pub(crate) data: Source,
    /// The settings of a completion, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) complete: Option<CompletionSettings>,
    /// The settings of a sensing, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sense: Option<SensingSettings>,
    /// What is given back.
    #[serde(default)]
    pub(crate) output: Answer,
}

/// Where the numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// A table in a file.
    File(File),
    /// The table that is made on the spot.
    Example {},
    /// Operators and what they measured.
    Measurements(Measurements),
}

/// A table in a file, and what stands beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct File {
    /// The file.
    pub(crate) path: PathBuf,
    /// Entries to leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclude: Option<PathBuf>,
    /// What is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truth: Option<PathBuf>,
    /// How the files are read.
    #[serde(default)]
    pub(crate) read: Input,
}

/// Operators and what they measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Measurements {
    /// The file of the operators.
    pub(crate) operators: PathBuf,
    /// The file of the measurements.
    pub(crate) values: PathBuf,
    /// Rows and columns, where the operators are flat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shape: Option<(usize, usize)>,
    /// What is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truth: Option<PathBuf>,
}

/// What is given back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Answer {
    /// Whether known cells are replaced too.
    pub(crate) denoise: bool,
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

impl Job {
    /// What was typed after `complete`.
    pub(crate) fn complete(args: &Complete) -> Self {
        let data = match &args.table {
            Some(table) => Source::File(File {
                path: table.clone(),
                exclude: args.exclude.clone(),
                truth: args.truth.clone(),
                read: args.input.clone(),
            }),
            None => Source::Example {},
        };
        Self {
            program: version(),
            seed: args.seed,
            data,
            complete: Some(args.settings.spec()),
            sense: None,
            output: Answer { denoise: args.denoise },
        }
    }

    /// What was typed after `sense`.
    pub(crate) fn sense(args: &Sense) -> Self {
        let data = Source::Measurements(Measurements {
            operators: args.operators.clone(),
            values: args.measurements.clone(),
            shape: args.shape,
            truth: args.truth.clone(),
        });
        Self {
            program: version(),
            seed: args.seed,
            data,
            complete: None,
            sense: Some(args.spec()),
            output: Answer::default(),
        }
    }

    /// Whether a file says what to complete or to sense, and is no experiment.
    pub(crate) fn is_in(text: &str) -> bool {
        let Ok(table) = text.parse::<toml::Table>() else { return false };
        table.contains_key("complete") || table.contains_key("sense")
    }

    /// Reads the text of a spec; paths are seen from its folder.
    ///
    /// # Errors
    /// [`Error::Spec`] with the place of what is wrong.
    pub(crate) fn read(text: &str, path: &Path) -> Result<Self> {
        let wrong = |place: usize, problem: String| {
            let before = text.get(..place).unwrap_or(text);
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
            Error::Spec { path: path.into(), line: Some(line), column: Some(column), problem }
        };
        let job: Self = toml::from_str(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), error.message().into())
        })?;
        let fits = match job.data {
            Source::Measurements(_) => job.sense.is_some() && job.complete.is_none(),
            _ => job.complete.is_some() && job.sense.is_none(),
        };
        if !fits {
            let must = "a spec must have `complete` with `data.file` or `data.example`, or `sense` with `data.measurements`";
            return Err(wrong(0, format!("{must}, but it has another mixture")));
        }
        Ok(job.with_paths(|file| seen_from(path, file)))
    }

    /// The spec as TOML, with paths that hold from anywhere.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a seed above the whole numbers of TOML.
    pub(crate) fn toml(&self) -> Result<String> {
        let text = toml::to_string(&self.clone().with_paths(absolute))
            .map_err(|error| Error::parameter("--seed", "below 2^63", error.to_string()))?;
        Ok(format!("# `deepmf run` with this file repeats the run.\n{text}"))
    }

    fn with_paths(mut self, change: impl Fn(&Path) -> PathBuf) -> Self {
        let all = match &mut self.data {
            Source::File(File { path, exclude, truth, read }) => {
                vec![Some(path), exclude.as_mut(), truth.as_mut(), read.mask.as_mut()]
            }
            Source::Example {} => vec![],
            Source::Measurements(Measurements { operators, values, truth, .. }) => {
                vec![Some(operators), Some(values), truth.as_mut()]
            }
        };
        all.into_iter().flatten().for_each(|path| *path = change(path));
        self
    }

    /// The files that are read.
    pub(crate) fn inputs(&self) -> Vec<&Path> {
        let files = match &self.data {
            Source::File(file) => {
                vec![Some(&file.path), file.exclude.as_ref(), file.truth.as_ref()]
            }
            Source::Example {} => vec![],
            Source::Measurements(m) => vec![Some(&m.operators), Some(&m.values), m.truth.as_ref()],
        };
        files.into_iter().flatten().map(PathBuf::as_path).collect()
    }
}

/// The path from the root; stdin stays stdin.
fn absolute(path: &Path) -> PathBuf {
    if path == Path::new("-") {
        return path.into();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

/// `file` as the spec at `spec` means it.
fn seen_from(spec: &Path, file: &Path) -> PathBuf {
    match spec.parent() {
        Some(folder) if file != Path::new("-") => folder.join(file),
        _ => file.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_comes_back_from_its_text() {
        let job = Job {
            program: version(),
            seed: 3,
            data: Source::Example {},
            complete: Some(CompletionSettings::default()),
            sense: None,
            output: Answer { denoise: true },
        };
        let text = job.toml().unwrap();
        assert!(Job::is_in(&text));
        assert_eq!(Job::read(&text, Path::new("spec.toml")).unwrap(), job);
    }

    #[test]
    fn paths_are_seen_from_the_folder_of_the_spec() {
        let text = "complete = {}\n[data.file]\npath = \"t.csv\"\ntruth = \"/u.csv\"\n";
        let job = Job::read(text, Path::new("deep/spec.toml")).unwrap();
        assert_eq!(job.inputs(), [Path::new("deep/t.csv"), Path::new("/u.csv")]);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_place() {
        let text = "[data.example]\n[complete]\ndepht = [3]\n";
        let error = Job::read(text, Path::new("a.toml")).unwrap_err().to_string();
        assert!(error.starts_with("a.toml:3:1: unknown field `depht`"), "{error}");
    }
}
