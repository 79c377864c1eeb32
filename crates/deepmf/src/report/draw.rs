//! Figures on paper: what goes where, and each layer's marks.

use super::canvas::{Anchor, Area, Canvas, Pen, Place};
use super::colour::{FRAME, GRID, INK, MUTED};
use super::escape::{fitted, width};
use super::figure::{Figure, Layer, Reference};
use super::heat::Shades;
use super::legend::{self, Legend, SIZE, Style};
use super::number::grouped;
use super::points::{envelope, stride};
use super::scale::{Range, Scale, Tick, drawable};
use crate::Result;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const SQUARE: f64 = 340.0;
const TITLE: f64 = 15.0;
/// Lines of at most so many places show them as dots.
const FEW: usize = 40;

/// What every layer needs to draw itself.
struct Plot {
    frame: Area,
    x: Scale,
    y: Scale,
    /// Whether row 0 of an image is on top.
    down: bool,
}

impl Plot {
    fn at(&self, x: f64, y: f64) -> Place {
        (self.frame.left + self.x.place(x) * self.frame.width(), self.down_to(y))
    }

    fn down_to(&self, y: f64) -> f64 {
        let place = if self.down { self.y.place(y) } else { 1.0 - self.y.place(y) };
        self.frame.top + place * self.frame.height()
    }
}

pub(super) fn svg(figure: &Figure) -> Result<String> {
    let styles = legend::styles(figure);
    let legend = Legend::of(figure, &styles);
    let matrix = figure.layers.iter().find_map(|layer| match layer {
        Layer::Image { matrix, .. } if !matrix.values().is_empty() => Some(matrix),
        _ => None,
    });
    let scales = scales(figure, matrix.is_some());
    let shades = matrix.and_then(Shades::of);

    let square = figure.layers.iter().any(diagonal);
    let (plot_width, plot_height) = match matrix {
        Some(matrix) => cells(matrix.rows() as f64, matrix.cols() as f64),
        None if square => (Some(SQUARE), SQUARE),
        None => (None, HEIGHT),
    };
    let y_ticks = scales
        .map_or_else(Vec::new, |(_, y)| y.ticks((plot_height / 42.0).max(2.0).round() as usize));
    let bar_ticks = shades.as_ref().map_or_else(Vec::new, |s| s.scale.ticks(6));
    let top = if figure.title.is_empty() { 14.0 } else { 44.0 };
    let left = 14.0 + if figure.y.label.is_empty() { 0.0 } else { 22.0 } + widest(&y_ticks) + 9.0;
    let bar = if shades.is_some() { 16.0 + 14.0 + 8.0 + widest(&bar_ticks) + 24.0 } else { 0.0 };
    let right = 24.0 + legend.width() + bar;
    let paper = plot_width.map_or(WIDTH, |plot| (left + plot + right).max(380.0));
    let frame = Area {
        left,
        top,
        right: left + plot_width.unwrap_or(paper - left - right),
        bottom: top + plot_height,
    };
    let mut x_ticks = scales.map_or_else(Vec::new, |(x, _)| fitting(&x, frame.width()));
    if matrix.is_some() {
        x_ticks.retain(whole);
    }

    let mut below = frame.bottom + 24.0;
    let label = below + 10.0;
    below += if figure.x.label.is_empty() { 0.0 } else { 22.0 };
    let names = below + 4.0;
    below += legend.height(frame.width());
    let note = note(figure);
    let mut canvas = Canvas::new(paper, below + if note.is_empty() { 12.0 } else { 26.0 });

    let plot = scales.map(|(x, y)| Plot { frame, x, y, down: matrix.is_some() });
    if let Some(plot) = &plot {
        if matrix.is_none() {
            canvas.group(None, &[], |pen| grid(pen, plot, &x_ticks, &y_ticks))?;
        }
        for (layer, style) in figure.layers.iter().zip(&styles) {
            draw_layer(&mut canvas, figure, plot, layer, style)?;
        }
    }
    if let Some(shades) = &shades {
        colour_bar(&mut canvas, figure, frame, shades, &bar_ticks)?;
    }
    canvas.group(None, &[], |pen| {
        pen.frame(frame, FRAME)?;
        if let Some(plot) = &plot {
            axes(pen, plot, &x_ticks, &y_ticks)?;
        } else {
            let x = f64::midpoint(frame.left, frame.right);
            let y = f64::midpoint(frame.top, frame.bottom);
            pen.text("no data", (x, y), 14.0, MUTED, Anchor::Middle)?;
        }
        let words = |text: &str, size: f64, room: f64| fitted(text, size, room);
        if !figure.title.is_empty() {
            let title = words(&figure.title, TITLE, paper - 28.0);
            pen.text(&title, (14.0, 22.0), TITLE, INK, Anchor::Start)?;
        }
        if !figure.x.label.is_empty() {
            let at = (f64::midpoint(frame.left, frame.right), label);
            pen.text(&words(&figure.x.label, 13.0, frame.width()), at, 13.0, INK, Anchor::Middle)?;
        }
        if !figure.y.label.is_empty() {
            let at = (20.0, f64::midpoint(frame.top, frame.bottom));
            let label = words(&figure.y.label, 13.0, frame.height() + 20.0);
            pen.text(&label, at, 13.0, INK, Anchor::Upwards)?;
        }
        if !note.is_empty() {
            let room = paper - frame.left - 14.0;
            pen.text(
                &words(&note, 11.0, room),
                (frame.left, below + 10.0),
                11.0,
                MUTED,
                Anchor::Start,
            )?;
        }
        Ok(())
    })?;
    legend.draw(&mut canvas, frame, names)?;
    Ok(canvas.finish(if figure.title.is_empty() { "figure" } else { &figure.title }))
}

