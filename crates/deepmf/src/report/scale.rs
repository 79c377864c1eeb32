//! Scales: from the numbers of an axis to places on paper, and the ticks between.

use super::figure::{Axis, Scaling};
use super::number::{grouped, power_of_ten, split, trimmed};

/// An axis that knows its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
}

/// A mark on an axis; without words it is a small one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// The ends of what an axis has to show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    low: f64,
    high: f64,
}

impl Range {
    pub(super) const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    pub(super) fn include(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }

    pub(super) fn merge(&mut self, other: Range) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.low > self.high
    }
}

/// Whether `axis` has a place for `value`; numbers so large that differences overflow have none.
pub(super) fn drawable(axis: &Axis, value: f64) -> bool {
    value.abs() < 1e300 && (axis.scaling == Scaling::Linear || value > 1e-300)
}

impl Scale {
    /// The scale of `axis` over `range` (not empty), with `margin` of its length on both sides.
    pub(super) fn over(axis: &Axis, range: Range, margin: f64) -> Self {
        let log = axis.scaling == Scaling::Log10;
        if let Some((low, high)) = axis.limits {
            return Self { low, high, log };
        }
        let Range { low, high } = range;
        if log {
            let (mut from, mut to) = (low.log10(), high.log10());
            let pad = if to - from < 0.05 { 0.5 } else { margin * (to - from) };
            (from, to) = ((from - pad).max(-307.0), (to + pad).min(307.0));
            return Self { low: 10f64.powf(from), high: 10f64.powf(to), log };
        }
        let size = low.abs().max(high.abs());
        let constant = high - low <= 1e-12 * size;
        let pad = match (constant, size == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.1 * size,
            (false, _) => margin * (high - low),
        };
        // What cannot be negative should not look as if it could.
        let floor = if low >= 0.0 && low < pad { 0.0 } else { low - pad };
        let ceiling = if high <= 0.0 && -high < pad { 0.0 } else { high + pad };
        if constant || margin == 0.0 {
            Self { low: low - pad, high: high + pad, log }
        } else {
            Self { low: floor, high: ceiling, log }
        }
    }

    /// The ends, lower one first.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where `value` is: 0 at the lower end, 1 at the upper one, beyond them outside.
    pub(super) fn place(&self, value: f64) -> f64 {
        let of = |x: f64| if self.log { x.max(1e-300).log10() } else { x };
        let (low, high) = (of(self.low), of(self.high));
        ((of(value) - low) / (high - low)).clamp(-1e3, 1e3)
    }

    /// Ticks, of which at most `most` have words, where that can be.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let most = most.max(2);
        if !self.log {
            return self.even(most);
        }
        let (from, to) = (self.low.log10() - 1e-9, self.high.log10() + 1e-9);
        let (first, last) = (from.ceil() as i32, to.floor() as i32);
        let decades = usize::try_from(last - first + 1).unwrap_or(0);
        if decades < 3 {
            return self.within_decades(most);
        }
        let step = [1_u8, 2, 3, 4, 5, 10, 20, 25, 50, 100]
            .into_iter()
            .find(|step| decades <= most * usize::from(*step))
            .map_or(200, i32::from);
        let mut ticks = Vec::new();
        for exponent in first - 1..=last {
            let decade = 10f64.powi(exponent);
            if exponent >= first && exponent.rem_euclid(step) == 0 {
                ticks.push(Tick { at: decade, label: power_of_ten(exponent) });
            } else if exponent >= first && decades <= 30 {
                ticks.push(Tick { at: decade, label: String::new() });
            }
            if step == 1 && decades <= 7 {
                let small = (2..10).map(|k| f64::from(k) * decade).filter(|&x| self.has(x));
                ticks.extend(small.map(|at| Tick { at, label: String::new() }));
            }
        }
        ticks
    }

    fn has(&self, value: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.place(value))
    }

    /// Ticks of a logarithmic axis of about one decade: at 1, 2 and 5 of each, else even ones.
    fn within_decades(&self, most: usize) -> Vec<Tick> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let plain = self.low >= 1e-3 && self.high < 1e5;
        for mantissas in [&[1, 2, 5][..], &[1, 3], &[1]] {
            let mut ticks = Vec::new();
            for exponent in first..=last {
                for &m in mantissas {
                    let at = f64::from(m) * 10f64.powi(exponent);
                    let label = match (plain, m) {
                        (true, _) => {
                            let decimals = usize::try_from(-exponent).unwrap_or(0);
                            grouped(&format!("{at:.decimals$}"))
                        }
                        (false, 1) => power_of_ten(exponent),
                        (false, _) => format!("{m}×{}", power_of_ten(exponent)),
                    };
                    if self.has(at) {
                        ticks.push(Tick { at, label });
                    }
                }
            }
            if (2..=most).contains(&ticks.len()) {
                return ticks;
            }
        }
        self.even(most)
    }

    /// Ticks at equal differences of 1, 2 or 5 times a power of ten.
    fn even(&self, most: usize) -> Vec<Tick> {
        let span = self.high - self.low;
        let raw = span / most as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|step| *step >= raw * (1.0 - 1e-9))
            .unwrap_or(raw);
        let first = (self.low / step - 1e-6).ceil();
        let last = (self.high / step + 1e-6).floor();
        let size = self.low.abs().max(self.high.abs());
        let order = (step.log10() + 1e-9).floor() as i32;
        let mut ticks = Vec::new();
        let mut k = first;
        // Beyond 2^53 adding one changes nothing.
        while k <= last && ticks.len() <= 2 * most {
            let at = k * step;
            ticks.push(Tick { at, label: even_label(at, size, order) });
            k += 1.0;
        }
        ticks
    }
}

