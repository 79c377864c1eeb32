//! How a table is read and where a matrix is written: the same flags for every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use deepmf::data::{Duplicates, ReadOptions, Triplets};
use serde::{Deserialize, Serialize};

use super::value;

/// How a table is read; what is not given is found out from the file.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Input")]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Input {
    /// Read one entry a line: ROW,COL,VALUE[,WEIGHT|,time], by names of the header or places from 1; time=FIELD is the time.
    #[arg(long, value_name = "FIELDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) triplets: Option<String>,
    /// One more word that means missing, such as -999 (repeatable).
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<String>,
    /// What a cell counts for that is given twice with different values.
    #[arg(long, value_name = "RULE", value_enum, default_value = "refuse")]
    pub(crate) duplicates: Rule,
    /// What separates fields: a character, tab, space, comma, semicolon or ::.
    #[arg(long, value_name = "CHAR", value_parser = value::delimiter)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delimiter: Option<u8>,
    /// The first line holds names.
    #[arg(long, overrides_with = "no_header")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) header: bool,
    /// The first line holds numbers.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_header: bool,
    /// The first column holds the names of the rows.
    #[arg(long, overrides_with = "no_row_names")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) row_names: bool,
    /// The first column holds numbers.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_row_names: bool,
    /// Which variable of a MAT or NPZ file.
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variable: Option<String>,
    /// An image that is black where the PNG is missing.
    #[arg(long, value_name = "IMAGE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mask: Option<PathBuf>,
}

/// What a cell counts for that is given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    /// An error.
    #[default]
    Refuse,
    /// The last one counts.
    Last,
    /// Their mean counts.
    Mean,
}

/// Where a matrix is written.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Written {
    /// Write to this file (- is stdout); the format by its extension.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format on stdout, or of a file without a telling extension.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<OutFormat>,
}

/// A format that matrices are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutFormat {
    /// Fields between commas.
    Csv,
    /// Fields between tabs.
    Tsv,
    /// A NumPy array.
    Npy,
    /// Apache Parquet.
    Parquet,
}

impl Input {
    /// The same for the library.
    ///
    /// # Errors
    /// For triplets that do not name three to five fields.
    pub(crate) fn options(&self) -> deepmf::Result<ReadOptions> {
        let flag = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        Ok(ReadOptions {
            triplets: self.triplets.as_deref().map(str::parse::<Triplets>).transpose()?,
            missing: self.missing.clone(),
            duplicates: match self.duplicates {
                Rule::Refuse => Duplicates::Refuse,
                Rule::Last => Duplicates::Last,
                Rule::Mean => Duplicates::Mean,
            },
            header: flag(self.header, self.no_header),
            row_names: flag(self.row_names, self.no_row_names),
            delimiter: self.delimiter,
            variable: self.variable.clone(),
            mask: self.mask.clone(),
            format: None,
        })
    }
}
