//! The legend: which colour and dash each name has, and where the names stand.

use super::canvas::{Anchor, Area, Canvas};
use super::colour::{self, Colour, INK, MUTED};
use super::escape::{fitted, width};
use super::figure::{Figure, Layer};
use crate::Result;

pub(super) const SIZE: f64 = 12.0;
const SWATCH: f64 = 26.0;
const GAP: f64 = 6.0;
const LINE: f64 = 19.0;
const WIDEST: f64 = 420.0;

/// How a layer is drawn.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) colour: Colour,
    pub(super) dash: &'static [f64],
}

/// One [`Style`] for each layer: layers of one name share it.
pub(super) fn styles(figure: &Figure) -> Vec<Style> {
    let coloured = |layer: &&Layer| !matches!(layer, Layer::Rule { .. } | Layer::Image { .. });
    let mut names: Vec<&str> = Vec::new();
    let mut unnamed = 0;
    let mut places = Vec::new();
    for layer in figure.layers.iter().filter(coloured) {
        let known = names.iter().position(|name| !name.is_empty() && *name == layer.name());
        places.push(known.unwrap_or(names.len()));
        if known.is_none() {
            names.push(layer.name());
            unnamed += usize::from(layer.name().is_empty());
        }
    }
    // Lines without names, such as many runs behind their mean, are not told apart by shades.
    let count = if unnamed == names.len() { names.len().min(7) } else { names.len() };
    let mut places = places.into_iter();
    let style = |layer: &Layer| {
        if coloured(&layer) {
            let place = places.next().unwrap_or(0);
            Style { colour: colour::series(place, count), dash: colour::dash(place) }
        } else {
            Style { colour: MUTED, dash: &[4.0, 4.0] }
        }
    };
    figure.layers.iter().map(style).collect()
}

/// The names to be shown and their places.
pub(super) struct Legend<'a> {
    entries: Vec<(&'a Layer, Style, String)>,
    beside: bool,
}

impl<'a> Legend<'a> {
    /// The legend of `figure`; it is empty unless there is more than one name.
    pub(super) fn of(figure: &'a Figure, styles: &[Style]) -> Self {
        let mut entries: Vec<(&Layer, Style, String)> = Vec::new();
        for (layer, &style) in figure.layers.iter().zip(styles) {
            let new = entries.iter().all(|(other, ..)| other.name() != layer.name());
            if new && !layer.name().is_empty() && !matches!(layer, Layer::Image { .. }) {
                entries.push((layer, style, fitted(layer.name(), SIZE, WIDEST)));
            }
        }
        if entries.len() < 2 {
            entries.clear();
        }
        let widest = entries.iter().map(|(.., name)| width(name, SIZE)).fold(0.0, f64::max);
        let beside = widest <= 130.0 && entries.len() <= 16;
        Self { entries, beside }
    }

    /// What it needs to the right of the frame.
    pub(super) fn width(&self) -> f64 {
        if self.beside && !self.entries.is_empty() { 16.0 + self.column() } else { 0.0 }
    }

    /// What it needs below the axis, where it has `room` pixels to the right.
    pub(super) fn height(&self, room: f64) -> f64 {
        if self.beside || self.entries.is_empty() {
            return 0.0;
        }
        let rows = self.entries.len().div_ceil(self.columns(room));
        rows as f64 * LINE + 8.0
    }

    /// Draws the names to the right of `frame`, or from `below` down.
    pub(super) fn draw(&self, canvas: &mut Canvas, frame: Area, below: f64) -> Result<()> {
        let columns = if self.beside { 1 } else { self.columns(frame.width()) };
        let (left, top) = if self.beside {
            (frame.right + 16.0, frame.top + LINE / 2.0)
        } else {
            (frame.left, below + LINE / 2.0)
        };
        for (i, (layer, style, name)) in self.entries.iter().enumerate() {
            let x = left + (i % columns) as f64 * self.column();
            let y = top + (i / columns) as f64 * LINE;
            let end = x + SWATCH;
            canvas.group(None, dash_of(layer, style), |pen| match layer {
                Layer::Points { .. } => pen.dot((x + SWATCH / 2.0, y), 3.5, style.colour, 0.9),
                Layer::Bars { .. } => {
                    let area =
                        Area { left: x + 6.0, top: y - 5.0, right: end - 6.0, bottom: y + 5.0 };
                    pen.block(area, style.colour, 0.85)
                }
                Layer::Band { .. } => {
                    let area = Area { left: x, top: y - 5.0, right: end, bottom: y + 5.0 };
                    pen.block(area, style.colour, 0.22)
                }
                _ => pen.path(&[(x, y), (end, y)], style.colour, line_width(layer)),
            })?;
            canvas
                .group(None, &[], |pen| pen.text(name, (end + GAP, y), SIZE, INK, Anchor::Start))?;
        }
        Ok(())
    }

    fn column(&self) -> f64 {
        let widest = self.entries.iter().map(|(.., name)| width(name, SIZE)).fold(0.0, f64::max);
        SWATCH + GAP + widest + 14.0
    }

    #[allow(clippy::cast_sign_loss)] // lengths
    fn columns(&self, room: f64) -> usize {
        ((room / self.column()).floor().max(1.0) as usize).min(self.entries.len().max(1))
    }
}

/// The dashes of a layer; only lines have some.
pub(super) fn dash_of(layer: &Layer, style: &Style) -> &'static [f64] {
    if matches!(layer, Layer::Line { .. } | Layer::Rule { .. }) { style.dash } else { &[] }
}

/// The width of a layer's line in pixels.
pub(super) fn line_width(layer: &Layer) -> f64 {
    if matches!(layer, Layer::Rule { .. }) { 1.2 } else { 1.8 }
}
