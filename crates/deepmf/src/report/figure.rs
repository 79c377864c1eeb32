//! Figures: two axes and the layers that are drawn between them.

use super::number::exact;
use crate::linalg::Mat;
use crate::{Error, Result};

/// A figure: title, axes and layers, drawn in their order.
///
/// ```
/// use deepmf::report::{Axis, Figure, Layer};
/// let loss = Figure::new("Loss", Axis::linear("step"), Axis::log("loss"))
///     .with(Layer::line("depth 2", vec![0.0, 100.0, 200.0], vec![1.0, 1e-2, 1e-5]));
/// assert!(loss.svg()?.starts_with("<svg"));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Figure {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) layers: Vec<Layer>,
}

/// An axis: what it says and what it shows.
#[derive(Clone, Debug)]
pub struct Axis {
    pub(super) label: String,
    pub(super) scaling: Scaling,
    pub(super) limits: Option<(f64, f64)>,
}

/// How an axis places its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart; what is not positive is left out.
    Log10,
}

/// What a [`Layer::Rule`] follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reference {
    /// The line y = value.
    Horizontal(f64),
    /// The line x = value.
    Vertical(f64),
    /// The line y = x.
    Diagonal,
}

/// One thing that is drawn; an empty name stays out of the legend, layers of one name share a colour.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Layer {
    /// A line through places; a NaN breaks it. Long ones are drawn by the extremes of narrow strips.
    Line {
        /// Name in the legend.
        name: String,
        /// Abscissas.
        x: Vec<f64>,
        /// Ordinates, as many.
        y: Vec<f64>,
    },
    /// A dot at each place. Of more than 4,000 every k-th is drawn, and the figure says so.
    Points {
        /// Name in the legend.
        name: String,
        /// Abscissas.
        x: Vec<f64>,
        /// Ordinates, as many.
        y: Vec<f64>,
    },
    /// A bar from zero (on a logarithmic axis: from the lower end) to each value.
    Bars {
        /// Name in the legend.
        name: String,
        /// Where the bars stand.
        x: Vec<f64>,
        /// How high they are, as many.
        y: Vec<f64>,
    },
    /// The area between two curves.
    Band {
        /// Name in the legend.
        name: String,
        /// Abscissas.
        x: Vec<f64>,
        /// Lower ordinates, as many.
        low: Vec<f64>,
        /// Upper ordinates, as many.
        high: Vec<f64>,
    },
    /// A thin line to compare with.
    Rule {
        /// Name in the legend.
        name: String,
        /// The line.
        at: Reference,
    },
    /// A matrix as colours with a colour bar: row 0 on top, NaN grey, both axes linear.
    Image {
        /// What the colours mean; written at the colour bar.
        name: String,
        /// The matrix, rows × columns.
        matrix: Mat,
    },
}

impl Figure {
    /// A figure without layers.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, layers: Vec::new() }
    }

    /// The same figure with one more layer, above those before it.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// The figure as an SVG document of its own, to be written to a file or put into a page.
    ///
    /// # Errors
    /// [`Error::Shape`] if a layer's lists differ in length, [`Error::Parameter`] if an axis' limits do not
    /// go upwards (or are not positive on a logarithmic axis), or if a figure with an image has a logarithmic axis.
    pub fn svg(&self) -> Result<String> {
        self.check()?;
        super::draw::svg(self)
    }

    /// The figure as a PNG of `width` pixels.
    ///
    /// # Errors
    /// As [`Figure::svg`]; [`Error::Parameter`] if `width` is not between 1 and 8,192.
    #[cfg(feature = "png-figures")]
    pub fn png(&self, width: u32) -> Result<Vec<u8>> {
        super::png::render(&self.svg()?, width)
    }

    /// The numbers behind the figure, one line each, with all their digits: `layer,kind,x,y`, for bands also `low,high`,
    /// for images (x = column, y = row) also `value`. An empty field is NaN.
    pub fn csv(&self) -> String {
        self.csv_by(|_| 1)
    }

    /// [`Figure::csv`] with every `stride(count)`-th number of a layer of `count`.
    pub(super) fn csv_by(&self, stride: impl Fn(usize) -> usize) -> String {
        let bands = self.layers.iter().any(|l| matches!(l, Layer::Band { .. }));
        let images = self.layers.iter().any(|l| matches!(l, Layer::Image { .. }));
        let mut out = String::from("layer,kind,x,y");
        out.push_str(if bands { ",low,high" } else { "" });
        out.push_str(if images { ",value\n" } else { "\n" });
        for layer in &self.layers {
            let (name, kind) = (quoted(layer.name()), layer.kind());
            let step = stride(layer.len());
            let mut put = |x: String, y: String, range: [String; 2], value: String| {
                out.push_str(&format!("{name},{kind},{x},{y}"));
                if bands {
                    out.push_str(&format!(",{},{}", range[0], range[1]));
                }
                out.push_str(&if images { format!(",{value}\n") } else { "\n".to_owned() });
            };
            let none = String::new;
            match layer {
                Layer::Line { x, y, .. }
                | Layer::Points { x, y, .. }
                | Layer::Bars { x, y, .. } => {
                    for (&x, &y) in x.iter().zip(y).step_by(step) {
                        put(exact(x), exact(y), [none(), none()], none());
                    }
                }
                Layer::Band { x, low, high, .. } => {
                    for ((&x, &low), &high) in x.iter().zip(low).zip(high).step_by(step) {
                        put(exact(x), none(), [exact(low), exact(high)], none());
                    }
                }
                Layer::Rule { at, .. } => match *at {
                    Reference::Horizontal(y) => put(none(), exact(y), [none(), none()], none()),
                    Reference::Vertical(x) => put(exact(x), none(), [none(), none()], none()),
                    Reference::Diagonal => {}
                },
                Layer::Image { matrix, .. } => {
                    for k in (0..layer.len()).step_by(step) {
                        let (i, j) = (k / matrix.cols(), k % matrix.cols());
                        let value = exact(matrix[(i, j)]);
                        put(j.to_string(), i.to_string(), [none(), none()], value);
                    }
                }
            }
        }
        out
    }

    fn check(&self) -> Result<()> {
        for (which, axis) in [("x", &self.x), ("y", &self.y)] {
            let log = axis.scaling == Scaling::Log10;
            if let Some((low, high)) = axis.limits {
                let fine =
                    low.is_finite() && high.is_finite() && low < high && !(log && low <= 0.0);
                if !fine {
                    let allowed = if log { "positive and rising" } else { "finite and rising" };
                    let name = format!("limits of axis {which}");
                    return Err(Error::parameter(name, allowed, format!("({low}, {high})")));
                }
            }
            if log && self.layers.iter().any(|l| matches!(l, Layer::Image { .. })) {
                let name = format!("scaling of axis {which}");
                return Err(Error::parameter(name, "linear where there is an image", "log10"));
            }
        }
        self.layers.iter().try_for_each(Layer::check)
    }
}

