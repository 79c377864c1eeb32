//! Text of anybody made harmless inside HTML and SVG.

/// `text` with `& < > " '` as entities and control characters, which XML forbids, replaced.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c => out.push(allowed(c)),
        }
    }
    out
}

/// `text` on one line, without characters that XML forbids, and of at most `width` as [`width`] measures at `size`.
pub(super) fn fitted(text: &str, size: f64, most: f64) -> String {
    let line: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { allowed(c) }).collect();
    if width(&line, size) <= most {
        return line;
    }
    let mut out = String::new();
    for c in line.chars() {
        out.push(c);
        if width(&out, size) + size > most {
            break;
        }
    }
    out.trim_end().to_owned() + "…"
}

/// About how wide `text` is at font size `size`, in the units of `size`; rather too wide than too narrow.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 0.31,
        '\u{202f}' => 0.22,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '/' | '-' => 0.38,
        '⁰'..='⁹' | '⁻' | '¹' | '²' | '³' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' => 0.95,
        'A'..='Z' => 0.72,
        '\u{2e80}'.. => 1.05,
        _ => 0.6,
    };
    text.chars().map(of).sum::<f64>() * size
}

fn allowed(c: char) -> char {
    let forbidden =
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if forbidden { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_text_is_markup() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&\0"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{fffd}"
        );
    }

    #[test]
    fn long_text_ends_in_dots_and_fits() {
        let long = fitted(&"singular value ".repeat(20), 12.0, 100.0);
        assert!(long.ends_with('…') && width(&long, 12.0) <= 100.0, "{long}");
        assert_eq!(fitted("two\nlines", 12.0, 100.0), "two lines");
    }
}
