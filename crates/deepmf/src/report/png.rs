//! Figures as bitmaps, for where no vectors are taken.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::{Error, Result};

/// Draws `svg` as a PNG of `width` pixels, with a font that is part of the program.
pub(super) fn render(svg: &str, width: u32) -> Result<Vec<u8>> {
    const ALLOWED: &str = "between 1 and 8192 pixels";
    if !(1..=8_192).contains(&width) {
        return Err(Error::parameter("width of the PNG", ALLOWED, width));
    }
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options {
        fontdb: Arc::new(fonts),
        font_family: "DejaVu Sans".to_owned(),
        ..Options::default()
    };
    let refused = |what: String| Error::io("figure", "draw", std::io::Error::other(what));
    let tree = Tree::from_str(svg, &options).map_err(|error| refused(error.to_string()))?;
    let scale = width as f32 / tree.size().width();
    let height = (tree.size().height() * scale).round().max(1.0);
    #[allow(clippy::cast_sign_loss)] // at least 1
    let mut paper = Pixmap::new(width, height as u32)
        .ok_or_else(|| Error::parameter("width of the PNG", ALLOWED, width))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut paper.as_mut());
    paper.encode_png().map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use crate::report::{Axis, Figure, Layer};

    #[test]
    fn a_png_has_the_width_that_was_asked_for() {
        let figure = Figure::new("Loss", Axis::linear("step"), Axis::log("loss"))
            .with(Layer::line("", vec![0.0, 1.0], vec![1.0, 0.1]));
        let bytes = figure.png(500).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.width(), 500);
        let inked = picture.pixels().filter(|p| p.0 != [255; 3]).count();
        assert!(inked > 1_000, "{inked}");
        assert!(figure.png(0).is_err() && figure.png(10_000).is_err());
    }
}
