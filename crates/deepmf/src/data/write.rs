//! Tables go out in the form in which they came in.

use std::io::Write;
use std::path::Path;

use flate2::{Compression, GzBuilder};

use super::{Entries, Form, Format, Passthrough, Table, format, write_whole};
use crate::{Error, Result};

/// Writes `table` to `path`, whole or not at all: NPY, Parquet, or text (`.csv` with commas or, if it came so,
/// semicolons, `.tsv` and `.tab` with tabs, any other name as it came); `.gz` compresses text.
///
/// # Errors
/// [`Error::Parameter`] for a format that is only read, [`Error::Io`] if the system refuses.
pub fn write(path: impl AsRef<Path>, table: &Table) -> Result<()> {
    write_whole(&path, &encoded(&path, table)?)
}

/// The bytes that [`write()`] writes to a file of this name.
///
/// # Errors
/// [`Error::Parameter`] for a format that is only read.
pub fn encoded(path: impl AsRef<Path>, table: &Table) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let refused = || {
        let allowed = "named as text (.csv, .tsv, .txt), .npy or .parquet";
        Error::parameter("the file to write", allowed, path.display())
    };
    let name = path.to_string_lossy().to_ascii_lowercase();
    let packed = name.strip_suffix(".gz");
    match Format::of(path) {
        Format::Text if name != "-" => {
            let bytes = text_as(table, delimiter(packed.unwrap_or(&name), table));
            if packed.is_some() { gzip(&bytes) } else { Ok(bytes) }
                .map_err(|error| Error::io(path, "write", error))
        }
        Format::Npy if packed.is_none() => Ok(format::npy::entries_bytes(&table.entries)),
        #[cfg(feature = "parquet")]
        Format::Parquet if packed.is_none() => format::parquet_write::bytes(table),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(format::without_parquet(path)),
        _ => Err(refused()),
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    // No time of writing inside: the same table gives the same file.
    let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    packed.write_all(bytes)?;
    packed.finish()
}

/// The text of `table` with the delimiter, header, names, other columns and order of columns that it came with.
///
/// Numbers are the shortest that read back to the same bits. A hole is an empty field, or `NaN` between blanks or
/// double colons. Triplets are row, column, value and, if there are any, weight and time. Where words cannot stand between
/// double colons, commas separate instead.
pub fn text(table: &Table) -> Vec<u8> {
    text_as(table, own_delimiter(table))
}

fn own_delimiter(table: &Table) -> u8 {
    match table.form {
        Form::Wide { delimiter, .. } | Form::Triplets { delimiter, .. } => delimiter,
        Form::Matrix => b',',
    }
}

fn delimiter(name: &str, table: &Table) -> u8 {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") if own_delimiter(table) != b';' => b',',
        Some("tsv" | "tab") => b'\t',
        _ => own_delimiter(table),
    }
}

fn text_as(table: &Table, delimiter: u8) -> Vec<u8> {
    let lines = |delimiter| {
        let mut lines = Lines { delimiter, line: Vec::new(), text: Some(Vec::new()) };
        match &table.form {
            Form::Wide { row_names, passthrough, .. } => {
                wide(&mut lines, table, row_names.as_deref(), passthrough);
            }
            Form::Triplets { names, .. } => triplets(&mut lines, table, names.as_ref()),
            Form::Matrix => wide(&mut lines, table, table.row_labels.as_ref().map(|_| ""), &[]),
        }
        lines.text
    };
    lines(delimiter).or_else(|| lines(b',')).unwrap_or_default()
}

/// What stands at one place of every line.
enum Slot<'a> {
    Name,
    Passed(&'a Passthrough),
    Value(usize),
}

