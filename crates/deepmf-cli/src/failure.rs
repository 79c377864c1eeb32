//! Why nothing was done, and what may help.

use std::error::Error as _;

use deepmf::Error;

/// An error of the library, with the hint of whoever knew more.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Error,
    hint: Option<String>,
}

/// Words in a message and the remedy for what they tell.
const REMEDIES: [(&str, &str); 11] = [
    ("with the labels, but there are", "--label-field NAME names the variable with the classes"),
    ("with the views, but there are", "--views-field NAME names the variable with the views"),
    (
        "must be given once",
        "--duplicates last or --duplicates mean says what such a cell counts for",
    ),
    (
        "must be a number, but it is",
        "--missing WORD names a word that means missing; --header and --row-names name what is not data",
    ),
    ("variable", "--variable NAME chooses one"),
    ("the header must have", "--triplets takes names of the header or places from 1"),
    ("must be read by places", "--triplets 1,2,3 reads the first three fields"),
    (
        "the place of a triplet's field",
        "--triplets takes places from 1 to the number of fields; see --delimiter",
    ),
    (
        "a line must have",
        "--delimiter CHAR says what separates fields; --triplets reads one entry a line",
    ),
    ("the file to write", "--format says what to write to a file without an extension"),
    ("must have an observed entry", "--missing and --triplets say how the file is to be read"),
];

impl Failure {
    pub(crate) fn with_hint(error: Error, hint: impl Into<String>) -> Self {
        Self { error, hint: Some(hint.into()) }
    }

    /// The same with a hint if the system refused.
    pub(crate) fn or_hint_if_io(self, hint: &str) -> Self {
        let hint = if self.error.is_io() { Some(hint.into()) } else { self.hint };
        Self { hint, ..self }
    }

    /// The message and its causes, without those that a message already tells.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes = vec![self.error.to_string()];
        let mut next = self.error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !causes.iter().any(|told| told.contains(&text)) {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }

    /// What may help, if that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        let known = || {
            let message = self.error.to_string();
            let found = REMEDIES.iter().find(|(words, _)| message.contains(words));
            found.map(|(_, remedy)| (*remedy).into())
        };
        self.hint.clone().or_else(known)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, hint: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_message_tells_is_not_told_twice() {
        let error = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let failure = Failure::from(Error::io("a.csv", "read", error));
        assert_eq!(failure.causes(), ["a.csv: cannot read: no such file"]);
        assert_eq!(failure.hint(), None);
    }

    #[test]
    fn a_known_remedy_is_hinted_at() {
        let error = Error::data_at("a.csv", 3, 2, r#"a field must be a number, but it is "x""#);
        assert!(Failure::from(error).hint().unwrap().starts_with("--missing"));
    }
}