/// The frame of an image: square cells unless the shape is extreme.
fn cells(rows: f64, cols: f64) -> (Option<f64>, f64) {
    let size = (470.0 / cols).min(340.0 / rows);
    (Some((size * cols).max(110.0)), (size * rows).max(90.0))
}

/// The scales of both axes, if there is anything that they place.
fn scales(figure: &Figure, image: bool) -> Option<(Scale, Scale)> {
    let (mut x, mut y) = (Range::EMPTY, Range::EMPTY);
    let mut dots = false;
    for layer in &figure.layers {
        dots |= match layer {
            Layer::Line { x, .. } | Layer::Band { x, .. } => x.len() <= FEW,
            Layer::Points { .. } | Layer::Bars { .. } => true,
            Layer::Rule { .. } | Layer::Image { .. } => false,
        };
        include(figure, layer, &mut x, &mut y);
    }
    if x.is_empty() || y.is_empty() {
        return None;
    }
    for layer in &figure.layers {
        if let Layer::Rule { at, .. } = *layer {
            match at {
                Reference::Horizontal(value) if drawable(&figure.y, value) => y.include(value),
                Reference::Vertical(value) if drawable(&figure.x, value) => x.include(value),
                _ => {}
            }
        }
    }
    if figure.layers.iter().any(diagonal) && figure.x.scaling == figure.y.scaling {
        x.merge(y);
        y = x;
        return Some((Scale::over(&figure.x, x, 0.04), Scale::over(&figure.y, y, 0.04)));
    }
    let margins = match (image, dots) {
        (true, _) => (0.0, 0.0),
        (false, true) => (0.02, 0.05),
        // A last step of 99,999 leaves room for the tick at 100,000.
        (false, false) => (0.002, 0.05),
    };
    Some((Scale::over(&figure.x, x, margins.0), Scale::over(&figure.y, y, margins.1)))
}

fn include(figure: &Figure, layer: &Layer, x: &mut Range, y: &mut Range) {
    let mut pair = |a: f64, b: f64| {
        if drawable(&figure.x, a) && drawable(&figure.y, b) {
            x.include(a);
            y.include(b);
        }
    };
    match layer {
        Layer::Line { x, y, .. } | Layer::Points { x, y, .. } => {
            x.iter().zip(y).for_each(|(&a, &b)| pair(a, b));
        }
        Layer::Bars { x: at, y: heights, .. } => {
            let reach = reach(at);
            for (&a, &b) in at.iter().zip(heights).filter(|(a, b)| a.is_finite() && b.is_finite()) {
                pair(a, b);
                pair(a - reach, b);
                pair(a + reach, b);
                pair(a, 0.0);
            }
        }
        Layer::Band { x, low, high, .. } => {
            for ((&a, &low), &high) in x.iter().zip(low).zip(high) {
                pair(a, low);
                pair(a, high);
            }
        }
        Layer::Image { matrix, .. } if !matrix.values().is_empty() => {
            pair(-0.5, -0.5);
            pair(matrix.cols() as f64 - 0.5, matrix.rows() as f64 - 0.5);
        }
        Layer::Rule { .. } | Layer::Image { .. } => {}
    }
}

/// Half of what there is between neighbouring bars.
fn reach(x: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = x.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let gaps = sorted.windows(2).map(|w| w[1] - w[0]).filter(|gap| *gap > 0.0);
    let least = gaps.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least / 2.0 } else { 0.5 }
}

