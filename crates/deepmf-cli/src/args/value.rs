//! How single values are typed.

/// A count of 1 or more.
pub(super) fn count(word: &str) -> Result<usize, String> {
    match word.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("must be a whole number from 1".into()),
    }
}

/// A number above 0.
pub(super) fn positive(word: &str) -> Result<f64, String> {
    number(word, "must be a number above 0", |x| x > 0.0)
}

/// A number that is 0 or more.
pub(super) fn not_negative(word: &str) -> Result<f64, String> {
    number(word, "must be a number that is 0 or more", |x| x >= 0.0)
}

/// A share of which enough is left.
pub(super) fn share(word: &str) -> Result<f64, String> {
    number(word, "must be from 0 to 0.9", |x| (0.0..=0.9).contains(&x))
}

/// A share above 0 and below 1.
pub(super) fn fraction(word: &str) -> Result<f64, String> {
    number(word, "must be above 0 and below 1", |x| x > 0.0 && x < 1.0)
}

fn number(word: &str, must: &str, is_right: impl Fn(f64) -> bool) -> Result<f64, String> {
    match word.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && is_right(number) => Ok(number),
        _ => Err(must.into()),
    }
}

/// `ROWSxCOLS`, such as `100x80`.
pub(super) fn shape(word: &str) -> Result<(usize, usize), String> {
    let sides = word.split_once(['x', '×']);
    let both = sides.and_then(|(rows, cols)| Some((count(rows).ok()?, count(cols).ok()?)));
    both.ok_or_else(|| "must be ROWSxCOLS, such as 100x80".into())
}

/// `X,Y,W,H`, such as `20,10,96,80`.
pub(super) fn crop(word: &str) -> Result<(usize, usize, usize, usize), String> {
    let parts: Vec<usize> = word.split(',').map_while(|part| part.trim().parse().ok()).collect();
    match (parts.as_slice(), word.split(',').count()) {
        (&[x, y, width, height], 4) if width > 0 && height > 0 => Ok((x, y, width, height)),
        _ => Err("must be X,Y,W,H in pixels, such as 20,10,96,80".into()),
    }
}

/// `LOW,HIGH`, the first below the second.
pub(super) fn bounds(word: &str) -> Result<(f64, f64), String> {
    let parse = |word: &str| word.trim().parse::<f64>().ok().filter(|x| x.is_finite());
    let sides = word.split_once(',');
    let both = sides.and_then(|(low, high)| Some((parse(low)?, parse(high)?)));
    both.filter(|(low, high)| low < high)
        .ok_or_else(|| "must be LOW,HIGH with LOW below HIGH, such as 0,5".into())
}

/// Two numbers that are 0 or more.
pub(super) fn gains(word: &str) -> Result<(f64, f64), String> {
    let sides = word.split_once(',');
    let both = sides.and_then(|(a, b)| Some((not_negative(a).ok()?, not_negative(b).ok()?)));
    both.ok_or_else(|| "must be N1,N2, two numbers that are 0 or more, such as 0.3,0.4".into())
}

/// What separates fields: a character or its name.
pub(super) fn delimiter(word: &str) -> Result<u8, String> {
    match (word, word.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        ("space", _) => Ok(b' '),
        ("comma", _) => Ok(b','),
        ("semicolon", _) => Ok(b';'),
        ("::", _) => Ok(b':'),
        (_, &[byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(byte),
        _ => Err("must be one character, `tab`, `space`, `comma`, `semicolon` or `::`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_bounds_and_delimiters_are_read() {
        assert_eq!(shape("100x80"), Ok((100, 80)));
        assert!(shape("100").is_err() && shape("0x3").is_err());
        assert_eq!(crop("1, 2,30,40"), Ok((1, 2, 30, 40)));
        assert!(crop("1,2,3").is_err() && crop("1,2,0,4").is_err() && crop("1,2,3,4,5").is_err());
        assert_eq!(bounds("-1, 2.5"), Ok((-1.0, 2.5)));
        assert!(bounds("2,1").is_err() && bounds("nan,1").is_err() && bounds("1").is_err());
        assert_eq!((delimiter("tab"), delimiter("::"), delimiter("|")), (Ok(9), Ok(58), Ok(124)));
        assert!(delimiter("ab").is_err() && delimiter("\"").is_err());
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert!(count("0").is_err() && positive("-1").is_err() && positive("inf").is_err());
        assert!(share("1").is_err() && fraction("0").is_err() && not_negative("-0.1").is_err());
        assert_eq!((share("0"), positive("1e-3")), (Ok(0.0), Ok(1e-3)));
    }
}
