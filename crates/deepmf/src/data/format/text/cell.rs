//! What one field of a text says: a number, nothing, or a word.

use crate::data::ReadOptions;

/// Words that always mean *missing*, beside every spelling of NaN that numbers have.
const MISSING: [&str; 3] = ["na", "n/a", "null"];

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Missing,
    /// A number, perhaps infinite.
    Number(f64),
    Text,
}

/// Says what fields mean.
pub(super) struct Meaning<'a> {
    words: &'a [String],
    numbers: Vec<f64>,
}

impl<'a> Meaning<'a> {
    pub(super) fn new(options: &'a ReadOptions) -> Self {
        let numbers = options.missing.iter().filter_map(|word| word.trim().parse().ok()).collect();
        Self { words: &options.missing, numbers }
    }

    /// What `field` says; blanks around it do not count, and a missing word that is a number means that number.
    pub(super) fn of(&self, field: &str) -> Cell {
        let field = field.trim();
        match field.parse::<f64>() {
            Ok(number) if number.is_nan() || self.numbers.contains(&number) => Cell::Missing,
            Ok(number) => Cell::Number(number),
            Err(_) if field.is_empty() => Cell::Missing,
            Err(_) if MISSING.iter().any(|word| field.eq_ignore_ascii_case(word)) => Cell::Missing,
            Err(_) if self.words.iter().any(|word| word.trim() == field) => Cell::Missing,
            Err(_) => Cell::Text,
        }
    }
}

/// What must be a number, but is `field`, as messages say it.
pub(super) fn not_a_number(what: &str, field: &str) -> String {
    let short: String = field.chars().take(40).collect();
    let dots = if short.len() < field.len() { " …" } else { "" };
    format!("{what} must be a number, but it is {short:?}{dots}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_a_zero_and_every_word_for_missing_is_missing() {
        let options =
            ReadOptions { missing: vec!["-999".into(), "?".into()], ..ReadOptions::default() };
        let meaning = Meaning::new(&options);
        assert_eq!(meaning.of("0"), Cell::Number(0.0));
        assert_eq!(meaning.of(" 1e-3 "), Cell::Number(1e-3));
        assert_eq!(meaning.of("inf"), Cell::Number(f64::INFINITY));
        for field in ["", " ", "NaN", "nan", "-nan", "NA", "n/a", "NULL", "-999.0", "-999", "?"] {
            assert_eq!(meaning.of(field), Cell::Missing, "{field}");
        }
        for field in ["-", "abc", "1,5", "0x1", "1 2"] {
            assert_eq!(meaning.of(field), Cell::Text, "{field}");
        }
    }
}
