//! A table as it was found in a file: known entries, labels, and what else must be given back.

use super::Entries;

/// Known entries with everything that is needed to write the completed table in the same form.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What is known.
    pub entries: Entries,
    /// Names of the rows, where the file has them (then exactly one a row).
    pub row_labels: Option<Vec<String>>,
    /// Names of the columns, where the file has them (then exactly one a column).
    pub col_labels: Option<Vec<String>>,
    /// How the file lays the numbers out.
    pub form: Form,
}

/// How a file lays the numbers out.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// One line a row, one field a column.
    Wide {
        /// What separates fields.
        delimiter: u8,
        /// The header of the column with the row names, if there is such a column (empty if it has no header).
        row_names: Option<String>,
        /// Columns that are not numbers, in the order of the file.
        passthrough: Vec<Passthrough>,
    },
    /// One line an entry: row, column, value.
    Triplets {
        /// What separates fields.
        delimiter: u8,
        /// Headers of the three columns, if the file has headers.
        names: Option<[String; 3]>,
    },
    /// A matrix in a binary format, without words.
    Matrix,
}

/// A column that is not numbers: given back as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passthrough {
    /// Its header, if the file has headers.
    pub name: Option<String>,
    /// Its place among all fields of a line, counted from 0 (the column of row names counts too).
    pub place: usize,
    /// Its fields, one a row.
    pub fields: Vec<String>,
}

impl Table {
    /// A table without words.
    pub fn new(entries: Entries) -> Self {
        Self { entries, row_labels: None, col_labels: None, form: Form::Matrix }
    }
}