fn draw_layer(
    canvas: &mut Canvas,
    figure: &Figure,
    plot: &Plot,
    layer: &Layer,
    style: &Style,
) -> Result<()> {
    let seen = |a: f64, b: f64| drawable(&figure.x, a) && drawable(&figure.y, b);
    let colour = style.colour;
    let clip = Some(plot.frame);
    match layer {
        Layer::Line { x, y, .. } => {
            let pieces = pieces(x.iter().zip(y).map(|(&a, &b)| seen(a, b).then(|| plot.at(a, b))));
            let strip = plot.frame.width() / 500.0;
            canvas.group(clip, legend::dash_of(layer, style), |pen| {
                let lines = pieces.iter().filter(|piece| piece.len() > 1);
                let width = legend::line_width(layer);
                lines
                    .map(|piece| envelope(piece, strip))
                    .try_for_each(|p| pen.path(&p, colour, width))
            })?;
            let few = x.len() <= FEW;
            let lonely = pieces.iter().filter(|piece| few || piece.len() == 1);
            canvas.group(None, &[], |pen| {
                lonely
                    .flatten()
                    .filter(|at| plot.frame.holds(**at))
                    .try_for_each(|&at| pen.dot(at, 3.0, colour, 1.0))
            })
        }
        Layer::Points { x, y, .. } => {
            let places: Vec<Place> = x
                .iter()
                .zip(y)
                .filter(|&(&a, &b)| seen(a, b))
                .map(|(&a, &b)| plot.at(a, b))
                .collect();
            let (radius, alpha) = if places.len() > 400 { (2.0, 0.45) } else { (3.0, 0.75) };
            canvas.group(None, &[], |pen| {
                let mut drawn =
                    places.iter().step_by(stride(places.len())).filter(|at| plot.frame.holds(**at));
                drawn.try_for_each(|&at| pen.dot(at, radius, colour, alpha))
            })
        }
        Layer::Bars { x, y, .. } => {
            let half = (0.8 * reach(x)).max(f64::MIN_POSITIVE);
            let zero = plot.y.ends().0.max(0.0).min(plot.y.ends().1);
            canvas.group(clip, &[], |pen| {
                for (&a, &b) in x.iter().zip(y).filter(|&(&a, &b)| seen(a, b)) {
                    let (from, to) = (plot.at(a - half, b), plot.at(a + half, zero));
                    let area = Area {
                        left: from.0,
                        right: to.0.max(from.0 + 1.0),
                        top: from.1.min(to.1),
                        bottom: from.1.max(to.1),
                    };
                    pen.block(area, colour, 0.85)?;
                }
                Ok(())
            })
        }
        Layer::Band { x, low, high, .. } => {
            let side = |edge: &[f64]| {
                let other = low.iter().zip(high);
                let both = x.iter().zip(edge).zip(other);
                pieces(both.map(|((&a, &b), (&low, &high))| {
                    (seen(a, low) && seen(a, high)).then(|| plot.at(a, b))
                }))
            };
            let strip = plot.frame.width() / 500.0;
            canvas.group(clip, &[], |pen| {
                for (under, over) in side(low).iter().zip(&side(high)) {
                    let mut outline = envelope(under, strip);
                    outline.extend(envelope(over, strip).into_iter().rev());
                    pen.polygon(&outline, colour, 0.22)?;
                }
                Ok(())
            })
        }
        Layer::Rule { at, .. } => {
            let line = rule(figure, plot, *at);
            canvas.group(clip, legend::dash_of(layer, style), |pen| {
                pen.path(&line, colour, legend::line_width(layer))
            })
        }
        Layer::Image { matrix, .. } => {
            if let Some(shades) = Shades::of(matrix) {
                let (rows, cols) = (matrix.rows() as f64, matrix.cols() as f64);
                let (from, to) = (plot.at(-0.5, -0.5), plot.at(cols - 0.5, rows - 0.5));
                let area = Area { left: from.0, top: from.1, right: to.0, bottom: to.1 };
                canvas.bitmap(area, &shades.picture(matrix)?);
            }
            Ok(())
        }
    }
}

fn diagonal(layer: &Layer) -> bool {
    matches!(layer, Layer::Rule { at: Reference::Diagonal, .. })
}

fn rule(figure: &Figure, plot: &Plot, at: Reference) -> Vec<Place> {
    let ((left, right), (low, high)) = (plot.x.ends(), plot.y.ends());
    match at {
        Reference::Horizontal(y) if drawable(&figure.y, y) => {
            vec![plot.at(left, y), plot.at(right, y)]
        }
        Reference::Vertical(x) if drawable(&figure.x, x) => vec![plot.at(x, low), plot.at(x, high)],
        Reference::Diagonal if left.max(low) < right.min(high) => {
            // Straight only where both scalings agree.
            let (from, to) = (left.max(low), right.min(high));
            let step = (to - from) / 64.0;
            let along = |i: i32| from + f64::from(i) * step;
            (0..=64).map(|i| plot.at(along(i), along(i))).collect()
        }
        _ => Vec::new(),
    }
}

