//! Fields between runs of blanks, which may be quoted, or between double colons, which may not.

use csv::StringRecord;

/// A text that is read line by line.
pub(super) struct Plain<'a> {
    text: &'a str,
    at: usize,
    colons: bool,
}

impl<'a> Plain<'a> {
    pub(super) fn new(text: &'a str, colons: bool) -> Self {
        Self { text, at: 0, colons }
    }

    /// Where the next record begins, in bytes.
    pub(super) fn offset(&self) -> usize {
        let space = self.text[self.at..].chars().take_while(|&c| self.skipped(c));
        self.at + space.map(char::len_utf8).sum::<usize>()
    }

    fn skipped(&self, c: char) -> bool {
        c == '\n' || c == '\r' || (!self.colons && (c == ' ' || c == '\t'))
    }

    /// Reads the next line that is not empty; false at the end.
    pub(super) fn read(&mut self, record: &mut StringRecord) -> bool {
        record.clear();
        self.at = self.offset();
        if self.at == self.text.len() {
            return false;
        }
        if self.colons {
            let rest = &self.text[self.at..];
            let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
            line.split("::").for_each(|field| record.push_field(field));
            self.at += line.len();
        } else {
            self.blanks(record);
        }
        true
    }

    fn blanks(&mut self, record: &mut StringRecord) {
        loop {
            let rest = &self.text[self.at..];
            let field = rest.trim_start_matches([' ', '\t']);
            self.at += rest.len() - field.len();
            match field.as_bytes().first() {
                None | Some(b'\n' | b'\r') => return,
                Some(b'"') => self.quoted(record),
                Some(_) => {
                    let end = field.find([' ', '\t', '\n', '\r']).unwrap_or(field.len());
                    record.push_field(&field[..end]);
                    self.at += end;
                }
            }
        }
    }

    /// A field in quotes; a quote inside is written twice.
    fn quoted(&mut self, record: &mut StringRecord) {
        let mut field = String::new();
        self.at += 1;
        while let Some(end) = self.text[self.at..].find('"') {
            field.push_str(&self.text[self.at..self.at + end]);
            self.at += end + 1;
            if !self.text[self.at..].starts_with('"') {
                record.push_field(&field);
                return;
            }
            field.push('"');
            self.at += 1;
        }
        field.push_str(&self.text[self.at..]);
        self.at = self.text.len();
        record.push_field(&field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, colons: bool) -> Vec<Vec<String>> {
        let (mut plain, mut record) = (Plain::new(text, colons), StringRecord::new());
        let mut lines = Vec::new();
        while plain.read(&mut record) {
            lines.push(record.iter().map(String::from).collect());
        }
        lines
    }

    #[test]
    fn runs_of_blanks_separate_and_quotes_hold_together() {
        let text = "  a \t b\r\n\n\"x \"\"y\"\"\n\" \"\"  3";
        assert_eq!(lines(text, false), [vec!["a", "b"], vec!["x \"y\"\n", "", "3"]]);
        assert_eq!(lines("a \"b c", false), [vec!["a", "b c"]]);
    }

    #[test]
    fn double_colons_separate_and_empty_fields_stay() {
        assert_eq!(
            lines("1::2:3::\n\n4::5::6\n", true),
            [vec!["1", "2:3", ""], vec!["4", "5", "6"]]
        );
    }
}