/// A label with as many digits as a step of order `order` needs, among numbers up to `size`.
fn even_label(value: f64, size: f64, order: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if size < 1e6 && order >= -4 {
        let decimals = usize::try_from(-order).unwrap_or(0);
        return grouped(&format!("{value:.decimals$}"));
    }
    let digits = (value.abs().log10() + 1e-9).floor() as i32 - order;
    let digits = usize::try_from(digits.clamp(0, 15)).unwrap_or(0);
    let scientific = format!("{value:.digits$e}");
    let (mantissa, exponent) = split(&scientific);
    format!("{}×{}", trimmed(mantissa).replace('-', "−"), power_of_ten(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, low: f64, high: f64, most: usize) -> String {
        let scale = Scale::over(axis, Range { low, high }, 0.0);
        let ticks = scale.ticks(most);
        let words: Vec<_> = ticks.into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect();
        words.join(" ").replace('\u{202f}', "_")
    }

    #[test]
    fn ticks_of_even_axes_are_round_numbers() {
        let axis = Axis::linear("");
        assert_eq!(labels(&axis, 0.0, 1.0, 6), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(&axis, 0.0, 1e5, 6), "0 20_000 40_000 60_000 80_000 100_000");
        assert_eq!(labels(&axis, -2e-5, 2e-5, 5), "−2×10⁻⁵ −1×10⁻⁵ 0 1×10⁻⁵ 2×10⁻⁵");
        assert_eq!(labels(&axis, 0.0, 3e7, 4), "0 1×10⁷ 2×10⁷ 3×10⁷");
    }

    #[test]
    fn a_constant_gets_room_on_both_sides() {
        assert_eq!(labels(&Axis::linear(""), 0.0, 0.0, 4), "−1.0 −0.5 0 0.5 1.0");
        assert_eq!(labels(&Axis::log(""), 1.0, 1.0, 6), "0.5 1 2");
    }

    #[test]
    fn ticks_of_logarithmic_axes_are_decades() {
        let axis = Axis::log("");
        assert_eq!(labels(&axis, 1e-6, 1.0, 8), "10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰");
        assert_eq!(labels(&axis, 1e-16, 1.0, 6), "10⁻¹⁵ 10⁻¹² 10⁻⁹ 10⁻⁶ 10⁻³ 10⁰");
        assert_eq!(labels(&axis, 0.011, 0.9, 6), "0.02 0.05 0.1 0.2 0.5");
        assert_eq!(labels(&axis, 0.5, 0.6, 4), "0.50 0.55 0.60");
    }

    #[test]
    fn ends_of_the_range_of_floats_are_survived() {
        for (low, high) in [(-1e299, 1e299), (1.0, 1.0 + f64::EPSILON), (0.0, f64::MIN_POSITIVE)] {
            for axis in [Axis::linear(""), Axis::log("")] {
                let low = if axis.scaling == Scaling::Log10 { 1e-299 } else { low };
                let scale = Scale::over(&axis, Range { low, high: high.max(low) }, 0.05);
                let ticks = scale.ticks(6);
                assert!(!ticks.is_empty() && ticks.len() < 40, "{scale:?} {ticks:?}");
                assert!(scale.place(high).is_finite());
            }
        }
    }
}
