//! The classes of samples, known from outside; nothing is fitted to them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Format, read_array};
use crate::{Error, Result};

/// The class of each sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// The names of the classes: numbers by size, words by the alphabet.
    pub names: Vec<String>,
    /// The place of each sample's class among the names.
    pub of: Vec<usize>,
}

impl Classes {
    /// The classes that `words`, one a sample, name.
    pub fn new(words: &[String]) -> Self {
        let distinct: BTreeSet<&String> = words.iter().collect();
        let mut names: Vec<String> = distinct.into_iter().cloned().collect();
        let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
        if numbers.is_some_and(|numbers| numbers.iter().all(|x| x.is_finite())) {
            let number = |name: &String| name.parse().unwrap_or(f64::NAN);
            names.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        let place = |word: &String| names.iter().position(|name| name == word).unwrap_or_default();
        let of = words.iter().map(place).collect();
        Self { names, of }
    }

    /// The classes that `numbers`, one a sample, name.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for one that is missing.
    pub fn of_numbers(numbers: &[f64]) -> Result<Self> {
        if let Some(&found) = numbers.iter().find(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "the class of a sample".into(), found });
        }
        Ok(Self::new(&numbers.iter().map(ToString::to_string).collect::<Vec<_>>()))
    }

    /// Reads one class a sample: of a text one a line, a word or a number; of another format one list of numbers.
    ///
    /// A text with one line more than the `samples` begins with a header.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Data`] if it cannot be read or has another number of classes.
    pub fn read(path: impl AsRef<Path>, samples: usize) -> Result<Self> {
        let path = path.as_ref();
        let wrong = |found: usize| {
            let problem = format!(
                "there must be one label for each of {samples} samples, but there are {found}"
            );
            Error::data(path, problem)
        };
        if Format::of(path) != Format::Text {
            let array = read_array(path)?;
            let is_list = array.shape.iter().filter(|&&side| side != 1).count() <= 1;
            if !is_list || array.values.len() != samples {
                return Err(wrong(array.values.len()));
            }
            return Self::of_numbers(&array.values).map_err(|e| Error::data(path, e.to_string()));
        }
        let text = fs::read_to_string(path).map_err(|source| Error::io(path, "read", source))?;
        let line = |line: &str| line.trim().trim_matches('"').to_owned();
        let mut words: Vec<String> = text.trim_end().lines().map(line).collect();
        if words.len() == samples + 1 {
            words.remove(0);
        }
        if words.len() != samples {
            return Err(wrong(words.len()));
        }
        if let Some(empty) = words.iter().position(String::is_empty) {
            let problem =
                format!("the label of sample {} must be given, but it is empty", empty + 1);
            return Err(Error::data(path, problem));
        }
        Ok(Self::new(&words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_classes_may_have_a_header_and_quotes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("y.csv");
        fs::write(&path, "\"diet\"\n\"sun\"\n\"lin\"\n\"sun\"\n").unwrap();
        let found = Classes::read(&path, 3).unwrap();
        assert_eq!((found.names, found.of), (vec!["lin".into(), "sun".into()], vec![1, 0, 1]));
        let message = Classes::read(&path, 5).unwrap_err().to_string();
        let expected = "there must be one label for each of 5 samples, but there are 4";
        assert!(message.ends_with(expected), "{message}");
        fs::write(&path, "10\n\n9\n").unwrap();
        assert!(Classes::read(&path, 3).unwrap_err().to_string().contains("label of sample 2"));
    }

    #[test]
    fn numbers_are_ordered_by_size() {
        let found = Classes::of_numbers(&[10.0, 9.0, 10.0]).unwrap();
        assert_eq!((found.names, found.of), (vec!["9".into(), "10".into()], vec![1, 0, 1]));
        assert!(Classes::of_numbers(&[f64::NAN]).is_err());
    }
}