/// What is between the gaps.
fn pieces(places: impl Iterator<Item = Option<Place>>) -> Vec<Vec<Place>> {
    let mut pieces = vec![Vec::new()];
    for place in places {
        match (place, pieces.last_mut()) {
            (Some(place), Some(piece)) => piece.push(place),
            (None, Some(piece)) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// What must be said about dots that are not drawn.
fn note(figure: &Figure) -> String {
    let counts = figure.layers.iter().filter_map(|layer| match layer {
        Layer::Points { x, y, .. } => {
            let pairs = x.iter().zip(y);
            Some(pairs.filter(|&(&a, &b)| drawable(&figure.x, a) && drawable(&figure.y, b)).count())
        }
        _ => None,
    });
    let most = counts.max().unwrap_or(0);
    if stride(most) > 1 {
        let most = grouped(&most.to_string());
        format!(
            "of up to {most} points a layer, at most {} are drawn, evenly taken",
            grouped("4000")
        )
    } else {
        String::new()
    }
}

fn grid(pen: &mut Pen<'_>, plot: &Plot, x_ticks: &[Tick], y_ticks: &[Tick]) -> Result<()> {
    let Area { left, top, right, bottom } = plot.frame;
    for tick in x_ticks.iter().filter(|t| !t.label.is_empty()) {
        let x = plot.at(tick.at, plot.y.ends().0).0;
        pen.path(&[(x, top), (x, bottom)], GRID, 1.0)?;
    }
    for tick in y_ticks.iter().filter(|t| !t.label.is_empty()) {
        let y = plot.down_to(tick.at);
        pen.path(&[(left, y), (right, y)], GRID, 1.0)?;
    }
    Ok(())
}

fn axes(pen: &mut Pen<'_>, plot: &Plot, x_ticks: &[Tick], y_ticks: &[Tick]) -> Result<()> {
    let Area { left, bottom, .. } = plot.frame;
    for tick in x_ticks {
        let x = plot.at(tick.at, plot.y.ends().0).0;
        let length = if tick.label.is_empty() { 2.5 } else { 5.0 };
        pen.path(&[(x, bottom), (x, bottom + length)], FRAME, 1.0)?;
        if !tick.label.is_empty() {
            pen.text(&tick.label, (x, bottom + 14.0), SIZE, INK, Anchor::Middle)?;
        }
    }
    for tick in y_ticks {
        let y = plot.down_to(tick.at);
        let length = if tick.label.is_empty() { 2.5 } else { 5.0 };
        pen.path(&[(left - length, y), (left, y)], FRAME, 1.0)?;
        if !tick.label.is_empty() {
            pen.text(&tick.label, (left - 8.0, y), SIZE, INK, Anchor::End)?;
        }
    }
    Ok(())
}

fn colour_bar(
    canvas: &mut Canvas,
    figure: &Figure,
    frame: Area,
    shades: &Shades,
    ticks: &[Tick],
) -> Result<()> {
    let bar = Area { left: frame.right + 16.0, right: frame.right + 30.0, ..frame };
    canvas.bitmap(bar, &shades.bar()?);
    canvas.group(None, &[], |pen| {
        pen.frame(bar, FRAME)?;
        for tick in ticks {
            let y = bar.bottom - shades.scale.place(tick.at) * bar.height();
            pen.path(&[(bar.right, y), (bar.right + 4.0, y)], FRAME, 1.0)?;
            pen.text(&tick.label, (bar.right + 8.0, y), SIZE, INK, Anchor::Start)?;
        }
        let name =
            figure.layers.iter().find(|l| matches!(l, Layer::Image { .. })).map_or("", Layer::name);
        let at = (bar.right + 8.0 + widest(ticks) + 14.0, f64::midpoint(bar.top, bar.bottom));
        let name = fitted(name, SIZE, bar.height() + 20.0);
        pen.text(&name, at, SIZE, INK, Anchor::Upwards)
    })
}

/// As many ticks as have room side by side.
fn fitting(scale: &Scale, room: f64) -> Vec<Tick> {
    for most in (3..=9).rev() {
        let ticks = scale.ticks(most);
        let labelled = ticks.iter().filter(|tick| !tick.label.is_empty());
        let spans: Vec<_> = labelled
            .map(|tick| (scale.place(tick.at) * room, width(&tick.label, SIZE) / 2.0))
            .collect();
        if spans.windows(2).all(|w| w[1].0 - w[0].0 >= w[0].1 + w[1].1 + 12.0) {
            return ticks;
        }
    }
    scale.ticks(2)
}

/// Rows and columns have no halves.
fn whole(tick: &Tick) -> bool {
    (tick.at - tick.at.round()).abs() < 1e-9
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| width(&tick.label, SIZE)).fold(0.0, f64::max)
}
