//! Pages: sections of words, tables and figures in one HTML file that needs nothing else.

use std::path::Path;

use super::escape::escape;
use super::figure::Figure;
use super::picture::Picture;
use super::table::Table;
use crate::Result;
use crate::data::write_whole;

const STYLE: &str = include_str!("page.css");
/// A page lists at most about so many numbers of a figure.
const MOST_LISTED: usize = 1_000;

/// A page, from its title down.
///
/// ```
/// use deepmf::report::{Block, Page, Section};
/// let page = Page::new("Completion", "100 × 100, rank 5")
///     .with(Section::new("What was done").with(Block::text("Gradient descent at depth 3.")));
/// assert!(page.html()?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    subtitle: String,
    sections: Vec<Section>,
}

/// A part of a page under a heading; a page leaves out one without blocks.
#[derive(Clone, Debug)]
pub struct Section {
    heading: String,
    blocks: Vec<Block>,
}

/// What stands below a heading.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Block {
    /// Words; an empty line begins a new paragraph.
    Text(String),
    /// A table.
    Table(Table),
    /// A figure, its numbers folded below it.
    Figure {
        /// The figure.
        figure: Figure,
        /// What it shows, in a sentence.
        caption: String,
    },
    /// Pictures and animations, side by side.
    Pictures(Vec<Picture>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// Text to be copied: a command, a file.
    Code {
        /// What it is.
        caption: String,
        /// The text as it is.
        text: String,
    },
    /// What the reader must not miss.
    Warning(String),
    /// Blocks that are folded until asked for.
    Details {
        /// What is inside.
        summary: String,
        /// The blocks.
        blocks: Vec<Block>,
    },
}

impl Page {
    /// A page without sections; the subtitle may be empty.
    pub fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: subtitle.into(), sections: Vec::new() }
    }

    /// The same page with one more section.
    #[must_use]
    pub fn with(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The page as one HTML document: no scripts, and nothing is fetched from anywhere.
    ///
    /// # Errors
    /// Those of [`Figure::svg`].
    pub fn html(&self) -> Result<String> {
        let title = escape(&self.title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <header>\n<h1>{title}</h1>\n"
        );
        if !self.subtitle.is_empty() {
            out += &format!("<p class=\"subtitle\">{}</p>\n", escape(&self.subtitle));
        }
        out += "</header>\n";
        for section in self.sections.iter().filter(|section| !section.blocks.is_empty()) {
            out += &format!("<section>\n<h2>{}</h2>\n", escape(&section.heading));
            for block in &section.blocks {
                block.html(&mut out)?;
            }
            out += "</section>\n";
        }
        Ok(out + "</main>\n</body>\n</html>\n")
    }

    /// Writes [`Page::html`] to `path`, whole or not at all.
    ///
    /// # Errors
    /// Those of [`Page::html`], and [`Error::Io`](crate::Error::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_whole(path, self.html()?.as_bytes())
    }
}

impl Section {
    /// A section without blocks.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), blocks: Vec::new() }
    }

    /// The same section with one more block.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

impl Block {
    /// A [`Block::Text`].
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A [`Block::Figure`].
    pub fn figure(figure: Figure, caption: impl Into<String>) -> Self {
        Self::Figure { figure, caption: caption.into() }
    }

    /// A [`Block::Code`].
    pub fn code(caption: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Code { caption: caption.into(), text: text.into() }
    }

    /// A [`Block::Warning`].
    pub fn warning(text: impl Into<String>) -> Self {
        Self::Warning(text.into())
    }

    /// A [`Block::Details`].
    pub fn details(summary: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self::Details { summary: summary.into(), blocks }
    }

    fn html(&self, out: &mut String) -> Result<()> {
        match self {
            Self::Text(text) => {
                for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
                    *out += &format!("<p>{}</p>\n", escape(paragraph));
                }
            }
            Self::Table(table) => {
                *out += &format!("<div class=\"wide\" tabindex=\"0\">\n{}</div>\n", table.html());
            }
            Self::Figure { figure, caption } => {
                *out += &format!("<figure>\n<div class=\"paper\">\n{}</div>\n", figure.svg()?);
                if !caption.is_empty() {
                    *out += &format!("<figcaption>{}</figcaption>\n", escape(caption));
                }
                let (summary, listed) = listing(figure);
                *out += &format!(
                    "<details class=\"data\"><summary>{summary}</summary>\n<pre tabindex=\"0\">{}</pre></details>\n</figure>\n",
                    escape(&listed)
                );
            }
            Self::Pictures(pictures) => {
                *out += "<div class=\"pictures\">\n";
                for picture in pictures {
                    picture.html(out);
                }
                *out += "</div>\n";
            }
            Self::Facts(facts) => {
                *out += "<dl>\n";
                for (name, value) in facts {
                    let (name, value) = (escape(name), escape(value));
                    *out += &format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
                }
                *out += "</dl>\n";
            }
            Self::Code { caption, text } => {
                *out += "<figure class=\"code\">\n";
                if !caption.is_empty() {
                    *out += &format!("<figcaption>{}</figcaption>\n", escape(caption));
                }
                // A parser drops a line break right after the tag, so the text begins with one of ours.
                *out += &format!(
                    "<pre tabindex=\"0\">\n<code>{}</code></pre>\n</figure>\n",
                    escape(text.trim_end())
                );
            }
            Self::Warning(text) => {
                *out += &format!(
                    "<p class=\"warning\" role=\"note\"><strong>Note:</strong> {}</p>\n",
                    escape(text)
                );
            }
            Self::Details { summary, blocks } => {
                *out += &format!("<details><summary>{}</summary>\n", escape(summary));
                blocks.iter().try_for_each(|block| block.html(out))?;
                *out += "</details>\n";
            }
        }
        Ok(())
    }
}

/// The numbers of a figure, and what to call them where there are too many for a page.
fn listing(figure: &Figure) -> (String, String) {
    let layers = figure.layers.len().max(1);
    let most = (MOST_LISTED / layers).max(20);
    let thin = |count: usize| count.div_ceil(most).max(1);
    let whole = figure.layers.iter().all(|layer| thin(layer.len()) == 1);
    let summary = if whole { "Data (CSV)" } else { "Data (CSV, evenly thinned out)" };
    (summary.to_owned(), figure.csv_by(thin))
}
