//! Tables: columns and rows of words and numbers, for pages, for files and for terminals.

use super::escape::escape;
use super::number::number;
use crate::{Error, Result};

/// A table with a caption.
///
/// ```
/// use deepmf::report::{Column, Table};
/// let mut table = Table::new("Errors", vec![Column::left("model"), Column::right("RMSE")]);
/// table.push(vec!["depth 3".into(), 0.0123.into()])?;
/// assert_eq!(table.text(), "Errors\n\nmodel      RMSE\n-------  ------\ndepth 3  0.0123\n");
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Clone, Debug)]
pub struct Column {
    name: String,
    align: Align,
}

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// What stands in a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, written by [`number`]; NaN as a dash.
    Number(f64),
    /// A count, written with all digits.
    Count(u64),
    /// Nothing is known; a dash.
    Missing,
}

impl Column {
    /// A column of words.
    pub fn left(name: impl Into<String>) -> Self {
        Self { name: name.into(), align: Align::Left }
    }

    /// A column of numbers.
    pub fn right(name: impl Into<String>) -> Self {
        Self { name: name.into(), align: Align::Right }
    }
}

impl Cell {
    /// What is shown.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value) if value.is_nan() => "–".to_owned(),
            Self::Number(value) => number(*value),
            Self::Count(count) => count.to_string(),
            Self::Missing => "–".to_owned(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Missing, Into::into)
    }
}

impl Table {
    /// A table without rows.
    pub fn new(caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Shape`] if it has not one cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) -> Result<()> {
        if row.len() != self.columns.len() {
            let what = format!("row {} of the table {:?}", self.rows.len() + 1, self.caption);
            let expected = format!("{} cells", self.columns.len());
            return Err(Error::shape(what, expected, row.len()));
        }
        self.rows.push(row);
        Ok(())
    }

    /// A table of HTML; the first column names the rows where it holds words.
    pub fn html(&self) -> String {
        let mut out = String::from("<table>\n");
        if !self.caption.is_empty() {
            out += &format!("<caption>{}</caption>\n", escape(&self.caption));
        }
        out += "<thead><tr>";
        for column in &self.columns {
            let name = escape(&column.name);
            out += &format!("<th scope=\"col\"{}>{name}</th>", class(column.align));
        }
        out += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            out += "<tr>";
            for (i, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                let (text, class) = (escape(&cell.text()), class(column.align));
                out += &if i == 0 && matches!(cell, Cell::Text(_)) {
                    format!("<th scope=\"row\"{class}>{text}</th>")
                } else {
                    format!("<td{class}>{text}</td>")
                };
            }
            out += "</tr>\n";
        }
        out + "</tbody>\n</table>\n"
    }

    /// A table of GitHub-flavoured Markdown, the caption above it.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        if !self.caption.is_empty() {
            out += &format!("**{}**\n\n", one_line(&self.caption));
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out += &line(self.columns.iter().map(|c| one_line(&c.name)).collect());
        let dashes = |c: &Column| if c.align == Align::Left { "---" } else { "--:" }.to_owned();
        out += &line(self.columns.iter().map(dashes).collect());
        for row in &self.rows {
            out += &line(row.iter().map(|cell| one_line(&cell.text())).collect());
        }
        out
    }

    /// A table of plain text, its columns as wide as their widest cell.
    pub fn text(&self) -> String {
        let plain = |text: &str| {
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>()
        };
        let mut lines = vec![self.columns.iter().map(|c| plain(&c.name)).collect::<Vec<_>>()];
        lines.extend(
            self.rows
                .iter()
                .map(|row| row.iter().map(|cell| plain(&cell.text())).collect::<Vec<_>>()),
        );
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|j| lines.iter().map(|line| line[j].chars().count()).max().unwrap_or(0))
            .collect();
        lines.insert(1, widths.iter().map(|&w| "-".repeat(w)).collect());
        let mut out = String::new();
        if !self.caption.is_empty() {
            out += &format!("{}\n\n", plain(&self.caption));
        }
        for line in lines {
            let cells = line.iter().zip(&widths).zip(&self.columns);
            let cells: Vec<String> = cells
                .map(|((cell, &w), column)| match column.align {
                    Align::Left => format!("{cell:<w$}"),
                    Align::Right => format!("{cell:>w$}"),
                })
                .collect();
            out += cells.join("  ").trim_end();
            out.push('\n');
        }
        out
    }
}

fn class(align: Align) -> &'static str {
    if align == Align::Right { " class=\"number\"" } else { "" }
}

/// Text that neither ends a cell nor becomes markup.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = vec![Column::left("model"), Column::right("RMSE"), Column::right("steps")];
        let mut table = Table::new("Errors <&> more", columns);
        table.push(vec!["depth 2 | plain".into(), 0.123_456.into(), 200_000_usize.into()]).unwrap();
        table.push(vec!["<script>σ</script>".into(), 1.5e-9.into(), Cell::Missing]).unwrap();
        table.push(vec!["mean".into(), f64::NAN.into(), Some(7_u64).into()]).unwrap();
        table
    }

    #[test]
    fn plain_text_is_aligned() {
        insta::assert_snapshot!(table().text(), @r"
        Errors <&> more

        model                 RMSE   steps
        ------------------  ------  ------
        depth 2 | plain     0.1235  200000
        <script>σ</script>  1.5e-9       –
        mean                     –       7
        ");
    }

    #[test]
    fn markdown_and_html_escape_what_is_markup() {
        insta::assert_snapshot!(table().markdown(), @r"
        **Errors &lt;&amp;> more**

        | model | RMSE | steps |
        | --- | --: | --: |
        | depth 2 \| plain | 0.1235 | 200000 |
        | &lt;script>σ&lt;/script> | 1.5e-9 | – |
        | mean | – | 7 |
        ");
        insta::assert_snapshot!(table().html(), @r#"
        <table>
        <caption>Errors &lt;&amp;&gt; more</caption>
        <thead><tr><th scope="col">model</th><th scope="col" class="number">RMSE</th><th scope="col" class="number">steps</th></tr></thead>
        <tbody>
        <tr><th scope="row">depth 2 | plain</th><td class="number">0.1235</td><td class="number">200000</td></tr>
        <tr><th scope="row">&lt;script&gt;σ&lt;/script&gt;</th><td class="number">1.5e-9</td><td class="number">–</td></tr>
        <tr><th scope="row">mean</th><td class="number">–</td><td class="number">7</td></tr>
        </tbody>
        </table>
        "#);
    }

    #[test]
    fn a_row_with_too_few_cells_is_refused() {
        let error = table().push(vec!["alone".into()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 4 of the table \"Errors <&> more\" must have 3 cells, but it has 1"
        );
    }
}
