//! TOML in, plain structs out; what is wrong is told with its line, its column and the nearest known key.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::de::DeTable;

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

/// The same error with the place of the key that it is about, if it is about one; a key that varies stands where it varies.
pub(crate) fn placed(error: Error, text: &str, path: &Path) -> Error {
    let (Error::Parameter { name, .. } | Error::Shape { what: name, .. }) = &error else {
        return error;
    };
    let key = name.split(' ').find(|word| word.contains('.'));
    let file = DeTable::parse(text).ok();
    let start = key.zip(file.as_ref()).and_then(|(key, file)| start_of(file.get_ref(), key));
    let problem = error.to_string();
    match start {
        Some(start) => error_at(path, text, start, problem),
        None => Error::Spec { path: path.into(), line: None, column: None, problem },
    }
}

/// The byte at which a dotted key begins, or the nearest table above it that is there.
fn start_of(file: &DeTable<'_>, key: &str) -> Option<usize> {
    let grids = file.get("vary").and_then(|vary| vary.get_ref().as_array());
    let varied = grids.into_iter().flatten().filter_map(|grid| grid.get_ref().as_table());
    let varied = varied.flat_map(DeTable::keys).find(|varied| {
        let rest = key.strip_prefix(varied.get_ref().as_ref());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    if let Some(varied) = varied {
        return Some(varied.span().start);
    }
    let (mut here, mut start) = (file, None);
    for name in key.split('.') {
        let Some((found, value)) = here.get_key_value(name) else { break };
        start = Some(found.span().start);
        let Some(below) = value.get_ref().as_table() else { break };
        here = below;
    }
    start
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