impl Axis {
    /// A linear axis that shows all its data.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scaling: Scaling::Linear, limits: None }
    }

    /// A logarithmic axis that shows all its positive data.
    pub fn log(label: impl Into<String>) -> Self {
        Self { scaling: Scaling::Log10, ..Self::linear(label) }
    }

    /// The same axis from `low` to `high`; what is outside is cut off.
    #[must_use]
    pub fn between(self, low: f64, high: f64) -> Self {
        Self { limits: Some((low, high)), ..self }
    }
}

impl Layer {
    /// A [`Layer::Line`].
    pub fn line(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Line { name: name.into(), x, y }
    }

    /// [`Layer::Points`].
    pub fn points(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Points { name: name.into(), x, y }
    }

    /// [`Layer::Bars`].
    pub fn bars(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self::Bars { name: name.into(), x, y }
    }

    /// A [`Layer::Band`].
    pub fn band(name: impl Into<String>, x: Vec<f64>, low: Vec<f64>, high: Vec<f64>) -> Self {
        Self::Band { name: name.into(), x, low, high }
    }

    /// A [`Layer::Rule`].
    pub fn rule(name: impl Into<String>, at: Reference) -> Self {
        Self::Rule { name: name.into(), at }
    }

    /// A [`Layer::Image`].
    pub fn image(name: impl Into<String>, matrix: Mat) -> Self {
        Self::Image { name: name.into(), matrix }
    }

    /// The name in the legend.
    pub fn name(&self) -> &str {
        match self {
            Self::Line { name, .. }
            | Self::Points { name, .. }
            | Self::Bars { name, .. }
            | Self::Band { name, .. }
            | Self::Rule { name, .. }
            | Self::Image { name, .. } => name,
        }
    }

    /// How many numbers stand behind it, as lines of the CSV.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Line { x, .. }
            | Self::Points { x, .. }
            | Self::Bars { x, .. }
            | Self::Band { x, .. } => x.len(),
            Self::Rule { .. } => 1,
            Self::Image { matrix, .. } => matrix.values().len(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Line { .. } => "line",
            Self::Points { .. } => "points",
            Self::Bars { .. } => "bars",
            Self::Band { .. } => "band",
            Self::Rule { .. } => "rule",
            Self::Image { .. } => "image",
        }
    }

    fn check(&self) -> Result<()> {
        let (have, others): (usize, &[(&str, usize)]) = match self {
            Self::Line { x, y, .. } | Self::Points { x, y, .. } | Self::Bars { x, y, .. } => {
                (x.len(), &[("y", y.len())])
            }
            Self::Band { x, low, high, .. } => {
                (x.len(), &[("low", low.len()), ("high", high.len())])
            }
            Self::Rule { .. } | Self::Image { .. } => return Ok(()),
        };
        for &(list, found) in others {
            if found != have {
                let what = format!("{list} of the {} {:?}", self.kind(), self.name());
                let expected = format!("{have} values, as x has,");
                return Err(Error::shape(what, expected, found));
            }
        }
        Ok(())
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
