//! Marks on paper: the only place that names the drawing backend.

use std::fmt::Write as _;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::colour::Colour;
use super::escape::escape;
use crate::{Error, Result};

/// The backend's coordinates are whole numbers, so it draws tenths of a pixel.
const FINE: f64 = 10.0;
/// The backend divides font sizes by this.
const FONT: f64 = 1.24;
const FAMILY: &str = "Helvetica Neue, Helvetica, Arial, DejaVu Sans, sans-serif";

/// A place in pixels, from the upper left corner.
pub(super) type Place = (f64, f64);

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Whether `place` is inside or on the edge.
    pub(super) fn holds(&self, (x, y): Place) -> bool {
        let near = 0.05;
        (self.left - near..=self.right + near).contains(&x)
            && (self.top - near..=self.bottom + near).contains(&y)
    }
}

/// Where a text stands relative to its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
    /// In the middle of a place, read upwards.
    Upwards,
}

/// An SVG that grows group by group.
pub(super) struct Canvas {
    size: Place,
    body: String,
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { size: (width.ceil(), height.ceil()), body: String::new() }
    }

    /// Adds what `draw` draws, in one group: cut at `clip`, lines dashed by `dash` (pixels).
    pub(super) fn group(
        &mut self,
        clip: Option<Area>,
        dash: &[f64],
        draw: impl FnOnce(&mut Pen<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut drawn = String::new();
        let mut pen = Pen { backend: SVGBackend::with_string(&mut drawn, (1, 1)) };
        draw(&mut pen)?;
        pen.backend.present().map_err(|error| refused(&error))?;
        drop(pen);
        // Each group is a drawing of its own to the backend; only its marks are wanted.
        let from = drawn.find('\n').map_or(0, |end| end + 1);
        let to = drawn.rfind("</svg>").unwrap_or(drawn.len());
        let marks = drawn.get(from..to).unwrap_or_default();
        let mut attributes = String::new();
        if let Some(area) = clip {
            let [x, y, w, h] = [area.left, area.top, area.width(), area.height()].map(fine);
            // Named by what it is, so that equal names on one page mean equal things.
            let name = format!("clip-{x}-{y}-{w}-{h}");
            if !self.body.contains(&name) {
                let _ = writeln!(
                    self.body,
                    "<clipPath id=\"{name}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/></clipPath>"
                );
            }
            let _ = write!(attributes, " clip-path=\"url(#{name})\"");
        }
        if !dash.is_empty() {
            let dash: Vec<String> = dash.iter().map(|&x| fine(x).to_string()).collect();
            let _ = write!(attributes, " stroke-dasharray=\"{}\"", dash.join(" "));
        }
        let _ = write!(
            self.body,
            "<g stroke-linejoin=\"round\" stroke-linecap=\"butt\"{attributes}>\n{marks}</g>\n"
        );
        Ok(())
    }

    /// Adds a bitmap given as a `data:` address, with hard pixels.
    pub(super) fn bitmap(&mut self, area: Area, address: &str) {
        let [x, y, w, h] = [area.left, area.top, area.width(), area.height()].map(fine);
        let _ = writeln!(
            self.body,
            "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"{address}\"/>"
        );
    }

    /// The whole drawing, on white, named `title` for those who do not see it.
    pub(super) fn finish(self, title: &str) -> String {
        let (w, h) = self.size;
        let (fine_w, fine_h) = (fine(w), fine(h));
        let title = escape(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {fine_w} {fine_h}\" role=\"img\" aria-label=\"{title}\">\n\
             <title>{title}</title>\n\
             <rect width=\"{fine_w}\" height=\"{fine_h}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// What draws inside a group; all lengths are pixels.
pub(super) struct Pen<'a> {
    backend: SVGBackend<'a>,
}

impl Pen<'_> {
    pub(super) fn path(&mut self, places: &[Place], colour: Colour, width: f64) -> Result<()> {
        let style = style(colour, 1.0, width);
        let drawn = self.backend.draw_path(places.iter().map(|&p| coordinate(p)), &style);
        drawn.map_err(|error| refused(&error))
    }

    pub(super) fn polygon(&mut self, places: &[Place], colour: Colour, alpha: f64) -> Result<()> {
        let style = style(colour, alpha, 0.0);
        let drawn = self.backend.fill_polygon(places.iter().map(|&p| coordinate(p)), &style);
        drawn.map_err(|error| refused(&error))
    }

    pub(super) fn dot(&mut self, at: Place, radius: f64, colour: Colour, alpha: f64) -> Result<()> {
        let radius = fine(radius).unsigned_abs();
        let drawn =
            self.backend.draw_circle(coordinate(at), radius, &style(colour, alpha, 0.0), true);
        drawn.map_err(|error| refused(&error))
    }

    pub(super) fn block(&mut self, area: Area, colour: Colour, alpha: f64) -> Result<()> {
        let corners = (coordinate((area.left, area.top)), coordinate((area.right, area.bottom)));
        let drawn = self.backend.draw_rect(corners.0, corners.1, &style(colour, alpha, 0.0), true);
        drawn.map_err(|error| refused(&error))
    }

    pub(super) fn frame(&mut self, area: Area, colour: Colour) -> Result<()> {
        let Area { left, top, right, bottom } = area;
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.path(&corners, colour, 1.0)
    }

    pub(super) fn text(
        &mut self,
        text: &str,
        at: Place,
        size: f64,
        colour: Colour,
        anchor: Anchor,
    ) -> Result<()> {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle | Anchor::Upwards => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let turn = match anchor {
            Anchor::Upwards => FontTransform::Rotate270,
            _ => FontTransform::None,
        };
        let colour = RGBColor(colour.0, colour.1, colour.2);
        let style: TextStyle<'_> = TextStyle::from((FontFamily::Name(FAMILY), size * FINE * FONT))
            .color(&colour)
            .pos(Pos::new(horizontal, VPos::Center))
            .transform(turn);
        self.backend.draw_text(text, &style, coordinate(at)).map_err(|error| refused(&error))
    }
}

fn style(colour: Colour, alpha: f64, width: f64) -> ShapeStyle {
    let color = RGBColor(colour.0, colour.1, colour.2).mix(alpha);
    ShapeStyle { color, filled: true, stroke_width: fine(width).unsigned_abs() }
}

fn coordinate((x, y): Place) -> (i32, i32) {
    (fine(x), fine(y))
}

fn fine(length: f64) -> i32 {
    // Far outside of any drawing, yet far from overflow in whatever reads it.
    (length * FINE).round().clamp(-1e6, 1e6) as i32
}

fn refused(error: &impl std::fmt::Display) -> Error {
    Error::io("figure", "draw", std::io::Error::other(error.to_string()))
}
