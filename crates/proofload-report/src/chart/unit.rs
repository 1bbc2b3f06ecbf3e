//! What an axis counts, and how its values are written.

use proofload_core::units::{human_bytes, human_count, human_ns, human_rate, human_ratio};

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A time in milliseconds.
    Milliseconds,
    /// A part of a whole, 0…1, written in percent.
    Share,
    /// Events a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Things counted.
    Count,
    /// A number in a unit of its own.
    #[default]
    Number,
}

impl Unit {
    /// A value for people: `12.3 ms`, `99.5%`, `1,200/s`.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        match self {
            Self::Milliseconds => human_ns(value * 1e6),
            Self::Share => human_ratio(rounded(value, 4)),
            Self::PerSecond => human_rate(value),
            Self::Bytes => human_bytes(value),
            Self::BytesPerSecond => format!("{}/s", human_bytes(value)),
            Self::Count if (0.0..1e15).contains(&value) => human_count(value.round() as u64),
            Self::Count | Self::Number => number(value),
        }
    }

    /// What an axis writes at a value, where neighbours are `step` apart and the largest is `largest`: all
    /// ticks of an axis have the same unit and as many decimals.
    pub(super) fn tick(self, value: f64, step: f64, largest: f64) -> String {
        let (factor, suffix) = match self {
            Self::Milliseconds => time_unit(largest),
            Self::Share => (100.0, "%"),
            Self::PerSecond => (thousands(largest).0, thousands(largest).1),
            Self::Bytes | Self::BytesPerSecond => byte_unit(largest),
            Self::Count | Self::Number => thousands(largest),
        };
        if value == 0.0 {
            return "0".to_owned();
        }
        let decimals = (-(step * factor).abs().log10()).ceil().clamp(0.0, 9.0) as usize;
        // 2.5 needs one decimal more than its power of ten says.
        let decimals = if is_whole(step * factor * 10_f64.powi(decimals as i32)) {
            decimals
        } else {
            decimals + 1
        };
        let per_second = if self == Self::BytesPerSecond { "/s" } else { "" };
        let space = if suffix.is_empty() || suffix == "%" { "" } else { "\u{a0}" };
        format!("{:.decimals$}{space}{suffix}{per_second}", value * factor)
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

/// Rounded to so many significant digits where it is neither 0 nor 1 nor close to 1.
fn rounded(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !(0.0..0.9).contains(&value) {
        return value;
    }
    let scale = 10_f64.powi(digits - 1 - value.abs().log10().floor() as i32);
    if scale.is_finite() { (value * scale).round() / scale } else { value }
}

/// Three significant digits, as few as it takes.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}");
    }
    if size >= 100.0 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", human_count(size.round() as u64));
    }
    let decimals = if size == 0.0 { 0 } else { (2 - size.log10().floor() as i32).max(0) as usize };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Factor from milliseconds and name of the unit in which times up to this are written.
fn time_unit(largest_ms: f64) -> (f64, &'static str) {
    match largest_ms {
        ms if ms < 0.001 => (1e6, "ns"),
        ms if ms < 1.0 => (1e3, "µs"),
        ms if ms < 1000.0 => (1.0, "ms"),
        ms if ms < 7_200_000.0 => (1e-3, "s"),
        _ => (1.0 / 3_600_000.0, "h"),
    }
}

fn byte_unit(largest: f64) -> (f64, &'static str) {
    match largest {
        v if v < 1e3 => (1.0, "B"),
        v if v < 1e6 => (1e-3, "kB"),
        v if v < 1e9 => (1e-6, "MB"),
        v if v < 1e12 => (1e-9, "GB"),
        _ => (1e-12, "TB"),
    }
}

fn thousands(largest: f64) -> (f64, &'static str) {
    match largest.abs() {
        v if v < 1e4 => (1.0, ""),
        v if v < 1e6 => (1e-3, "k"),
        v if v < 1e9 => (1e-6, "M"),
        v if v < 1e12 => (1e-9, "G"),
        _ => (1e-12, "T"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_for_people() {
        let check = |unit: Unit, value: f64, expect: &str| assert_eq!(unit.text(value), expect);
        check(Unit::Milliseconds, 12.34, "12.3 ms");
        check(Unit::Share, 0.123_456, "12.35%");
        check(Unit::Share, 1.0, "100%");
        check(Unit::Share, 0.999_999, "99.9999%");
        check(Unit::PerSecond, 1234.5, "1,235/s");
        check(Unit::BytesPerSecond, 1.5e6, "1.50 MB/s");
        check(Unit::Count, 1200.0, "1,200");
        check(Unit::Count, -3.0, "-3");
        check(Unit::Number, 0.012_345, "0.0123");
        check(Unit::Number, -1234.0, "−1,234");
        check(Unit::Number, 1e300, "1.00e300");
        check(Unit::Number, 7.0, "7");
        check(Unit::Milliseconds, f64::NAN, "–");
    }

    #[test]
    fn ticks_share_unit_and_decimals() {
        let check = |unit: Unit, value: f64, step: f64, largest: f64, expect: &str| {
            assert_eq!(unit.tick(value, step, largest), expect);
        };
        check(Unit::Milliseconds, 0.0, 50.0, 200.0, "0");
        check(Unit::Milliseconds, 50.0, 50.0, 200.0, "50\u{a0}ms");
        check(Unit::Milliseconds, 500.0, 500.0, 2000.0, "0.5\u{a0}s");
        check(Unit::Milliseconds, 2000.0, 500.0, 2000.0, "2.0\u{a0}s");
        check(Unit::Milliseconds, 0.02, 0.02, 0.1, "20\u{a0}µs");
        check(Unit::Share, 0.25, 0.25, 1.0, "25%");
        check(Unit::Share, 0.005, 0.005, 0.01, "0.5%");
        check(Unit::PerSecond, 2500.0, 2500.0, 10_000.0, "2.5\u{a0}k");
        check(Unit::Bytes, 2e6, 1e6, 3e6, "2\u{a0}MB");
        check(Unit::Number, 2.5, 2.5, 10.0, "2.5");
    }
}
