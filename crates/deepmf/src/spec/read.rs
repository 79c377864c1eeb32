//! TOML in, plain structs out; what is wrong is told with its line, its column and the nearest known key.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads a TOML text; `path` is what messages call it.
pub(crate) fn read<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        error_at(path, text, start, explain(error.message()))
    })
}

/// An error at byte `start` of the text.
pub(crate) fn error_at(path: &Path, text: &str, start: usize, problem: String) -> Error {
    let before = &text[..text.floor_char_boundary(start)];
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
    Error::Spec { path: path.into(), line: Some(line), column: Some(column), problem }
}

/// The byte at which `word` first stands in the text, else its start.
pub(crate) fn place_of(text: &str, word: &str) -> usize {
    text.find(word).unwrap_or(0)
}

/// The parser's message in this crate's words.
pub(crate) fn explain(message: &str) -> String {
    let message = message.trim();
    for (theirs, ours) in [("unknown field ", "unknown key"), ("unknown variant ", "unknown name")]
    {
        if let Some(rest) = message.strip_prefix(theirs) {
            let mut words = rest.split('`').skip(1).step_by(2);
            let found = words.next().unwrap_or_default();
            return unknown(ours, found, &words.collect::<Vec<_>>());
        }
    }
    match message.strip_prefix("missing field ") {
        Some(field) => format!("missing key {field}"),
        None => message.replace('\n', "; "),
    }
}

/// The known name that is nearest to what was found, if it is near enough to be meant.
pub(super) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(found, known), *known))
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(2))
        .map(|(_, known)| known)
}

fn unknown(what: &str, found: &str, known: &[&str]) -> String {
    let hint =
        nearest(found, known).map_or(String::new(), |known| format!("; did you mean `{known}`?"));
    let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    let list = if list.is_empty() { "no keys".into() } else { list.join(", ") };
    format!("{what} `{found}`{hint}; known here: {list}").replace("?;", "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_told_with_the_nearest_known_one() {
        let message = "unknown field `depht`, expected one of `depth`, `width`, `init`";
        assert_eq!(
            explain(message),
            "unknown key `depht`; did you mean `depth`? known here: `depth`, `width`, `init`"
        );
        assert_eq!(
            explain("unknown field `colour`, expected `rate`"),
            "unknown key `colour`; known here: `rate`"
        );
    }

    #[test]
    fn a_column_counts_characters() {
        let text = "a = 1\n# é\nééx";
        let error = error_at("a.toml".as_ref(), text, place_of(text, "x"), "it".into());
        assert_eq!(error.to_string(), "a.toml:3:3: it");
    }
}