fn wide(lines: &mut Lines, table: &Table, corner: Option<&str>, passthrough: &[Passthrough]) {
    let (rows, cols) = table.entries.shape();
    let mut slots: Vec<Slot<'_>> = corner.iter().map(|_| Slot::Name).collect();
    slots.extend((0..cols).map(Slot::Value));
    for passed in passthrough {
        slots.insert(passed.place.min(slots.len()), Slot::Passed(passed));
    }
    let named = passthrough.iter().any(|passed| passed.name.is_some());
    if table.col_labels.is_some() || (cols == 0 && named) {
        for slot in &slots {
            lines.word(match slot {
                Slot::Name => corner.unwrap_or_default(),
                Slot::Passed(passed) => passed.name.as_deref().unwrap_or_default(),
                Slot::Value(j) => label(table.col_labels.as_deref(), *j),
            });
        }
        lines.end();
    }
    let by_row = by_row(&table.entries);
    let mut next = by_row.iter().copied().peekable();
    let (ids, values) =
        (table.entries.rows().iter().zip(table.entries.cols()), table.entries.values());
    let cells: Vec<(u32, u32)> = ids.map(|(&i, &j)| (i, j)).collect();
    for i in 0..rows {
        for slot in &slots {
            match slot {
                Slot::Name => lines.word(label(table.row_labels.as_deref(), i)),
                Slot::Passed(passed) => lines.word(passed.fields.get(i).map_or("", String::as_str)),
                Slot::Value(j) => {
                    let known = next.next_if(|&e| cells[e] == (i as u32, *j as u32));
                    lines.number(known.map(|e| values[e]));
                }
            }
        }
        lines.end();
    }
}

/// The places of the entries, row after row.
fn by_row(entries: &Entries) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&e| (entries.rows()[e], entries.cols()[e]));
    order
}

fn label(labels: Option<&[String]>, place: usize) -> &str {
    labels.and_then(|labels| labels.get(place)).map_or("", String::as_str)
}

fn triplets(lines: &mut Lines, table: &Table, names: Option<&[String; 3]>) {
    let (weights, times) = (table.entries.weights(), table.entries.times());
    if let Some(names) = names {
        for name in names {
            lines.word(name);
        }
        if weights.is_some() {
            lines.word("weight");
        }
        if times.is_some() {
            lines.word("time");
        }
        lines.end();
    }
    for (e, (i, j, value)) in table.entries.iter().enumerate() {
        for (labels, id) in [(&table.row_labels, i), (&table.col_labels, j)] {
            match labels {
                Some(labels) => lines.word(label(Some(labels), id)),
                None => lines.word(&id.to_string()),
            }
        }
        lines.number(Some(value));
        if let Some(weights) = weights {
            lines.number(Some(weights[e]));
        }
        if let Some(times) = times {
            lines.number(Some(times[e]).filter(|time| time.is_finite()));
        }
        lines.end();
    }
}

/// Lines of text; `text` is none once a field cannot be written with this delimiter.
struct Lines {
    delimiter: u8,
    line: Vec<String>,
    text: Option<Vec<u8>>,
}

impl Lines {
    fn word(&mut self, word: &str) {
        let ends = |c: char| word.starts_with(c) || word.ends_with(c);
        let blank = |c: char| c.is_whitespace();
        let special = ['"', '\r', '\n', self.delimiter as char];
        let quotes = word.contains(special)
            || word.starts_with(['#', '\u{feff}'])
            || word.starts_with(blank)
            || word.ends_with(blank)
            || (self.delimiter == b' ' && (word.is_empty() || word.contains(blank)));
        if self.delimiter == b':' {
            let stands = !(word.contains("::") || ends(':') || word.contains(['\r', '\n']));
            if !stands || word.starts_with(['#', '\u{feff}']) {
                self.text = None;
            }
            self.line.push(word.to_owned());
        } else if quotes {
            self.line.push(format!("\"{}\"", word.replace('"', "\"\"")));
        } else {
            self.line.push(word.to_owned());
        }
    }

    fn number(&mut self, number: Option<f64>) {
        self.line.push(match number {
            Some(number) => shortest(number),
            None if matches!(self.delimiter, b' ' | b':') => "NaN".into(),
            None => String::new(),
        });
    }

    fn end(&mut self) {
        let between = if self.delimiter == b':' {
            "::".into()
        } else {
            char::from(self.delimiter).to_string()
        };
        let mut line = self.line.join(&between);
        if line.trim().is_empty() && self.line.len() == 1 {
            // An empty line would not count as a line.
            if self.delimiter == b':' {
                self.text = None;
            }
            line = "\"\"".into();
        }
        line.push('\n');
        self.line.clear();
        if let Some(text) = &mut self.text {
            text.extend_from_slice(line.as_bytes());
        }
    }
}

/// The shortest number that reads back to the same bits.
fn shortest(number: f64) -> String {
    if number == 0.0 || (1e-5..1e16).contains(&number.abs()) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}
