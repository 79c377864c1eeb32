//! Numbers as every table and figure writes them.

/// `value` with four significant digits: plain from 1e-3 to below 1e6, else scientific; zeros at the end are left out.
///
/// Whole numbers below 1e6 keep all digits. What is not a number is `NaN`, `inf` or `-inf`.
///
/// ```
/// use deepmf::report::number;
/// assert_eq!(number(0.123_456), "0.1235");
/// assert_eq!(number(12_345.6), "12346");
/// assert_eq!(number(2.5e-7), "2.5e-7");
/// ```
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.3e}");
    let (mantissa, exponent) = split(&scientific);
    if !(-3..6).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    if value.fract() == 0.0 {
        return format!("{value}");
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// All digits that tell `value` from its neighbours; nothing where it is NaN.
pub(super) fn exact(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        String::new()
    } else if size == 0.0 || (1e-4..1e15).contains(&size) || size.is_infinite() {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// `10⁻³` for −3.
pub(super) fn power_of_ten(exponent: i32) -> String {
    let digit = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    };
    format!("10{}", exponent.to_string().chars().map(digit).collect::<String>())
}

/// `12 345` for 12345, with thin spaces that do not break a line.
pub(super) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("−", rest));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |dot| digits.split_at(dot));
    let mut out = sign.to_owned();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out + fraction
}

/// Mantissa and exponent of what `{:e}` wrote.
pub(super) fn split(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// Without zeros at the end of the fraction.
pub(super) fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_and_change_form_at_a_thousandth_and_at_a_million() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.000_999_9, "9.999e-4"),
            (0.001, "0.001"),
            (0.000_999_96, "0.001"),
            (0.001_234_56, "0.001235"),
            (-std::f64::consts::PI, "-3.142"),
            (999.96, "1000"),
            (123_456.0, "123456"),
            (999_999.7, "1e6"),
            (1e6, "1e6"),
            (1.234_56e300, "1.235e300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value:e}");
        }
    }

    #[test]
    fn exact_numbers_come_back_as_they_were() {
        for value in [0.1, 1.0 / 3.0, 1e-300, 123_456_789.0, f64::MAX, f64::MIN_POSITIVE] {
            assert_eq!(exact(value).parse::<f64>(), Ok(value));
        }
        assert_eq!(exact(f64::NAN), "");
    }

    #[test]
    fn long_whole_numbers_are_grouped() {
        assert_eq!(grouped("1000"), "1000");
        assert_eq!(grouped("-1234567.5"), "−1\u{202f}234\u{202f}567.5");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }
}
