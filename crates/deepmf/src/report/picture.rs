//! Pictures and animations that stand in a page themselves.

use super::escape::escape;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A picture or animation with what it shows.
///
/// ```
/// use deepmf::report::{Block, Page, Picture, Section};
/// let shown = Picture::of_file("hidden.gif", b"GIF89a".to_vec(), "the hidden video");
/// let page = Page::new("Light", "").with(Section::new("Found").with(Block::Pictures(vec![shown])));
/// assert!(page.html()?.contains("data:image/gif;base64,R0lGODlh"));
/// # Ok::<(), deepmf::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Picture {
    kind: &'static str,
    bytes: Vec<u8>,
    caption: String,
}

impl Picture {
    /// The bytes of a file, a GIF if its name says so, else a PNG.
    pub fn of_file(name: &str, bytes: Vec<u8>, caption: impl Into<String>) -> Self {
        let is_gif = name.to_ascii_lowercase().ends_with("gif");
        Self { kind: if is_gif { "gif" } else { "png" }, bytes, caption: caption.into() }
    }

    /// A figure of its own; small pictures are drawn large, each pixel as it is.
    pub(super) fn html(&self, out: &mut String) {
        let (kind, text, caption) = (self.kind, base64(&self.bytes), escape(&self.caption));
        *out += &format!(
            "<figure class=\"picture\">\n<img alt=\"{caption}\" src=\"data:image/{kind};base64,{text}\">\n\
             <figcaption>{caption}</figcaption>\n</figure>\n"
        );
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(all >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let coded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|t| base64(t.as_bytes()));
        assert_eq!(coded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
